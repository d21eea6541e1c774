//! Look-ups that are asked of the store, or of the log, for many at once.
//!
//! When a node or a network comes back, thousands of clients sign in or send again within a second, each with
//! a token or an id of its own. Those who come while a query is under way wait for the next one together: a
//! single look-up is as quick as before, and a storm costs a query for some hundreds of them. Nothing is
//! remembered.
//!
//! No task of its own: whoever gets a turn asks for all who wait. If it is dropped meanwhile (its client went
//! away), the others notice and ask again.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::future::BoxFuture;
use milena_storage::StorageError;
use tokio::sync::oneshot::{self, error::TryRecvError};
use tokio::sync::{Semaphore, SemaphorePermit};

/// Queries under way at the same time: a slow one holds up half of the others, not all.
const TURNS: usize = 2;

type Answer<V, E> = Result<Option<V>, Arc<E>>;
type Query<K, V, E> = dyn Fn(Vec<K>) -> BoxFuture<'static, Result<HashMap<K, V>, E>> + Send + Sync;

/// The look-up of all who share it. A query begins after each who gets its answer has asked.
pub struct Batched<K, V, E = StorageError> {
    query: Box<Query<K, V, E>>,
    /// Keys of one query.
    most: usize,
    /// Pushed by whoever asks, taken by whoever has a turn. Bounded by those who ask: each waits for one
    /// answer.
    waiting: Mutex<Vec<Ask<K, V, E>>>,
    turns: Semaphore,
}

struct Ask<K, V, E> {
    key: K,
    reply: oneshot::Sender<Answer<V, E>>,
}

impl<K: Eq + Hash + Clone, V: Clone, E> Batched<K, V, E> {
    /// Nobody asks yet. `query` finds what there is of at most `most` keys.
    pub fn new<Q>(most: usize, query: Q) -> Self
    where
        Q: Fn(Vec<K>) -> BoxFuture<'static, Result<HashMap<K, V>, E>> + Send + Sync + 'static,
    {
        Self { query: Box::new(query), most, waiting: Mutex::default(), turns: Semaphore::new(TURNS) }
    }

    /// What the store has under this key.
    ///
    /// # Errors
    /// The database's, shared with those who asked in the same query.
    pub async fn get(&self, key: K) -> Answer<V, E> {
        let mut answer = self.ask(key.clone());
        loop {
            let received = tokio::select! {
                biased;
                received = &mut answer => received.map_err(|_| TryRecvError::Closed),
                Ok(turn) = self.turns.acquire() => match self.take_turn(turn).await {
                    // Another turn has it.
                    0 => (&mut answer).await.map_err(|_| TryRecvError::Closed),
                    _ => answer.try_recv(),
                },
            };
            match received {
                Ok(answer) => return answer,
                // More were waiting than one query takes.
                Err(TryRecvError::Empty) => {}
                Err(TryRecvError::Closed) => answer = self.ask(key.clone()),
            }
        }
    }

    /// How many wait for a turn.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.lock().len()
    }

    fn ask(&self, key: K) -> oneshot::Receiver<Answer<V, E>> {
        let (reply, answer) = oneshot::channel();
        self.lock().push(Ask { key, reply });
        answer
    }

    /// Asks the store for those who have waited longest; says for how many.
    async fn take_turn(&self, _turn: SemaphorePermit<'_>) -> usize {
        let asks: Vec<Ask<K, V, E>> = {
            let mut waiting = self.lock();
            // Who went away needs no answer.
            waiting.retain(|ask| !ask.reply.is_closed());
            let count = waiting.len().min(self.most);
            waiting.drain(..count).collect()
        };
        if asks.is_empty() {
            return 0;
        }
        let count = asks.len();
        let found = (self.query)(asks.iter().map(|ask| ask.key.clone()).collect()).await.map_err(Arc::new);
        for Ask { key, reply } in asks {
            let answer = match &found {
                Ok(found) => Ok(found.get(&key).cloned()),
                Err(error) => Err(Arc::clone(error)),
            };
            // Gone meanwhile.
            let _ = reply.send(answer);
        }
        count
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Ask<K, V, E>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Holds up everybody until what it gives is dropped.
    #[cfg(test)]
    pub(crate) async fn all_turns(&self) -> SemaphorePermit<'_> {
        self.turns.acquire_many(TURNS as u32).await.unwrap()
    }
}
