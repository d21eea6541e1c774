//! The backend as a whole: what is started in which order, and stopped in which.
//!
//! Start: take the port, so that a taken one is said before anything else happens; chat, which checks that
//! log and store belong together; then serve. Stop: no longer ready; no new connections; requests and sockets
//! end; then unanswered sends are waited for and the log's tasks end; last, read positions and session uses
//! are written.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use milena_settings::Settings;
use milena_storage::{StorageError, Store};
use tokio::net::{TcpListener, TcpSocket};
use tokio::task::JoinSet;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::auth::{Accounts, Devices, PasswordHashes, Sessions, SignInRate};
use crate::chat::{self, ChatError, Running};
use crate::free_disk;
use crate::http::{Context, HttpService, Readiness, RequestRate, Turns};
use crate::log::health::Health;
use crate::metrics;
use crate::push::{Push, notify};
use crate::registry::Registry;
use crate::security_log::SecurityLog;
use crate::server::{Connections, Server};
use crate::socket::{SendRate, Sockets};
use crate::upkeep::keep_in_order;

/// Connections that wait to be accepted, at most; the system may allow fewer (`net.core.somaxconn`). Beyond,
/// clients have to knock again: a node that comes back is knocked at by all its clients at once.
const BACKLOG: u32 = 4_096;

/// Why the backend cannot start or go on: one sentence for whoever started it.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The port is taken, or the address is not this machine's.
    #[error("cannot listen on {address} ({setting}): {source}")]
    Listen {
        /// Which setting said so.
        setting: &'static str,
        /// From the settings.
        address: SocketAddr,
        /// The system's words.
        source: std::io::Error,
    },
    /// Kafka, the database, or the two together.
    #[error(transparent)]
    Chat(#[from] ChatError),
    /// What is handed out cannot be sealed.
    #[error("the server key cannot be read: {0}")]
    ServerKey(StorageError),
    /// Passwords cannot be hashed.
    #[error("passwords cannot be hashed: {0}")]
    Passwords(String),
    /// The log is not the one that was followed so far.
    #[error("the log cannot be followed any more: {0}")]
    Broken(String),
}

/// A running backend. Dropping it ends its tasks without waiting for them; [`App::run`] ends it in good
/// order.
pub struct App {
    server: Server,
    /// For those who run the server, when they have an address of their own.
    operations: Option<Server>,
    chat: Running,
    health: Health,
    /// Sweeps and upkeep; end with `upkeep`.
    tasks: JoinSet<()>,
    upkeep: CancellationToken,
    /// From outside: asks the program to stop.
    shutdown: CancellationToken,
    /// From chat: the log cannot be followed any more.
    failed: CancellationToken,
    _stop_when_dropped: [DropGuard; 3],
}

impl App {
    /// Starts everything on the current runtime and serves from the return on. `store` is migrated already
    /// and stays the caller's to close. `shutdown` is only watched by [`App::run`] and the tasks behind it.
    ///
    /// # Errors
    /// [`AppError`], when the port, the log or the store are not as they must be.
    pub async fn start(
        settings: Settings,
        store: Store,
        shutdown: CancellationToken,
    ) -> Result<Self, AppError> {
        Self::start_on(settings, store, Vec::new(), shutdown).await
    }

    /// The same for a program whose log is on disks of this machine: `folders` are watched for room, besides
    /// that of an SQLite database.
    ///
    /// # Errors
    /// As [`App::start`].
    pub async fn start_on(
        settings: Settings,
        store: Store,
        mut folders: Vec<PathBuf>,
        shutdown: CancellationToken,
    ) -> Result<Self, AppError> {
        metrics::install();
        let listener = listen("http.listen", settings.http.listen)?;
        // Empty, or checked with the settings.
        let operations = settings.http.operations_listen.parse().ok();
        let operations = operations.map(|address| listen("http.operations_listen", address)).transpose()?;
        let hashes = PasswordHashes::new().await.map_err(|refusal| AppError::Passwords(refusal.message))?;
        let registry = Registry::default();
        let failed = CancellationToken::new();
        let (chat, running) = chat::start(&settings, store.clone(), registry.clone(), failed.clone()).await?;
        let (health, presence) = (chat.health().clone(), chat.presence().clone());

        let stopping = shutdown.child_token();
        let upkeep = CancellationToken::new();
        let sessions = Sessions::new(store.clone(), registry, chat.signals().clone(), &settings.http);
        let key = store.server_key().await.map_err(AppError::ServerKey)?;
        let (devices, push) = (Devices::new(&key), Push::new(&settings, store.clone(), &key));
        let security_log = SecurityLog::default();
        let send_rate = Arc::new(SendRate::from_settings(&settings.limits));
        let sockets =
            Sockets::new(chat.clone(), sessions.clone(), Arc::clone(&send_rate), &settings, stopping.clone());
        let http = settings.http.clone();
        let notifier = notify(push.clone(), chat.clone(), settings.clone(), stopping.clone());
        let connections = Connections::new(&http, stopping.clone());
        let context = Context::new(crate::http::Parts {
            store: store.clone(),
            accounts: Accounts::new(store.clone(), hashes, sessions.clone(), security_log.clone()),
            devices,
            sign_in_rate: SignInRate::from_settings(&settings.limits),
            security_log,
            readiness: Readiness::new(
                store.clone(),
                health.clone(),
                chat.unreadable().clone(),
                stopping.clone(),
            ),
            chat,
            sessions: sessions.clone(),
            push,
            send_rate,
            request_rate: RequestRate::from_settings(&settings.limits),
            turns: Turns::from_settings(&settings.limits),
            sockets,
            connections: connections.clone(),
            settings: settings.http,
        });
        let mut tasks = JoinSet::new();
        folders.extend(store.folder());
        let min_free_bytes = settings.limits.min_free_disk_bytes;
        tasks.spawn(free_disk::watch(folders, min_free_bytes, health.clone(), upkeep.clone()).await);
        tasks.spawn(notifier);
        tasks.spawn(presence.keep(store.clone(), stopping.clone()));
        tasks.spawn(sessions.keep(upkeep.clone()));
        tasks.spawn(metrics::keep(upkeep.clone()));
        tasks.spawn(keep_in_order(store.clone(), upkeep.clone()));
        let operations = operations.map(|listener| {
            let connections = Connections::new(&http, stopping.clone());
            Server::start(listener, HttpService::for_operations(&context), connections)
        });
        let server = Server::start(listener, HttpService::new(context), connections);
        log::info!(address:% = server.address(); "backend started");
        let _stop_when_dropped = [&stopping, &upkeep, &failed].map(|token| token.clone().drop_guard());
        Ok(Self {
            server,
            operations,
            chat: running,
            health,
            tasks,
            upkeep,
            shutdown,
            failed,
            _stop_when_dropped,
        })
    }

    /// Where the backend listens, with the real port.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Where it answers those who run it, when `http.operations_listen` is set.
    #[must_use]
    pub fn operations_address(&self) -> Option<SocketAddr> {
        self.operations.as_ref().map(Server::address)
    }

    /// Serves until `shutdown`, then ends everything in order; takes `http.drain_ms` and some seconds more at
    /// most.
    ///
    /// # Errors
    /// [`AppError::Broken`] when it ended because the log cannot be followed any more.
    pub async fn run(mut self) -> Result<(), AppError> {
        tokio::select! {
            () = self.shutdown.cancelled() => log::info!("backend stopping"),
            () = self.failed.cancelled() => log::error!("backend stopping because of the log"),
        }
        self.server.stop().await;
        if let Some(operations) = self.operations.take() {
            operations.stop().await;
        }
        self.chat.stop().await;
        self.upkeep.cancel();
        while let Some(ended) = self.tasks.join_next().await {
            if let Err(error) = ended {
                log::error!(error:% = error; "a task failed");
            }
        }
        log::info!("backend stopped");
        self.health.broken().map_or(Ok(()), |reason| Err(AppError::Broken(reason.to_owned())))
    }
}

fn listen(setting: &'static str, address: SocketAddr) -> Result<TcpListener, AppError> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() };
    let listener = socket.and_then(|socket| {
        // Connections that just ended do not keep a restart from the port.
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        socket.listen(BACKLOG)
    });
    listener.map_err(|source| AppError::Listen { setting, address, source })
}
