//! The backend's side of the log: producing, tailing, remembering what is recent, delivering in order.
//!
//! - [`producer`] puts messages in; [`tail`] reads every partition; both feed the one task in [`delivery`].
//! - [`cursor`] (pure) merges the two feeds of a partition into one sequence that never goes backwards.
//! - [`recent`] (pure) remembers what the store may not have yet, and more for resuming.
//! - [`event`] says what is a message, and in which version it is written.
//! - [`pending`] keeps who waits for which message.

pub mod cursor;
pub mod delivery;
pub mod event;
pub mod health;
pub mod pending;
pub mod producer;
pub mod recent;
pub mod stored;
pub mod tail;
