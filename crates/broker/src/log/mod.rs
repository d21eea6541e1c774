//! Partitions on disk: append, sync, read, retain, recover.
//!
//! A partition is a folder of segments that hold the batches as they came. Everything here blocks and belongs
//! on blocking threads, except to look at a partition's `Progress`.

mod append;
mod batch;
mod disk;
pub(crate) mod durable;
mod index;
mod partition;
mod producers;
mod read;
mod recovery;
mod retention;
mod scan;
mod segment;
mod snapshot;
mod sync;

pub(crate) use append::{AppendError, Appended};
pub(crate) use batch::{BatchError, OffsetAtTime, latest_timestamp_ms};
pub(crate) use disk::{Disk, SyncedFile};
pub(crate) use index::path_of as index_path;
pub(crate) use partition::{Partition, PartitionOptions, Progress};
pub(crate) use read::ReadError;
pub(crate) use recovery::segment_bases;
pub(crate) use retention::RetentionLimits;
pub(crate) use segment::path_in as segment_path;
pub(crate) use snapshot::START_OFFSET;

#[cfg(test)]
pub(crate) use disk::faults;

#[cfg(test)]
mod tests;
