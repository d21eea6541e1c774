//! The program `kafka-consumer`.

use std::process::ExitCode;

use clap::Parser;
use milena_kafka_consumer::cli::{Cli, execute};

#[tokio::main]
async fn main() -> ExitCode {
    match execute(Cli::parse()).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("kafka-consumer: {}", milena_process::sentence(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}
