//! One device and one message: asks once more whether it is to be told, tells it, and does what the answer
//! means.
//!
//! A service that says "later" is asked again within the time, and each time it is looked first whether there
//! is still something to tell. One that may have heard a push and did not say so is not asked again, so that
//! nobody is told twice. While a job waits it holds no slot, and of one conversation a device is told one
//! after the other, only the newest of what has gathered ([`super::line`]).

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, header};
use http_body_util::Full;
use milena_domain::record::Event;
use milena_domain::{ConversationId, MessageId, Position, Timestamp, UserId};
use milena_storage::PushSubscription;
use p256::PublicKey;
use tokio::time::timeout;
use web_push_native::{Auth, WebPushBuilder};

use super::client::{Answer, Failure, PushClient};
use super::line::{Lines, Place};
use super::notifier::TTL_MS;
use super::outcome::{Outcome, judge, pause};
use super::payload::{About, Payload, Words};
use super::slots::Slots;
use super::wanted::{Wanted, wanted};
use super::{Endpoint, Push};
use crate::chat::{Chat, ToTell};
use crate::log::event::message;
use crate::metrics::{self, PushEnd};
use crate::refusal::Refusal;
use crate::seldom::Seldom;

const URGENCY: HeaderName = HeaderName::from_static("urgency");
const TOPIC: HeaderName = HeaderName::from_static("topic");
/// Characters of a topic's name: as many as the protocol allows.
const TOPIC_BYTES: usize = 24;
/// Before this node asks its own database again.
const AGAIN: Duration = Duration::from_secs(1);

/// What all jobs share.
pub(super) struct Jobs {
    pub(super) push: Push,
    pub(super) chat: Chat,
    pub(super) client: PushClient,
    pub(super) slots: Slots,
    pub(super) lines: Arc<Lines>,
}

/// A device and a message.
pub(super) struct Job {
    device: PushSubscription,
    conversation: ConversationId,
    position: Position,
    id: MessageId,
    is_urgent: bool,
    sent_at: Timestamp,
    deadline: Timestamp,
    /// Where it stands among what waits for this device in this conversation.
    place: Place,
}

/// What comes next.
enum Step {
    End(PushEnd),
    Later(Duration),
    WithoutWords,
}

impl Job {
    fn time_left(&self) -> Duration {
        let ms = self.deadline.unix_ms() - Timestamp::now().unix_ms();
        Duration::from_millis(u64::try_from(ms).unwrap_or(0))
    }
}

impl Jobs {
    /// A message that a device is to be told.
    pub(super) fn job(
        &self,
        event: &Event,
        position: Position,
        device: PushSubscription,
        is_urgent: bool,
    ) -> Job {
        // A clock that is ahead gives nobody more time.
        let deadline = event.at.min(Timestamp::now()).plus_ms(TTL_MS);
        let (conversation, id, sent_at) = (event.conversation, event.id, event.at);
        let place = self.lines.join((device.id, conversation), position, is_urgent);
        Job { device, conversation, position, id, is_urgent, sent_at, deadline, place }
    }

    pub(super) async fn run(self: Arc<Self>, job: Job) {
        let end = match timeout(job.time_left(), job.place.turn()).await {
            Ok(_turn) => self.tell(&job).await,
            Err(_) => PushEnd::Late,
        };
        metrics::pushes_ended(end, 1);
        if end == PushEnd::Pushed {
            let ms = Timestamp::now().unix_ms() - job.sent_at.unix_ms();
            metrics::push_took(Duration::from_millis(u64::try_from(ms).unwrap_or(0)));
        }
    }

    async fn tell(&self, job: &Job) -> PushEnd {
        let hash = &job.device.endpoint_hash;
        let Ok(endpoint) = Endpoint::parse(&job.device.endpoint, &self.push.0.private) else {
            // The operator has named the host once, and does not any more.
            return PushEnd::Forbidden;
        };
        let (origin, mut shows_words) = (endpoint.origin(), true);
        for attempt in 0.. {
            if let Some(rest) = self.slots.rests(hash) {
                if rest >= job.time_left() {
                    return PushEnd::Unanswered;
                }
                tokio::time::sleep(rest).await;
            }
            let Ok(slot) = timeout(job.time_left(), self.slots.take(&origin)).await else {
                return PushEnd::Late;
            };
            // Apart from the job: it is large, and only those that have a slot are under way.
            let step = Box::pin(self.once(job, &endpoint, &origin, shows_words, attempt)).await;
            drop(slot);
            match step {
                Step::End(end) => return end,
                Step::Later(after) if after >= job.time_left() => return PushEnd::Late,
                Step::Later(after) => tokio::time::sleep(after).await,
                Step::WithoutWords => shows_words = false,
            }
        }
        PushEnd::Late
    }

    async fn once(
        &self,
        job: &Job,
        endpoint: &Endpoint,
        origin: &str,
        shows_words: bool,
        attempt: u32,
    ) -> Step {
        let body = match self.still(job, shows_words).await {
            Ok(Ok(body)) => body,
            Ok(Err(end)) => return Step::End(end),
            Err(refusal) => {
                log::debug!(reason = refusal.message.as_str(); "a push waits");
                return Step::Later(AGAIN);
            }
        };
        let Some(request) = self.request(job, endpoint, origin, body) else {
            return Step::End(PushEnd::Refused);
        };
        let hash = job.device.endpoint_hash;
        match self.client.ask(request).await {
            Answer::Status(status, headers) => {
                self.slots.answered(origin, &hash);
                match judge(status, &headers, attempt, Timestamp::now()) {
                    Outcome::Pushed => Step::End(PushEnd::Pushed),
                    Outcome::Later(after) => Step::Later(after),
                    Outcome::TooLarge if shows_words => Step::WithoutWords,
                    Outcome::Gone => {
                        if let Err(error) =
                            self.push.0.store.unsubscribe(job.device.user, job.device.id).await
                        {
                            log::debug!(error:% = error; "a device that is gone stays for now");
                        }
                        Step::End(PushEnd::Gone)
                    }
                    Outcome::TooLarge | Outcome::Refused => {
                        static TOLD: Seldom = Seldom::new();
                        if let Some(left_out) = TOLD.due() {
                            let status = status.as_u16();
                            log::warn!(service = origin, status, left_out; "a push service refuses a push");
                        }
                        Step::End(PushEnd::Refused)
                    }
                }
            }
            Answer::None(Failure::Forbidden) => Step::End(PushEnd::Forbidden),
            Answer::None(Failure::NotConnected) => {
                self.slots.did_not_answer(origin, hash);
                Step::Later(pause(attempt))
            }
            Answer::None(Failure::Unknown) => {
                self.slots.did_not_answer(origin, hash);
                Step::End(PushEnd::Unanswered)
            }
        }
    }

    /// What the device is to be told now, or why nothing.
    async fn still(&self, job: &Job, shows_words: bool) -> Result<Result<Vec<u8>, PushEnd>, Refusal> {
        let user = job.device.user;
        if job.time_left().is_zero() {
            return Ok(Err(PushEnd::Late));
        }
        if job.place.is_superseded() {
            return Ok(Err(PushEnd::Newer));
        }
        if self.chat.presence().is_active(user) {
            return Ok(Err(PushEnd::Active));
        }
        let store = &self.push.0.store;
        let Some(device) = store.subscription(job.device.id, Timestamp::now()).await? else {
            return Ok(Err(PushEnd::Ended));
        };
        let told = self.chat.still_to_tell(user, (job.conversation, job.position), job.id).await?;
        let Some(ToTell { placed, room, answers }) = told else { return Ok(Err(PushEnd::Unwanted)) };
        let event = &placed.event;
        let Some(Wanted { kind, words }) = wanted(store, event, answers, &[user]).await?.remove(&user) else {
            return Ok(Err(PushEnd::Unwanted));
        };
        let about = About {
            kind,
            conversation: job.conversation,
            position: job.position,
            id: job.id,
            sent_at: event.at,
            user,
        };
        let may_be_shown = shows_words && words && device.words && self.push.shows_words();
        let words = if may_be_shown { self.words(event, room).await? } else { None };
        Ok(Ok(Payload::new(about, words).bytes()))
    }

    async fn words(&self, event: &Event, room: Option<String>) -> Result<Option<Words>, Refusal> {
        let Some(author) = self.chat.directory().person(event.actor).await? else { return Ok(None) };
        let Some(said) = message(event) else { return Ok(None) };
        let sender = author.display_name.to_string();
        let title = room.unwrap_or_else(|| sender.clone());
        // A device knows nobody: names stand in the place of ids.
        let mut words = said.body.as_str().replace("<@everyone>", "@everyone");
        for user in &said.mentions {
            if let Some(person) = self.chat.directory().person(*user).await? {
                words = words.replace(&format!("<@{user}>"), &format!("@{}", person.display_name));
            }
        }
        Ok(Some(Words { title, sender, words }))
    }

    fn request(
        &self,
        job: &Job,
        endpoint: &Endpoint,
        origin: &str,
        body: Vec<u8>,
    ) -> Option<Request<Full<Bytes>>> {
        let key = public_key(&job.device.p256dh)?;
        let auth = Auth::from(auth_secret(&job.device.auth)?);
        let builder =
            WebPushBuilder::new(endpoint.uri.clone(), key, auth).with_valid_duration(job.time_left());
        let mut request = builder.build(body).ok()?;
        let headers = request.headers_mut();
        let token = self.push.0.vapid.authorization(origin, Timestamp::now());
        let mut token = HeaderValue::from_str(&token).ok()?;
        token.set_sensitive(true);
        headers.insert(header::AUTHORIZATION, token);
        headers.insert(URGENCY, HeaderValue::from_static(if job.is_urgent { "high" } else { "normal" }));
        headers.insert(TOPIC, HeaderValue::from_str(&self.topic(job.device.user, job.conversation)).ok()?);
        Some(request.map(|body| Full::new(Bytes::from(body))))
    }

    /// Says nothing to the service but which pushes replace each other.
    fn topic(&self, user: UserId, conversation: ConversationId) -> String {
        let (user, conversation) = (user.as_uuid(), conversation.as_uuid());
        let mac = self.push.0.topics.mac(&[user.as_bytes(), conversation.as_bytes()]);
        URL_SAFE_NO_PAD.encode(&mac[..TOPIC_BYTES])
    }
}

/// A device's key, as browsers write it: the point, uncompressed, base64url.
pub(crate) fn public_key(text: &str) -> Option<PublicKey> {
    let bytes = decoded(text)?;
    (bytes.len() == 65).then(|| PublicKey::from_sec1_bytes(&bytes).ok()).flatten()
}

/// What a device and this server share: 16 bytes, base64url.
pub(crate) fn auth_secret(text: &str) -> Option<[u8; 16]> {
    decoded(text)?.try_into().ok()
}

fn decoded(text: &str) -> Option<Vec<u8>> {
    if text.len() > 100 {
        return None;
    }
    if text.ends_with('=') { URL_SAFE.decode(text).ok() } else { URL_SAFE_NO_PAD.decode(text).ok() }
}
