//! Around the routes: `HEAD`, `Allow`, headers, metrics, and an answer even when a handler panics.

use std::panic::AssertUnwindSafe;
use std::time::Instant;

use futures::FutureExt;
use http::{HeaderValue, Method, Request, StatusCode, header};
use hyper::body::Incoming;
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use warp::filters::BoxedFilter;
use warp::reply::Response;

use super::context::Context;
use super::templates::Template;
use super::{answer, routes, templates};
use crate::metrics;
use crate::refusal::{Code, Refusal};
use crate::server::Answer;
use crate::wire::rest::headers;

/// What answers requests; cheap to clone.
#[derive(Clone)]
pub struct HttpService {
    routes: BoxedFilter<(Response,)>,
}

impl HttpService {
    /// All routes.
    #[must_use]
    pub fn new(context: Context) -> Self {
        Self { routes: routes::all(&context) }
    }

    /// Those of `http.operations_listen`.
    #[must_use]
    pub fn for_operations(context: &Context) -> Self {
        Self { routes: routes::operations(context) }
    }
}

impl Answer for HttpService {
    async fn answer(&self, mut request: Request<Incoming>) -> Response {
        let started = Instant::now();
        let method = request.method().clone();
        let template = templates::find(request.uri().path());
        if method == Method::HEAD {
            // hyper leaves the body out; everything else is as for GET.
            *request.method_mut() = Method::GET;
        }
        let routes = TowerToHyperService::new(warp::service(self.routes.clone()));
        let answer = AssertUnwindSafe(routes.call(request)).catch_unwind().await;
        let mut response = match answer {
            Ok(Ok(response)) => response,
            Ok(Err(never)) => match never {},
            Err(_) => answer::problem(Refusal::new(Code::Internal, "a handler panicked")),
        };
        if response.status() == StatusCode::METHOD_NOT_ALLOWED {
            response.headers_mut().insert(header::ALLOW, allow(template));
        }
        headers::complete(response.headers_mut());
        let route = template.map_or("other", |template| template.path.as_str());
        metrics::http_request(route, label(&method), response.status().as_u16(), started.elapsed());
        response
    }
}

fn allow(template: Option<&Template>) -> HeaderValue {
    let allow = template.map_or("GET, HEAD", |template| &template.allow);
    HeaderValue::from_str(allow).expect("names of methods are valid in a header")
}

/// Methods are free text: a label must not be.
fn label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::PUT => "PUT",
        Method::POST => "POST",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        _ => "other",
    }
}
