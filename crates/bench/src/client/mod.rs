//! Clients that speak docs/PROTOCOL.md: one connection, and a crowd of them under load.

mod crowd;
mod frame;
mod socket;
mod tally;

pub use crowd::{Crowd, Order, Route, pair};
pub use frame::{Frame, body_of, hello, send, send_in};
pub use socket::{Origin, Socket};
pub use tally::{Counts, Tally};
