//! What every search index has to do. An engine says how one of its indexes is opened, and runs all of it by
//! `conformance!`.

pub(crate) mod answers;
pub(crate) mod changes;
pub(crate) mod random;

use std::future::Future;

use milena_search::Index;

/// Where one index of an engine is, empty at first.
pub(crate) trait Engine: Sized {
    type Index: Index;

    /// A place where nothing is yet.
    fn new() -> impl Future<Output = Self>;

    /// Opens what is there, as a process does that was started. The one that had it open before is gone.
    fn open(&self) -> impl Future<Output = Self::Index>;
}

/// All tests of the suite on an engine.
macro_rules! conformance {
    ($engine:ty) => {
        conformance!($engine, answers: every_language_is_found, facts_and_days_are_found, scope_is_kept,
            pages_are_the_whole_answer, what_fits_better_comes_first, what_nobody_may_see_is_not_found);
        conformance!($engine, changes: a_message_is_found_as_it_is_now, offsets_and_messages_are_one,
            what_was_not_committed_is_written_again, an_empty_commit_moves_on);
        conformance!($engine, random: answers_are_what_the_matcher_says);
    };
    ($engine:ty, $module:ident: $($name:ident),+) => {
        $(
            #[test]
            fn $name() {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(crate::conformance::$module::$name::<$engine>());
            }
        )+
    };
}
pub(crate) use conformance;
