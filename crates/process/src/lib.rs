//! What every Milena program does at its edge: log lines, signals and last words, the same in all of
//! them.

mod failure;
mod files;
mod logging;
mod signals;

pub use failure::sentence;
pub use files::raise_open_files;
pub use logging::start_logging;
pub use signals::{INTERRUPTED, stop_on_signal};
