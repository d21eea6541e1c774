use std::collections::HashMap;

use milena_domain::{ConversationId, DisplayName, MessageId};
use milena_storage::entities::void_records;
use milena_storage::{NewUser, StorageError};
use sea_orm::ActiveValue::Set;
use sea_orm::{ConnectionTrait, EntityTrait};
use uuid::Uuid;

use super::sessions::session;
use crate::database::{Server, TestDatabase};
use crate::letters::{at, new_user, user};

pub(super) async fn usernames_are_unique_regardless_of_case(database: &TestDatabase) {
    let store = database.store().await;
    store.create_user(new_user(1, "Anna", "Anna")).await.unwrap();
    let error = store.create_user(new_user(2, "aNNa", "Another")).await.unwrap_err();
    assert!(matches!(error, StorageError::UsernameTaken), "{error}");
    assert!(!error.is_temporary());
    store.create_user(new_user(3, "Anna.", "Almost")).await.unwrap();

    let racing = futures::future::join_all(
        (10..20).map(|number| store.create_user(new_user(number, "Race", "Racer"))),
    );
    let won = racing.await.into_iter().filter(Result::is_ok).count();
    assert_eq!(won, 1);
}

pub(super) async fn people_are_found_by_id_and_by_name(database: &TestDatabase) {
    let store = database.store().await;
    store.create_user(new_user(1, "Anna", "Änna 😀")).await.unwrap();
    let imported = NewUser { password_hash: None, ..new_user(2, "ben", "Ben") };
    store.create_user(imported).await.unwrap();

    let anna = store.credentials("anna").await.unwrap().unwrap();
    assert_eq!(anna.person.id, user(1));
    assert_eq!((anna.person.username.as_str(), anna.person.display_name.as_str()), ("Anna", "Änna 😀"));
    assert_eq!(anna.person.created_at, at(1_001));
    assert_eq!(anna.password_hash.as_deref(), Some("$argon2id$1"));
    assert!(!format!("{anna:?}").contains("argon2id"), "the hash is not printed");
    assert_eq!(store.credentials("ben").await.unwrap().unwrap().password_hash, None);
    for unknown in ["Anna", "anna ", " anna", "ann", "än", "", "anna\0", "an%"] {
        assert!(store.credentials(unknown).await.unwrap().is_none(), "{unknown:?}");
    }

    assert_eq!(store.person(user(1)).await.unwrap(), Some(anna.person.clone()));
    assert_eq!(store.person(user(9)).await.unwrap(), None);
    assert_eq!(store.persons(&[]).await.unwrap(), HashMap::new());
    let mut ids: Vec<_> = (0..1_200).map(user).collect();
    ids.push(user(1));
    let found = store.persons(&ids).await.unwrap();
    assert_eq!(found.len(), 2);
    assert_eq!(found[&user(1)], anna.person);
}

pub(super) async fn the_search_ranks_and_takes_text_as_text(database: &TestDatabase) {
    let store = database.store().await;
    for (number, (username, display_name)) in [
        ("marianna", "Zoe"),
        ("Anna", "Somebody"),
        ("annabel", "Bel"),
        ("ann_a", "Underscore"),
        ("annXa", "No underscore"),
        ("bob", "Anna Fan"),
        ("carl", "Johanna 100%"),
        ("dora", "ÄRGER & Co!"),
        ("eve", "a\\b"),
        ("zed", "Zed d'Ánna-Maria"),
        ("franz", "王小明 Jesenska\u{301}"),
    ]
    .into_iter()
    .enumerate()
    {
        store.create_user(new_user(number as u128 + 1, username, display_name)).await.unwrap();
    }
    let search = async |query: &str, limit| -> Vec<String> {
        let found = store.search_people(query, limit).await.unwrap();
        found.into_iter().map(|person| person.username).collect()
    };
    assert_eq!(
        search("ANNA", 20).await,
        ["Anna", "annabel", "bob", "zed"],
        "exact, then prefix, then display names that begin with it, then words that do"
    );
    assert_eq!(search(" anna ", 2).await, ["Anna", "annabel"]);
    assert_eq!(search("anna", 3).await, ["Anna", "annabel", "bob"]);
    assert_eq!(search("ann_a", 20).await[0], "ann_a");
    assert_eq!(search("100%", 20).await, ["carl"]);
    assert_eq!(search("co!", 20).await, ["dora"]);
    assert_eq!(search("a\\b", 20).await[0], "eve");
    for words in ["ÄRGER", "arger", "a\u{308}rger co", "co ärg"] {
        assert_eq!(
            search(words, 20).await,
            ["dora"],
            "{words}: case and marks are folded, words in any order"
        );
    }
    for words in ["jesenska", "JESENSKÁ", "jesensk\u{e1}", "小明", "王", "明 jes", "@franz"] {
        assert_eq!(search(words, 20).await, ["franz"], "{words}");
    }
    assert_eq!(search("zed maria anna", 20).await, ["zed"]);
    assert!(search("zed jesenska", 20).await.is_empty(), "each word of it");
    for nobody in ["", "  ", "%", "_", "nobody", "an\0na", "'; DROP TABLE users; --", "😀"] {
        assert!(search(nobody, 20).await.is_empty(), "{nobody:?}");
    }
}

/// What a program of before leaves behind is found after the next look, and the look reads an index.
pub(super) async fn names_that_older_programs_write_are_found(database: &TestDatabase) {
    let store = database.store().await;
    store.create_user(new_user(1, "anna", "Änna")).await.unwrap();
    let others = (100..4_100).map(|number| new_user(number, &format!("user{number}"), &format!("U{number}")));
    store.ensure_users(others.collect()).await.unwrap();
    let raw = database.raw().await;
    let found = async |query: &str| store.search_people(query, 20).await.unwrap().len();
    for unlike in [
        "UPDATE users SET display_name = 'Zoë Ÿ', display_name_folded = 'zoë ÿ' WHERE username = 'anna'",
        "DELETE FROM name_words WHERE word = 'u4000'",
        "UPDATE users SET fold_version = 0, folded_from = '', name_folded = '' WHERE username = 'user4000'",
    ] {
        raw.execute_unprepared(unlike).await.unwrap();
    }
    assert_eq!((found("zoe").await, found("u4000").await), (0, 0));
    store.fold_names(false).await.unwrap();
    assert_eq!((found("zoe").await, found("u4000").await), (0, 1));
    store.fold_names(true).await.unwrap();
    assert_eq!((found("zoe y").await, found("anna").await, found("u4000").await), (1, 1, 1));
    store.fold_names(true).await.unwrap();

    let count = match database.server {
        Server::MariaDb => "ANALYZE TABLE name_words, users",
        _ => "ANALYZE",
    };
    raw.execute_unprepared(count).await.unwrap();
    // Connections read what was counted when they are made.
    let store = database.connect().await;
    let plan = store.plan_of_search("u40 us").await.unwrap();
    for table in ["name_words", "users"] {
        for scan in ["SCAN", "Seq Scan on", "ALL"] {
            let full = format!("{scan} {table}");
            assert!(!plan.iter().any(|line| line.contains(&full)), "{plan:?}");
        }
    }
    assert!(!plan.iter().any(|line| line.starts_with("name_words ALL")), "{plan:?}");
}

pub(super) async fn an_import_keeps_the_ids_that_exist(database: &TestDatabase) {
    let store = database.store().await;
    store.create_user(new_user(1, "Anna", "Anna")).await.unwrap();
    let mut people =
        vec![new_user(2, "ANNA", "Imported"), new_user(3, "ben", "Ben"), new_user(4, "BEN", "B")];
    people.extend((100..1_300).map(|number| new_user(number, &format!("u{number}"), "U")));
    let ids = store.ensure_users(people.clone()).await.unwrap();
    assert_eq!(ids.len(), 1_202);
    assert_eq!(ids["anna"], user(1), "the person who was there stays who they are");
    assert_eq!(ids["ben"], user(3), "the first of two");
    assert_eq!(ids["u100"], user(100));
    assert_eq!(store.person(user(1)).await.unwrap().unwrap().display_name, "Anna");
    assert_eq!(store.person(user(2)).await.unwrap(), None);

    let again = people.into_iter().map(|person| NewUser {
        id: milena_domain::UserId::new(),
        display_name: DisplayName::new("Changed").unwrap(),
        ..person
    });
    assert_eq!(store.ensure_users(again.collect()).await.unwrap(), ids, "a second import changes nothing");
    assert_eq!(store.person(user(3)).await.unwrap().unwrap().display_name, "Ben");
    assert!(store.ensure_users(Vec::new()).await.unwrap().is_empty());
}

/// What changed nothing in an import is known to all later ones.
pub(super) async fn an_import_keeps_what_changed_nothing(database: &TestDatabase) {
    let store = database.store().await;
    let ids: Vec<_> = (1..=1_200).map(|number| MessageId::from_uuid(Uuid::from_u128(number))).collect();
    assert!(store.imported_for_nothing(&ids).await.unwrap().is_empty());
    store.keep_imported_for_nothing(&ids[..700]).await.unwrap();
    store.keep_imported_for_nothing(&ids[600..1_100]).await.unwrap();
    store.keep_imported_for_nothing(&[]).await.unwrap();
    let found = store.imported_for_nothing(&ids).await.unwrap();
    assert_eq!(found, ids[..1_100].iter().copied().collect());

    // What only came too late may be sent again.
    let room = |number: u128| ConversationId::from_uuid(Uuid::from_u128(number));
    let raw = database.raw().await;
    for (number, reason) in [(1_101_u128, "stale_proof"), (1_102, "not_member")] {
        let row = void_records::ActiveModel {
            conversation_id: Set(Uuid::from_u128(7)),
            position: Set(number as i64),
            id: Set(Uuid::from_u128(number)),
            reason: Set(reason.to_owned()),
        };
        void_records::Entity::insert(row).exec_without_returning(&raw).await.unwrap();
    }
    let events: Vec<_> = ids.iter().map(|&id| (room(7), id)).collect();
    let stale = store.stale_among(&events).await.unwrap();
    assert_eq!(stale, [ids[1_100]].into_iter().collect());
    assert!(store.stale_among(&[(room(8), ids[1_100])]).await.unwrap().is_empty(), "that is another one");
}

pub(super) async fn people_are_renamed(database: &TestDatabase) {
    let store = database.store().await;
    store.create_user(new_user(1, "anna", "Anna")).await.unwrap();
    let name = DisplayName::new("Änna K. 😀").unwrap();
    assert!(store.rename(user(1), &name).await.unwrap());
    assert!(store.rename(user(1), &name).await.unwrap(), "the same name again is no mistake");
    assert!(!store.rename(user(2), &name).await.unwrap(), "nobody");
    let anna = store.person(user(1)).await.unwrap().unwrap();
    assert_eq!((anna.username.as_str(), anna.display_name.as_str()), ("anna", "Änna K. 😀"));
    assert_eq!(store.search_people("änna k", 10).await.unwrap(), [anna], "found by the new name");
}

pub(super) async fn a_new_password_ends_the_other_sessions(database: &TestDatabase) {
    let store = database.store().await;
    for (number, name) in [(1, "anna"), (2, "ben")] {
        store.create_user(new_user(number, name, name)).await.unwrap();
    }
    let ids: Vec<Uuid> = (1..=4).map(Uuid::from_u128).collect();
    for (number, of) in [(1, 1), (2, 1), (3, 1), (4, 2)] {
        store.create_session(session(number, of, 1_000)).await.unwrap();
    }
    let stale =
        store.replace_password(user(1), "$argon2id$9", "$argon2id$new", ids[0], [9; 32]).await.unwrap();
    assert_eq!(stale, None, "the hash was replaced meanwhile");
    assert_eq!(store.sessions_of(user(1), at(0)).await.unwrap().len(), 3);

    let ended =
        store.replace_password(user(1), "$argon2id$1", "$argon2id$new", ids[0], [9; 32]).await.unwrap();
    let mut replaced = ended.unwrap();
    replaced.ended.sort_unstable();
    assert_eq!((&replaced.ended[..], replaced.expires_at), (&ids[1..3], at(1_000)));
    let hash = store.credentials("anna").await.unwrap().unwrap().password_hash;
    assert_eq!(hash.as_deref(), Some("$argon2id$new"));
    let left: Vec<_> = store.sessions_of(user(1), at(0)).await.unwrap().iter().map(|left| left.id).collect();
    assert_eq!(left, ids[..1]);
    assert_eq!(store.sessions_of(user(2), at(0)).await.unwrap().len(), 1, "nobody else's");

    assert_eq!(store.session(&[1; 32], at(0)).await.unwrap(), None, "the old token is nobody's");
    assert_eq!(store.session(&[9; 32], at(0)).await.unwrap().unwrap().id, ids[0]);

    let again =
        store.replace_password(user(1), "$argon2id$new", "$argon2id$2", ids[0], [8; 32]).await.unwrap();
    assert!(again.unwrap().ended.is_empty());
    let ended = store.replace_password(user(1), "$argon2id$2", "$argon2id$3", ids[1], [7; 32]).await.unwrap();
    assert_eq!(ended, None, "the session has ended");
    let hash = store.credentials("anna").await.unwrap().unwrap().password_hash;
    assert_eq!(hash.as_deref(), Some("$argon2id$2"), "and nothing changed");
}
