//! A log of one conversation as a person writes it down, carried into the real fold.

#![allow(dead_code, reason = "each test binary uses its part")]

mod projection;

use std::collections::BTreeMap;
use std::str::FromStr;

use milena_domain::record::{Event, Placed, Role};
use milena_domain::{ClientId, ConversationId, Epoch, MessageId, Position, Timestamp, UserId};
use milena_timeline::{ConversationState, Interval, Outcome, Window, fold, sees};
use serde::Deserialize;
use serde_json::{Map, Value, json};

pub(crate) use projection::Projection;

/// One line of a log, see `vectors/README.md`.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Line {
    pub(crate) at: i64,
    pub(crate) by: String,
    #[serde(default)]
    pub(crate) does: String,
    #[serde(default)]
    pub(crate) gives: String,
    pub(crate) crowd: Option<u32>,
    #[serde(flatten)]
    pub(crate) payload: Map<String, Value>,
}

/// A verdict as a vector words it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    Effective,
    Void(String),
    Repeat(i64),
}

impl FromStr for Verdict {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(' ') {
            None if text == "effective" => Ok(Self::Effective),
            Some(("void", code)) if milena_timeline::Void::from_code(code).is_some() => {
                Ok(Self::Void(code.to_owned()))
            }
            Some(("repeat", offset)) => offset.parse().map(Self::Repeat).map_err(|_| text.to_owned()),
            _ => Err(format!("not a verdict: {text}")),
        }
    }
}

impl From<&Outcome> for Verdict {
    fn from(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Effective(_) => Self::Effective,
            Outcome::Void(void) => Self::Void(void.code().to_owned()),
            Outcome::Repeat(first) => Self::Repeat(first.offset()),
        }
    }
}

/// The fold of one conversation that saw everything, and a projection made of its changes alone.
pub(crate) struct Story {
    window: Window,
    state: ConversationState,
    projection: Projection,
    ids: BTreeMap<i64, MessageId>,
    /// The room of the log: that of its creation, or else of its first event.
    room: Option<ConversationId>,
    pub(crate) log: Vec<(Placed, Outcome)>,
    pub(crate) names: BTreeMap<UserId, String>,
}

impl Default for Story {
    fn default() -> Self {
        Self {
            window: Window::default(),
            state: ConversationState::unwritten(),
            projection: Projection::default(),
            ids: BTreeMap::new(),
            room: None,
            log: Vec::new(),
            names: BTreeMap::new(),
        }
    }
}

pub(crate) fn at(offset: i64) -> Position {
    Position::new(Epoch::FIRST, offset)
}

impl Story {
    /// The story of the room that this log creates somewhere.
    pub(crate) fn of(log: &[Line]) -> Self {
        let mut story = Self::default();
        if let Some(line) = log.iter().find(|line| line.does == "room_created") {
            story.room = Some(ConversationId::room(story.user(&line.by), &client_id(line)));
        }
        story
    }

    /// A person by name: the name's bytes are the id.
    pub(crate) fn user(&mut self, name: &str) -> UserId {
        let mut bytes = [0_u8; 16];
        for (slot, byte) in bytes.iter_mut().zip(name.bytes()) {
            *slot = byte;
        }
        let user = UserId::from_uuid(uuid::Uuid::from_bytes(bytes));
        self.names.insert(user, name.to_owned());
        user
    }

    /// Carries a line into the fold: one verdict an event.
    pub(crate) fn tell(&mut self, line: &Line) -> Vec<(i64, Verdict)> {
        let Some(crowd) = line.crowd else {
            let placed = self.placed(line);
            return vec![(line.at, self.fold(placed))];
        };
        let people: Vec<String> = (0..crowd).map(|n| format!("crowd-{n}")).collect();
        let mut verdicts = Vec::new();
        for (offset, users) in (line.at..).zip(people.chunks(500)) {
            let payload = json!({ "users": users });
            let line = Line {
                at: offset,
                does: "members_added".to_owned(),
                crowd: None,
                payload: payload.as_object().unwrap().clone(),
                ..line.clone()
            };
            let placed = self.placed(&line);
            verdicts.push((offset, self.fold(placed)));
        }
        verdicts
    }

    fn fold(&mut self, placed: Placed) -> Verdict {
        let id = placed.event.id;
        let outcome = loop {
            match fold(&mut self.window, &mut self.state, &placed) {
                Ok(outcome) => break outcome,
                Err(missing) => {
                    assert_eq!(missing.ids, [id], "a state that saw everything misses nothing else");
                    assert!(missing.people.is_empty() && missing.items.is_empty());
                    let first = self.log.iter().find(|(placed, _)| placed.event.id == id);
                    self.window.answer(id, first.map(|(placed, _)| placed.position));
                }
            }
        };
        self.projection.carry(&placed, &outcome, &self.state);
        let verdict = Verdict::from(&outcome);
        self.log.push((placed, outcome));
        verdict
    }

    /// The record that a line stands for, through the written form, so that the codec is part of the proof.
    fn placed(&mut self, line: &Line) -> Placed {
        let mut record = Map::new();
        for (field, value) in &line.payload {
            let value = match field.as_str() {
                "user" | "to" => json!(self.user(value.as_str().unwrap())),
                "users" | "banned" | "mentions" => {
                    let names: Vec<String> = serde_json::from_value(value.clone()).unwrap();
                    json!(names.iter().map(|name| self.user(name)).collect::<Vec<_>>())
                }
                "members" => {
                    let roles: BTreeMap<String, Role> = serde_json::from_value(value.clone()).unwrap();
                    let seat =
                        |(name, role): (&String, &Role)| json!({ "user": self.user(name), "role": role });
                    json!(roles.iter().map(seat).collect::<Vec<_>>())
                }
                "target" | "reply_to" => {
                    let offset = value.as_i64().unwrap();
                    let named = line.payload.get("id_of").and_then(Value::as_i64).unwrap_or(offset);
                    json!({ "position": at(offset), "id": self.ids[&named] })
                }
                "created" => json!(at(value.as_i64().unwrap())),
                _ => value.clone(),
            };
            record.insert(field.clone(), value);
        }
        let placed = self.complete(line, record);
        self.ids.insert(line.at, placed.event.id);
        placed
    }

    fn complete(&mut self, line: &Line, mut record: Map<String, Value>) -> Placed {
        let actor = self.user(&line.by);
        let to: Option<UserId> = record.get("to").map(|to| serde_json::from_value(to.clone()).unwrap());
        let client_id =
            record.get("client_id").and_then(Value::as_str).map_or(format!("c{}", line.at), String::from);
        let client_id = ClientId::new(&client_id).unwrap();
        let version = record.get("v").and_then(Value::as_u64).unwrap_or(2);
        let seen = record.get("seen").and_then(Value::as_i64).unwrap_or(line.at);
        let room = *self.room.get_or_insert_with(|| ConversationId::room(actor, &client_id));
        let conversation = to.map_or(room, |to| ConversationId::direct(actor, to));
        if matches!(line.does.as_str(), "room_created" | "room_state") {
            for (field, value) in [
                ("handle", "letters"),
                ("title", "Letters"),
                ("visibility", "public"),
                ("history", "all"),
                ("posting", "members"),
            ] {
                record.entry(field).or_insert_with(|| json!(value));
            }
        }
        let at_time = Timestamp::from_unix_ms(line.at);
        let (id, who, when) = match version {
            1 => (MessageId::derive(actor, &client_id), "sender", "sent_at"),
            _ => (MessageId::of_event(conversation, actor, &client_id), "actor", "at"),
        };
        record.remove("id_of");
        record.insert("v".to_owned(), json!(version));
        record.insert("type".to_owned(), json!(line.does));
        record.insert("id".to_owned(), json!(id));
        record.insert("conversation".to_owned(), json!(conversation));
        record.insert(who.to_owned(), json!(actor));
        record.insert(when.to_owned(), json!(at_time));
        record.insert("client_id".to_owned(), json!(client_id));
        record.insert("seen".to_owned(), json!(at(seen)));
        let value = serde_json::to_vec(&record).unwrap();
        let event = Event::decode(Some(conversation.to_string().as_bytes()), Some(&value))
            .unwrap_or_else(|error| panic!("{line:?}: {error}"));
        if version == 2 {
            let again = Event::decode(Some(event.key().as_bytes()), Some(&event.encode()));
            assert_eq!(again.as_ref(), Ok(&event));
        }
        Placed { position: at(line.at), event }
    }

    pub(crate) fn members(&self) -> BTreeMap<String, String> {
        let role = |role: Role| serde_json::to_value(role).unwrap().as_str().unwrap().to_owned();
        self.state
            .members()
            .map(|(user, member)| {
                (self.names[&user].clone(), format!("{} since {}", role(member.role), member.from.offset()))
            })
            .collect()
    }

    pub(crate) fn banned(&self) -> Vec<String> {
        let banned = self.state.people().filter(|(_, standing)| standing.banned);
        let mut names: Vec<String> = banned.map(|(user, _)| self.names[&user].clone()).collect();
        names.sort();
        names
    }

    pub(crate) const fn state(&self) -> &ConversationState {
        &self.state
    }

    pub(crate) fn last_seq(&self) -> u64 {
        self.state.last_seq()
    }

    pub(crate) fn room_field(&self, field: &str) -> Value {
        let room = self.state.room().unwrap();
        match field {
            "title" => json!(room.title),
            "topic" => json!(room.topic),
            "handle" => json!(room.handle),
            "visibility" => json!(room.visibility),
            "archived" => json!(room.archived),
            other => panic!("no room has the field {other}"),
        }
    }

    /// The offsets of the effective events that somebody may see, by the intervals that the changes made.
    pub(crate) fn seen_by(&mut self, name: &str) -> Vec<i64> {
        let user = self.user(name);
        let intervals: &[Interval] = self.projection.intervals.get(&user).map_or(&[], Vec::as_slice);
        let history = self.state.room().unwrap().history;
        let effective = self.log.iter().filter(|(_, outcome)| matches!(outcome, Outcome::Effective(_)));
        effective
            .map(|(placed, _)| placed.position)
            .filter(|position| sees(history, intervals, *position))
            .map(Position::offset)
            .collect()
    }

    /// Folds the log once more on states that begin empty at every event and are given just what they ask
    /// for, from a projection that was made of the changes alone: the same verdicts, everywhere.
    pub(crate) fn partial_states_agree(&self) {
        let mut projection = Projection::default();
        let mut window = Window::default();
        for (placed, outcome) in &self.log {
            let mut state = projection.state();
            let again = loop {
                match fold(&mut window, &mut state, placed) {
                    Ok(outcome) => break outcome,
                    Err(missing) => projection.load(&mut window, &mut state, &missing),
                }
            };
            assert_eq!(&again, outcome, "at {}", placed.position.offset());
            projection.carry(placed, &again, &state);
        }
        assert_eq!(projection.last_seq, self.state.last_seq());
        assert_eq!(projection.room.as_ref(), self.state.room());
    }
}

fn client_id(line: &Line) -> ClientId {
    let given = line.payload.get("client_id").and_then(Value::as_str);
    ClientId::new(&given.map_or(format!("c{}", line.at), String::from)).unwrap()
}
