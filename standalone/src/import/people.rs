//! The people of an import: created when missing, remembered for the rest of the file.

use std::collections::{HashMap, HashSet};

use anyhow::Context as _;
use milena_backend::auth::PasswordHashes;
use milena_domain::{Password, Timestamp, UserId};
use milena_storage::{NewUser, Store};

use super::names::{account, distinct};

/// Names in the file and their ids.
pub(crate) struct People {
    ids: HashMap<String, UserId>,
    /// By folded username: the name in the file that took it. "Ann" and "ann" are two people there.
    taken: HashMap<String, String>,
    created: u64,
    password_hash: Option<String>,
}

impl People {
    /// Nobody yet. With `password`, those who are created can sign in with it; one hash serves all of them, so
    /// that thousands of people do not take hours.
    ///
    /// # Errors
    /// When the password breaks its rule.
    pub(crate) async fn new(password: Option<&str>) -> anyhow::Result<Self> {
        let password_hash = match password {
            Some(text) => {
                let password = Password::new(text).map_err(|error| anyhow::anyhow!("--password: {error}"))?;
                let hashes = PasswordHashes::new().await.context("passwords cannot be hashed")?;
                Some(
                    hashes
                        .hash(password.expose().to_owned())
                        .await
                        .context("the password cannot be hashed")?,
                )
            }
            None => None,
        };
        Ok(Self { ids: HashMap::new(), taken: HashMap::new(), created: 0, password_hash })
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
        let missing: Vec<&str> =
            names.filter(|name| !self.ids.contains_key(*name) && seen.insert(*name)).collect();
        if missing.is_empty() {
            return Ok(&self.ids);
        }
        let now = Timestamp::now();
        let mut new_ids = HashSet::with_capacity(missing.len());
        let mut usernames = Vec::with_capacity(missing.len());
        let mut users = Vec::with_capacity(missing.len());
        for name in missing {
            let (mut username, display_name) = account(name);
            if self.taken.get(&username.folded()).is_some_and(|other| other != name) {
                username = distinct(name);
            }
            self.taken.insert(username.folded(), name.to_owned());
            let id = UserId::new();
            new_ids.insert(id);
            usernames.push((name.to_owned(), username.folded()));
            let password_hash = self.password_hash.clone();
            users.push(NewUser { id, username, display_name, password_hash, created_at: now });
        }
        let ids = store.ensure_users(users).await.context("people cannot be created")?;
        for (name, folded) in usernames {
            let id = *ids.get(&folded).context("the database did not create somebody")?;
            self.created += u64::from(new_ids.remove(&id));
            self.ids.insert(name, id);
        }
        Ok(&self.ids)
    }

    /// How many did not exist before.
    #[must_use]
    pub(crate) const fn created(&self) -> u64 {
        self.created
    }
}
