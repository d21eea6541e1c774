//! A device of a person: a socket that comes back after every end and resumes, with an outbox, like the
//! browser client.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::{Notify, Semaphore, mpsc, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, sleep, sleep_until, timeout};
use uuid::Uuid;

use super::heard::{Heard, Via};
use super::pending::{Outgoing, Pending, Target};
use super::rest::{Account, Answer, Rest};
use super::socket::{Incoming, Socket, hello, send_to};
use super::wire::{Event, Message};

/// Own messages that wait for an answer, at most: whoever writes more waits.
const WINDOW: usize = 8;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const RECONNECT_FIRST: Duration = Duration::from_millis(50);
const RECONNECT_MOST: Duration = Duration::from_millis(800);
const FETCH_AGAIN: Duration = Duration::from_millis(200);
/// As the browser client: after a heartbeat's time of silence it asks, and gives the connection up without an
/// answer.
const PONG_TIMEOUT: Duration = Duration::from_secs(2);
/// Before `welcome` the server's own time limit ends what is silent.
const A_DAY: Duration = Duration::from_secs(86_400);

/// How many messages were accepted (in rooms: or refused for good), over all devices of a crowd. The devices
/// write, the test waits.
#[derive(Clone)]
pub(crate) struct Progress(Arc<watch::Sender<usize>>);

impl Progress {
    pub(crate) fn new() -> Self {
        Self(Arc::new(watch::Sender::new(0)))
    }

    pub(crate) fn count(&self) -> usize {
        *self.0.borrow()
    }

    /// Waits until at least `count` were accepted.
    pub(crate) async fn reaches(&self, count: usize, seconds: u64) {
        let mut reader = self.0.subscribe();
        let reached =
            timeout(Duration::from_secs(seconds), reader.wait_for(|accepted| *accepted >= count)).await;
        assert!(reached.is_ok(), "{} of {count} messages were answered within {seconds} s", self.count());
    }

    fn add_one(&self) {
        self.0.send_modify(|count| *count += 1);
    }
}

/// A conversation, after and before where.
type Stretch = (Uuid, i64, i64);

/// What was asked for.
enum Fetched {
    Events(Stretch, Result<Vec<Event>, Answer>),
    Changes((Uuid, i64), Result<Vec<Value>, Answer>),
}

/// A device; it ends when dropped.
pub(crate) struct Device {
    heard: Arc<Mutex<Heard>>,
    /// To the task: messages to send. Bounded by the window; the task reads it only while connected.
    outbox: mpsc::Sender<Outgoing>,
    window: Arc<Semaphore>,
    /// To the task: end the connection, as a tunnel does.
    hang_up: Arc<Notify>,
    /// The node to which it always comes back; `None` when it goes to another one.
    pub(crate) stays_at: Option<SocketAddr>,
    task: JoinHandle<()>,
}

impl Device {
    /// Connects to the first of `nodes`; to the others in turn, when `roams`, as often as a connection ends.
    pub(crate) fn open(account: &Account, nodes: Vec<SocketAddr>, roams: bool, progress: Progress) -> Self {
        let heard = Arc::default();
        let (outbox, commands) = mpsc::channel(WINDOW);
        let hang_up = Arc::new(Notify::new());
        let stays_at = (!roams).then_some(nodes[0]);
        let work = Work {
            account: account.clone(),
            nodes,
            node: 0,
            roams,
            progress,
            heard: Arc::clone(&heard),
            commands,
            pending: Pending::default(),
            hang_up: Arc::clone(&hang_up),
            heartbeat: A_DAY,
            cursor: None,
            replaying: false,
            away: HashMap::new(),
            owed: JoinSet::new(),
        };
        let task = tokio::spawn(work.run());
        Self { heard, outbox, window: Arc::new(Semaphore::new(WINDOW)), hang_up, stays_at, task }
    }

    /// Takes a message, once there is room in the window. It is sent until it is answered.
    pub(crate) async fn send(&self, client_id: String, to: Target, body: String) {
        let permit = Arc::clone(&self.window).acquire_owned().await.expect("never closed");
        let sent = self.outbox.send(Outgoing { client_id, to, body, _permit: permit }).await;
        sent.unwrap_or_else(|_| panic!("the device's task ended"));
    }

    /// Whether [`Device::send`] would not wait.
    pub(crate) fn has_room(&self) -> bool {
        self.window.available_permits() > 0
    }

    /// Ends its connection without a goodbye; it comes back by itself.
    pub(crate) fn hang_up(&self) {
        self.hang_up.notify_one();
    }

    /// What it was told so far.
    pub(crate) fn heard(&self) -> MutexGuard<'_, Heard> {
        lock(&self.heard)
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Work {
    account: Account,
    nodes: Vec<SocketAddr>,
    node: usize,
    roams: bool,
    progress: Progress,
    heard: Arc<Mutex<Heard>>,
    commands: mpsc::Receiver<Outgoing>,
    pending: Pending,
    hang_up: Arc<Notify>,
    /// From `welcome`.
    heartbeat: Duration,
    /// The last one that was told; with it the next connection resumes.
    cursor: Option<String>,
    /// Resumed, and not yet told a cursor.
    replaying: bool,
    /// Rooms that the owner was sent out of, as far as is known, and up to where they are known: what comes
    /// of them again is asked for from there on.
    away: HashMap<Uuid, i64>,
    /// What is being fetched, whatever becomes of connections meanwhile.
    owed: JoinSet<Fetched>,
}

impl Work {
    async fn run(mut self) {
        let mut wait = RECONNECT_FIRST;
        loop {
            let opened = timeout(CONNECT_TIMEOUT, Socket::open(self.nodes[self.node])).await;
            if let Ok(Ok(socket)) = opened
                && self.converse(socket).await
            {
                wait = RECONNECT_FIRST;
            }
            if self.roams {
                self.node = (self.node + 1) % self.nodes.len();
            }
            sleep(wait).await;
            wait = (wait * 2).min(RECONNECT_MOST);
        }
    }

    /// Until the connection ends. Whether it got as far as `welcome`.
    async fn converse(&mut self, mut socket: Socket) -> bool {
        let mut live = false;
        let mut asked_at = None;
        if socket.send(&hello(&self.account.token, self.cursor.as_deref())).await.is_err() {
            return false;
        }
        loop {
            let due = self.pending.next_due();
            let asked = asked_at.filter(|asked_at| *asked_at > socket.heard_at());
            let silent_at = match asked {
                Some(asked_at) => asked_at + PONG_TIMEOUT,
                None => socket.heard_at() + self.heartbeat,
            };
            let going = tokio::select! {
                incoming = socket.receive() => match incoming {
                    Incoming::Frame(frame) => {
                        live |= frame["type"] == "welcome";
                        self.take(frame, &mut socket).await
                    }
                    Incoming::Closed(_) => false,
                },
                Some(outgoing) = self.commands.recv(), if live => {
                    self.pending.add(outgoing);
                    self.send_due(&mut socket, false).await
                }
                () = sleep_until(due.unwrap_or_else(Instant::now)), if live && due.is_some() => {
                    self.send_due(&mut socket, false).await
                }
                Some(fetched) = self.owed.join_next() => {
                    self.told(fetched.expect("it does not fail"));
                    true
                }
                () = self.hang_up.notified() => false,
                () = sleep_until(silent_at) => {
                    asked_at = Some(Instant::now());
                    asked.is_none() && socket.send(&json!({"type": "ping"})).await.is_ok()
                }
            };
            if !going {
                self.note(|heard, _| heard.ends += 1);
                return live;
            }
        }
    }

    /// Whether the connection goes on.
    async fn take(&mut self, frame: Value, socket: &mut Socket) -> bool {
        match frame["type"].as_str().unwrap_or_default() {
            "welcome" => return self.welcomed(&frame, socket).await,
            "prefix" => self.prefixed(&frame),
            "cursor" => {
                self.cursor = frame["cursor"].as_str().map(str::to_owned);
                self.replaying = false;
            }
            "edited" | "deleted" | "reacted" => self.note(|heard, _| heard.held.change(&frame, false)),
            "changed" => self.note(|heard, _| changed(heard, &frame["message"])),
            "message" => {
                self.note(|heard, _| heard.held.whole(&frame));
                let message = serde_json::from_value(frame).expect("a message");
                self.message(message);
            }
            "event" => {
                let event = Event::read(frame["event"].clone());
                if event.kind == "pinned" {
                    self.note(|heard, _| heard.held.change(&event.raw, false));
                }
                self.event(event);
            }
            "room" => self.room(&frame["room"]),
            "accepted" => self.accepted(frame),
            "rejected" => self.rejected(&frame),
            "gap" => self.fill(&frame),
            "error" => self.note(|heard, _| heard.refused.push(frame.to_string())),
            "read" | "seen" | "pong" => {}
            other => panic!("a frame of the unknown type {other:?}"),
        }
        true
    }

    async fn welcomed(&mut self, frame: &Value, socket: &mut Socket) -> bool {
        let resumed = frame["resumed"] == true;
        let first = self.note(|heard, _| {
            heard.connections += 1;
            heard.welcomed_at = Some(std::time::Instant::now());
            heard.resumed += usize::from(resumed);
            heard.connections == 1
        });
        self.prefixed(frame);
        self.replaying = resumed;
        self.heartbeat = Duration::from_millis(frame["heartbeat_ms"].as_u64().expect("milliseconds"));
        self.cursor = frame["cursor"].as_str().map(str::to_owned);
        // Not resumed: everything that may have been missed is fetched.
        if !resumed && !first && !self.fetch_all().await {
            self.cursor = None;
            return false;
        }
        self.send_due(socket, true).await
    }

    /// What is named from now on begins with it.
    fn prefixed(&self, frame: &Value) {
        // Servers of the first version have none.
        let prefix = frame["client_id_prefix"].as_str().unwrap_or_default();
        self.note(|heard, _| prefix.clone_into(&mut heard.client_id_prefix));
    }

    async fn send_due(&mut self, socket: &mut Socket, all: bool) -> bool {
        for (outgoing, again) in self.pending.take(all, Instant::now()) {
            if again {
                lock(&self.heard).sent_again.insert(outgoing.client_id.clone());
            }
            let frame = send_to(outgoing.to, &outgoing.client_id, &outgoing.body, again);
            if socket.send(&frame).await.is_err() {
                return false;
            }
        }
        true
    }

    fn accepted(&mut self, frame: Value) {
        let accepted: super::wire::Accepted = serde_json::from_value(frame).expect("an answer");
        if let Some((_, body)) = self.pending.remove(&accepted.client_id) {
            let said = json!({"id": accepted.id, "conversation": accepted.conversation,
                "position": accepted.position, "sent_at": accepted.sent_at, "body": body});
            self.note(|heard, _| heard.held.whole(&said));
        }
        let first = self.note(|heard, _| {
            let first = !heard.accepted.contains_key(&accepted.client_id);
            heard.accept(accepted);
            first
        });
        if first {
            self.progress.add_one();
        }
    }

    fn rejected(&mut self, frame: &Value) {
        let text = |name: &str| frame[name].as_str().unwrap_or_default().to_owned();
        if frame["temporary"] == true {
            let wait_ms = frame["retry_after_ms"].as_u64().unwrap_or(200);
            self.pending.later(&text("client_id"), Instant::now() + Duration::from_millis(wait_ms));
            self.note(|heard, _| *heard.refused_for_now.entry(text("code")).or_default() += 1);
        } else {
            match self.pending.remove(&text("client_id")) {
                Some((Target::Room(_), _)) => {
                    self.note(|heard, _| heard.void.insert(text("client_id"), text("code")));
                    self.progress.add_one();
                }
                _ => self.note(|heard, _| heard.refused.push(frame.to_string())),
            }
        }
    }

    fn message(&mut self, message: Message) {
        let Message { conversation, position, .. } = message;
        let via = if self.replaying { Via::Replay } else { Via::Live };
        self.note(|heard, owner| heard.message(message, owner, via));
        self.back_in(conversation, position);
    }

    fn event(&mut self, event: Event) {
        let Event { conversation, position, .. } = event;
        let goes = event.sends_away(self.account.person.id);
        let via = if self.replaying { Via::Replay } else { Via::Live };
        self.note(|heard, _| heard.event(event, via));
        if goes {
            self.away.entry(conversation).or_insert(position);
        } else {
            self.back_in(conversation, position);
        }
    }

    /// A room as it is for the owner now. Without a role nothing more comes of it, and what came last before
    /// may not have come.
    fn room(&mut self, room: &Value) {
        let id: Uuid = serde_json::from_value(room["id"].clone()).expect("an id");
        if room["role"].is_null() {
            let known = self.note(|heard, _| heard.newest(id));
            self.away.entry(id).or_insert(known);
        }
    }

    /// Something came of a room: whoever was away from it asks for what they may see of the time before.
    fn back_in(&mut self, room: Uuid, position: i64) {
        if let Some(known) = self.away.remove(&room) {
            self.fetch(room, known, position);
            self.fetch_changes_since_held(room);
        }
    }

    /// Fetches what lies between the positions of a `gap`.
    fn fill(&mut self, frame: &Value) {
        let conversation: Uuid = serde_json::from_value(frame["conversation"].clone()).expect("an id");
        let after = frame["after"].as_i64().expect("a position");
        let known = self.away.remove(&conversation);
        let after = known.map_or(after, |known| after.min(known));
        if known.is_some() {
            self.fetch_changes_since_held(conversation);
        }
        let before = frame["before"].as_i64().unwrap_or(i64::MAX);
        self.note(|heard, _| heard.gaps += 1);
        if after != before {
            self.fetch(conversation, after, before);
        }
        if let Some(after) = frame["changes_after"].as_i64() {
            self.fetch_changes(conversation, after);
        }
    }

    /// Whoever is not in a room is not told what becomes of what they hold, nor was of all that came just
    /// before they went: they ask from the first message that they hold on.
    fn fetch_changes_since_held(&mut self, room: Uuid) {
        let first = self.note(|heard, _| {
            let of_room = heard.held.keys().filter(|(conversation, _)| *conversation == room);
            of_room.map(|(_, position)| position).min()
        });
        if let Some(first) = first {
            self.fetch_changes(room, first);
        }
    }

    /// Asks what changed after a position of what it holds.
    fn fetch_changes(&mut self, conversation: Uuid, after: i64) {
        let nodes = self.nodes.clone();
        let (home, account) = (self.node, self.account.clone());
        self.note(|heard, _| heard.owed += 1);
        self.owed.spawn(async move {
            for node in nodes.iter().cycle().skip(home) {
                let rest = Rest::new(*node).of(&account);
                if let Some(answer) = rest.try_changes_after(conversation, after).await {
                    return Fetched::Changes((conversation, after), answer);
                }
                sleep(FETCH_AGAIN).await;
            }
            unreachable!("a cycle has no end")
        });
    }

    /// Asks for what lies between two positions, until somebody knows all of it or refuses.
    fn fetch(&mut self, conversation: Uuid, after: i64, before: i64) {
        let nodes = self.nodes.clone();
        let (home, account) = (self.node, self.account.clone());
        self.note(|heard, _| heard.owed += 1);
        self.owed.spawn(async move {
            for node in nodes.iter().cycle().skip(home) {
                let rest = Rest::new(*node).of(&account);
                if let Some(answer) = rest.try_events_after(conversation, after, before).await {
                    return Fetched::Events((conversation, after, before), answer);
                }
                sleep(FETCH_AGAIN).await;
            }
            unreachable!("a cycle has no end")
        });
    }

    fn told(&mut self, fetched: Fetched) {
        if let Fetched::Changes((conversation, after), Err(_)) = fetched {
            // To be asked again by whoever comes back.
            let known = self.away.entry(conversation).or_insert(after);
            *known = after.min(*known);
        }
        self.note(|heard, _| {
            heard.owed -= 1;
            match fetched {
                Fetched::Events(_, Ok(events)) => {
                    for event in events {
                        if event.kind == "message" {
                            heard.held.whole(&event.raw);
                        }
                        heard.event(event, Via::Fetched);
                    }
                }
                Fetched::Events(stretch, Err(_)) => heard.denied.push(stretch),
                Fetched::Changes(_, Ok(messages)) => {
                    messages.iter().for_each(|message| changed(heard, message));
                }
                Fetched::Changes(_, Err(_)) => {}
            }
        });
    }

    async fn fetch_all(&mut self) -> bool {
        let Some(conversations) = self.rest().try_conversations().await else { return false };
        for conversation in conversations {
            // From the start: below the newest that came live there may be holes.
            if conversation.person.is_none() {
                self.fetch(conversation.id, 0, i64::MAX);
                continue;
            }
            let fetched = self.rest().try_messages_after(conversation.id, 0, i64::MAX).await;
            let Some(messages) = fetched else { return false };
            self.fetched(messages);
        }
        true
    }

    fn fetched(&self, messages: Vec<Message>) {
        self.note(|heard, owner| {
            for message in messages {
                heard.message(message, owner, Via::Fetched);
            }
        });
    }

    fn rest(&self) -> Rest {
        Rest::new(self.nodes[self.node]).of(&self.account)
    }

    fn note<T>(&self, write: impl FnOnce(&mut Heard, Uuid) -> T) -> T {
        write(&mut lock(&self.heard), self.account.person.id)
    }
}

/// A message as it is now, if the device has it.
fn changed(heard: &mut Heard, message: &Value) {
    let conversation = serde_json::from_value(message["conversation"].clone()).expect("an id");
    if heard.held.holds((conversation, message["position"].as_i64().expect("a position"))) {
        heard.held.whole(message);
    }
}

fn lock(heard: &Mutex<Heard>) -> MutexGuard<'_, Heard> {
    heard.lock().unwrap_or_else(PoisonError::into_inner)
}
