//! Sessions: from a token to a person, for REST and WebSocket alike.
//!
//! A session ends some days after its last use, and however much it is used, some months after its sign-in;
//! the use is written down at most once a minute. Ending one closes its sockets: at once on all nodes by a
//! signal, and should that be lost, within a minute. While the database is away, whoever was signed in some
//! minutes ago is believed, so that live chat goes on through reconnects; nobody new can sign in.

use std::sync::Arc;
use std::time::Duration;

use milena_domain::{Timestamp, UserId};
use milena_settings::HttpSettings;
use milena_storage::{NewSession, Person, Session, StorageError, Store};
use moka::sync::Cache;
use tokio::time::{Interval, MissedTickBehavior};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use super::lookup::{Lookup, lookup};
use super::token::{Token, hash_of};
use crate::refusal::Refusal;
use crate::registry::{CloseCode, Registry};
use crate::signals::Signals;

/// Uses within this time of the last one are not written down; sockets are looked after this often, so that a
/// session that was ended on another node keeps its sockets here no longer, even if the signal was lost.
const TOUCH_EVERY: Duration = Duration::from_secs(60);
/// How long a session that was seen is believed while the database is away.
const BELIEVED_FOR: Duration = Duration::from_secs(600);
/// Uses that are being written down, at most; beyond, a use is written down another minute.
const MAX_TOUCHES: usize = 64;
/// Sessions that are remembered for that, at most; the least used are forgotten first.
const REMEMBERED: u64 = 50_000;
/// How often expired sessions are removed.
const SWEEP_EVERY: Duration = Duration::from_secs(3_600);
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// Who makes a request or holds a socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The session's public name.
    pub session: Uuid,
    /// Whose it is.
    pub person: Person,
}

/// A session that has just begun.
#[derive(Debug)]
pub struct Begun {
    /// Its public name.
    pub id: Uuid,
    /// Its secret.
    pub token: Token,
    /// When it ends unless it is used.
    pub expires_at: Timestamp,
}

/// The sessions of this server; clones share everything.
#[derive(Clone)]
pub struct Sessions(Arc<Shared>);

struct Shared {
    store: Store,
    /// For all look-ups of tokens: many at once become one query.
    lookup: Lookup,
    registry: Registry,
    signals: Signals,
    /// After the last use, and after the sign-in.
    lifetime_ms: i64,
    max_ms: i64,
    /// By hash of the token: written by each look-up that succeeds, read only while the database is away.
    seen: Cache<[u8; 32], Identity>,
    /// Sessions that ended here, for as long as `seen` may still have them.
    ended: Cache<Uuid, ()>,
    /// Sessions that got another token lately, with its hash: the one before is not believed.
    renewed: Cache<Uuid, [u8; 32]>,
    /// Sessions whose use was written down within the last minute.
    touched: Cache<Uuid, ()>,
    /// The writes of last uses: one a session and minute at most, [`MAX_TOUCHES`] at once.
    touches: TaskTracker,
}

impl Sessions {
    /// Sessions in `store`, whose sockets are in `registry`, and which end as `settings` say.
    #[must_use]
    pub fn new(store: Store, registry: Registry, signals: Signals, settings: &HttpSettings) -> Self {
        let remember = |time_to_live| Cache::builder().max_capacity(REMEMBERED).time_to_live(time_to_live);
        Self(Arc::new(Shared {
            lookup: lookup(store.clone()),
            store,
            registry,
            signals,
            lifetime_ms: i64::from(settings.session_days) * DAY_MS,
            max_ms: i64::from(settings.session_max_days) * DAY_MS,
            seen: Cache::builder().max_capacity(REMEMBERED).time_to_live(BELIEVED_FOR).build(),
            ended: remember(BELIEVED_FOR).build(),
            renewed: Cache::builder().max_capacity(REMEMBERED).time_to_live(BELIEVED_FOR).build(),
            touched: remember(TOUCH_EVERY).build(),
            touches: TaskTracker::new(),
        }))
    }

    /// Whose the first of these tokens is that is anybody's: each is tried by itself, one after the other.
    /// What one says about a person is never mixed with another.
    ///
    /// # Errors
    /// As [`Sessions::authenticate`], of the first that cannot be looked up.
    pub async fn authenticate_any(&self, tokens: &[&str]) -> Result<Option<Identity>, Refusal> {
        for token in tokens {
            if let Some(identity) = self.authenticate(token).await? {
                return Ok(Some(identity));
            }
        }
        Ok(None)
    }

    /// Whose token this is; `None` when it is nobody's, or its session has ended.
    ///
    /// # Errors
    /// `store_unavailable` when the database is away and the token was not seen lately.
    pub async fn authenticate(&self, token: &str) -> Result<Option<Identity>, Refusal> {
        let Some(hash) = hash_of(token) else { return Ok(None) };
        let now = Timestamp::now();
        match self.0.lookup.get(hash).await {
            Ok(Some(session)) => {
                self.touch(&session, now);
                if self.0.registry.saw_token(session.id) {
                    self.0.renewed.insert(session.id, hash);
                }
                let identity = Identity { session: session.id, person: session.person };
                self.0.seen.insert(hash, identity.clone());
                Ok(Some(identity))
            }
            Ok(None) => {
                self.0.seen.invalidate(&hash);
                Ok(None)
            }
            Err(error) => self.believe(&hash, &error),
        }
    }

    fn believe(&self, hash: &[u8; 32], error: &StorageError) -> Result<Option<Identity>, Refusal> {
        let has_ended = |session| self.0.ended.contains_key(&session) || self.0.registry.has_ended(session);
        let has_token = |session| {
            !self.0.registry.awaits_new_token(session)
                && self.0.renewed.get(&session).is_none_or(|renewed| renewed == *hash)
        };
        let seen = self.0.seen.get(hash);
        let seen = seen.filter(|identity| !has_ended(identity.session) && has_token(identity.session));
        match seen {
            Some(identity) if error.is_temporary() => Ok(Some(identity)),
            _ => Err(error.into()),
        }
    }

    /// Writes down that a session is in use, in the background and at most once a minute.
    fn touch(&self, session: &Session, now: Timestamp) {
        let since_ms = now.unix_ms() - session.last_seen_at.unix_ms();
        let is_due = since_ms >= TOUCH_EVERY.as_millis() as i64 && self.0.touches.len() < MAX_TOUCHES;
        if !is_due || !self.0.touched.entry(session.id).or_insert(()).is_fresh() {
            return;
        }
        let (shared, id) = (Arc::clone(&self.0), session.id);
        self.0.touches.spawn(async move {
            let expires_at = now.plus_ms(shared.lifetime_ms);
            if let Err(error) = shared.store.touch_session(id, now, expires_at).await {
                log::debug!(error:% = error; "the use of a session was not written down");
            }
        });
    }

    /// Begins a session. `user_agent` is kept so that its owner recognises it.
    ///
    /// # Errors
    /// `store_unavailable` when the database is away.
    pub async fn begin(&self, user: UserId, user_agent: String) -> Result<Begun, Refusal> {
        let token = Token::generate();
        let created_at = Timestamp::now();
        let ends_at = created_at.plus_ms(self.0.max_ms);
        let expires_at = created_at.plus_ms(self.0.lifetime_ms).min(ends_at);
        let (id, token_hash) = (Uuid::now_v7(), token.hash());
        let session = NewSession { id, token_hash, user, created_at, expires_at, ends_at, user_agent };
        self.0.store.create_session(session).await?;
        Ok(Begun { id, token, expires_at })
    }

    /// A person's sessions, the last used first.
    ///
    /// # Errors
    /// `store_unavailable` when the database is away.
    pub async fn of(&self, user: UserId) -> Result<Vec<Session>, Refusal> {
        Ok(self.0.store.sessions_of(user, Timestamp::now()).await?)
    }

    /// Ends a session of this person and closes its sockets; `false` when they have no such session.
    ///
    /// # Errors
    /// `store_unavailable` when the database is away.
    pub async fn end(&self, user: UserId, session: Uuid) -> Result<bool, Refusal> {
        let existed = self.0.store.delete_session(user, session).await?;
        if existed {
            self.has_ended(session);
        }
        Ok(existed)
    }

    /// Ends all sessions of this person but `kept` and closes their sockets; says which they were.
    ///
    /// # Errors
    /// `store_unavailable` when the database is away; some may have ended then.
    pub async fn end_others(&self, user: UserId, kept: Uuid) -> Result<Vec<Uuid>, Refusal> {
        let ended = self.0.store.delete_other_sessions(user, kept).await?;
        ended.iter().for_each(|session| self.has_ended(*session));
        Ok(ended)
    }

    /// A session got another token in the store: the one before is not believed while the database is away,
    /// here or on another node.
    /// Its sockets stay: they are its owner's.
    pub(super) fn has_new_token(&self, session: Uuid, token: &Token) {
        self.0.renewed.insert(session, token.hash());
        self.0.signals.tell_token_replaced(session);
    }

    /// A session was removed from the store: its sockets go, and it is not believed while the database is
    /// away.
    pub(super) fn has_ended(&self, session: Uuid) {
        self.end_here(session);
        self.0.signals.tell_session_ended(session);
    }

    fn end_here(&self, session: Uuid) {
        self.0.ended.insert(session, ());
        self.0.registry.close_session(session, CloseCode::SessionEnded);
    }

    /// Looks after the sessions until `stop`: those with sockets are in use, those that ended on another node
    /// lose their sockets here too, those that expired are removed. Then waits for the last writes.
    pub async fn keep(self, stop: CancellationToken) {
        let mut rounds = interval(TOUCH_EVERY);
        let mut sweeps = interval(SWEEP_EVERY);
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                _ = rounds.tick() => self.look_after_sockets().await,
                _ = sweeps.tick() => self.sweep().await,
            }
        }
        self.0.touches.close();
        self.0.touches.wait().await;
    }

    async fn look_after_sockets(&self) {
        let connected = self.0.registry.sessions();
        let now = Timestamp::now();
        let expires_at = now.plus_ms(self.0.lifetime_ms);
        let existing = match self.0.store.touch_sessions(&connected, now, expires_at).await {
            Ok(existing) => existing,
            Err(error) => {
                log::debug!(error:% = error; "the sessions with sockets were not looked after");
                return;
            }
        };
        for ended in connected.into_iter().filter(|session| !existing.contains(session)) {
            self.end_here(ended);
        }
    }

    async fn sweep(&self) {
        if let Err(error) = self.0.store.bound_sessions(self.0.max_ms).await {
            log::warn!(error:% = error; "sessions of programs of before got no end");
        }
        match self.0.store.delete_expired_sessions(Timestamp::now()).await {
            Ok(0) => {}
            Ok(count) => log::info!(count; "removed expired sessions"),
            Err(error) => log::warn!(error:% = error; "expired sessions were not removed"),
        }
    }
}

fn interval(period: Duration) -> Interval {
    let mut interval = tokio::time::interval(period);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval
}

#[cfg(test)]
mod tests {
    use milena_domain::{DisplayName, Username};
    use milena_settings::{Secret, Settings};
    use milena_storage::NewUser;
    use tempfile::TempDir;

    use super::*;
    use crate::registry::Outbox;

    async fn store(folder: &TempDir) -> Store {
        let mut settings = Settings::defaults().database;
        settings.url = Secret::new(format!("sqlite:{}?mode=rwc", folder.path().join("store.db").display()));
        let store = Store::connect(&settings).await.unwrap();
        store.migrate().await.unwrap();
        store
    }

    /// Of a node that no signal leaves or reaches.
    fn alone(store: &Store, registry: &Registry) -> Sessions {
        let settings = Settings::defaults().http;
        Sessions::new(
            store.clone(),
            registry.clone(),
            Signals::alone(registry, tokio::sync::mpsc::channel(1).0),
            &settings,
        )
    }

    async fn anna(store: &Store) -> UserId {
        let id = UserId::from_uuid(Uuid::now_v7());
        let user = NewUser {
            id,
            username: Username::new("anna").unwrap(),
            display_name: DisplayName::new("Anna").unwrap(),
            password_hash: None,
            created_at: Timestamp::now(),
        };
        store.create_user(user).await.unwrap();
        id
    }

    #[tokio::test]
    async fn a_use_is_written_down_once_a_minute_and_moves_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(&folder).await;
        let user = anna(&store).await;
        let sessions = alone(&store, &Registry::default());
        let (token, now) = (Token::generate(), Timestamp::now());
        let begun = NewSession {
            id: Uuid::now_v7(),
            token_hash: token.hash(),
            user,
            created_at: now.plus_ms(-DAY_MS),
            expires_at: now.plus_ms(60_000),
            ends_at: now.plus_ms(90 * DAY_MS),
            user_agent: String::new(),
        };
        store.create_session(begun).await.unwrap();
        for _ in 0..3 {
            let identity = sessions.authenticate(token.expose()).await.unwrap().unwrap();
            assert_eq!(identity.person.id, user);
        }
        sessions.0.touches.close();
        sessions.0.touches.wait().await;
        let used = store.session(&token.hash(), now).await.unwrap().unwrap();
        assert!(used.last_seen_at >= now && used.expires_at >= now.plus_ms(30 * DAY_MS));
        assert_eq!(sessions.0.touched.iter().count(), 1);
    }

    #[tokio::test]
    async fn without_the_database_who_was_seen_is_believed_unless_another_node_told_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(&folder).await;
        let user = anna(&store).await;
        let registry = Registry::default();
        let sessions = alone(&store, &registry);
        let token = sessions.begin(user, String::new()).await.unwrap().token;
        let session = sessions.authenticate(token.expose()).await.unwrap().unwrap().session;
        store.close().await;
        let believed = sessions.authenticate(token.expose()).await.unwrap();
        assert_eq!(believed.map(|identity| identity.session), Some(session));
        // As the reader of signals does.
        registry.close_session(session, CloseCode::SessionEnded);
        assert!(sessions.authenticate(token.expose()).await.is_err());
    }

    #[tokio::test]
    async fn without_the_database_a_token_that_another_node_replaced_is_not_believed() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(&folder).await;
        let user = anna(&store).await;
        let registry = Registry::default();
        let sessions = alone(&store, &registry);
        let (old, kept) = (sessions.begin(user, String::new()).await.unwrap(), Token::generate());
        let other = sessions.begin(user, String::new()).await.unwrap();
        for token in [&old.token, &other.token] {
            sessions.authenticate(token.expose()).await.unwrap().unwrap();
        }
        // As the reader of signals does; the other one's new token is looked up before the database goes.
        registry.token_replaced(old.id);
        registry.token_replaced(other.id);
        sessions.authenticate(other.token.expose()).await.unwrap().unwrap();
        store.close().await;
        assert!(sessions.authenticate(old.token.expose()).await.is_err(), "the one before");
        assert!(sessions.authenticate(kept.expose()).await.is_err(), "and one that was not seen");
        assert!(sessions.authenticate(other.token.expose()).await.is_ok());
    }

    #[tokio::test]
    async fn a_session_that_ended_on_another_node_loses_its_sockets_here() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(&folder).await;
        let user = anna(&store).await;
        let (here, there) = (Registry::default(), Registry::default());
        let node = alone(&store, &here);
        let other_node = alone(&store, &there);
        let mut sockets = Vec::new();
        for _ in 0..2 {
            let token = node.begin(user, String::new()).await.unwrap().token;
            let session = node.authenticate(token.expose()).await.unwrap().unwrap().session;
            let outbox = Outbox::new(10, 10_000);
            sockets.push((session, here.register(user, session, outbox.clone()), outbox));
        }
        node.look_after_sockets().await;
        assert!(sockets.iter().all(|(_, _, outbox)| outbox.closed().is_none()));
        assert!(other_node.end(user, sockets[0].0).await.unwrap());
        node.look_after_sockets().await;
        let ends: Vec<_> = sockets.iter().map(|(_, _, outbox)| outbox.closed()).collect();
        assert_eq!(ends, [Some(CloseCode::SessionEnded), None]);
    }
}
