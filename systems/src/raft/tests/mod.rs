//! Tests of Raft: scripted transcripts, the claims of the paper and the thesis, and random runs.

mod cluster;
mod random;
mod register;
mod transcript;
