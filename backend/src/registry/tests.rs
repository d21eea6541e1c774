//! The maps tell the same, and updates reach whom they are for, whoever comes and goes.

mod rooms;

use std::collections::HashSet;

use proptest::prelude::*;

use super::*;
use crate::live::News;

fn update() -> Update {
    Update::from(News::Prefix(String::new()))
}

impl Connections {
    /// The three maps tell the same.
    pub(super) fn check_invariants(&self) {
        for (id, connection) in &self.by_id {
            assert!(id.0 <= self.last_id);
            assert!(self.by_session[&connection.session].contains(id));
            assert!(self.by_user[&connection.user].iter().any(|(other, _)| other == id));
        }
        let ids_of_users: usize = self.by_user.values().map(|sockets| sockets.len()).sum();
        let ids_of_sessions: usize = self.by_session.values().map(Vec::len).sum();
        assert_eq!((ids_of_users, ids_of_sessions), (self.by_id.len(), self.by_id.len()));
        assert!(self.by_user.values().all(|sockets| !sockets.is_empty()));
        assert!(self.by_session.values().all(|ids| !ids.is_empty()));
        assert!(self.ended.len() <= REMEMBERED_ENDS);
        self.rooms.check_invariants(|id| self.by_id.get(&id).map(|connection| connection.user));
    }
}

fn user(n: u8) -> UserId {
    UserId::from_uuid(Uuid::from_u128(n.into()))
}

#[derive(Debug, Clone)]
enum Step {
    Register { user: u8, session: u8 },
    Drop(usize),
    Deliver { user: u8, except: Vec<usize> },
    CloseSession(u8),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (0_u8..5, 0_u8..3)
            .prop_map(|(user, session)| Step::Register { user, session: user * 3 + session }),
        4 => (0_usize..20).prop_map(Step::Drop),
        6 => (0_u8..6, prop::collection::vec(0_usize..20, 0..3))
            .prop_map(|(user, except)| Step::Deliver { user, except }),
        1 => (0_u8..15).prop_map(Step::CloseSession),
    ];
    prop::collection::vec(step, 0..120)
}

struct Socket {
    registration: Registration,
    user: u8,
    session: u8,
    outbox: Outbox,
    expected: usize,
    open: bool,
}

proptest! {
    #[test]
    fn updates_reach_exactly_the_sockets_of_their_user(steps in steps()) {
        let registry = Registry::default();
        let mut sockets: Vec<Socket> = Vec::new();
        let mut ended: HashSet<u8> = HashSet::new();
        for step in steps {
            match step {
                Step::Register { user: u, session } => {
                    let outbox = Outbox::new(1_000, 1_000_000);
                    let registration =
                        registry.register(user(u), Uuid::from_u128(session.into()), outbox.clone());
                    let open = !ended.contains(&session);
                    sockets.push(Socket { registration, user: u, session, outbox, expected: 0, open });
                }
                Step::Drop(index) if index < sockets.len() => drop(sockets.swap_remove(index)),
                Step::Drop(_) => {}
                Step::Deliver { user: u, except } => {
                    let except: Vec<_> = except
                        .into_iter()
                        .filter_map(|index| Some(sockets.get(index)?.registration.id()))
                        .collect();
                    registry.deliver(user(u), &update(), &except);
                    for socket in &mut sockets {
                        let meant = socket.user == u && !except.contains(&socket.registration.id());
                        socket.expected += usize::from(meant && socket.open);
                    }
                }
                Step::CloseSession(session) => {
                    registry.close_session(Uuid::from_u128(session.into()), CloseCode::SessionEnded);
                    ended.insert(session);
                    for socket in sockets.iter_mut().filter(|socket| socket.session == session) {
                        (socket.open, socket.expected) = (false, 0);
                    }
                }
            }
            registry.read().check_invariants();
            prop_assert_eq!(registry.count(), sockets.len());
            for socket in &sockets {
                prop_assert_eq!(socket.outbox.len(), socket.expected);
                prop_assert_eq!(socket.outbox.is_closed(), !socket.open);
                prop_assert!(registry.is_connected(user(socket.user)));
            }
        }
        let ids: HashSet<_> = sockets.iter().map(|socket| socket.registration.id()).collect();
        prop_assert_eq!(ids.len(), sockets.len());
        drop(sockets);
        prop_assert_eq!(registry.count(), 0);
        prop_assert!(registry.read().by_user.is_empty() && registry.read().by_session.is_empty());
    }
}

#[test]
fn an_update_for_one_socket_goes_nowhere_else() {
    let registry = Registry::default();
    let (a, b) = (Outbox::new(10, 10_000), Outbox::new(10, 10_000));
    let first = registry.register(user(1), Uuid::nil(), a.clone());
    let second = registry.register(user(1), Uuid::nil(), b.clone());
    assert!(registry.deliver_to(second.id(), update()));
    assert_eq!((a.len(), b.len()), (0, 1));
    let gone = first.id();
    drop(first);
    assert!(!registry.deliver_to(gone, update()));
    registry.close_all(CloseCode::Restart);
    assert_eq!((a.closed(), b.closed()), (None, Some(CloseCode::Restart)));
}
