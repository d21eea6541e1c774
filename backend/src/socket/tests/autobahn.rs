//! Autobahn's test suite against the WebSocket that all connections use.
//!
//! The suite wants an echo server, so here the frames of [`Line`] are echoed; everything below the protocol's
//! own frames is the real thing. It is a program of Python 2.7 (`pip install autobahntestsuite`), so this
//! runs only when `MILENA_WSTEST` names it: `MILENA_WSTEST=wstest cargo test -p milena-backend --lib autobahn
//! -- --ignored --nocapture`.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::accept_async;

use super::super::line::{Incoming, Line};
use crate::wire::Frame;

/// Not among them: binary messages (1.2), messages larger than 128 KiB (9), compression (12, 13), which
/// Milena does not have.
const CASES: [&str; 8] = ["1.1.*", "2.*", "3.*", "4.*", "5.*", "6.*", "7.*", "10.*"];

async fn echo(stream: TcpStream) {
    let Ok(handshaken) = accept_async(stream).await else { return };
    let mut line = Line::new(handshaken.into_inner(), Bytes::new(), Duration::from_secs(5)).await;
    let end = loop {
        let echoed = async {
            if let Incoming::Text(text) = line.receive().await? {
                line.feed(Frame::from(text.as_str().to_owned())).await?;
            }
            line.flush().await
        };
        if let Err(end) = echoed.await {
            break end;
        }
    };
    line.finish(&end).await;
}

async fn run_suite(wstest: &str, server: &str, folder: &Path) -> BTreeMap<String, Value> {
    let specification = json!({
        "outdir": folder,
        "servers": [{"agent": "milena", "url": format!("ws://{server}")}],
        "cases": CASES,
        "exclude-cases": [],
        "exclude-agent-cases": {},
    });
    let file = folder.join("cases.json");
    std::fs::write(&file, specification.to_string()).unwrap();
    let mut command = tokio::process::Command::new("sh");
    let line = format!("{wstest} --mode fuzzingclient --spec {}", file.display());
    let status = command.args(["-c", &line]).stdout(std::process::Stdio::null()).status().await.unwrap();
    assert!(status.success(), "{status}");
    let index = std::fs::read(folder.join("index.json")).unwrap();
    let index: Value = serde_json::from_slice(&index).unwrap();
    index["milena"].as_object().unwrap().clone().into_iter().collect()
}

#[tokio::test]
#[ignore = "needs Autobahn's test suite, see above"]
async fn autobahn_finds_nothing() {
    let wstest = std::env::var("MILENA_WSTEST").expect("MILENA_WSTEST names the suite's program");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let server = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(echo(stream));
        }
    });
    let folder = tempfile::tempdir().unwrap();
    let results = run_suite(&wstest, &address, folder.path()).await;
    server.abort();
    let mut verdicts = BTreeMap::<String, usize>::new();
    let mut failures = Vec::new();
    for (case, result) in &results {
        let verdict = format!("{} / {}", result["behavior"], result["behaviorClose"]).replace('"', "");
        if verdict.contains("FAILED") || verdict.contains("WRONG CODE") || verdict.contains("UNCLEAN") {
            failures.push(format!("{case}: {verdict}"));
        }
        *verdicts.entry(verdict).or_default() += 1;
    }
    println!("{} cases of Autobahn: {verdicts:?}", results.len());
    assert!(failures.is_empty() && results.len() > 200, "{}", failures.join("\n"));
}
