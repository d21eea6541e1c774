//! REST, WebSocket, live delivery and the producer.
//!
//! From the wire inwards: [`server`] takes connections, [`http`] and [`socket`] speak to clients in the types
//! of [`wire`], [`auth`] says who they are, [`chat`] holds the use cases, [`log`] the way to Kafka and back,
//! [`registry`] who is connected, [`signals`] what backends tell each other, [`push`] what devices are told
//! while nobody looks. [`App`] connects them.

pub mod app;
pub mod auth;
pub mod batched;
pub mod chat;
pub mod free_disk;
pub mod http;
pub mod live;
pub mod log;
pub mod metrics;
#[cfg(test)]
pub(crate) mod mutation;
pub mod presence;
pub mod push;
pub mod rate;
pub mod refusal;
pub mod registry;
pub mod security_log;
mod seldom;
pub mod server;
pub mod signals;
pub mod socket;
mod upkeep;
pub mod wire;

pub use app::{App, AppError};
