//! `rooms`: creating, finding and changing them, and who is in them.

use http::StatusCode;
use milena_domain::limits::DISPLAY_NAME_MAX_CHARS;
use milena_domain::record::{Action, Handle, RoomPatch};
use milena_domain::{ClientId, ConversationId, UserId};
use uuid::Uuid;
use warp::Filter;
use warp::filters::BoxedFilter;
use warp::reply::Response;

use super::answer::{Outcome, json, settle};
use super::call::{Call, call, id};
use super::compression;
use super::context::Context;
use super::messages::idempotency_key;
use crate::chat::RoomChange;
use crate::live::rooms::RoomView;
use crate::refusal::Refusal;
use crate::wire::rest::{
    MemberList, NewMembers, NewRole, NewRoom, People, Person, Problem, RoomChanged, RoomList, RoomUpdate,
    decode_directory_cursor, decode_member_cursor,
};
use crate::wire::rooms::Room;

/// Rooms of one answer when the client names no `limit`, and at most.
const ROOMS_DEFAULT_LIMIT: usize = 50;
const ROOMS_MAX_LIMIT: usize = 100;
/// Members of one answer when the client names no `limit`, and at most.
const MEMBERS_DEFAULT_LIMIT: usize = 100;
const MEMBERS_MAX_LIMIT: usize = 500;

pub(super) fn routes(context: &Context) -> BoxedFilter<(Response,)> {
    let all = || call(context);
    let create = warp::path!("rooms").and(warp::post()).and(all()).then(create).map(settle);
    let list = warp::path!("rooms").and(warp::get()).and(all()).then(list).map(settle);
    let named =
        warp::path!("rooms" / "by-handle" / String).and(warp::get()).and(all()).then(by_handle).map(settle);
    let one = warp::path!("rooms" / String).and(warp::get()).and(all()).then(one).map(settle);
    let change = warp::path!("rooms" / String).and(warp::patch()).and(all()).then(change).map(settle);
    let join = warp::path!("rooms" / String / "join").and(warp::post()).and(all()).then(join).map(settle);
    let leave = warp::path!("rooms" / String / "leave").and(warp::post()).and(all()).then(leave).map(settle);
    let members =
        warp::path!("rooms" / String / "members").and(warp::get()).and(all()).then(members).map(settle);
    let add = warp::path!("rooms" / String / "members").and(warp::post()).and(all()).then(add).map(settle);
    let member = || warp::path!("rooms" / String / "members" / String);
    let remove = member().and(warp::delete()).and(all()).then(remove).map(settle);
    let role = member().and(warp::put()).and(all()).then(set_role).map(settle);
    let banned = warp::path!("rooms" / String / "bans").and(warp::get()).and(all()).then(banned).map(settle);
    let ban_of = || warp::path!("rooms" / String / "bans" / String);
    let ban = ban_of().and(warp::put()).and(all()).then(ban).map(settle);
    let unban = ban_of().and(warp::delete()).and(all()).then(unban).map(settle);
    let rooms = create.or(list).unify().or(named).unify().or(one).unify().or(change).unify();
    let people = join.or(leave).unify().or(members).unify().or(add).unify().or(remove).unify();
    let people = people.or(role).unify().or(banned).unify().or(ban).unify().or(unban).unify();
    rooms.boxed().or(people.boxed()).unify().boxed()
}

/// Create a room. One is its owner; the same `client_id` again is the same room.
#[utoipa::path(
    post, path = "/api/v1/rooms", operation_id = "create_room", tag = "rooms", request_body = NewRoom,
    security(("token" = []), ("cookie" = [])),
    responses(
        (status = 201, body = RoomChanged, description = "It is in the log, and counts"),
        (
            status = 409, body = Problem, content_type = "application/problem+json",
            description = "`handle_taken`",
        ),
    ),
)]
pub(super) async fn create(context: Context, mut call: Call) -> Outcome {
    let user = call.identity(&context).await?.person.id;
    context.send_rate.check(user)?;
    let room: NewRoom = call.json().await?;
    let (client_id, created) = room.created();
    context.send_rate.check_bytes(user, created.payload_bytes())?;
    let acted = context.chat.create_room(user, client_id, created).await?;
    Ok(json(StatusCode::CREATED, &RoomChanged::from(&acted)))
}

/// Public rooms, those with the most members first.
#[utoipa::path(
    get, path = "/api/v1/rooms", operation_id = "list_rooms", tag = "rooms",
    security(("token" = []), ("cookie" = [])),
    params(
        ("q" = Option<String>, Query, max_length = 64, description =
            "What a word of handle, title or topic begins with; of several words each"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 100, description = "How many; 50 when absent"),
        ("before" = Option<String>, Query, description = "`next` of the previous answer"),
    ),
    responses((status = 200, body = RoomList)),
)]
pub(super) async fn list(context: Context, call: Call) -> Outcome {
    let user = call.identity(&context).await?.person.id;
    let limit = call.query.limit(ROOMS_DEFAULT_LIMIT, ROOMS_MAX_LIMIT)?;
    let before = call.query.text("before").map(|text| {
        decode_directory_cursor(text)
            .ok_or_else(|| Refusal::field("before", "must be `next` of an earlier answer"))
    });
    let rooms = context.chat.public_rooms(user, words(&call)?, before.transpose()?, limit).await?;
    Ok(compression::json(&call.headers, StatusCode::OK, &RoomList::from(rooms)).await)
}

/// A room, if one is in it or it is public.
#[utoipa::path(
    get, path = "/api/v1/rooms/{id}", operation_id = "room", tag = "rooms",
    security(("token" = []), ("cookie" = [])),
    params(("id" = Uuid, Path, description = "The room")),
    responses(
        (status = 200, body = Room),
        (
            status = 404, body = Problem, content_type = "application/problem+json",
            description = "`unknown_conversation`",
        ),
    ),
)]
pub(super) async fn one(room: String, context: Context, call: Call) -> Outcome {
    let user = call.identity(&context).await?.person.id;
    let view = context.chat.room(user, room_id(&room)?).await?;
    Ok(json(StatusCode::OK, &as_wanted(&context, user, &view).await?))
}

/// A room by its handle, if one is in it or it is public.
#[utoipa::path(
    get, path = "/api/v1/rooms/by-handle/{handle}", operation_id = "room_by_handle", tag = "rooms",
    security(("token" = []), ("cookie" = [])),
    params(("handle" = String, Path, description = "Its name in addresses")),
    responses(
        (status = 200, body = Room),
        (
            status = 404, body = Problem, content_type = "application/problem+json",
            description = "`unknown_conversation`",
        ),
    ),
)]
pub(super) async fn by_handle(handle: String, context: Context, call: Call) -> Outcome {
    let user = call.identity(&context).await?.person.id;
    let view = context.chat.room_by_handle(user, &Handle::new(&handle)?).await?;
    Ok(json(StatusCode::OK, &as_wanted(&context, user, &view).await?))
}

/// A room, with what its member wants to be told of it.
async fn as_wanted(context: &Context, user: UserId, view: &RoomView) -> Result<Room, Refusal> {
    let room = Room::from(view);
    if view.standing.membership.is_none() {
        return Ok(room);
    }
    match context.chat.own_notifications(user, view.id).await {
        Ok(own) => Ok(room.wanting(own.settings)),
        // What the room is, is known without the database.
        Err(refusal) if refusal.code.is_temporary() => Ok(room),
        Err(refusal) => Err(refusal),
    }
}

/// Change a room: owners everything, moderators title and topic.
#[utoipa::path(
    patch, path = "/api/v1/rooms/{id}", operation_id = "change_room", tag = "rooms",
    request_body = RoomUpdate, security(("token" = []), ("cookie" = [])),
    params(
        ("id" = Uuid, Path, description = "The room"),
        ("Idempotency-Key" = Option<String>, Header, max_length = 64, description =
            "The event's `client_id`. Chosen by the server when absent"),
    ),
    responses(
        (status = 200, body = RoomChanged),
        (
            status = 403, body = Problem, content_type = "application/problem+json",
            description = "`not_permitted`, `archived`",
        ),
        (
            status = 409, body = Problem, content_type = "application/problem+json",
            description = "`handle_taken`",
        ),
    ),
)]
pub(super) async fn change(room: String, context: Context, mut call: Call) -> Outcome {
    let actor = actor(&context, &call).await?;
    let update: RoomUpdate = call.json().await?;
    act(&context, &call, actor, &room, Action::RoomChanged(RoomPatch::try_from(update)?)).await
}

/// Come into a public room.
#[utoipa::path(
    post, path = "/api/v1/rooms/{id}/join", operation_id = "join_room", tag = "rooms",
    security(("token" = []), ("cookie" = [])),
    params(
        ("id" = Uuid, Path, description = "The room"),
        ("Idempotency-Key" = Option<String>, Header, max_length = 64, description =
            "The event's `client_id`. Chosen by the server when absent"),
    ),
    responses(
        (status = 200, body = RoomChanged),
        (
            status = 403, body = Problem, content_type = "application/problem+json",
            description = "`banned`, `archived`, `full`, `not_permitted`, `too_many_rooms`",
        ),
    ),
)]
pub(super) async fn join(room: String, context: Context, call: Call) -> Outcome {
    let actor = actor(&context, &call).await?;
    act(&context, &call, actor, &room, Action::Joined).await
}

/// Go out of a room.
#[utoipa::path(
    post, path = "/api/v1/rooms/{id}/leave", operation_id = "leave_room", tag = "rooms",
    security(("token" = []), ("cookie" = [])),
    params(
        ("id" = Uuid, Path, description = "The room"),
        ("Idempotency-Key" = Option<String>, Header, max_length = 64, description =
            "The event's `client_id`. Chosen by the server when absent"),
    ),
    responses(
        (status = 200, body = RoomChanged),
        (
            status = 403, body = Problem, content_type = "application/problem+json",
            description = "`last_owner`, `not_member`",
        ),
    ),
)]
pub(super) async fn leave(room: String, context: Context, call: Call) -> Outcome {
    let actor = actor(&context, &call).await?;
    act(&context, &call, actor, &room, Action::Left).await
}

/// Who is in a room: owners, moderators, then everybody else, each by name.
#[utoipa::path(
    get, path = "/api/v1/rooms/{id}/members", operation_id = "list_members", tag = "rooms",
    security(("token" = []), ("cookie" = [])),
    params(
        ("id" = Uuid, Path, description = "The room"),
        ("q" = Option<String>, Query, max_length = 64, description = "What a word of a name begins with"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 500, description = "How many; 100 when absent"),
        ("after" = Option<String>, Query, description = "`next` of the previous answer"),
        (
            "presence" = Option<bool>, Query,
            description = "Whether to say of each whether they are here, as far as one may see it"
        ),
    ),
    responses((status = 200, body = MemberList)),
)]
pub(super) async fn members(room: String, context: Context, call: Call) -> Outcome {
    let user = call.identity(&context).await?.person.id;
    let limit = call.query.limit(MEMBERS_DEFAULT_LIMIT, MEMBERS_MAX_LIMIT)?;
    let after = call.query.text("after").map(|text| {
        decode_member_cursor(text)
            .ok_or_else(|| Refusal::field("after", "must be `next` of an earlier answer"))
    });
    let room = room_id(&room)?;
    let with_presence = call.query.flag("presence")?;
    let page = context.chat.room_members(user, room, words(&call)?, after.transpose()?, limit).await?;
    let presences = if with_presence {
        let members: Vec<UserId> = page.members.iter().map(|member| member.person.id).collect();
        Some(context.chat.presences_for(user, &members).await?)
    } else {
        None
    };
    let list = MemberList::new(page, presences.as_ref());
    Ok(compression::json(&call.headers, StatusCode::OK, &list).await)
}

/// Bring people into a room that one is in.
#[utoipa::path(
    post, path = "/api/v1/rooms/{id}/members", operation_id = "add_members", tag = "rooms",
    request_body = NewMembers, security(("token" = []), ("cookie" = [])),
    params(
        ("id" = Uuid, Path, description = "The room"),
        ("Idempotency-Key" = Option<String>, Header, max_length = 64, description =
            "The event's `client_id`. Chosen by the server when absent"),
    ),
    responses(
        (status = 200, body = RoomChanged),
        (
            status = 404, body = Problem, content_type = "application/problem+json",
            description = "`unknown_recipient`, `unknown_conversation`",
        ),
    ),
)]
pub(super) async fn add(room: String, context: Context, mut call: Call) -> Outcome {
    let actor = actor(&context, &call).await?;
    let NewMembers { users } = call.json().await?;
    act(&context, &call, actor, &room, Action::MembersAdded { users }).await
}

/// Send somebody away; they may come again.
#[utoipa::path(
    delete, path = "/api/v1/rooms/{id}/members/{user}", operation_id = "remove_member", tag = "rooms",
    security(("token" = []), ("cookie" = [])),
    params(
        ("id" = Uuid, Path, description = "The room"),
        ("user" = Uuid, Path, description = "Whom"),
        ("Idempotency-Key" = Option<String>, Header, max_length = 64, description =
            "The event's `client_id`. Chosen by the server when absent"),
    ),
    responses((status = 200, body = RoomChanged)),
)]
pub(super) async fn remove(room: String, user: String, context: Context, call: Call) -> Outcome {
    let actor = actor(&context, &call).await?;
    let user = UserId::from_uuid(id(&user)?);
    act(&context, &call, actor, &room, Action::Removed { user }).await
}

/// Give a member another role.
#[utoipa::path(
    put, path = "/api/v1/rooms/{id}/members/{user}", operation_id = "change_role", tag = "rooms",
    request_body = NewRole, security(("token" = []), ("cookie" = [])),
    params(
        ("id" = Uuid, Path, description = "The room"),
        ("user" = Uuid, Path, description = "Whose"),
        ("Idempotency-Key" = Option<String>, Header, max_length = 64, description =
            "The event's `client_id`. Chosen by the server when absent"),
    ),
    responses((status = 200, body = RoomChanged)),
)]
pub(super) async fn set_role(room: String, user: String, context: Context, mut call: Call) -> Outcome {
    let actor = actor(&context, &call).await?;
    let user = UserId::from_uuid(id(&user)?);
    let NewRole { role } = call.json().await?;
    act(&context, &call, actor, &room, Action::RoleChanged { user, role }).await
}

/// Who is kept away from a room, for its moderators; at most 500.
#[utoipa::path(
    get, path = "/api/v1/rooms/{id}/bans", operation_id = "list_bans", tag = "rooms",
    security(("token" = []), ("cookie" = [])),
    params(("id" = Uuid, Path, description = "The room")),
    responses((status = 200, body = People)),
)]
pub(super) async fn banned(room: String, context: Context, call: Call) -> Outcome {
    let user = call.identity(&context).await?.person.id;
    let found = context.chat.banned(user, room_id(&room)?).await?;
    let people = People { users: found.iter().map(|person| Person::from(&**person)).collect() };
    Ok(json(StatusCode::OK, &people))
}

/// Send somebody away, and keep them away.
#[utoipa::path(
    put, path = "/api/v1/rooms/{id}/bans/{user}", operation_id = "ban", tag = "rooms",
    security(("token" = []), ("cookie" = [])),
    params(
        ("id" = Uuid, Path, description = "The room"),
        ("user" = Uuid, Path, description = "Whom"),
        ("Idempotency-Key" = Option<String>, Header, max_length = 64, description =
            "The event's `client_id`. Chosen by the server when absent"),
    ),
    responses((status = 200, body = RoomChanged)),
)]
pub(super) async fn ban(room: String, user: String, context: Context, call: Call) -> Outcome {
    let actor = actor(&context, &call).await?;
    let user = UserId::from_uuid(id(&user)?);
    act(&context, &call, actor, &room, Action::Banned { user }).await
}

/// Let somebody come again.
#[utoipa::path(
    delete, path = "/api/v1/rooms/{id}/bans/{user}", operation_id = "unban", tag = "rooms",
    security(("token" = []), ("cookie" = [])),
    params(
        ("id" = Uuid, Path, description = "The room"),
        ("user" = Uuid, Path, description = "Whom"),
        ("Idempotency-Key" = Option<String>, Header, max_length = 64, description =
            "The event's `client_id`. Chosen by the server when absent"),
    ),
    responses((status = 200, body = RoomChanged)),
)]
pub(super) async fn unban(room: String, user: String, context: Context, call: Call) -> Outcome {
    let actor = actor(&context, &call).await?;
    let user = UserId::from_uuid(id(&user)?);
    act(&context, &call, actor, &room, Action::Unbanned { user }).await
}

/// Whoever does something in a room sends something: the rate of sends bounds it, and [`act`] counts its
/// bytes.
async fn actor(context: &Context, call: &Call) -> Result<UserId, Refusal> {
    let user = call.uncounted_identity(context).await?.person.id;
    context.send_rate.check(user)?;
    Ok(user)
}

async fn act(context: &Context, call: &Call, actor: UserId, room: &str, action: Action) -> Outcome {
    context.send_rate.check_bytes(actor, action.payload_bytes())?;
    let room = room_id(room)?;
    let client_id = match idempotency_key(call)? {
        Some(key) => key,
        None => {
            let prefix = context.chat.client_id_prefix(actor);
            ClientId::new(&format!("{prefix}{}", Uuid::now_v7().simple()))?
        }
    };
    let change = RoomChange { actor, room, client_id, action, connection: None };
    let acted = context.chat.change_room(change).await?;
    Ok(json(StatusCode::OK, &RoomChanged::from(&acted)))
}

fn room_id(text: &str) -> Result<ConversationId, Refusal> {
    Ok(ConversationId::from_uuid(id(text)?))
}

fn words(call: &Call) -> Result<&str, Refusal> {
    let words = call.query.text("q").unwrap_or_default();
    let chars = words.chars().count();
    if chars > DISPLAY_NAME_MAX_CHARS {
        let problem = format!("must be at most {DISPLAY_NAME_MAX_CHARS} characters (got {chars})");
        return Err(Refusal::field("q", problem));
    }
    Ok(words)
}
