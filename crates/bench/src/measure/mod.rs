//! How it is measured: time from the schedule, processes from the kernel, one line at the end.

pub mod latency;
pub mod process;
pub mod report;
pub mod threads;
