//! Whether requests should be sent to this node.
//!
//! Ready means: everything that was in the log at start was delivered, the log is still the same, and no stop
//! was asked for. A database or log that is away does not make a node unready: live chat or history goes on,
//! other nodes have the same trouble, and a balancer that takes all of them away helps nobody. The answer
//! says so instead. So it is with a newer program's records: all nodes of this version would be away at once.

use std::time::{Duration, Instant};

use milena_storage::Store;
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use crate::live::unreadable::Unreadable;
use crate::log::health::Health;
use crate::wire::rest::State;

/// The database is asked at most once in this time, however often the question comes.
const ASK_EVERY: Duration = Duration::from_secs(1);

/// Answers `/readyz`.
pub struct Readiness {
    store: Store,
    health: Health,
    unreadable: Unreadable,
    stopping: CancellationToken,
    /// When the database was asked and what that told; held while it is asked, so that questions wait for
    /// one.
    database: Mutex<Option<(Instant, &'static str)>>,
}

impl Readiness {
    /// Of this database and log; `stopping` is cancelled when a stop begins.
    #[must_use]
    pub fn new(store: Store, health: Health, unreadable: Unreadable, stopping: CancellationToken) -> Self {
        Self { store, health, unreadable, stopping, database: Mutex::new(None) }
    }

    /// The state as it is now.
    pub async fn state(&self) -> State {
        let reason = self.reason();
        State {
            ready: reason.is_none(),
            reason,
            database: self.database().await,
            log: match (self.health.broken(), self.health.is_live()) {
                (Some(_), _) => "broken",
                (None, true) => "ok",
                (None, false) => "unavailable",
            },
            disk: if self.health.is_disk_low() { "low" } else { "ok" },
            events: if self.unreadable.is_any() { "upgrade_needed" } else { "ok" },
        }
    }

    fn reason(&self) -> Option<String> {
        if self.stopping.is_cancelled() {
            return Some("the server is stopping".to_owned());
        }
        if let Some(broken) = self.health.broken() {
            return Some(broken.to_owned());
        }
        (!self.health.is_caught_up()).then(|| "the log is still being read".to_owned())
    }

    async fn database(&self) -> &'static str {
        let mut known = self.database.lock().await;
        match *known {
            Some((asked, state)) if asked.elapsed() < ASK_EVERY => state,
            _ => {
                let state = self.ask_database().await;
                *known = Some((Instant::now(), state));
                state
            }
        }
    }

    /// One that has refused something since it was last found well is asked for all that is done to it.
    async fn ask_database(&self) -> &'static str {
        let answer =
            if self.store.is_in_trouble() { self.store.probe().await } else { self.store.ping().await };
        match answer {
            Ok(()) => "ok",
            Err(error) if error.is_temporary() => "unavailable",
            Err(error) => {
                log::error!(error:%; "the database refuses until somebody mends it");
                "refuses"
            }
        }
    }
}
