//! Who exists, and who is in which conversation: asked of the store once and remembered.
//!
//! With this a busy chat goes on while the database is away. The caches are bounded; people are forgotten
//! after a minute, so that a changed display name shows, conversations never change their people. Who asks
//! for what somebody else is asking for already shares that answer: a thousand sends to one person are one
//! query.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use milena_domain::{ConversationId, UserId};
use milena_storage::Person;
use moka::future::Cache;

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
    /// Ids of people who were found once. They are never deleted, so this needs no expiry: a send to somebody
    /// known does not depend on the database.
    known: moka::sync::Cache<UserId, ()>,
    pairs: Cache<ConversationId, Pair>,
}

impl Directory {
    /// Nothing remembered yet.
    #[must_use]
    pub(super) fn new(store: Arc<dyn Lookups>) -> Self {
        Self {
            store,
            people: Cache::builder().max_capacity(PEOPLE).time_to_live(PERSON_TTL).build(),
            known: moka::sync::Cache::new(PEOPLE),
            pairs: Cache::new(CONVERSATIONS),
        }
    }

    /// Remembers that these two talk, for example because the log says so.
    pub async fn remember_pair(&self, conversation: ConversationId, pair: Pair) {
        // Asked for with every message: looking costs a fraction of writing the same again.
        if !self.pairs.contains_key(&conversation) {
            self.pairs.insert(conversation, pair).await;
        }
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
        once(&self.people, user, async {
            let person = self.store.person(user).await?.map(Arc::new);
            if person.is_some() {
                self.known.insert(user, ());
            }
            Ok(person)
        })
        .await
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
        let users: Vec<UserId> = users.into_iter().collect();
        for user in users {
            match self.people.get(&user).await {
                Some(person) => drop(found.insert(user, person)),
                None => missing.push(user),
            }
        }
        missing.sort_unstable();
        missing.dedup();
        if !missing.is_empty() {
            for (user, person) in self.store.persons(&missing).await? {
                let person = Arc::new(person);
                self.known.insert(user, ());
                self.people.insert(user, Arc::clone(&person)).await;
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
        once(&self.pairs, conversation, async {
            let members = self.store.members(conversation).await?;
            Ok(match members.as_slice() {
                [only] => Some((*only, *only)),
                [one, other] => Some((*one, *other)),
                _ => None,
            })
        })
        .await
    }

    /// Somebody has changed: they are looked up again. Other nodes notice within a minute.
    pub async fn forget(&self, user: UserId) {
        self.people.invalidate(&user).await;
    }
}

/// Why there is nothing to remember.
enum Nothing {
    /// There is no such thing now; there may be one later.
    Absent,
    Refused(Refusal),
}

/// What is remembered, else what `ask` finds: once for all who want the same meanwhile. If the one who asks
/// goes away, another goes on. What is absent is not remembered.
async fn once<K, V>(
    cache: &Cache<K, V>,
    key: K,
    ask: impl Future<Output = Result<Option<V>, Refusal>>,
) -> Result<Option<V>, Refusal>
where
    K: Hash + Eq + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    let found = cache.try_get_with(key, async {
        match ask.await {
            Ok(Some(value)) => Ok(value),
            Ok(None) => Err(Nothing::Absent),
            Err(refusal) => Err(Nothing::Refused(refusal)),
        }
    });
    match found.await {
        Ok(value) => Ok(Some(value)),
        Err(nothing) => match &*nothing {
            Nothing::Absent => Ok(None),
            Nothing::Refused(refusal) => Err(refusal.clone()),
        },
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

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures::future::join_all;

    use super::*;
    use crate::refusal::Code;

    #[tokio::test]
    async fn many_who_ask_for_the_same_ask_once() {
        let cache: Cache<u8, &str> = Cache::new(10);
        let asked = AtomicUsize::new(0);
        let ask = |answer: Result<Option<&'static str>, Refusal>| {
            let asked = &asked;
            async move {
                asked.fetch_add(1, Ordering::Relaxed);
                tokio::task::yield_now().await;
                answer
            }
        };
        let away = Refusal::later(Code::StoreUnavailable, "away", 1_000);
        for (answer, remembered) in [(Err(away), false), (Ok(None), false), (Ok(Some("anna")), true)] {
            asked.store(0, Ordering::Relaxed);
            let answers = join_all((0..100).map(|_| once(&cache, 1, ask(answer.clone())))).await;
            assert!(answers.iter().all(|found| *found == answer));
            assert_eq!(asked.load(Ordering::Relaxed), 1);
            once(&cache, 1, ask(answer)).await.ok();
            assert_eq!(asked.load(Ordering::Relaxed), if remembered { 1 } else { 2 });
        }
    }
}
