//! The properties against their definitions, tried out on small histories, and what a person reads of them.

mod bank;
mod commit;
mod counter_bounds;
mod fencing;
mod histories;
mod lease_lock;
mod lease_service;
mod log;
mod long_fork;
mod monotonic;
mod session;
mod set_full;
mod stale_read_bound;
mod told;
mod told_locks;
mod told_logs;
mod total_queue;
mod unique_ids;
