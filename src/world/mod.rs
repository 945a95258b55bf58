//! Where a run happens.

pub(crate) mod netns;
mod raft_cluster;
mod raft_hands;
mod raft_members;
pub(crate) mod sim;

pub(crate) use raft_cluster::RaftCluster;
