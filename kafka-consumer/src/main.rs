//! The program `kafka-consumer`.

use std::process::ExitCode;

use clap::Parser;
use milena_kafka_consumer::cli::{Cli, execute};

#[tokio::main]
async fn main() -> ExitCode {
    milena_process::create_private_files();
    // Boxed: what the commands keep is large.
    let code = Box::pin(execute(Cli::parse())).await.unwrap_or_else(|error| {
        milena_process::complain(format!("kafka-consumer: {}", milena_process::sentence(error.as_ref())));
        ExitCode::FAILURE
    });
    milena_process::settle();
    code
}
