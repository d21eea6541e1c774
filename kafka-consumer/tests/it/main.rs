//! The consumer against real logs and real stores.
//!
//! Each story is told on the embedded broker and SQLite, always, and on Apache Kafka and PostgreSQL when
//! `MILENA_TEST_KAFKA` (bootstrap servers) and `MILENA_TEST_POSTGRES_URL` (a role that may create databases)
//! are set. With `MILENA_TEST_REQUIRE_SERVERS=1` a missing one is a failure. The measure is always the same:
//! the store equals the log, and the dead-letter topic has exactly the bad records.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test ends where it is surprised")]

mod commands;
mod crashes;
mod health;
mod outages;
mod partitions;
mod records;
mod support;

use support::{child, log, program, running, store, traffic, truth, world};

/// Tells a story in both worlds.
macro_rules! in_both_worlds {
    ($($(#[$attribute:meta])* $story:ident),* $(,)?) => {
        mod embedded {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $story() { super::$story(crate::world::World::embedded().await).await; }
            )*
        }
        mod servers {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $story() {
                    if let Some(world) = crate::world::World::servers().await { super::$story(world).await; }
                }
            )*
        }
    };
}
pub(crate) use in_both_worlds;
