//! Messages: reading a conversation and sending, to a conversation or to a person.

use http::StatusCode;
use milena_domain::limits::{HISTORY_DEFAULT_LIMIT, HISTORY_MAX_LIMIT};
use milena_domain::{ClientId, ConversationId, Position, UserId};
use milena_storage::Page;
use uuid::Uuid;
use warp::Filter;
use warp::filters::BoxedFilter;
use warp::reply::Response;

use super::answer::{Outcome, json, settle};
use super::call::{Call, call, id};
use super::compression;
use super::context::Context;
use super::query::Query;
use crate::chat::{Besides, SendRequest, Target};
use crate::refusal::Refusal;
use crate::wire::rest::{Accepted, EventPage, MessagePage, NewMessage, Problem};

/// Messages that are asked for by their positions, at most.
const PLACES_MAX: usize = 50;
const IDEMPOTENCY_KEY: &str = "idempotency-key";

pub(super) fn routes(context: &Context) -> BoxedFilter<(Response,)> {
    let history = warp::path!("conversations" / String / "messages")
        .and(warp::get())
        .and(call(context))
        .then(history)
        .map(settle);
    let events = warp::path!("conversations" / String / "events")
        .and(warp::get())
        .and(call(context))
        .then(events)
        .map(settle);
    let to_conversation = warp::path!("conversations" / String / "messages")
        .and(warp::post())
        .and(call(context))
        .then(send_to_conversation)
        .map(settle);
    let to_person = warp::path!("users" / String / "messages")
        .and(warp::post())
        .and(call(context))
        .then(send_to_person)
        .map(settle);
    history.or(events).unify().or(to_conversation).unify().or(to_person).unify().boxed()
}

/// A part of a conversation, oldest message first.
///
/// At most one of `before`, `after` and `around`; with none of them, the newest messages.
#[utoipa::path(
    get, path = "/api/v1/conversations/{id}/messages", tag = "messages",
    security(("token" = []), ("cookie" = [])),
    params(
        ("id" = Uuid, Path, description = "The conversation"),
        ("before" = Option<u64>, Query, description = "Messages older than this position"),
        ("after" = Option<u64>, Query, description = "Messages newer than this position"),
        ("around" = Option<u64>, Query, description = "The message at this position and its neighbours"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 100, description = "How many; 50 when absent"),
        (
            "at" = Option<String>, Query,
            description = "1 to 50 positions with commas between them: the messages there, deleted ones too, \
                           and nothing else"
        ),
    ),
    responses(
        (status = 200, body = MessagePage),
        (
            status = 404, body = Problem, content_type = "application/problem+json",
            description = "`unknown_conversation`: nobody wrote in it yet, or one is not in it",
        ),
    ),
)]
pub(super) async fn history(conversation: String, context: Context, call: Call) -> Outcome {
    let user = call.identity(&context).await?.person.id;
    let conversation = ConversationId::from_uuid(id(&conversation)?);
    if let Some(text) = call.query.text("at") {
        let history = context.chat.messages_at(user, conversation, &places(text)?).await?;
        return Ok(compression::json(&call.headers, StatusCode::OK, &MessagePage::new(history, user)).await);
    }
    let page = page(&call.query)?;
    let limit = call.query.limit(HISTORY_DEFAULT_LIMIT, HISTORY_MAX_LIMIT)?;
    let history = context.chat.messages(user, conversation, page, limit).await?;
    Ok(compression::json(&call.headers, StatusCode::OK, &MessagePage::new(history, user)).await)
}

/// What happened in a conversation that one is in, page by page: messages, and in rooms everything else.
#[utoipa::path(
    get, path = "/api/v1/conversations/{id}/events", tag = "messages",
    security(("token" = []), ("cookie" = [])),
    params(
        ("id" = Uuid, Path, description = "The conversation"),
        ("before" = Option<u64>, Query, description = "What lies next before this position"),
        ("after" = Option<u64>, Query, description = "What lies next after this position"),
        ("around" = Option<u64>, Query, description = "What lies on both sides of this position, and it"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 100, description = "How many; 50 when absent"),
    ),
    responses(
        (status = 200, body = EventPage, description = "The newest when no position is given"),
        (
            status = 404, body = Problem, content_type = "application/problem+json",
            description = "`unknown_conversation`",
        ),
    ),
)]
pub(super) async fn events(conversation: String, context: Context, call: Call) -> Outcome {
    let user = call.identity(&context).await?.person.id;
    let conversation = ConversationId::from_uuid(id(&conversation)?);
    let page = page(&call.query)?;
    let limit = call.query.limit(HISTORY_DEFAULT_LIMIT, HISTORY_MAX_LIMIT)?;
    let history = context.chat.history(user, conversation, page, limit).await?;
    Ok(compression::json(&call.headers, StatusCode::OK, &EventPage::new(history, user)).await)
}

/// Send to a conversation. Answered when the log has the message.
#[utoipa::path(
    post, path = "/api/v1/conversations/{id}/messages", tag = "messages", request_body = NewMessage,
    security(("token" = []), ("cookie" = [])),
    params(
        ("id" = Uuid, Path, description = "The conversation"),
        ("Idempotency-Key" = Option<String>, Header, max_length = 64, description =
            "The message's `client_id`: sending it again never makes a second message. \
             Chosen by the server when absent"),
    ),
    responses(
        (status = 202, body = Accepted, description = "The log has it"),
        (
            status = 409, body = Problem, content_type = "application/problem+json",
            description = "`client_id_reused`",
        ),
        (
            status = 503, body = Problem, content_type = "application/problem+json",
            description = "`log_unavailable` and others: send again under the same `Idempotency-Key`",
        ),
    ),
)]
pub(super) async fn send_to_conversation(conversation: String, context: Context, call: Call) -> Outcome {
    send(context, call, || Ok(Target::Conversation(ConversationId::from_uuid(id(&conversation)?)))).await
}

/// Send to a person. Answered when the log has the message.
#[utoipa::path(
    post, path = "/api/v1/users/{id}/messages", tag = "messages", request_body = NewMessage,
    security(("token" = []), ("cookie" = [])),
    params(
        ("id" = Uuid, Path, description = "The person; oneself for notes to self"),
        ("Idempotency-Key" = Option<String>, Header, max_length = 64, description =
            "The message's `client_id`: sending it again never makes a second message. \
             Chosen by the server when absent"),
    ),
    responses(
        (status = 202, body = Accepted, description = "The log has it"),
        (
            status = 404, body = Problem, content_type = "application/problem+json",
            description = "`unknown_recipient`",
        ),
        (
            status = 409, body = Problem, content_type = "application/problem+json",
            description = "`client_id_reused`",
        ),
        (
            status = 503, body = Problem, content_type = "application/problem+json",
            description = "`log_unavailable` and others: send again under the same `Idempotency-Key`",
        ),
    ),
)]
pub(super) async fn send_to_person(person: String, context: Context, call: Call) -> Outcome {
    send(context, call, || Ok(Target::User(UserId::from_uuid(id(&person)?)))).await
}

async fn send(context: Context, mut call: Call, target: impl FnOnce() -> Result<Target, Refusal>) -> Outcome {
    let sender = call.uncounted_identity(&context).await?.person.id;
    context.send_rate.check(sender)?;
    let target = target()?;
    let key = idempotency_key(&call)?;
    let NewMessage { body, reply_to, mentions, everyone } = call.json().await?;
    let besides = Besides { reply_to, mentions, everyone };
    context.send_rate.check_bytes(sender, body.as_str().len() + besides.payload_bytes())?;
    let client_id = named(key, &context, sender)?;
    let besides = besides.boxed();
    let request = SendRequest { sender, target, client_id, body, besides, connection: None };
    let accepted = context.chat.send(request).await?;
    Ok(json(StatusCode::ACCEPTED, &Accepted::from(accepted)))
}

/// The client's name, or one that was just made, and provably so: it is not looked up.
pub(super) fn named(key: Option<ClientId>, context: &Context, user: UserId) -> Result<ClientId, Refusal> {
    match key {
        Some(key) => Ok(key),
        None => {
            let prefix = context.chat.client_id_prefix(user);
            Ok(ClientId::new(&format!("{prefix}{}", Uuid::now_v7().simple()))?)
        }
    }
}

pub(super) fn idempotency_key(call: &Call) -> Result<Option<ClientId>, Refusal> {
    let Some(value) = call.headers.get(IDEMPOTENCY_KEY) else { return Ok(None) };
    let problem = |problem: String| Refusal::field("Idempotency-Key", problem);
    let text = value.to_str().map_err(|_| problem("must be printable ASCII".to_owned()))?;
    ClientId::new(text).map(Some).map_err(|error| problem(error.problem))
}

fn places(text: &str) -> Result<Vec<Position>, Refusal> {
    let wrong =
        || Refusal::field("at", format!("must be 1 to {PLACES_MAX} positions, with commas between them"));
    let places = text.split(',').map(|text| text.trim().parse().ok().and_then(Position::from_u64));
    let places: Vec<Position> = places.collect::<Option<_>>().ok_or_else(wrong)?;
    if places.len() > PLACES_MAX { Err(wrong()) } else { Ok(places) }
}

fn page(query: &Query) -> Result<Page, Refusal> {
    let (before, after, around) =
        (query.position("before")?, query.position("after")?, query.position("around")?);
    match (before, after, around) {
        (None, None, None) => Ok(Page::Latest),
        (Some(position), None, None) => Ok(Page::Before(position)),
        (None, Some(position), None) => Ok(Page::After(position)),
        (None, None, Some(position)) => Ok(Page::Around(position)),
        (_, Some(_), _) => Err(Refusal::field("after", "cannot be combined with before or around")),
        (Some(_), None, Some(_)) => Err(Refusal::field("around", "cannot be combined with before or after")),
    }
}
