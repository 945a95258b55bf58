//! The binary, as a user meets it: verdicts, exit codes, files and messages.

mod arguments;
mod bugs;
mod etcd;
mod histories;
mod leftovers;
mod models;
mod own_systems;
mod rashomon;
mod real_systems;
mod redis;
mod replay;
mod runs;
mod shrink;
mod simulation;
mod unprivileged;
mod zookeeper;
