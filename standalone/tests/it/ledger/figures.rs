//! The figures of an audit: what must be equal, what must be zero, and what is merely told.

use std::collections::BTreeMap;
use std::fmt;

use crate::world::tell;

/// One audit.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    pub(crate) people: usize,
    pub(crate) devices: usize,
    pub(crate) seconds: f64,
    /// Messages that were written, accepted, stored.
    pub(crate) sent: usize,
    pub(crate) accepted: usize,
    pub(crate) stored: usize,
    /// A message on each device of both people, counted once each: what should be there, and what is.
    pub(crate) deliveries: usize,
    pub(crate) delivered: usize,
    /// Accepted, but not stored as it was sent, or missing on a device.
    pub(crate) lost: usize,
    /// Stored twice, or shown twice.
    pub(crate) duplicated: usize,
    /// Shown out of order, shown in another order than stored, or stored in another order than one device
    /// wrote it.
    pub(crate) reordered: usize,
    /// Stored or shown although nobody sent it, or to somebody whom it does not concern.
    pub(crate) foreign: usize,
    /// Answers to one message that differ from each other or from what is stored.
    pub(crate) contradictions: usize,
    /// Final refusals and error frames.
    pub(crate) refused: Vec<String>,
    /// Told: temporary refusals by code, connections after the first, of which resumed, gaps, known messages
    /// replayed.
    pub(crate) refused_for_now: BTreeMap<String, usize>,
    pub(crate) reconnects: usize,
    pub(crate) resumed: usize,
    pub(crate) gaps: usize,
    pub(crate) replayed_again: usize,
    /// For people: what was duplicated or reordered, and how it came.
    pub(crate) oddities: Vec<String>,
}

impl Figures {
    /// Prints the figures, past the capture of the test's output, and asserts what was promised.
    pub(crate) fn must_agree(&self, name: &str) {
        tell(&format!("{name}: {self}"));
        assert_eq!(self.refused, [""; 0], "{name}: refused for good");
        assert_eq!(
            (self.sent, self.sent),
            (self.accepted, self.stored),
            "{name}: sent, accepted and stored differ"
        );
        assert_eq!(self.deliveries, self.delivered, "{name}: not delivered to every device: {self}");
        let wrong = [self.lost, self.duplicated, self.reordered, self.foreign, self.contradictions];
        self.oddities.iter().for_each(|oddity| tell(oddity));
        assert_eq!(wrong, [0; 5], "{name}: lost, duplicated, reordered, foreign, contradictions: {self}");
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} people, {} devices, {:.1} s: sent {}, accepted {}, stored {}, delivered {} of {}; lost {}, \
             duplicated {}, reordered {}, foreign {}, contradictions {}; reconnects {}, resumed {}, gaps {}, \
             replayed again {}, refused for now {:?}",
            self.people,
            self.devices,
            self.seconds,
            self.sent,
            self.accepted,
            self.stored,
            self.delivered,
            self.deliveries,
            self.lost,
            self.duplicated,
            self.reordered,
            self.foreign,
            self.contradictions,
            self.reconnects,
            self.resumed,
            self.gaps,
            self.replayed_again,
            self.refused_for_now,
        )
    }
}
