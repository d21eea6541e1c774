//! Rooms are heard by exactly the sockets of their members, whoever is expected, comes, goes, lingers and is
//! forgotten: compared after each step with a model that keeps nothing but who is in what.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::super::rooms::LINGERING_MAX;
use super::*;

const PEOPLE: u128 = 4;
const ROOMS: u128 = 3;

fn person(n: u128) -> UserId {
    UserId::from_uuid(Uuid::from_u128(n))
}

fn room(n: u128) -> ConversationId {
    ConversationId::from_uuid(Uuid::from_u128(1_000 + n))
}

#[derive(Debug, Clone)]
enum Step {
    Expect(u128),
    /// Whoever was expected has come, or will not.
    Arrive(usize),
    Know(u128, BTreeSet<u128>),
    Enter(u128, u128),
    Leave(u128, u128),
    Register(u128),
    Drop(usize),
    Deliver(u128, Vec<usize>),
    Unfollow(u128),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let rooms = || prop::collection::btree_set(0..ROOMS, 0..=ROOMS as usize);
    let step = prop_oneof![
        3 => (0..PEOPLE).prop_map(Step::Expect),
        3 => (0_usize..6).prop_map(Step::Arrive),
        4 => (0..PEOPLE, rooms()).prop_map(|(user, rooms)| Step::Know(user, rooms)),
        4 => (0..PEOPLE, 0..ROOMS).prop_map(|(user, room)| Step::Enter(user, room)),
        3 => (0..PEOPLE, 0..ROOMS).prop_map(|(user, room)| Step::Leave(user, room)),
        5 => (0..PEOPLE).prop_map(Step::Register),
        4 => (0_usize..10).prop_map(Step::Drop),
        6 => (0..ROOMS, prop::collection::vec(0_usize..10, 0..3))
            .prop_map(|(room, except)| Step::Deliver(room, except)),
        1 => (0..ROOMS).prop_map(Step::Unfollow),
    ];
    prop::collection::vec(step, 0..120)
}

/// What is known of somebody who is here.
#[derive(Debug, Default)]
struct Known {
    rooms: BTreeSet<u128>,
    is_complete: bool,
    sockets: usize,
    expected: usize,
}

impl Known {
    const fn is_coming(&self) -> bool {
        self.sockets + self.expected > 0
    }
}

#[derive(Debug, Default)]
struct Model(BTreeMap<u128, Known>);

impl Model {
    /// Whoever is neither connected nor expected, and of whom not all is known, is not here.
    fn forget_strangers(&mut self) {
        self.0.retain(|_, known| known.is_coming() || known.is_complete);
    }

    fn members(&self, room: u128) -> impl Iterator<Item = u128> {
        self.0.iter().filter(move |(_, known)| known.rooms.contains(&room)).map(|(user, _)| *user)
    }
}

struct Socket {
    user: u128,
    registration: Registration,
    outbox: Outbox,
    heard: usize,
}

proptest! {
    #[test]
    fn rooms_are_heard_by_exactly_the_sockets_of_their_members(steps in steps()) {
        let registry = Registry::default();
        let mut model = Model::default();
        let mut expected: Vec<(u128, Expectation)> = Vec::new();
        let mut sockets: Vec<Socket> = Vec::new();
        for step in steps {
            match step {
                Step::Expect(user) => {
                    expected.push((user, registry.expect(person(user))));
                    model.0.entry(user).or_default().expected += 1;
                }
                Step::Arrive(index) if index < expected.len() => {
                    let (user, expectation) = expected.swap_remove(index);
                    drop(expectation);
                    model.0.entry(user).and_modify(|known| known.expected -= 1);
                }
                Step::Know(user, rooms) => {
                    registry.know_rooms(person(user), rooms.iter().map(|number| room(*number)));
                    if let Some(known) = model.0.get_mut(&user) {
                        (known.rooms, known.is_complete) = (rooms, true);
                    }
                }
                Step::Enter(user, number) => {
                    registry.enter(person(user), room(number));
                    model.0.entry(user).and_modify(|known| { known.rooms.insert(number); });
                    model.forget_strangers();
                }
                Step::Leave(user, number) => {
                    registry.leave(person(user), room(number));
                    model.0.entry(user).and_modify(|known| { known.rooms.remove(&number); });
                }
                Step::Register(user) => {
                    let outbox = Outbox::new(1_000, 1_000_000);
                    let registration = registry.register(person(user), Uuid::nil(), outbox.clone());
                    sockets.push(Socket { user, registration, outbox, heard: 0 });
                    model.0.entry(user).or_default().sockets += 1;
                }
                Step::Drop(index) if index < sockets.len() => {
                    let socket = sockets.swap_remove(index);
                    model.0.entry(socket.user).and_modify(|known| known.sockets -= 1);
                }
                Step::Arrive(_) | Step::Drop(_) => {}
                Step::Deliver(number, except) => {
                    let except: Vec<_> = except
                        .into_iter()
                        .filter_map(|index| Some(sockets.get(index)?.registration.id()))
                        .collect();
                    registry.deliver_in(room(number), &update(), &except);
                    let members: BTreeSet<u128> = model.members(number).collect();
                    for socket in &mut sockets {
                        let is_meant = members.contains(&socket.user)
                            && !except.contains(&socket.registration.id());
                        socket.heard += usize::from(is_meant);
                    }
                }
                Step::Unfollow(number) => {
                    registry.unfollowed(room(number));
                    model.0.retain(|_, known| known.is_coming() || !known.rooms.contains(&number));
                }
            }
            model.forget_strangers();

            registry.check_invariants();
            for socket in &sockets {
                prop_assert_eq!(socket.outbox.len(), socket.heard);
            }
            for user in 0..PEOPLE {
                let known = model.0.get(&user);
                prop_assert_eq!(registry.is_here(person(user)), known.is_some(), "{}", user);
                let rooms = known.filter(|known| known.is_complete).map(|known| known.rooms.clone());
                let found = registry.rooms_of(person(user)).map(|rooms| rooms.into_iter().collect());
                let rooms = rooms.map(|rooms| rooms.into_iter().map(room).collect::<HashSet<_>>());
                prop_assert_eq!(found, rooms);
            }
            for number in 0..ROOMS {
                let members: HashSet<UserId> = model.members(number).map(person).collect();
                let listening = model.members(number).map(|user| model.0[&user].sockets).sum::<usize>();
                let is_needed = model.members(number).any(|user| model.0[&user].is_coming());
                let found: HashSet<UserId> = registry.people_in(room(number)).into_iter().collect();
                prop_assert_eq!(found, members);
                prop_assert_eq!(registry.listeners(room(number)), listening);
                prop_assert_eq!(registry.sockets_in(room(number)).len(), listening);
                prop_assert_eq!(registry.is_needed(room(number)), is_needed);
            }
        }
    }
}

#[test]
fn of_those_who_went_the_longest_gone_are_forgotten() {
    let registry = Registry::default();
    let comes_and_goes = |n: usize| {
        let expectation = registry.expect(person(n as u128));
        registry.know_rooms(person(n as u128), [room(0)]);
        drop(expectation);
    };
    let is_known = |n: usize| registry.rooms_of(person(n as u128)).is_some();
    // Whoever is connected is not gone, however long ago they came.
    comes_and_goes(0);
    let connected = registry.register(person(0), Uuid::nil(), Outbox::new(10, 10_000));
    (1..=LINGERING_MAX).for_each(comes_and_goes);
    assert!((0..=LINGERING_MAX).all(is_known));
    comes_and_goes(LINGERING_MAX + 1);
    assert!(is_known(0) && !is_known(1) && is_known(2));
    assert!(!registry.is_here(person(1)) && !registry.people_in(room(0)).contains(&person(1)));
    // Whoever came back since is not the longest gone.
    drop(registry.register(person(2), Uuid::nil(), Outbox::new(10, 10_000)));
    comes_and_goes(LINGERING_MAX + 2);
    assert!(is_known(2) && !is_known(3));
    drop(connected);
    registry.check_invariants();
    assert!(registry.people_here().len() <= LINGERING_MAX);
}
