//! What breaks, stops, floods or goes on for a long time: nothing is lost, doubled or reordered meanwhile.

mod faults;
mod forgotten;
mod hostile;
pub(crate) mod kills;
mod outages;
mod pauses;
mod soak;
