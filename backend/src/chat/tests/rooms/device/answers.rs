//! What a device is told: answers, and frames.

use milena_domain::record::Role;
use milena_domain::{ClientId, ConversationId, MessageId, Position};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Answer, Device, Gap, Owed, Sent, Wish, whole};
use crate::chat::Target;
use crate::chat::change::What;

fn id(value: &Value) -> Uuid {
    serde_json::from_value(value.clone()).unwrap()
}

pub(in super::super) fn position(value: &Value) -> Position {
    Position::from_u64(value.as_u64().unwrap()).unwrap()
}

impl Device {
    pub(super) fn answered(&mut self, (client_id, asked_at, outcome): Sent) {
        if outcome.as_ref().is_err_and(|refusal| refusal.code.is_temporary()) {
            return;
        }
        let Some((wish, times)) = self.pending.get(&client_id).cloned() else { return };
        // By the socket only the frame counts, which has its place among the others.
        if outcome.is_err() || !wish.is_by_socket() {
            self.pending.remove(&client_id);
        }
        let name = ClientId::new(&client_id).unwrap();
        let conversation = match &wish {
            Wish::Say { to: Target::User(to), .. } => ConversationId::direct(self.user, *to),
            Wish::Say { to: Target::Conversation(id), .. }
            | Wish::Do(id, _)
            | Wish::Change { conversation: id, .. } => *id,
            Wish::Create(_) => ConversationId::room(self.user, &name),
        };
        let id = match &wish {
            // Between two people a plain message is named in the way of version 1.
            Wish::Say { to: Target::User(_), besides: None, .. } => MessageId::derive(self.user, &name),
            _ => MessageId::of_event(conversation, self.user, &name),
        };
        self.answers.push(Answer { id, conversation, wish, outcome, asked_at, is_only_one: times == 1 });
    }

    pub(super) fn take(&mut self, frame: &Value) {
        match frame["type"].as_str().unwrap() {
            "accepted" => self.accepted(frame),
            "message" => {
                self.forget_pending(frame);
                self.told(frame);
            }
            "edited" | "deleted" | "reacted" => {
                self.forget_pending(frame);
                self.held.change(frame, false);
            }
            "changed" => {
                let message = &frame["message"];
                let place = position(&message["position"]).as_i64();
                if self.held.holds((id(&message["conversation"]), place)) {
                    self.held.whole(message);
                }
            }
            "event" => {
                let event = &frame["event"];
                self.forget_pending(event);
                let conversation = ConversationId::from_uuid(id(&event["conversation"]));
                self.show(conversation, position(&event["position"]), MessageId::from_uuid(id(&event["id"])));
                if event["kind"] == "pinned" {
                    self.held.change(event, false);
                }
                let me = json!(self.user);
                let is_named = event["users"].as_array().is_some_and(|users| users.contains(&me));
                if is_named || (event["kind"] == "joined" && event["actor"] == me) {
                    // What was there before one came.
                    self.gaps.push(whole(conversation));
                }
            }
            "gap" => {
                let conversation = ConversationId::from_uuid(id(&frame["conversation"]));
                let after = position(&frame["after"]);
                let before = frame["before"].as_u64().map_or(Position::MAX, |_| position(&frame["before"]));
                if before != after {
                    self.gaps.push(Gap { conversation, after, before });
                }
                if !frame["changes_after"].is_null() {
                    self.owed.push(Owed { conversation, after: position(&frame["changes_after"]) });
                }
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

    fn forget_pending(&mut self, frame: &Value) {
        let Some(client_id) = frame["client_id"].as_str() else { return };
        if self.pending.get(client_id).is_some_and(|(wish, _)| wish.is_by_socket()) {
            self.pending.remove(client_id);
        }
    }

    /// A message as a whole, or something else that happened.
    pub(super) fn told(&mut self, message: &Value) {
        let conversation = ConversationId::from_uuid(id(&message["conversation"]));
        self.show(conversation, position(&message["position"]), MessageId::from_uuid(id(&message["id"])));
        self.held.whole(message);
    }

    /// What it wanted stands there: it makes of that what it knows. Where it was so already, that is somebody
    /// else's doing, and what is told of it counts.
    fn accepted(&mut self, frame: &Value) {
        let client_id = frame["client_id"].as_str().unwrap();
        let Some((wish, _)) = self.pending.get(client_id).filter(|(wish, _)| wish.is_by_socket()) else {
            return;
        };
        let (wish, conversation) = (wish.clone(), ConversationId::from_uuid(id(&frame["conversation"])));
        self.pending.remove(client_id);
        let mut made = frame.clone();
        match wish {
            Wish::Say { to, words, besides } => {
                made["kind"] = if matches!(to, Target::User(_)) { "direct" } else { "room" }.into();
                (made["sender"], made["body"]) = (json!(self.user), words.into());
                if let Target::User(to) = to {
                    made["to"] = json!(to);
                }
                let besides = besides.unwrap_or_default();
                if let Some(reply_to) = besides.reply_to {
                    made["reply_to"] = json!(reply_to);
                }
                if !besides.mentions.is_empty() {
                    made["mentions"] = json!(besides.mentions);
                }
                if besides.everyone {
                    made["everyone"] = true.into();
                }
                self.told(&made);
            }
            Wish::Change { target, what, .. } => {
                (made["actor"], made["target"]) = (json!(self.user), json!(target));
                match what {
                    What::Edit { body, mentions } => {
                        (made["type"], made["body"]) = ("edited".into(), json!(body));
                        made["mentions"] = json!(mentions);
                    }
                    What::Delete { reason } => {
                        made["type"] = "deleted".into();
                        if let Some(reason) = reason {
                            made["reason"] = json!(reason.as_str());
                        }
                    }
                    What::React { emoji, on } => {
                        made["type"] = "reacted".into();
                        (made["emoji"], made["on"]) = (json!(emoji.as_str()), on.into());
                    }
                    What::Pin { on } => {
                        (made["type"], made["on"]) = ("pinned".into(), on.into());
                        self.pinned_here.insert((conversation, position(&frame["position"])));
                    }
                }
                self.held.change(&made, true);
            }
            Wish::Create(_) | Wish::Do(..) => {}
        }
    }
}
