//! All routes together, and the answer to what matches none of them.

use std::convert::Infallible;

use warp::filters::BoxedFilter;
use warp::reject::MethodNotAllowed;
use warp::reply::Response;
use warp::{Filter, Rejection};

use super::context::Context;
use super::{
    accounts, answer, bootstrap, changes, client, conversations, docs, events, lists, messages,
    notifications, operations, people, presence, push, rooms, sessions, socket, status,
};
use crate::refusal::{Code, Refusal};

/// All routes; whatever matches none is answered too.
pub(super) fn all(context: &Context) -> BoxedFilter<(Response,)> {
    let api = accounts::routes(context)
        .or(presence::routes(context))
        .unify()
        .or(status::routes(context))
        .unify()
        .or(notifications::routes(context))
        .unify()
        .or(push::routes(context))
        .unify()
        .or(sessions::routes(context))
        .unify()
        .or(people::routes(context))
        .unify()
        .or(conversations::routes(context))
        .unify()
        .or(messages::routes(context))
        .unify()
        .or(changes::routes(context))
        .unify()
        .or(lists::routes(context))
        .unify()
        .or(rooms::routes(context))
        .unify()
        .or(events::routes(context))
        .unify()
        .or(bootstrap::routes(context))
        .unify();
    let api = warp::path("api").and(warp::path("v1")).and(api);
    let operations = if context.settings.operations_listen.is_empty() {
        operations::routes(context).or(docs::routes()).unify().boxed()
    } else {
        operations::routes_for_strangers(context).or(elsewhere()).unify().boxed()
    };
    api.boxed()
        .or(socket::routes(context))
        .unify()
        .or(operations)
        .unify()
        .or(client::routes())
        .unify()
        .recover(unmatched)
        .unify()
        .boxed()
}

/// The routes of the listener for those who run the server.
pub(super) fn operations(context: &Context) -> BoxedFilter<(Response,)> {
    operations::routes(context).or(docs::routes()).unify().recover(unmatched).unify().boxed()
}

/// What the other listener answers is nothing here, not even the browser client's page.
fn elsewhere() -> BoxedFilter<(Response,)> {
    let gone = || answer::problem(Refusal::new(Code::NotFound, "there is nothing at this address"));
    let metrics = warp::path!("metrics").map(gone);
    let docs = warp::path("docs").map(gone);
    metrics.or(docs).unify().or(warp::path!("openapi.json").map(gone)).unify().boxed()
}

async fn unmatched(rejection: Rejection) -> Result<Response, Infallible> {
    let refusal = if rejection.find::<MethodNotAllowed>().is_some() {
        Refusal::new(Code::MethodNotAllowed, "this address does not take this method; see Allow")
    } else if rejection.is_not_found() {
        Refusal::new(Code::NotFound, "there is nothing at this address")
    } else {
        Refusal::new(Code::Internal, format!("{rejection:?}"))
    };
    Ok(answer::problem(refusal))
}
