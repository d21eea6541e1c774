//! Why a broker does not start. Errors of single requests are answered in the protocol's own codes.

use std::net::SocketAddr;
use std::path::PathBuf;

/// Why the broker could not start.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    /// Somebody asked to listen on the network without saying so twice.
    #[error("{0} is not an address of this machine alone: the log listens on 127.0.0.1 or [::1] only")]
    NotLoopback(SocketAddr),
    /// The port is taken or not permitted.
    #[error("cannot listen on {address}")]
    Listen {
        /// The wanted address.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// Another process holds the data folder.
    #[error(
        "the data folder {} is in use by another program{}",
        folder.display(),
        pid.map(|pid| format!(" (process {pid})")).unwrap_or_default()
    )]
    InUse {
        /// The folder.
        folder: PathBuf,
        /// The process that wrote the lock file, where it could be read.
        pid: Option<u32>,
    },
    /// A file in the data folder could not be read or written.
    #[error("cannot use {}", path.display())]
    Storage {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file in the data folder is there but makes no sense; the broker does not guess.
    #[error("{} is damaged: {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

impl BrokerError {
    /// Gives an I/O error the path that it happened at.
    pub(crate) fn storage(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Storage { path, source }
    }
}
