//! What people do to messages of a room while others write in it.

use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::changes::Ask;
use super::house::{House, Room};
use crate::ledger::Texts;

/// As addresses have them.
const EMOJI: [&str; 3] = ["%F0%9F%91%8D", "%F0%9F%8E%89", "%E2%9D%A4"];
/// How often a message of the room is looked for.
const TRIES: usize = 40;

/// A message that was accepted.
struct Said {
    sender: usize,
    id: Uuid,
    position: i64,
}

impl House {
    /// What is done next to some message; nothing while nothing was said.
    pub(super) fn touches(&self, room: usize, texts: &mut Texts) -> Vec<Ask> {
        let Some(said) = self.said_in(room, texts) else { return Vec::new() };
        let Room { id, owner, .. } = self.rooms[room];
        let members: Vec<usize> = self.rooms[room].belief().members.iter().copied().collect();
        let anybody = if members.is_empty() { owner } else { members[texts.pick(members.len())] };
        let at = format!("conversations/{id}/messages/{}", said.position);
        let reaction = format!("{at}/reactions/{}", EMOJI[texts.pick(EMOJI.len())]);
        let of = |kind, actor, method, path: String, body| vec![Ask { kind, actor, method, path, body }];
        let words = texts.next();
        let edit = json!({"body": words, "mentions": [self.person(anybody)]});
        match texts.pick(20) {
            0..6 => of("edited", said.sender, Method::PATCH, at, edit),
            // Not everybody's to do.
            6 => of("edited", anybody, Method::PATCH, at, edit),
            7..9 => of("deleted", said.sender, Method::DELETE, at, Value::Null),
            9 => of("deleted", owner, Method::DELETE, at, Value::Null),
            10..14 => of("reacted", anybody, Method::PUT, reaction, Value::Null),
            14..16 => of("reacted", anybody, Method::DELETE, reaction, Value::Null),
            16 => of("pinned", anybody, Method::PUT, format!("{at}/pin"), Value::Null),
            17 => of("pinned", anybody, Method::DELETE, format!("{at}/pin"), Value::Null),
            _ => {
                let reply_to = json!({"position": said.position, "id": said.id});
                let named = json!([self.person(said.sender)]);
                let body = json!({"body": words, "reply_to": reply_to, "mentions": named});
                of("message", anybody, Method::POST, format!("conversations/{id}/messages"), body)
            }
        }
    }

    /// Some message of a room, as its sender knows of it.
    fn said_in(&self, room: usize, texts: &mut Texts) -> Option<Said> {
        (0..TRIES).find_map(|_| {
            let sent = self.any_sent(texts).filter(|sent| sent.room == room)?;
            let heard = self.crowd.members[sent.sender].devices[sent.device].heard();
            let accepted = heard.accepted.get(&sent.client_id)?.first()?;
            Some(Said { sender: sent.sender, id: accepted.id, position: accepted.position })
        })
    }
}
