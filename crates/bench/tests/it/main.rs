//! Every bench, run as people run it but for seconds: so that benches do not rot.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test may panic")]

mod broker;
mod gateway;
mod machine;
mod run;
mod sink;
