//! Compares what was sent, answered and shown with what the log says.

use std::collections::{BTreeMap, HashMap, HashSet};

use milena_domain::Position;
use milena_domain::record::History;
use milena_timeline::Interval;
use serde_json::Value;
use uuid::Uuid;

use super::findings::Findings;
use super::house::House;
use super::oracle::{Oracle, RoomOracle, Row};
use crate::client::{Heard, Via};

type Names<'t> = HashMap<(Uuid, Uuid, &'t str), &'t Row>;

pub(super) fn audit(house: &House, oracle: &Oracle) -> Findings {
    let mut findings = Findings { repeats: oracle.repeats, ..Findings::default() };
    for (.., why) in &oracle.void {
        *findings.void.entry(why.code()).or_default() += 1;
    }
    let counting = || oracle.rows().chain(oracle.changes());
    let names: Names<'_> = counting().map(|(room, row)| ((room, row.actor, &*row.client_id), row)).collect();
    if names.len() != counting().count() {
        findings.wrong("twice in the log", || format!("{} names", names.len()));
    }
    let mut known = messages(house, &names, &mut findings);
    known.extend(changes(house, oracle, &names, &mut findings));
    for (room, row) in counting().filter(|(_, row)| !known.contains(&row.id)) {
        findings.wrong("never sent", || format!("{room} {row:?}"));
    }
    let rows: HashMap<Uuid, (Uuid, &Row)> = oracle.rows().map(|(room, row)| (row.id, (room, row))).collect();
    for member in &house.crowd.members {
        for (number, device) in member.devices.iter().enumerate() {
            let name = format!("{}/{number}", member.account.person.username);
            shown(&name, member.account.person.id, &device.heard(), oracle, &rows, &mut findings);
            held(&name, member.account.person.id, &device.heard(), oracle, &mut findings);
        }
    }
    findings
}

/// Every message was answered, and the answers are true.
fn messages(house: &House, names: &Names<'_>, findings: &mut Findings) -> HashSet<Uuid> {
    let mut known = HashSet::new();
    for sent in house.sent() {
        findings.sent += 1;
        let (room, sender) = (house.rooms[sent.room].id, house.person(sent.sender));
        let row = names.get(&(room, sender, &*sent.client_id));
        known.extend(row.map(|row| row.id));
        let heard = house.crowd.members[sent.sender].devices[sent.device].heard();
        let accepted = heard.accepted.get(&sent.client_id);
        let void = heard.void.get(&sent.client_id);
        findings.accepted += usize::from(accepted.is_some());
        if let Some(code) = void {
            *findings.refused.entry(code.clone()).or_default() += 1;
        }
        match (accepted, void, row) {
            (Some(answers), None, Some(row)) => {
                let agrees = answers.iter().all(|answer| {
                    (answer.id, answer.conversation, answer.position) == (row.id, room, row.position)
                });
                if !agrees || row.life.bodies.first() != Some(&sent.body) {
                    findings.wrong("answered otherwise", || format!("{sent:?} {answers:?} {row:?}"));
                }
            }
            (None, Some(_), None) => {}
            (Some(answers), None, None) => {
                findings.wrong("accepted and lost", || format!("{sent:?} {answers:?}"));
            }
            (None, Some(code), Some(row)) => {
                findings.wrong("refused, yet it counts", || format!("{code} {sent:?} {row:?}"));
            }
            _ => findings.wrong("not answered, or twice", || format!("{sent:?} {accepted:?} {void:?}")),
        }
    }
    known
}

/// The same of what was done to rooms.
fn changes(house: &House, oracle: &Oracle, names: &Names<'_>, findings: &mut Findings) -> HashSet<Uuid> {
    let mut known = HashSet::new();
    for done in house.done() {
        findings.changes += 1;
        let (room, actor) = (house.rooms[done.room].id, house.person(done.actor));
        let row = names.get(&(room, actor, &*done.client_id));
        known.extend(row.map(|row| row.id));
        match (&done.answer, row) {
            (Ok(position), Some(row)) if row.position == *position && row.kind == done.kind => {}
            // It was so already, since there.
            (Ok(position), None) if stands(&oracle.rooms[&room], *position) => {}
            (Ok(_), _) => findings.wrong("a change answered otherwise", || format!("{done:?} {row:?}")),
            (Err(code), None) => *findings.changes_refused.entry(code.clone()).or_default() += 1,
            (Err(_), Some(row)) => {
                findings.wrong("a change refused, yet it counts", || format!("{done:?} {row:?}"));
            }
        }
    }
    known
}

fn stands(room: &RoomOracle, position: i64) -> bool {
    let is_there = |rows: &[Row]| rows.binary_search_by_key(&position, |row| row.position).is_ok();
    is_there(&room.rows) || is_there(&room.changes)
}

/// A device was shown what its owner had to see, nothing else, each once, in the order of the log.
fn shown(
    device: &str,
    owner: Uuid,
    heard: &Heard,
    oracle: &Oracle,
    rows: &HashMap<Uuid, (Uuid, &Row)>,
    findings: &mut Findings,
) {
    let numbers = [("shown twice", heard.duplicated), ("out of order", heard.reordered)];
    for (what, count) in numbers.into_iter().filter(|(_, count)| *count > 0) {
        findings.wrong(what, || format!("{device}: {count}, {:?}", heard.oddities));
    }
    for refused in &heard.refused {
        findings.wrong("an error", || format!("{device}: {refused}"));
    }
    for arrival in &heard.arrivals {
        let Some((room, row)) = rows.get(&arrival.id) else {
            findings.wrong("not in the log", || format!("{device}: {arrival:?}"));
            continue;
        };
        let is_same = (*room, row.position) == (arrival.conversation, arrival.position);
        let is_gone = |body: &String| body.is_empty() && row.life.deleted.is_some();
        let is_said =
            arrival.body.as_ref().is_none_or(|body| row.life.bodies.contains(body) || is_gone(body));
        if !is_same || !is_said {
            findings.wrong("shown otherwise", || format!("{device}: {arrival:?} {row:?}"));
        }
        let oracle = &oracle.rooms[room];
        let position = Position::from_u64(row.position as u64).expect("a position");
        if !may_see(oracle, owner, position, arrival.via) {
            let intervals = oracle.intervals_of(owner).to_vec();
            findings.wrong("shown to who may not see it", || {
                format!("{device}: {arrival:?} {intervals:?}\n{}", around(heard, *room, position.as_i64()))
            });
        }
    }
    // After these, everything before them had been told.
    let live = heard.arrivals.iter().filter(|arrival| arrival.via == Via::Live);
    let live: HashSet<Uuid> = live.map(|arrival| arrival.id).collect();
    for (id, room) in &oracle.rooms {
        for stay in stays(room.intervals_of(owner)) {
            missed(device, *id, room, stay, (heard, &live), findings);
        }
    }
    findings.reconnects += heard.connections.saturating_sub(1);
    findings.resumed += heard.resumed;
    findings.gaps += heard.gaps;
    findings.sent_again += heard.sent_again.len();
    for (code, count) in &heard.refused_for_now {
        *findings.refused_for_now.entry(code.clone()).or_default() += count;
    }
}

/// What a device holds of rooms that its owner is in is what the log made of it.
fn held(device: &str, owner: Uuid, heard: &Heard, oracle: &Oracle, findings: &mut Findings) {
    for (room, oracle) in oracle.rooms_with(owner) {
        for row in oracle.rows.iter().filter(|row| row.kind == "message") {
            let position = Position::from_u64(row.position as u64).expect("a position");
            let Some(now) = heard.held.now((room, row.position), owner) else { continue };
            if !milena_timeline::sees(oracle.history, oracle.intervals_of(owner), position) {
                continue;
            }
            findings.held += 1;
            findings.held_changed += usize::from(row.life.changed.is_some());
            let told = told(&now);
            let wanted = wanted(row, owner);
            if told != wanted {
                let intervals = oracle.intervals_of(owner).to_vec();
                findings.wrong("held otherwise", || {
                    format!("{device}: {room} {now} instead of {wanted:?} of {row:?} {intervals:?}")
                });
            }
        }
    }
}

/// Words, where they were edited, deleted, pinned, changed last, and reactions: how many, and whether one's
/// own is among them.
type Told = (String, [Option<i64>; 4], BTreeMap<String, (u64, bool)>);

fn told(message: &Value) -> Told {
    let at = |value: &Value| value.as_i64();
    let places =
        [&message["edited"], &message["deleted"]["position"], &message["pinned"], &message["changed"]]
            .map(at);
    let reactions = message["reactions"].as_array().map_or(&[][..], Vec::as_slice).iter().map(|reaction| {
        let emoji = reaction["emoji"].as_str().unwrap_or_default().to_owned();
        (emoji, (reaction["count"].as_u64().unwrap_or_default(), reaction["mine"] == true))
    });
    (message["body"].as_str().unwrap_or_default().to_owned(), places, reactions.collect())
}

fn wanted(row: &Row, owner: Uuid) -> Told {
    let life = &row.life;
    let mut reactions: BTreeMap<String, (u64, bool)> = BTreeMap::new();
    for (emoji, user) in life.reactions.keys() {
        let (count, mine) = reactions.entry(emoji.clone()).or_default();
        *count += 1;
        *mine |= *user == owner;
    }
    // Of a deleted message nothing else is told.
    let while_there = |at: Option<i64>| at.filter(|_| life.deleted.is_none());
    let places = [while_there(life.edited), life.deleted, while_there(life.pinned), life.changed];
    (row.body.clone().unwrap_or_default(), places, reactions)
}

/// What comes live is of members of that moment alone. What is asked for, members may see as the room shows
/// it; when they asked is not known here, so of a room that shows all of it, all until they last went.
fn may_see(room: &RoomOracle, owner: Uuid, position: Position, via: Via) -> bool {
    let intervals = room.intervals_of(owner);
    let covered = intervals.iter().any(|interval| interval.covers(position));
    match (via, room.history) {
        (Via::Live | Via::Accepted, _) | (_, History::SinceJoin) => covered,
        (Via::Replay | Via::Fetched, History::All) => {
            intervals.iter().any(|interval| interval.to.is_none_or(|to| position <= to))
        }
    }
}

/// From coming to going, whatever the roles in between.
fn stays(intervals: &[Interval]) -> Vec<(i64, Option<i64>)> {
    let mut stays: Vec<(i64, Option<i64>)> = Vec::new();
    for interval in intervals {
        let (from, to) = (interval.from.as_i64(), interval.to.map(Position::as_i64));
        match stays.last_mut() {
            Some(last) if last.1 == Some(from) => last.1 = to,
            _ => stays.push((from, to)),
        }
    }
    stays
}

/// How a device came to know what stands near a place.
fn around(heard: &Heard, room: Uuid, position: i64) -> String {
    let mut near: Vec<_> = heard
        .arrivals
        .iter()
        .enumerate()
        .filter(|(_, arrival)| arrival.conversation == room && (arrival.position - position).abs() < 60)
        .map(|(number, arrival)| {
            let at = arrival.at.as_millis();
            (arrival.position, format!("{:?} {}.{at} #{number}", arrival.via, arrival.connection))
        })
        .collect();
    near.sort_unstable();
    near.sort_by_key(|(at, _)| (at - position).abs());
    near.truncate(16);
    near.sort_unstable();
    near.iter().map(|(at, how)| format!("  {}: {how}", at - position)).collect::<Vec<_>>().join("\n")
}

/// All of a stay was shown, or what is missing is what a client is told to do without.
fn missed(
    device: &str,
    id: Uuid,
    room: &RoomOracle,
    (from, to): (i64, Option<i64>),
    (heard, live): (&Heard, &HashSet<Uuid>),
    findings: &mut Findings,
) {
    let begin = room.rows.partition_point(|row| row.position < from);
    let end = to.map_or(room.rows.len(), |to| room.rows.partition_point(|row| row.position <= to));
    let stay = &room.rows[begin..end];
    let has = |row: &&Row| heard.ids().contains(&row.id);
    let known = stay.iter().filter(has).count();
    findings.due += stay.len();
    findings.shown += known;
    if known == stay.len() {
        return;
    }
    // Where its owner was sent away while it was away, or was still being told what it had missed, nothing
    // more is told of the room.
    let was_away = to.is_some() && !stay.iter().skip_while(has).any(|row| live.contains(&row.id));
    // Or what it asked for was refused, because its owner had just been sent away.
    let is_denied = |row: &Row| {
        let covers = |(room, after, before): &(Uuid, i64, i64)| {
            *room == id && *after < row.position && row.position < *before
        };
        heard.denied.iter().any(covers)
    };
    // Or it waited for what it is about when its owner was sent away; of what else happens, all is told.
    let is_change = |row: &Row| row.target.is_some();
    let is_told_no_more = |row: &Row| is_denied(row) || is_change(row);
    let was_denied = to.is_some() && stay.iter().filter(|row| !has(row)).all(is_told_no_more);
    if was_away || was_denied {
        findings.excused += stay.len() - known;
        return;
    }
    let missing: Vec<_> = stay.iter().filter(|row| !has(row)).map(|row| (row.position, row.kind)).collect();
    findings.wrong("not shown to a member", || {
        let count = missing.len();
        let some = &missing[..count.min(5)];
        let first = missing.first().map_or(0, |row| row.0);
        let last = missing.last().map_or(0, |row| row.0);
        format!(
            "{device}: {id} {from} to {to:?}: {count} of {}, {some:?} up to {last}\n{}\n{}\ndenied {:?}",
            stay.len(),
            around(heard, id, first),
            around(heard, id, to.unwrap_or(last)),
            heard.denied.iter().filter(|denied| denied.0 == id).collect::<Vec<_>>()
        )
    });
}
