//! The files of the browser client, as they were when the program started; compressed when first asked for.
//!
//! Memory is bounded by the build: each file is held once, and once more compressed if that makes it smaller.

use std::collections::HashMap;
use std::sync::LazyLock;

use bytes::Bytes;
use flate2::Compression;
use http::HeaderValue;
use rust_embed::RustEmbed;
use tokio::sync::OnceCell;

use crate::http::compression::{WORTH_COMPRESSING_BYTES, gzip};

#[derive(RustEmbed)]
#[folder = "../frontend/dist"]
#[allow_missing = true]
struct Files;

/// A file.
pub(super) struct Asset {
    /// Its content.
    pub(super) bytes: Bytes,
    /// Its MIME type.
    pub(super) kind: HeaderValue,
    /// A quoted hash of the content.
    pub(super) etag: HeaderValue,
    /// The compressed content; `None` inside when it is not smaller.
    gzip: OnceCell<Option<Bytes>>,
}

/// The file with this name, such as `assets/index-abc.js`.
pub(super) fn find(name: &str) -> Option<&'static Asset> {
    static ASSETS: LazyLock<HashMap<String, Asset>> = LazyLock::new(all);
    ASSETS.get(name)
}

fn all() -> HashMap<String, Asset> {
    let names = Files::iter().filter(|name| !name.ends_with(".map"));
    names.filter_map(|name| Some((name.to_string(), Asset::new(Files::get(&name)?)))).collect()
}

impl Asset {
    fn new(file: rust_embed::EmbeddedFile) -> Self {
        let hash: String =
            file.metadata.sha256_hash()[..16].iter().map(|byte| format!("{byte:02x}")).collect();
        let kind = match file.metadata.mimetype() {
            text if text.starts_with("text/") => format!("{text}; charset=utf-8"),
            other => other.to_owned(),
        };
        Self {
            bytes: Bytes::from(file.data.into_owned()),
            kind: HeaderValue::from_str(&kind)
                .unwrap_or(HeaderValue::from_static("application/octet-stream")),
            etag: HeaderValue::from_str(&format!("\"{hash}\"")).expect("hex digits are valid in a header"),
            gzip: OnceCell::new(),
        }
    }

    /// The compressed content, if that is worth it.
    pub(super) async fn gzip(&self) -> Option<Bytes> {
        let compressed = self.gzip.get_or_init(async || {
            let bytes = self.bytes.clone();
            tokio::task::spawn_blocking(move || compress(&bytes)).await.ok().flatten()
        });
        compressed.await.clone()
    }
}

fn compress(bytes: &Bytes) -> Option<Bytes> {
    (bytes.len() >= WORTH_COMPRESSING_BYTES).then(|| gzip(bytes, Compression::best())).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_gets_smaller_is_compressed() {
        assert!(compress(&Bytes::from(vec![b'a'; 10_000])).unwrap().len() < 100);
        assert_eq!(compress(&Bytes::from_static(b"short")), None);
        let noise: Vec<u8> = (0..10_000).map(|_| rand::random()).collect();
        assert_eq!(compress(&Bytes::from(noise)), None);
    }
}
