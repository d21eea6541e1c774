//! The written form of events: one flat JSON object, read in one pass whatever its type and version.
//!
//! [`Fields`] is the one list of names, for reading and for writing. Unknown fields are ignored, since a
//! later addition must not make a good record bad; unknown *types* and *versions* are told apart from bad
//! ones, because whoever meets them must stop and not pass them over.
//!
//! The fields `files` and `enc` are reserved: no version gives them another meaning than files that belong to
//! the event, and words that only some can read. A reader that does not know them (this one) takes the record
//! for what it is without them, whatever form they have: it counts, and its `body` is what people see. So
//! whoever writes them must write a `body` that stands for them. They stay in the log, and whoever knows them
//! finds them there by a replay.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{
    Action, Created, Emoji, Event, Handle, History, Message, Posting, Reason, Role, RoomPatch, Seat,
    Snapshot, Target, Title, Topic, VERSION, Visibility,
};
use crate::limits::{MEMBERS_ADDED_MAX, MENTIONS_MAX, SNAPSHOT_MEMBERS_MAX};
use crate::{
    Body, ClientId, ConversationId, DecodeError, MessageId, Partitioning, Position, Timestamp, UserId,
    partition_of,
};

/// Every field of every type, in the order in which a person reads them.
#[derive(Serialize, Deserialize)]
struct Fields<'a> {
    v: u32,
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<MessageId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    conversation: Option<ConversationId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    actor: Option<UserId>,
    /// Version 1 calls the actor so.
    #[serde(skip_serializing_if = "Option::is_none")]
    sender: Option<UserId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<UserId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<ClientId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<Timestamp>,
    /// Version 1 calls the time so.
    #[serde(skip_serializing_if = "Option::is_none")]
    sent_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seen: Option<Position>,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<Target>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<Body>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reply_to: Option<Target>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mentions: Option<Vec<UserId>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    everyone: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Reason>,
    #[serde(skip_serializing_if = "Option::is_none")]
    emoji: Option<Emoji>,
    #[serde(skip_serializing_if = "Option::is_none")]
    on: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<UserId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    users: Option<Vec<UserId>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<Role>,
    #[serde(skip_serializing_if = "Option::is_none")]
    handle: Option<Handle>,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<Title>,
    #[serde(skip_serializing_if = "Option::is_none")]
    topic: Option<Topic>,
    #[serde(skip_serializing_if = "Option::is_none")]
    visibility: Option<Visibility>,
    #[serde(skip_serializing_if = "Option::is_none")]
    history: Option<History>,
    #[serde(skip_serializing_if = "Option::is_none")]
    posting: Option<Posting>,
    #[serde(skip_serializing_if = "Option::is_none")]
    archived: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    created: Option<Position>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_seq: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    members: Option<Vec<Seat>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    banned: Option<Vec<UserId>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    more: Option<bool>,
}

/// What a type needs and does not find, or finds in excess.
fn missing(field: &str) -> DecodeError {
    DecodeError::Malformed(format!("missing field `{field}`"))
}

fn at_most<T>(field: &str, list: Vec<T>, max: usize) -> Result<Vec<T>, DecodeError> {
    if list.len() > max {
        return Err(DecodeError::Malformed(format!("{field} must be at most {max} (got {})", list.len())));
    }
    Ok(list)
}

/// Takes a field that the type needs.
macro_rules! need {
    ($fields:ident . $name:ident) => {
        $fields.$name.take().ok_or_else(|| missing(stringify!($name)))?
    };
}

impl Event {
    /// Reads a record of `partition`, in a topic of so many `partitions`.
    ///
    /// # Errors
    /// [`DecodeError`] says why the record can be neither shown nor stored, or that a newer program wrote it.
    pub fn read(
        partition: i32,
        partitions: usize,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
    ) -> Result<Self, DecodeError> {
        let event = Self::decode(key, value)?;
        let expected = partition_of(event.conversation, partitions);
        if expected != partition {
            return Err(DecodeError::WrongPartition { found: partition, expected });
        }
        Ok(event)
    }

    /// [`Event::read`] for whoever reads the log again from its beginning: a record that stands where its
    /// conversation lived before partitions were added is a good one too.
    ///
    /// # Errors
    /// As [`Event::read`].
    pub fn read_again(
        partition: i32,
        partitioning: &Partitioning,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
    ) -> Result<Self, DecodeError> {
        let event = Self::decode(key, value)?;
        if partitioning.admits(event.conversation, partition) {
            return Ok(event);
        }
        let expected = partition_of(event.conversation, partitioning.now());
        Err(DecodeError::WrongPartition { found: partition, expected })
    }

    /// What it says, in short: the same for the same done to the same, whoever did it, when, and under
    /// whatever name. It is stored: what it is made of never changes.
    #[must_use]
    pub fn digest(&self) -> i64 {
        let mut said = Fields { v: 0, id: None, conversation: None, actor: None, ..Fields::of(self) };
        (said.to, said.client_id, said.at, said.seen) = (None, None, None, None);
        said.put(&self.action);
        let said = serde_json::to_vec(&said).expect("strings, ids and numbers always serialise");
        i64::from_be_bytes(Sha256::digest(said).first_chunk().copied().unwrap_or_default())
    }

    /// Reads a record's key and value, wherever it stands: for a dead letter, which stands in another topic.
    ///
    /// # Errors
    /// [`DecodeError`]; never that of the partition.
    pub fn decode(key: Option<&[u8]>, value: Option<&[u8]>) -> Result<Self, DecodeError> {
        let value = value.ok_or(DecodeError::NoValue)?;
        let event = match serde_json::from_slice::<Fields<'_>>(value) {
            Ok(fields) => {
                known(fields.v, &fields.kind)?;
                if fields.v < 2 { version_1(Fields1::from(fields))? } else { version_2(fields)? }
            }
            Err(error) => version_1(among_strangers(value, &error)?)?,
        };
        let mut buffer = uuid::Uuid::encode_buffer();
        let expected_key = event.conversation.as_uuid().hyphenated().encode_lower(&mut buffer).as_bytes();
        if key.is_none_or(|key| key != expected_key) {
            return Err(DecodeError::WrongKey);
        }
        Ok(event)
    }

    /// The record's value, in version 2.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut fields = Fields::of(self);
        fields.put(&self.action);
        serde_json::to_vec(&fields).expect("strings, ids and numbers always serialise")
    }
}

/// The fields of version 1 alone.
#[derive(Deserialize)]
struct Fields1 {
    id: Option<MessageId>,
    conversation: Option<ConversationId>,
    sender: Option<UserId>,
    to: Option<UserId>,
    client_id: Option<ClientId>,
    sent_at: Option<Timestamp>,
    body: Option<Body>,
}

impl From<Fields<'_>> for Fields1 {
    fn from(fields: Fields<'_>) -> Self {
        let Fields { id, conversation, sender, to, client_id, sent_at, body, .. } = fields;
        Self { id, conversation, sender, to, client_id, sent_at, body }
    }
}

/// A field may have another form in a newer version or an unknown type, and must not make that record
/// "malformed"; nor may what version 1 never heard of make one of its records bad.
fn among_strangers(value: &[u8], error: &serde_json::Error) -> Result<Fields1, DecodeError> {
    #[derive(Deserialize)]
    struct Envelope<'a> {
        v: u32,
        #[serde(rename = "type", borrow)]
        kind: Cow<'a, str>,
    }
    let malformed = || DecodeError::Malformed(error.to_string());
    let envelope: Envelope<'_> = serde_json::from_slice(value).map_err(|_| malformed())?;
    known(envelope.v, &envelope.kind)?;
    if envelope.v < 2 {
        return serde_json::from_slice(value).map_err(|error| DecodeError::Malformed(error.to_string()));
    }
    Err(malformed())
}

fn known(version: u32, kind: &str) -> Result<(), DecodeError> {
    const TYPES: [&str; 16] = [
        "message",
        "edited",
        "deleted",
        "reacted",
        "pinned",
        "room_created",
        "room_changed",
        "joined",
        "left",
        "members_added",
        "removed",
        "banned",
        "unbanned",
        "role_changed",
        "blocked",
        "room_state",
    ];
    if version > VERSION {
        return Err(DecodeError::UnknownVersion(version));
    }
    let types = if version < 2 { &TYPES[..1] } else { &TYPES[..] };
    if !types.contains(&kind) {
        return Err(DecodeError::UnknownType(kind.chars().take(64).collect()));
    }
    Ok(())
}

/// A message between two people, as the first version wrote it.
fn version_1(mut fields: Fields1) -> Result<Event, DecodeError> {
    let (actor, to) = (need!(fields.sender), need!(fields.to));
    let client_id = need!(fields.client_id);
    let conversation = ConversationId::direct(actor, to);
    let id = MessageId::derive(actor, &client_id);
    if need!(fields.conversation) != conversation {
        return Err(DecodeError::ForeignId("conversation"));
    }
    if need!(fields.id) != id {
        return Err(DecodeError::ForeignId("id"));
    }
    let at = need!(fields.sent_at);
    let action = Action::Message(Message::plain(need!(fields.body)));
    Ok(Event { id, conversation, actor, to: Some(to), client_id, at, seen: None, action })
}

fn version_2(mut fields: Fields<'_>) -> Result<Event, DecodeError> {
    let (conversation, actor, to) = (need!(fields.conversation), need!(fields.actor), fields.to);
    let (client_id, at, seen) = (need!(fields.client_id), need!(fields.at), need!(fields.seen));
    let id = MessageId::of_event(conversation, actor, &client_id);
    if need!(fields.id) != id {
        return Err(DecodeError::ForeignId("id"));
    }
    if to.is_some_and(|to| ConversationId::direct(actor, to) != conversation) {
        return Err(DecodeError::ForeignId("conversation"));
    }
    let action = action(&mut fields)?;
    let room_only = !matches!(
        action,
        Action::Message(_)
            | Action::Edited { .. }
            | Action::Deleted { .. }
            | Action::Reacted { .. }
            | Action::Pinned { .. }
            | Action::Blocked { .. }
    );
    if to.is_some() && room_only {
        return Err(DecodeError::Malformed(format!("{} is an event of rooms", action.name())));
    }
    if to.is_none() && matches!(action, Action::Blocked { .. }) {
        return Err(missing("to"));
    }
    if matches!(action, Action::RoomCreated(_)) && ConversationId::room(actor, &client_id) != conversation {
        return Err(DecodeError::ForeignId("conversation"));
    }
    Ok(Event { id, conversation, actor, to, client_id, at, seen: Some(seen), action })
}

fn action(fields: &mut Fields<'_>) -> Result<Action, DecodeError> {
    Ok(match &*fields.kind {
        "message" => Action::Message(Message {
            body: need!(fields.body),
            reply_to: fields.reply_to,
            mentions: at_most("mentions", fields.mentions.take().unwrap_or_default(), MENTIONS_MAX)?,
            everyone: fields.everyone.unwrap_or_default(),
        }),
        "edited" => Action::Edited {
            target: need!(fields.target),
            body: need!(fields.body),
            mentions: at_most("mentions", fields.mentions.take().unwrap_or_default(), MENTIONS_MAX)?,
        },
        "deleted" => Action::Deleted { target: need!(fields.target), reason: fields.reason.take() },
        "reacted" => {
            Action::Reacted { target: need!(fields.target), emoji: need!(fields.emoji), on: need!(fields.on) }
        }
        "pinned" => Action::Pinned { target: need!(fields.target), on: need!(fields.on) },
        "room_created" => Action::RoomCreated(created(fields, MEMBERS_ADDED_MAX)?),
        "room_changed" => Action::RoomChanged(patch(fields)?),
        "joined" => Action::Joined,
        "left" => Action::Left,
        "members_added" => {
            let users = at_most("users", need!(fields.users), MEMBERS_ADDED_MAX)?;
            if users.is_empty() {
                return Err(missing("users"));
            }
            Action::MembersAdded { users }
        }
        "removed" => Action::Removed { user: need!(fields.user) },
        "banned" => Action::Banned { user: need!(fields.user) },
        "unbanned" => Action::Unbanned { user: need!(fields.user) },
        "role_changed" => Action::RoleChanged { user: need!(fields.user), role: need!(fields.role) },
        "blocked" => Action::Blocked { on: need!(fields.on) },
        "room_state" => Action::RoomState(Box::new(Snapshot {
            room: created(fields, SNAPSHOT_MEMBERS_MAX)?,
            archived: need!(fields.archived),
            created: need!(fields.created),
            last_seq: need!(fields.last_seq),
            banned: at_most("banned", fields.banned.take().unwrap_or_default(), SNAPSHOT_MEMBERS_MAX)?,
            more: fields.more.unwrap_or_default(),
        })),
        other => return Err(DecodeError::UnknownType(other.to_owned())),
    })
}

fn created(fields: &mut Fields<'_>, members_max: usize) -> Result<Created, DecodeError> {
    Ok(Created {
        handle: need!(fields.handle),
        title: need!(fields.title),
        topic: fields.topic.take(),
        visibility: need!(fields.visibility),
        history: need!(fields.history),
        posting: need!(fields.posting),
        members: at_most("members", fields.members.take().unwrap_or_default(), members_max)?,
    })
}

fn patch(fields: &mut Fields<'_>) -> Result<RoomPatch, DecodeError> {
    let patch = RoomPatch {
        handle: fields.handle.take(),
        title: fields.title.take(),
        topic: fields.topic.take(),
        visibility: fields.visibility,
        posting: fields.posting,
        archived: fields.archived,
    };
    if patch.is_empty() {
        return Err(DecodeError::Malformed("room_changed changes nothing".to_owned()));
    }
    Ok(patch)
}

impl Fields<'static> {
    /// What every type has.
    fn of(event: &Event) -> Self {
        Self {
            v: VERSION,
            kind: Cow::Borrowed(event.action.name()),
            id: Some(event.id),
            conversation: Some(event.conversation),
            actor: Some(event.actor),
            sender: None,
            to: event.to,
            client_id: Some(event.client_id.clone()),
            at: Some(event.at),
            sent_at: None,
            seen: event.seen,
            target: event.action.target(),
            body: None,
            reply_to: None,
            mentions: None,
            everyone: None,
            reason: None,
            emoji: None,
            on: None,
            user: None,
            users: None,
            role: None,
            handle: None,
            title: None,
            topic: None,
            visibility: None,
            history: None,
            posting: None,
            archived: None,
            created: None,
            last_seq: None,
            members: None,
            banned: None,
            more: None,
        }
    }

    /// What this type has besides.
    fn put(&mut self, action: &Action) {
        let some = |list: &Vec<UserId>| (!list.is_empty()).then(|| list.clone());
        match action {
            Action::Message(message) => {
                self.body = Some(message.body.clone());
                self.reply_to = message.reply_to;
                self.mentions = some(&message.mentions);
                self.everyone = message.everyone.then_some(true);
            }
            Action::Edited { body, mentions, .. } => {
                self.body = Some(body.clone());
                self.mentions = some(mentions);
            }
            Action::Deleted { reason, .. } => self.reason.clone_from(reason),
            Action::Reacted { emoji, on, .. } => {
                self.emoji = Some(emoji.clone());
                self.on = Some(*on);
            }
            Action::Pinned { on, .. } | Action::Blocked { on } => self.on = Some(*on),
            Action::RoomCreated(created) => self.put_room(created),
            Action::RoomChanged(patch) => {
                self.handle.clone_from(&patch.handle);
                self.title.clone_from(&patch.title);
                self.topic.clone_from(&patch.topic);
                self.visibility = patch.visibility;
                self.posting = patch.posting;
                self.archived = patch.archived;
            }
            Action::Joined | Action::Left => {}
            Action::MembersAdded { users } => self.users = Some(users.clone()),
            Action::Removed { user } | Action::Banned { user } | Action::Unbanned { user } => {
                self.user = Some(*user);
            }
            Action::RoleChanged { user, role } => {
                self.user = Some(*user);
                self.role = Some(*role);
            }
            Action::RoomState(snapshot) => {
                self.put_room(&snapshot.room);
                self.archived = Some(snapshot.archived);
                self.created = Some(snapshot.created);
                self.last_seq = Some(snapshot.last_seq);
                self.banned = some(&snapshot.banned);
                self.more = snapshot.more.then_some(true);
            }
        }
    }

    fn put_room(&mut self, room: &Created) {
        self.handle = Some(room.handle.clone());
        self.title = Some(room.title.clone());
        self.topic.clone_from(&room.topic);
        self.visibility = Some(room.visibility);
        self.history = Some(room.history);
        self.posting = Some(room.posting);
        self.members = (!room.members.is_empty()).then(|| room.members.clone());
    }
}

#[cfg(test)]
mod tests;
