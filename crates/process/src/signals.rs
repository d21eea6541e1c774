//! Ctrl-C and SIGTERM: the first asks the program to stop, the second ends it at once.

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Exit status of a program that was ended by the second signal, as shells report SIGINT.
pub const INTERRUPTED: i32 = 130;

/// Cancels `stop` at the first signal and tells the person in front of the terminal. The task lives as long as the
/// process.
///
/// # Errors
/// When the system does not let the program listen to signals.
pub fn stop_on_signal(stop: CancellationToken) -> std::io::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::spawn(async move {
        for first in [true, false] {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            if first {
                if !stop.is_cancelled() {
                    eprintln!("\nstopping; press Ctrl-C again to stop at once");
                }
                stop.cancel();
            }
        }
        // Nothing accepted is lost by this: it is in the log, and the next start reads it from there.
        std::process::exit(INTERRUPTED);
    });
    Ok(())
}
