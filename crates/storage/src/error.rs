//! The two errors of this layer: one for queries, one for the writer, whose callers decide by it what happens
//! next.

use milena_domain::{ConversationId, Epoch, Position};
use sea_orm::{DbErr, RuntimeErr, SqlxError};

use crate::failure::{Failure, failure_of};

/// Why a query gave no answer. Never holds message bodies, tokens or passwords.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// Temporary: no connection in time, no answer in time, locked, a deadlock, a server that restarts. Try
    /// again.
    #[error("the database is not available: {0}")]
    Unavailable(DbErr),
    /// Somebody has this username already, in whatever case.
    #[error("the username is taken")]
    UsernameTaken,
    /// A row that this program cannot have written, or a database that was never migrated.
    #[error("the stored data is corrupt: {0}")]
    Corrupt(String),
    /// The database is there and refuses what must be done: rights, a file that cannot be written, a missing
    /// table. It goes on when a person has mended that.
    #[error("the database refuses, which somebody has to mend: {0}")]
    NeedsRepair(DbErr),
    /// The database, or its URL, cannot be used as it is.
    #[error("{0}")]
    Unfit(String),
    /// A mistake of configuration or of this program.
    #[error("the database refused: {0}")]
    Other(DbErr),
}

impl StorageError {
    /// Whether the same call can succeed later without anybody repairing anything.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }

    /// Whether it will succeed later, by itself or when somebody has mended the database: a program that runs
    /// waits.
    #[must_use]
    pub fn is_worth_waiting_for(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::NeedsRepair(_))
    }

    pub(crate) fn corrupt(what: impl Into<String>) -> Self {
        Self::Corrupt(what.into())
    }
}

impl From<DbErr> for StorageError {
    fn from(error: DbErr) -> Self {
        if let DbErr::Custom(sentence) = error {
            return Self::Unfit(sentence);
        }
        match failure_of(&error) {
            Failure::Temporary => Self::Unavailable(error),
            Failure::Repair => Self::NeedsRepair(error),
            Failure::BadData | Failure::Other => Self::Other(error),
        }
    }
}

/// Why a batch was not written. Nothing of it is stored, except where [`WriteError::Transient`] says
/// otherwise.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The stored offset is not where the batch begins. Either another consumer has written this partition,
    /// or an earlier attempt at this batch was committed although its answer got lost (`found` is then the
    /// batch's end). In both cases: read [`crate::Store::log_position`] and go on from there.
    #[error(
        "partition {partition} is stored up to offset {found}, not {expected}: another consumer wrote it"
    )]
    Fenced {
        /// The partition.
        partition: i32,
        /// Where the batch begins.
        expected: i64,
        /// The stored next offset.
        found: i64,
    },
    /// The batch belongs to an epoch that has ended. This consumer must stop: it may be reading another log.
    #[error("the batch is of epoch {given} but the current epoch is {current}")]
    StaleEpoch {
        /// The batch's epoch.
        given: Epoch,
        /// The newest epoch of the store.
        current: Epoch,
    },
    /// Try the same batch again, for as long as it takes. If the connection broke during the commit, the
    /// batch may be stored after all; the next attempt is then [`WriteError::Fenced`].
    #[error("the batch could not be written now: {0}")]
    Transient(DbErr),
    /// Try the same batch again, for as long as it takes; and tell somebody, who has to mend the database
    /// first.
    #[error("the batch is refused until somebody mends the database: {0}")]
    NeedsRepair(DbErr),
    /// An event whose id the store has had for longer than a repeat is looked for, although its record claims
    /// that somebody has looked: it must become a dead letter (`false_proof`), and the batch be written
    /// without it.
    #[error("the event at {position} was said long ago, which its proof denies")]
    FalseProof {
        /// Its conversation: with the position its place, since positions of partitions are alike.
        conversation: ConversationId,
        /// Its position.
        position: Position,
    },
    /// A row that the database will never take, such as one whose position another message has. Only this is
    /// a reason to look for the bad row and dead-letter it.
    #[error("the batch has a row that cannot be stored: {0}")]
    Permanent(DbErr),
}

impl From<DbErr> for WriteError {
    /// Anything but bad data is worth another attempt: a missing table or permission is mended by a person,
    /// and must not send good messages to the dead letters meanwhile.
    fn from(error: DbErr) -> Self {
        match failure_of(&error) {
            Failure::BadData => Self::Permanent(error),
            Failure::Repair => Self::NeedsRepair(error),
            Failure::Temporary | Failure::Other => Self::Transient(error),
        }
    }
}

impl From<SqlxError> for WriteError {
    fn from(error: SqlxError) -> Self {
        DbErr::Exec(RuntimeErr::SqlxError(error.into())).into()
    }
}

impl From<StorageError> for WriteError {
    fn from(error: StorageError) -> Self {
        match error {
            StorageError::Unavailable(error)
            | StorageError::NeedsRepair(error)
            | StorageError::Other(error) => error.into(),
            other => Self::Transient(DbErr::Custom(other.to_string())),
        }
    }
}

/// What an error says of the database as a whole, for whoever watches over it.
pub(crate) trait Diagnosis {
    /// [`Failure::Temporary`] or [`Failure::Repair`]; `None` when the fault is not the database's.
    fn diagnosis(&self) -> Option<Failure>;
}

impl Diagnosis for StorageError {
    fn diagnosis(&self) -> Option<Failure> {
        match self {
            Self::Unavailable(_) => Some(Failure::Temporary),
            Self::NeedsRepair(_) => Some(Failure::Repair),
            _ => None,
        }
    }
}

impl Diagnosis for WriteError {
    fn diagnosis(&self) -> Option<Failure> {
        match self {
            Self::Transient(_) => Some(Failure::Temporary),
            Self::NeedsRepair(_) => Some(Failure::Repair),
            _ => None,
        }
    }
}

/// No answer within the limit.
pub(crate) fn timed_out(limit: std::time::Duration) -> DbErr {
    DbErr::Conn(RuntimeErr::Internal(format!("no answer within {} ms", limit.as_millis())))
}
