//! Finding people, and what somebody changes about themselves.

mod change;
mod find;
mod notifications;
mod status;
