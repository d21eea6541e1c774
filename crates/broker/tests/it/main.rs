//! The broker as clients see it: librdkafka for what real programs do, the bare protocol for what they never
//! would.

#![allow(clippy::print_stderr, reason = "tests")]

mod access;
mod admin;
mod clients;
mod crash;
mod disk_full;
mod hostile;
mod recovery;
mod restarts;
mod support;
mod waiting;
mod wire;
