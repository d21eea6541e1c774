//! The live line to clients: one task owns one WebSocket from its upgrade to its end.
//!
//! [`Sockets::serve`] takes an upgraded connection; [`switching_protocols`] checks the request and makes the
//! answer that comes before it. Inside, from the wire inwards: `line` (the WebSocket with its limits),
//! `hello` (who is it), `connection` (the loop), with the pure `heartbeat` and `cursor_pace`; `node` is what
//! a connection needs of the rest of the program.

mod connection;
mod cursor_pace;
mod frame_rate;
mod heartbeat;
mod hello;
mod lanes;
mod line;
mod node;
mod passive;
mod send_rate;
mod serve;
mod upgrade;

pub(crate) use cursor_pace::CursorPace;
pub use send_rate::SendRate;
pub use serve::Sockets;
pub use upgrade::switching_protocols;

#[cfg(test)]
mod tests;
