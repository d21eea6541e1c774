//! What a backend is asked over HTTP: whether it is ready, its metrics, and what a bench sets up.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const PATIENCE: Duration = Duration::from_secs(5);

/// The body of a `GET` that was answered with 200. HTTP/1.0, so that the end of the connection is the end of
/// the body: no client library, whose features would change how the measured programs are built.
///
/// # Errors
/// When there is no such answer.
pub(super) async fn get(gateway: SocketAddr, path: &str) -> anyhow::Result<String> {
    ask(gateway, path, format!("GET {path} HTTP/1.0\r\nHost: {gateway}\r\n\r\n")).await
}

/// The body of a successful answer to a `POST` under `/api/v1` of whoever has the token.
///
/// # Errors
/// When there is no such answer.
pub async fn post(
    gateway: SocketAddr,
    token: &str,
    path: &str,
    body: &serde_json::Value,
) -> anyhow::Result<serde_json::Value> {
    let body = body.to_string();
    let request = format!(
        "POST /api/v1/{path} HTTP/1.0\r\nHost: {gateway}\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    Ok(serde_json::from_str(&ask(gateway, path, request).await?)?)
}

async fn ask(gateway: SocketAddr, path: &str, request: String) -> anyhow::Result<String> {
    let asking = async {
        let mut stream = TcpStream::connect(gateway).await?;
        stream.write_all(request.as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        let (head, body) = answer.split_once("\r\n\r\n").context("an answer without a body")?;
        let status = head.lines().next().unwrap_or_default();
        ensure!(status.contains(" 20"), "{path} was answered with {status}: {body}");
        Ok(body.to_owned())
    };
    tokio::time::timeout(PATIENCE, asking).await.with_context(|| format!("{path} was not answered"))?
}

/// What a backend said about itself at one moment.
#[derive(Debug, Clone)]
pub struct Metrics(String);

impl Metrics {
    /// Asks for it.
    ///
    /// # Errors
    /// When the backend does not answer.
    pub async fn read(gateway: SocketAddr) -> anyhow::Result<Self> {
        get(gateway, "/metrics").await.map(Self)
    }

    /// The sum of all series of `name` whose labels contain `label`; 0 when there is none.
    #[must_use]
    pub fn sum(&self, name: &str, label: &str) -> f64 {
        self.0
            .lines()
            .filter_map(|line| line.strip_prefix(name)?.rsplit_once(' '))
            .filter(|(labels, _)| labels.is_empty() || labels.starts_with('{'))
            .filter(|(labels, _)| labels.contains(label))
            .filter_map(|(_, value)| value.parse::<f64>().ok())
            // An empty sum of fractions would be -0.
            .fold(0.0, |sum, value| sum + value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn series_of_one_name_are_added() {
        let text = "# HELP a words\n# TYPE a counter\na{kind=\"x\"} 2\na{kind=\"y\"} 3\na_total 7\nb 1\n";
        let metrics = Metrics(text.to_owned());
        assert_eq!(metrics.sum("a", ""), 5.0);
        assert_eq!(metrics.sum("a", "kind=\"y\""), 3.0);
        assert_eq!(metrics.sum("b", ""), 1.0);
        assert_eq!(metrics.sum("c", "").to_string(), "0");
    }
}
