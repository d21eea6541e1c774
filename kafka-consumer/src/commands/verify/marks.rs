//! What has happened to messages since they were written, and who is named in them, held against the store
//! when all of the log was read: edits, deletions, pins, reactions, mentions.
//!
//! The consumer may have gone on meanwhile: a message that it has changed since is not judged.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use anyhow::Context;
use milena_domain::record::{Action, Emoji, Placed};
use milena_domain::{ConversationId, Position, UserId};
use milena_storage::TimelineRow;
use milena_timeline::Change;
use serde_json::{Map, Value};

use super::Comparison;

/// Messages of one look into the store.
const AT_ONCE: usize = 512;

/// A conversation's messages that something has happened to, or in which somebody is named.
#[derive(Debug, Default)]
pub(super) struct Marks {
    pub(super) deleted: HashMap<Position, Position>,
    pub(super) pinned: HashMap<Position, (Position, bool)>,
    pub(super) reactions: BTreeMap<(Position, UserId), BTreeMap<Emoji, Position>>,
    edited: HashMap<Position, Position>,
    changed: HashMap<Position, Position>,
    /// In the order in which they are named.
    mentions: HashMap<Position, Vec<UserId>>,
}

impl Marks {
    /// Carries a change that an effective event makes.
    pub(super) fn apply(&mut self, placed: &Placed, change: &Change) {
        let (at, event) = (placed.position, &placed.event);
        let target = match (change, &event.action) {
            (Change::Message { .. }, Action::Message(message)) => {
                self.name(at, &message.mentions);
                return;
            }
            (Change::Edited { target }, Action::Edited { mentions, .. }) => {
                self.edited.insert(*target, at);
                self.name(*target, mentions);
                target
            }
            (Change::Deleted { target }, _) => {
                self.deleted.insert(*target, at);
                self.mentions.remove(target);
                self.reactions.retain(|(position, _), _| position != target);
                target
            }
            (Change::Pinned { target, on }, _) => {
                self.pinned.insert(*target, (at, *on));
                target
            }
            (Change::Reacted { target, emoji, on }, _) => {
                let mine = self.reactions.entry((*target, event.actor)).or_default();
                if *on {
                    mine.insert(emoji.clone(), at);
                } else {
                    mine.remove(emoji);
                }
                if mine.is_empty() {
                    self.reactions.remove(&(*target, event.actor));
                }
                target
            }
            _ => return,
        };
        self.changed.insert(*target, at);
    }

    fn name(&mut self, message: Position, people: &[UserId]) {
        if people.is_empty() {
            self.mentions.remove(&message);
        } else {
            self.mentions.insert(message, people.to_vec());
        }
    }

    fn places(&self) -> impl Iterator<Item = Position> {
        self.changed.keys().chain(self.mentions.keys()).copied()
    }

    fn reactions_to(&self, message: Position) -> BTreeSet<(UserId, &str, Position)> {
        let from = (message, UserId::from_uuid(Default::default()));
        let of_it = self.reactions.range(from..).take_while(|((position, _), _)| *position == message);
        of_it
            .flat_map(|((_, user), mine)| mine.iter().map(|(emoji, at)| (*user, emoji.as_str(), *at)))
            .collect()
    }

    fn named_in(&self, message: Position) -> &[UserId] {
        self.mentions.get(&message).map_or(&[], Vec::as_slice)
    }

    /// How many reactions were put from `first` on, and how many people are named in messages from there on.
    fn count(&self, first: Position) -> (u64, u64) {
        let reactions = self.reactions.values().flat_map(BTreeMap::values).filter(|at| **at >= first);
        let named = self.mentions.iter().filter(|(message, _)| **message >= first);
        let named = named.map(|(_, people)| people.iter().collect::<BTreeSet<_>>().len() as u64);
        (reactions.count() as u64, named.sum())
    }
}

/// What a row says of people who are named, and the rest of it.
pub(super) fn split(payload: Option<&str>) -> (Vec<UserId>, Option<Map<String, Value>>) {
    let Some(text) = payload else { return (Vec::new(), Some(Map::new())) };
    let Ok(mut rest) = serde_json::from_str::<Map<String, Value>>(text) else { return (Vec::new(), None) };
    let named = rest.remove("mentions").and_then(|named| serde_json::from_value(named).ok());
    (named.unwrap_or_default(), Some(rest))
}

/// Whether a row says that something has happened to its message, or names people.
pub(super) fn is_touched(row: &TimelineRow) -> bool {
    row.changed.or(row.edited).or(row.deleted).or(row.pinned).or(row.unpinned).is_some()
        || !split(row.payload.as_deref()).0.is_empty()
}

impl Comparison<'_> {
    /// Compares what has happened to messages.
    pub(super) async fn marks(&mut self) -> anyhow::Result<()> {
        let mut places = std::mem::take(&mut self.touched);
        for (partition, fold) in &self.folds {
            for (id, marks) in fold.marks() {
                places.extend(marks.places().map(|position| (*partition, id, position)));
            }
        }
        let places: Vec<_> = places.into_iter().collect();
        for chunk in places.chunks(AT_ONCE) {
            self.messages(chunk).await.context("the database cannot be read")?;
        }
        Ok(())
    }

    /// How many reactions and mentions the log leaves.
    pub(super) fn mark_counts(&self) -> (u64, u64) {
        let first = Position::new(self.epoch, 0);
        let all = self.folds.values().flat_map(|fold| fold.marks());
        all.map(|(_, marks)| marks.count(first)).fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1))
    }

    async fn messages(&mut self, places: &[(i32, ConversationId, Position)]) -> anyhow::Result<()> {
        let keys: Vec<_> = places.iter().map(|(_, id, position)| (*id, *position)).collect();
        let reactions = self.store.reactions_at(&keys).await?;
        let mentions = self.store.mentions_at(&keys).await?;
        // Last: what was changed before this is seen to be.
        let rows: HashMap<_, _> = self
            .store
            .timeline_rows_at(&keys)
            .await?
            .into_iter()
            .map(|row| ((row.conversation, row.position), row))
            .collect();
        let unmarked = Marks::default();
        for (partition, id, position) in places {
            let end = Position::new(self.epoch, self.ends.get(partition).copied().unwrap_or_default());
            // What earlier epochs did to a message is not in the log any more.
            let is_judged = |row: &&TimelineRow| {
                row.kind == "message"
                    && row.changed.is_none_or(|changed| changed < end)
                    && position.epoch_number() == self.epoch.get()
            };
            let Some(row) = rows.get(&(*id, *position)).filter(is_judged) else { continue };
            let marks = self.folds.get(partition).and_then(|fold| fold.marks_of(*id)).unwrap_or(&unmarked);
            let pinned = marks.pinned.get(position);
            let pin = |on| pinned.filter(|(_, is_on)| *is_on == on).map(|(at, _)| *at);
            let stored: BTreeSet<_> = reactions
                .iter()
                .filter(|(of, target, ..)| (of, target) == (id, position))
                .map(|(.., user, emoji, at)| (*user, emoji.as_str(), *at))
                .collect();
            let named: BTreeSet<UserId> = mentions
                .iter()
                .filter(|(of, message, _)| (of, message) == (id, position))
                .map(|(.., user)| *user)
                .collect();
            let expected = marks.named_in(*position);
            let wrong = [
                ("edits", row.edited != marks.edited.get(position).copied()),
                ("deletion", row.deleted != marks.deleted.get(position).copied()),
                ("pin", (row.pinned, row.unpinned) != (pin(true), pin(false))),
                ("last change", row.changed != marks.changed.get(position).copied()),
                ("reactions", stored != marks.reactions_to(*position)),
                ("mentions", named != expected.iter().copied().collect()),
                ("payload", row.deleted.is_none() && split(row.payload.as_deref()).0 != expected),
            ];
            let offset = position.offset();
            for (what, _) in wrong.into_iter().filter(|(_, is_wrong)| *is_wrong) {
                let id = row.id;
                self.findings.differ(|| {
                    format!("partition {partition} offset {offset}: message {id}: {what} differ in the store")
                });
            }
        }
        Ok(())
    }
}
