//! Lists of messages apart from their conversations: pins, where one is named, who has reacted.

use http::StatusCode;
use milena_domain::limits::{HISTORY_DEFAULT_LIMIT, HISTORY_MAX_LIMIT, PINS_MAX};
use milena_domain::record::Emoji;
use milena_domain::{ConversationId, Position};
use warp::Filter;
use warp::filters::BoxedFilter;
use warp::reply::Response;

use super::answer::{Outcome, settle};
use super::call::{Call, call, id};
use super::compression;
use super::context::Context;
use crate::refusal::Refusal;
use crate::wire::rest::{
    EditList, MentionPage, PinList, Problem, ReactionList, ReaderList, decode_mention_cursor,
};

/// People of one answer about reactions.
const REACTIONS_DEFAULT_LIMIT: usize = 100;
const REACTIONS_MAX_LIMIT: usize = 1_000;

pub(super) fn routes(context: &Context) -> BoxedFilter<(Response,)> {
    let all = || call(context);
    let pins = warp::path!("conversations" / String / "pins").and(warp::get());
    let pins = pins.and(all()).then(pins_of).map(settle);
    let reactions = warp::path!("conversations" / String / "messages" / String / "reactions");
    let reactions = reactions.and(warp::get()).and(all()).then(reactions_to).map(settle);
    let mentions = warp::path!("mentions").and(warp::get()).and(all()).then(mentions).map(settle);
    let edits = warp::path!("conversations" / String / "messages" / String / "edits").and(warp::get());
    let edits = edits.and(all()).then(edits_of).map(settle);
    let readers = warp::path!("conversations" / String / "messages" / String / "readers").and(warp::get());
    let readers = readers.and(all()).then(readers_of).map(settle);
    pins.or(reactions).unify().or(mentions).unify().or(edits).unify().boxed().or(readers).unify().boxed()
}

/// The pinned messages of a conversation, the newest pin first.
#[utoipa::path(
    get, path = "/api/v1/conversations/{id}/pins", operation_id = "list_pins", tag = "messages",
    security(("token" = []), ("cookie" = [])),
    params(
        ("id" = Uuid, Path, description = "The conversation"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 100, description = "How many; 100 when absent"),
    ),
    responses((status = 200, body = PinList)),
)]
pub(super) async fn pins_of(conversation: String, context: Context, call: Call) -> Outcome {
    let user = call.identity(&context).await?.person.id;
    let conversation = ConversationId::from_uuid(id(&conversation)?);
    let limit = call.query.limit(PINS_MAX, PINS_MAX)?;
    let pins = context.chat.pins(user, conversation, limit).await?;
    Ok(compression::json(&call.headers, StatusCode::OK, &PinList::new(&pins, user)).await)
}

/// Who has reacted to a message, in the order in which they did.
#[utoipa::path(
    get, path = "/api/v1/conversations/{id}/messages/{position}/reactions", operation_id = "list_reactions",
    tag = "messages",
    security(("token" = []), ("cookie" = [])),
    params(
        ("id" = Uuid, Path, description = "The conversation"),
        ("position" = u64, Path, description = "The message"),
        ("emoji" = Option<String>, Query, description = "With this reaction; with any when absent"),
        ("after" = Option<String>, Query, description = "`next` of the previous answer"),
        (
            "limit" = Option<u32>, Query, minimum = 1, maximum = 1000,
            description = "How many; 100 when absent"
        ),
    ),
    responses(
        (status = 200, body = ReactionList),
        (
            status = 404, body = Problem, content_type = "application/problem+json",
            description = "`not_found`: there is no message, it was deleted, or one may not see it",
        ),
    ),
)]
pub(super) async fn reactions_to(
    conversation: String,
    position: String,
    context: Context,
    call: Call,
) -> Outcome {
    let user = call.identity(&context).await?.person.id;
    let message = (ConversationId::from_uuid(id(&conversation)?), place(&position)?);
    let emoji = call.query.text("emoji").map(Emoji::new).transpose()?;
    let after = call.query.position("after")?.unwrap_or(Position::ZERO);
    let limit = call.query.limit(REACTIONS_DEFAULT_LIMIT, REACTIONS_MAX_LIMIT)?;
    let reactions = context.chat.reactions(user, message, emoji.as_ref(), after, limit).await?;
    Ok(compression::json(&call.headers, StatusCode::OK, &ReactionList::from(reactions)).await)
}

/// The messages that name one, of all conversations, newest first.
#[utoipa::path(
    get, path = "/api/v1/mentions", operation_id = "list_mentions", tag = "messages",
    security(("token" = []), ("cookie" = [])),
    params(
        ("before" = Option<String>, Query, description = "`next` of the previous answer"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 100, description = "How many; 50 when absent"),
    ),
    responses((status = 200, body = MentionPage)),
)]
pub(super) async fn mentions(context: Context, call: Call) -> Outcome {
    let user = call.identity(&context).await?.person.id;
    let before = call.query.text("before").map(|text| {
        decode_mention_cursor(text)
            .ok_or_else(|| Refusal::field("before", "must be `next` of an earlier answer"))
    });
    let limit = call.query.limit(HISTORY_DEFAULT_LIMIT, HISTORY_MAX_LIMIT)?;
    let mentions = context.chat.mentions(user, before.transpose()?, limit).await?;
    Ok(compression::json(&call.headers, StatusCode::OK, &MentionPage::new(&mentions, user)).await)
}

/// Who has read a message, its author left out; in rooms of up to 100 members, and between two people.
#[utoipa::path(
    get, path = "/api/v1/conversations/{id}/messages/{position}/readers", operation_id = "list_readers",
    tag = "messages",
    security(("token" = []), ("cookie" = [])),
    params(
        ("id" = Uuid, Path, description = "The conversation"),
        ("position" = u64, Path, description = "The message"),
    ),
    responses(
        (status = 200, body = ReaderList),
        (
            status = 403, body = Problem, content_type = "application/problem+json",
            description = "`too_many_members`, `not_member`",
        ),
        (
            status = 404, body = Problem, content_type = "application/problem+json",
            description = "`not_found`: there is no message, it was deleted, or one may not see it",
        ),
    ),
)]
pub(super) async fn readers_of(
    conversation: String,
    position: String,
    context: Context,
    call: Call,
) -> Outcome {
    let user = call.identity(&context).await?.person.id;
    let message = (ConversationId::from_uuid(id(&conversation)?), place(&position)?);
    let readers = context.chat.readers(user, message).await?;
    Ok(compression::json(&call.headers, StatusCode::OK, &ReaderList::from(readers)).await)
}

/// What an edited message of one's own said before, or, for moderators and owners of a room, anybody's there;
/// only where the server keeps it.
#[utoipa::path(
    get, path = "/api/v1/conversations/{id}/messages/{position}/edits", operation_id = "list_edits",
    tag = "messages",
    security(("token" = []), ("cookie" = [])),
    params(
        ("id" = Uuid, Path, description = "The conversation"),
        ("position" = u64, Path, description = "The message"),
        ("before" = Option<u64>, Query, description = "Edits before this position"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 100, description = "How many; 50 when absent"),
    ),
    responses(
        (status = 200, body = EditList),
        (
            status = 403, body = Problem, content_type = "application/problem+json",
            description = "`not_permitted`: somebody else's; `not_member`",
        ),
        (
            status = 404, body = Problem, content_type = "application/problem+json",
            description = "`not_found`: nothing is kept, there is no message, it was deleted, or one may not \
                           see it",
        ),
    ),
)]
pub(super) async fn edits_of(
    conversation: String,
    position: String,
    context: Context,
    call: Call,
) -> Outcome {
    let user = call.identity(&context).await?.person.id;
    let message = (ConversationId::from_uuid(id(&conversation)?), place(&position)?);
    let before = call.query.position("before")?;
    let limit = call.query.limit(HISTORY_DEFAULT_LIMIT, HISTORY_MAX_LIMIT)?;
    let edits = context.chat.edits(user, message, before, limit).await?;
    Ok(compression::json(&call.headers, StatusCode::OK, &EditList::from(edits)).await)
}

/// A message's place in the path.
///
/// # Errors
/// `invalid_field`.
pub(super) fn place(position: &str) -> Result<Position, Refusal> {
    let position = position.parse().ok().and_then(Position::from_u64);
    position.ok_or_else(|| Refusal::field("position", "must be the position of a message"))
}
