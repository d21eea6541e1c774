//! Running clients that are programs of their own.

use std::io::Write;
use std::process::{Command, Stdio};

use tokio::sync::Semaphore;

/// What a program may take, in seconds; far more than any of these needs.
const DEADLINE_S: &str = "120";
/// Programs at a time: a Java machine each would be hard on two cores.
static TURNS: Semaphore = Semaphore::const_new(3);

/// What a program left behind.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) success: bool,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Finished {
    /// Its output, which must be that of a success.
    pub(crate) fn good(self) -> String {
        assert!(self.success, "it failed\n{}\n{}", self.stdout, self.stderr);
        self.stdout
    }

    /// Everything it said; it must not have succeeded.
    pub(crate) fn bad(self) -> String {
        assert!(!self.success, "it should have failed\n{}\n{}", self.stdout, self.stderr);
        format!("{}\n{}", self.stdout, self.stderr)
    }

    /// Everything it said, for programs whose exit code says nothing.
    pub(crate) fn said(self) -> String {
        format!("{}\n{}", self.stdout, self.stderr)
    }
}

/// Runs a program to its end with that input.
pub(crate) async fn run(program: &str, arguments: &[&str], input: &str) -> Finished {
    let _turn = TURNS.acquire().await.expect("never closed");
    let mut command = Command::new("timeout");
    command.args(["--kill-after=5", DEADLINE_S, program]).args(arguments);
    // Under cargo it names our own build of librdkafka, which must not take the place of the program's.
    command.env_remove("LD_LIBRARY_PATH");
    let input = input.to_owned();
    tokio::task::spawn_blocking(move || finish(command, &input)).await.expect("ran")
}

fn finish(mut command: Command, input: &str) -> Finished {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("started");
    // The inputs are small enough for a pipe, and a program that does not want them may be gone already.
    let _ = child.stdin.take().expect("piped").write_all(input.as_bytes());
    let output = child.wait_with_output().expect("ended");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    Finished { success: output.status.success(), stdout: text(output.stdout), stderr: text(output.stderr) }
}
