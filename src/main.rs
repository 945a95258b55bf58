//! One binary: the controller of a run, and the servers that it runs.

mod cli;
mod clients;
mod detect;
mod interrupt;
mod own_system;
mod plan;
mod plan_file;
mod results;
mod run;
mod script;
#[cfg(test)]
mod seeds;
mod shrink;
mod swarm;
mod verdict;
mod world;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
