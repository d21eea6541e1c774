//! What people say of themselves for a while: seen by those who may see whether they are here.
//!
//! Somebody who hides keeps it, as somebody does who is not here: it was said, and says nothing of now.

use std::collections::HashMap;

use milena_domain::{Status, Timestamp, UserId};

use super::Chat;
use crate::refusal::Refusal;
use crate::signals::Changed;

impl Chat {
    /// What somebody says of themselves.
    ///
    /// # Errors
    /// `store_unavailable`.
    pub async fn status(&self, user: UserId) -> Result<Option<Status>, Refusal> {
        Ok(self.store.statuses(&[user], Timestamp::now()).await?.remove(&user))
    }

    /// What somebody says of themselves from now on, on all nodes; `None` is nothing.
    ///
    /// # Errors
    /// `store_unavailable`.
    pub async fn set_status(&self, user: UserId, status: Option<&Status>) -> Result<(), Refusal> {
        self.store.set_status(user, status).await?;
        self.signals.tell_changed(Changed::Status { user });
        Ok(())
    }

    /// What these people say of themselves, as far as `user` may know.
    ///
    /// # Errors
    /// `store_unavailable`.
    pub async fn statuses_for(
        &self,
        user: UserId,
        others: &[UserId],
    ) -> Result<HashMap<UserId, Status>, Refusal> {
        let mut found = self.store.statuses(others, Timestamp::now()).await?;
        if found.keys().any(|other| *other != user) {
            let who: Vec<UserId> = found.keys().copied().collect();
            let stored = self.store.presence_of(&who).await?;
            let visible = self.visible_among(user, &who, &stored).await?;
            found.retain(|other, _| visible.contains(other));
        }
        Ok(found)
    }

    /// Shows those who watch somebody on this node what they say of themselves now.
    pub(super) async fn tell_status(&self, user: UserId) -> Result<(), Refusal> {
        if !self.presence().is_watched(user) {
            return Ok(());
        }
        let status = self.store.statuses(&[user], Timestamp::now()).await?.remove(&user);
        let last_seen =
            self.store.presence_of(&[user]).await?.remove(&user).and_then(|stored| stored.seen_at);
        self.presence().says(user, status, last_seen);
        Ok(())
    }
}
