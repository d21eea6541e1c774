//! Around the routes: `HEAD`, `Allow`, headers, metrics, and an answer even when a handler panics.

use std::panic::AssertUnwindSafe;
use std::time::Instant;

use futures::FutureExt;
use http::{HeaderValue, Method, Request, StatusCode, header};
use hyper::body::Incoming;
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use milena_settings::PublicUrl;
use warp::filters::BoxedFilter;
use warp::reply::Response;

use super::context::Context;
use super::templates::Template;
use super::{answer, routes, target, templates};
use crate::auth::origin;
use crate::metrics;
use crate::refusal::{Code, Refusal};
use crate::security_log::{About, Event};
use crate::server::address::client_of;
use crate::server::{Answer, Peer};
use crate::wire::rest::headers;

/// What answers requests; cheap to clone.
#[derive(Clone)]
pub struct HttpService {
    routes: BoxedFilter<(Response,)>,
    context: Context,
    /// Those who run the server ask by whatever address they know.
    is_for_any_host: bool,
}

/// What machines ask, by whatever address they know: no page gets anything from there.
const FOR_ANY_HOST: [&str; 3] = ["/healthz", "/readyz", "/metrics"];

impl HttpService {
    /// All routes.
    #[must_use]
    pub fn new(context: Context) -> Self {
        Self { routes: routes::all(&context), context, is_for_any_host: false }
    }

    /// What is no request for this server is answered here.
    fn admit(&self, request: &mut Request<Incoming>) -> Result<(), Refusal> {
        let settings = &self.context.settings;
        let host = target::check(request)?;
        let is_allowed = host.is_none_or(|host| origin::is_host_allowed(&host, settings));
        if is_allowed || self.is_for_any_host || FOR_ANY_HOST.contains(&request.uri().path()) {
            return Ok(());
        }
        if let Some(peer) = request.extensions().get::<Peer>() {
            let address = client_of(peer.address.ip(), request.headers(), &settings.trusted_proxies);
            self.context.security_log.write(Event::HostRefused, address, About::default());
        }
        Err(Refusal::new(Code::UnknownHost, "this server does not answer for this host (http.public_url)"))
    }

    async fn route(&self, request: Request<Incoming>) -> Response {
        let routes = TowerToHyperService::new(warp::service(self.routes.clone()));
        match AssertUnwindSafe(routes.call(request)).catch_unwind().await {
            Ok(Ok(response)) => response,
            Ok(Err(never)) => match never {},
            Err(_) => answer::problem(Refusal::new(Code::Internal, "a handler panicked")),
        }
    }

    /// Those of `http.operations_listen`.
    #[must_use]
    pub fn for_operations(context: &Context) -> Self {
        Self { routes: routes::operations(context), context: context.clone(), is_for_any_host: true }
    }
}

impl Answer for HttpService {
    async fn answer(&self, mut request: Request<Incoming>) -> Response {
        let started = Instant::now();
        let method = request.method().clone();
        let admitted = self.admit(&mut request);
        let template = templates::find(request.uri().path());
        if method == Method::HEAD {
            // hyper leaves the body out; everything else is as for GET.
            *request.method_mut() = Method::GET;
        }
        let mut response = match admitted {
            Ok(()) => self.route(request).await,
            Err(refusal) => answer::problem(refusal),
        };
        if response.status() == StatusCode::METHOD_NOT_ALLOWED {
            response.headers_mut().insert(header::ALLOW, allow(template));
        }
        headers::complete(response.headers_mut());
        if self.context.settings.public_url.as_ref().is_some_and(PublicUrl::is_https) {
            headers::stay_with_tls(response.headers_mut());
        }
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
