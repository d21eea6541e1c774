//! The way out to push services: one small HTTP client that goes nowhere it should not.
//!
//! Each connection is made to an address that was judged just before ([`super::endpoint::is_public`]): the
//! name is resolved here, once, and what was judged is what is connected to, so that a name which answers
//! differently a moment later leads nowhere else. No proxy, no cookie, and no redirect is followed: a push
//! service that moves is not asked elsewhere. Time and bytes of an answer are bounded.

use std::error::Error;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client as Pooled;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tower_service::Service;

use super::endpoint::{PrivateHosts, is_public};

/// Until a connection is there, its name resolved.
const CONNECT_WITHIN: Duration = Duration::from_secs(4);
/// Until a push is answered, connecting included.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// Of an answer nothing is needed; so much is read for the connection to be used again.
const ANSWER_MAX_BYTES: usize = 16 << 10;
/// Connections to one service that wait for their next push.
const IDLE_PER_HOST: usize = 8;
const IDLE_FOR: Duration = Duration::from_secs(60);
/// Addresses of one name that are tried.
const ADDRESSES_TRIED: usize = 3;

/// What came of a request.
#[derive(Debug)]
pub(crate) enum Answer {
    /// The service answered.
    Status(StatusCode, HeaderMap),
    /// It did not: no connection, none in time, one that broke.
    None(Failure),
}

/// Why a service did not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failure {
    /// Its name leads only to addresses that are not asked.
    Forbidden,
    /// There was no connection, so it has heard nothing.
    NotConnected,
    /// It may have heard the request, and did not say so.
    Unknown,
}

/// A host leads only to addresses that are not asked.
#[derive(Debug, thiserror::Error)]
#[error("this host has no address that may be asked")]
pub(crate) struct ForbiddenHost;

/// The client; clones share their connections.
#[derive(Clone)]
pub(crate) struct PushClient {
    pooled: Pooled<HttpsConnector<Guarded>, Full<Bytes>>,
}

impl PushClient {
    /// No connection yet.
    pub(crate) fn new(private: PrivateHosts) -> Self {
        let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        let tls = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("ring has what TLS 1.2 and 1.3 need")
            .with_root_certificates(roots)
            .with_no_client_auth();
        // Plain http only where the operator has named the host; see `Endpoint::parse`.
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_http1()
            .wrap_connector(Guarded { private: Arc::new(private) });
        let pooled = Pooled::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_FOR)
            .pool_max_idle_per_host(IDLE_PER_HOST)
            .build(connector);
        Self { pooled }
    }

    /// Asks once.
    pub(crate) async fn ask(&self, mut request: Request<Full<Bytes>>) -> Answer {
        let agent = header::HeaderValue::from_static("Milena");
        request.headers_mut().insert(header::USER_AGENT, agent);
        let asked = timeout(ANSWER_WITHIN, async {
            let answer = self.pooled.request(request).await?;
            let (parts, body) = answer.into_parts();
            // What is longer, or breaks off, ends the connection; the answer's head is there all the same.
            let _ = Limited::new(body, ANSWER_MAX_BYTES).collect().await;
            Ok::<_, hyper_util::client::legacy::Error>(Answer::Status(parts.status, parts.headers))
        });
        match asked.await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => Answer::None(failure(&error)),
            Err(_) => Answer::None(Failure::Unknown),
        }
    }
}

fn failure(error: &hyper_util::client::legacy::Error) -> Failure {
    let mut cause = error.source();
    while let Some(error) = cause {
        if error.downcast_ref::<io::Error>().is_some_and(is_forbidden) {
            return Failure::Forbidden;
        }
        cause = error.source();
    }
    if error.is_connect() { Failure::NotConnected } else { Failure::Unknown }
}

fn is_forbidden(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<ForbiddenHost>())
}

/// Makes TCP connections, to addresses that may be asked.
#[derive(Clone)]
pub(crate) struct Guarded {
    private: Arc<PrivateHosts>,
}

impl Service<Uri> for Guarded {
    type Response = TokioIo<TcpStream>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, to: Uri) -> Self::Future {
        let private = Arc::clone(&self.private);
        Box::pin(async move {
            let within = timeout(CONNECT_WITHIN, connect(&to, &private)).await;
            within.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())).map(TokioIo::new)
        })
    }
}

async fn connect(to: &Uri, private: &PrivateHosts) -> io::Result<TcpStream> {
    let host = to.host().unwrap_or_default();
    let port = to.port_u16().unwrap_or(if to.scheme_str() == Some("http") { 80 } else { 443 });
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
    for address in addresses(host, port, private).await?.into_iter().take(ADDRESSES_TRIED) {
        match TcpStream::connect(address).await {
            Ok(stream) => {
                stream.set_nodelay(true)?;
                return Ok(stream);
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// Those addresses of a host that may be asked.
async fn addresses(host: &str, port: u16, private: &PrivateHosts) -> io::Result<Vec<SocketAddr>> {
    let name = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let all: Vec<SocketAddr> = tokio::net::lookup_host((name, port)).await?.collect();
    if private.contains(name) {
        return Ok(all);
    }
    let public: Vec<SocketAddr> = all.iter().copied().filter(|address| is_public(address.ip())).collect();
    if public.is_empty() && !all.is_empty() {
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, ForbiddenHost));
    }
    Ok(public)
}

/// Whether a host leads only to addresses that are not asked, as far as its name can be resolved now.
pub(crate) async fn leads_inside(host: &str, private: &PrivateHosts) -> bool {
    let resolved = timeout(CONNECT_WITHIN, addresses(host, 443, private)).await;
    matches!(resolved, Ok(Err(error)) if is_forbidden(&error))
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    async fn asked(uri: &str, private: &[&str]) -> Answer {
        let private: Vec<String> = private.iter().map(|host| (*host).to_owned()).collect();
        let request = Request::post(uri).body(Full::default()).unwrap();
        PushClient::new(PrivateHosts::new(&private)).ask(request).await
    }

    /// What the text of an endpoint does not tell: names that lead inside, and whatever came past that check.
    #[tokio::test]
    async fn no_connection_is_made_to_an_address_inside() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        for host in ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]"] {
            let answer = asked(&format!("http://{host}:{port}/"), &[]).await;
            assert!(matches!(answer, Answer::None(Failure::Forbidden)), "{host}: {answer:?}");
        }
        assert!(leads_inside("localhost", &PrivateHosts::default()).await);
        assert!(!leads_inside("localhost", &PrivateHosts::new(&["localhost".to_owned()])).await);
        let nobody = tokio::time::timeout(Duration::from_millis(50), listener.accept()).await;
        assert!(nobody.is_err(), "nobody has knocked");
        // The operator's word opens it, for that host alone.
        let answer =
            tokio::spawn(async move { asked(&format!("http://127.0.0.1:{port}/"), &["127.0.0.1"]).await });
        let (stream, _) = listener.accept().await.unwrap();
        drop(stream);
        assert!(matches!(answer.await.unwrap(), Answer::None(Failure::Unknown)));
    }
}
