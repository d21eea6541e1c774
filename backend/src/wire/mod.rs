//! What goes over the wire: WebSocket frames and REST bodies. These types are neither the domain's nor the
//! store's, so that either can change without the protocol changing.

pub mod frames;
pub mod messages;
pub mod rest;
pub mod rooms;

pub use frames::Frame;
