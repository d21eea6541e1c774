//! `milena-bench broker`: the embedded log beside Apache Kafka, with the same client, in the same minutes.
//!
//! Three logs take turns, round by round, because the machine's own noise is larger than their difference:
//! the embedded one with `sync = "always"`, with `"100ms"`, and Apache Kafka, which confirms before it syncs.
//! Each is a process of its own. The limit that is measured beside them is the bare `fdatasync` of the same
//! disk.

mod confirm;
mod disk;
mod idle;
pub mod serve;
mod system;
mod throughput;

use std::time::Duration;

use crate::measure::latency::Latencies;
use crate::measure::process::Usage;
use crate::measure::report::Report;

use self::system::{Sync, System};

/// What can be chosen.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// How often each log has its turn; one more turn before is not counted.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Seconds of a turn in which confirmations are measured.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..))]
    seconds: u64,
    /// Records a second while confirmations are measured.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(1..))]
    rate: u64,
    /// Records of a turn in which throughput is measured.
    #[arg(long, default_value_t = 300_000, value_parser = clap::value_parser!(u64).range(1_000..))]
    records: u64,
    /// The size of a record's value.
    #[arg(long, default_value_t = 250, value_parser = clap::value_parser!(u64).range(1..100_000))]
    bytes: u64,
    /// Apache Kafka to measure beside; `scripts/bench broker` starts one. Without it only the embedded log is
    /// measured.
    #[arg(long, env = "MILENA_BENCH_KAFKA", value_name = "HOST:PORT")]
    kafka: Option<String>,
    /// Its process id.
    #[arg(long, env = "MILENA_BENCH_KAFKA_PID", value_name = "PID")]
    kafka_pid: Option<u32>,
}

/// What one log did in all its turns.
#[derive(Debug, Default)]
struct Results {
    confirm: Latencies,
    produce_per_s: Vec<f64>,
    consume_per_s: Vec<f64>,
}

/// Runs the bench.
///
/// # Errors
/// When a log cannot be started, or did not take or give every record.
pub fn run(options: &Options) -> anyhow::Result<Report> {
    let folder = tempfile::tempdir()?;
    let start_ms = system::start_ms(folder.path())?;
    eprintln!("start on a clean folder: {start_ms:.1} ms (median of {})", system::STARTS);
    let mut systems = vec![
        System::embedded("always", Sync::Always, folder.path())?,
        System::embedded("100ms", Sync::Interval(Duration::from_millis(100)), folder.path())?,
    ];
    if let Some(bootstrap) = &options.kafka {
        systems.push(System::kafka(bootstrap, options.kafka_pid));
    }
    // Before anything was written: what a log costs when nobody talks to it but two clients that wait.
    let idle_percent = idle::cpu_percent(&systems, Duration::from_secs(options.seconds * 2))?;
    for system in &systems {
        turn(system, options, &mut Results::default())?;
    }
    let mut results: Vec<Results> = systems.iter().map(|_| Results::default()).collect();
    let mut bare = Latencies::default();
    for round in 0..options.rounds as usize {
        disk::fdatasync(folder.path(), options.bytes as usize, &mut bare)?;
        for at in 0..systems.len() {
            // Each begins a round as often as the others.
            let at = (at + round) % systems.len();
            turn(&systems[at], options, &mut results[at])?;
        }
    }
    eprintln!("bare fdatasync: {}", bare.line());
    let mut report = Report::new("broker", if options.kafka.is_some() { "both" } else { "embedded" })
        .figure("start_ms", start_ms)
        .figure("fdatasync_p50_ms", bare.percentile_ms(50.0))
        .figure("fdatasync_p99_ms", bare.percentile_ms(99.0));
    for ((system, results), idle_percent) in systems.iter().zip(&results).zip(idle_percent) {
        let prefix = system.prefix;
        let (produce, consume) = (median(&results.produce_per_s), median(&results.consume_per_s));
        eprintln!("{}: confirmations {}", system.name, results.confirm.line());
        eprintln!(
            "{}: produce {produce:.0}/s {:.0?}, consume {consume:.0}/s {:.0?}",
            system.name, results.produce_per_s, results.consume_per_s
        );
        report = report
            .figure(&format!("{prefix}confirm_p50_ms"), results.confirm.percentile_ms(50.0))
            .figure(&format!("{prefix}confirm_p99_ms"), results.confirm.percentile_ms(99.0))
            .figure(&format!("{prefix}produce_per_s"), produce.round())
            .figure(&format!("{prefix}consume_per_s"), consume.round());
        if let Some(pid) = system.pid {
            let usage = Usage::of(pid)?;
            eprintln!(
                "{}: idle {idle_percent:.2} % of a core, memory {:.1} MB, at most {:.1} MB",
                system.name,
                mib(usage.rss_kib),
                mib(usage.peak_rss_kib)
            );
            report = report
                .figure(&format!("{prefix}idle_cpu_percent"), idle_percent)
                .figure(&format!("{prefix}rss_mb"), mib(usage.rss_kib))
                .figure(&format!("{prefix}peak_rss_mb"), mib(usage.peak_rss_kib));
        }
    }
    Ok(report)
}

/// One turn of one log, on topics that are removed again.
fn turn(system: &System, options: &Options, results: &mut Results) -> anyhow::Result<()> {
    let value = vec![b'x'; options.bytes as usize];
    system.with_topic("confirm", |topic| {
        confirm::measure(system, topic, &value, options.rate, options.seconds, &mut results.confirm)
    })?;
    system.with_topic("throughput", |topic| {
        results.produce_per_s.push(throughput::produce(system, topic, &value, options.records)?);
        results.consume_per_s.push(throughput::consume(system, topic, options.records)?);
        Ok(())
    })
}

fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

fn mib(kib: u64) -> f64 {
    kib as f64 / 1024.0
}
