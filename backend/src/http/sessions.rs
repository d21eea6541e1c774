//! `sessions`: where somebody is signed in.

use http::StatusCode;
use uuid::Uuid;
use warp::Filter;
use warp::filters::BoxedFilter;
use warp::reply::Response;

use super::answer::{Outcome, json, no_content, settle};
use super::call::{Call, call, id};
use super::context::Context;
use crate::auth::Identity;
use crate::refusal::{Code, Refusal};
use crate::security_log::{About, Ended, Event};
use crate::wire::rest::{Problem, Session, SessionList};

pub(super) fn routes(context: &Context) -> BoxedFilter<(Response,)> {
    let list = warp::path!("sessions").and(warp::get()).and(call(context)).then(list).map(settle);
    let end = warp::path!("sessions" / String).and(warp::delete()).and(call(context)).then(end).map(settle);
    let others = warp::path!("sessions").and(warp::delete()).and(call(context)).then(end_others).map(settle);
    list.or(end).unify().or(others).unify().boxed()
}

/// Where one is signed in.
#[utoipa::path(
    get, path = "/api/v1/sessions", operation_id = "list_sessions", tag = "accounts",
    security(("token" = []), ("cookie" = [])),
    responses((status = 200, body = SessionList)),
)]
pub(super) async fn list(context: Context, call: Call) -> Outcome {
    let identity = call.identity(&context).await?;
    let sessions = context.sessions.of(identity.person.id).await?;
    let sessions = sessions.into_iter().map(|session| Session::new(session, identity.session)).collect();
    Ok(json(StatusCode::OK, &SessionList { sessions }))
}

/// End a session of oneself and close its sockets.
#[utoipa::path(
    delete, path = "/api/v1/sessions/{id}", tag = "accounts", security(("token" = []), ("cookie" = [])),
    params(("id" = Uuid, Path, description = "The session")),
    responses(
        (status = 204, description = "Ended"),
        (
            status = 404, body = Problem, content_type = "application/problem+json",
            description = "`not_found`",
        ),
    ),
)]
pub(super) async fn end(session: String, context: Context, call: Call) -> Outcome {
    let identity = call.identity(&context).await?;
    let ended = id(&session)?;
    if context.sessions.end(identity.person.id, ended).await? {
        note_ended(&context, &call, &identity, ended);
        Ok(no_content())
    } else {
        Err(Refusal::new(Code::NotFound, "you have no such session"))
    }
}

/// End all sessions of oneself but this one, and close their sockets.
#[utoipa::path(
    delete, path = "/api/v1/sessions", tag = "accounts", security(("token" = []), ("cookie" = [])),
    responses((status = 204, description = "Ended")),
)]
pub(super) async fn end_others(context: Context, call: Call) -> Outcome {
    let identity = call.identity(&context).await?;
    for ended in context.sessions.end_others(identity.person.id, identity.session).await? {
        note_ended(&context, &call, &identity, ended);
    }
    Ok(no_content())
}

fn note_ended(context: &Context, call: &Call, identity: &Identity, ended: Uuid) {
    let (user, session, by) = (Some(identity.person.id), Some(ended), Some(identity.session));
    call.note(context, Event::SessionEnded(Ended::Elsewhere), About { user, session, by });
}
