//! Network namespaces by file descriptor: no names, nothing in the file system, gone when the last user is gone.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::Command;

use nix::sched::{CloneFlags, setns, unshare};

/// A network namespace: an own loopback, own interfaces, addresses, routes and iptables.
#[derive(Debug)]
pub struct NetNamespace {
    fd: OwnedFd,
}

impl NetNamespace {
    /// Makes a new one, with nothing in it but a loopback that is down.
    ///
    /// # Errors
    /// The kernel refuses: it needs `CAP_SYS_ADMIN` in the present user namespace.
    pub fn create() -> io::Result<Self> {
        on_own_thread(|| {
            unshare(CloneFlags::CLONE_NEWNET)?;
            Self::current()
        })
    }

    /// The one that the calling thread is in.
    ///
    /// # Errors
    /// `/proc` is not there.
    pub fn current() -> io::Result<Self> {
        Ok(Self { fd: File::open("/proc/thread-self/ns/net")?.into() })
    }

    /// Does something inside. It happens on a thread of its own that ends afterwards, as a thread that was in another
    /// namespace is of no use to anybody else. Sockets that are made inside stay inside.
    ///
    /// # Errors
    /// The namespace can't be entered, or what `act` answers.
    pub fn inside<T: Send>(&self, act: impl FnOnce() -> io::Result<T> + Send) -> io::Result<T> {
        on_own_thread(|| {
            setns(self.fd.as_fd(), CloneFlags::CLONE_NEWNET)?;
            act()
        })
    }

    /// Lets a command run inside.
    pub fn enter_with<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        let fd = self.fd.as_raw_fd();
        let enter = move || {
            // SAFETY: the descriptor is only borrowed for one system call. `Command` has it as a number, as its closure must
            // live on its own; a namespace that was closed before the command is spawned makes the call fail with EBADF.
            #[expect(unsafe_code, reason = "the closure of pre_exec can't hold a lifetime")]
            let fd = unsafe { BorrowedFd::borrow_raw(fd) };
            setns(fd, CloneFlags::CLONE_NEWNET).map_err(io::Error::from)
        };
        // SAFETY: between fork and exec the closure only makes one system call; it takes no lock and no memory.
        #[expect(unsafe_code, reason = "a child enters its namespace between fork and exec")]
        unsafe {
            command.pre_exec(enter)
        }
    }

    /// A path that other processes of the same user can name it by, while this one lives.
    #[must_use]
    pub fn path(&self) -> String {
        format!("/proc/{}/fd/{}", std::process::id(), self.fd.as_raw_fd())
    }
}

fn on_own_thread<T: Send>(act: impl FnOnce() -> io::Result<T> + Send) -> io::Result<T> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("namespace".into()).spawn_scoped(scope, act)?;
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}
