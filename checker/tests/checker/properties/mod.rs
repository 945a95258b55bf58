//! The properties against their definitions, tried out on small histories, and what a person reads of them.

mod bank;
mod counter_bounds;
mod histories;
mod log;
mod long_fork;
mod monotonic;
mod session;
mod set_full;
mod stale_read_bound;
mod told;
mod told_logs;
mod total_queue;
mod unique_ids;
