//! The consumer as people run it: the real program, as a child process.

use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use crate::world::{World, until};

/// Killed when dropped.
pub(crate) struct Consumer(Child);

impl Consumer {
    pub(crate) fn start(world: &World, instance: Option<&str>) -> Self {
        let child = Command::new(env!("CARGO_BIN_EXE_kafka-consumer"))
            .args(["run", "--config"])
            .arg(world.file(instance))
            .stdin(Stdio::null())
            .stderr(if std::env::var_os("RUST_LOG").is_some() { Stdio::inherit() } else { Stdio::null() })
            .spawn()
            .unwrap();
        Self(child)
    }

    /// SIGKILL.
    pub(crate) fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    /// SIGTERM, and the wait for its end.
    pub(crate) async fn stop(mut self) -> ExitStatus {
        let killed = Command::new("kill").arg(self.0.id().to_string()).status().unwrap();
        assert!(killed.success());
        let mut status = None;
        until("the consumer ends after SIGTERM", 25, async || {
            status = self.0.try_wait().unwrap();
            status.is_some()
        })
        .await;
        status.unwrap()
    }

    /// It must not end by itself meanwhile.
    pub(crate) async fn lives_for(&mut self, time: Duration) {
        tokio::time::sleep(time).await;
        assert!(self.0.try_wait().unwrap().is_none(), "the consumer ended by itself");
    }
}

impl Drop for Consumer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
