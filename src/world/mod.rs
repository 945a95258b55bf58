//! Where a run happens.

mod cluster;
mod hands;
mod hosts;
pub(crate) mod netns;
mod own_servers;
mod raft_members;
mod real_servers;
pub(crate) mod sim;

pub(crate) use cluster::{Cluster, Ground};
