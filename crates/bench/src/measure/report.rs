//! The last line of every bench: `BENCH_JSON {...}`, for whoever compares runs.

use std::path::Path;

use anyhow::Context as _;
use serde_json::{Map, Value, json};

use super::process::Span;

/// The figures of one bench.
#[derive(Debug)]
pub struct Report(Map<String, Value>);

impl Report {
    /// `broker`: `embedded`, `kafka`, or `none` where no log takes part.
    pub fn new(bench: &str, broker: &str) -> Self {
        Self(Map::new()).figure("bench", bench).figure("broker", broker)
    }

    /// Adds a figure. Fractions are rounded to three decimals; units belong into the key.
    #[must_use]
    pub fn figure(mut self, key: &str, value: impl Into<Value>) -> Self {
        let value = value.into();
        let fraction = value.as_f64().filter(|_| value.is_f64());
        let rounded = fraction.map_or(value, |number| json!((number * 1e3).round() / 1e3));
        self.0.insert(key.to_owned(), rounded);
        self
    }

    /// Adds the processes: `cpu_s` is what the measured system used, all of its processes together; then CPU
    /// seconds, memory at the end and peak memory of each process, the load generator included.
    #[must_use]
    pub fn processes(self, spans: &[Span]) -> Self {
        let measured = spans.iter().filter(|span| span.watched.is_measured);
        let by_name = |value: fn(&Span) -> f64| -> Value {
            let named = spans
                .iter()
                .map(|span| (span.watched.name.clone(), json!((value(span) * 1e2).round() / 1e2)));
            Value::Object(named.collect())
        };
        self.figure("cpu_s", measured.map(|span| span.cpu_s).sum::<f64>())
            .figure("cpu_s_by_process", by_name(|span| span.cpu_s))
            .figure("rss_mb_by_process", by_name(|span| mib(span.end.rss_kib)))
            .figure("peak_rss_mb_by_process", by_name(|span| mib(span.end.peak_rss_kib)))
    }

    /// Prints the last line, and writes its JSON to `out` if that is given.
    ///
    /// # Errors
    /// When the file cannot be written.
    #[allow(clippy::print_stdout, reason = "the last line is what a bench is run for")]
    pub fn print(self, out: Option<&Path>) -> anyhow::Result<()> {
        let json = Value::Object(self.0);
        println!("BENCH_JSON {json}");
        match out {
            Some(file) => std::fs::write(file, format!("{json}\n"))
                .with_context(|| format!("{} cannot be written (--out)", file.display())),
            None => Ok(()),
        }
    }
}

fn mib(kib: u64) -> f64 {
    kib as f64 / 1024.0
}

#[cfg(test)]
mod tests {
    use super::super::process::{Usage, Watched};
    use super::*;

    #[test]
    fn only_the_measured_system_counts_as_its_cost() {
        let span = |name: &str, is_measured, cpu_s| Span {
            watched: Watched { name: name.to_owned(), pid: 1, is_measured },
            cpu_s,
            rss_before_kib: 0,
            end: Usage { cpu_s, rss_kib: 1_024, peak_rss_kib: 2_048 },
        };
        let spans = [span("backend", true, 1.0), span("kafka", true, 0.5), span("bench", false, 3.0)];
        let report =
            Report::new("latency", "kafka").figure("p99_ms", 1.234_56).figure("n", 3).processes(&spans);
        let json = Value::Object(report.0);
        assert_eq!(json["p99_ms"], 1.235);
        assert_eq!((&json["n"], &json["cpu_s"]), (&json!(3), &json!(1.5)));
        assert_eq!(json["cpu_s_by_process"]["bench"], 3.0);
        assert_eq!(json["peak_rss_mb_by_process"]["backend"], 2.0);
    }
}
