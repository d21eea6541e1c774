//! The promises of Milena, tested on the real programs from outside: `milena`, `backend` and `kafka-consumer`
//! as child processes, spoken to by REST and WebSocket as clients do, on the embedded log and SQLite, and on
//! real Apache Kafka, PostgreSQL and MariaDB.
//!
//! Servers come from `MILENA_TEST_KAFKA`, `MILENA_TEST_POSTGRES_URL` and `MILENA_TEST_MARIADB_URL`. Without
//! them a test starts its own with `scripts/`, or says that it was not run; with
//! `MILENA_TEST_REQUIRE_SERVERS=1` both are failures. What a test stops or kills is always its own.
//! `MILENA_TEST_MESSAGES` (20000) and `MILENA_TEST_KILLS` (1 a point) set the size of the traffic,
//! `MILENA_TEST_FAULT_SECONDS` (such as 1,5,30; `scripts/long faults`) makes the faults long,
//! `MILENA_TEST_ROOMS` and others make `rooms` large (`scripts/long rooms`), `MILENA_SMS_CORPUS` names the
//! corpus for the import tests, `MILENA_TEST_PROGRAMS` a folder with other builds of the programs,
//! `MILENA_TEST_OLD_PROGRAMS` one with those of the first version (`scripts/long rolling-upgrade`), and
//! `MILENA_TEST_LOGS` a folder that keeps what they said.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test ends where it is surprised")]

mod client;
mod ledger;
mod world;

mod failures;
mod import;
mod messages;
mod nodes;
mod program;
mod rooms;
