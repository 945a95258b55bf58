//! Where a run happens.

pub(crate) mod netns;
mod raft_cluster;

pub(crate) use raft_cluster::RaftCluster;
