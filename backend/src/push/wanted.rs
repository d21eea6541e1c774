//! Whom a message calls, and whether they are told its words: the one place that is asked, before anybody is
//! looked for and again just before a device is told.

use std::collections::HashMap;

use milena_domain::UserId;
use milena_domain::record::{Event, Message};
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

/// Those of `users` whom a message calls now; `answers`: whether it answers a message of theirs, or, as long as
/// that is not known, whether it might.
pub(crate) async fn wanted(
    _store: &Store,
    event: &Event,
    answers: bool,
    users: &[UserId],
) -> Result<HashMap<UserId, Wanted>, StorageError> {
    let Some(said) = message(event) else { return Ok(HashMap::new()) };
    let called = users.iter().filter_map(|user| {
        let kind = kind_for(event, said, answers, *user).filter(|kind| *kind != Kind::Room)?;
        Some((*user, Wanted { kind, words: true }))
    });
    Ok(called.collect())
}

/// What a message is to somebody.
fn kind_for(event: &Event, said: &Message, answers: bool, user: UserId) -> Option<Kind> {
    if event.actor == user {
        return None;
    }
    Some(match event.to {
        Some(_) => Kind::Direct,
        None if said.everyone || said.mentions.contains(&user) => Kind::Mention,
        None if answers => Kind::Reply,
        None => Kind::Room,
    })
}
