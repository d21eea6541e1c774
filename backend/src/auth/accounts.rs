//! Registering and signing in.

use milena_domain::{DisplayName, Password, Timestamp, UserId, Username};
use milena_storage::{NewUser, Person, StorageError, Store};
use uuid::Uuid;

use super::{PasswordHashes, Sessions, Token};
use crate::refusal::{Code, Refusal};

/// Somebody who wants to join.
#[derive(Debug, Clone)]
pub struct Registration {
    /// Unique regardless of case.
    pub username: Username,
    /// The name to show; the username when absent.
    pub display_name: Option<DisplayName>,
    /// Hashed, then forgotten.
    pub password: Password,
}

/// Somebody with a new session.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// Who.
    pub person: Person,
    /// The session's secret.
    pub token: Token,
    /// When it ends unless it is used.
    pub expires_at: Timestamp,
}

/// The use cases; clones share everything.
#[derive(Clone)]
pub struct Accounts {
    store: Store,
    hashes: PasswordHashes,
    sessions: Sessions,
}

impl Accounts {
    /// Accounts in `store`.
    #[must_use]
    pub fn new(store: Store, hashes: PasswordHashes, sessions: Sessions) -> Self {
        Self { store, hashes, sessions }
    }

    /// Creates an account and signs in.
    ///
    /// # Errors
    /// `username_taken`, `overloaded`, `store_unavailable`.
    pub async fn register(
        &self,
        registration: Registration,
        user_agent: String,
    ) -> Result<SignedIn, Refusal> {
        let Registration { username, display_name, password } = registration;
        let display_name = match display_name {
            Some(name) => name,
            None => DisplayName::new(username.as_str())?,
        };
        let hash = self.hashes.hash(password.expose().to_owned()).await?;
        let person = Person {
            id: UserId::from_uuid(Uuid::now_v7()),
            username: username.as_str().to_owned(),
            display_name: display_name.as_str().to_owned(),
            created_at: Timestamp::now(),
        };
        let user = NewUser {
            id: person.id,
            username,
            display_name,
            password_hash: Some(hash),
            created_at: person.created_at,
        };
        self.store.create_user(user).await.map_err(|error| match error {
            StorageError::UsernameTaken => Refusal {
                field: Some("username"),
                ..Refusal::new(Code::UsernameTaken, "username is taken by somebody else")
            },
            other => other.into(),
        })?;
        self.begin(person, user_agent).await
    }

    /// Signs in. An unknown username, a wrong password and a person who has no password take the same time and get
    /// the same answer.
    ///
    /// # Errors
    /// `bad_credentials`, `overloaded`, `store_unavailable`.
    pub async fn sign_in(
        &self,
        username: &str,
        password: &str,
        user_agent: String,
    ) -> Result<SignedIn, Refusal> {
        // What breaks the rules was never registered; it takes the long way all the same.
        let found = match Username::new(username) {
            Ok(username) => self.store.credentials(&username.folded()).await?,
            Err(_) => None,
        };
        let (person, hash) = found.map(|found| (found.person, found.password_hash)).unzip();
        let matches = match Password::new(password) {
            Ok(password) => self.hashes.verify(password.expose().to_owned(), hash.flatten()).await?,
            Err(_) => self.hashes.verify(String::new(), None).await?,
        };
        match person {
            Some(person) if matches => self.begin(person, user_agent).await,
            _ => Err(Refusal::new(Code::BadCredentials, "the username or the password is wrong")),
        }
    }

    async fn begin(&self, person: Person, user_agent: String) -> Result<SignedIn, Refusal> {
        let (token, expires_at) = self.sessions.begin(person.id, user_agent).await?;
        Ok(SignedIn { person, token, expires_at })
    }
}
