//! The program `kafka-consumer`.

use std::process::ExitCode;

use clap::Parser;
use milena_kafka_consumer::cli::{Cli, execute};

#[tokio::main]
async fn main() -> ExitCode {
    match execute(Cli::parse()).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("kafka-consumer: {}", sentence(&error));
            ExitCode::FAILURE
        }
    }
}

/// The error and its causes in one line. Many errors quote their cause: what was said is not said again.
fn sentence(error: &anyhow::Error) -> String {
    error.chain().map(ToString::to_string).fold(String::new(), |said, cause| {
        if said.is_empty() {
            cause
        } else if said.contains(&cause) {
            said
        } else {
            format!("{said}: {cause}")
        }
    })
}

#[cfg(test)]
mod tests {
    use super::sentence;

    #[test]
    fn causes_are_told_once() {
        let error = anyhow::anyhow!("no route").context("not reachable: no route").context("no start");
        assert_eq!(sentence(&error), "no start: not reachable: no route");
    }
}
