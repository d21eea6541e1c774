//! `milena`: chat on one machine with one command.
//!
//! Composition only: broker, store, backend and consumer are the crates that run on Kafka and PostgreSQL too; here
//! they share one process and one data folder.

mod address;
mod cli;
mod import;
mod run;
mod settings;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Cli, Command};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&anyhow::Error::new(error).context("the async runtime cannot start")),
    };
    let outcome = runtime.block_on(async {
        match cli.command {
            None => run::run(&cli.options).await.map(|()| ExitCode::SUCCESS),
            Some(Command::Import(ref arguments)) => import::run(&cli.options, arguments).await,
        }
    });
    outcome.unwrap_or_else(|error| fail(&error))
}

/// One sentence for the person in front of the terminal, then what caused it.
fn fail(error: &anyhow::Error) -> ExitCode {
    eprintln!("milena: {}", milena_process::sentence(error.as_ref()));
    ExitCode::FAILURE
}
