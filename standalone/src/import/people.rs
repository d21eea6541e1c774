//! The people of an import: found again by the names that they have in files, created when missing.
//!
//! A name is one account, in every file and every run: the one that was kept for it, else the one whose
//! username is the name letter by letter, else the one that [`distinct`] gives it. "Ann" and "ann" are two
//! people.

use std::collections::{HashMap, HashSet};

use anyhow::{Context as _, bail};
use milena_backend::auth::{Lane, PasswordHashes};
use milena_domain::{DisplayName, Password, Timestamp, UserId, Username};
use milena_storage::{NewUser, Store};

use super::names::{as_username, distinct, shown};

/// Somebody else may create an account of that name at the same moment; not again and again.
const ATTEMPTS: usize = 5;

/// Names in the file and their ids.
pub(crate) struct People {
    ids: HashMap<String, UserId>,
    /// What to show for names, where the file says another one.
    shown: HashMap<String, String>,
    created: u64,
    password_hash: Option<String>,
}

impl People {
    /// Nobody yet. With `password`, those who are created can sign in with it; one hash serves all of them,
    /// so that thousands of people do not take hours.
    ///
    /// # Errors
    /// When the password breaks its rule.
    pub(crate) async fn new(password: Option<&str>) -> anyhow::Result<Self> {
        let password_hash = match password {
            Some(text) => {
                let password =
                    Password::new(text).map_err(|error| anyhow::anyhow!("the people's {error}"))?;
                password.check_strength(&[]).map_err(|error| anyhow::anyhow!("the people's {error}"))?;
                let hashes = PasswordHashes::new().await.context("passwords cannot be hashed")?;
                Some(
                    hashes
                        .hash(password.expose().to_owned(), Lane::Known)
                        .await
                        .context("the password cannot be hashed")?,
                )
            }
            None => None,
        };
        Ok(Self { ids: HashMap::new(), shown: HashMap::new(), created: 0, password_hash })
    }

    /// Whoever is created under `name` is shown as `shown`.
    pub(crate) fn show(&mut self, name: String, shown: String) {
        self.shown.insert(name, shown);
    }

    /// The ids of `names`, all known after this.
    ///
    /// # Errors
    /// When the database cannot be used.
    pub(crate) async fn ensure(
        &mut self,
        store: &Store,
        names: impl Iterator<Item = &str>,
    ) -> anyhow::Result<&HashMap<String, UserId>> {
        // In the order of the file, so that the same file gives the same usernames each time.
        let mut seen = HashSet::new();
        let mut missing: Vec<&str> =
            names.filter(|name| !self.ids.contains_key(*name) && seen.insert(*name)).collect();
        if missing.is_empty() {
            return Ok(&self.ids);
        }
        let kept = store.imported_people(&missing).await.context("the database cannot be asked")?;
        missing.retain(|name| !kept.contains_key(*name));
        self.ids.extend(kept);
        for _ in 0..ATTEMPTS {
            if missing.is_empty() {
                return Ok(&self.ids);
            }
            let accounts = Accounts::called(store, &missing).await?;
            missing = self.find_or_create(store, &accounts, missing).await?;
        }
        bail!("somebody else keeps taking the usernames of the file; try again later")
    }

    /// Answers the names whose username somebody else took meanwhile.
    async fn find_or_create<'n>(
        &mut self,
        store: &Store,
        accounts: &Accounts,
        names: Vec<&'n str>,
    ) -> anyhow::Result<Vec<&'n str>> {
        let now = Timestamp::now();
        let (mut wanted, mut users, mut kept) = (Vec::new(), Vec::new(), Vec::new());
        // "Ann" and "ann" in one chunk: the first of them gets the name.
        let mut taken = HashSet::new();
        for name in names {
            if let Some((id, typed)) = accounts.of(name) {
                self.ids.insert(name.to_owned(), id);
                if typed != name {
                    kept.push((name.to_owned(), id));
                }
                continue;
            }
            let plain = as_username(name).and_then(|username| username.unless_reserved().ok());
            let username = plain
                .filter(|username| accounts.is_free(username) && taken.insert(username.folded()))
                .unwrap_or_else(|| distinct(name));
            let id = UserId::new();
            wanted.push((name, username.clone(), id));
            let (display_name, password_hash) = (self.shown_of(name, &username), self.password_hash.clone());
            users.push(NewUser { id, username, display_name, password_hash, created_at: now });
        }
        let ids = store.ensure_users(users).await.context("people cannot be created")?;
        let mut again = Vec::new();
        for (name, username, id) in wanted {
            if ids.get(&username.folded()) != Some(&id) {
                again.push(name);
                continue;
            }
            self.created += 1;
            self.ids.insert(name.to_owned(), id);
            if username.as_str() != name {
                kept.push((name.to_owned(), id));
            }
        }
        store.keep_imported(&kept).await.context("names cannot be kept")?;
        Ok(again)
    }

    fn shown_of(&self, name: &str, username: &Username) -> DisplayName {
        let told = self.shown.get(name).and_then(|told| DisplayName::nearest(told));
        // Nobody poses as the system by what another chat let them be called.
        let told = told.and_then(|told| told.unless_reserved().ok());
        told.unwrap_or_else(|| shown(name, username))
    }

    /// How many did not exist before.
    #[must_use]
    pub(crate) const fn created(&self) -> u64 {
        self.created
    }
}

/// The accounts that names may belong to.
struct Accounts(HashMap<String, (UserId, String)>);

impl Accounts {
    async fn called(store: &Store, names: &[&str]) -> anyhow::Result<Self> {
        let usernames = names.iter().flat_map(|name| as_username(name).into_iter().chain([distinct(name)]));
        let folded: Vec<String> = usernames.map(|username| username.folded()).collect();
        store.accounts_called(&folded).await.map(Self).context("the database cannot be asked")
    }

    /// The account of the name: its own, or the one that an import before this table of names made for it.
    fn of(&self, name: &str) -> Option<(UserId, &str)> {
        let called = |username: &Username| {
            let (id, typed) = self.0.get(&username.folded())?;
            (typed == username.as_str()).then_some((*id, typed.as_str()))
        };
        as_username(name).and_then(|username| called(&username)).or_else(|| called(&distinct(name)))
    }

    fn is_free(&self, username: &Username) -> bool {
        !self.0.contains_key(&username.folded())
    }
}
