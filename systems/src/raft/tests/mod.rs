//! Tests of Raft: scripted transcripts, the claims of the paper and the thesis, and random runs.

mod claims_commitment;
mod claims_durability;
mod claims_election;
mod claims_membership;
mod claims_reads;
mod claims_replication;
mod claims_settings;
mod claims_snapshot;
mod claims_transfer;
pub(super) mod cluster;
mod random;
mod recovery;
pub(super) mod register;
mod transcript;
