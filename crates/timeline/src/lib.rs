//! The fold: which events of a conversation count, and what they change.
//!
//! Kafka has no conditional append, so a message may reach the log after its sender was removed. Membership,
//! roles and room policy are therefore events of the room, in the room's partition, and this crate reads them
//! in order: an event counts if and only if the state made of the events *before* it allows it. Everything
//! that reads the log (the backends' tail, the consumer, search, `verify`, import) calls [`fold()`], and
//! admission asks the same [`ConversationState::judge`] first, so all of them agree.
//!
//! It is pure and deterministic: no clock, no configuration, no I/O. What a state does not hold (a long
//! roster, old messages) is asked for by [`Missing`], loaded as of the event's place, and never guessed.

mod apply;
mod fold;
mod interval;
mod judge;
mod outcome;
mod state;
mod window;

pub use fold::{fold, fold_about};
pub use interval::{Interval, sees};
pub use judge::{Facts, Judgement, Leave};
pub use outcome::{Change, Missing, Outcome, Void};
pub use state::{ConversationState, Item, Membership, Room, Standing};
pub use window::{Proof, Window, near};
