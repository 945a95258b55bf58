//! Into the sandbox: new namespaces, an init in them, and the controller below it.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;

use nix::errno::Errno;
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::prctl;
use nix::sys::signal::{SigHandler, SigSet, SigmaskHow, Signal, signal, sigprocmask};
use nix::unistd::{ForkResult, Gid, Uid, fork, getegid, geteuid};

use super::tools::Tools;
use super::{SandboxError, init, outer};

/// Where [`enter`] has returned.
#[derive(Debug)]
pub(crate) enum Entered {
    /// In the controller, inside of the sandbox.
    Inside(Inside),
    /// In the outer process: nothing is left inside. The exit code of the controller; 255 where it was killed.
    Finished(u8),
}

/// The proof that this process is in a sandbox.
#[derive(Debug)]
pub(crate) struct Inside {
    pub(super) tools: Tools,
    /// Whether it is a user namespace that gives this process its rights.
    pub(crate) in_user_namespace: bool,
}

/// Goes into a new sandbox, see the module. Must be called while this process has one thread.
///
/// It returns in two processes. They must both go on to end soon with what they are told; neither may go on as if it were
/// the only one.
pub(crate) fn enter() -> Result<Entered, SandboxError> {
    let tools = Tools::find()?;
    check_single_threaded()?;
    let in_user_namespace = unshare_everything()?;
    let before = hold_signals().map_err(SandboxError::io("hold signals"))?;
    let (mut life, mut childs_life) = UnixStream::pair().map_err(SandboxError::io("make a pair of sockets"))?;
    match fork_process("the init of the sandbox")? {
        ForkResult::Parent { child } => {
            drop(childs_life);
            // The init says that it dies with us; only then it may begin. Should it be dead already, waiting will tell.
            if life.read_exact(&mut [0]).is_ok() {
                let _ = life.write_all(&[1]);
            }
            let code = outer::supervise(child).map_err(SandboxError::io("wait for the sandbox"))?;
            Ok(Entered::Finished(code))
        }
        ForkResult::Child => {
            drop(life);
            die_with_outer(&mut childs_life);
            match fork_process("the controller")? {
                ForkResult::Parent { child } => init::run(child),
                ForkResult::Child => {
                    drop(childs_life);
                    sigprocmask(SigmaskHow::SIG_SETMASK, Some(&before), None)
                        .map_err(SandboxError::io("let signals in"))?;
                    mount_proc().map_err(SandboxError::io("mount /proc in the sandbox"))?;
                    Ok(Entered::Inside(Inside { tools, in_user_namespace }))
                }
            }
        }
    }
}

/// From here on the kernel kills the caller when the outer process dies. Had it died before, there would be nobody to
/// answer: then the caller ends here. So there is no moment at which a dead outer process leaves anybody behind.
fn die_with_outer(life: &mut UnixStream) {
    let tied = prctl::set_pdeathsig(Signal::SIGKILL).is_ok();
    if !tied || life.write_all(&[1]).is_err() || life.read_exact(&mut [0]).is_err() {
        std::process::exit(255);
    }
}

fn check_single_threaded() -> Result<(), SandboxError> {
    let threads = fs::read_dir("/proc/self/task").map_err(SandboxError::io("read /proc/self/task"))?.count();
    if threads == 1 { Ok(()) } else { Err(SandboxError::ManyThreads { threads }) }
}

fn fork_process(who: &str) -> Result<ForkResult, SandboxError> {
    // SAFETY: `enter` has checked that this process has one thread, so no lock is held by a thread that the child lacks.
    #[expect(unsafe_code, reason = "a fork is the only way into a new PID namespace")]
    let forked = unsafe { fork() };
    forked.map_err(SandboxError::io(format!("fork {who}")))
}

/// New namespaces for all that a run touches; in a user namespace where this process has no right to make them. The PID
/// namespace is for children: this process stays outside. Answers whether a user namespace was needed.
fn unshare_everything() -> Result<bool, SandboxError> {
    let all = CloneFlags::CLONE_NEWNET
        | CloneFlags::CLONE_NEWNS
        | CloneFlags::CLONE_NEWPID
        | CloneFlags::CLONE_NEWUTS
        | CloneFlags::CLONE_NEWIPC;
    match unshare(all) {
        Ok(()) => return Ok(false),
        Err(Errno::EPERM) => {}
        Err(errno) => return Err(SandboxError::NoNamespaces { errno }),
    }
    let (user, group) = (geteuid(), getegid());
    unshare(CloneFlags::CLONE_NEWUSER | all).map_err(|errno| SandboxError::NoNamespaces { errno })?;
    map_to_root(user, group)?;
    Ok(true)
}

/// Inside, this user and group are called 0; files belong to them as before. Only one of each can be mapped without rights.
fn map_to_root(user: Uid, group: Gid) -> Result<(), SandboxError> {
    let maps =
        [("setgroups", "deny".to_owned()), ("uid_map", format!("0 {user} 1\n")), ("gid_map", format!("0 {group} 1\n"))];
    for (file, content) in maps {
        let path = format!("/proc/self/{file}");
        fs::write(&path, content).map_err(|source| match source.raw_os_error().map(Errno::from_raw) {
            // AppArmor lets a namespace be made and then takes its rights away.
            Some(errno @ Errno::EPERM) => SandboxError::NoNamespaces { errno },
            _ => SandboxError::Io { doing: format!("write {path}"), source },
        })?;
    }
    Ok(())
}

/// SIGINT, SIGTERM and SIGCHLD wait from here on until they are read. Answers with what was held before.
fn hold_signals() -> nix::Result<SigSet> {
    // SAFETY: the default action is no handler that could do anything wrong. Who started us may have ignored SIGCHLD; then
    // there would be no children to wait for.
    #[expect(unsafe_code, reason = "signal dispositions have no safe interface")]
    unsafe {
        signal(Signal::SIGCHLD, SigHandler::SigDfl)?;
    }
    let mut before = SigSet::empty();
    sigprocmask(SigmaskHow::SIG_BLOCK, Some(&held_signals()), Some(&mut before))?;
    Ok(before)
}

/// The signals that outer process and init read one by one.
pub(super) fn held_signals() -> SigSet {
    [Signal::SIGINT, Signal::SIGTERM, Signal::SIGCHLD].into_iter().collect()
}

/// A `/proc` that shows the processes of the sandbox, seen by nobody outside.
fn mount_proc() -> nix::Result<()> {
    let nothing: Option<&str> = None;
    mount(nothing, "/", nothing, MsFlags::MS_REC | MsFlags::MS_PRIVATE, nothing)?;
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    mount(Some("proc"), "/proc", Some("proc"), flags, nothing)
}
