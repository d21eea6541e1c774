//! A push service with its devices, on this machine: takes pushes (RFC 8030), decrypts them as a browser does
//! (RFC 8188 and 8291) and checks who sent them (RFC 8292).
//!
//! It is written from the RFCs, with *ring* for all but the multiplication of points, so that it shares no
//! mistake with the library that the server encrypts with.

use std::collections::{HashMap, VecDeque};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use p256::elliptic_curve::sec1::ToEncodedPoint;
use p256::{PublicKey, SecretKey};
use ring::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, KeyType, Salt};
use ring::rand::{SecureRandom, SystemRandom};
use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::AbortHandle;

use crate::until;

/// How the service answers a push.
#[derive(Debug, Clone)]
pub enum Reply {
    /// With this status.
    Status(u16),
    /// With this status and one header.
    With(u16, &'static str, String),
    /// Not at all.
    Hang,
}

/// A push as it arrived.
#[derive(Debug, Clone)]
pub struct Pushed {
    /// The name of the device.
    pub device: String,
    /// All headers.
    pub headers: HeaderMap,
    /// As it is encrypted.
    pub body: Vec<u8>,
    /// When it was there.
    pub at: Instant,
    /// What it was answered; 0: nothing.
    pub status: u16,
}

impl Pushed {
    /// A header; empty when there is none.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

#[derive(Default)]
struct Shared {
    pushes: Mutex<Vec<Pushed>>,
    /// By device: the next answers; `201` when there is none.
    replies: Mutex<HashMap<String, VecDeque<Reply>>>,
}

/// The service; it ends with this.
pub struct PushService {
    /// Where it listens, on loopback.
    pub address: SocketAddr,
    shared: Arc<Shared>,
    task: AbortHandle,
}

impl Drop for PushService {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl PushService {
    /// Starts on a free port.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared: Arc<Shared> = Arc::default();
        let of = Arc::clone(&shared);
        let task = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let shared = Arc::clone(&of);
                let service = service_fn(move |request| take(Arc::clone(&shared), request));
                let connection = hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service);
                connections.spawn(async move { drop(connection.await) });
            }
        });
        Self { address, shared, task: task.abort_handle() }
    }

    /// What the service answers to the next pushes to a device.
    pub fn replies(&self, device: &str, replies: impl IntoIterator<Item = Reply>) {
        locked(&self.shared.replies).entry(device.to_owned()).or_default().extend(replies);
    }

    /// What has arrived for a device.
    #[must_use]
    pub fn of(&self, device: &str) -> Vec<Pushed> {
        locked(&self.shared.pushes).iter().filter(|push| push.device == device).cloned().collect()
    }

    /// How much has arrived for all.
    #[must_use]
    pub fn count(&self) -> usize {
        locked(&self.shared.pushes).len()
    }

    /// Waits until so many have arrived for a device.
    pub async fn until(&self, device: &str, count: usize) -> Vec<Pushed> {
        until(&format!("{count} pushes to {device}"), 30, async || self.of(device).len() >= count).await;
        self.of(device)
    }

    /// The claims of who sent a push, after its signature, its age and its audience were checked.
    ///
    /// # Panics
    /// When they are not as they must be.
    pub fn claims(&self, push: &Pushed, public_key: &str) -> Value {
        let authorization = push.header("authorization");
        let parameters = authorization.strip_prefix("vapid ").expect("the scheme vapid");
        let parameter = |name: &str| {
            let all = parameters.split(',').filter_map(|part| part.trim().split_once('='));
            all.into_iter().find(|(key, _)| *key == name).map(|(_, value)| value).expect(name)
        };
        let (token, key) = (parameter("t"), parameter("k"));
        assert_eq!(key, public_key, "the key that browsers subscribed under");
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let (key, signature) = (decoded(key), decoded(signature));
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key)
            .verify(signed.as_bytes(), &signature)
            .expect("a good signature");
        let (header, claims) = signed.split_once('.').unwrap();
        let [header, claims]: [Value; 2] =
            [header, claims].map(|part| serde_json::from_slice(&decoded(part)).unwrap());
        assert_eq!(header, json!({"typ": "JWT", "alg": "ES256"}));
        assert_eq!(claims["aud"], format!("http://{}", self.address));
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let exp = claims["exp"].as_u64().unwrap();
        assert!(exp > now && exp <= now + 24 * 60 * 60, "good for {} s", exp as i64 - now as i64);
        claims
    }
}

async fn take(shared: Arc<Shared>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map(|body| body.to_bytes().to_vec()).unwrap_or_default();
    let device = parts.uri.path().trim_start_matches('/').to_owned();
    let reply = locked(&shared.replies).get_mut(&device).and_then(VecDeque::pop_front);
    let (status, header) = match reply.unwrap_or(Reply::Status(201)) {
        Reply::Status(status) => (status, None),
        Reply::With(status, name, value) => (status, Some((name, value))),
        Reply::Hang => (0, None),
    };
    locked(&shared.pushes).push(Pushed { device, headers: parts.headers, body, at: Instant::now(), status });
    if status == 0 {
        std::future::pending::<()>().await;
    }
    let mut response = Response::builder().status(status);
    if let Some((name, value)) = header {
        response = response.header(name, value);
    }
    Ok(response.body(Full::default()).unwrap())
}

fn decoded(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).unwrap()
}

/// A device that has subscribed at a service.
pub struct Device {
    /// Its name at the service.
    pub name: String,
    endpoint: String,
    secret: SecretKey,
    auth: [u8; 16],
}

impl Device {
    /// A device with keys of its own.
    #[must_use]
    pub fn at(service: &PushService, name: &str) -> Self {
        Self::at_endpoint(format!("http://{}/{name}", service.address), name)
    }

    /// A device whose endpoint is elsewhere.
    #[must_use]
    pub fn at_endpoint(endpoint: String, name: &str) -> Self {
        let random = SystemRandom::new();
        let (mut secret, mut auth) = ([0; 32], [0; 16]);
        random.fill(&mut auth).unwrap();
        let secret = loop {
            random.fill(&mut secret).unwrap();
            if let Ok(secret) = SecretKey::from_slice(&secret) {
                break secret;
            }
        };
        Self { name: name.to_owned(), endpoint, secret, auth }
    }

    /// As `PushSubscription.toJSON()` gives it in a browser.
    #[must_use]
    pub fn subscription(&self) -> Value {
        let point = self.secret.public_key().to_encoded_point(false);
        json!({
            "endpoint": self.endpoint,
            "expirationTime": null,
            "keys": {
                "p256dh": URL_SAFE_NO_PAD.encode(point.as_bytes()),
                "auth": URL_SAFE_NO_PAD.encode(self.auth),
            },
        })
    }

    /// What a push says.
    ///
    /// # Panics
    /// When it is not for this device, or not in the right form.
    #[must_use]
    pub fn open(&self, push: &Pushed) -> Value {
        assert_eq!(push.header("content-encoding"), "aes128gcm");
        let bytes = self.decrypt(&push.body);
        assert!(bytes.len() <= 3_072, "{} bytes", bytes.len());
        serde_json::from_slice(&bytes).unwrap()
    }

    fn decrypt(&self, body: &[u8]) -> Vec<u8> {
        // RFC 8188, section 2.1: salt, record size, and the sender's key as the id of the key.
        let (salt, rest) = body.split_at(16);
        let (size, rest) = rest.split_at(4);
        let size = u32::from_be_bytes(size.try_into().unwrap()) as usize;
        let (sender, sealed) = rest[1..].split_at(usize::from(rest[0]));
        assert_eq!((sender.len(), sender[0]), (65, 4), "an uncompressed point");
        assert!(sealed.len() <= size && body.len() <= 4_096, "one record: {} of {size}", sealed.len());
        let theirs = PublicKey::from_sec1_bytes(sender).unwrap();
        let shared = p256::ecdh::diffie_hellman(self.secret.to_nonzero_scalar(), theirs.as_affine());
        // RFC 8291, section 3.4.
        let own = self.secret.public_key().to_encoded_point(false);
        let about = [b"WebPush: info\0".as_slice(), own.as_bytes(), sender].concat();
        let ikm = derived(&self.auth, shared.raw_secret_bytes(), &about, 32);
        // RFC 8188, sections 2.2 and 2.3; the number of the only record is nought.
        let key = derived(salt, &ikm, b"Content-Encoding: aes128gcm\0", 16);
        let nonce = derived(salt, &ikm, b"Content-Encoding: nonce\0", 12);
        let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &key).unwrap());
        let nonce = Nonce::try_assume_unique_for_key(&nonce).unwrap();
        let mut opened = sealed.to_vec();
        let opened = key.open_in_place(nonce, Aad::empty(), &mut opened).expect("encrypted for this device");
        let end = opened.iter().rposition(|byte| *byte != 0).expect("a delimiter");
        assert_eq!(opened[end], 2, "the last record");
        opened[..end].to_vec()
    }
}

struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

/// HKDF with SHA-256, extract and expand.
fn derived(salt: &[u8], secret: &[u8], info: &[u8], length: usize) -> Vec<u8> {
    let mut derived = vec![0; length];
    let key = Salt::new(HKDF_SHA256, salt).extract(secret);
    key.expand(&[info], Length(length)).unwrap().fill(&mut derived).unwrap();
    derived
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 8291, appendix A.
    #[test]
    fn the_example_of_the_rfc_is_decrypted() {
        let device = Device {
            name: String::new(),
            endpoint: String::new(),
            secret: SecretKey::from_slice(&decoded("q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94")).unwrap(),
            auth: decoded("BTBZMqHH6r4Tts7J_aSIgg").try_into().unwrap(),
        };
        let body = decoded(concat!(
            "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27ml",
            "mlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPT",
            "pK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN",
        ));
        assert_eq!(device.decrypt(&body), b"When I grow up, I want to be a watermelon");
    }
}
