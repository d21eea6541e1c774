//! The live line to clients: one task owns one WebSocket from its upgrade to its end.

mod close;
mod outbox;

pub use close::CloseCode;
pub use outbox::Outbox;
