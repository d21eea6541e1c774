//! `GET events`: what happens in some of one's conversations, as server-sent events (WHATWG HTML, section
//! 9.2).
//!
//! A stream is a subscriber as a socket is: it goes through the same attach, has an outbox with the same
//! bounds, ends when its reader is too slow, its session ends or the server stops, and goes on by its cursor,
//! which is the `id` of events. [`feed`] is what comes, and in which order.

mod feed;
mod names;

use std::collections::HashSet;
use std::time::Duration;

use http::HeaderValue;
use milena_domain::ConversationId;
use warp::Filter;
use warp::Reply;
use warp::filters::BoxedFilter;
use warp::reply::Response;

use self::feed::{Feed, Subscription};
use super::answer::{Outcome, settle};
use super::call::{Call, call, id};
use super::context::Context;
use crate::refusal::Refusal;

/// Conversations of one stream, at most.
const CONVERSATIONS_MAX: usize = 64;
/// Events of each conversation that a stream begins with, at most.
const PREFETCH_MAX: usize = 64;

pub(super) fn routes(context: &Context) -> BoxedFilter<(Response,)> {
    warp::path!("events").and(warp::get()).and(call(context)).then(events).map(settle).boxed()
}

/// What happens in some of one's conversations, until one ends it: server-sent events. Each has the name and
/// the JSON of the frame that a socket gets: `message`, `edited`, `deleted`, `reacted`, `changed`, `event`,
/// `room`, `read`, `seen`, `gap`. An `id` is a cursor: with it as `Last-Event-ID` a later stream goes on
/// there.
#[utoipa::path(
    get, path = "/api/v1/events", operation_id = "stream_events", tag = "messages",
    security(("token" = []), ("cookie" = [])),
    params(
        (
            "conversation" = String, Query,
            description = "Ids of 1 to 64 conversations that one is in, with commas between them"
        ),
        (
            "prefetch" = Option<u32>, Query, minimum = 0, maximum = 64,
            description = "So many of the newest events of each come first, unless it goes on; 0 when absent"
        ),
        (
            "Last-Event-ID" = Option<String>, Header,
            description = "The last `id` of an earlier stream: what was missed since comes first, or a `gap`"
        ),
    ),
    responses((status = 200, body = String, content_type = "text/event-stream")),
)]
pub(super) async fn events(context: Context, call: Call) -> Outcome {
    let identity = call.identity(&context).await?;
    let conversations = conversations(call.query.text("conversation").unwrap_or_default())?;
    let prefetch = prefetch(call.query.text("prefetch"))?;
    let resume = call.headers.get("last-event-id").and_then(|value| value.to_str().ok());
    let place = call.place_of_client(&context)?;
    let settings = context.sockets.settings();
    let subscription = Subscription {
        user: identity.person.id,
        session: identity.session,
        conversations,
        prefetch,
        resume: resume.map(str::to_owned),
        place,
        stop: context.connections.stopping(),
    };
    let feed = Feed::begin(context.chat.clone(), subscription, settings).await?;
    let alive = warp::sse::keep_alive().interval(Duration::from_millis(settings.heartbeat_ms));
    let mut response = warp::sse::reply(alive.stream(feed.events())).into_response();
    // Proxies that collect answers before they pass them on would hold everything up.
    response.headers_mut().insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(response)
}

fn conversations(text: &str) -> Result<HashSet<ConversationId>, Refusal> {
    let wrong = || {
        let rule = format!("must be the ids of 1 to {CONVERSATIONS_MAX} conversations, with commas between");
        Refusal::field("conversation", rule)
    };
    let ids = text.split(',').map(|text| id(text.trim()).map(ConversationId::from_uuid));
    let all: HashSet<ConversationId> = ids.collect::<Result<_, _>>().map_err(|_| wrong())?;
    if all.len() > CONVERSATIONS_MAX { Err(wrong()) } else { Ok(all) }
}

fn prefetch(text: Option<&str>) -> Result<usize, Refusal> {
    let Some(text) = text else { return Ok(0) };
    let number = text.parse().ok().filter(|number| *number <= PREFETCH_MAX);
    number.ok_or_else(|| Refusal::field("prefetch", format!("must be 0 to {PREFETCH_MAX}")))
}
