//! Changing messages: editing, deleting, reactions, pins. Each is answered when the log has it and it counts.

use http::StatusCode;
use milena_domain::limits::{HISTORY_DEFAULT_LIMIT, HISTORY_MAX_LIMIT};
use milena_domain::record::{Emoji, Reason};
use milena_domain::{ConversationId, Position};
use warp::Filter;
use warp::filters::BoxedFilter;
use warp::reply::Response;

use super::answer::{Outcome, json, settle};
use super::call::{Call, call, id};
use super::compression;
use super::context::Context;
use super::lists::place;
use super::messages::{idempotency_key, named};
use crate::chat::{ChangeRequest, Target, What};
use crate::refusal::Refusal;
use crate::wire::rest::{Accepted, ChangePage, Edit, Problem};

pub(super) fn routes(context: &Context) -> BoxedFilter<(Response,)> {
    let all = || call(context);
    let message = || warp::path!("conversations" / String / "messages" / String);
    let edit = message().and(warp::patch()).and(all()).then(edit).map(settle);
    let delete = message().and(warp::delete()).and(all()).then(delete).map(settle);
    let reaction = || warp::path!("conversations" / String / "messages" / String / "reactions" / String);
    let react = reaction().and(warp::put()).and(all()).then(react).map(settle);
    let take_back = reaction().and(warp::delete()).and(all()).then(take_back).map(settle);
    let pin_of = || warp::path!("conversations" / String / "messages" / String / "pin");
    let pin = pin_of().and(warp::put()).and(all()).then(pin).map(settle);
    let unpin = pin_of().and(warp::delete()).and(all()).then(unpin).map(settle);
    let list = warp::path!("conversations" / String / "changes").and(warp::get());
    let list = list.and(all()).then(list_changes).map(settle);
    let words = list.or(edit).unify().or(delete).unify().or(react).unify().or(take_back).unify();
    words.boxed().or(pin.or(unpin).unify().boxed()).unify().boxed()
}

/// Messages of which something changed after a position, as they are now: edited, deleted, reacted to,
/// pinned.
#[utoipa::path(
    get, path = "/api/v1/conversations/{id}/changes", operation_id = "changed_messages", tag = "messages",
    security(("token" = []), ("cookie" = [])),
    params(
        ("id" = Uuid, Path, description = "The conversation"),
        ("changed_after" = Option<u64>, Query, description = "Changes after this position; all when absent"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 100, description = "How many; 50 when absent"),
    ),
    responses((status = 200, body = ChangePage)),
)]
pub(super) async fn list_changes(conversation: String, context: Context, call: Call) -> Outcome {
    let user = call.identity(&context).await?.person.id;
    let conversation = ConversationId::from_uuid(id(&conversation)?);
    let after = call.query.position("changed_after")?.unwrap_or(Position::ZERO);
    let limit = call.query.limit(HISTORY_DEFAULT_LIMIT, HISTORY_MAX_LIMIT)?;
    let page = context.chat.changes(user, conversation, after, limit).await?;
    Ok(compression::json(&call.headers, StatusCode::OK, &ChangePage::new(&page, user)).await)
}

/// Give a message of one's own new words, and name anew who is meant.
#[utoipa::path(
    patch, path = "/api/v1/conversations/{id}/messages/{position}", operation_id = "edit_message",
    tag = "messages", request_body = Edit,
    security(("token" = []), ("cookie" = [])),
    params(
        ("id" = Uuid, Path, description = "The conversation"),
        ("position" = u64, Path, description = "The message"),
        ("Idempotency-Key" = Option<String>, Header, max_length = 64, description = "As for a message"),
    ),
    responses(
        (status = 200, body = Accepted, description = "The log has it, and it counts"),
        (
            status = 403, body = Problem, content_type = "application/problem+json",
            description = "`not_permitted`, `deleted`, `blocked`, `archived`, `not_member`",
        ),
    ),
)]
pub(super) async fn edit(
    conversation: String,
    position: String,
    context: Context,
    mut call: Call,
) -> Outcome {
    let user = counted(&context, &call).await?;
    let Edit { id, body, mentions } = call.json().await?;
    let what = What::Edit { body, mentions };
    change(&context, &call, user, (&conversation, &position), id, what).await
}

/// Take a message away: one's own, or as a moderator of a room anybody's.
#[utoipa::path(
    delete, path = "/api/v1/conversations/{id}/messages/{position}", operation_id = "delete_message",
    tag = "messages",
    security(("token" = []), ("cookie" = [])),
    params(
        ("id" = Uuid, Path, description = "The conversation"),
        ("position" = u64, Path, description = "The message"),
        ("reason" = Option<String>, Query, max_length = 250, description = "What one says about it"),
        ("Idempotency-Key" = Option<String>, Header, max_length = 64, description = "As for a message"),
    ),
    responses(
        (status = 200, body = Accepted, description = "The log has it, and it counts"),
        (
            status = 403, body = Problem, content_type = "application/problem+json",
            description = "`not_permitted`, `not_member`",
        ),
    ),
)]
pub(super) async fn delete(conversation: String, position: String, context: Context, call: Call) -> Outcome {
    let user = counted(&context, &call).await?;
    let reason = call.query.text("reason").map(Reason::admitted).transpose()?;
    change(&context, &call, user, (&conversation, &position), None, What::Delete { reason }).await
}

/// Put a reaction to a message.
#[utoipa::path(
    put, path = "/api/v1/conversations/{id}/messages/{position}/reactions/{emoji}", operation_id = "react",
    tag = "messages",
    security(("token" = []), ("cookie" = [])),
    params(
        ("id" = Uuid, Path, description = "The conversation"),
        ("position" = u64, Path, description = "The message"),
        ("emoji" = String, Path, description = "The reaction, at most 16 characters"),
        ("Idempotency-Key" = Option<String>, Header, max_length = 64, description = "As for a message"),
    ),
    responses(
        (status = 200, body = Accepted, description = "The log has it, and it counts, or it was so already"),
        (
            status = 403, body = Problem, content_type = "application/problem+json",
            description = "`too_many_reactions`, `deleted`, `blocked`, `archived`, `not_member`, \
                           `not_permitted`",
        ),
    ),
)]
pub(super) async fn react(
    conversation: String,
    position: String,
    emoji: String,
    context: Context,
    call: Call,
) -> Outcome {
    reacted((&conversation, &position), &emoji, true, &context, &call).await
}

/// Take a reaction back.
#[utoipa::path(
    delete, path = "/api/v1/conversations/{id}/messages/{position}/reactions/{emoji}",
    operation_id = "take_back_reaction", tag = "messages",
    security(("token" = []), ("cookie" = [])),
    params(
        ("id" = Uuid, Path, description = "The conversation"),
        ("position" = u64, Path, description = "The message"),
        ("emoji" = String, Path, description = "The reaction, at most 16 characters"),
        ("Idempotency-Key" = Option<String>, Header, max_length = 64, description = "As for a message"),
    ),
    responses((status = 200, body = Accepted, description = "The log has it, or it was so already")),
)]
pub(super) async fn take_back(
    conversation: String,
    position: String,
    emoji: String,
    context: Context,
    call: Call,
) -> Outcome {
    reacted((&conversation, &position), &emoji, false, &context, &call).await
}

/// Pin a message.
#[utoipa::path(
    put, path = "/api/v1/conversations/{id}/messages/{position}/pin", operation_id = "pin_message",
    tag = "messages",
    security(("token" = []), ("cookie" = [])),
    params(
        ("id" = Uuid, Path, description = "The conversation"),
        ("position" = u64, Path, description = "The message"),
        ("Idempotency-Key" = Option<String>, Header, max_length = 64, description = "As for a message"),
    ),
    responses((status = 200, body = Accepted, description = "The log has it, or it was so already")),
)]
pub(super) async fn pin(conversation: String, position: String, context: Context, call: Call) -> Outcome {
    let user = counted(&context, &call).await?;
    change(&context, &call, user, (&conversation, &position), None, What::Pin { on: true }).await
}

/// Take the pin of a message out.
#[utoipa::path(
    delete, path = "/api/v1/conversations/{id}/messages/{position}/pin", operation_id = "unpin_message",
    tag = "messages",
    security(("token" = []), ("cookie" = [])),
    params(
        ("id" = Uuid, Path, description = "The conversation"),
        ("position" = u64, Path, description = "The message"),
        ("Idempotency-Key" = Option<String>, Header, max_length = 64, description = "As for a message"),
    ),
    responses((status = 200, body = Accepted, description = "The log has it, or it was so already")),
)]
pub(super) async fn unpin(conversation: String, position: String, context: Context, call: Call) -> Outcome {
    let user = counted(&context, &call).await?;
    change(&context, &call, user, (&conversation, &position), None, What::Pin { on: false }).await
}

async fn reacted(place: (&str, &str), emoji: &str, on: bool, context: &Context, call: &Call) -> Outcome {
    let user = counted(context, call).await?;
    let emoji = percent_encoding::percent_decode_str(emoji).decode_utf8_lossy();
    let what = What::React { emoji: Emoji::admitted(&emoji)?, on };
    change(context, call, user, place, None, what).await
}

/// Who does it; it counts as a send does.
async fn counted(context: &Context, call: &Call) -> Result<milena_domain::UserId, Refusal> {
    let user = call.uncounted_identity(context).await?.person.id;
    context.send_rate.check(user)?;
    Ok(user)
}

async fn change(
    context: &Context,
    call: &Call,
    actor: milena_domain::UserId,
    (conversation, position): (&str, &str),
    message: Option<milena_domain::MessageId>,
    what: What,
) -> Outcome {
    context.send_rate.check_bytes(actor, what.payload_bytes())?;
    let conversation = ConversationId::from_uuid(id(conversation)?);
    let position = place(position)?;
    let client_id = named(idempotency_key(call)?, context, actor)?;
    let target = Target::Conversation(conversation);
    let request = ChangeRequest { actor, target, client_id, position, id: message, what, connection: None };
    let accepted = context.chat.change(request).await?;
    Ok(json(StatusCode::OK, &Accepted::from(accepted)))
}
