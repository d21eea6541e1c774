//! The outcome of the faults, as a table for people.

use std::fmt;
use std::time::Duration;

use crate::ledger::Figures;
use crate::world::tell;

/// One fault.
pub(super) struct Row {
    pub(super) place: String,
    pub(super) what: String,
    /// From its beginning until all was well again: of what was killed, until it answered.
    pub(super) lasted: Duration,
    /// From its beginning; `None` when it was over before anybody noticed.
    pub(super) noticed: Option<Duration>,
    /// From its end: the first that went through.
    pub(super) went_on: Duration,
    /// From its end: all that had waited.
    pub(super) caught_up: Duration,
    /// Of everything that was written so far, when it was judged.
    pub(super) judged: Option<Judged>,
}

/// What an audit found.
#[derive(Clone, Copy)]
pub(super) struct Judged {
    messages: usize,
    lost: usize,
    duplicated: usize,
    reordered: usize,
}

impl From<&Figures> for Judged {
    fn from(figures: &Figures) -> Self {
        let lost = figures.lost + figures.sent - figures.accepted;
        let Figures { sent: messages, duplicated, reordered, .. } = *figures;
        Self { messages, lost, duplicated, reordered }
    }
}

/// All faults of a run, in their order.
pub(super) struct Table {
    name: &'static str,
    rows: Vec<Row>,
}

impl Table {
    pub(super) const fn new(name: &'static str) -> Self {
        Self { name, rows: Vec::new() }
    }

    /// Takes a row and says it, in case the run does not come to its end.
    pub(super) fn push(&mut self, row: Row) {
        tell(&format!("fault on {}: {row}", self.name));
        self.rows.push(row);
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { place, what, lasted, noticed, went_on, caught_up, judged } = self;
        let noticed = noticed.map_or("–".to_owned(), seconds);
        let judged = judged.map_or("at the end".to_owned(), |judged| judged.to_string());
        let (lasted, went_on, caught_up) = (seconds(*lasted), seconds(*went_on), seconds(*caught_up));
        write!(f, "| {place} | {what} | {lasted} | {noticed} | {went_on} | {caught_up} | {judged} |")
    }
}

impl fmt::Display for Judged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { messages, lost, duplicated, reordered } = self;
        write!(f, "{lost} / {duplicated} / {reordered} of {messages}")
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}, times in seconds:\n", self.name)?;
        writeln!(
            f,
            "| where | fault | for | noticed after | went on after its end | caught up | \
             lost / doubled / reordered |"
        )?;
        writeln!(f, "|---|---|---|---|---|---|---|")?;
        self.rows.iter().try_for_each(|row| writeln!(f, "{row}"))
    }
}

fn seconds(duration: Duration) -> String {
    format!("{:.*}", if duration.as_secs() < 10 { 2 } else { 1 }, duration.as_secs_f64())
}
