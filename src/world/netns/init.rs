//! Process 1 of the sandbox. When it ends, for whatever reason, the kernel kills all others inside.

use std::io;

use nix::sys::signalfd::SignalFd;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use super::enter::held_signals;
use super::outer::{KILLED, next_signal, pass_on, say};

/// Buries orphans until the controller is dead, and ends with its exit code.
pub(super) fn run(controller: Pid) -> ! {
    let code = watch(controller).unwrap_or_else(|error| {
        say(format_args!("the init of the sandbox can't go on: {error}"));
        KILLED
    });
    std::process::exit(i32::from(code));
}

fn watch(controller: Pid) -> io::Result<u8> {
    let signals = SignalFd::new(&held_signals())?;
    loop {
        if let Some(code) = bury(controller)? {
            return Ok(code);
        }
        if let Some((signal, from_terminal)) = next_signal(&signals)? {
            pass_on(signal, from_terminal, controller);
        }
    }
}

/// Waits for all children that are dead. Answers with the exit code of the controller if it is among them.
fn bury(controller: Pid) -> io::Result<Option<u8>> {
    loop {
        match waitpid(None, Some(WaitPidFlag::WNOHANG))? {
            WaitStatus::Exited(pid, code) if pid == controller => {
                return Ok(Some(u8::try_from(code).unwrap_or(KILLED)));
            }
            WaitStatus::Signaled(pid, signal, _) if pid == controller => {
                say(format_args!("the controller was killed by {signal}; nothing of the sandbox is left"));
                return Ok(Some(KILLED));
            }
            WaitStatus::StillAlive => return Ok(None),
            _ => {}
        }
    }
}
