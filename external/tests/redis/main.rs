//! Clients of Redis against real servers. Where Redis is not installed the tests say so and end.

mod outcomes;
mod server;
