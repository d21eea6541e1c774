//! What operators ask for beside words and days.

use milena_domain::{ConversationId, UserId};

use crate::analyse::has_link;
use crate::message::Message;

/// Something that is so of a message, or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Fact {
    From(UserId),
    In(ConversationId),
    To(UserId),
    Mentions(UserId),
    Everyone,
    Link,
    Reaction,
    Pin,
    Reply,
    Edited,
}

impl Fact {
    fn is_so(self, message: &Message) -> bool {
        match self {
            Self::From(user) => message.author == user,
            Self::In(conversation) => message.conversation == conversation,
            Self::To(user) => message.to == Some(user),
            Self::Mentions(user) => message.mentions.contains(&user),
            Self::Everyone => message.everyone,
            Self::Link => has_link(&message.body),
            Self::Reaction => message.reacted,
            Self::Pin => message.pinned,
            Self::Reply => message.reply,
            Self::Edited => message.edited,
        }
    }

    /// Everything that is so of a message, for an index to look up.
    pub(crate) fn all_of(message: &Message) -> Vec<Self> {
        let mut facts = vec![Self::From(message.author), Self::In(message.conversation)];
        facts.extend(message.to.map(Self::To));
        facts.extend(message.mentions.iter().copied().map(Self::Mentions));
        let flags = [Self::Everyone, Self::Link, Self::Reaction, Self::Pin, Self::Reply, Self::Edited];
        facts.extend(flags.into_iter().filter(|fact| fact.is_so(message)));
        facts
    }
}

/// One of these is so, or, negated, none of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Need {
    pub(crate) negated: bool,
    pub(crate) any_of: Vec<Fact>,
}

impl Need {
    pub(crate) fn is_met(&self, message: &Message) -> bool {
        self.any_of.iter().any(|fact| fact.is_so(message)) != self.negated
    }
}
