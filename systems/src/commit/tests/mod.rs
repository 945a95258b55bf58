mod bugs;
mod claims;
mod faults;
mod random;
mod three_phase;
mod workload;
mod world;
