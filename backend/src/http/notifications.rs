//! `me/notifications`, `conversations/{id}/notifications`: of what somebody wants to be told.

use http::StatusCode;
use milena_domain::ConversationId;
use milena_domain::tell::OfConversation;
use warp::Filter;
use warp::filters::BoxedFilter;
use warp::reply::Response;

use super::answer::{Outcome, json, settle};
use super::call::{Call, call, id};
use super::context::Context;
use crate::wire::rest::{
    ChangedNotifications, Notifications, NotificationsChange, OwnNotificationsChange, Problem,
};

pub(super) fn routes(context: &Context) -> BoxedFilter<(Response,)> {
    let all = || call(context);
    let general = || warp::path!("me" / "notifications");
    let shown = general().and(warp::get()).and(all()).then(notifications).map(settle);
    let change = general().and(warp::patch()).and(all()).then(change_notifications).map(settle);
    let own = || warp::path!("conversations" / String / "notifications");
    let of_one = own().and(warp::get()).and(all()).then(conversation_notifications).map(settle);
    let set = own().and(warp::put()).and(all()).then(set_conversation_notifications).map(settle);
    shown.or(change).unify().or(of_one).unify().or(set).unify().boxed()
}

/// Of what one wants to be told, in general and of each conversation of which it is something else.
#[utoipa::path(
    get, path = "/api/v1/me/notifications", tag = "accounts", security(("token" = []), ("cookie" = [])),
    responses((status = 200, body = Notifications)),
)]
pub(super) async fn notifications(context: Context, call: Call) -> Outcome {
    let user = call.identity(&context).await?.person.id;
    Ok(json(StatusCode::OK, &Notifications::from(context.chat.notifications(user).await?)))
}

/// Change of what one wants to be told in general. What is absent stays.
#[utoipa::path(
    patch, path = "/api/v1/me/notifications", tag = "accounts", request_body = NotificationsChange,
    security(("token" = []), ("cookie" = [])),
    responses((status = 200, body = Notifications)),
)]
pub(super) async fn change_notifications(context: Context, mut call: Call) -> Outcome {
    let user = call.identity(&context).await?.person.id;
    let change: NotificationsChange = call.json().await?;
    let notifications = if change.is_empty() {
        context.chat.notifications(user).await?
    } else {
        context.chat.change_notifications(user, |general| change.apply(general)).await?
    };
    Ok(json(StatusCode::OK, &Notifications::from(notifications)))
}

/// Of what one wants to be told of a conversation.
#[utoipa::path(
    get, path = "/api/v1/conversations/{id}/notifications", tag = "conversations",
    security(("token" = []), ("cookie" = [])),
    params(("id" = Uuid, Path, description = "The conversation")),
    responses(
        (status = 200, body = ChangedNotifications),
        (
            status = 404, body = Problem, content_type = "application/problem+json",
            description = "`unknown_conversation`",
        ),
    ),
)]
pub(super) async fn conversation_notifications(
    conversation: String,
    context: Context,
    call: Call,
) -> Outcome {
    let user = call.identity(&context).await?.person.id;
    let conversation = ConversationId::from_uuid(id(&conversation)?);
    let own = context.chat.own_notifications(user, conversation).await?;
    Ok(json(StatusCode::OK, &ChangedNotifications::from(own)))
}

/// Say of what one wants to be told of a conversation. What is absent is as in general.
#[utoipa::path(
    put, path = "/api/v1/conversations/{id}/notifications", tag = "conversations",
    request_body = OwnNotificationsChange, security(("token" = []), ("cookie" = [])),
    params(("id" = Uuid, Path, description = "The conversation")),
    responses(
        (status = 200, body = ChangedNotifications),
        (
            status = 403, body = Problem, content_type = "application/problem+json",
            description = "`too_many_settings`, `not_member`",
        ),
        (
            status = 404, body = Problem, content_type = "application/problem+json",
            description = "`unknown_conversation`",
        ),
    ),
)]
pub(super) async fn set_conversation_notifications(
    conversation: String,
    context: Context,
    mut call: Call,
) -> Outcome {
    let user = call.identity(&context).await?.person.id;
    let conversation = ConversationId::from_uuid(id(&conversation)?);
    let change: OwnNotificationsChange = call.json().await?;
    let settings = OfConversation::from(change);
    let own = context.chat.set_own_notifications(user, conversation, settings).await?;
    Ok(json(StatusCode::OK, &ChangedNotifications::from(own)))
}
