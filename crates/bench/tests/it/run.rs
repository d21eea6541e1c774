//! One run of the program, and its last line.

use std::process::Command;
use std::sync::{Mutex, PoisonError};

use serde_json::Value;

/// Runs a bench; its report, after checks that hold for all of them.
pub(crate) fn run(arguments: &[&str]) -> Value {
    // One after the other: two programs and their load would only measure each other.
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("report.json");
    let output = command().args(arguments).arg("--out").arg(&file).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{arguments:?}\n{said}\n{}", String::from_utf8_lossy(&output.stderr));
    let json = said.lines().last().and_then(|line| line.strip_prefix("BENCH_JSON ")).expect("the last line");
    assert_eq!(json, std::fs::read_to_string(file).unwrap().trim_end(), "--out has the same");
    let report: Value = serde_json::from_str(json).unwrap();
    assert_eq!(report["bench"], arguments[0]);
    assert!(report["broker"].is_string(), "{report}");
    report
}

/// Runs a bench that cannot start; what it says.
pub(crate) fn refused(arguments: &[&str]) -> String {
    let output = command().args(arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{arguments:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_milena-bench"));
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| name.starts_with("MILENA_BENCH_")) {
            command.env_remove(name);
        }
    }
    command
}
