//! The backend as its clients see it, on the embedded broker and SQLite.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test ends where it is surprised")]

mod accounts;
mod changes;
mod client;
mod conformance;
mod connections;
mod conversations;
mod events;
mod foreign_records;
mod lockout;
mod logged;
mod newer_records;
mod node;
mod pages;
mod passwords;
mod people;
mod profile;
mod program;
mod raw;
mod requests;
mod room;
mod rooms;
mod security_headers;
mod socket;
mod strangers;
mod surface;
mod ws;
