//! Rules of this program that tests leave out, one at a time and on their own thread, to see that random
//! schedules notice. No other build has any of this.

use std::cell::Cell;

/// What is left out, or done wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mutation {
    /// A resume is not cut to the time of one's membership.
    ResumeShowsWhatWasBefore,
    /// It does not cut what changed of messages from before one's membership, either.
    ResumeTellsChangesFromBefore,
    /// Nor does live delivery.
    LiveTellsChangesFromBefore,
    /// Whoever may not see a message changes it.
    ChangesWhatMayNotBeSeen,
    /// A resume from memory passes over edits.
    ResumeForgetsEdits,
    /// A resume from the store tells of no change.
    ResumeForgetsStoredChanges,
    /// A gap says of no change that it is not told.
    GapForgetsChanges,
    /// What changed right behind the place that is asked for is passed over.
    ChangedAfterIsOneOff,
    /// The words of a deleted message stay in memory.
    DeletedWordsStay,
    /// A reaction that the store has counted is counted again from memory.
    ReactionCountsTwice,
    /// Somebody else's edit counts here.
    OthersEdit,
    /// Answers have what the store has, and not what memory knows beyond it.
    AnswersAreTheStores,
    /// A cursor goes beyond a change that waits.
    CursorPassesWhatWaits,
}

impl Mutation {
    /// Each.
    pub(crate) const ALL: [Self; 13] = [
        Self::ResumeShowsWhatWasBefore,
        Self::ResumeTellsChangesFromBefore,
        Self::LiveTellsChangesFromBefore,
        Self::ChangesWhatMayNotBeSeen,
        Self::ResumeForgetsEdits,
        Self::ResumeForgetsStoredChanges,
        Self::GapForgetsChanges,
        Self::ChangedAfterIsOneOff,
        Self::DeletedWordsStay,
        Self::ReactionCountsTwice,
        Self::OthersEdit,
        Self::AnswersAreTheStores,
        Self::CursorPassesWhatWaits,
    ];

    /// Whether this thread does without it now.
    pub(crate) fn is_on(self) -> bool {
        NOW.get() == Some(self)
    }

    /// This thread does without it until `run` has returned.
    pub(crate) fn during<T>(self, run: impl FnOnce() -> T) -> T {
        NOW.set(Some(self));
        let outcome = run();
        NOW.set(None);
        outcome
    }
}

thread_local! {
    static NOW: Cell<Option<Mutation>> = const { Cell::new(None) };
}
