//! The progress bar: bytes of the file, messages, rate, remaining time; quiet when the output is not a terminal.

use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering};

use indicatif::{ProgressBar, ProgressStyle};

use super::Summary;

/// Refused lines that are reported one by one; a wrong file must not fill the terminal.
const MAX_REPORTS: u64 = 50;

/// Shown on standard error.
pub(crate) struct Progress {
    bar: ProgressBar,
    reported: AtomicU64,
}

impl Progress {
    /// A bar over `bytes_total`, or a spinner when the length is unknown.
    #[must_use]
    pub(crate) fn new(bytes_total: Option<u64>) -> Self {
        let bar = bytes_total.map_or_else(ProgressBar::new_spinner, ProgressBar::new);
        let template = if bytes_total.is_some() {
            "{prefix} {wide_bar} {bytes}/{total_bytes} {msg} {eta} left"
        } else {
            "{prefix} {spinner} {bytes} {msg} {elapsed}"
        };
        bar.set_style(style(template));
        bar.set_prefix("importing");
        Self { bar, reported: AtomicU64::new(0) }
    }

    /// The file was read up to `bytes_read`.
    pub(crate) fn advance(&self, bytes_read: u64, summary: &Summary) {
        self.bar.set_position(bytes_read);
        let seconds = self.bar.elapsed().as_secs_f64().max(0.001);
        let rate = (summary.produced + summary.known) as f64 / seconds;
        self.bar.set_message(format!("{} messages, {rate:.0}/s", summary.produced + summary.known));
    }

    /// A line was refused.
    pub(crate) fn refused(&self, number: u64, problem: &str) {
        let reports = self.reported.fetch_add(1, Ordering::Relaxed);
        if reports < MAX_REPORTS {
            self.say(&format!("line {number}: {problem}"));
        } else if reports == MAX_REPORTS {
            self.say("more lines are refused; they are counted but no longer shown");
        }
    }

    /// Everything is read; the log is still confirming.
    pub(crate) fn confirming(&self) {
        self.bar.set_prefix("confirming");
    }

    /// Everything is in the log; the store has `stored` of `total` records.
    pub(crate) fn storing(&self, stored: u64, total: u64) {
        self.bar.set_style(style("{prefix} {wide_bar} {pos}/{len} {per_sec} {eta} left"));
        self.bar.set_prefix("storing");
        self.bar.set_length(total);
        self.bar.set_position(stored);
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }

    fn say(&self, sentence: &str) {
        // A hidden bar (no terminal) prints nothing by itself.
        self.bar.suspend(|| drop(writeln!(std::io::stderr(), "{sentence}")));
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
