//! A private sandbox in which every node is a host of its own.
//!
//! ```text
//! outer process      waits, passes signals on, exits with the code of the controller
//!   └─ init          process 1 of a new PID namespace: its death is the death of everything inside
//!        └─ controller     what the rest of the program calls "this process"
//!             ├─ n1   each in a network namespace of its own,
//!             ├─ n2   joined by a bridge in the namespace of the controller
//!             └─ ...
//! ```
//!
//! How to use it:
//!
//! 1. [`enter`] at the very start of `main`, before there is any other thread or runtime. It returns twice: in the outer
//!    process with [`Entered::Finished`] and the exit code, in the controller with [`Entered::Inside`].
//! 2. [`Sandbox::build`] makes network and folders. It answers with the sandbox and a channel that tells of nodes that
//!    ended though nobody killed them.
//! 3. [`Sandbox::launch`] starts a node for the first time. From then on [`Sandbox`] implements
//!    [`rashomon_nemesis::Hands`]: give it to a [`rashomon_nemesis::Nemesis`].
//! 4. [`Sandbox::shut_down`] kills all nodes. The rest vanishes with the controller, however that ends.
//!
//! Nothing has a name that anybody outside could see: network namespaces are file descriptors, interfaces live in them,
//! rules too. So two runs don't disturb each other, and there is nothing to clean up. The one mount, `/proc`, is in a
//! private mount namespace. `/run` is left as it is: results may be there.
//!
//! As an ordinary user all of this happens in a user namespace, in which the user is called root. Files that are made
//! inside belong to the user.
//!
//! Signals: SIGINT and SIGTERM to the outer process are passed on to the controller, which should end its run in order; a
//! second one, half a second later or more, kills everything. Nodes don't get the terminal's Ctrl-C.

mod enter;
mod error;
mod hands;
mod init;
mod node;
mod outer;
mod sandbox;
mod tools;

pub(crate) use enter::{Entered, Inside, enter};
pub(crate) use error::SandboxError;
pub(crate) use node::{NodeCommand, UnexpectedExit, last_lines};
pub(crate) use sandbox::Sandbox;

#[cfg(test)]
mod tests;
