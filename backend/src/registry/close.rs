//! Why the server ends a connection: the close codes of the protocol, in one place.

/// A reason to end a connection. 4000–4499 tell the client to connect again, 4500–4999 not to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CloseCode {
    /// The frames were not WebSocket frames.
    ProtocolError,
    /// A text frame was not UTF-8.
    NotUtf8,
    /// A frame was larger than `limits::FRAME_MAX_BYTES`.
    TooLarge,
    /// The server stops.
    Restart,
    /// Nothing came after a ping.
    NoPong,
    /// No valid `hello` in time.
    NoHello,
    /// The outgoing queue overflowed, or a write took too long.
    Slow,
    /// The session or what was missed cannot be looked up now.
    StoreUnavailable,
    /// No valid session.
    Unauthenticated,
    /// The session was ended.
    SessionEnded,
    /// A binary frame, or a second `hello`.
    BadFrame,
    /// Frames came too fast for too long.
    Flooding,
}

impl CloseCode {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::ProtocolError,
        Self::NotUtf8,
        Self::TooLarge,
        Self::Restart,
        Self::NoPong,
        Self::NoHello,
        Self::Slow,
        Self::StoreUnavailable,
        Self::Unauthenticated,
        Self::SessionEnded,
        Self::BadFrame,
        Self::Flooding,
    ];

    /// The number on the wire.
    #[must_use]
    pub const fn number(self) -> u16 {
        match self {
            Self::ProtocolError => 1002,
            Self::NotUtf8 => 1007,
            Self::TooLarge => 1009,
            Self::Restart => 1012,
            Self::NoPong => 4000,
            Self::NoHello => 4001,
            Self::Slow => 4008,
            Self::StoreUnavailable => 4009,
            Self::Unauthenticated => 4500,
            Self::SessionEnded => 4501,
            Self::BadFrame => 4502,
            Self::Flooding => 4503,
        }
    }

    /// For people who look at the connection; shorter than the 123 bytes of a close frame.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::ProtocolError => "not the WebSocket protocol",
            Self::NotUtf8 => "a text frame was not UTF-8",
            Self::TooLarge => "a frame was too large",
            Self::Restart => "the server restarts: connect again",
            Self::NoPong => "no answer to a ping: connect again",
            Self::NoHello => "no hello in time",
            Self::Slow => "read too slowly: connect again and resume",
            Self::StoreUnavailable => "cannot be looked up now: connect again",
            Self::Unauthenticated => "no valid session: sign in",
            Self::SessionEnded => "the session was ended: sign in",
            Self::BadFrame => "a binary frame or a second hello",
            Self::Flooding => "frames came too fast in spite of refusals",
        }
    }

    /// A label for metrics and logs.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::ProtocolError => "protocol_error",
            Self::NotUtf8 => "not_utf8",
            Self::TooLarge => "too_large",
            Self::Restart => "restart",
            Self::NoPong => "no_pong",
            Self::NoHello => "no_hello",
            Self::Slow => "slow",
            Self::StoreUnavailable => "store_unavailable",
            Self::Unauthenticated => "unauthenticated",
            Self::SessionEnded => "session_ended",
            Self::BadFrame => "bad_frame",
            Self::Flooding => "flooding",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn codes_differ_and_fit_a_close_frame() {
        assert_eq!(
            CloseCode::ALL.iter().map(|code| code.number()).collect::<HashSet<_>>().len(),
            CloseCode::ALL.len()
        );
        assert!(CloseCode::ALL.iter().all(|code| code.reason().len() <= 123));
    }
}
