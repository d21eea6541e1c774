//! A PostgreSQL of one test's own, by the project's script, to be stopped and started again.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Ends with the test, and with the test's process however that ends.
pub(crate) struct Postgres {
    folder: PathBuf,
    pub(crate) url: String,
}

impl Postgres {
    /// `None` when there are no servers to test with.
    pub(crate) async fn start() -> Option<Self> {
        std::env::var("MILENA_TEST_POSTGRES_URL").ok().filter(|value| !value.is_empty())?;
        let lines = script(&["start", "--with", &std::process::id().to_string()]).await;
        let line = |name: &str| {
            lines.lines().find_map(|line| line.strip_prefix(name)).expect("the script prints it").to_owned()
        };
        Some(Self { folder: line("DIR=").into(), url: line("URL=") })
    }

    /// An orderly stop.
    pub(crate) async fn stop(&self) {
        script(&["stop", "--dir", &self.folder.display().to_string()]).await;
    }

    /// The same port, the same data; answers when this returns.
    pub(crate) async fn start_again(&self) {
        let with = std::process::id().to_string();
        script(&["start", "--with", &with, "--dir", &self.folder.display().to_string()]).await;
    }
}

async fn script(arguments: &[&str]) -> String {
    let mut command = Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/postgres"));
    command.args(arguments);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/postgres");
        let _ = Command::new(script).args(["kill", "--delete", "--dir"]).arg(&self.folder).output();
    }
}
