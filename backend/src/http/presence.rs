//! `me/presence`: how somebody wants to be seen.

use http::StatusCode;
use warp::Filter;
use warp::filters::BoxedFilter;
use warp::reply::Response;

use super::answer::{Outcome, json, settle};
use super::call::{Call, call};
use super::context::Context;
use crate::wire::rest::{PresenceChange, PresenceSettings};

pub(super) fn routes(context: &Context) -> BoxedFilter<(Response,)> {
    let path = || warp::path!("me" / "presence");
    let shown = path().and(warp::get()).and(call(context)).then(presence_settings).map(settle);
    let change = path().and(warp::patch()).and(call(context)).then(change_presence).map(settle);
    shown.or(change).unify().boxed()
}

/// How one wants to be seen.
#[utoipa::path(
    get, path = "/api/v1/me/presence", tag = "accounts", security(("token" = []), ("cookie" = [])),
    responses((status = 200, body = PresenceSettings)),
)]
pub(super) async fn presence_settings(context: Context, call: Call) -> Outcome {
    let identity = call.identity(&context).await?;
    let stored = context.chat.presence_settings(identity.person.id).await?;
    Ok(json(StatusCode::OK, &PresenceSettings::from(stored)))
}

/// Change how one wants to be seen. Holds at once for what is told from now on.
#[utoipa::path(
    patch, path = "/api/v1/me/presence", tag = "accounts", request_body = PresenceChange,
    security(("token" = []), ("cookie" = [])),
    responses((status = 200, body = PresenceSettings)),
)]
pub(super) async fn change_presence(context: Context, mut call: Call) -> Outcome {
    let identity = call.identity(&context).await?;
    let PresenceChange { hidden, audience } = call.json().await?;
    let mut stored = context.chat.presence_settings(identity.person.id).await?;
    stored.hidden = hidden.unwrap_or(stored.hidden);
    stored.audience = audience.unwrap_or(stored.audience);
    context.chat.set_presence(identity.person.id, stored.hidden, stored.audience).await?;
    Ok(json(StatusCode::OK, &PresenceSettings::from(stored)))
}
