//! WebSocket frames byte by byte, as no library would write them.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::node::{Node, PATIENCE, User};

/// FIN and the opcode of a text frame.
pub(crate) const TEXT: u8 = 0x81;
pub(crate) const FIN: u8 = 0x80;
pub(crate) const CLOSE: u8 = 0x88;
pub(crate) const PING: u8 = 0x89;
pub(crate) const PONG: u8 = 0x8a;

/// What a client hears.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Heard {
    /// A text frame's `type`, and its `code` if it has one.
    Text(String),
    Pong(Vec<u8>),
    /// A close frame with its code, if any.
    Close(Option<u16>),
    /// The connection is over.
    End,
}

/// A connection that is upgraded by hand.
pub(crate) struct Raw {
    stream: TcpStream,
}

/// A masked frame; `first` holds FIN, the reserved bits and the opcode.
pub(crate) fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first];
    match payload.len() {
        0..=125 => frame.push(0x80 | payload.len() as u8),
        126..=0xffff => {
            frame.push(0x80 | 126);
            frame.extend((payload.len() as u16).to_be_bytes());
        }
        _ => {
            frame.push(0x80 | 127);
            frame.extend((payload.len() as u64).to_be_bytes());
        }
    }
    let mask = [0x37, 0xfa, 0x21, 0x3d];
    frame.extend(mask);
    frame.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    frame
}

impl Raw {
    /// Upgraded, signed in, welcomed.
    pub(crate) async fn sign_in(node: &Node, user: &User) -> Self {
        let mut stream = TcpStream::connect(node.address).await.unwrap();
        let request = format!(
            "GET /ws HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
            node.address
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        let head = String::from_utf8(head).unwrap().to_lowercase();
        assert!(head.starts_with("http/1.1 101"), "{head}");
        assert!(head.contains("sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo="), "{head}");
        assert!(!head.contains("sec-websocket-extensions"), "nothing is negotiated: {head}");
        let mut raw = Self { stream };
        let hello = json!({"type": "hello", "token": user.token}).to_string();
        raw.write(&frame(TEXT, hello.as_bytes())).await;
        assert_eq!(raw.hear().await, Heard::Text("welcome".to_owned()));
        raw
    }

    /// The server may end the connection while it is written to.
    pub(crate) async fn write(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes).await;
    }

    /// In pieces of some bytes, each a packet of its own.
    pub(crate) async fn write_slowly(&mut self, bytes: &[u8], piece: usize) {
        self.stream.set_nodelay(true).unwrap();
        for piece in bytes.chunks(piece) {
            self.write(piece).await;
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// The next thing that is neither a cursor nor a ping.
    pub(crate) async fn hear(&mut self) -> Heard {
        timeout(PATIENCE, async {
            loop {
                match self.read().await {
                    Ok(Some(heard)) => return heard,
                    Ok(None) => {}
                    Err(_) => return Heard::End,
                }
            }
        })
        .await
        .expect("something comes in time")
    }

    /// Everything from now on until the connection is over.
    pub(crate) async fn hear_all(&mut self) -> Vec<Heard> {
        let mut all = Vec::new();
        loop {
            match self.hear().await {
                Heard::End => return all,
                heard => all.push(heard),
            }
        }
    }

    async fn read(&mut self) -> std::io::Result<Option<Heard>> {
        let (first, second) = (self.stream.read_u8().await?, self.stream.read_u8().await?);
        assert_eq!(first & 0xf0, FIN, "whole frames without reserved bits");
        let length = match second {
            0..=125 => usize::from(second),
            126 => usize::from(self.stream.read_u16().await?),
            127 => self.stream.read_u64().await? as usize,
            _ => panic!("a server does not mask"),
        };
        let mut payload = vec![0; length];
        self.stream.read_exact(&mut payload).await?;
        Ok(match first {
            TEXT => {
                let frame: Value = serde_json::from_slice(&payload).unwrap();
                let kind = frame["type"].as_str().unwrap();
                let code = frame["code"].as_str().map(|code| format!(" {code}")).unwrap_or_default();
                (kind != "cursor").then(|| Heard::Text(format!("{kind}{code}")))
            }
            CLOSE => {
                assert!(payload.len() != 1 && std::str::from_utf8(payload.get(2..).unwrap_or(&[])).is_ok());
                let code = payload.first_chunk().map(|code| u16::from_be_bytes(*code));
                Some(Heard::Close(code))
            }
            PING => None,
            PONG => Some(Heard::Pong(payload)),
            other => panic!("a server frame that begins with {other:#x}"),
        })
    }
}
