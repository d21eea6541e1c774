//! The answer to a connection for which there is no place: said at once, before its request is read.

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, HeaderValue, StatusCode, header};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::places::Full;
use crate::refusal::{Code, Refusal};
use crate::wire::rest::{Problem, headers};

/// Refused connections that are told so at the same time; more are just closed.
const MAX_TOLD: usize = 256;
/// How long one may take to read it.
const PATIENCE: Duration = Duration::from_secs(1);
/// When to come back.
const RETRY_AFTER_MS: u64 = 5_000;

/// Those who are being told; clones share them.
#[derive(Debug, Clone)]
pub(super) struct Refusals(Arc<Semaphore>);

impl Refusals {
    pub(super) fn new() -> Self {
        Self(Arc::new(Semaphore::new(MAX_TOLD)))
    }

    /// What ends the connection with an answer; `None` when too many are being told, and it just ends.
    pub(super) fn tell(
        &self,
        mut stream: TcpStream,
        why: Full,
    ) -> Option<impl Future<Output = ()> + Send + use<>> {
        let permit = Arc::clone(&self.0).try_acquire_owned().ok()?;
        Some(async move {
            let _permit = permit;
            let _ = timeout(PATIENCE, async {
                stream.write_all(&answer(why)).await?;
                stream.shutdown().await?;
                // Closing with the request unread would reset the connection, and the reset overtake the
                // answer.
                let mut scrap = [0; 1_024];
                while stream.read(&mut scrap).await? > 0 {}
                std::io::Result::Ok(())
            })
            .await;
        })
    }
}

fn answer(why: Full) -> Vec<u8> {
    let refusal = match why {
        Full::Total => {
            Refusal::later(Code::Overloaded, "the server has no room for more connections", RETRY_AFTER_MS)
        }
        Full::Address => too_many_connections(),
    };
    let status = StatusCode::from_u16(refusal.code.http_status()).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
    let body = serde_json::to_vec(&Problem::new(refusal, status)).expect("texts and numbers are always JSON");
    let mut all = HeaderMap::from_iter([
        (header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json")),
        (header::CONTENT_LENGTH, body.len().into()),
        (header::RETRY_AFTER, (RETRY_AFTER_MS / 1_000).into()),
        (header::CONNECTION, HeaderValue::from_static("close")),
    ]);
    headers::complete(&mut all);
    let mut answer = format!("HTTP/1.1 {status}\r\n").into_bytes();
    for (name, value) in &all {
        answer.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
    }
    [answer, b"\r\n".to_vec(), body].concat()
}

/// The refusal of a connection whose address has all that it may have.
#[must_use]
pub fn too_many_connections() -> Refusal {
    Refusal::later(Code::TooManyConnections, "your address has too many connections", RETRY_AFTER_MS)
}
