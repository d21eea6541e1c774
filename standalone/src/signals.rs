//! Ctrl-C and SIGTERM: the first asks the program to stop, the second ends it at once.

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Exit status of a program that was ended by the second Ctrl-C, as shells report SIGINT.
const INTERRUPTED: i32 = 130;

/// Cancels `stop` at the first signal. The task lives as long as the process.
///
/// # Errors
/// When the system does not let the program listen to signals.
pub(crate) fn stop_on_signal(stop: CancellationToken) -> std::io::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::spawn(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        if !stop.is_cancelled() {
            eprintln!("\nmilena: stopping; press Ctrl-C again to stop at once");
        }
        stop.cancel();
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        // Nothing accepted is lost by this: it is in the log, and the next start reads it from there.
        std::process::exit(INTERRUPTED);
    });
    Ok(())
}
