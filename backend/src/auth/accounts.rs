//! Registering, signing in, and changing the password.

use std::net::IpAddr;

use milena_domain::{ConversationId, DisplayName, FieldError, Password, Timestamp, UserId, Username};
use milena_storage::{NewUser, Person, Replaced, StorageError, Store};
use uuid::Uuid;

use super::sessions::Begun;
use super::{Identity, Lane, PasswordHashes, Sessions, Token};
use crate::refusal::{Code, Refusal};
use crate::security_log::{About, Ended, Event, SecurityLog};

/// Somebody who wants to join.
#[derive(Debug, Clone)]
pub struct Registration {
    /// Unique regardless of case.
    pub username: Username,
    /// The name to show; the username when absent.
    pub display_name: Option<DisplayName>,
    /// Hashed, then forgotten.
    pub password: Password,
    /// Where they come in with it.
    pub rooms: Vec<ConversationId>,
}

/// Where somebody comes from.
#[derive(Debug, Clone)]
pub struct Client {
    /// The client's own address.
    pub address: IpAddr,
    /// What it calls itself.
    pub user_agent: String,
}

/// Somebody with a new session, or a new token for theirs.
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
    security_log: SecurityLog,
}

impl Accounts {
    /// Accounts in `store`.
    #[must_use]
    pub fn new(store: Store, hashes: PasswordHashes, sessions: Sessions, security_log: SecurityLog) -> Self {
        Self { store, hashes, sessions, security_log }
    }

    /// Creates an account and signs in.
    ///
    /// # Errors `invalid_field` when the password is too easy to guess, `username_taken`, `overloaded`,
    /// `store_unavailable`.
    pub async fn register(&self, registration: Registration, client: Client) -> Result<SignedIn, Refusal> {
        let Registration { username, display_name, password, rooms } = registration;
        let display_name = match display_name {
            Some(name) => name,
            None => DisplayName::new(username.as_str())?,
        };
        password.check_strength(&[username.as_str(), display_name.as_str()])?;
        let hash = self.hashes.hash(password.expose().to_owned(), Lane::Stranger).await?;
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
        self.store.register(user, &rooms).await.map_err(|error| match error {
            StorageError::UsernameTaken => Refusal {
                field: Some("username"),
                ..Refusal::new(Code::UsernameTaken, "username is taken by somebody else")
            },
            other => other.into(),
        })?;
        let (address, signed_in) = (client.address, self.begin(person, client.user_agent).await?);
        let (user, session) = (Some(signed_in.person.id), Some(signed_in.session));
        self.security_log.write(Event::Registered, address, About { user, session, by: None });
        Ok(signed_in)
    }

    /// Signs in. An unknown username, a wrong password and a person who has no password take the same time
    /// and get the same answer.
    ///
    /// # Errors
    /// `bad_credentials`, `overloaded`, `store_unavailable`.
    pub async fn sign_in(
        &self,
        username: &str,
        password: &str,
        lane: Lane,
        client: Client,
    ) -> Result<SignedIn, Refusal> {
        // What breaks the rules was never registered; it takes the long way all the same.
        let found = match Username::new(username) {
            Ok(username) => self.store.credentials(&username.folded()).await?,
            Err(_) => None,
        };
        let (person, hash) = found.map(|found| (found.person, found.password_hash)).unzip();
        let hash = hash.flatten();
        let user = person.as_ref().map(|person| person.id);
        let note = |event, session| {
            self.security_log.write(event, client.address, About { user, session, by: None });
        };
        let matches = self.verify(password, hash.clone(), lane).await?;
        let Some(person) = person.filter(|_| matches) else {
            note(Event::SignInFailed, None);
            return Err(bad_credentials());
        };
        let signed_in = self.begin(person, client.user_agent).await?;
        // The password may have been changed while this one was checked. Whoever changes it ends the sessions
        // that there are by then; one that begins later sees the new hash here.
        if self.hash_of(&signed_in.person).await? != hash {
            self.sessions.end(signed_in.person.id, signed_in.session).await?;
            note(Event::SignInFailed, None);
            return Err(bad_credentials());
        }
        note(Event::SignedIn, Some(signed_in.session));
        Ok(signed_in)
    }

    /// Ends the session of a token that a browser had until it signed in again: it would have no use for it
    /// any more. What is nobody's is passed over, and so is what cannot be looked up now.
    pub async fn end_replaced(&self, token: &str, by: &SignedIn, client_address: IpAddr) {
        let Ok(Some(old)) = self.sessions.authenticate(token).await else { return };
        if old.session != by.session && self.sessions.end(old.person.id, old.session).await == Ok(true) {
            let (user, session, by) = (Some(old.person.id), Some(old.session), Some(by.session));
            let event = Event::SessionEnded(Ended::Replaced);
            self.security_log.write(event, client_address, About { user, session, by });
        }
    }

    /// Gives somebody a new password and their session a new token, and ends all their other sessions.
    ///
    /// # Errors `wrong_password` when `current` is not theirs (any more), `invalid_field` when the new one is
    /// too easy to guess or the same, `overloaded`, `store_unavailable`.
    pub async fn change_password(
        &self,
        identity: Identity,
        current: &str,
        new: Password,
        client_address: IpAddr,
    ) -> Result<SignedIn, Refusal> {
        let Identity { session: kept, person } = identity;
        let (user, by) = (Some(person.id), Some(kept));
        let note =
            |event, session| self.security_log.write(event, client_address, About { user, session, by });
        let as_new = |error: FieldError| FieldError { field: "new_password", ..error };
        new.check_strength(&[&person.username, &person.display_name]).map_err(as_new)?;
        if new.expose() == current {
            return Err(FieldError::new("new_password", "must be another than the current one").into());
        }
        let old = self.hash_of(&person).await?;
        if !self.verify(current, old.clone(), Lane::Known).await? {
            note(Event::PasswordChangeFailed, None);
            return Err(wrong_password());
        }
        let new = self.hashes.hash(new.expose().to_owned(), Lane::Known).await?;
        let old = old.ok_or_else(wrong_password)?;
        let token = Token::generate();
        let replaced = self.store.replace_password(person.id, &old, &new, kept, token.hash()).await?;
        let Replaced { ended, expires_at } = replaced.ok_or_else(wrong_password)?;
        self.sessions.has_new_token(kept, &token);
        note(Event::PasswordChanged, Some(kept));
        for session in ended {
            self.sessions.has_ended(session);
            note(Event::SessionEnded(Ended::PasswordChange), Some(session));
        }
        // Those that began between the look at the sessions and the end of the transaction. The new token has
        // to reach its owner even if the database has gone away meanwhile.
        match self.sessions.end_others(person.id, kept).await {
            Ok(late) => {
                late.into_iter()
                    .for_each(|ended| note(Event::SessionEnded(Ended::PasswordChange), Some(ended)));
            }
            Err(error) => log::warn!(error:% = error; "sessions that began with the old password may go on"),
        }
        Ok(SignedIn { person, session: kept, token, expires_at })
    }

    async fn hash_of(&self, person: &Person) -> Result<Option<String>, Refusal> {
        let username = Username::new(&person.username)?;
        Ok(self.store.credentials(&username.folded()).await?.and_then(|found| found.password_hash))
    }

    /// Takes the same time whatever is wrong. What breaks the rules of a password is nobody's.
    async fn verify(&self, password: &str, hash: Option<String>, lane: Lane) -> Result<bool, Refusal> {
        match Password::new(password) {
            Ok(password) => self.hashes.verify(password.expose().to_owned(), hash, lane).await,
            Err(_) => self.hashes.verify(String::new(), None, lane).await,
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
