//! Bodies about rooms.

use std::collections::HashMap;

use milena_domain::limits::MEMBERS_ADDED_MAX;
use milena_domain::record::{
    Created, Handle, History, Posting, Role, RoomPatch, Seat, Title, Topic, Visibility,
};
use milena_domain::{ClientId, ConversationId, Position, UserId};
use milena_storage::{DirectoryCursor, MemberCursor};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::Person;
use super::fields::Fields;
use super::presence::MemberPresence;
use crate::chat;
use crate::live::Present;
use crate::refusal::Refusal;
use crate::wire::rooms::{Room, WireHistory, WirePosting, WireRole, WireVisibility};

/// A room to create.
#[derive(ToSchema)]
pub struct NewRoom {
    /// 1 to 64 printable ASCII characters: the same again is the same room.
    #[schema(value_type = String, min_length = 1, max_length = 64)]
    pub client_id: ClientId,
    /// 2 to 32 of `a-z`, `0-9`, `.`, `_`, `-`, the first one a letter or digit; no reserved name.
    #[schema(value_type = String, min_length = 2, max_length = 32, example = "letters")]
    pub handle: Handle,
    /// 1 to 80 characters; no name of the system's own.
    #[schema(value_type = String, min_length = 1, max_length = 80, example = "Letters")]
    pub title: Title,
    /// At most 250 characters.
    #[schema(value_type = Option<String>, max_length = 250)]
    pub topic: Option<Topic>,
    /// `public` when absent.
    #[schema(value_type = Option<WireVisibility>)]
    pub visibility: Visibility,
    /// `all` when absent. It stays for ever.
    #[schema(value_type = Option<WireHistory>)]
    pub history: History,
    /// `members` when absent.
    #[schema(value_type = Option<WirePosting>)]
    pub posting: Posting,
    /// Who is in it from the first moment, besides oneself; at most 500.
    #[schema(value_type = Option<Vec<Uuid>>, max_items = 500)]
    pub members: Vec<UserId>,
}

impl TryFrom<Fields> for NewRoom {
    type Error = Refusal;

    fn try_from(mut fields: Fields) -> Result<Self, Refusal> {
        Ok(Self {
            client_id: ClientId::new(&fields.text("client_id")?)?,
            handle: Handle::admitted(&fields.text("handle")?)?,
            title: Title::admitted(&fields.text("title")?)?,
            topic: fields.optional_text("topic")?.map(|topic| Topic::admitted(&topic)).transpose()?,
            visibility: choice(&mut fields, "visibility")?.unwrap_or(Visibility::Public),
            history: choice(&mut fields, "history")?.unwrap_or(History::All),
            posting: choice(&mut fields, "posting")?.unwrap_or(Posting::Members),
            members: people(&mut fields, "members")?.unwrap_or_default(),
        })
    }
}

impl NewRoom {
    /// The payload of its first event.
    #[must_use]
    pub fn created(self) -> (ClientId, Created) {
        let Self { client_id, handle, title, topic, visibility, history, posting, members } = self;
        let seat = |user| Seat { user, role: Role::Member, from: None };
        let members = members.into_iter().map(seat).collect();
        (client_id, Created { handle, title, topic, visibility, history, posting, members })
    }
}

/// What is to be changed of a room; what is absent stays.
#[derive(ToSchema)]
pub struct RoomUpdate {
    /// A new name in addresses; no reserved name.
    #[schema(value_type = Option<String>, min_length = 2, max_length = 32)]
    handle: Option<Handle>,
    /// A new title; no name of the system's own.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 80)]
    title: Option<Title>,
    /// A new topic; empty for none.
    #[schema(value_type = Option<String>, max_length = 250)]
    topic: Option<Topic>,
    /// Who may find and join it from now on.
    #[schema(value_type = Option<WireVisibility>)]
    visibility: Option<Visibility>,
    /// Who may write from now on.
    #[schema(value_type = Option<WirePosting>)]
    posting: Option<Posting>,
    /// Closed, or opened again.
    archived: Option<bool>,
}

impl TryFrom<Fields> for RoomUpdate {
    type Error = Refusal;

    fn try_from(mut fields: Fields) -> Result<Self, Refusal> {
        Ok(Self {
            handle: fields.optional_text("handle")?.map(|handle| Handle::admitted(&handle)).transpose()?,
            title: fields.optional_text("title")?.map(|title| Title::admitted(&title)).transpose()?,
            topic: fields.optional_text("topic")?.map(|topic| Topic::admitted(&topic)).transpose()?,
            visibility: choice(&mut fields, "visibility")?,
            posting: choice(&mut fields, "posting")?,
            archived: fields.optional_flag("archived")?,
        })
    }
}

impl TryFrom<RoomUpdate> for RoomPatch {
    type Error = Refusal;

    fn try_from(update: RoomUpdate) -> Result<Self, Refusal> {
        let RoomUpdate { handle, title, topic, visibility, posting, archived } = update;
        let patch = Self { handle, title, topic, visibility, posting, archived };
        if patch.is_empty() {
            let problem =
                "is missing; name at least one of title, topic, handle, visibility, posting, archived";
            return Err(Refusal::field("title", problem));
        }
        Ok(patch)
    }
}

/// Whom to bring into a room.
#[derive(ToSchema)]
pub struct NewMembers {
    /// 1 to 500.
    #[schema(value_type = Vec<Uuid>, min_items = 1, max_items = 500)]
    pub users: Vec<UserId>,
}

impl TryFrom<Fields> for NewMembers {
    type Error = Refusal;

    fn try_from(mut fields: Fields) -> Result<Self, Refusal> {
        let users = people(&mut fields, "users")?.filter(|users| !users.is_empty());
        Ok(Self { users: users.ok_or_else(|| Refusal::field("users", "is missing"))? })
    }
}

/// What somebody is to be.
#[derive(ToSchema)]
pub struct NewRole {
    /// The role.
    #[schema(value_type = WireRole)]
    pub role: Role,
}

impl TryFrom<Fields> for NewRole {
    type Error = Refusal;

    fn try_from(mut fields: Fields) -> Result<Self, Refusal> {
        let role = choice(&mut fields, "role")?;
        Ok(Self { role: role.ok_or_else(|| Refusal::field("role", "is missing"))? })
    }
}

fn choice<T: DeserializeOwned>(fields: &mut Fields, field: &'static str) -> Result<Option<T>, Refusal> {
    let Some(text) = fields.optional_text(field)? else { return Ok(None) };
    let choices = match field {
        "visibility" => "public or private",
        "history" => "all or since_join",
        "posting" => "members or moderators",
        _ => "owner, moderator or member",
    };
    serde_json::from_value(serde_json::Value::String(text))
        .map(Some)
        .map_err(|_| Refusal::field(field, format!("must be {choices}")))
}

fn people(fields: &mut Fields, field: &'static str) -> Result<Option<Vec<UserId>>, Refusal> {
    let Some(texts) = fields.optional_texts(field, MEMBERS_ADDED_MAX)? else { return Ok(None) };
    let mut found: Vec<UserId> = texts
        .iter()
        .map(|text| {
            text.parse().map_err(|_| Refusal::field(field, "must be a list of ids of people (UUIDs)"))
        })
        .collect::<Result<_, _>>()?;
    let mut seen = std::collections::HashSet::new();
    found.retain(|user| seen.insert(*user));
    Ok(Some(found))
}

/// It counts.
#[derive(Debug, Serialize, ToSchema)]
pub struct RoomChanged {
    /// The room as one sees it now; null when one may not any more.
    #[schema(required)]
    room: Option<Room>,
    /// Where it stands in the log; of what was so already, since where it was.
    #[schema(value_type = u64)]
    position: Position,
}

impl From<&chat::Acted> for RoomChanged {
    fn from(acted: &chat::Acted) -> Self {
        Self { room: acted.room.as_ref().map(Room::from), position: acted.position }
    }
}

/// A part of the directory.
#[derive(Debug, Serialize, ToSchema)]
pub struct RoomList {
    /// Those with the most members first.
    rooms: Vec<Room>,
    /// To be given as `before` to get the next part; null at the end.
    #[schema(required)]
    next: Option<String>,
    /// No room is missing that was created; when false, ask again later.
    complete: bool,
}

impl From<chat::RoomPage> for RoomList {
    fn from(page: chat::RoomPage) -> Self {
        Self {
            rooms: page.rooms.iter().map(Room::from).collect(),
            next: page.next.map(|cursor| format!("{}.{}", cursor.members, cursor.id.as_uuid().simple())),
            complete: page.complete,
        }
    }
}

/// Reads what [`RoomList`] gave as `next`; `None` for anything else.
#[must_use]
pub fn decode_directory_cursor(text: &str) -> Option<DirectoryCursor> {
    let (members, id) = text.split_once('.')?;
    let id = ConversationId::from_uuid(Uuid::try_parse(id).ok()?);
    Some(DirectoryCursor { members: members.parse().ok()?, id })
}

/// Somebody in a room.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Member {
    user: Person,
    #[schema(value_type = WireRole)]
    role: Role,
    /// Since which event they have this role.
    #[schema(value_type = u64)]
    since: Position,
    /// Only where it is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    presence: Option<MemberPresence>,
}

/// A part of a room's members.
#[derive(Debug, Serialize, ToSchema)]
pub struct MemberList {
    /// Owners, moderators, then everybody else, each by name.
    members: Vec<Member>,
    /// To be given as `after` to get the next part; null at the end.
    #[schema(required)]
    next: Option<String>,
    /// How many are in the room.
    total: u32,
    /// Nobody is missing who came; when false, ask again later.
    complete: bool,
}

impl MemberList {
    /// With whether they are here, where that was asked for; who is not among `presences` may not be seen.
    #[must_use]
    pub fn new(page: chat::MemberPage, presences: Option<&HashMap<UserId, Present>>) -> Self {
        let member = |member: chat::Member| Member {
            user: Person::from(&*member.person).saying(member.status.as_ref()),
            presence: presences.map(|presences| presences.get(&member.person.id).into()),
            role: member.role,
            since: member.since,
        };
        Self {
            members: page.members.into_iter().map(member).collect(),
            next: page.next.as_ref().map(encode_member_cursor),
            total: page.total,
            complete: page.complete,
        }
    }
}

/// The name stands last, since it may hold anything.
#[derive(Serialize, Deserialize)]
struct WireMemberCursor(Role, String, Uuid);

fn encode_member_cursor(cursor: &MemberCursor) -> String {
    let parts = WireMemberCursor(cursor.role, cursor.name_folded.clone(), cursor.user.as_uuid());
    let json = serde_json::to_vec(&parts).expect("texts are always JSON");
    base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, json)
}

/// Reads what [`MemberList`] gave as `next`; `None` for anything else.
#[must_use]
pub fn decode_member_cursor(text: &str) -> Option<MemberCursor> {
    let json = base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, text).ok()?;
    let WireMemberCursor(role, name_folded, user) = serde_json::from_slice(&json).ok()?;
    Some(MemberCursor { role, name_folded, user: UserId::from_uuid(user) })
}
