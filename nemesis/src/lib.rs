//! Faults as data, schedules drawn from a seed, and the hands that inject them on Linux.
