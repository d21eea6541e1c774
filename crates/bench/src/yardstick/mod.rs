//! The limits: the same work without Milena, measured in the same run.

pub mod fanout;
mod produce;

pub use fanout::BareFanout;
pub use produce::{Bare, Confirmed};
