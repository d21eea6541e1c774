//! The progress bar: bytes of the file, messages, rate, remaining time; without a terminal, a line now and
//! then.

use std::io::Write;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use milena_import::Origin;

use super::Summary;

/// Refused lines that are reported one by one; a wrong file must not fill the terminal.
const MAX_REPORTS: u64 = 50;
/// Between two lines where there is no terminal: often enough to see that it lives, seldom enough for a log.
const LINE_EVERY: Duration = Duration::from_secs(5);

/// Shown on standard error.
pub(crate) struct Progress {
    bar: ProgressBar,
    bytes_total: Option<u64>,
    reported: AtomicU64,
    /// When the last plain line was written.
    last_line: Mutex<Instant>,
    line_every: Duration,
}

impl Progress {
    /// A bar over `bytes_total`, or a spinner when the length is unknown.
    #[must_use]
    pub(crate) fn new(bytes_total: Option<u64>) -> Self {
        let bar = bytes_total.map_or_else(ProgressBar::new_spinner, ProgressBar::new);
        let last_line = Mutex::new(Instant::now());
        let progress =
            Self { bar, bytes_total, reported: AtomicU64::new(0), last_line, line_every: LINE_EVERY };
        progress.reading();
        progress
    }

    /// The file is read (again).
    pub(crate) fn reading(&self) {
        let template = if let Some(bytes) = self.bytes_total {
            self.bar.set_length(bytes);
            "{prefix} {wide_bar} {bytes}/{total_bytes} {msg} {eta} left"
        } else {
            "{prefix} {spinner} {bytes} {msg} {elapsed}"
        };
        self.bar.set_style(style(template));
        self.bar.set_prefix("importing");
    }

    /// The file was read up to `bytes_read`.
    pub(crate) fn advance(&self, bytes_read: u64, summary: &Summary) {
        self.bar.set_position(bytes_read);
        let seconds = self.bar.elapsed().as_secs_f64().max(0.001);
        let messages = summary.produced + summary.known;
        let rate = messages as f64 / seconds;
        self.bar.set_message(format!("{messages} messages, {rate:.0}/s"));
        self.line(|| {
            let part = self.bytes_total.filter(|total| *total > 0);
            let part = part.map(|total| format!(", {} % of the file", bytes_read.min(total) * 100 / total));
            format!("importing: {messages} messages{}, {rate:.0}/s", part.unwrap_or_default())
        });
    }

    /// A line, or an entry of an export, was refused.
    pub(crate) fn refused(&self, origin: &Origin, problem: &str) {
        let reports = self.reported.fetch_add(1, Ordering::Relaxed);
        if reports < MAX_REPORTS {
            self.say(&format!("{origin}: {problem}"));
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
        self.line(|| format!("storing: {stored} of {total} records of the log"));
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }

    /// A plain line where nobody sees a bar, if it is time for one.
    fn line(&self, sentence: impl FnOnce() -> String) {
        if !self.bar.is_hidden() {
            return;
        }
        let mut last = self.last_line.lock().unwrap_or_else(PoisonError::into_inner);
        if last.elapsed() >= self.line_every {
            *last = Instant::now();
            self.say(&sentence());
        }
    }

    /// What is to be said once.
    pub(crate) fn say_all(&self, sentences: &[String]) {
        sentences.iter().for_each(|sentence| self.say(sentence));
    }

    fn say(&self, sentence: &str) {
        // A hidden bar (no terminal) prints nothing by itself.
        self.bar.suspend(|| drop(writeln!(std::io::stderr(), "{sentence}")));
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_terminal_a_line_now_and_then() {
        let mut progress = Progress::new(Some(100));
        progress.bar.set_draw_target(indicatif::ProgressDrawTarget::hidden());
        progress.line(|| unreachable!("not at once"));
        progress.line_every = Duration::ZERO;
        let mut said = 0;
        for _ in 0..3 {
            progress.line(|| {
                said += 1;
                "importing: 1 messages, 1 % of the file, 1/s".to_owned()
            });
        }
        assert_eq!(said, 3);
    }
}
