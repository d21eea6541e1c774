//! REST.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use reqwest::{Client, Method, RequestBuilder};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use uuid::Uuid;

use super::PASSWORD;
use super::wire::{
    Accepted, ChangePage, Conversation, Conversations, Event, EventPage, Message, Page, Person,
};

const PATIENCE: Duration = Duration::from_secs(20);
const TAKEN_WITHIN: Duration = Duration::from_secs(60);

/// What the server answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) content_type: String,
    pub(crate) body: Value,
}

impl Answer {
    /// The stable code of a refusal; empty when there is none.
    pub(crate) fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }

    /// The body, of an answer that must have this status.
    pub(crate) fn expect<T: DeserializeOwned>(self, status: u16) -> T {
        assert_eq!(self.status, status, "{}", self.body);
        serde_json::from_value(self.body).expect("the form of the protocol document")
    }

    /// Who is signed in now.
    pub(crate) fn account(self) -> Account {
        account(self.expect(200))
    }

    /// The same, or `None` for any other status.
    fn when<T: DeserializeOwned>(self, status: u16) -> Option<T> {
        (self.status == status).then(|| self.expect(status))
    }
}

/// Somebody with a session.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    pub(crate) person: Person,
    pub(crate) token: String,
}

/// One server, signed in or not.
#[derive(Clone)]
pub(crate) struct Rest {
    http: Client,
    address: SocketAddr,
    token: Option<String>,
}

impl Rest {
    pub(crate) fn new(address: SocketAddr) -> Self {
        let http = Client::builder().no_proxy().timeout(PATIENCE).build().unwrap();
        Self { http, address, token: None }
    }

    /// The same server, as somebody.
    pub(crate) fn of(&self, account: &Account) -> Self {
        Self { token: Some(account.token.clone()), ..self.clone() }
    }

    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Whether `/readyz` says so.
    pub(crate) async fn is_ready(&self) -> bool {
        let url = format!("http://{}/readyz", self.address);
        let asked = self.http.get(url).timeout(Duration::from_secs(2)).send().await;
        asked.is_ok_and(|answer| answer.status().is_success())
    }

    /// A request below `/api/v1/`, to be sent with [`Rest::ask`].
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("http://{}/api/v1/{path}", self.address));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// `None` when the server cannot be reached.
    pub(crate) async fn try_ask(request: RequestBuilder) -> Option<Answer> {
        let answer = request.send().await.ok()?;
        let status = answer.status().as_u16();
        let content_type = answer.headers().get("content-type").and_then(|value| value.to_str().ok());
        let content_type = content_type.unwrap_or_default().to_owned();
        let text = answer.text().await.ok()?;
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        Some(Answer { status, content_type, body })
    }

    pub(crate) async fn ask(request: RequestBuilder) -> Answer {
        Self::try_ask(request).await.expect("the server answers")
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        Self::ask(self.request(Method::GET, path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        Self::ask(self.request(Method::POST, path).json(body)).await
    }

    /// The same of what has a `client_id`: asked for again as long as it cannot be done just now, as a client
    /// does. A broker that has just started may not take the first record in time.
    pub(crate) async fn post_until_taken(&self, path: &str, body: &Value) -> Answer {
        let deadline = Instant::now() + TAKEN_WITHIN;
        loop {
            let answer = self.post(path, body).await;
            if answer.status != 503 || Instant::now() > deadline {
                return answer;
            }
            let wait_ms = answer.body["retry_after_ms"].as_u64().unwrap_or(500);
            tokio::time::sleep(Duration::from_millis(wait_ms)).await;
        }
    }

    pub(crate) async fn put(&self, path: &str, body: &Value) -> Answer {
        Self::ask(self.request(Method::PUT, path).json(body)).await
    }

    /// Registers a person who must be new.
    pub(crate) async fn register(&self, username: &str) -> Account {
        let body = json!({"username": username, "password": PASSWORD});
        account(self.post("register", &body).await.expect(201))
    }

    pub(crate) async fn login(&self, username: &str, password: &str) -> Account {
        let body = json!({"username": username, "password": password});
        self.post("login", &body).await.account()
    }

    /// Sends to a person; the answer as it came.
    pub(crate) async fn send(&self, to: Uuid, client_id: &str, body: &str) -> Answer {
        let request = self.request(Method::POST, &format!("users/{to}/messages"));
        Self::ask(request.header("idempotency-key", client_id).json(&json!({"body": body}))).await
    }

    /// Sends to a person, and it must be accepted.
    pub(crate) async fn send_accepted(&self, to: Uuid, client_id: &str, body: &str) -> Accepted {
        self.send(to, client_id, body).await.expect(202)
    }

    /// A page of history; `query` without the question mark.
    pub(crate) async fn page(&self, conversation: Uuid, query: &str) -> Page {
        self.get(&format!("conversations/{conversation}/messages?{query}")).await.expect(200)
    }

    /// Everything after a position, page by page; all of it for `-1`.
    pub(crate) async fn messages_after(&self, conversation: Uuid, position: i64) -> Vec<Message> {
        self.try_messages_after(conversation, position, i64::MAX).await.expect("history answers, complete")
    }

    /// Everything between two positions, or `None` when the server cannot prove now that it has all of it.
    pub(crate) async fn try_messages_after(
        &self,
        conversation: Uuid,
        after: i64,
        before: i64,
    ) -> Option<Vec<Message>> {
        let mut messages: Vec<Message> = Vec::new();
        loop {
            let after = messages.last().map_or(after, |message| message.position).max(0);
            let path = format!("conversations/{conversation}/messages?after={after}&limit=100");
            let page: Page = Self::try_ask(self.request(Method::GET, &path)).await?.when(200)?;
            if !page.complete {
                return None;
            }
            messages.extend(page.messages);
            if !page.has_after || messages.last().is_some_and(|last| last.position >= before) {
                messages.retain(|message| message.position < before);
                return Some(messages);
            }
        }
    }

    /// All that happened in a room between two positions, its messages too: `None` when the server cannot
    /// prove now that it has all of it, and the refusal for who may not know.
    pub(crate) async fn try_events_after(
        &self,
        room: Uuid,
        after: i64,
        before: i64,
    ) -> Option<Result<Vec<Event>, Answer>> {
        let mut events: Vec<Event> = Vec::new();
        loop {
            let after = events.last().map_or(after, |event| event.position).max(0);
            let path = format!("conversations/{room}/events?after={after}&limit=100");
            let answer = Self::try_ask(self.request(Method::GET, &path)).await?;
            if matches!(answer.status, 403 | 404) {
                return Some(Err(answer));
            }
            let page: EventPage = answer.when(200)?;
            if !page.complete {
                return None;
            }
            let goes_on = page.has_after && !page.events.is_empty();
            events.extend(page.events.into_iter().map(Event::read));
            if !goes_on || events.last().is_some_and(|last| last.position >= before) {
                events.retain(|event| event.position < before);
                return Some(Ok(events));
            }
        }
    }

    /// What of a conversation changed after a position, as it is now; otherwise as
    /// [`Rest::try_events_after`].
    pub(crate) async fn try_changes_after(
        &self,
        conversation: Uuid,
        after: i64,
    ) -> Option<Result<Vec<Value>, Answer>> {
        let (mut changed, mut after) = (Vec::new(), after);
        loop {
            let path = format!("conversations/{conversation}/changes?changed_after={after}");
            let answer = Self::try_ask(self.request(Method::GET, &path)).await?;
            if matches!(answer.status, 403 | 404) {
                return Some(Err(answer));
            }
            let page: ChangePage = answer.when(200)?;
            if !page.complete {
                return None;
            }
            changed.extend(page.messages);
            let Some(next) = page.next else { return Some(Ok(changed)) };
            after = next;
        }
    }

    /// Everything, from the newest page back.
    pub(crate) async fn messages_backwards(&self, conversation: Uuid) -> Vec<Message> {
        let mut page = self.page(conversation, "limit=100").await;
        let mut messages = page.messages;
        while page.has_before {
            let before = messages.first().expect("there is more before something").position;
            page = self.page(conversation, &format!("before={before}&limit=100")).await;
            assert!(page.complete, "history is not complete");
            let newer = std::mem::replace(&mut messages, page.messages.clone());
            messages.extend(newer);
        }
        messages
    }

    /// The whole list.
    pub(crate) async fn conversations(&self) -> Vec<Conversation> {
        self.try_conversations().await.expect("the list answers, complete")
    }

    /// The whole list, or `None` when the server cannot prove now that it has all of it.
    pub(crate) async fn try_conversations(&self) -> Option<Vec<Conversation>> {
        let mut all = Vec::new();
        let mut query = "conversations?limit=500".to_owned();
        loop {
            let answer = Self::try_ask(self.request(Method::GET, &query)).await?;
            let answer: Conversations = answer.when(200)?;
            if !answer.complete {
                return None;
            }
            all.extend(answer.conversations);
            let Some(next) = answer.next else { return Some(all) };
            query = format!("conversations?limit=500&before={next}");
        }
    }
}

fn account(answer: Value) -> Account {
    let person = serde_json::from_value(answer["user"].clone()).expect("a person");
    Account { person, token: answer["token"].as_str().expect("a token").to_owned() }
}
