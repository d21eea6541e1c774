//! A backend of each test's own, and the clients that speak to it.

pub(crate) mod client;
pub(crate) mod logged;
pub(crate) mod node;
pub(crate) mod raw;
pub(crate) mod socket;
mod storing;
