//! A child process: started, asked to stop, killed, started again. Its output goes to a file, whose end is
//! printed when the test fails; it never outlives the test.

use std::ffi::OsString;
use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use super::{Footprint, until};

const LOG_END_LINES: usize = 40;

/// How to start a program.
#[derive(Clone)]
pub(crate) struct Launch {
    name: String,
    program: PathBuf,
    arguments: Vec<OsString>,
    environment: Vec<(String, String)>,
    folder: PathBuf,
}

impl Launch {
    /// One of the workspace's programs; `folder` takes its output.
    pub(crate) fn new(program: &str, name: &str, folder: &Path) -> Self {
        Self {
            name: name.to_owned(),
            program: path_of(program),
            arguments: Vec::new(),
            // What a test asks for is all that there is.
            environment: vec![("MILENA__ROOMS__JOIN_AT_REGISTRATION".to_owned(), String::new())],
            folder: folder.to_owned(),
        }
    }

    /// A program of another version: it refuses settings that only ours knows.
    pub(crate) fn of_another_version(program: PathBuf, name: &str, folder: &Path) -> Self {
        let (name, folder) = (name.to_owned(), folder.to_owned());
        Self { name, program, arguments: Vec::new(), environment: Vec::new(), folder }
    }

    pub(crate) fn argument(mut self, argument: impl Into<OsString>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    pub(crate) fn variable(mut self, name: &str, value: impl Into<String>) -> Self {
        self.environment.push((name.to_owned(), value.into()));
        self
    }

    fn spawn(&self, stdout: &Path, stderr: &Path) -> Child {
        let open =
            |path: &Path| OpenOptions::new().create(true).append(true).open(path).expect("output file");
        self.child(open(stdout), open(stderr))
    }

    /// A bare process with these outputs, which the caller ends.
    pub(crate) fn child(&self, stdout: impl Into<Stdio>, stderr: impl Into<Stdio>) -> Child {
        let ours = |name: &str| name.starts_with("MILENA_") || name == "RUST_LOG";
        let mut command = Command::new(&self.program);
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_str().is_some_and(ours)) {
            command.env_remove(name);
        }
        command
            .args(&self.arguments)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(stdout)
            .stderr(stderr)
            .spawn()
            .unwrap_or_else(|error| panic!("{} cannot be started: {error}", self.program.display()))
    }

    /// Runs it to its end.
    pub(crate) async fn run(&self, seconds: u64) -> Finished {
        let output = tempfile::tempdir_in(&self.folder).unwrap();
        let (stdout, stderr) = (output.path().join("stdout"), output.path().join("stderr"));
        let child = self.spawn(&stdout, &stderr);
        let mut program = Program { launch: self.clone(), child, log: stderr.clone() };
        let started = Instant::now();
        let status = program.ended(seconds).await;
        let read = |path: &Path| String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned();
        Finished { status, stdout: read(&stdout), stderr: read(&stderr), took: started.elapsed() }
    }
}

/// `milena` is built for these tests; the two others lie beside it. `MILENA_TEST_PROGRAMS` names another
/// folder, for example of release builds.
fn path_of(program: &str) -> PathBuf {
    let built = || Path::new(env!("CARGO_BIN_EXE_milena")).with_file_name(program);
    let path = std::env::var_os("MILENA_TEST_PROGRAMS")
        .map_or_else(built, |folder| Path::new(&folder).join(program));
    assert!(
        path.exists(),
        "{} is missing; build it with: cargo build -p milena-backend -p milena-kafka-consumer (cargo test \
         --workspace does)",
        path.display()
    );
    path
}

/// A program that ran to its end.
pub(crate) struct Finished {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) took: Duration,
}

/// A running program, or one that was killed and can be started again.
pub(crate) struct Program {
    launch: Launch,
    child: Child,
    log: PathBuf,
}

impl Program {
    pub(crate) fn start(launch: Launch) -> Self {
        let log = launch.folder.join(format!("{}.log", launch.name));
        let child = launch.spawn(&log, &log);
        Self { launch, child, log }
    }

    /// The same again, after it ended.
    pub(crate) fn start_again(&mut self) {
        assert!(!self.is_running(), "{} still runs", self.launch.name);
        self.child = self.launch.spawn(&self.log, &self.log);
    }

    /// SIGKILL, collected.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Any signal, by its name without `SIG`.
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill").arg(format!("-{name}")).arg(self.child.id().to_string()).status();
        assert!(sent.unwrap().success(), "{} cannot be signalled", self.launch.name);
    }

    /// SIGTERM, and the wait for a good end.
    pub(crate) async fn stop(&mut self) {
        self.signal("TERM");
        let status = self.ended(30).await;
        assert!(status.success(), "{} ended with {status} after SIGTERM", self.launch.name);
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// What it takes of the machine now.
    pub(crate) fn footprint(&self) -> Footprint {
        Footprint::of(self.child.id())
    }

    /// Waits for its end.
    pub(crate) async fn ended(&mut self, seconds: u64) -> ExitStatus {
        let mut status = None;
        let what = format!("{} ends", self.launch.name);
        until(&what, seconds, async || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        })
        .await;
        status.expect("waited for")
    }

    /// All that it said so far, over all its starts.
    pub(crate) fn said(&self) -> String {
        std::fs::read(&self.log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let Some(folder) = std::env::var_os("MILENA_TEST_LOGS") {
            let name = format!("{}-{}.log", self.launch.name, self.child.id());
            let _ = std::fs::copy(&self.log, Path::new(&folder).join(name));
        }
        if std::thread::panicking() {
            let said = self.said();
            let lines: Vec<_> = said.lines().collect();
            let end = lines[lines.len().saturating_sub(LOG_END_LINES)..].join("\n");
            eprintln!("--- the end of what {} said\n{end}\n---", self.launch.name);
        }
    }
}
