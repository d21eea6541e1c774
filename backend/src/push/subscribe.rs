//! Subscribing and unsubscribing: what people ask for about their own devices.

use milena_domain::{Timestamp, UserId};
use milena_storage::{PushSubscription, SUBSCRIPTIONS_MAX, Subscribed};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::client::leads_inside;
use super::endpoint::BadEndpoint;
use super::{Endpoint, Push};
use crate::auth::Identity;
use crate::refusal::{Code, Refusal};

/// What a browser says of itself; its keys have been looked at.
#[derive(Debug)]
pub(crate) struct NewDevice {
    pub(crate) endpoint: String,
    pub(crate) p256dh: String,
    pub(crate) auth: String,
    pub(crate) label: String,
    pub(crate) words: bool,
}

impl Push {
    /// A device of this session is to be told from now on; and whether it is a new one.
    ///
    /// # Errors
    /// `push_off`, `invalid_field`, `too_many_subscriptions`, `endpoint_taken`, `unauthenticated` when the
    /// session has ended meanwhile, `store_unavailable`.
    pub(crate) async fn subscribe(
        &self,
        of: &Identity,
        device: NewDevice,
    ) -> Result<(PushSubscription, bool), Refusal> {
        if !self.0.enabled {
            return Err(Refusal::new(
                Code::PushOff,
                "this server does not push: its operator has switched it off",
            ));
        }
        let bad = |error: BadEndpoint| Refusal::field("endpoint", error.to_string());
        let endpoint = Endpoint::parse(&device.endpoint, &self.0.private).map_err(bad)?;
        // A name that cannot be resolved now harms nobody: it is judged again with each connection.
        if leads_inside(endpoint.host(), &self.0.private).await {
            return Err(bad(BadEndpoint::Private));
        }
        let NewDevice { endpoint, p256dh, auth, label, words } = device;
        let endpoint_hash = Sha256::digest(endpoint.as_bytes()).into();
        let (id, created_at) = (Uuid::now_v7(), Timestamp::now());
        let (user, session) = (of.person.id, of.session);
        let new = PushSubscription {
            id,
            user,
            session,
            endpoint,
            endpoint_hash,
            p256dh,
            auth,
            label,
            words,
            created_at,
        };
        match self.0.store.subscribe(&new).await? {
            Subscribed::New(stored) => {
                self.0.subscribed.notify_one();
                Ok((stored, true))
            }
            Subscribed::Known(stored) => Ok((stored, false)),
            Subscribed::Full => Err(Refusal::new(
                Code::TooManySubscriptions,
                format!("you may have at most {SUBSCRIPTIONS_MAX} devices: remove one that you do not use"),
            )),
            Subscribed::Taken => Err(Refusal::new(
                Code::EndpointTaken,
                "somebody else has this endpoint under other keys: unsubscribe in the browser, and again",
            )),
            Subscribed::Ended => {
                Err(Refusal::new(Code::Unauthenticated, "the session has ended: sign in again"))
            }
        }
    }

    /// The devices of somebody, newest first.
    ///
    /// # Errors
    /// `store_unavailable`.
    pub(crate) async fn devices_of(&self, user: UserId) -> Result<Vec<PushSubscription>, Refusal> {
        let mut devices = self.0.store.subscriptions_of(&[user], Timestamp::now()).await?;
        devices.reverse();
        Ok(devices)
    }

    /// A device of somebody is told nothing from now on; `false` when they have no such one.
    ///
    /// # Errors
    /// `store_unavailable`.
    pub(crate) async fn unsubscribe(&self, user: UserId, id: Uuid) -> Result<bool, Refusal> {
        Ok(self.0.store.unsubscribe(user, id).await?)
    }
}
