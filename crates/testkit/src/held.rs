//! Messages as a client holds them, by the rules of the protocol document: what the server told of a message
//! has all changes up to its `changed`; what is told one by one comes on top, in whatever order; nothing is
//! done to what was deleted. Written from the document alone, on JSON, so that a server can be held to it.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use uuid::Uuid;

/// A message: its conversation and its place.
pub type HeldKey = (Uuid, i64);

/// A change that was told, as the frame has it.
#[derive(Debug, Clone)]
struct Told {
    frame: Value,
    /// It is what this device wanted and got `accepted` for: that may name the place of what had made it so,
    /// which is somebody else's.
    is_guess: bool,
}

/// All of them.
#[derive(Debug, Clone, Default)]
pub struct Held {
    told: BTreeMap<HeldKey, Value>,
    /// Of messages that are not held yet, too: the answer that brings them may be on its way.
    changes: BTreeMap<HeldKey, BTreeMap<i64, Told>>,
}

fn position(value: &Value) -> i64 {
    value.as_i64().unwrap_or_else(|| panic!("{value} is no place"))
}

fn key(message: &Value) -> HeldKey {
    let conversation = message["conversation"].as_str().and_then(|text| text.parse().ok());
    (conversation.unwrap_or_else(|| panic!("no conversation in {message}")), position(&message["position"]))
}

/// Up to where changes are in a message.
fn changed(message: &Value) -> i64 {
    position(message.get("changed").unwrap_or(&message["position"]))
}

/// What is compared: who wrote it is told their own name of it, and reactions of which the first one was
/// taken back stand in an order that only the server knows.
#[must_use]
pub fn compared(message: &Value) -> Value {
    let mut message = message.clone();
    let fields = message.as_object_mut().expect("an object");
    fields.retain(|name, _| !["type", "client_id"].contains(&&**name));
    if let Some(Value::Array(reactions)) = fields.get_mut("reactions") {
        reactions.sort_by_key(|reaction| reaction["emoji"].as_str().map(str::to_owned));
    }
    message
}

impl Held {
    /// Whether it has this message.
    #[must_use]
    pub fn holds(&self, key: HeldKey) -> bool {
        self.told.contains_key(&key)
    }

    /// All that it has.
    pub fn keys(&self) -> impl Iterator<Item = HeldKey> {
        self.told.keys().copied()
    }

    /// A whole message, as a page has it, a `message` frame, or a `changed` one: one that is new, or newer.
    pub fn whole(&mut self, message: &Value) {
        let key = key(message);
        let known = self.told.get(&key).map(changed);
        if known.is_some_and(|known| changed(message) <= known) {
            return;
        }
        if let Some(changes) = self.changes.get_mut(&key) {
            *changes = changes.split_off(&(changed(message) + 1));
        }
        self.told.insert(key, message.clone());
        self.forget_words(key);
    }

    /// One change: an `edited`, `deleted` or `reacted` frame, or an event `pinned`. What the device had
    /// `accepted` itself is a guess: that may name the place of what had made it so.
    pub fn change(&mut self, frame: &Value, is_guess: bool) {
        let (conversation, at) = key(frame);
        let key = (conversation, position(&frame["target"]["position"]));
        if self.told.get(&key).is_some_and(|told| at <= changed(told)) {
            return;
        }
        let known = self.changes.entry(key).or_default();
        if known.get(&at).is_none_or(|told| told.is_guess) {
            known.insert(at, Told { frame: frame.clone(), is_guess });
        }
        self.forget_words(key);
    }

    /// Whether a change is in what is shown.
    #[must_use]
    pub fn has(&self, key: HeldKey, at: i64) -> bool {
        // After a deletion nothing else is kept.
        let is_it = |(place, told): (&i64, &Told)| *place == at || told.frame["type"] == "deleted";
        self.told.get(&key).is_some_and(|told| changed(told) >= at)
            || self.changes.get(&key).is_some_and(|all| all.iter().any(is_it))
    }

    /// Of what was deleted nothing is kept but that it was.
    fn forget_words(&mut self, key: HeldKey) {
        let Some(changes) = self.changes.get_mut(&key) else { return };
        let is_deletion = |told: &Told| told.frame["type"] == "deleted";
        if !changes.values().any(is_deletion) {
            return;
        }
        changes.retain(|_, told| is_deletion(told));
        if let Some(told) = self.told.get_mut(&key) {
            *told = wordless(told);
        }
    }

    /// What it shows of a message to its owner.
    #[must_use]
    pub fn now(&self, key: HeldKey, me: Uuid) -> Option<Value> {
        let mut message = self.told.get(&key)?.clone();
        for (at, told) in self.changes.get(&key).into_iter().flatten() {
            apply(&mut message, *at, &told.frame, me);
        }
        Some(message)
    }
}

/// What stays of a message that was deleted.
fn wordless(message: &Value) -> Value {
    const KEPT: [&str; 9] =
        ["id", "conversation", "kind", "sender", "to", "position", "sent_at", "client_id", "changed"];
    let mut message = message.clone();
    let fields = message.as_object_mut().expect("an object");
    fields.retain(|name, _| KEPT.contains(&&**name));
    fields.insert("body".to_owned(), "".into());
    message
}

fn apply(message: &mut Value, at: i64, frame: &Value, me: Uuid) {
    let at = json!(at);
    match frame["type"].as_str().or_else(|| frame["kind"].as_str()).expect("a kind") {
        "deleted" => {
            *message = wordless(message);
            let mut deleted = json!({"position": at, "by": frame["actor"]});
            if let Some(reason) = frame.get("reason") {
                deleted["reason"] = reason.clone();
            }
            message["deleted"] = deleted;
        }
        "edited" => {
            message["body"] = frame["body"].clone();
            message["edited"] = at.clone();
            let fields = message.as_object_mut().expect("an object");
            fields.remove("mentions");
            fields.extend(frame.get("mentions").map(|all| ("mentions".to_owned(), all.clone())));
        }
        "pinned" if frame["on"] == true => message["pinned"] = at.clone(),
        "pinned" => drop(message.as_object_mut().expect("an object").remove("pinned")),
        "reacted" => react(message, frame, me),
        other => panic!("{other}"),
    }
    message["changed"] = at;
}

/// Each that is told changed something: it is one more, or one less.
fn react(message: &mut Value, frame: &Value, me: Uuid) {
    let (emoji, actor, on) = (&frame["emoji"], &frame["actor"], frame["on"] == true);
    let is_mine = *actor == json!(me);
    let mut reactions = message["reactions"].as_array().cloned().unwrap_or_default();
    let place = reactions.iter().position(|one| one["emoji"] == *emoji).unwrap_or_else(|| {
        reactions.push(json!({"emoji": emoji, "count": 0, "mine": false, "users": []}));
        reactions.len() - 1
    });
    let reaction = &mut reactions[place];
    let users = reaction["users"].as_array_mut().expect("a list");
    users.retain(|user| user != actor);
    if on && users.len() < 5 {
        users.push(actor.clone());
    }
    let count = reaction["count"].as_i64().expect("a number") + if on { 1 } else { -1 };
    reaction["count"] = count.into();
    if is_mine {
        reaction["mine"] = on.into();
    }
    reactions.retain(|one| one["count"] != 0);
    let fields = message.as_object_mut().expect("an object");
    if reactions.is_empty() {
        fields.remove("reactions");
    } else {
        fields.insert("reactions".to_owned(), reactions.into());
    }
}
