//! How often it is told that somebody is writing. Pure: the time is handed in.

use std::collections::HashMap;
use std::time::Duration;

use milena_domain::{ConversationId, UserId};
use tokio::time::Instant;

/// That somebody is writing is told at most this often; pages take it for over after twice that.
const AT_MOST_EVERY: Duration = Duration::from_secs(3);
/// People who are remembered; beyond, those who wrote longest ago are forgotten, and all when none did.
const MOST: usize = 10_000;

/// Who was told to be writing last, and when.
#[derive(Debug, Default)]
pub(super) struct Typing {
    told: HashMap<(UserId, ConversationId), (Instant, bool)>,
}

impl Typing {
    /// Whether it is to be told: that somebody writes now and then, that they stopped once.
    pub(super) fn may_tell(
        &mut self,
        user: UserId,
        conversation: ConversationId,
        on: bool,
        now: Instant,
    ) -> bool {
        if self.told.len() >= MOST {
            self.told.retain(|_, (at, _)| *at + AT_MOST_EVERY > now);
        }
        if self.told.len() >= MOST {
            self.told.clear();
        }
        let key = (user, conversation);
        match (self.told.get(&key).copied(), on) {
            (Some((at, _)), true) if now < at + AT_MOST_EVERY => false,
            (_, true) => {
                self.told.insert(key, (now, true));
                true
            }
            // The time stays: who starts again at once is not told again at once.
            (Some((at, true)), false) => {
                self.told.insert(key, (at, false));
                true
            }
            (_, false) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_told_now_and_then_and_its_end_once() {
        let (mut typing, ann, now) = (Typing::default(), UserId::new(), Instant::now());
        let (here, there) = (ConversationId::direct(ann, ann), ConversationId::direct(ann, UserId::new()));
        let second = Duration::from_secs(1);
        assert!(!typing.may_tell(ann, here, false, now), "nobody heard of it");
        assert!(typing.may_tell(ann, here, true, now) && typing.may_tell(ann, there, true, now));
        assert!(!typing.may_tell(ann, here, true, now + second * 2));
        assert!(typing.may_tell(ann, here, false, now + second * 2));
        assert!(!typing.may_tell(ann, here, false, now + second * 2), "once");
        assert!(!typing.may_tell(ann, here, true, now + second * 2), "on and off is no way around");
        assert!(typing.may_tell(ann, here, true, now + AT_MOST_EVERY));
        for _ in 0..3 * MOST {
            typing.may_tell(UserId::new(), here, true, now);
        }
        assert!(typing.told.len() <= MOST);
    }
}
