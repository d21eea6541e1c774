//! A request as handlers get it: headers, peer, query, and a body that is read only when a handler wants it.

use std::net::IpAddr;
use std::pin::Pin;
use std::sync::OnceLock;
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use futures::stream::{Stream, StreamExt};
use http::{HeaderMap, Method, header};
use milena_domain::limits::REST_BODY_MAX_BYTES;
use tokio::time::timeout;
use uuid::Uuid;
use warp::{Filter, Rejection};

use super::context::{Context, with};
use super::query::Query;
use super::turns::Turn;
use crate::auth::{Client, Identity, cookie, origin};
use crate::metrics;
use crate::refusal::{Code, Refusal};
use crate::security_log::{About, Event};
use crate::server::address::client_of;
use crate::server::places::OfAddress;
use crate::server::{Peer, too_many_connections};
use crate::wire::rest::Fields;

/// The whole body must be here by then.
const BODY_TIMEOUT: Duration = Duration::from_secs(20);

/// A body up to so many times the limit is read and dropped: whoever is cut off while sending never sees the
/// answer.
const DISCARD_FACTOR: usize = 8;

/// A request whose address and method were understood.
pub(super) struct Call {
    /// The method; `HEAD` has become `GET` by now.
    pub(super) method: Method,
    /// All headers.
    pub(super) headers: HeaderMap,
    /// The parameters after the `?`.
    pub(super) query: Query,
    /// The connection.
    pub(super) peer: Peer,
    body: Chunks,
    /// Its person's turn, once they are known; ends with the request.
    turn: OnceLock<Turn>,
}

/// A body as it arrives.
type Chunks = Pin<Box<dyn Stream<Item = Result<Bytes, warp::Error>> + Send + Sync>>;

/// The context, and the request taken apart. To be added after path and method have matched: it takes the
/// body, which is there once.
pub(super) fn call(
    context: &Context,
) -> impl Filter<Extract = (Context, Call), Error = Rejection> + Clone + use<> {
    let query = warp::query::<Vec<(String, String)>>().or(warp::any().map(Vec::new)).unify();
    let body = warp::body::stream().map(chunks);
    let parts = warp::method().and(warp::header::headers_cloned()).and(query).and(warp::ext::get::<Peer>());
    let call = parts.and(body).map(|method, headers, query, peer, body| Call {
        method,
        headers,
        query: Query::new(query),
        peer,
        body,
        turn: OnceLock::new(),
    });
    with(context).and(call)
}

fn chunks<B: Buf>(stream: impl Stream<Item = Result<B, warp::Error>> + Send + Sync + 'static) -> Chunks {
    Box::pin(stream.map(|chunk| chunk.map(|mut chunk| chunk.copy_to_bytes(chunk.remaining()))))
}

impl Call {
    /// Who makes the request; counts it, and waits for the person's turn, which is theirs until the request
    /// is answered.
    ///
    /// # Errors
    /// As [`Call::uncounted_identity`], and `rate_limited`.
    pub(super) async fn identity(&self, context: &Context) -> Result<Identity, Refusal> {
        let identity = self.uncounted_identity(context).await?;
        context.request_rate.check(identity.person.id)?;
        let turn = context.turns.take(identity.person.id).await?;
        // A second look at who it is needs no second turn.
        let _ = self.turn.set(turn);
        Ok(identity)
    }

    /// Who makes the request, which is counted elsewhere: by `Authorization: Bearer`, else by the cookie,
    /// which needs this server's `Origin` when the request changes something.
    ///
    /// # Errors
    /// `unauthenticated`, `forbidden_origin`, `store_unavailable`.
    pub(super) async fn uncounted_identity(&self, context: &Context) -> Result<Identity, Refusal> {
        let tokens: Vec<&str> = match self.headers.get(header::AUTHORIZATION) {
            Some(value) => value.to_str().ok().and_then(bearer).into_iter().collect(),
            None => {
                let tokens = self.cookie_tokens(context);
                if !tokens.is_empty() && self.method != Method::GET {
                    self.require_own_origin(context)?;
                }
                tokens
            }
        };
        if tokens.is_empty() {
            return Err(unauthenticated("sign in first"));
        }
        let identity = context.sessions.authenticate_any(&tokens).await?;
        identity.ok_or_else(|| unauthenticated("the session has ended: sign in again"))
    }

    /// What the request's cookies may be believed.
    pub(super) fn cookie_tokens(&self, context: &Context) -> Vec<&str> {
        cookie::tokens_of(&self.headers, cookie::is_secure(&context.settings, &self.headers))
    }

    /// For what the cookie signs in and that changes something or opens a socket.
    ///
    /// # Errors
    /// `forbidden_origin`.
    pub(super) fn require_own_origin(&self, context: &Context) -> Result<(), Refusal> {
        let own = origin::require_own(&self.headers, &context.settings);
        own.inspect_err(|_| self.note(context, Event::OriginRefused, About::default()))
    }

    /// For what nothing signs in yet.
    ///
    /// # Errors
    /// `forbidden_origin`.
    pub(super) fn refuse_foreign_origin(&self, context: &Context) -> Result<(), Refusal> {
        let own = origin::refuse_foreign(&self.headers, &context.settings);
        own.inspect_err(|_| self.note(context, Event::OriginRefused, About::default()))
    }

    /// For what stays open: a place among those of the client behind a proxy, until it is dropped. Without a
    /// proxy the connection has one already.
    ///
    /// # Errors
    /// `too_many_connections`.
    pub(super) fn place_of_client(&self, context: &Context) -> Result<Option<OfAddress>, Refusal> {
        let (direct, client) = (self.peer.address.ip(), self.client_address(context));
        context.connections.places().take_forwarded(direct, client).map_err(|full| {
            metrics::connection_refused(full.label());
            too_many_connections()
        })
    }

    /// Writes a security event that this request caused.
    pub(super) fn note(&self, context: &Context, event: Event, about: About) {
        context.security_log.write(event, self.client_address(context), about);
    }

    /// The body as a JSON object.
    ///
    /// # Errors
    /// `unsupported_media_type`, `too_large`, `invalid_json`, and what the type's own rules say.
    pub(super) async fn json<T: TryFrom<Fields, Error = Refusal>>(&mut self) -> Result<T, Refusal> {
        if !self.headers.get(header::CONTENT_TYPE).is_some_and(is_json) {
            return Err(Refusal::new(Code::UnsupportedMediaType, "Content-Type must be application/json"));
        }
        let body = timeout(BODY_TIMEOUT, self.body()).await.map_err(|_| {
            Refusal::new(
                Code::InvalidJson,
                format!("the body did not arrive within {} s", BODY_TIMEOUT.as_secs()),
            )
        })??;
        T::try_from(Fields::parse(&body)?)
    }

    async fn body(&mut self) -> Result<Bytes, Refusal> {
        let limit = usize::try_from(REST_BODY_MAX_BYTES).unwrap_or(usize::MAX);
        let mut body = BytesMut::new();
        let mut received = 0;
        while let Some(chunk) = self.body.next().await {
            let chunk =
                chunk.map_err(|_| Refusal::new(Code::InvalidJson, "the body did not arrive completely"))?;
            received += chunk.len();
            if received <= limit {
                body.extend_from_slice(&chunk);
            } else if received > limit.saturating_mul(DISCARD_FACTOR) {
                break;
            }
        }
        if received > limit {
            return Err(Refusal::new(Code::TooLarge, format!("the body may have at most {limit} bytes")));
        }
        Ok(body.freeze())
    }

    /// The address of the client itself, by word of a trusted proxy if it came through one.
    pub(super) fn client_address(&self, context: &Context) -> IpAddr {
        client_of(self.peer.address.ip(), &self.headers, &context.settings.trusted_proxies)
    }

    /// Where the request comes from.
    pub(super) fn client(&self, context: &Context) -> Client {
        let user_agent = self.headers.get(header::USER_AGENT);
        let user_agent = user_agent.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
        Client { address: self.client_address(context), user_agent: user_agent.unwrap_or_default() }
    }
}

/// An id in the path.
///
/// # Errors
/// `invalid_field` when it is no UUID.
pub(super) fn id(text: &str) -> Result<Uuid, Refusal> {
    Uuid::try_parse(text).map_err(|_| Refusal::field("id", "must be a UUID"))
}

fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn is_json(value: &http::HeaderValue) -> bool {
    let kind = value.to_str().unwrap_or_default().split(';').next().unwrap_or_default();
    kind.trim().eq_ignore_ascii_case("application/json")
}

fn unauthenticated(message: &str) -> Refusal {
    Refusal::new(Code::Unauthenticated, message)
}
