//! `me/push`: the devices on which somebody is told what came while they did not look.

use http::StatusCode;
use milena_storage::SUBSCRIPTIONS_MAX;
use warp::Filter;
use warp::filters::BoxedFilter;
use warp::reply::Response;

use super::answer::{Outcome, json, no_content, settle};
use super::call::{Call, call, id};
use super::context::Context;
use crate::refusal::{Code, Refusal};
use crate::wire::rest::{Device, NewSubscription, Problem, PushSettings};

pub(super) fn routes(context: &Context) -> BoxedFilter<(Response,)> {
    let path = || warp::path!("me" / "push" / "subscriptions");
    let list = warp::path!("me" / "push").and(warp::get()).and(call(context)).then(push).map(settle);
    let new = path().and(warp::post()).and(call(context)).then(subscribe).map(settle);
    let one = warp::path!("me" / "push" / "subscriptions" / String);
    let end = one.and(warp::delete()).and(call(context)).then(unsubscribe).map(settle);
    list.or(new).unify().or(end).unify().boxed()
}

/// What a browser needs to subscribe, and one's devices.
#[utoipa::path(
    get, path = "/api/v1/me/push", tag = "accounts", security(("token" = []), ("cookie" = [])),
    responses((status = 200, body = PushSettings)),
)]
pub(super) async fn push(context: Context, call: Call) -> Outcome {
    let identity = call.identity(&context).await?;
    let devices = context.push.devices_of(identity.person.id).await?;
    let subscriptions = devices.into_iter().map(|device| Device::new(device, identity.session)).collect();
    let answer = PushSettings {
        public_key: context.push.public_key().map(str::to_owned),
        words: context.push.shows_words(),
        subscriptions_max: SUBSCRIPTIONS_MAX,
        subscriptions,
    };
    Ok(json(StatusCode::OK, &answer))
}

/// Have this session's device told. What a browser gives is taken as it is; asked again for the same
/// endpoint, its keys, label, words and session are replaced.
#[utoipa::path(
    post, path = "/api/v1/me/push/subscriptions", tag = "accounts", request_body = NewSubscription,
    security(("token" = []), ("cookie" = [])),
    responses(
        (status = 200, body = Device, description = "It was known"),
        (status = 201, body = Device, description = "It is new"),
        (
            status = 403, body = Problem, content_type = "application/problem+json",
            description = "`too_many_subscriptions`, `forbidden_origin`",
        ),
        (
            status = 404, body = Problem, content_type = "application/problem+json",
            description = "`push_off`",
        ),
        (
            status = 409, body = Problem, content_type = "application/problem+json",
            description = "`endpoint_taken`",
        ),
    ),
)]
pub(super) async fn subscribe(context: Context, mut call: Call) -> Outcome {
    let identity = call.identity(&context).await?;
    let asked: NewSubscription = call.json().await?;
    let device = asked.of(call.client(&context).user_agent);
    let (device, is_new) = context.push.subscribe(&identity, device).await?;
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    Ok(json(status, &Device::new(device, identity.session)))
}

/// A device of one's own is told nothing from now on.
#[utoipa::path(
    delete, path = "/api/v1/me/push/subscriptions/{id}", tag = "accounts",
    security(("token" = []), ("cookie" = [])),
    params(("id" = Uuid, Path, description = "The subscription")),
    responses(
        (status = 204, description = "Removed"),
        (
            status = 404, body = Problem, content_type = "application/problem+json",
            description = "`not_found`",
        ),
    ),
)]
pub(super) async fn unsubscribe(subscription: String, context: Context, call: Call) -> Outcome {
    let identity = call.identity(&context).await?;
    if context.push.unsubscribe(identity.person.id, id(&subscription)?).await? {
        Ok(no_content())
    } else {
        Err(Refusal::new(Code::NotFound, "you have no such subscription"))
    }
}
