//! How what was answered, shown and stored agrees.

use std::collections::BTreeMap;
use std::fmt;

/// Told one by one, at most.
const TOLD: usize = 20;

#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) sent: usize,
    pub(super) accepted: usize,
    /// Refused for good, and why.
    pub(super) refused: BTreeMap<String, usize>,
    pub(super) changes: usize,
    pub(super) changes_refused: BTreeMap<String, usize>,
    /// Records that are void, by why.
    pub(super) void: BTreeMap<&'static str, usize>,
    pub(super) repeats: u64,
    /// What devices had to be shown, and were.
    pub(super) due: usize,
    pub(super) shown: usize,
    /// Messages that devices hold, and those of them that were changed.
    pub(super) held: usize,
    pub(super) held_changed: usize,
    /// Before the owner's going, of which the device heard only when it came back: nothing is told then.
    pub(super) excused: usize,
    pub(super) reconnects: usize,
    pub(super) resumed: usize,
    pub(super) gaps: usize,
    pub(super) sent_again: usize,
    pub(super) refused_for_now: BTreeMap<String, usize>,
    /// What must not be: counted by what it is, and some of it told.
    pub(super) wrong: BTreeMap<&'static str, usize>,
    pub(super) told: Vec<String>,
}

impl Findings {
    pub(super) fn wrong(&mut self, what: &'static str, detail: impl FnOnce() -> String) {
        *self.wrong.entry(what).or_default() += 1;
        if self.told.len() < TOLD {
            self.told.push(format!("{what}: {}", detail()));
        }
    }

    pub(super) fn must_agree(&self) {
        assert!(self.wrong.is_empty(), "{:?}\n{}", self.wrong, self.told.join("\n"));
        assert!(self.accepted > self.sent / 2, "most of what is said is said by members: {self}");
        assert!(self.held_changed > 0, "much is done to messages: {self}");
        assert!(20 * self.excused <= self.due, "little may be left out: {self}");
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} messages sent, {} accepted, refused {:?}; {} changes, refused {:?}; void in the log {:?}, {} \
             repeats; {} of {} shown, {} excused; {} held, {} of them changed; {} \
             reconnects, {} resumed, {} gaps, {} sent again, refused for now {:?}; wrong {:?}",
            self.sent,
            self.accepted,
            self.refused,
            self.changes,
            self.changes_refused,
            self.void,
            self.repeats,
            self.shown,
            self.due,
            self.excused,
            self.held,
            self.held_changed,
            self.reconnects,
            self.resumed,
            self.gaps,
            self.sent_again,
            self.refused_for_now,
            self.wrong,
        )
    }
}
