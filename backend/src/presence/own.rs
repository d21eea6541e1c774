//! The people whose sockets are on this node, and what the others were told of them. Pure: the time is handed
//! in.
//!
//! What was told is what everybody shows, this node too, so that all nodes show the same. Whoever hides looks
//! exactly like somebody whose last socket went: the same pause, the same "last seen".

use std::collections::{BTreeSet, HashMap};

use milena_domain::{Availability, Timestamp, UserId};
use tokio::time::Instant;

use super::{OFFLINE_AFTER, TOLD_AT_MOST_EVERY};
use crate::registry::ConnectionId;

/// What is to be told to everybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Transition {
    pub(super) user: UserId,
    /// `None` is offline.
    pub(super) state: Option<Availability>,
    /// Of somebody who is offline: since when.
    pub(super) since: Timestamp,
}

/// Now, by the clock that only goes forward and by that of the wall.
#[derive(Debug, Clone, Copy)]
pub(super) struct Now {
    pub(super) at: Instant,
    pub(super) wall: Timestamp,
}

/// Bounded by the connections of this node, and those that went within [`OFFLINE_AFTER`].
#[derive(Debug, Default)]
pub(super) struct Own {
    people: HashMap<UserId, Person>,
    /// Who is to be looked at again, and when; at most one entry a person.
    due: BTreeSet<(Instant, UserId)>,
}

#[derive(Debug)]
struct Person {
    /// Each with whether nobody sits before it.
    sockets: Vec<(ConnectionId, bool)>,
    is_hidden: bool,
    /// Since when there is nothing to be seen of them.
    gone: Option<Now>,
    told: Option<Availability>,
    told_at: Option<Instant>,
    due: Option<Instant>,
}

impl Person {
    const fn new(is_hidden: bool, now: Now) -> Self {
        Self { sockets: Vec::new(), is_hidden, gone: Some(now), told: None, told_at: None, due: None }
    }

    /// What there is to be seen of them.
    fn seen(&self) -> Option<Availability> {
        if self.is_hidden || self.sockets.is_empty() {
            return None;
        }
        let is_idle = self.sockets.iter().all(|(_, is_idle)| *is_idle);
        Some(if is_idle { Availability::Away } else { Availability::Online })
    }
}

impl Own {
    /// A socket of `user`, who hides or not, unless that is known.
    pub(super) fn connected(
        &mut self,
        user: UserId,
        id: ConnectionId,
        is_hidden: bool,
        now: Now,
    ) -> Option<Transition> {
        let person = self.people.entry(user).or_insert_with(|| Person::new(is_hidden, now));
        person.sockets.push((id, false));
        self.settle(user, now)
    }

    /// A socket went.
    pub(super) fn disconnected(&mut self, user: UserId, id: ConnectionId, now: Now) -> Option<Transition> {
        self.people.get_mut(&user)?.sockets.retain(|(other, _)| *other != id);
        self.settle(user, now)
    }

    /// Whether somebody sits before the socket.
    pub(super) fn idle(
        &mut self,
        user: UserId,
        id: ConnectionId,
        is_idle: bool,
        now: Now,
    ) -> Option<Transition> {
        let person = self.people.get_mut(&user)?;
        person.sockets.iter_mut().filter(|(other, _)| *other == id).for_each(|socket| socket.1 = is_idle);
        self.settle(user, now)
    }

    /// Whether the person wants to be seen.
    pub(super) fn hide(&mut self, user: UserId, is_hidden: bool, now: Now) -> Option<Transition> {
        self.people.get_mut(&user)?.is_hidden = is_hidden;
        self.settle(user, now)
    }

    /// Whether they are connected here and hide.
    pub(super) fn is_hidden(&self, user: UserId) -> bool {
        self.people.get(&user).is_some_and(|person| person.is_hidden)
    }

    /// Whether they sit before one of their sockets, whatever was told of it.
    pub(super) fn is_active(&self, user: UserId) -> bool {
        self.people.get(&user).is_some_and(|person| person.sockets.iter().any(|(_, is_idle)| !is_idle))
    }

    /// When [`Own::elapsed`] has something to do.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.due.first().map(|(at, _)| *at)
    }

    /// What became due.
    pub(super) fn elapsed(&mut self, now: Now) -> Vec<Transition> {
        let mut transitions = Vec::new();
        while let Some((at, user)) = self.due.first().copied()
            && at <= now.at
        {
            self.due.pop_first();
            if let Some(person) = self.people.get_mut(&user) {
                person.due = None;
            }
            transitions.extend(self.settle(user, now));
        }
        transitions
    }

    /// What was told of somebody.
    pub(super) fn told(&self, user: UserId) -> Option<Availability> {
        self.people.get(&user)?.told
    }

    /// Everything that was told and holds.
    pub(super) fn all_told(&self) -> impl Iterator<Item = (UserId, Availability)> {
        self.people.iter().filter_map(|(user, person)| Some((*user, person.told?)))
    }

    /// Compares what there is to be seen with what was told, and says what to tell now; or plans when to look
    /// again.
    fn settle(&mut self, user: UserId, now: Now) -> Option<Transition> {
        let person = self.people.get_mut(&user)?;
        let seen = person.seen();
        if seen.is_some() {
            person.gone = None;
        }
        let gone = if seen.is_none() { *person.gone.get_or_insert(now) } else { now };
        let again = person.told_at.map(|told_at| told_at + TOLD_AT_MOST_EVERY);
        let at = match (person.told, seen) {
            (told, seen) if told == seen => None,
            (Some(_), None) => {
                Some(again.map_or(gone.at + OFFLINE_AFTER, |at| at.max(gone.at + OFFLINE_AFTER)))
            }
            _ => Some(again.unwrap_or(now.at)),
        };
        let is_due = at.is_some_and(|at| at <= now.at);
        let due = at.filter(|_| !is_due);
        if person.due != due {
            if let Some(before) = person.due.take() {
                self.due.remove(&(before, user));
            }
            if let Some(due) = due {
                self.due.insert((due, user));
            }
            person.due = due;
        }
        let transition = is_due.then(|| {
            (person.told, person.told_at) = (seen, Some(now.at));
            Transition { user, state: seen, since: gone.wall }
        });
        if person.told.is_none() && person.sockets.is_empty() && person.due.is_none() {
            self.people.remove(&user);
        }
        transition
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;
    use crate::registry::{Outbox, Registry};

    struct Clock(Instant, i64);

    impl Clock {
        fn new() -> Self {
            Self(Instant::now(), 1_700_000_000_000)
        }

        fn now(&self) -> Now {
            Now { at: self.0, wall: Timestamp::from_unix_ms(self.1) }
        }

        fn later(&mut self, time: Duration) -> Now {
            self.0 += time;
            self.1 += i64::try_from(time.as_millis()).unwrap();
            self.now()
        }
    }

    fn ids<const N: usize>() -> [ConnectionId; N] {
        let registry = Registry::default();
        [(); N].map(|()| registry.register(UserId::new(), uuid::Uuid::nil(), Outbox::new(1, 1)).id())
    }

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn who_comes_back_in_time_was_never_away() {
        let (mut own, mut clock, user, [first, second]) =
            (Own::default(), Clock::new(), UserId::new(), ids());
        let online = own.connected(user, first, false, clock.now()).unwrap();
        assert_eq!(online.state, Some(Availability::Online));
        assert_eq!(own.disconnected(user, first, clock.later(SECOND)), None);
        assert_eq!(own.elapsed(clock.later(OFFLINE_AFTER - SECOND)), []);
        assert_eq!(own.connected(user, second, false, clock.now()), None);
        assert_eq!((own.elapsed(clock.later(OFFLINE_AFTER * 3)), own.deadline()), (vec![], None));
        let went = clock.later(SECOND);
        assert_eq!(own.disconnected(user, second, went), None);
        assert_eq!(own.deadline(), Some(went.at + OFFLINE_AFTER));
        let offline = own.elapsed(clock.later(OFFLINE_AFTER));
        assert_eq!(offline, [Transition { user, state: None, since: went.wall }]);
        assert!(own.people.is_empty() && own.due.is_empty());
    }

    #[test]
    fn somebody_is_away_when_nobody_sits_before_any_socket() {
        let (mut own, mut clock, user, [desk, phone]) = (Own::default(), Clock::new(), UserId::new(), ids());
        own.connected(user, desk, false, clock.now());
        own.connected(user, phone, false, clock.now());
        assert_eq!(own.idle(user, desk, true, clock.later(SECOND * 9)), None);
        let away = own.idle(user, phone, true, clock.later(SECOND)).unwrap();
        assert_eq!(away.state, Some(Availability::Away));
        // At once back: it is told when it may be told again, and only if it still holds.
        assert_eq!(own.idle(user, desk, false, clock.later(SECOND)), None);
        let back = own.elapsed(clock.later(SECOND));
        assert_eq!(back.iter().map(|told| told.state).collect::<Vec<_>>(), [Some(Availability::Online)]);
    }

    #[test]
    fn who_hides_looks_like_somebody_who_went() {
        let (mut own, mut clock, [one, other]) = (Own::default(), Clock::new(), ids());
        let (hides, goes) = (UserId::new(), UserId::new());
        own.connected(hides, one, false, clock.now());
        own.connected(goes, other, false, clock.now());
        let moment = clock.later(SECOND * 5);
        assert_eq!(own.hide(hides, true, moment), None);
        assert_eq!(own.disconnected(goes, other, moment), None);
        // What a hidden person does is nobody's business.
        assert_eq!(own.idle(hides, one, true, clock.later(SECOND)), None);
        let mut told = own.elapsed(clock.later(OFFLINE_AFTER - SECOND));
        told.sort_by_key(|told| told.user == goes);
        let gone = |user| Transition { user, state: None, since: moment.wall };
        assert_eq!(told, [gone(hides), gone(goes)]);
        assert!(own.is_hidden(hides) && !own.is_hidden(goes));
        let seen = own.hide(hides, false, clock.later(SECOND * 3)).unwrap();
        assert_eq!(seen.state, Some(Availability::Away));
        // Who comes hidden was never here.
        let stranger = UserId::new();
        assert_eq!(own.connected(stranger, other, true, clock.now()), None);
        assert_eq!(own.disconnected(stranger, other, clock.later(SECOND)), None);
        assert!(own.elapsed(clock.later(OFFLINE_AFTER * 2)).iter().all(|told| told.user != stranger));
    }

    #[derive(Debug, Clone)]
    enum Step {
        Connect(usize),
        Disconnect(usize),
        Idle(usize, bool),
        Hide(bool),
        Wait(u64),
    }

    proptest! {
        /// What is told is never repeated, never too often, and in the end what there is to be seen; nothing
        /// stays behind.
        #[test]
        fn in_the_end_the_truth_is_told(
            steps in prop::collection::vec(prop_oneof![
                (0..3_usize).prop_map(Step::Connect),
                (0..3_usize).prop_map(Step::Disconnect),
                (0..3_usize, any::<bool>()).prop_map(|(socket, on)| Step::Idle(socket, on)),
                any::<bool>().prop_map(Step::Hide),
                (0..60_u64).prop_map(Step::Wait),
            ], 0..60),
        ) {
            let (mut own, mut clock, user) = (Own::default(), Clock::new(), UserId::new());
            let sockets: [ConnectionId; 3] = ids();
            let mut open: HashMap<usize, bool> = HashMap::new();
            let (mut is_hidden, mut told) = (false, Vec::new());
            for step in steps {
                let now = clock.now();
                match step {
                    Step::Connect(socket) if !open.contains_key(&socket) => {
                        open.insert(socket, false);
                        let transition = own.connected(user, sockets[socket], is_hidden, now);
                        told.extend(transition.map(|it| (now.at, it)));
                    }
                    Step::Disconnect(socket) if open.remove(&socket).is_some() => {
                        told.extend(own.disconnected(user, sockets[socket], now).map(|it| (now.at, it)));
                    }
                    Step::Idle(socket, on) if open.contains_key(&socket) => {
                        open.insert(socket, on);
                        told.extend(own.idle(user, sockets[socket], on, now).map(|it| (now.at, it)));
                    }
                    Step::Hide(on) => {
                        is_hidden = on;
                        told.extend(own.hide(user, on, now).map(|it| (now.at, it)));
                    }
                    Step::Wait(seconds) => {
                        for _ in 0..seconds {
                            let now = clock.later(SECOND);
                            told.extend(own.elapsed(now).into_iter().map(|it| (now.at, it)));
                        }
                    }
                    _ => {}
                }
                let due: usize = own.people.values().filter(|person| person.due.is_some()).count();
                prop_assert_eq!(own.due.len(), due);
            }
            let now = clock.later(OFFLINE_AFTER + SECOND);
            told.extend(own.elapsed(now).into_iter().map(|it| (now.at, it)));
            let expected = if is_hidden || open.is_empty() {
                None
            } else if open.values().all(|is_idle| *is_idle) {
                Some(Availability::Away)
            } else {
                Some(Availability::Online)
            };
            prop_assert_eq!(own.told(user), expected);
            prop_assert!(own.due.is_empty());
            prop_assert_eq!(own.people.is_empty(), open.is_empty());
            let mut before = None;
            for (_, transition) in &told {
                prop_assert_ne!(transition.state, before);
                before = transition.state;
            }
            prop_assert_eq!(before, expected);
            // Somebody who was offline is a new person.
            for pair in told.windows(2).filter(|pair| pair[0].1.state.is_some()) {
                prop_assert!(pair[1].0 - pair[0].0 >= TOLD_AT_MOST_EVERY);
            }
        }
    }
}
