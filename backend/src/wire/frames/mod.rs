//! WebSocket frames: what clients may send, and what the server sends, serialised once however many sockets
//! get it.

mod client;
#[cfg(test)]
mod fuzz;
mod rooms;
mod server;

use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

pub use client::{BadFrame, ClientFrame, Token};
pub use rooms::InRoom;
pub use server::{
    activity_frame, cursor_frame, error_frame, frame_for, pong_frame, prefix_frame, rejected_frame,
    welcome_frame,
};

/// A text frame for clients. Cloning shares the bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame(Utf8Bytes);

impl Frame {
    /// Bytes of the text.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether it has no bytes; no frame of the protocol is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The JSON text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl From<String> for Frame {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl From<Frame> for Message {
    fn from(frame: Frame) -> Self {
        Self::Text(frame.0)
    }
}
