//! What a test runs on: programs, servers, databases.

mod cluster;
mod database;
mod footprint;
mod forgetful;
mod kafka;
mod milena;
mod mortal;
mod ports;
mod program;
mod proxy;
mod servers;
mod vitals;
mod waiting;

pub(crate) use cluster::{Backend, Cluster, Services, Variables};
pub(crate) use database::{Database, Row};
pub(crate) use footprint::Footprint;
pub(crate) use forgetful::{ForgetfulKafka, Mind};
pub(crate) use kafka::{empty_topic, log_counts, read_log};
pub(crate) use milena::Milena;
pub(crate) use mortal::{Mortal, Victim};
pub(crate) use ports::free_address;
pub(crate) use program::{Finished, Launch, Program};
pub(crate) use proxy::{Proxy, Weather};
pub(crate) use servers::{Kind, OwnServer, required, shared};
pub(crate) use vitals::{Vitals, watch};
pub(crate) use waiting::until;

/// A number from the environment, for shorter or longer runs.
pub(crate) fn number(name: &str, default: usize) -> usize {
    std::env::var(name).ok().map_or(default, |text| text.parse().expect("a whole number"))
}

/// A line of figures, past the capture of the tests' output.
pub(crate) fn tell(line: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Traffic saturates two cores: the tests that make it take turns, so that their deadlines mean something.
pub(crate) async fn turn() -> tokio::sync::MutexGuard<'static, ()> {
    static TURN: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
    TURN.lock().await
}
