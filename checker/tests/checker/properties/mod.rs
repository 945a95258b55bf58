//! The properties against their definitions, tried out on small histories, and what a person reads of them.

mod bank;
mod counter_bounds;
mod histories;
mod set_full;
mod told;
mod total_queue;
mod unique_ids;
