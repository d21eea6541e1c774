//! What is put in order now and then while programs of before run on the same database: lists, folded names
//! and the numbers of messages, which they do not write. Where none runs, it is a look at an index that finds
//! nothing.

use std::time::Duration;

use milena_storage::Store;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

const EVERY: Duration = Duration::from_secs(10);

/// Works until `stop`.
pub(crate) async fn keep_in_order(store: Store, stop: CancellationToken) {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // Who was renamed by a program of before is found by reading everybody: once.
    let mut renamed_too = true;
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = ticks.tick() => {}
        }
        match store.fold_names(renamed_too).await {
            Ok(()) => renamed_too = false,
            Err(error) => log::warn!(error:%; "names could not be folded; tried again"),
        }
        match store.mend_lists().await {
            Ok(true) => {
                log::info!("conversation lists were brought up to date after an older consumer");
                // It numbers no messages either.
                if let Err(error) = store.number_messages().await {
                    log::warn!(error:%; "messages could not be numbered before their conversation goes on");
                }
            }
            Ok(false) => {}
            Err(error) => {
                log::warn!(error:%; "conversation lists could not be brought up to date; tried again");
            }
        }
    }
}
