//! Why an export cannot be read, or not further; each says in which file.

use std::io;

use crate::Stopped;

/// Why an export cannot be read, or not further.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The system's.
    #[error("{file} cannot be read: {source}")]
    Io {
        /// Which file.
        file: String,
        /// Why.
        source: io::Error,
    },
    /// Not the form that the format has.
    #[error("{file} is not of the expected form: {problem}")]
    Form {
        /// Which file.
        file: String,
        /// What is wrong, and where.
        problem: String,
    },
    /// An archive that nobody made in good faith, or that is damaged.
    #[error("{archive} is not unpacked: {problem}")]
    Archive {
        /// Which archive.
        archive: String,
        /// Why.
        problem: String,
    },
    /// Which format it is cannot be told.
    #[error("{0} is no export that is known here; --format says which one it is")]
    Unknown(String),
    /// What must be in it is not.
    #[error("{archive} has no {missing}, which every export of this kind has")]
    Missing {
        /// Which archive or folder.
        archive: String,
        /// The file that is missing.
        missing: &'static str,
    },
    /// Something that only the person who imports knows.
    #[error("{0}")]
    Ask(String),
    /// Whoever takes the items does not want more.
    #[error("the reading was stopped")]
    Stopped,
}

impl From<Stopped> for ReadError {
    fn from(_: Stopped) -> Self {
        Self::Stopped
    }
}

impl ReadError {
    pub(crate) fn io(file: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let file = file.into();
        move |source| Self::Io { file, source }
    }

    pub(crate) fn form(file: impl Into<String>, problem: impl ToString) -> Self {
        Self::Form { file: file.into(), problem: problem.to_string() }
    }
}
