//! `/metrics`, `/healthz` and `/readyz` on a port of their own, for the program that runs alone.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::health::Health;
use crate::metrics;

/// Connections at once; further ones wait in the operating system's queue.
const MAX_CONNECTIONS: usize = 32;
const HEADER_TIMEOUT: Duration = Duration::from_secs(5);
/// A connection is closed after this time, whatever it does: nobody has a reason to stay.
const CONNECTION_LIMIT: Duration = Duration::from_secs(60);

/// Serves until `shutdown`.
pub(crate) async fn serve(listener: TcpListener, health: Health, shutdown: CancellationToken) {
    if let Ok(address) = listener.local_addr() {
        log::info!(address:%; "metrics and health are served");
    }
    let room = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let mut connections = JoinSet::new();
    let mut upkeep = tokio::time::interval(metrics::UPKEEP_EVERY);
    loop {
        let accept = async {
            let permit = room.clone().acquire_owned().await;
            (listener.accept().await, permit)
        };
        tokio::select! {
            () = shutdown.cancelled() => return,
            _ = upkeep.tick() => metrics::upkeep(),
            Some(_) = connections.join_next() => {}
            (Ok((stream, _)), permit) = accept => {
                let health = health.clone();
                connections.spawn(async move {
                    let _permit = permit;
                    let service = service_fn(move |request| {
                        let health = health.clone();
                        async move { Ok::<_, Infallible>(answer(&request, &health)) }
                    });
                    let connection = http1::Builder::new()
                        .timer(TokioTimer::new())
                        .header_read_timeout(HEADER_TIMEOUT)
                        .serve_connection(TokioIo::new(stream), service);
                    // A client that goes away or talks nonsense concerns nobody here.
                    let _ = tokio::time::timeout(CONNECTION_LIMIT, connection).await;
                });
            }
        }
    }
}

fn answer(request: &Request<Incoming>, health: &Health) -> Response<Full<Bytes>> {
    if request.method() != Method::GET && request.method() != Method::HEAD {
        return text(StatusCode::METHOD_NOT_ALLOWED, "only GET\n".to_owned());
    }
    match request.uri().path() {
        "/metrics" => text(StatusCode::OK, metrics::render()),
        "/healthz" if health.is_alive() => text(StatusCode::OK, "ok\n".to_owned()),
        "/healthz" => text(StatusCode::SERVICE_UNAVAILABLE, "the consumer has ended\n".to_owned()),
        "/readyz" => match health.why_not_ready() {
            None => text(StatusCode::OK, "ok\n".to_owned()),
            Some(reason) => text(StatusCode::SERVICE_UNAVAILABLE, format!("{reason}\n")),
        },
        _ => text(StatusCode::NOT_FOUND, "there are /metrics, /healthz and /readyz\n".to_owned()),
    }
}

fn text(status: StatusCode, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    let plain = hyper::header::HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert(hyper::header::CONTENT_TYPE, plain);
    response
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    use super::*;

    async fn get(address: std::net::SocketAddr, path: &str) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    #[tokio::test]
    async fn health_is_shown_as_it_is() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (health, shutdown) = (Health::default(), CancellationToken::new());
        let serving = tokio::spawn(serve(listener, health.clone(), shutdown.clone()));
        assert!(get(address, "/healthz").await.starts_with("HTTP/1.1 200"));
        assert!(get(address, "/readyz").await.contains("no partition is assigned yet"));
        health.assigned();
        assert!(get(address, "/readyz").await.starts_with("HTTP/1.1 200"));
        health.ended();
        assert!(get(address, "/healthz").await.starts_with("HTTP/1.1 503"));
        assert!(get(address, "/elsewhere").await.starts_with("HTTP/1.1 404"));
        shutdown.cancel();
        serving.await.unwrap();
    }
}
