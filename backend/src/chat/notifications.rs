//! Of what somebody wants to be told: only their own business, the same on all their devices.
//!
//! What is shown live is always read from the store after somebody said that it was changed
//! ([`crate::signals::Changed`]), here or on another node: a word that is lost or comes late shows less,
//! never something else. Each change has a number (`revision`), which a connection is told when it begins,
//! so that its client knows whether it missed one.

use std::collections::HashMap;
use std::sync::Arc;

use milena_domain::limits::OWN_NOTIFICATIONS_MAX;
use milena_domain::tell::{General, OfConversation};
use milena_domain::{ConversationId, Timestamp, UserId};
use milena_storage::{StoredNotifications, StoredOwn};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::Chat;
use crate::live::{News, Update, Wanted};
use crate::refusal::{Code, Refusal};
use crate::signals::Changed;

/// All that somebody wants to be told.
#[derive(Debug, Clone)]
pub struct Notifications {
    /// How often they have changed something.
    pub revision: u64,
    /// In general.
    pub general: General,
    /// Of each conversation of which it is something else.
    pub of_conversations: Vec<(ConversationId, OfConversation)>,
}

impl Chat {
    /// All that somebody wants to be told.
    ///
    /// # Errors
    /// `store_unavailable`.
    pub async fn notifications(&self, user: UserId) -> Result<Notifications, Refusal> {
        let (StoredNotifications { revision, general, .. }, of_each) =
            self.store.notifications_of(user).await?;
        let now = Timestamp::now();
        let of_each = of_each.into_iter().map(|(conversation, settings)| (conversation, settings.as_of(now)));
        let of_conversations = of_each.filter(|(_, settings)| *settings != OfConversation::default());
        Ok(Notifications {
            revision,
            general: general.as_of(now),
            of_conversations: of_conversations.collect(),
        })
    }

    /// Changes what somebody wants in general.
    ///
    /// # Errors
    /// `store_unavailable`.
    pub async fn change_notifications(
        &self,
        user: UserId,
        change: impl FnOnce(&mut General) + Send,
    ) -> Result<Notifications, Refusal> {
        let now = Timestamp::now();
        let change = |general: &mut General| {
            change(general);
            *general = std::mem::take(general).as_of(now);
        };
        self.store.change_notifications(user, change).await?;
        self.signals.tell_changed(Changed::Notifications { user, conversation: None });
        self.notifications(user).await
    }

    /// What somebody wants of a conversation that is theirs.
    ///
    /// # Errors
    /// `unknown_conversation`, `not_member`, `store_unavailable`.
    pub async fn own_notifications(
        &self,
        user: UserId,
        conversation: ConversationId,
    ) -> Result<StoredOwn, Refusal> {
        self.place(user, conversation).await?;
        let mut found = self.own_notifications_among(user, &[conversation]).await?;
        Ok(found.remove(&conversation).unwrap_or_default())
    }

    /// The same of several conversations; which is not in the answer is as in general.
    pub(super) async fn own_notifications_among(
        &self,
        user: UserId,
        conversations: &[ConversationId],
    ) -> Result<HashMap<ConversationId, StoredOwn>, Refusal> {
        let now = Timestamp::now();
        let found = self.store.own_notifications(user, conversations).await?;
        let as_of_now = |own: StoredOwn| StoredOwn { settings: own.settings.as_of(now), ..own };
        Ok(found.into_iter().map(|(conversation, own)| (conversation, as_of_now(own))).collect())
    }

    /// What somebody wants of a conversation that is theirs from now on.
    ///
    /// # Errors
    /// `unknown_conversation`, `not_member`, `too_many_settings`, `store_unavailable`.
    pub async fn set_own_notifications(
        &self,
        user: UserId,
        conversation: ConversationId,
        settings: OfConversation,
    ) -> Result<StoredOwn, Refusal> {
        self.place(user, conversation).await?;
        let settings = settings.as_of(Timestamp::now());
        let set = self.store.set_own_notifications(user, conversation, settings).await?;
        let set = set.ok_or_else(|| {
            let said = format!(
                "at most {OWN_NOTIFICATIONS_MAX} conversations may have settings of their own: set another \
                 one back first"
            );
            Refusal::new(Code::TooManySettings, said)
        })?;
        self.signals.tell_changed(Changed::Notifications { user, conversation: Some(conversation) });
        Ok(set)
    }

    /// Looks at what was changed, and shows it to whom it concerns on this node.
    async fn tell_change(&self, changed: Changed) -> Result<(), Refusal> {
        let now = Timestamp::now();
        let (user, news) = match changed {
            Changed::Status { user } => return self.tell_status(user).await,
            Changed::Notifications { user, .. } if !self.registry.is_connected(user) => return Ok(()),
            Changed::Notifications { user, conversation: None } => {
                let (StoredNotifications { changed, general, .. }, _) =
                    self.store.notifications_of(user).await?;
                (user, (changed, Wanted::General(general.as_of(now))))
            }
            Changed::Notifications { user, conversation: Some(conversation) } => {
                let mut found = self.own_notifications_among(user, &[conversation]).await?;
                let StoredOwn { revision, settings } = found.remove(&conversation).unwrap_or_default();
                (user, (revision, Wanted::Of(conversation, settings)))
            }
        };
        let (revision, wanted) = news;
        let news = News::Notifications { revision, changed: Some(Arc::new(wanted)) };
        self.registry.deliver(user, &Update::from(news), &[]);
        Ok(())
    }
}

/// Shows what was changed, one after the other, until `stop`. While the database is away it is passed over:
/// clients see it when they ask next.
pub(super) async fn tell_changes(chat: Chat, mut changes: mpsc::Receiver<Changed>, stop: CancellationToken) {
    loop {
        let changed = tokio::select! {
            () = stop.cancelled() => return,
            changed = changes.recv() => changed,
        };
        let Some(changed) = changed else { return };
        if let Err(refusal) = chat.tell_change(changed).await {
            log::debug!(refusal:%; "a change of what somebody wants or says is not shown");
        }
    }
}
