//! Finding people, and what somebody changes about themselves.

mod change;
mod find;
