//! Whom a message calls, and whether they are told its words: the one place that is asked, before anybody is
//! looked for and again just before a device is told.

use std::collections::HashMap;

use milena_domain::record::Event;
use milena_domain::tell::{self, Folded, Occasion, Verdict, verdict};
use milena_domain::{Timestamp, UserId};
use milena_storage::{StorageError, Store};

use super::payload::Kind;
use crate::log::event::message;

/// Somebody whom a message calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// By what.
    pub(crate) kind: Kind,
    /// Whether their devices may be told words and names at all.
    pub(crate) words: bool,
}

/// Those of `users` whom a message calls now, as their settings are; `answers`: whether it answers a message
/// of theirs, or, as long as that is not known, whether it might.
pub(crate) async fn wanted(
    store: &Store,
    event: &Event,
    answers: bool,
    users: &[UserId],
) -> Result<HashMap<UserId, Wanted>, StorageError> {
    let Some(said) = message(event) else { return Ok(HashMap::new()) };
    let settings = store.tell_settings(event.conversation, users).await?;
    let (body, now) = (Folded::new(said.body.as_str()), Timestamp::now());
    let called = users.iter().filter_map(|user| {
        let (general, own) = settings.get(user).cloned().unwrap_or_default();
        let occasion = Occasion {
            kind: match event.to {
                Some(_) => tell::Kind::Direct,
                None => tell::Kind::Room,
            },
            is_mine: event.actor == *user,
            is_named: said.mentions.contains(user),
            is_everyone: event.to.is_none() && said.everyone,
            answers_me: answers,
            has_keyword: general.has_keyword(&body),
        };
        // Whether they sit before a client is asked apart: that is cheap, and changes from moment to moment.
        let told = verdict(occasion, &general, &own, now, false) == Verdict::Tell;
        told.then_some((*user, Wanted { kind: kind_of(occasion), words: general.push_words }))
    });
    Ok(called.collect())
}

/// What a message is to somebody.
const fn kind_of(occasion: Occasion) -> Kind {
    match occasion {
        Occasion { kind: tell::Kind::Direct | tell::Kind::Notes, .. } => Kind::Direct,
        Occasion { is_named: true, .. } | Occasion { is_everyone: true, .. } => Kind::Mention,
        Occasion { answers_me: true, .. } => Kind::Reply,
        Occasion { has_keyword: true, .. } => Kind::Keyword,
        _ => Kind::Room,
    }
}
