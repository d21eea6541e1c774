//! What sending, reading and resuming need of the log and of the store: the seams at which tests put their
//! own.

use std::collections::HashMap;
use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use milena_domain::record::Event;
use milena_domain::{ConversationId, MessageId, Position, UserId};
use milena_storage::{
    LogPosition, MessageNow, Page, Person, PositionRange, StorageError, Store, StoredFacts, StoredMessage,
    StoredPlace, StoredRoom, TimelinePage, Touched,
};
use milena_timeline::Interval;

use crate::batched::Batched;
use crate::log::producer::Producer;
use crate::refusal::Refusal;

/// The way into the log.
pub(super) trait LogEntry: Send + Sync {
    /// See [`Producer::send`].
    fn send(&self, event: Arc<Event>) -> Result<(), Refusal>;
}

impl LogEntry for Producer {
    fn send(&self, event: Arc<Event>) -> Result<(), Refusal> {
        Producer::send(self, event)
    }
}

/// An answer of the store.
pub(super) type Answer<'a, T> = BoxFuture<'a, Result<T, StorageError>>;

/// What is looked up in the store; each as the method of [`Store`] with its name.
pub(super) trait Lookups: Send + Sync {
    fn person(&self, user: UserId) -> Answer<'_, Option<Person>>;
    fn persons<'a>(&'a self, users: &'a [UserId]) -> Answer<'a, HashMap<UserId, Person>>;
    fn members(&self, conversation: ConversationId) -> Answer<'_, Vec<UserId>>;
    fn messages_by_id<'a>(&'a self, ids: &'a [MessageId]) -> Answer<'a, Vec<StoredMessage>>;
    fn conversations_since(&self, user: UserId, first: Position, limit: usize) -> Answer<'_, Vec<Touched>>;
    fn room_at<'a>(
        &'a self,
        topic: &'a str,
        room: ConversationId,
    ) -> Answer<'a, (Option<StoredRoom>, LogPosition)>;
    fn rooms_of<'a>(
        &'a self,
        topic: &'a str,
        user: UserId,
        limit: usize,
    ) -> Answer<'a, (Vec<ConversationId>, LogPosition)>;
    fn room_counts<'a>(&'a self, users: &'a [UserId]) -> Answer<'a, HashMap<UserId, usize>>;
    fn ids_since(&self, room: ConversationId, first: Position) -> Answer<'_, Vec<(MessageId, Position)>>;
    fn events_by_id<'a>(&'a self, ids: &'a [MessageId]) -> Answer<'a, Vec<StoredPlace>>;
    fn intervals_of(&self, room: ConversationId, user: UserId) -> Answer<'_, Vec<Interval>>;
    fn room_by_handle<'a>(&'a self, handle: &'a str) -> Answer<'a, Option<ConversationId>>;
    fn timeline<'a>(
        &'a self,
        room: ConversationId,
        page: Page,
        limit: usize,
        visible: &'a [PositionRange],
    ) -> Answer<'a, TimelinePage>;
    fn messages_within<'a>(
        &'a self,
        room: ConversationId,
        page: Page,
        limit: usize,
        visible: &'a [PositionRange],
    ) -> Answer<'a, TimelinePage>;
    fn messages_now<'a>(
        &'a self,
        conversation: ConversationId,
        places: &'a [Position],
        asked: &'a [UserId],
    ) -> Answer<'a, Vec<MessageNow>>;
    fn message_facts<'a>(
        &'a self,
        topic: &'a str,
        conversation: ConversationId,
        place: Position,
        people: &'a [UserId],
    ) -> Answer<'a, (StoredFacts, LogPosition)>;
    fn changed_after<'a>(
        &'a self,
        conversation: ConversationId,
        after: Position,
        limit: usize,
        asked: &'a [UserId],
    ) -> Answer<'a, (Vec<MessageNow>, bool)>;
}

impl Lookups for Store {
    fn person(&self, user: UserId) -> Answer<'_, Option<Person>> {
        self.person(user).boxed()
    }

    fn persons<'a>(&'a self, users: &'a [UserId]) -> Answer<'a, HashMap<UserId, Person>> {
        self.persons(users).boxed()
    }

    fn members(&self, conversation: ConversationId) -> Answer<'_, Vec<UserId>> {
        self.members(conversation).boxed()
    }

    fn messages_by_id<'a>(&'a self, ids: &'a [MessageId]) -> Answer<'a, Vec<StoredMessage>> {
        self.messages_by_id(ids).boxed()
    }

    fn conversations_since(&self, user: UserId, first: Position, limit: usize) -> Answer<'_, Vec<Touched>> {
        self.conversations_since(user, first, limit).boxed()
    }

    fn room_at<'a>(
        &'a self,
        topic: &'a str,
        room: ConversationId,
    ) -> Answer<'a, (Option<StoredRoom>, LogPosition)> {
        self.room_at(topic, room).boxed()
    }

    fn rooms_of<'a>(
        &'a self,
        topic: &'a str,
        user: UserId,
        limit: usize,
    ) -> Answer<'a, (Vec<ConversationId>, LogPosition)> {
        self.rooms_of(topic, user, limit).boxed()
    }

    fn room_counts<'a>(&'a self, users: &'a [UserId]) -> Answer<'a, HashMap<UserId, usize>> {
        self.room_counts(users).boxed()
    }

    fn ids_since(&self, room: ConversationId, first: Position) -> Answer<'_, Vec<(MessageId, Position)>> {
        self.ids_since(room, first).boxed()
    }

    fn events_by_id<'a>(&'a self, ids: &'a [MessageId]) -> Answer<'a, Vec<StoredPlace>> {
        self.events_by_id(ids).boxed()
    }

    fn intervals_of(&self, room: ConversationId, user: UserId) -> Answer<'_, Vec<Interval>> {
        self.intervals_of(room, user).boxed()
    }

    fn room_by_handle<'a>(&'a self, handle: &'a str) -> Answer<'a, Option<ConversationId>> {
        self.room_by_handle(handle).boxed()
    }

    fn timeline<'a>(
        &'a self,
        room: ConversationId,
        page: Page,
        limit: usize,
        visible: &'a [PositionRange],
    ) -> Answer<'a, TimelinePage> {
        self.timeline(room, page, limit, visible).boxed()
    }

    fn messages_within<'a>(
        &'a self,
        room: ConversationId,
        page: Page,
        limit: usize,
        visible: &'a [PositionRange],
    ) -> Answer<'a, TimelinePage> {
        self.messages_within(room, page, limit, visible).boxed()
    }

    fn messages_now<'a>(
        &'a self,
        conversation: ConversationId,
        places: &'a [Position],
        asked: &'a [UserId],
    ) -> Answer<'a, Vec<MessageNow>> {
        self.messages_now(conversation, places, asked).boxed()
    }

    fn message_facts<'a>(
        &'a self,
        topic: &'a str,
        conversation: ConversationId,
        place: Position,
        people: &'a [UserId],
    ) -> Answer<'a, (StoredFacts, LogPosition)> {
        self.message_facts(topic, conversation, place, people).boxed()
    }

    fn changed_after<'a>(
        &'a self,
        conversation: ConversationId,
        after: Position,
        limit: usize,
        asked: &'a [UserId],
    ) -> Answer<'a, (Vec<MessageNow>, bool)> {
        self.changed_after(conversation, after, limit, asked).boxed()
    }
}

/// Ids of one query, at most.
const MOST: usize = 256;

/// Messages by id, many in one query.
pub(super) fn repeats(lookups: Arc<dyn Lookups>) -> Arc<Batched<MessageId, StoredMessage>> {
    Arc::new(Batched::new(MOST, move |ids: Vec<MessageId>| {
        let lookups = Arc::clone(&lookups);
        async move {
            let found = lookups.messages_by_id(&ids).await?;
            Ok(found.into_iter().map(|message| (message.id, message)).collect())
        }
        .boxed()
    }))
}

/// Where events of version 2 stand, by id, many in one query.
pub(super) fn places(lookups: Arc<dyn Lookups>) -> Arc<Batched<MessageId, StoredPlace>> {
    Arc::new(Batched::new(MOST, move |ids: Vec<MessageId>| {
        let lookups = Arc::clone(&lookups);
        async move {
            let found = lookups.events_by_id(&ids).await?;
            Ok(found.into_iter().map(|place| (place.id, place)).collect())
        }
        .boxed()
    }))
}
