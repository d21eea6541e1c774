//! What every Milena program does at its edge: log lines and signals, the same in all of them.

mod logging;
mod signals;

pub use logging::start_logging;
pub use signals::{INTERRUPTED, stop_on_signal};
