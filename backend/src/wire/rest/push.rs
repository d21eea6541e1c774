//! The devices on which somebody is told what came while they did not look.

use milena_domain::Timestamp;
use milena_storage::PushSubscription;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::Fields;
use crate::push::{Endpoint, NewDevice, auth_secret, public_key};
use crate::refusal::Refusal;

/// What a browser needs to subscribe, and one's devices.
#[derive(Debug, Serialize, ToSchema)]
pub struct PushSettings {
    /// The server's key: 65 bytes, base64url without padding. `null`: the operator has switched push off.
    pub(crate) public_key: Option<String>,
    /// Whether the operator lets words and names be pushed.
    pub(crate) words: bool,
    /// Devices of one person, at most.
    #[schema(example = 20)]
    pub(crate) subscriptions_max: usize,
    /// Newest first.
    pub(crate) subscriptions: Vec<Device>,
}

/// A device.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PushSubscription)]
pub struct Device {
    id: Uuid,
    /// How its owner recognises it.
    label: String,
    /// The host of its push service.
    host: String,
    /// Whether words and names are pushed to it.
    words: bool,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// It belongs to the session of this request.
    current: bool,
}

impl Device {
    /// As seen from the session `current`.
    pub(crate) fn new(device: PushSubscription, current: Uuid) -> Self {
        Self {
            id: device.id,
            label: device.label,
            host: Endpoint::host_of(&device.endpoint),
            words: device.words,
            created_at: device.created_at,
            current: device.session == current,
        }
    }
}

/// A device, as `PushSubscription.toJSON()` has it in browsers.
#[derive(ToSchema)]
pub struct NewSubscription {
    /// Where its push service is asked: https, at a host that can be reached from everywhere.
    #[schema(max_length = 2048, example = "https://push.example.org/abc")]
    endpoint: String,
    /// What pushes are encrypted with.
    keys: SubscriptionKeys,
    /// How its owner recognises it, at most 200 characters; what the client calls itself when absent.
    label: Option<String>,
    /// Whether words and names may be pushed to it; true when absent.
    words: Option<bool>,
}

/// What pushes are encrypted with.
#[derive(ToSchema)]
struct SubscriptionKeys {
    /// The device's public key: an uncompressed point of P-256, 65 bytes, base64url.
    p256dh: String,
    /// A secret of 16 bytes, base64url.
    auth: String,
}

impl TryFrom<Fields> for NewSubscription {
    type Error = Refusal;

    fn try_from(mut fields: Fields) -> Result<Self, Refusal> {
        let endpoint = fields.text("endpoint")?;
        let mut keys = match fields.take("keys") {
            Some(Value::Object(keys)) => keys,
            Some(_) => return Err(Refusal::field("keys", "must be an object")),
            None => return Err(Refusal::field("keys", "is missing")),
        };
        let mut key = |name: &str, field: &'static str| match keys.remove(name) {
            Some(Value::String(text)) => Ok(text),
            Some(_) => Err(Refusal::field(field, "must be a string")),
            None => Err(Refusal::field(field, "is missing")),
        };
        let keys =
            SubscriptionKeys { p256dh: key("p256dh", "keys.p256dh")?, auth: key("auth", "keys.auth")? };
        if public_key(&keys.p256dh).is_none() {
            let said = "must be an uncompressed point of P-256, 65 bytes, in base64url";
            return Err(Refusal::field("keys.p256dh", said));
        }
        if auth_secret(&keys.auth).is_none() {
            return Err(Refusal::field("keys.auth", "must be 16 bytes in base64url"));
        }
        let (label, words) = (fields.optional_text("label")?, fields.optional_flag("words")?);
        Ok(Self { endpoint, keys, label, words })
    }
}

impl NewSubscription {
    /// Of a client that calls itself so.
    pub(crate) fn of(self, user_agent: String) -> NewDevice {
        let Self { endpoint, keys: SubscriptionKeys { p256dh, auth }, label, words } = self;
        let label = label.unwrap_or(user_agent);
        NewDevice { endpoint, p256dh, auth, label, words: words.unwrap_or(true) }
    }
}
