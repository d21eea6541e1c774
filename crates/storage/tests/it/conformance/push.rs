//! Where people's devices are told, and what is taken up for that.

use milena_domain::record::{Action, Created, Role};
use milena_domain::{Epoch, Position};
use milena_storage::{PushSubscription, SUBSCRIPTIONS_MAX, Store, Subscribed};
use uuid::Uuid;

use super::sessions::session;
use crate::database::TestDatabase;
use crate::letters::{TOPIC, at, new_user, user};
use crate::rooms::{Log, created, seat};

fn device(number: u8, of: u128, session: u8) -> PushSubscription {
    PushSubscription {
        id: Uuid::from_u128(1_000 + u128::from(number)),
        user: user(of),
        session: Uuid::from_u128(u128::from(session)),
        endpoint: format!("https://push.example/{number}"),
        endpoint_hash: [number; 32],
        p256dh: "B".repeat(87),
        auth: "a".repeat(22),
        label: format!("browser\n {number}"),
        words: true,
        created_at: at(500),
    }
}

async fn people(store: &Store) {
    for (number, name) in [(1, "anna"), (2, "ben"), (3, "cleo")] {
        store.create_user(new_user(number, name, name)).await.unwrap();
        let number = u8::try_from(number).unwrap();
        for (id, expires_at) in [(number, 5_000), (10 + number, 2_000)] {
            store.create_session(session(id, u128::from(number), expires_at)).await.unwrap();
        }
    }
}

pub(super) async fn a_subscription_lives_with_its_session(database: &TestDatabase) {
    let store = database.store().await;
    people(&store).await;
    assert!(!store.has_subscriptions().await.unwrap());
    let stored = store.subscribe(&device(1, 1, 1)).await.unwrap();
    let expected = PushSubscription { label: "browser 1".into(), ..device(1, 1, 1) };
    assert_eq!(stored, Subscribed::New(expected.clone()));
    store.subscribe(&device(2, 1, 11)).await.unwrap();
    store.subscribe(&device(3, 2, 2)).await.unwrap();
    let of = async |number: u128, ms: i64| store.subscriptions_of(&[user(number)], at(ms)).await.unwrap();
    assert_eq!(of(1, 1_000).await.len(), 2);
    assert_eq!(of(1, 2_000).await, std::slice::from_ref(&expected), "the other one's session has expired");
    assert_eq!(of(1, 5_000).await, []);
    assert_eq!(store.subscription(expected.id, at(4_999)).await.unwrap(), Some(expected.clone()));
    assert_eq!(store.subscription(expected.id, at(5_000)).await.unwrap(), None);
    // A session that has ended takes its devices along, and makes none.
    assert!(store.delete_session(user(1), Uuid::from_u128(1)).await.unwrap());
    assert_eq!(store.subscription(expected.id, at(1_000)).await.unwrap(), None);
    assert_eq!(of(1, 1_000).await.len(), 1);
    assert_eq!(store.subscribe(&device(4, 1, 1)).await.unwrap(), Subscribed::Ended);
    assert_eq!(store.subscribe(&device(4, 1, 2)).await.unwrap(), Subscribed::Ended, "another's session");
    assert_eq!(store.delete_expired_sessions(at(3_000)).await.unwrap(), 3);
    assert_eq!(of(1, 1_000).await, []);
    // Nobody removes another's.
    assert!(!store.unsubscribe(user(1), device(3, 2, 2).id).await.unwrap());
    assert!(store.has_subscriptions().await.unwrap());
    assert!(store.unsubscribe(user(2), device(3, 2, 2).id).await.unwrap());
    assert!(!store.unsubscribe(user(2), device(3, 2, 2).id).await.unwrap());
    assert!(!store.has_subscriptions().await.unwrap());
}

pub(super) async fn an_endpoint_is_one_browsers(database: &TestDatabase) {
    let store = database.store().await;
    people(&store).await;
    store.subscribe(&device(1, 1, 1)).await.unwrap();
    // The same person again: what there is about it is new, its name and its time are not.
    let again = PushSubscription {
        id: Uuid::from_u128(77),
        session: Uuid::from_u128(11),
        auth: "b".repeat(22),
        label: "phone".into(),
        words: false,
        created_at: at(900),
        ..device(1, 1, 1)
    };
    let changed = PushSubscription { id: device(1, 1, 1).id, created_at: at(500), ..again.clone() };
    assert_eq!(store.subscribe(&again).await.unwrap(), Subscribed::Known(changed.clone()));
    assert_eq!(store.subscriptions_of(&[user(1)], at(1_000)).await.unwrap(), [changed]);
    // Another person who knows the endpoint alone has not that browser; whoever has its keys has.
    let other = PushSubscription { endpoint_hash: [1; 32], ..device(2, 2, 2) };
    assert_eq!(store.subscribe(&other).await.unwrap(), Subscribed::Taken);
    let same = PushSubscription { auth: "b".repeat(22), ..other };
    assert!(matches!(store.subscribe(&same).await.unwrap(), Subscribed::New(_)));
    assert_eq!(store.subscriptions_of(&[user(1)], at(1_000)).await.unwrap(), []);
    assert_eq!(store.subscriptions_of(&[user(1), user(2)], at(1_000)).await.unwrap().len(), 1);
    // So many and no more, also of two at once.
    for number in 0..u8::try_from(SUBSCRIPTIONS_MAX).unwrap() - 1 {
        assert!(matches!(store.subscribe(&device(100 + number, 3, 3)).await.unwrap(), Subscribed::New(_)));
    }
    let (one, two) = (device(200, 3, 3), device(201, 3, 13));
    let (one, two) = tokio::join!(store.subscribe(&one), store.subscribe(&two));
    let outcomes = [one.unwrap(), two.unwrap()];
    assert_eq!(outcomes.iter().filter(|it| matches!(it, Subscribed::New(_))).count(), 1, "{outcomes:?}");
    assert_eq!(outcomes.iter().filter(|it| matches!(it, Subscribed::Full)).count(), 1, "{outcomes:?}");
    assert!(matches!(store.subscribe(&device(100, 3, 3)).await.unwrap(), Subscribed::Known(_)));
}

pub(super) async fn who_was_in_a_room_and_still_is_has_devices(database: &TestDatabase) {
    let store = database.store().await;
    people(&store).await;
    store.create_user(new_user(4, "dora", "dora")).await.unwrap();
    store.create_session(session(4, 4, 5_000)).await.unwrap();
    let mut log = Log::default();
    let members = vec![seat(2, Role::Member), seat(3, Role::Member)];
    let room = log.create(1, Created { members, ..created("letters") });
    let words = log.say(room, 1, "hello");
    log.act(room, 1, Action::RoleChanged { user: user(2), role: Role::Moderator });
    log.act(room, 3, Action::Left);
    log.act(room, 1, Action::MembersAdded { users: vec![user(4)] });
    log.write(&store).await;
    for number in 1..=4 {
        store.subscribe(&device(number, u128::from(number), number)).await.unwrap();
    }
    let found = store.subscriptions_in_room(room, words.position, at(1_000)).await.unwrap();
    let mut found: Vec<_> = found.into_iter().map(|device| device.user).collect();
    found.sort_unstable();
    assert_eq!(found, [user(1), user(2)], "who went has gone, who came later was not there");
    let elsewhere = milena_domain::ConversationId::direct(user(1), user(2));
    assert_eq!(store.subscriptions_in_room(elsewhere, words.position, at(1_000)).await.unwrap(), []);
}

pub(super) async fn whoever_wrote_since_is_known(database: &TestDatabase) {
    let store = database.store().await;
    people(&store).await;
    let mut log = Log::default();
    let room = log.create(1, Created { members: vec![seat(2, Role::Member)], ..created("letters") });
    let question = log.say(room, 1, "who is there?");
    log.act(room, 3, Action::Joined);
    let answer = log.say(room, 2, "me");
    log.write(&store).await;
    let has_written = async |of, place| store.has_written_after(user(of), room, place).await.unwrap();
    assert!(has_written(2, question.position).await);
    assert!(!has_written(2, answer.position).await, "not after it");
    assert!(!has_written(3, question.position).await, "who came has written nothing");
    assert!(!has_written(1, question.position).await);
}

pub(super) async fn what_is_pushed_is_claimed_once(database: &TestDatabase) {
    let store = database.store().await;
    let place = |offset| Position::new(Epoch::FIRST, offset);
    let claim = async |partition, from, to| {
        store.claim_pushes(TOPIC, partition, place(from), place(to)).await.unwrap()
    };
    assert!(store.pushed_up_to(TOPIC).await.unwrap().is_empty());
    assert_eq!(claim(0, 5, 8).await, None);
    assert_eq!(claim(0, 5, 8).await, Some(place(8)), "again");
    assert_eq!(claim(0, 7, 9).await, Some(place(8)), "a part of it");
    assert_eq!(claim(0, 8, 9).await, None);
    assert_eq!(claim(1, 0, 3).await, None);
    let next = Position::new(Epoch::new(2).unwrap(), 0);
    assert_eq!(store.claim_pushes(TOPIC, 0, next, next).await.unwrap(), None, "a new epoch begins at nought");
    let up_to = store.pushed_up_to(TOPIC).await.unwrap();
    assert_eq!(up_to.into_iter().collect::<Vec<_>>(), [(0, next), (1, place(3))]);
    assert!(store.pushed_up_to("other").await.unwrap().is_empty());
    // Of two that have read the same, one has it.
    for round in 0..20 {
        let (from, to) = (10 * round, 10 * round + 10);
        let (one, two) = tokio::join!(claim(2, from, to), claim(2, from, to));
        assert_eq!([one, two].iter().filter(|claimed| claimed.is_none()).count(), 1, "round {round}");
    }
}
