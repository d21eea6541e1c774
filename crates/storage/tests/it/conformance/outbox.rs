use std::collections::BTreeSet;
use std::time::Duration;

use milena_domain::{ClientId, ConversationId, MessageId};
use milena_storage::entities::{outbox, users};
use milena_storage::{Joining, NewUser, StorageError, Store};
use sea_orm::{ConnectionTrait, EntityTrait};

use crate::database::TestDatabase;
use crate::letters::{new_user, user};

const LONG: Duration = Duration::from_secs(600);
const SHORT: Duration = Duration::from_millis(300);

fn room(name: &str) -> ConversationId {
    ConversationId::room(user(1), &ClientId::new(name).unwrap())
}

async fn claim(store: &Store, lease: Duration, limit: usize) -> Vec<Joining> {
    store.claim_joinings(lease, limit).await.unwrap()
}

/// All or nothing: who is not stored is not expected anywhere.
pub(super) async fn a_registration_leaves_its_rows(database: &TestDatabase) {
    let store = database.store().await;
    let rooms = [room("general"), room("news")];
    store.register(new_user(1, "Anna", "Anna"), &rooms).await.unwrap();
    store.register(new_user(2, "ben", "Ben"), &[]).await.unwrap();
    let error = store.register(new_user(3, "anna", "Another"), &rooms).await.unwrap_err();
    assert!(matches!(error, StorageError::UsernameTaken), "{error}");

    let raw = database.raw().await;
    let refuse = "DROP TABLE outbox";
    let claimed = claim(&store, LONG, 10).await;
    let places: BTreeSet<_> = claimed.iter().map(|joining| (joining.user, joining.room)).collect();
    assert_eq!(places, rooms.map(|room| (user(1), room)).into());
    for joining in &claimed {
        let id = MessageId::of_event(joining.room, joining.user, &Joining::client_id());
        assert_eq!(joining.id, id, "the row is the event that it becomes");
        assert!(joining.waited < Duration::from_secs(60), "{joining:?}");
    }
    raw.execute_unprepared(refuse).await.unwrap();
    store.register(new_user(4, "carl", "Carl"), &rooms).await.unwrap_err();
    assert_eq!(users::Entity::find().all(&raw).await.unwrap().len(), 2, "the person is not stored either");
}

pub(super) async fn of_two_claimers_one_has_the_row(database: &TestDatabase) {
    const PEOPLE: u128 = 40;
    let store = database.store().await;
    for number in 1..=PEOPLE {
        let person = new_user(number, &format!("user{number}"), "U");
        store.register(person, &[room("general")]).await.unwrap();
    }
    // As many programs as race for real, each with connections of its own.
    let claimers = futures::future::join_all((0..4).map(|_| async {
        let store = database.connect().await;
        let mut mine = Vec::new();
        loop {
            let claimed = claim(&store, LONG, 3).await;
            assert!(claimed.len() <= 3);
            // Whoever passes by rows of another's open transaction may find none: not the end yet.
            if claimed.is_empty() && everything_is_leased(database).await {
                return mine;
            }
            mine.extend(claimed.into_iter().map(|joining| joining.user));
        }
    }))
    .await;
    let all: Vec<_> = claimers.concat();
    assert_eq!(all.len(), PEOPLE as usize, "no row twice");
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), PEOPLE as usize);
    assert!(claim(&store, LONG, 100).await.is_empty(), "a lease holds");
}

async fn everything_is_leased(database: &TestDatabase) -> bool {
    let rows = outbox::Entity::find().all(&database.raw().await).await.unwrap();
    rows.iter().all(|row| row.leased_until_ms > 0)
}

/// Whoever dies with rows in hand loses no row, and what is done is gone: the table grows with what waits.
pub(super) async fn rows_of_the_dead_come_back(database: &TestDatabase) {
    let store = database.store().await;
    for number in 1..=5 {
        let person = new_user(number, &format!("user{number}"), "U");
        store.register(person, &[room("general")]).await.unwrap();
    }
    let raw = database.raw().await;
    let odd = "UPDATE outbox SET payload = '{}' WHERE created_at_ms = (SELECT * FROM \
        (SELECT MIN(created_at_ms) FROM outbox) oldest)";
    raw.execute_unprepared(odd).await.unwrap();
    let first = claim(&store, SHORT, 100).await;
    assert!((1..=4).contains(&first.len()), "what cannot be read is passed over: {first:?}");
    assert!(claim(&store, SHORT, 100).await.is_empty());

    let (done, given_back) = first.split_at(1);
    let id = |joining: &Joining| joining.id;
    store.delete_outbox(&done.iter().map(id).collect::<Vec<_>>()).await.unwrap();
    store.release_outbox(&given_back.iter().map(id).collect::<Vec<_>>()).await.unwrap();
    let again = claim(&store, SHORT, 100).await;
    assert_eq!(again.iter().map(id).collect::<Vec<_>>(), given_back.iter().map(id).collect::<Vec<_>>());

    // Nobody deletes them: after the lease they are there again.
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    let mut back = Vec::new();
    while back.len() < again.len() {
        assert!(tokio::time::Instant::now() < deadline, "the rows come back");
        tokio::time::sleep(Duration::from_millis(20)).await;
        back.extend(claim(&store, LONG, 100).await);
    }
    store.delete_outbox(&back.iter().map(id).collect::<Vec<_>>()).await.unwrap();
    let left = outbox::Entity::find().all(&raw).await.unwrap();
    assert_eq!(left.len(), 5 - first.len(), "only what cannot be read is left: {left:?}");
}

/// Who has no password was imported: they never come, so they are not brought anywhere.
pub(super) async fn everybody_of_before_is_expected_once(database: &TestDatabase) {
    let store = database.store().await;
    let people = (1..=620).map(|number| new_user(number, &format!("user{number}"), "U"));
    let imported = (621..=630)
        .map(|number| NewUser { password_hash: None, ..new_user(number, &format!("user{number}"), "U") });
    store.ensure_users(people.chain(imported).collect()).await.unwrap();
    for _ in 0..2 {
        let (mut after, mut pieces) = (None, 0);
        while let Some(last) = store.expect_everybody(room("general"), after).await.unwrap() {
            (after, pieces) = (Some(last), pieces + 1);
        }
        assert_eq!((after, pieces), (Some(user(620)), 2));
    }
    let raw = database.raw().await;
    assert_eq!(outbox::Entity::find().all(&raw).await.unwrap().len(), 620);
    let mut claimed = 0;
    while let rows @ 1.. = claim(&store, LONG, 400).await.len() {
        claimed += rows;
    }
    assert_eq!(claimed, 620);
}
