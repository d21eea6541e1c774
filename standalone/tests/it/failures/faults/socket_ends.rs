//! Connections that a server gave up or lost, by its own account: what clients behind a silent line cannot
//! hear of.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

const METRIC: &str = "milena_socket_ends_total";
/// A server that is away is not waited for.
const PATIENCE: Duration = Duration::from_millis(500);

/// Of one server, since the first look.
pub(super) struct SocketEnds {
    url: String,
    http: reqwest::Client,
    /// What it said last: it begins again when it is started again.
    last: AtomicUsize,
    count: AtomicUsize,
}

impl SocketEnds {
    pub(super) fn of(server: SocketAddr) -> Self {
        let http = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().unwrap();
        Self { url: format!("http://{server}/metrics"), http, last: 0.into(), count: 0.into() }
    }

    /// Asks; nothing when there is no answer.
    pub(super) async fn look(&self) {
        let Ok(answer) = self.http.get(&self.url).send().await else { return };
        let Ok(text) = answer.text().await else { return };
        let values = text.lines().filter(|line| line.starts_with(METRIC));
        let now = values.filter_map(|line| line.rsplit(' ').next()?.parse::<usize>().ok()).sum();
        let last = self.last.swap(now, Ordering::Relaxed);
        self.count.fetch_add(now.saturating_sub(last), Ordering::Relaxed);
    }

    pub(super) fn count(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }
}
