//! Why the consumer does not start, or stops by itself.

use milena_domain::Epoch;
use milena_domain::cure::{all_programs, command};
use milena_kafka::LogError;
use milena_storage::StorageError;
use rdkafka::error::KafkaError;

/// Each is one sentence for the person who starts the program. What waiting cures is not here: the consumer
/// waits.
#[derive(Debug, thiserror::Error)]
pub enum ConsumerError {
    /// Kafka cannot be reached or prepared, or does not belong to the store.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The store cannot be reached or read.
    #[error("the database cannot be used: {0}")]
    Store(#[from] StorageError),
    /// librdkafka gave up.
    #[error("the Kafka client stopped: {0}")]
    Client(#[from] KafkaError),
    /// Most records are bad.
    #[error(
        "most of the last records of topic {topic} cannot be read: stopped before more of them go to the \
         dead-letter topic; look at {}",
        command("dead list")
    )]
    TooManyDead {
        /// The topic.
        topic: String,
    },
    /// The database refuses everything.
    #[error("the database refuses what is written, not only single rows: {0}")]
    StoreRefuses(String),
    /// Somebody began a new epoch.
    #[error(
        "a new epoch began while this consumer ran (it works in {ours}, the store is in {store}): \
         start it again"
    )]
    EpochChanged {
        /// What this consumer started with.
        ours: Epoch,
        /// What the store says now.
        store: Epoch,
    },
    /// Somebody added partitions to the topic.
    #[error(
        "topic {topic} has got more partitions than the {known} that it had when this consumer started; \
         nothing was lost. Stop {}, set kafka.partitions to the new number, and run {}, which first stores \
         what was written before",
        all_programs(),
        command("new-epoch")
    )]
    Repartitioned {
        /// The topic.
        topic: String,
        /// Its partitions at the start.
        known: usize,
    },
    /// The log does not hold what comes next.
    #[error(
        "the log does not hold the next offset of a partition any more, or not yet: start again to see which \
         (the check at the start names it)"
    )]
    OutOfRange,
    /// The client knows no broker any more; see [`milena_kafka::Forgotten`]. Never the end of a run: a new
    /// one takes over.
    #[error("the Kafka client has forgotten all brokers")]
    Forgotten,
    /// The thread that reads Kafka ended by itself.
    #[error("the thread that reads Kafka ended unexpectedly")]
    ThreadEnded,
    /// The operating system gave no thread.
    #[error("no thread can be started: {0}")]
    Thread(#[source] std::io::Error),
}

impl ConsumerError {
    /// Whether a start that failed for this may succeed in a moment: what it needs comes up later than it
    /// does.
    pub(crate) fn passes(&self) -> bool {
        match self {
            Self::Log(error) => error.is_temporary(),
            Self::Store(error) => error.is_temporary(),
            _ => false,
        }
    }
}
