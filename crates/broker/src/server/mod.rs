//! The listener and its connections: bytes to requests, answers to bytes.

mod access;
mod connection;
mod frame;
pub(crate) mod scram;
mod shape;
mod strangers;

use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use self::strangers::Strangers;
use crate::broker::Shared;

/// How long to wait after the system refused to accept, for instance because there are too many open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Accepts connections until the broker stops.
pub(crate) async fn serve(shared: Arc<Shared>, listener: TcpListener) {
    // One permit a connection, held as long as it lives; without one it is closed at once.
    let slots = Arc::new(Semaphore::new(shared.config.max_connections));
    let strangers = Strangers::new(shared.config.max_strangers);
    loop {
        let accepted = tokio::select! {
            () = shared.stopping.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                log::warn!(error:%; "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let Ok(slot) = Arc::clone(&slots).try_acquire_owned() else {
            log::warn!(peer:%, max_connections = shared.config.max_connections; "too many connections");
            continue;
        };
        let stranger = shared.asks_for_secret().then(|| strangers.admit());
        let shared = Arc::clone(&shared);
        shared.tasks.clone().spawn(async move {
            connection::serve(shared, stream, peer, stranger).await;
            drop(slot);
        });
    }
}
