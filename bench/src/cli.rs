//! The command line: a subcommand a bench.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::measure::process::Usage;
use crate::measure::report::Report;

/// Measures Milena. `scripts/bench` starts the servers that a bench needs.
#[derive(Debug, Parser)]
#[command(name = "milena-bench", version)]
pub struct Cli {
    /// Also write the JSON of the last line to this file.
    #[arg(long, global = true, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(subcommand)]
    bench: Bench,
}

/// The benches.
#[derive(Debug, Subcommand)]
enum Bench {
    /// What this machine lets a bench do: file descriptors, and this program's own memory.
    Machine,
}

impl Cli {
    /// Runs the chosen bench and prints its last line.
    ///
    /// # Errors
    /// One sentence for whatever stopped it.
    pub fn run(self) -> anyhow::Result<()> {
        let report = match self.bench {
            Bench::Machine => machine()?,
        };
        report.print(self.out.as_deref())
    }
}

fn machine() -> anyhow::Result<Report> {
    let (_, hard) = rlimit::Resource::NOFILE.get()?;
    let usage = Usage::of(std::process::id())?;
    Ok(Report::new("machine", "none")
        .figure("cores", std::thread::available_parallelism()?.get())
        .figure("open_files_hard_limit", hard)
        .figure("rss_mb", usage.rss_kib as f64 / 1024.0))
}
