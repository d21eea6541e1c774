//! `conversations`: the list, one of them, and how far one has read.

use http::StatusCode;
use milena_domain::ConversationId;
use milena_domain::limits::{CONVERSATIONS_DEFAULT_LIMIT, CONVERSATIONS_MAX_LIMIT};
use warp::Filter;
use warp::filters::BoxedFilter;
use warp::reply::Response;

use super::answer::{Outcome, json, no_content, settle};
use super::call::{Call, call, id};
use super::context::Context;
use crate::refusal::Refusal;
use crate::wire::rest::{Conversation, ConversationPage, Problem, ReadPosition, decode_list_cursor};

pub(super) fn routes(context: &Context) -> BoxedFilter<(Response,)> {
    let list = warp::path!("conversations").and(warp::get()).and(call(context)).then(list).map(settle);
    let one = warp::path!("conversations" / String).and(warp::get()).and(call(context)).then(one).map(settle);
    let read = warp::path!("conversations" / String / "read")
        .and(warp::put())
        .and(call(context))
        .then(read)
        .map(settle);
    list.or(one).unify().or(read).unify().boxed()
}

/// One's conversations, the one with the newest message first.
#[utoipa::path(
    get, path = "/api/v1/conversations", operation_id = "list_conversations", tag = "conversations",
    security(("token" = []), ("cookie" = [])),
    params(
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 500, description = "How many; 100 when absent"),
        ("before" = Option<String>, Query, description = "`next` of the previous answer"),
    ),
    responses((status = 200, body = ConversationPage)),
)]
pub(super) async fn list(context: Context, call: Call) -> Outcome {
    let user = call.identity(&context).await?.person.id;
    let limit = call.query.limit(CONVERSATIONS_DEFAULT_LIMIT, CONVERSATIONS_MAX_LIMIT)?;
    let before = call.query.text("before").map(|text| {
        decode_list_cursor(text)
            .ok_or_else(|| Refusal::field("before", "must be `next` of an earlier answer"))
    });
    let list = context.chat.conversations(user, before.transpose()?, limit).await?;
    Ok(json(StatusCode::OK, &ConversationPage::new(list, user)))
}

/// One conversation.
#[utoipa::path(
    get, path = "/api/v1/conversations/{id}", tag = "conversations",
    security(("token" = []), ("cookie" = [])),
    params(("id" = Uuid, Path, description = "The conversation")),
    responses(
        (status = 200, body = Conversation),
        (
            status = 404, body = Problem, content_type = "application/problem+json",
            description = "`unknown_conversation`: nobody wrote in it yet, or one is not in it",
        ),
    ),
)]
pub(super) async fn one(conversation: String, context: Context, call: Call) -> Outcome {
    let user = call.identity(&context).await?.person.id;
    let conversation = context.chat.conversation(user, ConversationId::from_uuid(id(&conversation)?)).await?;
    Ok(json(StatusCode::OK, &Conversation::new(conversation, user)))
}

/// Say up to where one has read. It only grows.
#[utoipa::path(
    put, path = "/api/v1/conversations/{id}/read", tag = "conversations", request_body = ReadPosition,
    security(("token" = []), ("cookie" = [])),
    params(("id" = Uuid, Path, description = "The conversation")),
    responses(
        (status = 204, description = "Noted"),
        (
            status = 404, body = Problem, content_type = "application/problem+json",
            description = "`unknown_conversation`: nobody wrote in it yet, or one is not in it",
        ),
    ),
)]
pub(super) async fn read(conversation: String, context: Context, mut call: Call) -> Outcome {
    let user = call.identity(&context).await?.person.id;
    let conversation = ConversationId::from_uuid(id(&conversation)?);
    let ReadPosition { position } = call.json().await?;
    context.chat.mark_read(user, conversation, position, None).await?;
    Ok(no_content())
}
