//! How long the faults are, and what that asks of the settings.

use crate::world::Variables;

/// Longer than heartbeat and pong of the defaults together: a silence that both sides notice.
const NOTICED_BY_CLIENTS: f64 = 45.0;

/// Short for every day, or long.
pub(super) struct Plan {
    /// Of each fault.
    pub(super) seconds: Vec<f64>,
    pub(super) is_long: bool,
}

impl Plan {
    pub(super) fn from_environment() -> Self {
        match std::env::var("MILENA_TEST_FAULT_SECONDS") {
            Ok(list) => {
                let seconds = list.split(',').map(|text| text.trim().parse().expect("a number of seconds"));
                Self { seconds: seconds.collect(), is_long: true }
            }
            Err(_) => Self { seconds: vec![2.0], is_long: false },
        }
    }

    /// Silences between clients and server.
    pub(super) fn seconds_of_clients(&self) -> Vec<f64> {
        let longest = self.is_long.then_some(NOTICED_BY_CLIENTS);
        self.seconds.iter().copied().chain(longest).collect()
    }

    /// Silence is noticed by heartbeats and time-outs; the short run has short ones.
    pub(super) fn settings(&self) -> Variables {
        if self.is_long {
            return Variables::new();
        }
        let set = |name, value: &str| (name, value.to_owned());
        vec![
            set("MILENA__SOCKET__HEARTBEAT_MS", "1000"),
            set("MILENA__SOCKET__PONG_TIMEOUT_MS", "500"),
            set("MILENA__DELIVERY__SEND_TIMEOUT_MS", "1200"),
            set("MILENA__DATABASE__ACQUIRE_TIMEOUT_MS", "1000"),
        ]
    }
}
