//! What a test runs on: programs, servers, databases.

mod acls;
mod cluster;
mod database;
mod footprint;
mod forgetful;
mod kafka;
mod milena;
mod mortal;
mod program;
mod vitals;

pub(crate) use acls::{Right, TOPICS, allow, of_the_manual};
pub(crate) use cluster::{Backend, Cluster, Services, Variables};
pub(crate) use database::{Database, Row};
pub(crate) use footprint::Footprint;
pub(crate) use forgetful::{ForgetfulKafka, Mind};
pub(crate) use kafka::{add_partitions, empty_topic, limit_batches, log_counts, read_log};
pub(crate) use milena::Milena;
pub(crate) use milena_testkit::{
    Device, Kind, OwnServer, Proxy, PushService, Weather, free_address, number, required, shared, tell, turn,
    until,
};
pub(crate) use mortal::{Mortal, Victim};
pub(crate) use program::{Finished, Launch, Program};
pub(crate) use vitals::{Vitals, watch};
