//! `verify`: proves that the store equals the log, or lists where it does not.
//!
//! The log is folded once more, from its beginning to the stored offsets, by the same rules as everywhere
//! ([`fold`]). Every event that counts must be in the store as the log says, at its position; a repeat and a
//! void one must not; a bad record, or one that the store refused, must be in the dead-letter topic. So every
//! record read is accounted for: read = stored + repeats + void + dead. A repeat that says something else is
//! told apart from a harmless one. As positions are unique, the number of events at their own position is
//! then the number of rows: a row more is one that the log does not have. One pass over the log, also while
//! the consumer goes on storing.

mod findings;
mod fold;
mod marks;
mod state;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use anyhow::Context;
use milena_domain::record::{Action, Event, Placed, Role};
use milena_domain::{Body, ConversationId, Epoch, MessageId, Position, UserId};
use milena_settings::Settings;
use milena_storage::{Store, TimelineRow, payload_of};
use milena_timeline::{Change, Outcome, Void};

use self::findings::{Findings, print};
use self::fold::{Events, PartitionFold, Rows};
use self::marks::{is_touched, split};

use super::dead::{Origin, origins};
use super::{answer_json, existing};
use crate::record::{Content, Record};
use crate::scan::scan;

/// Messages whose text is waited for to be explained, at most.
const UNEXPLAINED_MAX: usize = 100_000;

/// Whether it may say only what an earlier epoch has said.
fn restates(action: &Action) -> bool {
    matches!(action, Action::RoomState(_) | Action::Blocked { on: true })
}

/// Whether a row keeps what its event has. Whom it names is compared later: an edit may name others.
fn is_payload(row: &TimelineRow, event: &Event) -> bool {
    let logged = payload_of(event);
    match &event.action {
        // Of a deleted one nothing is left; its deletion says what is there instead.
        Action::Message(_) if row.deleted.is_some() => true,
        Action::Message(_) => split(row.payload.as_deref()).1 == split(logged.as_deref()).1,
        _ => row.payload == logged,
    }
}

/// What is left of a message that an event deletes.
fn of_deleted(event: &Event) -> Option<String> {
    let Action::Deleted { reason, .. } = &event.action else { return None };
    let mut left = serde_json::Map::from_iter([("deleted_by".to_owned(), serde_json::json!(event.actor))]);
    left.extend(reason.as_ref().map(|reason| ("reason".to_owned(), serde_json::json!(reason.as_str()))));
    Some(serde_json::Value::Object(left).to_string())
}

/// The words of a message.
/// Whether the store's reason is the fold's. What needs a role was void as `not_member`, when somebody tried
/// it who was not in the room, before it was `not_permitted`.
fn is_reason(stored: &str, why: Void) -> bool {
    stored == why.code() || (why == Void::NotPermitted && stored == Void::NotMember.code())
}

fn body(event: &Event) -> Option<&Body> {
    match &event.action {
        Action::Message(message) => Some(&message.body),
        _ => None,
    }
}

/// Compares; answers whether they are equal.
pub(crate) async fn verify(settings: &Settings, store: &Store, json: bool) -> anyhow::Result<bool> {
    let topic = &settings.kafka.topic;
    let (position, counts) = store.trace_counts(topic).await.context("the database cannot be read")?;
    let log = existing(&settings.kafka).await?;
    let noted = store.noted_partitions(topic).await.context("the database cannot be read")?;
    milena_domain::check_log(topic, settings.kafka.partitions, &log, noted.with(&position))?;
    // What retention removed can be in the store and not in the log: without the beginning there is no proof.
    if let Some((partition, state)) = log.iter().find(|(_, state)| state.low > 0) {
        anyhow::bail!(
            "partition {partition} of topic {topic} begins at offset {}: what was removed cannot be verified",
            state.low
        );
    }
    let dead = origins(&settings.kafka).await?;
    let spans: BTreeMap<_, _> =
        position.next_offsets.iter().map(|(&partition, &next)| (partition, 0..next)).collect();
    let mut comparison = Comparison {
        store,
        topic,
        epoch: position.epoch,
        ends: position.next_offsets.clone(),
        dead,
        due: Due::default(),
        folds: HashMap::new(),
        bases: HashMap::new(),
        unexplained: BTreeMap::new(),
        touched: BTreeSet::new(),
        findings: Findings { rows: counts.rows, ..Findings::default() },
    };
    let partitioning = noted.partitioning(log.len());
    let mut chunks =
        scan(&settings.kafka, topic, spans, move |message| Record::decode(message, &partitioning, 0));
    while let Some(chunk) = chunks.recv().await {
        comparison.chunk(chunk?).await?;
    }
    comparison.states().await?;
    comparison.marks().await?;
    let marks = comparison.mark_counts();
    let mut findings = comparison.end();
    findings.count(counts, marks);
    if findings.difference_count == 0 && !findings.is_balanced() {
        findings.differ(|| "what was read is not what was found".to_owned());
    }
    if json {
        answer_json(&findings)?;
    } else {
        print(topic, &findings);
    }
    Ok(findings.difference_count == 0)
}

/// What the verdicts on a chunk let expect in the tables besides the timeline, each with the record's place.
#[derive(Debug, Default)]
struct Due {
    void: BTreeMap<(ConversationId, Position), (MessageId, Void, String)>,
    /// By where they begin: as what, and where they end, as far as this chunk says it.
    intervals: BTreeMap<(ConversationId, UserId, Position), Interval>,
}

/// As what, where it ends, and the record that says so.
type Interval = (Option<Role>, Option<Position>, String);

/// What is compared with what.
struct Comparison<'s> {
    store: &'s Store,
    topic: &'s str,
    epoch: Epoch,
    /// Up to where each partition is read.
    ends: BTreeMap<i32, i64>,
    due: Due,
    dead: HashSet<Origin>,
    folds: HashMap<i32, PartitionFold>,
    /// In a later epoch than the first: how many messages of a conversation the earlier ones have.
    bases: HashMap<ConversationId, i64>,
    /// Messages whose text in the store is not that of the log so far, by partition: changes that stand
    /// further on in the log may have made it so. What nothing explains in the end is a difference.
    unexplained: BTreeMap<(i32, Position), String>,
    /// Messages of which the store says that something has happened to them, or that they name somebody.
    touched: BTreeSet<(i32, ConversationId, Position)>,
    findings: Findings,
}

impl Comparison<'_> {
    async fn chunk(&mut self, records: Vec<Record>) -> anyhow::Result<()> {
        let events = records.iter().filter_map(|record| match &record.content {
            Content::Event(event) => Some(event),
            Content::Rejected(_) | Content::Newer(_) => None,
        });
        let ids: HashSet<MessageId> = events
            .flat_map(|event| std::iter::once(event.id).chain(event.action.target().map(|target| target.id)))
            .collect();
        let ids: Vec<MessageId> = ids.into_iter().collect();
        let rows: Rows = self.store.timeline_rows(&ids).await?.into_iter().map(|row| (row.id, row)).collect();
        let without: Vec<MessageId> = ids.into_iter().filter(|id| !rows.contains_key(id)).collect();
        let found = self.store.effective_places(&without).await?;
        let events: Events =
            found.into_iter().map(|(id, conversation, at)| (id, (conversation, at))).collect();
        for record in records {
            self.findings.records += 1;
            let place = format!("partition {} offset {}", record.partition, record.offset);
            let is_dead = self.dead.contains(&(record.partition, record.offset));
            match record.content {
                Content::Event(event) => {
                    let placed = Placed { position: Position::new(self.epoch, record.offset), event };
                    let id = placed.event.id;
                    let is_stored = rows.get(&id).is_some_and(|row| row.position == placed.position)
                        || events.get(&id).is_some_and(|(_, position)| *position == placed.position);
                    if is_dead && !is_stored {
                        // The store had its reason: everybody else folds without it too, as it is not stored.
                        self.findings.dead_letters += 1;
                    } else {
                        self.event(record.partition, &placed, &rows, &events, &place);
                    }
                }
                Content::Rejected(_) | Content::Newer(_) if is_dead => self.findings.dead_letters += 1,
                Content::Newer(newer) => return Err(newer.into()),
                Content::Rejected(dead_letter) => {
                    let reason = dead_letter.reason;
                    self.findings
                        .differ(|| format!("{place}: bad ({reason}) but not in the dead-letter topic"));
                }
            }
        }
        self.settle_due().await
    }

    /// Looks for what the verdicts on a chunk let expect.
    async fn settle_due(&mut self) -> anyhow::Result<()> {
        let Due { mut void, mut intervals } = std::mem::take(&mut self.due);
        let places: Vec<_> = void.keys().copied().collect();
        for (conversation, position, id, reason) in self.store.void_at(&places).await? {
            let Some((expected, why, place)) = void.remove(&(conversation, position)) else { continue };
            if id != expected || !is_reason(&reason, why) {
                let code = why.code();
                self.findings
                    .differ(|| format!("{place}: void ({code}), but in the store as {id} ({reason})"));
            }
        }
        for (id, why, place) in void.into_values() {
            self.findings
                .differ(|| format!("{place}: {id} is void ({}), which is not in the store", why.code()));
        }
        let keys: Vec<_> = intervals.keys().copied().collect();
        for (conversation, user, from, role, to) in self.store.intervals_from(&keys).await? {
            let Some((as_what, until, place)) = intervals.remove(&(conversation, user, from)) else {
                continue;
            };
            if as_what.is_some_and(|expected| expected != role)
                || until.is_some_and(|until| to != Some(until))
            {
                self.findings
                    .differ(|| format!("{place}: the membership of {user} from {from} differs in the store"));
            }
        }
        for ((_, user, from), (.., place)) in intervals {
            self.findings
                .differ(|| format!("{place}: the membership of {user} from {from} is not in the store"));
        }
        Ok(())
    }

    fn event(&mut self, partition: i32, placed: &Placed, rows: &Rows, events: &Events, place: &str) {
        let outcome = self.folds.entry(partition).or_default().next(placed, rows);
        let (position, event) = (placed.position, &placed.event);
        let row = rows.get(&event.id);
        let findings = &mut self.findings;
        let kind = event.action.name();
        match outcome {
            Outcome::Effective(changes) => {
                let is_row =
                    changes.iter().any(|change| matches!(change, Change::Message { .. } | Change::Happened));
                self.changed(partition, placed, &changes, rows, place);
                match row {
                    _ if !is_row && events.get(&event.id) == Some(&(event.conversation, position)) => {
                        self.findings.changes += 1;
                    }
                    // A checkpoint of what the store knew when the epoch began.
                    None if self.epoch != Epoch::FIRST && restates(&event.action) => {
                        self.findings.earlier_epochs += 1;
                    }
                    None => {
                        let id = event.id;
                        self.findings.differ(|| format!("{place}: {kind} {id} is not in the store"));
                    }
                    Some(row) if is_row => self.check(partition, row, placed, &changes, place),
                    Some(_) => {
                        let id = event.id;
                        self.findings.differ(|| format!("{place}: {kind} {id} has a row of the timeline"));
                    }
                }
            }
            Outcome::Repeat(_) | Outcome::Void(_) if row.is_some_and(|row| row.position == position) => {
                let why = match outcome {
                    Outcome::Void(void) => format!("does not count ({void})"),
                    _ => "is a repeat".to_owned(),
                };
                findings.differ(|| format!("{place}: {kind} {} is in the store but {why}", event.id));
            }
            Outcome::Void(why) => {
                findings.void += 1;
                let key = (event.conversation, position);
                self.due.void.insert(key, (event.id, why, place.to_owned()));
            }
            Outcome::Repeat(_) => findings.repeat(row, placed, place),
        }
    }

    /// A row at the place of an effective event, or elsewhere.
    fn check(&mut self, partition: i32, row: &TimelineRow, placed: &Placed, changes: &[Change], place: &str) {
        let (position, event) = (placed.position, &placed.event);
        let kind = event.action.name();
        let seq = changes.iter().find_map(|change| match change {
            Change::Message { seq } => Some(*seq),
            _ => None,
        });
        let numbers = row
            .seq
            .zip(seq)
            .and_then(|(stored, seq)| Some((i64::try_from(stored).ok()?, i64::try_from(seq).ok()?)));
        // What earlier epochs had is not in the log any more: numbers go on from there.
        let base = match numbers {
            Some((stored, seq)) if self.epoch != Epoch::FIRST => {
                *self.bases.entry(event.conversation).or_insert(stored - seq)
            }
            _ => 0,
        };
        let findings = &mut self.findings;
        if row.position != position || row.conversation != event.conversation {
            findings.differ(|| {
                format!("{place}: {kind} {} is stored at another position ({})", event.id, row.position)
            });
        } else if row.actor != event.actor || row.client_id != event.client_id.as_str() || row.kind != kind {
            findings.differ(|| {
                format!("{place}: {kind} {} has another sender, name or type in the store", event.id)
            });
        } else if event.to.is_some_and(|to| row.to != to) || row.at != event.at {
            findings.differ(|| {
                format!("{place}: {kind} {} has another recipient or time in the store", event.id)
            });
        } else if numbers.is_some_and(|(stored, seq)| stored != seq + base) {
            findings.differ(|| format!("{place}: {kind} {} has another number in the store", event.id));
        } else if !is_payload(row, event) {
            findings.differ(|| format!("{place}: {kind} {} has another payload in the store", event.id));
        } else {
            findings.equal += 1;
            if is_touched(row) {
                self.touched.insert((partition, event.conversation, position));
            }
            self.text(partition, position, row, body(event));
        }
    }

    /// Holds a message's text against what it is so far by the log.
    fn text(&mut self, partition: i32, position: Position, row: &TimelineRow, text: Option<&Body>) {
        let key = (partition, position);
        // Changed beyond what is read here: then nothing can be said of the text.
        let end = Position::new(self.epoch, self.ends.get(&partition).copied().unwrap_or_default());
        let is_changed_beyond = row.edited.max(row.deleted).is_some_and(|changed| changed >= end);
        if is_changed_beyond || text.is_none_or(|text| text.as_str() == row.body) {
            self.unexplained.remove(&key);
        } else if self.unexplained.len() < UNEXPLAINED_MAX {
            self.unexplained.insert(key, row.id.to_string());
        } else {
            let (id, offset) = (row.id, position.offset());
            self.findings.differ(|| other_text(partition, offset, id));
        }
    }

    /// What an event makes of an earlier message.
    fn changed(&mut self, partition: i32, placed: &Placed, changes: &[Change], rows: &Rows, place: &str) {
        let (at, conversation) = (placed.position, placed.event.conversation);
        let row = placed.event.action.target().and_then(|target| rows.get(&target.id));
        for change in changes {
            match (change, &placed.event.action, row) {
                (Change::Edited { target }, Action::Edited { body, .. }, Some(row)) => {
                    self.text(partition, *target, row, Some(body));
                }
                (Change::Deleted { target }, _, row) => {
                    self.unexplained.remove(&(partition, *target));
                    if row.is_none_or(|row| {
                        row.deleted != Some(at)
                            || !row.body.is_empty()
                            || row.payload != of_deleted(&placed.event)
                    }) {
                        self.findings
                            .differ(|| format!("{place}: what it deletes is not deleted in the store"));
                    }
                }
                (Change::Opened { user, role, from }, ..) => {
                    let interval = (Some(*role), None, place.to_owned());
                    self.due.intervals.insert((conversation, *user, *from), interval);
                }
                (Change::Closed { user, from }, ..) => {
                    let key = (conversation, *user, *from);
                    let interval =
                        self.due.intervals.entry(key).or_insert_with(|| (None, None, place.to_owned()));
                    interval.1 = Some(at);
                }
                _ => {}
            }
        }
    }

    /// What is left when all of the log was read.
    fn end(mut self) -> Findings {
        for ((partition, position), id) in std::mem::take(&mut self.unexplained) {
            self.findings.differ(|| other_text(partition, position.offset(), id));
        }
        self.findings
    }
}

fn other_text(partition: i32, offset: i64, id: impl std::fmt::Display) -> String {
    format!("partition {partition} offset {offset}: message {id} has another text in the store")
}
