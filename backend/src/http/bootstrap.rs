//! `GET bootstrap`: what a client needs at its start, in one go.

use http::StatusCode;
use milena_domain::limits::CONVERSATIONS_DEFAULT_LIMIT;
use warp::Filter;
use warp::filters::BoxedFilter;
use warp::reply::Response;

use super::answer::{Outcome, settle};
use super::call::{Call, call};
use super::compression;
use super::context::Context;
use crate::wire::rest::{Account, Bootstrap, ConversationPage, Me};

pub(super) fn routes(context: &Context) -> BoxedFilter<(Response,)> {
    warp::path!("bootstrap").and(warp::get()).and(call(context)).then(bootstrap).map(settle).boxed()
}

/// Oneself, the first part of one's conversations, and the limits: what a client needs at its start.
#[utoipa::path(
    get, path = "/api/v1/bootstrap", operation_id = "bootstrap", tag = "accounts",
    security(("token" = []), ("cookie" = [])),
    responses((status = 200, body = Bootstrap)),
)]
pub(super) async fn bootstrap(context: Context, call: Call) -> Outcome {
    let identity = call.identity(&context).await?;
    let user = identity.person.id;
    let list = context.chat.conversations(user, None, CONVERSATIONS_DEFAULT_LIMIT).await?;
    let client_id_prefix = context.chat.client_id_prefix(user);
    let show_receipts = context.chat.shows_receipts(user).await?;
    let notifications = context.chat.notifications(user).await?;
    let status = context.chat.status(user).await?;
    let account = Account::from(&identity.person).saying(status.as_ref());
    let answer = Bootstrap {
        me: Me { account, client_id_prefix, show_receipts },
        conversations: ConversationPage::new(list, user),
        limits: *context.sockets.limits(),
        notifications: notifications.into(),
    };
    Ok(compression::json(&call.headers, StatusCode::OK, &answer).await)
}
