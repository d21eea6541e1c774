//! For those who run the server: `/healthz`, `/readyz`, `/metrics`.

use http::StatusCode;
use serde::Serialize;
use warp::Filter;
use warp::filters::BoxedFilter;
use warp::reply::Response;

use super::answer::{json, text};
use super::context::{Context, with};
use crate::metrics;
use crate::wire::rest::State;

/// Everything.
pub(super) fn routes(context: &Context) -> BoxedFilter<(Response,)> {
    let ready = warp::path!("readyz").and(warp::get()).and(with(context)).then(ready);
    let metrics = warp::path!("metrics").and(warp::get()).map(metrics);
    lives().or(ready).unify().or(metrics).unify().boxed()
}

/// What a load balancer needs, and nothing that tells about the inside.
pub(super) fn routes_for_strangers(context: &Context) -> BoxedFilter<(Response,)> {
    let ready = warp::path!("readyz").and(warp::get()).and(with(context)).then(ready_or_not);
    lives().or(ready).unify().boxed()
}

fn lives() -> BoxedFilter<(Response,)> {
    warp::path!("healthz").and(warp::get()).map(alive).boxed()
}

async fn ready_or_not(context: Context) -> Response {
    let ready = context.readiness.state().await.ready;
    json(if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, &Ready { ready })
}

/// `/readyz` without its reasons.
#[derive(Serialize)]
struct Ready {
    ready: bool,
}

/// Whether the process lives.
#[utoipa::path(
    get, path = "/healthz", tag = "operations",
    responses((status = 200, body = String, content_type = "text/plain", description = "It does")),
)]
pub(super) fn alive() -> Response {
    text(StatusCode::OK, "text/plain; charset=utf-8", "ok\n".to_owned())
}

/// Whether requests should be sent here.
#[utoipa::path(
    get, path = "/readyz", tag = "operations",
    responses(
        (status = 200, body = State, description = "Ready"),
        (status = 503, body = State, description = "Not ready, and why"),
    ),
)]
pub(super) async fn ready(context: Context) -> Response {
    let state = context.readiness.state().await;
    json(if state.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, &state)
}

/// Metrics in Prometheus's text format.
#[utoipa::path(
    get, path = "/metrics", tag = "operations",
    responses((status = 200, body = String, content_type = "text/plain", description = "The metrics")),
)]
pub(super) fn metrics() -> Response {
    let body = metrics::render().unwrap_or_default();
    text(StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", body)
}
