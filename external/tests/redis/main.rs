//! Clients of Redis against real servers. Where Redis is not installed the tests say so and end.

mod locks;
mod outcomes;
mod server;
