//! Of what somebody wants to be told, and what they say of themselves: the same in REST answers and frames.

use milena_domain::tell::{
    Counts, General, Keywords, Level, Mute, OfConversation, Schedule, WrittenSchedule, WrittenWindow,
};
use milena_domain::{ConversationId, FieldError, Timestamp, limits};
use milena_storage::StoredOwn;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::fields::Fields;
use crate::chat;
use crate::refusal::Refusal;

/// Of which messages somebody is told: of `all`, of `mentions` (those that name them, answer them, call
/// everybody or have one of their keywords), or of `nothing`; others are only counted.
#[derive(ToSchema)]
#[schema(as = NotificationLevel, rename_all = "snake_case")]
#[allow(dead_code, reason = "the schema of the domain's type")]
pub(crate) enum WireLevel {
    All,
    Mentions,
    Nothing,
}

/// Times of the week in which somebody is not to be disturbed.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(super) struct DndSchedule {
    /// The IANA name of the time zone whose clocks count.
    #[schema(example = "Europe/Prague")]
    time_zone: String,
    /// 1 to 14.
    #[schema(min_items = 1, max_items = 14)]
    windows: Vec<DndWindow>,
}

/// From one time of the day to another one.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(super) struct DndWindow {
    /// The days on which it begins: `mon`, `tue`, `wed`, `thu`, `fri`, `sat`, `sun`.
    #[schema(example = json!(["mon", "tue"]))]
    days: Vec<String>,
    /// `00:00` to `23:59`.
    #[schema(example = "22:00")]
    from: String,
    /// `00:00` to `24:00`; when it is not later than `from` it is meant on the next day.
    #[schema(example = "07:00")]
    to: String,
}

impl From<&Schedule> for DndSchedule {
    fn from(schedule: &Schedule) -> Self {
        let WrittenSchedule { time_zone, windows } = schedule.written();
        let window = |WrittenWindow { days, from, to }| DndWindow { days, from, to };
        Self { time_zone, windows: windows.into_iter().map(window).collect() }
    }
}

/// What somebody wants to be told in general.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct GeneralNotifications {
    /// Between two people.
    #[schema(value_type = WireLevel)]
    direct: &'static str,
    /// In rooms.
    #[schema(value_type = WireLevel)]
    rooms: &'static str,
    /// Words that are worth a mention: at most 50 of at most 64 characters.
    keywords: Vec<String>,
    /// Not to be disturbed until then.
    #[schema(required, value_type = Option<String>, format = DateTime)]
    dnd_until: Option<Timestamp>,
    /// Not to be disturbed in these times of the week.
    #[schema(required)]
    dnd_schedule: Option<DndSchedule>,
    /// Whether push messages may carry words.
    push_words: bool,
}

impl From<&General> for GeneralNotifications {
    fn from(general: &General) -> Self {
        Self {
            direct: general.direct.as_str(),
            rooms: general.rooms.as_str(),
            keywords: general.keywords.iter().map(str::to_owned).collect(),
            dnd_until: general.dnd_until,
            dnd_schedule: general.dnd_schedule.as_ref().map(DndSchedule::from),
            push_words: general.push_words,
        }
    }
}

/// What somebody wants to be told of one conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct ConversationNotifications {
    /// Null: as in general.
    #[schema(required, value_type = Option<WireLevel>)]
    level: Option<&'static str>,
    /// Whether it is muted now: only messages that name one count, and nothing is told.
    muted: bool,
    /// Until when; null: for good, or it is not muted.
    #[schema(required, value_type = Option<String>, format = DateTime)]
    muted_until: Option<Timestamp>,
    /// Whether calls for everybody are messages like any other.
    ignore_everyone: bool,
}

impl From<OfConversation> for ConversationNotifications {
    fn from(settings: OfConversation) -> Self {
        let (muted, muted_until) = match settings.mute {
            Mute::No => (false, None),
            Mute::Until(until) => (true, Some(until)),
            Mute::ForGood => (true, None),
        };
        Self {
            level: settings.level.map(Level::as_str),
            muted,
            muted_until,
            ignore_everyone: settings.ignore_everyone,
        }
    }
}

/// The same, with the number of the change that made it so.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChangedNotifications {
    /// Which of one's changes it was; 0 when it was never changed.
    revision: u64,
    #[serde(flatten)]
    settings: ConversationNotifications,
}

impl From<StoredOwn> for ChangedNotifications {
    fn from(own: StoredOwn) -> Self {
        Self { revision: own.revision, settings: own.settings.into() }
    }
}

/// The same, of one of several conversations.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OwnNotifications {
    #[schema(value_type = Uuid)]
    conversation: ConversationId,
    #[serde(flatten)]
    settings: ConversationNotifications,
}

/// All that somebody wants to be told.
#[derive(Debug, Serialize, ToSchema)]
pub struct Notifications {
    /// How often one has changed something, of a conversation too.
    revision: u64,
    #[serde(flatten)]
    general: GeneralNotifications,
    /// Conversations of which one wants something else than in general, at most 2,500.
    conversations: Vec<OwnNotifications>,
}

impl From<chat::Notifications> for Notifications {
    fn from(notifications: chat::Notifications) -> Self {
        let chat::Notifications { revision, general, of_conversations } = notifications;
        let of_each = of_conversations.into_iter();
        let of_each =
            of_each.map(|(conversation, own)| OwnNotifications { conversation, settings: own.into() });
        Self { revision, general: (&general).into(), conversations: of_each.collect() }
    }
}

/// What is to change of it in general; what is absent stays.
#[derive(ToSchema)]
pub struct NotificationsChange {
    /// Between two people.
    #[schema(value_type = Option<WireLevel>, nullable = false)]
    direct: Option<Level>,
    /// In rooms.
    #[schema(value_type = Option<WireLevel>, nullable = false)]
    rooms: Option<Level>,
    /// Instead of those that there are: at most 50 of 1 to 64 characters.
    #[schema(value_type = Option<Vec<String>>, nullable = false, max_items = 50)]
    keywords: Option<Keywords>,
    /// Null clears it.
    #[schema(value_type = Option<String>, format = DateTime)]
    dnd_until: Option<Option<Timestamp>>,
    /// Null clears it.
    #[schema(value_type = Option<DndSchedule>)]
    dnd_schedule: Option<Option<Schedule>>,
    /// Whether push messages may carry words.
    #[schema(nullable = false)]
    push_words: Option<bool>,
}

impl TryFrom<Fields> for NotificationsChange {
    type Error = Refusal;

    fn try_from(mut fields: Fields) -> Result<Self, Refusal> {
        let keywords = fields.optional_texts("keywords", limits::KEYWORDS_MAX)?;
        Ok(Self {
            direct: level(&mut fields, "direct")?,
            rooms: level(&mut fields, "rooms")?,
            keywords: keywords.map(|words| Keywords::new(&words)).transpose()?,
            dnd_until: fields.given("dnd_until").map(|given| moment(given, "dnd_until")).transpose()?,
            dnd_schedule: fields.given("dnd_schedule").map(schedule).transpose()?,
            push_words: fields.optional_flag("push_words")?,
        })
    }
}

impl NotificationsChange {
    /// Whether it changes anything.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        let Self { direct, rooms, keywords, dnd_until, dnd_schedule, push_words } = self;
        direct.is_none()
            && rooms.is_none()
            && keywords.is_none()
            && dnd_until.is_none()
            && dnd_schedule.is_none()
            && push_words.is_none()
    }

    /// Changes what there is.
    pub fn apply(self, general: &mut General) {
        let Self { direct, rooms, keywords, dnd_until, dnd_schedule, push_words } = self;
        general.direct = direct.unwrap_or(general.direct);
        general.rooms = rooms.unwrap_or(general.rooms);
        general.dnd_until = dnd_until.unwrap_or(general.dnd_until);
        general.push_words = push_words.unwrap_or(general.push_words);
        if let Some(keywords) = keywords {
            general.keywords = keywords;
        }
        if let Some(schedule) = dnd_schedule {
            general.dnd_schedule = schedule;
        }
    }
}

/// What somebody wants of one conversation from now on; what is absent is as in general.
#[derive(ToSchema)]
pub struct OwnNotificationsChange {
    /// Null: as in general.
    #[schema(value_type = Option<WireLevel>)]
    level: Option<Level>,
    /// Whether it is muted.
    muted: Option<bool>,
    /// Until when it is muted; for good when absent and `muted` is true.
    #[schema(value_type = Option<String>, format = DateTime)]
    muted_until: Option<Timestamp>,
    /// Whether calls for everybody are messages like any other.
    ignore_everyone: Option<bool>,
}

impl TryFrom<Fields> for OwnNotificationsChange {
    type Error = Refusal;

    fn try_from(mut fields: Fields) -> Result<Self, Refusal> {
        let muted_until =
            fields.given("muted_until").map(|given| moment(given, "muted_until")).transpose()?;
        let (muted, muted_until) = (fields.optional_flag("muted")?, muted_until.flatten());
        if muted == Some(false) && muted_until.is_some() {
            return Err(Refusal::field("muted_until", "must be absent when `muted` is false"));
        }
        let (level, ignore_everyone) =
            (level(&mut fields, "level")?, fields.optional_flag("ignore_everyone")?);
        Ok(Self { level, muted, muted_until, ignore_everyone })
    }
}

impl From<OwnNotificationsChange> for OfConversation {
    fn from(change: OwnNotificationsChange) -> Self {
        let OwnNotificationsChange { level, muted, muted_until, ignore_everyone } = change;
        let mute = match (muted, muted_until) {
            (_, Some(until)) => Mute::Until(until),
            (Some(true), None) => Mute::ForGood,
            (Some(false) | None, None) => Mute::No,
        };
        Self { level, mute, ignore_everyone: ignore_everyone.unwrap_or_default() }
    }
}

fn level(fields: &mut Fields, field: &'static str) -> Result<Option<Level>, Refusal> {
    let level = fields.optional_text(field)?.map(|text| {
        Level::named(&text).ok_or_else(|| Refusal::field(field, "must be one of all, mentions, nothing"))
    });
    level.transpose()
}

/// A time, or null.
pub(super) fn moment(given: Value, field: &'static str) -> Result<Option<Timestamp>, Refusal> {
    match given {
        Value::Null => Ok(None),
        Value::String(text) => {
            let moment = Timestamp::exact(&text).map_err(|error| FieldError { field, ..error })?;
            Ok(Some(moment))
        }
        _ => Err(Refusal::field(field, "must be a time such as 2026-11-29T12:00:00.000Z, or null")),
    }
}

/// Times of the week, or null.
fn schedule(given: Value) -> Result<Option<Schedule>, Refusal> {
    if given.is_null() {
        return Ok(None);
    }
    let written: WrittenSchedule = serde_json::from_value(given).map_err(|error| {
        Refusal::field(
            "dnd_schedule",
            format!("must be null, or have time_zone and windows of days, from and to ({error})"),
        )
    })?;
    Ok(Some(Schedule::try_from(&written)?))
}

/// Unread messages of several conversations.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub struct Totals {
    /// Those that call for one: of muted conversations only those that name one.
    calls: u64,
    /// Those among them that name one.
    mentions: u64,
    /// Those that are muted.
    muted: u64,
}

impl From<Counts> for Totals {
    fn from(counts: Counts) -> Self {
        let Counts { calls, mentions, muted } = counts;
        Self { calls, mentions, muted }
    }
}
