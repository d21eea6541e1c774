//! `milena-bench`: the command line around the benches.

#![allow(clippy::print_stderr, reason = "a bench is run to be read, and ends with its reader")]

use std::process::ExitCode;

use clap::Parser;
use milena_bench::cli::Cli;

fn main() -> ExitCode {
    let cli = Cli::parse();
    match cli.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("milena-bench: {}", milena_process::sentence(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}
