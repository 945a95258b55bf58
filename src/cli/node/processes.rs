//! `rashomon node processes`: the processes of one node of a real system. They share a process group with this one, and so
//! are killed, stopped and let go on together.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};
use std::sync::mpsc::channel;

use anyhow::{Context, Result, anyhow};
use clap::Args;
use rashomon_external::template;

use crate::cli::Failure;

#[derive(Args)]
pub(super) struct ProcessesArgs {
    /// A JSON file: a list of objects with `words` and `environment`
    file: PathBuf,
}

/// Runs the processes until the first of them ends; says which, and ends the others.
pub(super) fn run(args: &ProcessesArgs) -> Result<ExitCode, Failure> {
    Err(Failure::Internal(run_until_one_ends(args).map_or_else(|error| error, |ended| anyhow!(ended))))
}

fn run_until_one_ends(args: &ProcessesArgs) -> Result<String> {
    let file = args.file.display();
    let text = fs::read(&args.file).with_context(|| format!("reading {file}"))?;
    let commands: Vec<template::Command> = serde_json::from_slice(&text).with_context(|| format!("reading {file}"))?;
    let (ended, next_ended) = channel();
    let mut pids = Vec::new();
    for command in commands {
        match start(&command) {
            Ok(mut child) => {
                pids.push(child.id());
                let (ended, name) = (ended.clone(), command.words.join(" "));
                std::thread::spawn(move || {
                    let how =
                        child.wait().map_or_else(|error| error.to_string(), |status: ExitStatus| status.to_string());
                    // Who listens ends with the first.
                    let _ = ended.send(format!("`{name}` ended: {how}"));
                });
            }
            Err(error) => {
                kill_all(&pids);
                return Err(error);
            }
        }
    }
    let first = next_ended.recv().context("there are no processes")?;
    kill_all(&pids);
    Ok(first)
}

fn start(command: &template::Command) -> Result<Child> {
    let (program, args) = command.words.split_first().context("a command is empty")?;
    let mut process = Command::new(program);
    process.args(args).envs(&command.environment).stdin(Stdio::null());
    process.spawn().with_context(|| format!("starting {program}"))
}

fn kill_all(pids: &[u32]) {
    for pid in pids {
        let pid = nix::unistd::Pid::from_raw(i32::try_from(*pid).unwrap_or(i32::MAX));
        // One that has ended can't be killed.
        let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL);
    }
}
