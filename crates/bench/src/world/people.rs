//! People with sessions, thousands at once.
//!
//! Registering by REST would measure argon2id. They are written by the store's own functions instead, and
//! then sign in by token like anybody else: from there on nothing is different.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures::{StreamExt, TryStreamExt};
use milena_domain::{DisplayName, Timestamp, UserId, Username};
use milena_settings::DatabaseSettings;
use milena_storage::{NewSession, NewUser, Store};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// Sessions that are written at the same time.
const PARALLEL: usize = 8;
const DAY_MS: i64 = 86_400_000;

/// Somebody who can sign in.
#[derive(Debug, Clone)]
pub struct Person {
    /// Who.
    pub id: UserId,
    /// The session's token.
    pub token: String,
}

/// Makes `count` people, each with a session.
///
/// # Errors
/// The database's.
pub async fn sign_up(database: &DatabaseSettings, count: usize) -> anyhow::Result<Vec<Person>> {
    let store = Store::connect(database).await?;
    let now = Timestamp::now();
    let mut users = Vec::with_capacity(count);
    for _ in 0..count {
        let id = UserId::new();
        let name = format!("b{}", &id.as_uuid().simple().to_string()[6..]);
        users.push(NewUser {
            id,
            username: Username::new(&name)?,
            display_name: DisplayName::new(&name)?,
            password_hash: None,
            created_at: now,
        });
    }
    let ids: Vec<UserId> = users.iter().map(|user| user.id).collect();
    store.ensure_users(users).await?;
    let people = futures::stream::iter(ids)
        .map(|id| begin_session(&store, id, now))
        .buffered(PARALLEL)
        .try_collect()
        .await?;
    store.close().await;
    Ok(people)
}

async fn begin_session(store: &Store, id: UserId, now: Timestamp) -> anyhow::Result<Person> {
    let token = URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>());
    let session = NewSession {
        id: Uuid::now_v7(),
        token_hash: Sha256::digest(token.as_bytes()).into(),
        user: id,
        created_at: now,
        expires_at: now.plus_ms(DAY_MS),
        ends_at: now.plus_ms(DAY_MS),
        user_agent: "milena-bench".to_owned(),
    };
    store.create_session(session).await?;
    Ok(Person { id, token })
}
