//! The consumer as people run it: the real program, as a child process.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::world::{World, until};

/// Killed when dropped.
pub(crate) struct Consumer {
    child: Child,
    /// What it wrote to standard error, line by line; filled by a thread that ends with the child.
    said: Arc<Mutex<Vec<String>>>,
}

impl Consumer {
    pub(crate) fn start(world: &World, instance: Option<&str>) -> Self {
        Self::start_with(world, instance, &[])
    }

    /// It will stop for ever when it comes to `point` for the `count`-th time.
    pub(crate) fn start_armed(world: &World, instance: Option<&str>, point: &str, count: u64) -> Self {
        Self::start_with(world, instance, &[("MILENA_CRASH_POINT", format!("{point}:{count}"))])
    }

    pub(crate) fn start_with(world: &World, instance: Option<&str>, variables: &[(&str, String)]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_kafka-consumer"))
            .args(["run", "--config"])
            .arg(world.file(instance))
            .envs(variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let said = Arc::<Mutex<Vec<String>>>::default();
        let (lines, heard) = (BufReader::new(child.stderr.take().unwrap()).lines(), said.clone());
        let aloud = std::env::var_os("RUST_LOG").is_some();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                if aloud {
                    eprintln!("{line}");
                }
                heard.lock().unwrap().push(line);
            }
        });
        Self { child, said }
    }

    /// What it has written to standard error so far.
    pub(crate) fn said(&self) -> Vec<String> {
        self.said.lock().unwrap().clone()
    }

    /// Waits until it has said this; answers the line.
    pub(crate) async fn says(&mut self, what: &str, seconds: u64) -> String {
        let mut found = None;
        until(&format!("the consumer says \"{what}\""), seconds, async || {
            assert!(self.child.try_wait().unwrap().is_none(), "it ended by itself: {:?}", self.said());
            found = self.said().into_iter().find(|line| line.contains(what));
            found.is_some()
        })
        .await;
        found.unwrap()
    }

    /// The most memory that it ever had resident, in KiB.
    pub(crate) fn peak_kib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// SIGKILL.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM, and the wait for its end.
    pub(crate) async fn stop(mut self) -> ExitStatus {
        let killed = Command::new("kill").arg(self.child.id().to_string()).status().unwrap();
        assert!(killed.success());
        let mut status = None;
        until("the consumer ends after SIGTERM", 25, async || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        })
        .await;
        status.unwrap()
    }

    /// It must not end by itself meanwhile.
    pub(crate) async fn lives_for(&mut self, time: Duration) {
        tokio::time::sleep(time).await;
        assert!(self.child.try_wait().unwrap().is_none(), "the consumer ended by itself: {:?}", self.said());
    }
}

impl Drop for Consumer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
