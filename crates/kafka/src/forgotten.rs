//! A client that has forgotten every broker.
//!
//! librdkafka drops the brokers that an answer to a metadata request does not name, also when it names none
//! at all, as Kafka's first answers after it was suspended may. Such a client asks nobody any more, reports
//! nothing and never comes back (confluentinc/librdkafka issue 5301, open; versions from 2.12 on). Only its
//! statistics tell, and only a new client helps.

use std::sync::atomic::{AtomicU32, Ordering};

use rdkafka::Statistics;

use crate::LogError;

/// Statistics in a row that know no broker, until it counts: a healthy client that begins anew at
/// `bootstrap.servers` may have none for a moment.
const IN_A_ROW: u32 = 3;

/// Judges one client by its statistics, which it must be made to give (`statistics.interval.ms`).
#[derive(Debug, Default)]
pub struct Forgotten {
    /// Counted by the client's statistics callback, read by whoever owns the client.
    in_a_row: AtomicU32,
}

impl Forgotten {
    /// Takes the next statistics.
    pub fn look(&self, statistics: &Statistics) {
        // The others are librdkafka's own: no connections of theirs lead to the cluster.
        let knows_one =
            statistics.brokers.values().any(|broker| ["learned", "configured"].contains(&&*broker.source));
        if knows_one {
            self.in_a_row.store(0, Ordering::Relaxed);
        } else {
            self.in_a_row.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Whether the client will never come back.
    #[must_use]
    pub fn is_certain(&self) -> bool {
        self.in_a_row.load(Ordering::Relaxed) >= IN_A_ROW
    }
}

/// Puts a new client in the place of one that has forgotten all brokers; `what` names it in the log. Whether
/// there is a new one: if none could be made, the old one stays.
pub fn take_over<T: Send + 'static>(
    client: &mut T,
    what: &str,
    connect: impl FnOnce() -> Result<T, LogError>,
) -> bool {
    log::warn!("a new {what} takes over: the old one has forgotten all brokers");
    match connect() {
        Ok(new) => {
            let old = std::mem::replace(client, new);
            // Closing a client can block for a while.
            std::thread::spawn(move || drop(old));
            true
        }
        Err(error) => {
            log::error!(error:% = error; "no new {what} could be made");
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use rdkafka::statistics::Broker;

    use super::*;

    fn statistics(sources: &[&str]) -> Statistics {
        let broker =
            |source: &&str| (source.to_string(), Broker { source: source.to_string(), ..Broker::default() });
        Statistics { brokers: sources.iter().map(broker).collect(), ..Statistics::default() }
    }

    #[test]
    fn three_times_in_a_row_without_a_broker_of_the_cluster_is_certain() {
        let forgotten = Forgotten::default();
        let look = |sources: &[&str]| {
            forgotten.look(&statistics(sources));
            forgotten.is_certain()
        };
        assert!(!look(&["configured"]) && !look(&["learned", "logical"]));
        assert!(!look(&["logical", "internal"]) && !look(&[]) && !look(&["configured"]), "it began anew");
        assert!(!look(&["logical"]) && !look(&["internal"]) && look(&[]));
    }
}
