//! Who exists, and who is in which conversation: asked of the store once and remembered.
//!
//! With this a busy chat goes on while the database is away. Both caches are bounded; people are forgotten after a
//! minute, so that a changed display name shows, conversations never change their people.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use milena_domain::{ConversationId, UserId};
use milena_storage::Person;
use moka::sync::Cache;

use super::ports::Lookups;
use crate::refusal::Refusal;

const PEOPLE: u64 = 50_000;
const CONVERSATIONS: u64 = 100_000;
const PERSON_TTL: Duration = Duration::from_secs(60);

/// The two people of a direct conversation, the same twice for notes to self.
pub(super) type Pair = (UserId, UserId);

/// Remembered look-ups; clones share them.
#[derive(Clone)]
pub struct Directory {
    store: Arc<dyn Lookups>,
    people: Cache<UserId, Arc<Person>>,
    /// Ids of people who were found once. They are never deleted, so this needs no expiry: a send to somebody known
    /// does not depend on the database.
    known: Cache<UserId, ()>,
    pairs: Cache<ConversationId, Pair>,
}

impl Directory {
    /// Nothing remembered yet.
    #[must_use]
    pub(super) fn new(store: Arc<dyn Lookups>) -> Self {
        Self {
            store,
            people: Cache::builder().max_capacity(PEOPLE).time_to_live(PERSON_TTL).build(),
            known: Cache::new(PEOPLE),
            pairs: Cache::new(CONVERSATIONS),
        }
    }

    /// Remembers that these two talk, for example because the log says so.
    pub fn remember_pair(&self, conversation: ConversationId, pair: Pair) {
        self.pairs.insert(conversation, pair);
    }

    /// Whether there is such a person.
    ///
    /// # Errors
    /// `store_unavailable` when the database is needed and away.
    pub async fn exists(&self, user: UserId) -> Result<bool, Refusal> {
        if self.known.contains_key(&user) {
            return Ok(true);
        }
        Ok(self.person(user).await?.is_some())
    }

    /// One person.
    ///
    /// # Errors
    /// `store_unavailable` when the database is needed and away.
    pub async fn person(&self, user: UserId) -> Result<Option<Arc<Person>>, Refusal> {
        if let Some(person) = self.people.get(&user) {
            return Ok(Some(person));
        }
        let person = self.store.person(user).await?.map(Arc::new);
        if let Some(person) = &person {
            self.remember(person);
        }
        Ok(person)
    }

    /// Many people, those that exist.
    ///
    /// # Errors
    /// `store_unavailable` when the database is needed and away.
    pub async fn persons(
        &self,
        users: impl IntoIterator<Item = UserId>,
    ) -> Result<HashMap<UserId, Arc<Person>>, Refusal> {
        let mut found = HashMap::new();
        let mut missing = Vec::new();
        for user in users {
            match self.people.get(&user) {
                Some(person) => drop(found.insert(user, person)),
                None => missing.push(user),
            }
        }
        missing.sort_unstable();
        missing.dedup();
        if !missing.is_empty() {
            for (user, person) in self.store.persons(&missing).await? {
                let person = Arc::new(person);
                self.remember(&person);
                found.insert(user, person);
            }
        }
        Ok(found)
    }

    /// The people of a conversation, if the store or somebody before has heard of it.
    ///
    /// # Errors
    /// `store_unavailable` when the database is needed and away.
    pub async fn pair(&self, conversation: ConversationId) -> Result<Option<Pair>, Refusal> {
        if let Some(pair) = self.pairs.get(&conversation) {
            return Ok(Some(pair));
        }
        let members = self.store.members(conversation).await?;
        let pair = match members.as_slice() {
            [only] => (*only, *only),
            [one, other] => (*one, *other),
            _ => return Ok(None),
        };
        self.remember_pair(conversation, pair);
        Ok(Some(pair))
    }

    /// Somebody has changed: they are looked up again. Other nodes notice within a minute.
    pub fn forget(&self, user: UserId) {
        self.people.invalidate(&user);
    }

    fn remember(&self, person: &Arc<Person>) {
        self.known.insert(person.id, ());
        self.people.insert(person.id, Arc::clone(person));
    }
}

/// The other person of a pair, seen from `user`; `None` when `user` is not in it.
#[must_use]
pub(super) fn other_of((one, two): Pair, user: UserId) -> Option<UserId> {
    match (one == user, two == user) {
        (true, _) => Some(two),
        (false, true) => Some(one),
        (false, false) => None,
    }
}
