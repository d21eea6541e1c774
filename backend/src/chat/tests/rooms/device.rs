//! A client as the protocol document wants it, in rooms and between two people: it resumes by its last
//! cursor, keeps what it was told that it misses until it has fetched that, orders by position, drops by id,
//! and sends again what was not answered. What it does is under way beside whatever else happens.

mod answers;
mod checks;
mod fetch;

pub(super) use answers::position;
pub(super) use checks::as_answered;
pub(super) use fetch::rest;

use std::collections::{BTreeMap, BTreeSet};

use milena_domain::record::{Action, Created, Role, Target as LogTarget};
use milena_domain::{ClientId, ConversationId, MessageId, Position, SessionCursor, UserId, partition_of};
use milena_testkit::Held;
use serde_json::Value;
use tokio::task::JoinSet;
use uuid::Uuid;

use super::super::node::Node;
use super::super::shared::PARTITIONS;
use super::steps::words;
use crate::chat::change::{ChangeRequest, What};
use crate::chat::{Attached, Besides, Chat, RoomChange, SendRequest, Target};
use crate::live::life::Shown;
use crate::refusal::Refusal;
use crate::registry::{Outbox, Registration};
use crate::wire::frames::frame_for;

/// What somebody wants to have done.
#[derive(Debug, Clone)]
pub(super) enum Wish {
    /// By the socket, to somebody or in a room.
    Say {
        to: Target,
        words: String,
        besides: Option<Box<Besides>>,
    },
    Create(Created),
    Do(ConversationId, Action),
    /// To a message.
    Change {
        conversation: ConversationId,
        target: LogTarget,
        what: What,
        by_socket: bool,
    },
}

impl Wish {
    pub(super) fn say(to: Target) -> Self {
        Self::Say { to, words: String::new(), besides: None }
    }

    /// Whether a frame answers it, and nothing else.
    const fn is_by_socket(&self) -> bool {
        matches!(self, Self::Say { .. } | Self::Change { by_socket: true, .. })
    }
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

/// Changes of messages that it holds were not told one by one from here on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Owed {
    conversation: ConversationId,
    after: Position,
}

/// A connection, as its task on the server would hold it.
struct Line {
    node: usize,
    outbox: Outbox,
    registration: Registration,
    start: SessionCursor,
    /// Up to where its node had read then: with a change that waited, further than it could say.
    read_at_start: Vec<i64>,
    replay: JoinSet<Result<(), Refusal>>,
    sends: JoinSet<Sent>,
    under_way: BTreeSet<String>,
    fetch: JoinSet<fetch::Fetched>,
    /// Up to where its node had told everything when the last updates were looked at, and whether it was
    /// still told what it had missed.
    looked_at: (Vec<i64>, bool),
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
    held: Held,
    owed: Vec<Owed>,
    /// Pins of its own, by the answer alone.
    pinned_here: BTreeSet<(ConversationId, Position)>,
    /// Answers that were not looked at yet: up to where they must know what became of a message.
    told_by_rest: Vec<(Shown, i64)>,
    /// The same of what cannot be asked for any more.
    denied: Vec<Owed>,
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
            held: Held::default(),
            owed: Vec::new(),
            pinned_here: BTreeSet::new(),
            told_by_rest: Vec::new(),
            denied: Vec::new(),
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
            && self.owed.is_empty()
            && self.line.as_ref().is_some_and(|line| line.replay.is_empty() && line.outbox.is_empty())
    }

    /// What it still waits for.
    pub(super) fn waits_for(&self) -> String {
        format!("{:?} {:?} {:?} connected: {}", self.pending, self.gaps, self.owed, self.is_connected())
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
            // Whatever it holds may have changed.
            self.gaps = all.iter().map(|id| whole(*id)).collect();
            self.cursor = Some(cursor.clone());
        }
        let looked_at = (cursor.next_offsets.clone(), true);
        self.line = Some(Line {
            node,
            outbox,
            registration,
            start: cursor,
            read_at_start: chat.progress.borrow().read.to_vec(),
            replay,
            sends: JoinSet::new(),
            under_way: BTreeSet::new(),
            fetch: JoinSet::new(),
            looked_at,
            seen: 0,
            taken: 0,
        });
    }

    /// Wants something; sent at once when that is possible.
    pub(super) fn wish(&mut self, nodes: &[Node; 2], mut wish: Wish) {
        let text = format!("{}-{}", self.name, self.written);
        match &mut wish {
            Wish::Say { words, .. } => *words = text,
            Wish::Change { what, by_socket, .. } => {
                *by_socket = !self.written.is_multiple_of(3);
                if let What::Edit { body, mentions } = what {
                    (*body, *mentions) = (words(&text), vec![self.user]);
                }
            }
            Wish::Create(_) | Wish::Do(..) => {}
        }
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
        if wish.is_by_socket() {
            let Some(line) = &mut self.line else { return };
            if !line.under_way.insert(client_id.clone()) {
                return;
            }
        }
        *times += 1;
        let connection = self.line.as_ref().filter(|_| wish.is_by_socket());
        let number = connection.map_or(self.written % 2, |line| line.node);
        let chat = nodes[number].chat.clone();
        let connection = connection.map(|line| line.registration.id());
        match wish {
            Wish::Say { to, words: text, besides } => {
                let Some(line) = &mut self.line else { return };
                let (target, body) = (to, words(&text));
                let request =
                    SendRequest { sender: user, target, client_id: name, body, besides, connection };
                line.sends.spawn(async move {
                    let sent = chat.send(request).await;
                    (client_id, asked_at, sent.map(|accepted| accepted.position))
                });
            }
            Wish::Change { conversation, target, what, by_socket } => {
                let request = ChangeRequest {
                    actor: user,
                    target: Target::Conversation(conversation),
                    client_id: name,
                    position: target.position,
                    id: Some(target.id),
                    what,
                    connection,
                };
                let sent = async move {
                    let sent = chat.change(request).await;
                    (client_id, asked_at, sent.map(|accepted| accepted.position))
                };
                match &mut self.line {
                    Some(line) if by_socket => line.sends.spawn(sent),
                    _ => self.acts[number].spawn(sent),
                };
            }
            Wish::Create(created) => {
                self.acts[number].spawn(async move {
                    let acted = chat.create_room(user, name, created).await;
                    (client_id, asked_at, acted.map(|acted| acted.position))
                });
            }
            Wish::Do(room, action) => {
                self.acts[number].spawn(async move {
                    let change = RoomChange { actor: user, room, client_id: name, action, connection: None };
                    let acted = chat.change_room(change).await;
                    (client_id, asked_at, acted.map(|acted| acted.position))
                });
            }
        }
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
        if let Some(fetched) = fetched {
            self.is_changed = true;
            self.fetched(fetched);
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
            // An edit whose message was deleted since is told no more.
            let frame = frame_for(&update, self.user);
            frames.extend(frame.map(|frame| serde_json::from_str(frame.as_str()).unwrap()));
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

    fn now_in(&mut self, room: ConversationId, is_in: bool, was_in: bool) {
        if is_in {
            if !was_in {
                // What was there before one came, or before this connection.
                self.gaps.push(whole(room));
            }
            return;
        }
        let start =
            self.line.as_ref().map_or(0, |line| line.read_at_start[partition_of(room, PARTITIONS) as usize]);
        let excused = self.excused.entry(room).or_default();
        *excused = start.max(*excused);
        self.give_up(room);
    }

    fn give_up(&mut self, room: ConversationId) {
        let (lost, open) = self.gaps.drain(..).partition(|gap: &Gap| gap.conversation == room);
        (self.gaps, _) = (open, self.lost.extend::<Vec<Gap>>(lost));
        let (denied, open) = self.owed.drain(..).partition(|owed: &Owed| owed.conversation == room);
        (self.owed, _) = (open, self.denied.extend::<Vec<Owed>>(denied));
    }

    /// What was refused because it was not in the room, which it is now.
    fn ask_again(&mut self, room: ConversationId) {
        let (lost, others) = self.lost.drain(..).partition(|gap: &Gap| gap.conversation == room);
        (self.lost, _) = (others, self.gaps.extend::<Vec<Gap>>(lost));
    }

    fn show(&mut self, conversation: ConversationId, position: Position, id: MessageId) {
        let known = self.known.entry(id).or_insert(position);
        assert_eq!(*known, position, "one thing has one place");
        self.shown.insert((conversation, position), id);
    }
}

fn whole(conversation: ConversationId) -> Gap {
    Gap { conversation, after: Position::ZERO, before: Position::MAX }
}
