//! Where a run happens.

pub(crate) mod netns;
mod raft_cluster;
pub(crate) mod sim;

pub(crate) use raft_cluster::RaftCluster;
