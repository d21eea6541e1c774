//! The backend as its clients see it, on the embedded broker and SQLite: a folder a resource, a file what is
//! done with it.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test ends where it is surprised")]

mod conversations;
mod people;
mod push;
mod records;
mod rooms;
mod server;
mod sessions;
mod sockets;
mod support;

use support::{client, logged, node, raw, socket};
