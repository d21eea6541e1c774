//! The broker as clients see it: librdkafka for what real programs do, the bare protocol for what they never would.

mod admin;
mod crash;
mod groups;
mod hostile;
mod idempotence;
mod produce_consume;
mod recovery;
mod support;
mod wire;
