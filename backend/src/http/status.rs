//! `me/status`: what somebody says of themselves for a while.

use http::StatusCode;
use milena_domain::Timestamp;
use warp::Filter;
use warp::filters::BoxedFilter;
use warp::reply::Response;

use super::answer::{Outcome, json, no_content, settle};
use super::call::{Call, call};
use super::context::Context;
use crate::wire::rest::{NewStatus, OwnStatus};

pub(super) fn routes(context: &Context) -> BoxedFilter<(Response,)> {
    let path = || warp::path!("me" / "status");
    let shown = path().and(warp::get()).and(call(context)).then(status).map(settle);
    let set = path().and(warp::put()).and(call(context)).then(set_status).map(settle);
    let clear = path().and(warp::delete()).and(call(context)).then(clear_status).map(settle);
    shown.or(set).unify().or(clear).unify().boxed()
}

/// What one says of oneself.
#[utoipa::path(
    get, path = "/api/v1/me/status", tag = "accounts", security(("token" = []), ("cookie" = [])),
    responses((status = 200, body = OwnStatus)),
)]
pub(super) async fn status(context: Context, call: Call) -> Outcome {
    let user = call.identity(&context).await?.person.id;
    let status = context.chat.status(user).await?;
    Ok(json(StatusCode::OK, &OwnStatus::from(status.as_ref())))
}

/// Say something of oneself, to those who may see whether one is here.
#[utoipa::path(
    put, path = "/api/v1/me/status", tag = "accounts", request_body = NewStatus,
    security(("token" = []), ("cookie" = [])),
    responses((status = 200, body = OwnStatus)),
)]
pub(super) async fn set_status(context: Context, mut call: Call) -> Outcome {
    let user = call.identity(&context).await?.person.id;
    let new: NewStatus = call.json().await?;
    let status = new.checked(Timestamp::now())?;
    context.chat.set_status(user, Some(&status)).await?;
    Ok(json(StatusCode::OK, &OwnStatus::from(Some(&status))))
}

/// Say nothing of oneself any more.
#[utoipa::path(
    delete, path = "/api/v1/me/status", tag = "accounts", security(("token" = []), ("cookie" = [])),
    responses((status = 204, description = "Nothing is said")),
)]
pub(super) async fn clear_status(context: Context, call: Call) -> Outcome {
    let user = call.identity(&context).await?.person.id;
    context.chat.set_status(user, None).await?;
    Ok(no_content())
}
