//! Telling people's devices what came while nobody looked: web push (RFC 8030, 8291, 8292).
//!
//! A projection of the log with a group and offsets of its own (`notifier`, `reader`), at most once: what
//! is to be told is claimed in the database first. Each message is taken up by one node, when the database
//! has it, and asked about again just before each device is told (`job`): who has read it, left, or sits
//! before an open page is told nothing. Why so: `docs/adr/0013-pushes-are-claimed-first.md`.
//!
//! Pure: `endpoint` says which addresses are asked at all, `payload` what a device is told, `outcome`
//! what an answer means. `client` is the way out, `slots` keep a slow service from holding up others,
//! `vapid` is who this server is to them, `wanted` whom a message calls.

mod client;
mod endpoint;
mod job;
mod line;
mod notifier;
mod outcome;
mod payload;
mod reader;
mod slots;
mod subscribe;
mod vapid;
mod wanted;

use std::sync::Arc;

use milena_domain::{ServerKey, Subkey};
use milena_settings::Settings;
use milena_storage::Store;
use tokio::sync::Notify;

pub(crate) use self::endpoint::Endpoint;
use self::endpoint::PrivateHosts;
pub(crate) use self::job::{auth_secret, public_key};
pub(crate) use self::notifier::notify;
pub(crate) use self::subscribe::NewDevice;
use self::vapid::Vapid;

/// What people's requests and the notifier share; clones are the same one.
#[derive(Clone)]
pub struct Push(Arc<Shared>);

struct Shared {
    store: Store,
    enabled: bool,
    words: bool,
    private: PrivateHosts,
    vapid: Vapid,
    /// For the names under which a push service keeps only the newest push of a conversation.
    topics: Subkey,
    /// From whoever subscribes, to the notifier, which sleeps while nobody has.
    subscribed: Notify,
}

impl Push {
    /// As the settings say, under the server's own key.
    #[must_use]
    pub fn new(settings: &Settings, store: Store, key: &ServerKey) -> Self {
        let push = &settings.push;
        let page = settings.http.public_url.as_ref().filter(|url| url.is_https());
        let contact = match push.contact.as_str() {
            "" => page.map(|url| url.origin().to_owned()),
            contact => Some(contact.to_owned()),
        };
        Self(Arc::new(Shared {
            store,
            enabled: push.enabled,
            words: push.words,
            private: PrivateHosts::new(&push.private_hosts),
            vapid: Vapid::new(key, contact),
            topics: key.subkey("push-topic/v1"),
            subscribed: Notify::new(),
        }))
    }

    /// What a browser needs to subscribe; `None` when the operator has switched push off.
    pub(crate) fn public_key(&self) -> Option<&str> {
        self.0.enabled.then(|| self.0.vapid.public_key())
    }

    /// Whether the operator lets words and names be pushed.
    pub(crate) fn shows_words(&self) -> bool {
        self.0.words
    }
}
