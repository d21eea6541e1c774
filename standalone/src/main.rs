//! `milena`: chat on one machine with one command.
//!
//! Composition only: broker, store, backend and consumer are the crates that run on Kafka and PostgreSQL too;
//! here they share one process and one data folder.

mod access;
mod address;
mod backup;
mod cli;
mod command;
mod folder;
mod import;
mod run;
mod settings;

use std::process::ExitCode;

use clap::Parser;
use milena_domain::cure;
use tokio::runtime::Runtime;

use crate::cli::{Cli, Command};

fn main() -> ExitCode {
    let cli = Cli::parse();
    milena_process::create_private_files();
    cure::set_form(cure::Kind::OneProgram, &cli.options.for_commands());
    // The log has threads of its own, so that a disk that hangs holds up the log only, not the people who
    // read, and so that a confirmation does not queue behind whatever else the program does.
    let (runtime, log_runtime) = match (runtime("milena"), runtime("log")) {
        (Ok(runtime), Ok(log_runtime)) => (runtime, log_runtime),
        (Err(error), _) | (_, Err(error)) => {
            return fail(&anyhow::Error::new(error).context("the async runtime cannot start"));
        }
    };
    if cli.options.database.is_some() && !matches!(cli.command, Some(Command::Store(_))) {
        return fail(&anyhow::anyhow!("--database is for status, verify, replay, dead and new-epoch"));
    }
    let log = log_runtime.handle();
    let outcome = runtime.block_on(async {
        match cli.command {
            // Boxed: it is the whole program.
            None => Box::pin(run::run(&cli.options, log)).await.map(|()| ExitCode::SUCCESS),
            Some(Command::LogAccess { form }) => run::print_log_access(&cli.options, form),
            Some(Command::Import(ref arguments)) => Box::pin(import::run(&cli.options, log, arguments)).await,
            Some(Command::Backup(ref arguments)) => backup::back_up(&cli.options, arguments).await,
            Some(Command::Restore(ref arguments)) => backup::restore(&cli.options, arguments),
            Some(Command::Store(ref command)) => command::run(&cli.options, log, command).await,
        }
    });
    milena_process::settle();
    outcome.unwrap_or_else(|error| fail(&error))
}

fn runtime(thread_name: &str) -> std::io::Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread().thread_name(thread_name).enable_all().build()
}

/// One sentence for the person in front of the terminal, then what caused it.
fn fail(error: &anyhow::Error) -> ExitCode {
    milena_process::complain(format!("milena: {}", milena_process::sentence(error.as_ref())));
    milena_process::settle();
    ExitCode::FAILURE
}
