//! Registering, signing in, and changing the password.

use milena_domain::{DisplayName, Password, Timestamp, UserId, Username};
use milena_storage::{NewUser, Person, StorageError, Store};
use uuid::Uuid;

use super::sessions::Begun;
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
    /// The session's public name.
    pub session: Uuid,
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
        let hash = hash.flatten();
        let matches = self.verify(password, hash.clone()).await?;
        let Some(person) = person.filter(|_| matches) else { return Err(bad_credentials()) };
        let signed_in = self.begin(person, user_agent).await?;
        // The password may have been changed while this one was checked. Whoever changes it ends the sessions that there
        // are by then; one that begins later sees the new hash here.
        if self.hash_of(&signed_in.person).await? != hash {
            self.sessions.end(signed_in.person.id, signed_in.session).await?;
            return Err(bad_credentials());
        }
        Ok(signed_in)
    }

    /// Gives the person of the session `kept` a new password and ends all their other sessions.
    ///
    /// # Errors
    /// `wrong_password` when `current` is not theirs (any more), `overloaded`, `store_unavailable`.
    pub async fn change_password(
        &self,
        person: &Person,
        kept: Uuid,
        current: &str,
        new: Password,
    ) -> Result<(), Refusal> {
        let old = self.hash_of(person).await?;
        if !self.verify(current, old.clone()).await? {
            return Err(wrong_password());
        }
        let new = self.hashes.hash(new.expose().to_owned()).await?;
        let old = old.ok_or_else(wrong_password)?;
        let ended = self.store.replace_password(person.id, &old, &new, kept).await?;
        ended.ok_or_else(wrong_password)?.into_iter().for_each(|session| self.sessions.has_ended(session));
        // Those that began between the look at the sessions and the end of the transaction.
        self.sessions.end_others(person.id, kept).await
    }

    async fn hash_of(&self, person: &Person) -> Result<Option<String>, Refusal> {
        let username = Username::new(&person.username)?;
        Ok(self.store.credentials(&username.folded()).await?.and_then(|found| found.password_hash))
    }

    /// Takes the same time whatever is wrong. What breaks the rules of a password is nobody's.
    async fn verify(&self, password: &str, hash: Option<String>) -> Result<bool, Refusal> {
        match Password::new(password) {
            Ok(password) => self.hashes.verify(password.expose().to_owned(), hash).await,
            Err(_) => self.hashes.verify(String::new(), None).await,
        }
    }

    async fn begin(&self, person: Person, user_agent: String) -> Result<SignedIn, Refusal> {
        let Begun { id, token, expires_at } = self.sessions.begin(person.id, user_agent).await?;
        Ok(SignedIn { person, session: id, token, expires_at })
    }
}

fn bad_credentials() -> Refusal {
    Refusal::new(Code::BadCredentials, "the username or the password is wrong")
}

fn wrong_password() -> Refusal {
    Refusal {
        field: Some("current_password"),
        ..Refusal::new(Code::WrongPassword, "current_password is not your password")
    }
}
