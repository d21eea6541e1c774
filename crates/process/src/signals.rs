//! Ctrl-C, SIGTERM and SIGHUP: the first asks the program to stop in order, a second one ends it at once.

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::complain;

/// Exit status of a program that was ended by the second signal, as shells report SIGINT.
pub const INTERRUPTED: i32 = 130;

/// Cancels `stop` at the first signal and tells the person in front of the terminal. The task lives as long
/// as the process.
///
/// A terminal that is closed sends SIGHUP, often twice (the kernel and the shell): it asks, but never
/// hurries. Who started the program with SIGHUP ignored (`nohup`) wants it to outlive the terminal, and it
/// does.
///
/// # Errors
/// When the system does not let the program listen to signals.
pub fn stop_on_signal(stop: CancellationToken) -> std::io::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hang_up =
        if is_ignored(SignalKind::hangup()) { None } else { Some(signal(SignalKind::hangup())?) };
    tokio::spawn(async move {
        let mut asked = false;
        loop {
            let hurries = tokio::select! {
                _ = interrupt.recv() => true,
                _ = terminate.recv() => true,
                () = received(&mut hang_up) => false,
            };
            if asked && hurries {
                // Nothing accepted is lost by this: it is in the log, and the next start reads it from there.
                std::process::exit(INTERRUPTED);
            }
            // Before anything is said: nothing that happens to the words may keep the program from stopping.
            let news = !stop.is_cancelled();
            stop.cancel();
            if news {
                complain("\nstopping; press Ctrl-C again to stop at once");
            }
            asked |= hurries;
        }
    });
    Ok(())
}

async fn received(signal: &mut Option<Signal>) {
    match signal {
        Some(signal) => drop(signal.recv().await),
        None => std::future::pending().await,
    }
}

/// Whether whoever started the program had it ignore the signal; false where the system does not say so.
fn is_ignored(kind: SignalKind) -> bool {
    std::fs::read_to_string("/proc/self/status").is_ok_and(|status| ignores(&status, kind))
}

fn ignores(status: &str, kind: SignalKind) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default();
    mask & (1 << (kind.as_raw_value() - 1)) != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nohup_is_seen() {
        // As the kernel says it of a program under nohup: SIGHUP (1) and SIGPIPE (13).
        let status = "Name:\tmilena\nSigBlk:\t0000000000000000\nSigIgn:\t0000000000001001\nSigCgt:\t0\n";
        assert!(ignores(status, SignalKind::hangup()));
        assert!(!ignores(status, SignalKind::terminate()));
        assert!(!ignores("", SignalKind::hangup()));
    }
}
