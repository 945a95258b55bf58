//! Where a run happens.

mod cluster;
mod hands;
pub(crate) mod netns;
mod raft_members;
pub(crate) mod sim;

pub(crate) use cluster::Cluster;
