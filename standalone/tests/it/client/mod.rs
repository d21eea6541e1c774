//! Clients as anybody could write them from the protocol document: nothing here uses Milena's own types.

mod device;
mod heard;
mod pending;
mod rest;
mod socket;
mod stream;
mod wire;

pub(crate) use device::{Device, Progress};
pub(crate) use heard::{Heard, Via};
pub(crate) use pending::Target;
pub(crate) use rest::{Account, Answer, Rest};
pub(crate) use socket::{Incoming, Socket, hello, send_frame};
pub(crate) use stream::{Stream, Streamed};
pub(crate) use wire::{Accepted, Conversations, Message, Person};

/// The password of everybody in these tests.
pub(crate) const PASSWORD: &str = "correct horse battery";
