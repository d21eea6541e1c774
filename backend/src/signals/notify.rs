//! A signal as the people on this node notice it.

use milena_domain::{ReadSignal, RoomReadSignal, RoomSeenSignal};
use uuid::Uuid;

use crate::live::{News, Update};
use crate::registry::{CloseCode, ConnectionId, Registry};

/// Its sockets close, also one that is just about to register.
pub(super) fn session_ended(registry: &Registry, session: Uuid) {
    registry.close_session(session, CloseCode::SessionEnded);
}

/// `read` to the reader's sockets but those of `except`, `seen` to the other person's. Costs two look-ups
/// when neither is here, as on most nodes.
pub(super) fn read(registry: &Registry, read: ReadSignal, except: &[ConnectionId]) {
    let ReadSignal { user, other, position } = read;
    let conversation = read.conversation();
    if registry.has_other(user, except) {
        registry.deliver(user, &Update::from(News::Read { conversation, position }), except);
    }
    if other != user && registry.is_connected(other) {
        registry.deliver(other, &Update::from(News::Seen { conversation, by: None, position }), &[]);
    }
}

/// `delivered` to the other person's sockets.
pub(super) fn received(registry: &Registry, received: ReadSignal) {
    let ReadSignal { other, position, .. } = received;
    if registry.is_connected(other) {
        let conversation = received.conversation();
        registry.deliver(other, &Update::from(News::Received { conversation, position }), &[]);
    }
}

/// `read` to the reader's sockets but those of `except`.
pub(super) fn room_read(registry: &Registry, read: RoomReadSignal, except: &[ConnectionId]) {
    let RoomReadSignal { user, conversation, position } = read;
    if registry.has_other(user, except) {
        registry.deliver(user, &Update::from(News::Read { conversation, position }), except);
    }
}

/// `seen` to the room's other members who are here, but those that are excepted.
pub(super) fn room_seen(registry: &Registry, seen: &RoomSeenSignal) {
    let RoomSeenSignal { user, conversation, position, except } = seen;
    let people = registry.people_in(*conversation).into_iter();
    let mut told = people.filter(|person| person != user && !except.contains(person)).peekable();
    if told.peek().is_none() {
        return;
    }
    let (conversation, by, position) = (*conversation, Some(*user), *position);
    let update = Update::from(News::Seen { conversation, by, position });
    told.for_each(|person| registry.deliver(person, &update, &[]));
}

#[cfg(test)]
mod tests {
    use milena_domain::{Epoch, Position, UserId};
    use uuid::Uuid;

    use super::*;
    use crate::registry::Outbox;

    #[test]
    fn each_hears_what_is_theirs() {
        let registry = Registry::default();
        let (ann, bob, eve) = (UserId::new(), UserId::new(), UserId::new());
        let socket = |user| {
            let outbox = Outbox::new(16, 4_096);
            (registry.register(user, Uuid::now_v7(), outbox.clone()), outbox)
        };
        let ((anns, said), (_a, anns_other), (_b, bobs), (_e, eves)) =
            (socket(ann), socket(ann), socket(bob), socket(eve));
        let position = Position::new(Epoch::FIRST, 7);
        let heard = || [&said, &anns_other, &bobs, &eves].map(Outbox::len);
        read(&registry, ReadSignal { user: ann, other: bob, position }, &[anns.id()]);
        assert_eq!(heard(), [0, 1, 1, 0]);
        read(&registry, ReadSignal { user: ann, other: bob, position }, &[]);
        assert_eq!(heard(), [1, 2, 2, 0], "from another node, all sockets of the reader hear it");
        read(&registry, ReadSignal { user: ann, other: ann, position }, &[anns.id()]);
        assert_eq!(heard(), [1, 3, 2, 0], "notes to self are seen by nobody else");
    }
}
