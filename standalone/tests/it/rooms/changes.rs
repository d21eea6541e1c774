//! What people do to rooms and messages while others write: they come and go, are brought in, sent away, kept
//! away, get roles; rooms are closed and opened again; messages are answered, edited, deleted, reacted to,
//! pinned. Each is asked again, under the same name, until it is answered.

use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use uuid::Uuid;

use super::house::{Done, House, Part, Room};
use crate::client::Rest;
use crate::ledger::Texts;

/// An answer is waited for so long, over all that dies meanwhile.
const PATIENCE: Duration = Duration::from_secs(180);
const AGAIN_AFTER: Duration = Duration::from_millis(100);

/// Who does something, or to what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lane {
    Owner,
    Anybody,
    Messages,
}

impl Lane {
    const fn of(lane: usize) -> Self {
        match lane % 4 {
            0 => Self::Owner,
            1 => Self::Anybody,
            _ => Self::Messages,
        }
    }
}

/// One request.
pub(super) struct Ask {
    pub(super) kind: &'static str,
    pub(super) actor: usize,
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) body: Value,
}

impl House {
    /// Begins changes, evenly over the time of the writing: in each room its owner's, and beside them
    /// those of people who come and go by themselves, and two lanes of what is done to messages.
    pub(super) fn change(self: &Arc<Self>, part: Part) -> JoinSet<()> {
        let lanes = 4 * self.rooms.len();
        let mut changers = JoinSet::new();
        for lane in 0..lanes {
            let of = if Lane::of(lane) == Lane::Messages { part.touches } else { part.changes };
            let (number, lanes) = (lane / 4 * 2 + lane % 2, lanes / 2);
            let share = of / lanes + usize::from(number < of % lanes);
            changers.spawn(Arc::clone(self).lane(lane, share, part));
        }
        changers
    }

    async fn lane(self: Arc<Self>, lane: usize, changes: usize, part: Part) {
        let room = lane / 4;
        let mut texts = Texts::new(((part.number << 32) + 2_000 + lane) as u64);
        let mut number = 0;
        while number < changes {
            let at = part.before + number * part.messages / changes;
            self.crowd.progress.reaches(at, 300).await;
            let asks = match Lane::of(lane) {
                Lane::Owner => self.owners(room, &mut texts),
                Lane::Anybody => self.own(room, &mut texts),
                Lane::Messages => self.touches(room, &mut texts),
            };
            number += usize::from(asks.is_empty());
            for ask in asks {
                self.answered(room, format!("c-{}-{lane}-{number}", part.number), ask).await;
                number += 1;
            }
        }
    }

    /// What an owner does next.
    fn owners(&self, room: usize, texts: &mut Texts) -> Vec<Ask> {
        let place = &self.rooms[room];
        let (id, actor) = (place.id, place.owner);
        let belief = place.belief();
        let strangers: Vec<usize> =
            (0..self.size.people).filter(|one| !belief.members.contains(one)).collect();
        let others: Vec<usize> = belief.members.iter().copied().filter(|one| *one != actor).collect();
        let banned: Vec<usize> = belief.banned.iter().copied().collect();
        drop(belief);
        let mut any = |people: &[usize]| (!people.is_empty()).then(|| people[texts.pick(people.len())]);
        let (stranger, other, kept_away) = (any(&strangers), any(&others), any(&banned));
        let of = |kind, method, path: String, body| Ask { kind, actor, method, path, body };
        let at = |what: &str, user| format!("rooms/{id}/{what}/{}", self.person(user));
        match (texts.pick(10), stranger, other, kept_away) {
            (0..=2, Some(user), ..) => {
                let body = json!({"users": [self.person(user)]});
                vec![of("members_added", Method::POST, format!("rooms/{id}/members"), body)]
            }
            (3..=5, _, Some(user), _) => {
                vec![of("removed", Method::DELETE, at("members", user), Value::Null)]
            }
            (6, _, Some(user), _) => vec![of("banned", Method::PUT, at("bans", user), Value::Null)],
            (7, .., Some(user)) => vec![of("unbanned", Method::DELETE, at("bans", user), Value::Null)],
            (8, _, Some(user), _) => {
                let role = if texts.pick(2) == 0 { "moderator" } else { "member" };
                vec![of("role_changed", Method::PUT, at("members", user), json!({"role": role}))]
            }
            (9, ..) => [true, false]
                .map(|archived| {
                    let body = json!({"archived": archived});
                    of("room_changed", Method::PATCH, format!("rooms/{id}"), body)
                })
                .into(),
            _ => {
                let body = json!({"topic": texts.next()});
                vec![of("room_changed", Method::PATCH, format!("rooms/{id}"), body)]
            }
        }
    }

    /// What somebody does next by themselves.
    fn own(&self, room: usize, texts: &mut Texts) -> Vec<Ask> {
        let Room { id, owner, is_public, .. } = &self.rooms[room];
        let belief = self.rooms[room].belief();
        let mut coming: Vec<usize> =
            (0..self.size.people).filter(|one| !belief.members.contains(one)).collect();
        let mut going: Vec<usize> = belief.members.iter().copied().filter(|one| one != owner).collect();
        drop(belief);
        if texts.pick(2) == 0 {
            std::mem::swap(&mut coming, &mut going);
            coming.clear();
        }
        if *is_public && !coming.is_empty() {
            let actor = coming[texts.pick(coming.len())];
            return vec![Ask {
                kind: "joined",
                actor,
                method: Method::POST,
                path: format!("rooms/{id}/join"),
                body: Value::Null,
            }];
        }
        let actor = if going.is_empty() { *owner } else { going[texts.pick(going.len())] };
        let (kind, what) = if actor == *owner { ("joined", "join") } else { ("left", "leave") };
        let path = format!("rooms/{id}/{what}");
        vec![Ask { kind, actor, method: Method::POST, path, body: Value::Null }]
    }

    /// Asks one node after the other until one answers for good.
    async fn answered(&self, room: usize, mut client_id: String, ask: Ask) {
        let Ask { kind, actor, method, path, body } = ask;
        let member = &self.crowd.members[actor];
        if actor.is_multiple_of(2) {
            client_id.insert_str(0, &member.devices[0].heard().client_id_prefix);
        }
        let deadline = Instant::now() + PATIENCE;
        let mut nodes = self.nodes.iter().cycle().skip(actor);
        let answer = loop {
            let node = nodes.next().expect("a cycle").of(&member.account);
            let request = node.request(method.clone(), &path).header("idempotency-key", &client_id);
            match Rest::try_ask(request.json(&body)).await {
                Some(answer) if matches!(answer.status, 200 | 202) => {
                    break Ok(answer.body["position"].as_i64().expect("a position"));
                }
                Some(answer) if answer.status < 500 && answer.status != 429 => {
                    break Err(answer.code().to_owned());
                }
                _ => {}
            }
            assert!(Instant::now() < deadline, "{kind} is not answered within {PATIENCE:?}");
            tokio::time::sleep(AGAIN_AFTER).await;
        };
        if answer.is_ok() {
            self.believe(room, kind, actor, &path, &body);
        }
        let done = Done { actor, room, client_id, kind, answer };
        self.done.lock().unwrap_or_else(PoisonError::into_inner).push(done);
    }

    /// What an answer makes of a room for those who choose what to do next.
    fn believe(&self, room: usize, kind: &str, actor: usize, path: &str, body: &Value) {
        let named: Option<Uuid> = match kind {
            "members_added" => serde_json::from_value(body["users"][0].clone()).ok(),
            _ => path.rsplit('/').next().and_then(|last| last.parse().ok()),
        };
        let number = |id: Uuid| (0..self.size.people).find(|one| self.person(*one) == id);
        let subject = named.and_then(number).unwrap_or(actor);
        let mut belief = self.rooms[room].belief();
        match kind {
            "joined" | "members_added" => {
                belief.members.insert(subject);
                belief.once.insert(subject);
            }
            "left" | "removed" => drop(belief.members.remove(&subject)),
            "banned" => {
                belief.members.remove(&subject);
                belief.banned.insert(subject);
            }
            "unbanned" => drop(belief.banned.remove(&subject)),
            _ => {}
        }
    }
}
