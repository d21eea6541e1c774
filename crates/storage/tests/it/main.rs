//! The store on real databases: SQLite always; PostgreSQL and MariaDB/MySQL when `MILENA_TEST_POSTGRES_URL`
//! and `MILENA_TEST_MARIADB_URL` name a server on which databases may be created. With
//! `MILENA_TEST_REQUIRE_SERVERS=1` a missing one is a failure.

#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr, reason = "tests")]

mod abandoned;
mod availability;
mod conformance;
mod database;
mod frozen;
mod letters;
mod measure;
mod online_index;
mod rooms;
mod sqlite;
/// Logs as a person writes them down, and the fold of them in memory.
#[path = "../../../timeline/tests/story/mod.rs"]
mod story;
mod unfit;
mod urls;
mod wire;
