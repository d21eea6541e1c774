//! The catalogue file: what it holds and how it is read and replaced.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::BrokerError;
use crate::log::{Disk, durable};

/// The whole file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Stored {
    pub(super) cluster_id: String,
    /// No producer id from here on was ever given out.
    pub(super) next_producer_id: i64,
    pub(super) topics: Vec<StoredTopic>,
}

/// One topic.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct StoredTopic {
    pub(super) name: String,
    pub(super) id: Uuid,
    pub(super) partitions: usize,
    /// Settings that differ from the defaults, as they were given.
    pub(super) config: BTreeMap<String, String>,
}

impl Stored {
    /// Reads the file; a missing one is a new broker, and is written at once.
    pub(super) fn load(disk: &Disk, path: &Path) -> Result<Self, BrokerError> {
        match fs::read(path) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .map_err(|error| BrokerError::Damaged { path: path.to_owned(), reason: error.to_string() }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let cluster_id = Uuid::now_v7().simple().to_string();
                let new = Self { cluster_id, next_producer_id: 1, topics: Vec::new() };
                new.save(disk, path).map_err(BrokerError::storage(path))?;
                Ok(new)
            }
            Err(source) => Err(BrokerError::Storage { path: path.to_owned(), source }),
        }
    }

    /// Replaces the file.
    pub(super) fn save(&self, disk: &Disk, path: &Path) -> io::Result<()> {
        durable::replace(disk, path, &serde_json::to_vec_pretty(self).map_err(io::Error::other)?)
    }
}
