//! What `verify` found: counts that must add up, and what is wrong, in words.

use milena_domain::record::Placed;
use milena_storage::{TimelineRow, TraceCounts};
use serde::Serialize;

use super::super::answer;
use super::body;

/// Differences that are told one by one; the others are counted.
const TOLD: usize = 100;
#[derive(Debug, Default, Serialize)]
pub(super) struct Findings {
    /// Records read.
    pub(super) records: u64,
    /// Rows that are exactly their record.
    pub(super) equal: u64,
    /// Events that count and have no row of their own: they change what stands earlier.
    pub(super) changes: u64,
    /// Records that were said earlier in the log, with the same content, or change nothing.
    pub(super) repeats: u64,
    /// Good records that do not count, by the fold.
    pub(super) void: u64,
    /// Repeats that say something else, or to somebody else, than the message that is stored: it may have
    /// been shown, and is not in the store. The first one counts; these are told one by one, at most
    /// [`TOLD`].
    pub(super) altered_repeats: Vec<String>,
    /// [`Findings::altered_repeats`], counted.
    pub(super) altered_repeat_count: u64,
    /// Records whose event was stored in an earlier epoch, or that repeat at an epoch's beginning what was.
    pub(super) earlier_epochs: u64,
    /// Bad records that are in the dead-letter topic.
    pub(super) dead_letters: u64,
    /// Rows of the current epoch in the store.
    pub(super) rows: u64,
    /// What is wrong, in words; at most [`TOLD`].
    pub(super) differences: Vec<String>,
    /// What is wrong, counted.
    pub(super) difference_count: u64,
}

impl Findings {
    pub(super) fn differ(&mut self, what: impl FnOnce() -> String) {
        self.difference_count += 1;
        if self.differences.len() < TOLD {
            self.differences.push(what());
        }
    }

    /// `row` has the repeated id.
    pub(super) fn repeat(&mut self, row: Option<&TimelineRow>, placed: &Placed, place: &str) {
        let (event, id) = (&placed.event, placed.event.id);
        // Each send has a time of its own; what was said, and to whom, is what a repeat must repeat.
        let other = row.filter(|row| {
            body(event).is_some_and(|body| {
                body.as_str() != row.body && row.edited.is_none() && row.deleted.is_none()
            }) || event.to.is_some_and(|to| to != row.to)
        });
        match (row, other) {
            (_, Some(row)) => {
                self.altered_repeat_count += 1;
                if self.altered_repeats.len() < TOLD {
                    let is_to_same = event.to.is_none_or(|to| to == row.to);
                    let what = if is_to_same { "with another text" } else { "to somebody else" };
                    let stored = row.position;
                    self.altered_repeats.push(format!(
                        "{place}: message {id} is repeated {what}; what counts is the first, at position \
                         {stored}"
                    ));
                }
            }
            (Some(row), None)
                if row.position.epoch_number() < placed.position.epoch_number() && row.at == event.at =>
            {
                self.earlier_epochs += 1;
            }
            _ => self.repeats += 1,
        }
    }

    /// What was not found wrong one by one must not be too much either. `reactions` and `mentions` are the
    /// log's.
    pub(super) fn count(&mut self, counts: TraceCounts, (reactions, mentions): (u64, u64)) {
        if self.difference_count > 0 {
            return;
        }
        let found = [
            (counts.rows, self.equal, "rows"),
            (counts.events, self.changes, "changes"),
            (counts.void, self.void, "void records"),
            (counts.reactions, reactions, "reactions"),
            (counts.mentions, mentions, "mentions"),
        ];
        for (stored, logged, what) in found {
            if stored != logged {
                self.differ(|| format!("the store has {stored} {what} but the log has {logged}"));
            }
        }
    }

    /// Whether every record that was read is accounted for.
    pub(super) fn is_balanced(&self) -> bool {
        let repeats = self.repeats + self.altered_repeat_count + self.earlier_epochs;
        self.records == self.equal + self.changes + repeats + self.void + self.dead_letters
    }
}

/// Tells people.
pub(super) fn print(topic: &str, findings: &Findings) {
    answer(format!("topic {topic}: {} records, {} rows in the store", findings.records, findings.rows));
    answer(format!(
        "{} equal, {} changes, {} repeats, {} altered repeats, {} of earlier epochs, {} void, \
         {} dead letters",
        findings.equal,
        findings.changes,
        findings.repeats,
        findings.altered_repeat_count,
        findings.earlier_epochs,
        findings.void,
        findings.dead_letters
    ));
    answer(format!(
        "balance: {} read {} {} stored + {} repeats + {} void + {} dead",
        findings.records,
        if findings.is_balanced() { "=" } else { "IS NOT" },
        findings.equal + findings.changes,
        findings.repeats + findings.altered_repeat_count + findings.earlier_epochs,
        findings.void,
        findings.dead_letters
    ));
    list(&findings.altered_repeats, findings.altered_repeat_count);
    list(&findings.differences, findings.difference_count);
    answer(match findings.difference_count {
        0 => "the store equals the log".to_owned(),
        count => format!("{count} DIFFERENCES"),
    });
}

fn list(told: &[String], count: u64) {
    for line in told {
        answer(line);
    }
    let untold = count - told.len() as u64;
    if untold > 0 {
        answer(format!("... and {untold} more"));
    }
}
