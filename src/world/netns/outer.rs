//! The outer process: it waits for the sandbox, and passes signals on.

use std::fmt;
use std::io::{self, Write};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::sys::signalfd::SignalFd;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use super::enter::held_signals;

/// The exit code where there is none: somebody was killed.
pub(super) const KILLED: u8 = 255;

/// Signals that come closer together are one: `timeout` sends its signal to its child and to the group of its child.
const SAME_SIGNAL: Duration = Duration::from_millis(500);

/// Waits until the init of the sandbox is gone, and with it everything inside. Answers with its exit code.
pub(super) fn supervise(init: Pid) -> io::Result<u8> {
    let signals = SignalFd::new(&held_signals())?;
    let mut first_interrupt: Option<Instant> = None;
    loop {
        match waitpid(init, Some(WaitPidFlag::WNOHANG))? {
            WaitStatus::Exited(_, code) => return Ok(u8::try_from(code).unwrap_or(KILLED)),
            WaitStatus::Signaled(_, signal, _) => {
                say(format_args!("the sandbox was killed by {signal}; nothing of it is left"));
                return Ok(KILLED);
            }
            _ => {}
        }
        let Some((signal, from_terminal)) = next_signal(&signals)? else { continue };
        match first_interrupt {
            None => {
                first_interrupt = Some(Instant::now());
                pass_on(signal, from_terminal, init);
            }
            Some(first) if first.elapsed() < SAME_SIGNAL => {}
            Some(_) => {
                say(format_args!("interrupted twice, killing the sandbox"));
                let _ = kill(init, Signal::SIGKILL);
            }
        }
    }
}

/// Tells the user. Where nobody reads any more, as after `2>&1 | head`, there is nobody to tell.
pub(super) fn say(what: fmt::Arguments<'_>) {
    let _ = writeln!(io::stderr(), "rashomon: {what}");
}

/// Waits for the next signal. `None` for SIGCHLD; otherwise which one, and whether the terminal sent it.
pub(super) fn next_signal(signals: &SignalFd) -> io::Result<Option<(Signal, bool)>> {
    let info = match signals.read_signal() {
        Ok(Some(info)) => info,
        Ok(None) | Err(nix::errno::Errno::EINTR) => return Ok(None),
        Err(errno) => return Err(errno.into()),
    };
    let number = i32::try_from(info.ssi_signo).unwrap_or_default();
    let signal = Signal::try_from(number)?;
    Ok((signal != Signal::SIGCHLD).then_some((signal, info.ssi_code == nix::libc::SI_KERNEL)))
}

/// Passes a signal on to a child. What the terminal sends reaches the whole process group, and so the child, anyway.
pub(super) fn pass_on(signal: Signal, from_terminal: bool, child: Pid) {
    if !from_terminal {
        // The child is not waited for yet, so the number is still its own; if it is dead, the signal is late.
        let _ = kill(child, signal);
    }
}
