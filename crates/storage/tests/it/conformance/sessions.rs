use milena_storage::{NewSession, USER_AGENT_MAX_CHARS};
use sea_orm::ConnectionTrait;
use uuid::Uuid;

use crate::database::{Server, TestDatabase};
use crate::letters::{at, new_user, user};

pub(super) fn session(number: u8, of: u128, expires_at: i64) -> NewSession {
    NewSession {
        id: Uuid::from_u128(u128::from(number)),
        token_hash: [number; 32],
        user: user(of),
        created_at: at(100),
        expires_at: at(expires_at),
        ends_at: at(8_000),
        user_agent: format!("browser {number}"),
    }
}

pub(super) async fn a_session_lives_until_it_expires(database: &TestDatabase) {
    let store = database.store().await;
    store.create_user(new_user(1, "anna", "Anna")).await.unwrap();
    store.create_session(session(7, 1, 1_000)).await.unwrap();

    let found = store.session(&[7; 32], at(999)).await.unwrap().unwrap();
    assert_eq!((found.id, found.person.id), (Uuid::from_u128(7), user(1)));
    assert_eq!((found.created_at, found.last_seen_at, found.expires_at), (at(100), at(100), at(1_000)));
    assert_eq!(found.user_agent, "browser 7");
    assert_eq!(store.session(&[7; 32], at(1_000)).await.unwrap(), None, "it ends at its last moment");
    assert_eq!(store.session(&[8; 32], at(0)).await.unwrap(), None);

    store.touch_session(found.id, at(500), at(2_000)).await.unwrap();
    let touched = store.session(&[7; 32], at(1_500)).await.unwrap().unwrap();
    assert_eq!((touched.last_seen_at, touched.expires_at), (at(500), at(2_000)));

    store.create_session(session(8, 1, 3_000)).await.unwrap();
    assert_eq!(store.delete_expired_sessions(at(2_000)).await.unwrap(), 1);
    assert_eq!(store.delete_expired_sessions(at(2_000)).await.unwrap(), 0);
    assert_eq!(store.session(&[7; 32], at(0)).await.unwrap(), None, "it is gone");
    store.touch_session(found.id, at(500), at(9_000)).await.unwrap();
    assert_eq!(store.session(&[7; 32], at(0)).await.unwrap(), None, "and stays gone");
    assert!(store.session(&[8; 32], at(0)).await.unwrap().is_some());
}

pub(super) async fn a_session_belongs_to_its_person(database: &TestDatabase) {
    let store = database.store().await;
    let nobody = store.create_session(session(1, 1, 1_000)).await.unwrap_err();
    assert!(!nobody.is_temporary(), "{nobody}");
    store.create_user(new_user(1, "anna", "Anna")).await.unwrap();
    store.create_user(new_user(2, "ben", "Ben")).await.unwrap();
    for (number, of) in [(1, 1), (2, 1), (3, 2)] {
        store.create_session(session(number, of, 1_000)).await.unwrap();
    }
    store.create_session(session(4, 1, 200)).await.unwrap();
    let mut same_token = session(5, 2, 1_000);
    same_token.token_hash = [1; 32];
    assert!(store.create_session(same_token).await.is_err(), "a token is one session");

    store.touch_session(Uuid::from_u128(1), at(700), at(1_000)).await.unwrap();
    let listed = store.sessions_of(user(1), at(300)).await.unwrap();
    let ids: Vec<_> = listed.iter().map(|session| session.id.as_u128()).collect();
    assert_eq!(ids, [1, 2], "the last used first, without the expired one");

    assert!(!store.delete_session(user(2), Uuid::from_u128(1)).await.unwrap(), "somebody else's");
    assert!(store.delete_session(user(1), Uuid::from_u128(1)).await.unwrap());
    assert!(!store.delete_session(user(1), Uuid::from_u128(1)).await.unwrap(), "it is gone already");
    assert_eq!(store.session(&[1; 32], at(0)).await.unwrap(), None);
    assert!(store.session(&[3; 32], at(0)).await.unwrap().is_some());
}

pub(super) async fn user_agents_are_cut(database: &TestDatabase) {
    let store = database.store().await;
    store.create_user(new_user(1, "anna", "Anna")).await.unwrap();
    let mut hostile = session(1, 1, 1_000);
    hostile.user_agent = format!("a\0b\n{}", "😀".repeat(300));
    store.create_session(hostile).await.unwrap();
    let stored = store.session(&[1; 32], at(0)).await.unwrap().unwrap().user_agent;
    assert_eq!(stored.chars().count(), USER_AGENT_MAX_CHARS);
    assert!(stored.starts_with("ab😀"));
}

pub(super) async fn many_sessions_are_touched_at_once(database: &TestDatabase) {
    let store = database.store().await;
    store.create_user(new_user(1, "anna", "Anna")).await.unwrap();
    for (number, expires_at) in [(1, 1_000), (2, 1_000), (3, 300)] {
        store.create_session(session(number, 1, expires_at)).await.unwrap();
    }
    // Two statements' worth, of which two exist.
    let ids: Vec<Uuid> = (1..=600).map(Uuid::from_u128).collect();
    let existing = store.touch_sessions(&ids, at(400), at(5_000)).await.unwrap();
    assert_eq!(existing, [Uuid::from_u128(1), Uuid::from_u128(2)].into());
    let touched = store.session(&[1; 32], at(4_999)).await.unwrap().unwrap();
    assert_eq!((touched.last_seen_at, touched.expires_at), (at(400), at(5_000)));
    assert_eq!(store.session(&[3; 32], at(400)).await.unwrap(), None, "what has expired stays so");
    assert!(store.touch_sessions(&[], at(400), at(5_000)).await.unwrap().is_empty());
}

pub(super) async fn all_sessions_but_one_are_ended(database: &TestDatabase) {
    let store = database.store().await;
    for (number, name) in [(1, "anna"), (2, "ben")] {
        store.create_user(new_user(number, name, name)).await.unwrap();
    }
    for (number, of, expires_at) in [(1, 1, 1_000), (2, 1, 1_000), (3, 1, 50), (4, 2, 1_000)] {
        store.create_session(session(number, of, expires_at)).await.unwrap();
    }
    let mut ended = store.delete_other_sessions(user(1), Uuid::from_u128(2)).await.unwrap();
    ended.sort_unstable();
    assert_eq!(ended, [Uuid::from_u128(1), Uuid::from_u128(3)], "expired ones too");
    assert!(store.session(&[1; 32], at(0)).await.unwrap().is_none());
    assert!(store.session(&[2; 32], at(0)).await.unwrap().is_some());
    assert!(store.session(&[4; 32], at(0)).await.unwrap().is_some());
    assert!(store.delete_other_sessions(user(1), Uuid::from_u128(2)).await.unwrap().is_empty());
}

pub(super) async fn use_moves_a_session_no_further_than_its_end(database: &TestDatabase) {
    let store = database.store().await;
    store.create_user(new_user(1, "anna", "Anna")).await.unwrap();
    for number in 1..=3 {
        store.create_session(session(number, 1, 1_000)).await.unwrap();
    }
    let expiry = async |number: u8, now| {
        store.session(&[number; 32], at(now)).await.unwrap().map(|session| session.expires_at)
    };
    store.touch_session(Uuid::from_u128(1), at(500), at(20_000)).await.unwrap();
    store.touch_sessions(&[Uuid::from_u128(2)], at(500), at(20_000)).await.unwrap();
    for number in [1, 2] {
        assert_eq!(expiry(number, 7_999).await, Some(at(8_000)));
        assert_eq!(expiry(number, 8_000).await, None);
    }
    assert!(store.touch_sessions(&[Uuid::from_u128(2)], at(8_000), at(20_000)).await.unwrap().is_empty());

    // A program of before leaves the end out of what it begins, and moves the other beyond it.
    let raw = database.raw().await;
    for (column, value, id) in
        [("ends_at_ms", "NULL", 3_u128), ("expires_at_ms", "20000", 1), ("expires_at_ms", "20000", 3)]
    {
        let id = Uuid::from_u128(id).simple().to_string();
        let id = match database.server {
            Server::Postgres => format!("'{id}'"),
            Server::Sqlite | Server::MariaDb => format!("x'{id}'"),
        };
        raw.execute_unprepared(&format!("UPDATE sessions SET {column} = {value} WHERE id = {id}"))
            .await
            .unwrap();
    }
    assert_eq!(expiry(1, 8_000).await, None, "it ends all the same");
    assert_eq!(expiry(3, 19_999).await, Some(at(20_000)), "until the next sweep");
    store.bound_sessions(5_000).await.unwrap();
    assert_eq!(expiry(1, 7_999).await, Some(at(8_000)));
    assert_eq!((expiry(3, 5_099).await, expiry(3, 5_100).await), (Some(at(5_100)), None));
}
