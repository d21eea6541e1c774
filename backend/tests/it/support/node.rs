//! A backend of its own for each test: broker, store and server on free ports, in a folder that goes away.

use std::net::SocketAddr;
use std::time::Duration;

use milena_backend::{App, AppError};
use milena_broker::{Broker, BrokerConfig};
use milena_settings::{Secret, Settings};
use milena_storage::Store;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Longer than anything takes that works.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Node {
    pub(crate) address: SocketAddr,
    /// When `http.operations_listen` is set.
    pub(crate) operations: Option<SocketAddr>,
    pub(crate) http: reqwest::Client,
    shutdown: CancellationToken,
    running: JoinHandle<Result<(), AppError>>,
    store: Store,
    settings: Settings,
    broker: Option<Broker>,
    _folder: TempDir,
}

/// Somebody who is registered and has a session.
pub(crate) struct User {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) token: String,
}

impl Node {
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    pub(crate) async fn start_with(adjust: impl FnOnce(&mut Settings)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let broker = milena_broker::start(BrokerConfig::new(folder.path().join("log"))).await.unwrap();
        let mut settings = Settings::defaults();
        settings.kafka.brokers = broker.address().to_string();
        settings.kafka.partitions = 3;
        // One node, as `milena`.
        settings.kafka.signals_topic = String::new();
        settings.database.url =
            Secret::new(format!("sqlite:{}?mode=rwc", folder.path().join("store.db").display()));
        settings.http.listen = SocketAddr::from(([127, 0, 0, 1], 0));
        settings.limits.sign_in_burst = 1_000;
        settings.limits.sign_in_account_burst = 1_000;
        // What is asked for here is all that there is.
        settings.rooms.join_at_registration = Vec::new();
        adjust(&mut settings);
        let store = Store::connect(&settings.database).await.unwrap();
        store.migrate().await.unwrap();
        let shutdown = CancellationToken::new();
        // Boxed: the future of a whole program is large, and every test would hold it.
        let app = Box::pin(App::start(settings.clone(), store.clone(), shutdown.clone())).await.unwrap();
        let node = Self {
            address: app.address(),
            operations: app.operations_address(),
            http: reqwest::Client::new(),
            shutdown,
            running: tokio::spawn(app.run()),
            store,
            settings,
            broker: Some(broker),
            _folder: folder,
        };
        node.until_ready().await;
        node
    }

    async fn until_ready(&self) {
        let ready = async {
            while !self.http.get(self.url("/readyz")).send().await.unwrap().status().is_success() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(PATIENCE, ready).await.expect("the backend becomes ready");
    }

    /// Asks again and again until there is an answer.
    pub(crate) async fn until<T>(&self, ask: impl AsyncFn(&Self) -> Option<T>) -> T {
        let answered = async {
            loop {
                if let Some(answer) = ask(self).await {
                    return answer;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(PATIENCE, answered).await.expect("it happens in time")
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) async fn register(&self, name: &str) -> User {
        let body = json!({"username": name, "password": "correct horse"});
        let answer = self.http.post(self.url("/api/v1/register")).json(&body).send().await.unwrap();
        assert_eq!(answer.status(), 201);
        let answer: Value = answer.json().await.unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        User { id: text(&answer["user"]["id"]), name: name.to_owned(), token: text(&answer["token"]) }
    }

    /// A request as `user`, which must be answered with `status`.
    pub(crate) async fn post(&self, user: &User, path: &str, body: &Value, status: u16) {
        let request = self.http.post(self.url(path)).bearer_auth(&user.token).json(body);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), status, "{}", answer.text().await.unwrap());
    }

    /// The backend ends, and another one starts on the same log and database.
    pub(crate) async fn restart(mut self) -> Self {
        self.shutdown.cancel();
        tokio::time::timeout(PATIENCE, &mut self.running).await.expect("it stops in time").unwrap().unwrap();
        self.shutdown = CancellationToken::new();
        let app = App::start(self.settings.clone(), self.store.clone(), self.shutdown.clone());
        let app = Box::pin(app).await.unwrap();
        (self.address, self.operations) = (app.address(), app.operations_address());
        self.running = tokio::spawn(app.run());
        self.until_ready().await;
        self
    }

    /// Where the log listens.
    pub(crate) fn broker_address(&self) -> String {
        self.broker.as_ref().expect("it runs").address().to_string()
    }

    /// Takes the log away.
    pub(crate) async fn stop_broker(&mut self) {
        self.broker.take().expect("it runs").stop().await;
    }

    /// The node's own database.
    pub(crate) const fn store(&self) -> &Store {
        &self.store
    }

    /// Takes the database away.
    pub(crate) async fn stop_database(&self) {
        self.store.clone().close().await;
    }

    /// Asks the backend to stop, without waiting.
    pub(crate) fn begin_stop(&self) {
        self.shutdown.cancel();
    }

    /// Ends by itself, in time.
    pub(crate) async fn ended(self) -> Result<(), AppError> {
        tokio::time::timeout(PATIENCE, self.running).await.expect("the backend ends in time").unwrap()
    }

    /// Ends everything, in time.
    pub(crate) async fn stop(self) {
        self.shutdown.cancel();
        tokio::time::timeout(PATIENCE, self.running)
            .await
            .expect("the backend stops in time")
            .unwrap()
            .unwrap();
        self.store.close().await;
        if let Some(broker) = self.broker {
            broker.stop().await;
        }
    }
}
