//! What can go wrong with an index, and whether making it again would help.

use std::path::PathBuf;

/// An index that does not do what it was asked to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IndexError {
    /// Exactly one process holds an index in a folder.
    #[error("the search index in {} is in use by another process; only one can hold it", folder.display())]
    InUse {
        /// Where it is.
        folder: PathBuf,
    },
    /// It was made by another version of the program. To be made again from the log.
    #[error("the search index has format {found}, this program has {expected}; it must be made again")]
    OtherFormat {
        /// What is there.
        found: String,
        /// What this program writes and reads.
        expected: u32,
    },
    /// Its files are not what was written. To be made again from the log.
    #[error("the search index is damaged and must be made again: {what}")]
    Damaged {
        /// What was seen.
        what: String,
    },
    /// The disk or the network did not do its part; it may do so later.
    #[error("the search index cannot be read or written: {what}")]
    Unavailable {
        /// What was seen.
        what: String,
    },
    /// It failed in a way that it never should, be it by a mistake in the engine. Whether its files are good
    /// says checking them; making it again because of a question would hand that to whoever asks it.
    #[error("the search index failed in a way that it never should")]
    Failed,
}

impl IndexError {
    /// Whether only making the index again helps.
    #[must_use]
    pub const fn needs_rebuild(&self) -> bool {
        matches!(self, Self::OtherFormat { .. } | Self::Damaged { .. })
    }
}
