//! For those who run the server: `/healthz`, `/readyz`, `/metrics`.

use http::StatusCode;
use warp::Filter;
use warp::filters::BoxedFilter;
use warp::reply::Response;

use super::answer::{json, text};
use super::context::{Context, with};
use crate::metrics;
use crate::wire::rest::State;

pub(super) fn routes(context: &Context) -> BoxedFilter<(Response,)> {
    let alive = warp::path!("healthz").and(warp::get()).map(alive);
    let ready = warp::path!("readyz").and(warp::get()).and(with(context)).then(ready);
    let metrics = warp::path!("metrics").and(warp::get()).map(metrics);
    alive.or(ready).unify().or(metrics).unify().boxed()
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
