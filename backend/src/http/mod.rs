//! The HTTP side: one file a resource, each giving its routes.
//!
//! Routing is warp's. A route that matches path and method hands a `Call` to its handler, and from there on
//! everything is an outcome, never a rejection: so rejections only mean "no such path" or "no such method", and what a
//! client sees of a mistake does not depend on the order of the routes.

mod accounts;
mod answer;
mod call;
mod client;
mod context;
mod conversations;
mod docs;
mod headers;
mod messages;
mod openapi;
mod operations;
mod people;
mod query;
mod readiness;
mod request_rate;
mod service;
mod sessions;
mod socket;
mod templates;

use std::convert::Infallible;

use warp::filters::BoxedFilter;
use warp::reject::MethodNotAllowed;
use warp::reply::Response;
use warp::{Filter, Rejection};

pub use context::{Context, Parts};
pub(crate) use headers::complete as headers_of_every_answer;
pub use openapi::document;
pub use readiness::Readiness;
pub use request_rate::RequestRate;
pub use service::HttpService;

use crate::refusal::{Code, Refusal};

/// All routes; whatever matches none is answered too.
fn routes(context: &Context) -> BoxedFilter<(Response,)> {
    let api = accounts::routes(context)
        .or(sessions::routes(context))
        .unify()
        .or(people::routes(context))
        .unify()
        .or(conversations::routes(context))
        .unify()
        .or(messages::routes(context))
        .unify();
    let api = warp::path("api").and(warp::path("v1")).and(api);
    api.boxed()
        .or(socket::routes(context))
        .unify()
        .or(operations::routes(context))
        .unify()
        .or(docs::routes())
        .unify()
        .or(client::routes())
        .unify()
        .recover(unmatched)
        .unify()
        .boxed()
}

/// Adds the context to what a route extracts.
fn with(context: &Context) -> impl Filter<Extract = (Context,), Error = Infallible> + Clone + use<> {
    let context = context.clone();
    warp::any().map(move || context.clone())
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
