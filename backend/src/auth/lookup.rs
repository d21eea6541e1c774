//! Whose token is this: asked of the store for many at once, see [`Batched`].
//!
//! Nothing is remembered, so an ended session is seen as soon as ever.

use futures::FutureExt;
use milena_domain::Timestamp;
use milena_storage::{Session, Store, TOKENS_MAX};

use crate::batched::Batched;

/// The look-up of all who sign in; by the token's hash.
pub(super) type Lookup = Batched<[u8; 32], Session>;

/// Nobody asks yet.
pub(super) fn lookup(store: Store) -> Lookup {
    Batched::new(TOKENS_MAX, move |hashes: Vec<[u8; 32]>| {
        let store = store.clone();
        async move { store.sessions_by_token(&hashes, Timestamp::now()).await }.boxed()
    })
}

#[cfg(test)]
mod tests {
    use milena_domain::{DisplayName, UserId, Username};
    use milena_settings::{Secret, Settings};
    use milena_storage::{NewSession, NewUser};
    use uuid::Uuid;

    use super::*;

    async fn store(folder: &tempfile::TempDir, sessions: u8) -> Store {
        let mut settings = Settings::defaults().database;
        settings.url = Secret::new(format!("sqlite:{}?mode=rwc", folder.path().join("store.db").display()));
        let store = Store::connect(&settings).await.unwrap();
        store.migrate().await.unwrap();
        let (id, now) = (UserId::new(), Timestamp::now());
        let user = NewUser {
            id,
            username: Username::new("anna").unwrap(),
            display_name: DisplayName::new("Anna").unwrap(),
            password_hash: None,
            created_at: now,
        };
        store.create_user(user).await.unwrap();
        for number in 0..sessions {
            let session = NewSession {
                id: Uuid::from_u128(number.into()),
                token_hash: [number; 32],
                user: id,
                created_at: now,
                ends_at: now.plus_ms(60_000),
                expires_at: now.plus_ms(60_000),
                user_agent: String::new(),
            };
            store.create_session(session).await.unwrap();
        }
        store
    }

    #[tokio::test]
    async fn everybody_gets_their_own_answer() {
        let folder = tempfile::tempdir().unwrap();
        let lookup = lookup(store(&folder, 50).await);
        // Each asked by several, and some that nobody has; more in all than one query takes.
        let asked: Vec<u8> = (0..60).cycle().take(900).collect();
        let answers = futures::future::join_all(asked.iter().map(|number| lookup.get([*number; 32]))).await;
        for (number, answer) in asked.into_iter().zip(answers) {
            let expected = (number < 50).then(|| Uuid::from_u128(number.into()));
            assert_eq!(answer.unwrap().map(|session| session.id), expected, "{number}");
        }
        assert_eq!(lookup.waiting(), 0);
    }

    #[tokio::test]
    async fn who_gives_up_in_the_middle_of_a_query_leaves_nobody_behind() {
        let folder = tempfile::tempdir().unwrap();
        let lookup = lookup(store(&folder, 3).await);
        let mut first = Box::pin(lookup.get([0; 32]));
        let mut second = Box::pin(lookup.get([1; 32]));
        // The second waits before the first asks for both.
        let parked = lookup.all_turns().await;
        assert!(first.as_mut().now_or_never().is_none() && second.as_mut().now_or_never().is_none());
        drop(parked);
        // The query begins, and its turn goes away with it (unless the database was quicker than that).
        let _ = first.as_mut().now_or_never();
        drop(first);
        let found = second.await.unwrap().unwrap();
        assert_eq!(found.id, Uuid::from_u128(1));
    }

    #[tokio::test]
    async fn an_error_reaches_all_who_asked() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(&folder, 1).await;
        let lookup = lookup(store.clone());
        store.close().await;
        let answers = futures::future::join_all((0..5).map(|number| lookup.get([number; 32]))).await;
        assert!(answers.iter().all(Result::is_err));
    }
}
