//! What a program says to the person who started it. None of these can fail or panic; `println!` and its kin
//! can, so they are not used in the programs (clippy's `print_stdout` and `print_stderr` keep them out).

use std::fmt::Display;
use std::io::Write;

use crate::outlet::{ERRORS, WORDS};

/// A line on standard output, by a program that has more to do than to say it: never waits for a reader.
pub fn say(line: impl Display) {
    WORDS.put(format!("{line}\n").as_bytes());
}

/// A line on standard error; never waits for a reader.
pub fn complain(line: impl Display) {
    ERRORS.put(format!("{line}\n").as_bytes());
}

/// A line of what a command was asked for, on standard output: waits for a slow reader (`| less`), because
/// the reader wants all of it. One that went away (`| head`) is no error.
pub fn answer(line: impl Display) {
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

/// At the end of a program: its last lines are taken, if their reader takes them within a second.
pub fn settle() {
    WORDS.settle();
    ERRORS.settle();
}
