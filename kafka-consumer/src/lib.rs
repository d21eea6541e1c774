//! The batching consumer that carries the log into the relational store.
//!
//! ```text
//! Kafka ──► poll (thread) ──records──► ingest (loop) ──batch──► writer (task) ──► store
//!              ▲   └──assignment──►      │    ▲                    │
//!              └──────commands───────────┘    └─────outcome────────┴──► dead letters
//! ```
//!
//! Guarantees: every good record of the log is stored once, in order; every bad one is in the dead-letter
//! topic before its offset is passed; rows and offsets are one transaction, opened by a compare-and-set, so
//! that a consumer that lost a partition cannot write; memory is bounded whatever the lag. Correctness rests
//! on the store's offsets alone: Kafka's group offsets are committed for lag tools and never read.
//!
//! The thinking is in pure parts ([`batch`](self), ledger, bisect, quota, backoff), tested by property; poll,
//! writer and ingest are the thin rest.

mod backoff;
mod batch;
mod bisect;
pub mod cli;
mod commands;
mod dead_letters;
mod error;
mod health;
mod ingest;
mod ledger;
mod metrics;
mod observe;
mod origin;
mod outcome;
mod poll;
mod quota;
mod record;
mod report;
mod run;
mod scan;
mod sink;
mod unassigned;
mod writer;

pub use error::ConsumerError;
pub use health::Health;
pub use metrics::describe as describe_metrics;
pub use report::Summary;
pub use run::{run, run_watched};
