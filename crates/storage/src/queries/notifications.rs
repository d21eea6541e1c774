//! Of what people want to be told.
//!
//! All that a person changes is counted, here and conversation by conversation (`revision`), and each row
//! knows the last change of its own: so whoever was told of changes knows whether they missed one.

use std::collections::HashMap;

use milena_domain::limits::OWN_NOTIFICATIONS_MAX;
use milena_domain::tell::{General, Keywords, Level, Mute, OfConversation, Schedule, WrittenSchedule};
use milena_domain::{ConversationId, UserId};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, DatabaseTransaction, EntityTrait, ExprTrait, IntoActiveModel,
    PaginatorTrait, QueryFilter, QuerySelect,
};
use uuid::Uuid;

use super::moment;
use crate::entities::{conversation_notifications as own, person_notifications as general};
use crate::sql::padded;
use crate::{StorageError, Store};

/// People or conversations of one statement.
const CHUNK: usize = 256;

/// What somebody wants in general.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StoredNotifications {
    /// How often they have changed something, of a conversation too.
    pub revision: u64,
    /// Of these, which was the last one in general.
    pub changed: u64,
    /// What they want.
    pub general: General,
}

/// What somebody wants of one conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StoredOwn {
    /// Which of the person's changes was the last one of this conversation.
    pub revision: u64,
    /// What they want.
    pub settings: OfConversation,
}

impl Store {
    /// What somebody wants, in general and of each conversation of which it is something else: all of one
    /// moment.
    ///
    /// # Errors
    /// The database's; [`StorageError::Corrupt`] for a row that makes no sense.
    pub async fn notifications_of(
        &self,
        user: UserId,
    ) -> Result<(StoredNotifications, Vec<(ConversationId, OfConversation)>), StorageError> {
        self.answer(async {
            let snapshot = self.snapshot().await?;
            let row = general::Entity::find_by_id(user.as_uuid()).one(&snapshot).await?;
            let rows = own::Entity::find().filter(differs(user)).all(&snapshot).await?;
            let of_each = rows.iter().map(|row| {
                Ok((ConversationId::from_uuid(row.conversation_id), StoredOwn::try_from(row)?.settings))
            });
            let of_each = of_each.collect::<Result<_, StorageError>>()?;
            let general = row.as_ref().map(StoredNotifications::try_from).transpose()?.unwrap_or_default();
            Ok((general, of_each))
        })
        .await
    }

    /// How often these people have changed something; who is not in the answer never has.
    ///
    /// # Errors
    /// The database's.
    pub async fn notification_revisions(
        &self,
        users: &[UserId],
    ) -> Result<HashMap<UserId, u64>, StorageError> {
        let mut found = HashMap::new();
        for chunk in users.chunks(CHUNK) {
            let ids = padded(chunk).map(|user| user.as_uuid());
            let query = general::Entity::find()
                .select_only()
                .columns([general::Column::UserId, general::Column::Revision])
                .filter(general::Column::UserId.is_in(ids))
                .into_tuple::<(Uuid, i64)>();
            for (user, stored) in
                self.answer(async { Ok::<_, StorageError>(query.all(self.reader()).await?) }).await?
            {
                found.insert(UserId::from_uuid(user), revision(stored)?);
            }
        }
        Ok(found)
    }

    /// What somebody wants of these conversations; which is not in the answer is as in general.
    ///
    /// # Errors
    /// The database's; [`StorageError::Corrupt`] for a row that makes no sense.
    pub async fn own_notifications(
        &self,
        user: UserId,
        conversations: &[ConversationId],
    ) -> Result<HashMap<ConversationId, StoredOwn>, StorageError> {
        let mut found = HashMap::new();
        for chunk in conversations.chunks(CHUNK) {
            let ids = padded(chunk).map(|conversation| conversation.as_uuid());
            let query = own::Entity::find()
                .filter(own::Column::UserId.eq(user.as_uuid()))
                .filter(own::Column::ConversationId.is_in(ids));
            for row in self.answer(async { Ok::<_, StorageError>(query.all(self.reader()).await?) }).await? {
                found.insert(ConversationId::from_uuid(row.conversation_id), StoredOwn::try_from(&row)?);
            }
        }
        Ok(found)
    }

    /// What each of these people wants in general, and of one conversation: for whoever decides whom to tell
    /// of a message. Who is not in the answer has said nothing.
    ///
    /// # Errors
    /// The database's; [`StorageError::Corrupt`] for a row that makes no sense.
    pub async fn tell_settings(
        &self,
        conversation: ConversationId,
        users: &[UserId],
    ) -> Result<HashMap<UserId, (General, OfConversation)>, StorageError> {
        let mut found: HashMap<UserId, (General, OfConversation)> = self
            .general_of(users)
            .await?
            .into_iter()
            .map(|(user, stored)| (user, (stored.general, OfConversation::default())))
            .collect();
        for chunk in users.chunks(CHUNK) {
            let ids = padded(chunk).map(|user| user.as_uuid());
            let query = own::Entity::find()
                .filter(own::Column::UserId.is_in(ids))
                .filter(own::Column::ConversationId.eq(conversation.as_uuid()));
            for row in self.answer(async { Ok::<_, StorageError>(query.all(self.reader()).await?) }).await? {
                let settings = StoredOwn::try_from(&row)?.settings;
                found.entry(UserId::from_uuid(row.user_id)).or_default().1 = settings;
            }
        }
        Ok(found)
    }

    async fn general_of(
        &self,
        users: &[UserId],
    ) -> Result<HashMap<UserId, StoredNotifications>, StorageError> {
        let mut found = HashMap::new();
        for chunk in users.chunks(CHUNK) {
            let ids = padded(chunk).map(|user| user.as_uuid());
            let query = general::Entity::find().filter(general::Column::UserId.is_in(ids));
            for row in self.answer(async { Ok::<_, StorageError>(query.all(self.reader()).await?) }).await? {
                found.insert(UserId::from_uuid(row.user_id), StoredNotifications::try_from(&row)?);
            }
        }
        Ok(found)
    }

    /// Changes what somebody wants in general: `change` gets what is stored, and nobody else changes it
    /// meanwhile.
    ///
    /// # Errors
    /// The database's; [`StorageError::Corrupt`] for a row that makes no sense.
    pub async fn change_notifications(
        &self,
        user: UserId,
        change: impl FnOnce(&mut General) + Send,
    ) -> Result<StoredNotifications, StorageError> {
        self.answer(async {
            let transaction = self.write_transaction().await?;
            let mut stored = next_revision(&transaction, user).await?;
            change(&mut stored.general);
            stored.changed = stored.revision;
            let row = row_of(user, &stored).into_active_model().reset_all();
            row.update(&transaction).await?;
            transaction.commit().await?;
            Ok(stored)
        })
        .await
    }

    /// What somebody wants of a conversation from now on; `None`, and nothing changed, when they want
    /// something else than in general of [`OWN_NOTIFICATIONS_MAX`] others.
    ///
    /// # Errors
    /// The database's.
    pub async fn set_own_notifications(
        &self,
        user: UserId,
        conversation: ConversationId,
        settings: OfConversation,
    ) -> Result<Option<StoredOwn>, StorageError> {
        self.answer(async {
            let transaction = self.write_transaction().await?;
            let revision = next_revision(&transaction, user).await?.revision;
            if settings != OfConversation::default() {
                let others = own::Column::ConversationId.ne(conversation.as_uuid());
                let others = own::Entity::find().filter(differs(user)).filter(others);
                if others.count(&transaction).await? >= OWN_NOTIFICATIONS_MAX as u64 {
                    return Ok(None);
                }
            }
            let (muted, muted_until_ms) = match settings.mute {
                Mute::No => (false, None),
                Mute::Until(until) => (true, Some(until.unix_ms())),
                Mute::ForGood => (true, None),
            };
            let row = own::ActiveModel {
                user_id: Set(user.as_uuid()),
                conversation_id: Set(conversation.as_uuid()),
                revision: Set(i64::try_from(revision).unwrap_or(i64::MAX)),
                level: Set(settings.level.map(|level| level.as_str().to_owned())),
                muted: Set(muted),
                muted_until_ms: Set(muted_until_ms),
                ignore_everyone: Set(settings.ignore_everyone),
            };
            let changed = [
                own::Column::Revision,
                own::Column::Level,
                own::Column::Muted,
                own::Column::MutedUntilMs,
                own::Column::IgnoreEveryone,
            ];
            let key = [own::Column::UserId, own::Column::ConversationId];
            let newer = OnConflict::columns(key).update_columns(changed).to_owned();
            own::Entity::insert(row).on_conflict(newer).exec_without_returning(&transaction).await?;
            transaction.commit().await?;
            Ok(Some(StoredOwn { revision, settings }))
        })
        .await
    }
}

/// The conversations of which somebody wants something else than in general.
fn differs(user: UserId) -> Condition {
    let something = Condition::any()
        .add(own::Column::Level.is_not_null())
        .add(own::Column::Muted.eq(true))
        .add(own::Column::IgnoreEveryone.eq(true));
    Condition::all().add(own::Column::UserId.eq(user.as_uuid())).add(something)
}

/// Counts a change, and says what is stored with it. Whoever else changes something of this person waits
/// until the transaction ends.
async fn next_revision(
    transaction: &DatabaseTransaction,
    user: UserId,
) -> Result<StoredNotifications, StorageError> {
    let row = row_of(user, &StoredNotifications::default()).into_active_model().reset_all();
    let there =
        OnConflict::column(general::Column::UserId).do_nothing_on([general::Column::UserId]).to_owned();
    general::Entity::insert(row).on_conflict(there).exec_without_returning(transaction).await?;
    general::Entity::update_many()
        .col_expr(general::Column::Revision, Expr::col(general::Column::Revision).add(1))
        .filter(general::Column::UserId.eq(user.as_uuid()))
        .exec(transaction)
        .await?;
    let row = general::Entity::find_by_id(user.as_uuid()).one(transaction).await?;
    let row = row.ok_or_else(|| StorageError::corrupt("a row of person_notifications went away"))?;
    StoredNotifications::try_from(&row)
}

fn row_of(user: UserId, stored: &StoredNotifications) -> general::Model {
    let StoredNotifications { revision, changed, general } = stored;
    let number = |revision: &u64| i64::try_from(*revision).unwrap_or(i64::MAX);
    let keywords: Vec<&str> = general.keywords.iter().collect();
    let json = "texts are JSON";
    general::Model {
        user_id: user.as_uuid(),
        revision: number(revision),
        changed_revision: number(changed),
        direct_level: general.direct.as_str().to_owned(),
        rooms_level: general.rooms.as_str().to_owned(),
        keywords: serde_json::to_string(&keywords).expect(json),
        dnd_until_ms: general.dnd_until.map(milena_domain::Timestamp::unix_ms),
        dnd_schedule: general
            .dnd_schedule
            .as_ref()
            .map(|schedule| serde_json::to_string(&schedule.written()).expect(json)),
        push_words: general.push_words,
    }
}

fn revision(stored: i64) -> Result<u64, StorageError> {
    u64::try_from(stored).map_err(|_| StorageError::corrupt(format!("{stored} is no number of changes")))
}

fn level(stored: &str) -> Result<Level, StorageError> {
    Level::named(stored).ok_or_else(|| StorageError::corrupt(format!("{stored} is no level")))
}

impl TryFrom<&general::Model> for StoredNotifications {
    type Error = StorageError;

    /// What was good when it was written and is refused now (a time zone that is no more) is left out: it
    /// must not keep somebody from all the rest.
    fn try_from(row: &general::Model) -> Result<Self, StorageError> {
        let broken = |error: serde_json::Error| StorageError::corrupt(format!("notifications: {error}"));
        let keywords: Vec<String> = serde_json::from_str(&row.keywords).map_err(broken)?;
        let written = row.dnd_schedule.as_deref().map(serde_json::from_str::<WrittenSchedule>);
        let written = written.transpose().map_err(broken)?;
        let general = General {
            direct: level(&row.direct_level)?,
            rooms: level(&row.rooms_level)?,
            keywords: Keywords::new(&keywords).unwrap_or_default(),
            dnd_until: row.dnd_until_ms.map(moment),
            dnd_schedule: written.and_then(|written| Schedule::try_from(&written).ok()),
            push_words: row.push_words,
        };
        let (revision, changed) = (revision(row.revision)?, revision(row.changed_revision)?);
        Ok(Self { revision, changed, general })
    }
}

impl TryFrom<&own::Model> for StoredOwn {
    type Error = StorageError;

    fn try_from(row: &own::Model) -> Result<Self, StorageError> {
        let mute = match (row.muted, row.muted_until_ms) {
            (false, _) => Mute::No,
            (true, None) => Mute::ForGood,
            (true, Some(until)) => Mute::Until(moment(until)),
        };
        let settings = OfConversation {
            level: row.level.as_deref().map(level).transpose()?,
            mute,
            ignore_everyone: row.ignore_everyone,
        };
        Ok(Self { revision: revision(row.revision)?, settings })
    }
}
