//! A message as search knows it: its newest text, and the facts that operators ask for.

use milena_domain::{ConversationId, Position, Timestamp, UserId};

/// The newest state of a message. One that is deleted has none, and is in no index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Where it was said. With the position that is its name.
    pub conversation: ConversationId,
    /// Where it stands there.
    pub position: Position,
    /// Who said it.
    pub author: UserId,
    /// To whom, in a direct conversation; in one's notes oneself.
    pub to: Option<UserId>,
    /// When.
    pub sent_at: Timestamp,
    /// What it says now.
    pub body: String,
    /// Whom it names.
    pub mentions: Vec<UserId>,
    /// Whether it calls everyone.
    pub everyone: bool,
    /// Whether it answers another.
    pub reply: bool,
    /// Whether it was said otherwise first.
    pub edited: bool,
    /// Whether anybody's reaction stands there.
    pub reacted: bool,
    /// Whether it is pinned.
    pub pinned: bool,
}
