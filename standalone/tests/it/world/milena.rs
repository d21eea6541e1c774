//! The program `milena` on a data folder.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::{Database, Finished, Launch, Program, free_address, until};
use crate::client::Rest;

/// More than any test signs in.
const MANY: &str = "100000";

/// A running `milena`; it and its folder go with the test.
pub(crate) struct Milena {
    pub(crate) program: Program,
    pub(crate) address: SocketAddr,
    folder: TempDir,
}

impl Milena {
    /// Starts on a new folder and waits until it serves.
    pub(crate) async fn start() -> Self {
        Self::start_on(tempfile::tempdir().unwrap(), |launch| launch).await
    }

    /// Starts on the data that an import left in `folder`, with changes to how.
    pub(crate) async fn start_on(folder: TempDir, change: impl FnOnce(Launch) -> Launch) -> Self {
        let address = free_address();
        let launch = Self::launch(folder.path()).argument("--listen").argument(address.to_string());
        let program = Program::start(change(launch));
        let mut milena = Self { program, address, folder };
        milena.ready().await;
        milena
    }

    fn launch(folder: &Path) -> Launch {
        Launch::new("milena", "milena", folder)
            .argument("--data")
            .argument(folder.join("data"))
            .argument("--broker")
            .argument("127.0.0.1:0")
            .variable("MILENA__LIMITS__SIGN_IN_BURST", MANY)
            .variable("MILENA__LIMITS__SIGN_IN_PER_MINUTE", MANY)
            .variable("MILENA__LIMITS__SIGN_IN_ACCOUNT_BURST", MANY)
    }

    /// `milena import` on the folder, whether a `milena` runs on it or not.
    pub(crate) async fn import(folder: &Path, file: &Path, password: Option<&str>) -> Finished {
        let mut launch = Self::import_launch(folder, file);
        if let Some(password) = password {
            launch = launch.argument("--password").argument(password);
        }
        launch.run(300).await
    }

    /// How an import is started.
    pub(crate) fn import_launch(folder: &Path, file: &Path) -> Launch {
        Self::launch(folder).argument("import").argument(file)
    }

    /// One of its commands on the folder.
    pub(crate) fn command(&self, arguments: &[&str]) -> Launch {
        Self::command_on(self.folder(), arguments)
    }

    /// A command on a folder on which perhaps nobody runs.
    pub(crate) fn command_on(folder: &Path, arguments: &[&str]) -> Launch {
        arguments.iter().fold(Self::launch(folder), |launch, argument| launch.argument(*argument))
    }

    /// Waits until it answers that it is ready.
    pub(crate) async fn ready(&mut self) {
        let rest = Rest::new(self.address);
        until("milena is ready", 60, async || {
            assert!(self.program.is_running(), "milena ended:\n{}", self.program.said());
            rest.is_ready().await
        })
        .await;
    }

    /// Starts it again, after it ended.
    pub(crate) async fn start_again(&mut self) {
        self.program.start_again();
        self.ready().await;
    }

    /// Stops it; its data stay.
    pub(crate) async fn stop_and_keep(mut self) -> TempDir {
        self.program.stop().await;
        self.folder
    }

    pub(crate) fn rest(&self) -> Rest {
        Rest::new(self.address)
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub(crate) fn database(&self) -> Database {
        Database::in_data_folder(&self.data())
    }
}
