//! Of what people want to be told, and what they say of themselves.

use std::collections::HashMap;

use milena_domain::limits::OWN_NOTIFICATIONS_MAX;
use milena_domain::tell::{Days, General, Keywords, Level, Mute, OfConversation, Schedule, Window};
use milena_domain::{ConversationId, Status};
use milena_storage::entities::conversation_notifications;
use milena_storage::{StoredNotifications, StoredOwn};
use sea_orm::ActiveValue::Set;
use sea_orm::EntityTrait;

use crate::database::TestDatabase;
use crate::letters::{at, user};

fn conversation(number: u128) -> ConversationId {
    ConversationId::from_uuid(uuid::Uuid::from_u128(number))
}

pub(super) async fn what_somebody_wants_to_be_told_is_kept(database: &TestDatabase) {
    let store = database.store().await;
    assert_eq!(store.notifications_of(user(1)).await.unwrap(), (StoredNotifications::default(), vec![]));
    let window = Window::new(Days::ALL, 22 * 60, 7 * 60).unwrap();
    let general = General {
        direct: Level::Mentions,
        rooms: Level::Nothing,
        keywords: Keywords::new(&["Käse".to_owned(), "on call".to_owned()]).unwrap(),
        dnd_until: Some(at(5)),
        dnd_schedule: Some(Schedule::new("Europe/Prague", vec![window]).unwrap()),
        push_words: false,
    };
    let stored = store.change_notifications(user(1), |stored| *stored = general.clone()).await.unwrap();
    assert_eq!(stored, StoredNotifications { revision: 1, changed: 1, general: general.clone() });
    // Something else of one conversation is the second change, and leaves the first as it was.
    let muted = OfConversation { mute: Mute::Until(at(9)), ..OfConversation::default() };
    let own = store.set_own_notifications(user(1), conversation(7), muted).await.unwrap();
    assert_eq!(own, Some(StoredOwn { revision: 2, settings: muted }));
    let of_level = OfConversation { level: Some(Level::All), ignore_everyone: true, mute: Mute::ForGood };
    store.set_own_notifications(user(1), conversation(8), of_level).await.unwrap().unwrap();
    let (found, mut of_each) = store.notifications_of(user(1)).await.unwrap();
    of_each.sort_by_key(|(conversation, _)| *conversation);
    assert_eq!(found, StoredNotifications { revision: 3, changed: 1, general: general.clone() });
    assert_eq!(of_each, [(conversation(7), muted), (conversation(8), of_level)]);
    // A change of one field leaves the others.
    let stored = store.change_notifications(user(1), |stored| stored.push_words = true).await.unwrap();
    let general = General { push_words: true, ..general };
    assert_eq!(stored, StoredNotifications { revision: 4, changed: 4, general: general.clone() });
    // As in general again: its last change is remembered, and nothing else.
    store.set_own_notifications(user(1), conversation(7), OfConversation::default()).await.unwrap().unwrap();
    let asked = [conversation(7), conversation(8), conversation(9)];
    let own = store.own_notifications(user(1), &asked).await.unwrap();
    let expected = [
        (conversation(7), StoredOwn { revision: 5, settings: OfConversation::default() }),
        (conversation(8), StoredOwn { revision: 3, settings: of_level }),
    ];
    assert_eq!(own, HashMap::from(expected));
    assert_eq!(store.notifications_of(user(1)).await.unwrap().1, [(conversation(8), of_level)]);
    // Nobody else's.
    assert_eq!(store.own_notifications(user(2), &asked).await.unwrap(), HashMap::new());
    store.set_own_notifications(user(2), conversation(8), muted).await.unwrap().unwrap();
    let users: Vec<_> = (1..300).map(user).collect();
    let all = store.tell_settings(conversation(8), &users).await.unwrap();
    let expected = [(user(1), (general, of_level)), (user(2), (General::default(), muted))];
    assert_eq!(all, HashMap::from(expected));
    let revisions = store.notification_revisions(&users).await.unwrap();
    assert_eq!(revisions, HashMap::from([(user(1), 5), (user(2), 1)]));
}

pub(super) async fn changes_at_once_are_all_counted(database: &TestDatabase) {
    let store = database.store().await;
    let changes = (0..8_u128).map(|number| {
        let store = &store;
        async move {
            if number % 2 == 0 {
                let muted = OfConversation { mute: Mute::ForGood, ..OfConversation::default() };
                let own = store.set_own_notifications(user(1), conversation(number), muted).await;
                own.unwrap().unwrap().revision
            } else {
                let change = |general: &mut General| {
                    let mut words: Vec<String> = general.keywords.iter().map(str::to_owned).collect();
                    words.push(format!("w{number}"));
                    general.keywords = Keywords::new(&words).unwrap();
                };
                store.change_notifications(user(1), change).await.unwrap().revision
            }
        }
    });
    let mut revisions = futures::future::join_all(changes).await;
    revisions.sort_unstable();
    assert_eq!(revisions, (1..=8).collect::<Vec<u64>>());
    let (stored, of_each) = store.notifications_of(user(1)).await.unwrap();
    assert_eq!((stored.revision, of_each.len(), stored.general.keywords.iter().count()), (8, 4, 4));
}

pub(super) async fn conversations_with_settings_are_bounded(database: &TestDatabase) {
    let store = database.store().await;
    let raw = database.raw().await;
    let row = |number: usize| conversation_notifications::ActiveModel {
        user_id: Set(user(1).as_uuid()),
        conversation_id: Set(conversation(number as u128).as_uuid()),
        revision: Set(1),
        level: Set(None),
        muted: Set(true),
        muted_until_ms: Set(None),
        ignore_everyone: Set(false),
    };
    let numbers: Vec<usize> = (0..OWN_NOTIFICATIONS_MAX).collect();
    for chunk in numbers.chunks(500) {
        let rows = chunk.iter().map(|number| row(*number));
        conversation_notifications::Entity::insert_many(rows).exec_without_returning(&raw).await.unwrap();
    }
    let muted = OfConversation { mute: Mute::ForGood, ..OfConversation::default() };
    let set = async |number: usize, settings| {
        store.set_own_notifications(user(1), conversation(number as u128), settings).await.unwrap()
    };
    assert_eq!(set(OWN_NOTIFICATIONS_MAX, muted).await, None);
    assert_eq!(store.notifications_of(user(1)).await.unwrap().0.revision, 0, "nothing was changed");
    // Those that are there can be changed, and make room.
    assert!(set(3, OfConversation { level: Some(Level::All), ..muted }).await.is_some());
    assert!(set(OWN_NOTIFICATIONS_MAX, OfConversation::default()).await.is_some());
    assert!(set(3, OfConversation::default()).await.is_some());
    assert!(set(OWN_NOTIFICATIONS_MAX, muted).await.is_some());
}

pub(super) async fn what_somebody_says_of_themselves_ends_by_itself(database: &TestDatabase) {
    let store = database.store().await;
    let users: Vec<_> = (1..300).map(user).collect();
    let holiday = Status::new(Some("🌴"), Some("On holiday"), Some(at(9)), at(5)).unwrap();
    let busy = Status::new(None, Some("Busy"), None, at(5)).unwrap();
    store.set_status(user(1), Some(&busy)).await.unwrap();
    store.set_status(user(1), Some(&holiday)).await.unwrap();
    store.set_status(user(2), Some(&busy)).await.unwrap();
    let both = HashMap::from([(user(1), holiday), (user(2), busy.clone())]);
    assert_eq!(store.statuses(&users, at(8)).await.unwrap(), both);
    assert_eq!(store.statuses(&users, at(9)).await.unwrap(), HashMap::from([(user(2), busy)]));
    store.set_status(user(2), None).await.unwrap();
    store.set_status(user(2), None).await.unwrap();
    assert_eq!(store.statuses(&users, at(9)).await.unwrap(), HashMap::new());
}
