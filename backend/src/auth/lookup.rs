//! Whose token is this: asked of the store for many at once.
//!
//! When a node or a network comes back, thousands of clients sign in within a second, each with a token of its own. Those
//! who come while a query is under way wait for the next one together: a single look-up is as quick as before, and a storm
//! costs a query for some hundreds of them. Nothing is remembered, so an ended session is seen as soon as ever.
//!
//! No task of its own: whoever gets a turn asks for all who wait. If it is dropped meanwhile (its client went away), the
//! others notice and ask again.

use std::sync::{Arc, Mutex, PoisonError};

use milena_domain::Timestamp;
use milena_storage::{Session, StorageError, Store, TOKENS_MAX};
use tokio::sync::oneshot::{self, error::TryRecvError};
use tokio::sync::{Semaphore, SemaphorePermit};

/// Queries under way at the same time: a slow one holds up half of the others, not all.
const TURNS: usize = 2;

type Answer = Result<Option<Session>, Arc<StorageError>>;

/// The look-up of all who share it.
pub(super) struct Lookup {
    store: Store,
    /// Pushed by whoever asks, taken by whoever has a turn. Bounded by the connections: each waits for one answer.
    waiting: Mutex<Vec<Ask>>,
    turns: Semaphore,
}

struct Ask {
    token_hash: [u8; 32],
    reply: oneshot::Sender<Answer>,
}

impl Lookup {
    /// Nobody asks yet.
    pub(super) fn new(store: Store) -> Self {
        Self { store, waiting: Mutex::default(), turns: Semaphore::new(TURNS) }
    }

    /// The session with this token, unless it has ended.
    ///
    /// # Errors
    /// The database's, shared with those who asked in the same query.
    pub(super) async fn session(&self, token_hash: [u8; 32]) -> Answer {
        let mut answer = self.ask(token_hash);
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
                Err(TryRecvError::Closed) => answer = self.ask(token_hash),
            }
        }
    }

    fn ask(&self, token_hash: [u8; 32]) -> oneshot::Receiver<Answer> {
        let (reply, answer) = oneshot::channel();
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).push(Ask { token_hash, reply });
        answer
    }

    /// Asks the store for those who have waited longest; says for how many.
    async fn take_turn(&self, _turn: SemaphorePermit<'_>) -> usize {
        let asks: Vec<Ask> = {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            // Who went away needs no answer.
            waiting.retain(|ask| !ask.reply.is_closed());
            let count = waiting.len().min(TOKENS_MAX);
            waiting.drain(..count).collect()
        };
        if asks.is_empty() {
            return 0;
        }
        let hashes: Vec<[u8; 32]> = asks.iter().map(|ask| ask.token_hash).collect();
        let found = self.store.sessions_by_token(&hashes, Timestamp::now()).await.map_err(Arc::new);
        for Ask { token_hash, reply } in asks {
            let answer = match &found {
                Ok(sessions) => Ok(sessions.get(&token_hash).cloned()),
                Err(error) => Err(Arc::clone(error)),
            };
            // Gone meanwhile.
            let _ = reply.send(answer);
        }
        hashes.len()
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;
    use milena_domain::{DisplayName, UserId, Username};
    use milena_settings::{Secret, Settings};
    use milena_storage::{NewSession, NewUser};
    use uuid::Uuid;

    use super::*;

    async fn store(folder: &tempfile::TempDir, sessions: u8) -> Store {
        let mut settings = Settings::defaults().database;
        settings.url = Secret::new(format!("sqlite:{}?mode=rwc", folder.path().join("store.db").display()));
        let store = Store::connect(&settings).await.unwrap();
        store.migrate().await.unwrap();
        let (id, now) = (UserId::new(), Timestamp::now());
        let user = NewUser {
            id,
            username: Username::new("anna").unwrap(),
            display_name: DisplayName::new("Anna").unwrap(),
            password_hash: None,
            created_at: now,
        };
        store.create_user(user).await.unwrap();
        for number in 0..sessions {
            let session = NewSession {
                id: Uuid::from_u128(number.into()),
                token_hash: [number; 32],
                user: id,
                created_at: now,
                expires_at: now.plus_ms(60_000),
                user_agent: String::new(),
            };
            store.create_session(session).await.unwrap();
        }
        store
    }

    #[tokio::test]
    async fn everybody_gets_their_own_answer() {
        let folder = tempfile::tempdir().unwrap();
        let lookup = Lookup::new(store(&folder, 50).await);
        // Each asked by several, and some that nobody has; more in all than one query takes.
        let asked: Vec<u8> = (0..60).cycle().take(900).collect();
        let answers =
            futures::future::join_all(asked.iter().map(|number| lookup.session([*number; 32]))).await;
        for (number, answer) in asked.into_iter().zip(answers) {
            let expected = (number < 50).then(|| Uuid::from_u128(number.into()));
            assert_eq!(answer.unwrap().map(|session| session.id), expected, "{number}");
        }
        assert!(lookup.waiting.lock().unwrap().is_empty());
    }

    #[tokio::test]
    async fn who_gives_up_in_the_middle_of_a_query_leaves_nobody_behind() {
        let folder = tempfile::tempdir().unwrap();
        let lookup = Lookup::new(store(&folder, 3).await);
        let mut first = Box::pin(lookup.session([0; 32]));
        let mut second = Box::pin(lookup.session([1; 32]));
        // The second waits before the first asks for both.
        let parked = lookup.turns.acquire_many(TURNS as u32).await.unwrap();
        assert!(first.as_mut().now_or_never().is_none() && second.as_mut().now_or_never().is_none());
        drop(parked);
        // The query begins, and its turn goes away with it (unless the database was quicker than that).
        let _ = first.as_mut().now_or_never();
        drop(first);
        let found = second.await.unwrap().unwrap();
        assert_eq!(found.id, Uuid::from_u128(1));
    }

    #[tokio::test]
    async fn an_error_reaches_all_who_asked() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(&folder, 1).await;
        let lookup = Lookup::new(store.clone());
        store.close().await;
        let answers = futures::future::join_all((0..5).map(|number| lookup.session([number; 32]))).await;
        assert!(answers.iter().all(Result::is_err));
    }
}
