//! How people want to be seen, and who has to do with whom.

use std::collections::HashSet;

use milena_domain::record::{Action, Created, Role};
use milena_storage::{Audience, StoredPresence};

use crate::database::TestDatabase;
use crate::letters::{at, user};
use crate::rooms::{Log, created, seat};

pub(super) async fn how_people_want_to_be_seen_is_kept(database: &TestDatabase) {
    let store = database.store().await;
    let of = async |number: u128| {
        store.presence_of(&[user(number), user(99)]).await.unwrap().remove(&user(number)).unwrap_or_default()
    };
    assert_eq!(of(1).await, StoredPresence::default());
    store.set_presence(user(1), true, Audience::Nobody).await.unwrap();
    store.seen(&[(user(1), at(5)), (user(2), at(7)), (user(1), at(4))]).await.unwrap();
    let presence = StoredPresence { hidden: true, audience: Audience::Nobody, seen_at: Some(at(5)) };
    assert_eq!(of(1).await, presence);
    assert_eq!(of(2).await, StoredPresence { seen_at: Some(at(7)), ..StoredPresence::default() });
    store.seen(&[(user(2), at(6)), (user(1), at(9))]).await.unwrap();
    store.set_presence(user(1), false, Audience::Everybody).await.unwrap();
    let presence = StoredPresence { hidden: false, audience: Audience::Everybody, seen_at: Some(at(9)) };
    assert_eq!((of(1).await, of(2).await.seen_at), (presence, Some(at(7))));
    store.seen(&[]).await.unwrap();
    // Two nodes at once, in other orders.
    let many: Vec<_> = (0..450).map(|number| (user(number), at(20))).collect();
    let backwards: Vec<_> = many.iter().rev().map(|(user, _)| (*user, at(30))).collect();
    let (first, second) = tokio::join!(store.seen(&many), store.seen(&backwards));
    assert!(first.is_ok() && second.is_ok());
    let users: Vec<_> = many.iter().map(|(user, _)| *user).collect();
    let all = store.presence_of(&users).await.unwrap();
    assert!(all.len() == 450 && all.values().all(|presence| presence.seen_at == Some(at(30))));
}

pub(super) async fn who_shares_a_conversation_is_known(database: &TestDatabase) {
    let store = database.store().await;
    let mut log = Log::default();
    let members = vec![seat(2, Role::Member), seat(3, Role::Member), seat(4, Role::Member)];
    let room = log.create(1, Created { members, ..created("letters") });
    log.act(room, 3, Action::Left);
    log.create(7, Created { members: vec![seat(4, Role::Member)], ..created("others") });
    log.say_to(1, 5, "psst");
    log.say_to(6, 5, "psst");
    log.write(&store).await;
    let others: Vec<_> = (2..400).map(user).collect();
    let acquainted = async |number: u128| store.acquainted(user(number), &others).await.unwrap();
    assert_eq!(acquainted(1).await, HashSet::from([user(2), user(4), user(5)]));
    assert_eq!(acquainted(3).await, HashSet::new(), "who went shares nothing");
    assert_eq!(acquainted(9).await, HashSet::new());
    assert_eq!(store.acquainted(user(1), &[]).await.unwrap(), HashSet::new());
    // Members who let nobody see them; who went is none, and neither is who has to do with another room.
    for number in [2, 3, 7] {
        store.set_presence(user(number), false, Audience::Nobody).await.unwrap();
    }
    store.set_presence(user(4), true, Audience::Everybody).await.unwrap();
    assert_eq!(store.unseen_members(room).await.unwrap(), HashSet::from([user(2)]));
}
