//! A client as the protocol document wants it, in rooms and between two people: it resumes by its last
//! cursor, keeps what it was told that it misses until it has fetched that, orders by position, drops by id,
//! and sends again what was not answered. What it does is under way beside whatever else happens.

mod checks;

use std::collections::{BTreeMap, BTreeSet};

use milena_domain::record::{Action, Created, Role};
use milena_domain::{
    Body, ClientId, ConversationId, MessageId, Position, SessionCursor, UserId, partition_of,
};
use milena_storage::Page;
use serde_json::Value;
use tokio::task::JoinSet;
use uuid::Uuid;

use super::super::node::Node;
use super::super::shared::PARTITIONS;
use crate::chat::{Attached, Chat, History, RoomChange, SendRequest, Target};
use crate::refusal::Refusal;
use crate::registry::{Outbox, Registration};
use crate::wire::frames::frame_for;

/// What somebody wants to have done.
#[derive(Debug, Clone)]
pub(super) enum Wish {
    /// By the socket, to somebody or in a room.
    Say(Target),
    Create(Created),
    Do(ConversationId, Action),
}

/// How a wish was answered.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub(super) id: MessageId,
    pub(super) conversation: ConversationId,
    pub(super) wish: Wish,
    /// Where it stands, or why it does not.
    pub(super) outcome: Result<Position, Refusal>,
    /// Where the log ended when it was sent.
    pub(super) asked_at: Vec<i64>,
    /// It was sent once, so it cannot come into the log by another way.
    pub(super) is_only_one: bool,
}

/// A wish that was sent: its name, where the log ended then, and what came of it.
type Sent = (String, Vec<i64>, Result<Position, Refusal>);

/// It said `hello` to a node, and is not welcomed yet.
type Attaching = (usize, Outbox, JoinSet<Result<Attached, Refusal>>);

/// Something that is missed, and may be fetched.
#[derive(Debug, Clone, Copy)]
struct Gap {
    conversation: ConversationId,
    after: Position,
    before: Position,
}

/// A connection, as its task on the server would hold it.
struct Line {
    node: usize,
    outbox: Outbox,
    registration: Registration,
    start: SessionCursor,
    replay: JoinSet<Result<(), Refusal>>,
    sends: JoinSet<Sent>,
    under_way: BTreeSet<String>,
    fetch: JoinSet<(Gap, Result<History, Refusal>)>,
    /// Updates that were looked at as they came into the outbox, and those that were taken out of it.
    seen: usize,
    taken: usize,
}

pub(super) struct Device {
    pub(super) user: UserId,
    name: usize,
    attaching: Option<Attaching>,
    line: Option<Line>,
    /// By node.
    acts: [JoinSet<Sent>; 2],
    cursor: Option<SessionCursor>,
    prefix: String,
    written: usize,
    /// Not answered yet, and how often they were sent.
    pending: BTreeMap<String, (Wish, usize)>,
    /// Where the log ends now.
    pub(super) log_ends: Vec<i64>,
    pub(super) answers: Vec<Answer>,
    pub(super) shown: BTreeMap<(ConversationId, Position), MessageId>,
    known: BTreeMap<MessageId, Position>,
    gaps: Vec<Gap>,
    /// What cannot be fetched any more.
    lost: Vec<Gap>,
    /// Rooms as the last `room` frame of this connection said.
    pub(super) rooms: BTreeMap<ConversationId, (Option<Role>, u64)>,
    /// What it shows, or its cursor, is not what was looked at last.
    is_changed: bool,
    /// Up to which offset somebody who was out of a room when they came back misses what they missed.
    excused: BTreeMap<ConversationId, i64>,
}

impl Device {
    pub(super) fn new(user: UserId, name: usize) -> Self {
        Self {
            user,
            name,
            attaching: None,
            line: None,
            acts: [JoinSet::new(), JoinSet::new()],
            cursor: None,
            prefix: String::new(),
            written: 0,
            pending: BTreeMap::new(),
            log_ends: Vec::new(),
            answers: Vec::new(),
            shown: BTreeMap::new(),
            known: BTreeMap::new(),
            gaps: Vec::new(),
            lost: Vec::new(),
            rooms: BTreeMap::new(),
            is_changed: false,
            excused: BTreeMap::new(),
        }
    }

    pub(super) fn is_connected(&self) -> bool {
        self.line.is_some()
    }

    pub(super) fn is_at_rest(&self) -> bool {
        self.pending.is_empty()
            && self.gaps.is_empty()
            && self.line.as_ref().is_some_and(|line| line.replay.is_empty() && line.outbox.is_empty())
    }

    /// What it still waits for.
    pub(super) fn waits_for(&self) -> String {
        format!("{:?} {:?} connected: {}", self.pending, self.gaps, self.is_connected())
    }

    /// The line breaks; what the outbox held is gone.
    pub(super) fn hang_up(&mut self) {
        (self.attaching, self.line) = (None, None);
    }

    /// The node ends: so does all that it was asked.
    pub(super) fn node_ends(&mut self, node: usize) {
        self.acts[node] = JoinSet::new();
        let on = |it: Option<usize>| it == Some(node);
        if on(self.line.as_ref().map(|line| line.node)) || on(self.attaching.as_ref().map(|it| it.0)) {
            self.hang_up();
        }
    }

    pub(super) fn connect(&mut self, number: usize, node: &Node, outbox: Outbox) {
        self.hang_up();
        let (chat, user, resume, to) = (node.chat.clone(), self.user, self.cursor.clone(), outbox.clone());
        let mut attaching = JoinSet::new();
        attaching.spawn(async move { chat.attach(user, Uuid::nil(), to, resume).await });
        self.attaching = Some((number, outbox, attaching));
    }

    /// Whom it may have talked to, and where: what it loads when it must start afresh.
    fn attached(
        &mut self,
        node: usize,
        chat: &Chat,
        outbox: Outbox,
        attached: Attached,
        all: &[ConversationId],
    ) {
        let Attached { registration, cursor, resumed, backlog } = attached;
        let mut replay = JoinSet::new();
        if !backlog.is_empty() {
            let (chat, user, outbox) = (chat.clone(), self.user, outbox.clone());
            replay.spawn(async move { chat.replay(user, backlog, &outbox).await });
        }
        self.prefix = chat.client_id_prefix(self.user);
        self.rooms.clear();
        self.is_changed = true;
        if !resumed {
            self.gaps = all.iter().map(|id| whole(*id)).collect();
            self.cursor = Some(cursor.clone());
        }
        self.line = Some(Line {
            node,
            outbox,
            registration,
            start: cursor,
            replay,
            sends: JoinSet::new(),
            under_way: BTreeSet::new(),
            fetch: JoinSet::new(),
            seen: 0,
            taken: 0,
        });
    }

    /// Wants something; sent at once when that is possible.
    pub(super) fn wish(&mut self, nodes: &[Node; 2], wish: Wish) {
        let prefix = if self.written.is_multiple_of(2) { self.prefix.as_str() } else { "" };
        let client_id = match &wish {
            // A room is named by its creation: again is the same one.
            Wish::Create(_) => "room".to_owned(),
            _ => format!("{prefix}{}-{}", self.name, self.written),
        };
        self.written += 1;
        let times = self.pending.get(&client_id).map_or(0, |(_, times)| *times);
        self.pending.insert(client_id.clone(), (wish, times));
        self.send(nodes, client_id);
    }

    /// Sends what was not answered and is not under way.
    pub(super) fn send_pending(&mut self, nodes: &[Node; 2]) {
        let due: Vec<String> = self.pending.keys().cloned().collect();
        due.into_iter().for_each(|client_id| self.send(nodes, client_id));
    }

    fn send(&mut self, nodes: &[Node; 2], client_id: String) {
        // By REST it may be sent while it is under way, once more by each node.
        let Some((wish, times)) = self.pending.get_mut(&client_id) else { return };
        let (wish, asked_at) = (wish.clone(), self.log_ends.clone());
        let (name, user) = (ClientId::new(&client_id).unwrap(), self.user);
        match wish {
            Wish::Say(target) => {
                let Some(line) = &mut self.line else { return };
                if !line.under_way.insert(client_id.clone()) {
                    return;
                }
                *times += 1;
                let (chat, connection) = (nodes[line.node].chat.clone(), Some(line.registration.id()));
                let body = Body::new("x").unwrap();
                let request =
                    SendRequest { sender: user, target, client_id: name, body, besides: None, connection };
                line.sends.spawn(async move {
                    let sent = chat.send(request).await;
                    (client_id, asked_at, sent.map(|accepted| accepted.position))
                });
            }
            Wish::Create(created) => {
                *times += 1;
                let number = self.written % 2;
                let chat = nodes[number].chat.clone();
                self.acts[number].spawn(async move {
                    let acted = chat.create_room(user, name, created).await;
                    (client_id, asked_at, acted.map(|acted| acted.position))
                });
            }
            Wish::Do(room, action) => {
                *times += 1;
                let number = self.written % 2;
                let chat = nodes[number].chat.clone();
                self.acts[number].spawn(async move {
                    let change = RoomChange { actor: user, room, client_id: name, action, connection: None };
                    let acted = chat.change_room(change).await;
                    (client_id, asked_at, acted.map(|acted| acted.position))
                });
            }
        }
    }

    fn answered(&mut self, (client_id, asked_at, outcome): Sent) {
        if outcome.as_ref().is_err_and(|refusal| refusal.code.is_temporary()) {
            return;
        }
        let Some((wish, times)) = self.pending.get(&client_id).cloned() else { return };
        // By the socket only the frame counts, which has its place among the others.
        if outcome.is_err() || !matches!(wish, Wish::Say(_)) {
            self.pending.remove(&client_id);
        }
        let name = ClientId::new(&client_id).unwrap();
        let conversation = match &wish {
            Wish::Say(Target::User(to)) => ConversationId::direct(self.user, *to),
            Wish::Say(Target::Conversation(id)) | Wish::Do(id, _) => *id,
            Wish::Create(_) => ConversationId::room(self.user, &name),
        };
        let id = match &wish {
            Wish::Say(Target::User(_)) => MessageId::derive(self.user, &name),
            _ => MessageId::of_event(conversation, self.user, &name),
        };
        self.answers.push(Answer { id, conversation, wish, outcome, asked_at, is_only_one: times == 1 });
    }

    /// What was under way and is over now.
    pub(super) fn look(&mut self, nodes: &[Node; 2], all: &[ConversationId]) {
        for node in 0..2 {
            while let Some(Ok(sent)) = self.acts[node].try_join_next() {
                self.answered(sent);
            }
        }
        if let Some((node, outbox, mut attaching)) = self.attaching.take() {
            match attaching.try_join_next() {
                None => self.attaching = Some((node, outbox, attaching)),
                Some(outcome) => {
                    if let Ok(attached) = outcome.expect("not aborted") {
                        self.attached(node, &nodes[node].chat, outbox, attached, all);
                        self.send_pending(nodes);
                    }
                }
            }
        }
        let Some(line) = &mut self.line else { return };
        let mut answers = Vec::new();
        while let Some(Ok(answer)) = line.sends.try_join_next() {
            line.under_way.remove(&answer.0);
            answers.push(answer);
        }
        let fetched = line.fetch.try_join_next().map(|fetched| fetched.expect("not aborted"));
        let is_replay_over = line.replay.try_join_next().map(|outcome| outcome.expect("not aborted"));
        answers.into_iter().for_each(|sent| self.answered(sent));
        if let Some((gap, page)) = fetched {
            self.is_changed = true;
            self.fetched(gap, page);
        }
        if let Some(Err(_)) = is_replay_over {
            self.hang_up();
        }
    }

    /// One turn of the connection: up to `most` frames are sent; when these were all, the cursor follows that
    /// was read before them. What is missed is fetched. `false` when there was nothing to do.
    pub(super) fn turn(&mut self, nodes: &[Node; 2], most: usize) -> bool {
        let Some(line) = &mut self.line else { return false };
        self.is_changed = true;
        let cursor = line.replay.is_empty().then(|| nodes[line.node].chat.delivered());
        let waiting = line.outbox.len();
        let outbox = line.outbox.clone();
        let mut frames: Vec<Value> = Vec::new();
        for _ in 0..waiting.min(most) {
            let Some(update) = outbox.pop() else { break };
            line.taken += 1;
            let frame = frame_for(&update, self.user).unwrap();
            frames.push(serde_json::from_str(frame.as_str()).unwrap());
        }
        line.seen = line.seen.max(line.taken);
        frames.iter().for_each(|frame| self.take(frame));
        if outbox.is_closed() {
            self.hang_up();
        } else {
            if let Some(cursor) = cursor.filter(|_| waiting <= most) {
                self.cursor = Some(cursor);
            }
            self.fetch(nodes);
        }
        waiting > 0
    }

    fn take(&mut self, frame: &Value) {
        let id = |value: &Value| -> Uuid { serde_json::from_value(value.clone()).unwrap() };
        let position = |value: &Value| Position::from_u64(value.as_u64().unwrap()).unwrap();
        match frame["type"].as_str().unwrap() {
            "message" | "accepted" | "event" => {
                let event = if frame["type"] == "event" { &frame["event"] } else { frame };
                if let Some(client_id) = event["client_id"].as_str()
                    && matches!(self.pending.get(client_id), Some((Wish::Say(_), _)))
                {
                    self.pending.remove(client_id);
                }
                let conversation = ConversationId::from_uuid(id(&event["conversation"]));
                self.show(conversation, position(&event["position"]), MessageId::from_uuid(id(&event["id"])));
            }
            "gap" => {
                let before = frame["before"].as_u64().map_or(Position::MAX, |_| position(&frame["before"]));
                let conversation = ConversationId::from_uuid(id(&frame["conversation"]));
                self.gaps.push(Gap { conversation, after: position(&frame["after"]), before });
            }
            "room" => {
                let room = &frame["room"];
                let id = ConversationId::from_uuid(id(&room["id"]));
                let role: Option<Role> = serde_json::from_value(room["role"].clone()).unwrap();
                let before = self.rooms.insert(id, (role, room["members"].as_u64().unwrap()));
                self.now_in(id, role.is_some(), before.and_then(|(role, _)| role).is_some());
            }
            "prefix" => self.prefix = frame["client_id_prefix"].as_str().unwrap().to_owned(),
            other => panic!("{other}"),
        }
    }

    fn now_in(&mut self, room: ConversationId, is_in: bool, was_in: bool) {
        if is_in {
            if !was_in {
                // What was there before one came, or before this connection.
                self.gaps.push(whole(room));
            }
            return;
        }
        let start = self
            .line
            .as_ref()
            .map_or(0, |line| line.start.next_offsets[partition_of(room, PARTITIONS) as usize]);
        let excused = self.excused.entry(room).or_default();
        *excused = start.max(*excused);
        self.give_up(room);
    }

    fn give_up(&mut self, room: ConversationId) {
        let (lost, open) = self.gaps.drain(..).partition(|gap: &Gap| gap.conversation == room);
        (self.gaps, _) = (open, self.lost.extend::<Vec<Gap>>(lost));
    }

    fn show(&mut self, conversation: ConversationId, position: Position, id: MessageId) {
        let known = self.known.entry(id).or_insert(position);
        assert_eq!(*known, position, "one thing has one place");
        self.shown.insert((conversation, position), id);
    }

    fn fetch(&mut self, nodes: &[Node; 2]) {
        let (Some(line), Some(gap)) = (&mut self.line, self.gaps.first().copied()) else { return };
        if line.fetch.is_empty() {
            let (chat, user) = (nodes[line.node].chat.clone(), self.user);
            line.fetch.spawn(async move {
                let page = chat.history(user, gap.conversation, Page::After(gap.after), 100).await;
                (gap, page)
            });
        }
    }

    fn fetched(&mut self, asked: Gap, page: Result<History, Refusal>) {
        let is_it = |gap: &Gap| {
            (gap.conversation, gap.after, gap.before) == (asked.conversation, asked.after, asked.before)
        };
        let page = match page {
            Ok(page) => page,
            Err(refusal) => {
                if !refusal.code.is_temporary() {
                    self.give_up(asked.conversation);
                } else if !self.gaps.is_empty() {
                    self.gaps.rotate_left(1);
                }
                return;
            }
        };
        for placed in &page.messages {
            self.show(asked.conversation, placed.placed.position, placed.placed.event.id);
        }
        let Some(place) = self.gaps.iter().position(is_it) else { return };
        let last = page.messages.last().map_or(asked.after, |placed| placed.placed.position);
        if !page.complete {
            self.gaps.rotate_left(1);
        } else if !page.has_after || last >= asked.before {
            self.gaps.remove(place);
        } else {
            self.gaps[place].after = last;
        }
    }
}

fn whole(conversation: ConversationId) -> Gap {
    Gap { conversation, after: Position::ZERO, before: Position::MAX }
}
