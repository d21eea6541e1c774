//! What Milena holds, as figures that can be repeated.
//!
//! Every bench runs the real programs as child processes over real sockets, measures the limit (the same work
//! without Milena) in the same run, and ends with one line, `BENCH_JSON {...}`. `scripts/bench` builds the
//! programs, starts the servers that a bench needs, and ends them.

#![allow(clippy::print_stderr, reason = "a bench is run to be read, and ends with its reader")]

pub mod broker;
pub mod cli;
pub mod client;
pub mod gateway;
pub mod measure;
mod sink;
pub mod world;
pub mod yardstick;
