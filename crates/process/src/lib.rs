//! What every Milena program does at its edge: log lines, signals, words and last words, the same in all of
//! them.
//!
//! Guarantee: nothing that happens to standard output or standard error (closed, full, stopped, never read)
//! stops what a program does, or keeps it from stopping.

mod failure;
mod files;
mod logging;
mod outlet;
mod patience;
mod privacy;
mod signals;
mod words;

pub use failure::sentence;
pub use files::raise_open_files;
pub use logging::start_logging;
pub use patience::patiently;
pub use privacy::create_private_files;
pub use signals::{INTERRUPTED, stop_on_signal};
pub use words::{answer, complain, say, settle};
