//! One binary: the controller of a run, and the servers that it runs.
fn main() {}
