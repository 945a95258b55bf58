//! Tests of Raft: scripted transcripts, the claims of the paper, and random runs.

