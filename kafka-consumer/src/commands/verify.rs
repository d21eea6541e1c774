//! `verify`: proves that the store equals the log, or lists where it does not.
//!
//! Every good record below the stored offsets must be a row with the same fields at its position, or a repeat
//! of one that stands before it; a repeat that says something else is told apart from a harmless one; every
//! bad one must be in the dead-letter topic. As positions are unique, the number of records that are at their
//! own position is then the number of rows: a row more is one that the log does not have. One pass over the
//! log, a bounded amount of memory, also while the consumer goes on storing.

use std::collections::{BTreeMap, HashMap, HashSet};

use anyhow::Context;
use milena_domain::record::{Action, Event};
use milena_domain::{Body, Epoch, MessageId, Position};
use milena_settings::Settings;
use milena_storage::{Store, StoredMessage};
use serde::Serialize;

use super::dead::{Origin, origins};
use super::{answer, answer_json, existing};
use crate::record::{Content, Record};
use crate::scan::scan;

/// Differences that are told one by one; the others are counted.
const TOLD: usize = 100;

#[derive(Debug, Default, Serialize)]
struct Findings {
    /// Records read.
    records: u64,
    /// Rows that are exactly their record.
    equal: u64,
    /// Records whose message stands earlier in the log, with the same content.
    repeats: u64,
    /// Repeats that say something else, or to somebody else, than the message that is stored: it may have
    /// been shown, and is not in the store. The first one counts; these are told one by one, at most
    /// [`TOLD`].
    altered_repeats: Vec<String>,
    /// [`Findings::altered_repeats`], counted.
    altered_repeat_count: u64,
    /// Records whose message was stored in an earlier epoch.
    earlier_epochs: u64,
    /// Bad records that are in the dead-letter topic.
    dead_letters: u64,
    /// Rows of the current epoch in the store.
    rows: u64,
    /// What is wrong, in words; at most [`TOLD`].
    differences: Vec<String>,
    /// What is wrong, counted.
    difference_count: u64,
}

impl Findings {
    fn differ(&mut self, what: impl FnOnce() -> String) {
        self.difference_count += 1;
        if self.differences.len() < TOLD {
            self.differences.push(what());
        }
    }

    fn repeat(&mut self, row: &StoredMessage, event: &Event, place: &str) {
        // Each send has a time of its own; what was said, and to whom, is what a repeat must repeat.
        if Some(row.to) == event.to && Some(&row.body) == body(event) {
            self.repeats += 1;
            return;
        }
        self.altered_repeat_count += 1;
        if self.altered_repeats.len() < TOLD {
            let what = if Some(row.to) == event.to { "with another text" } else { "to somebody else" };
            let (id, stored) = (event.id, row.position);
            self.altered_repeats.push(format!(
                "{place}: message {id} is repeated {what}; what counts is the first, at position {stored}"
            ));
        }
    }
}

/// The words of a message.
fn body(event: &Event) -> Option<&Body> {
    match &event.action {
        Action::Message(message) => Some(&message.body),
        _ => None,
    }
}

/// Compares; answers whether they are equal.
pub(crate) async fn verify(settings: &Settings, store: &Store, json: bool) -> anyhow::Result<bool> {
    let topic = &settings.kafka.topic;
    let (position, rows) = store.stored_count(topic).await.context("the database cannot be read")?;
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
    let mut findings = Findings { rows, ..Findings::default() };
    let partitioning = noted.partitioning(log.len());
    let mut chunks =
        scan(&settings.kafka, topic, spans, move |message| Record::decode(message, &partitioning, 0));
    while let Some(chunk) = chunks.recv().await {
        compare(store, position.epoch, chunk?, &dead, &mut findings).await?;
    }
    if findings.difference_count == 0 && findings.equal != rows {
        let (equal, rows) = (findings.equal, findings.rows);
        findings.differ(|| format!("the store has {rows} rows but the log has {equal} messages"));
    }
    if json {
        answer_json(&findings)?;
    } else {
        print(topic, &findings);
    }
    Ok(findings.difference_count == 0)
}

async fn compare(
    store: &Store,
    epoch: Epoch,
    records: Vec<Record>,
    dead: &HashSet<Origin>,
    findings: &mut Findings,
) -> anyhow::Result<()> {
    let ids: Vec<MessageId> = records
        .iter()
        .filter_map(|record| match &record.content {
            Content::Event(event) => Some(event.id),
            Content::Rejected(_) | Content::Newer(_) => None,
        })
        .collect();
    let rows: HashMap<_, _> =
        store.messages_by_id(&ids).await?.into_iter().map(|row| (row.id, row)).collect();
    for record in records {
        findings.records += 1;
        let place = format!("partition {} offset {}", record.partition, record.offset);
        match &record.content {
            Content::Newer(newer) => return Err(newer.clone().into()),
            Content::Event(event) => {
                let position = Position::new(epoch, record.offset);
                match rows.get(&event.id) {
                    None => findings.differ(|| format!("{place}: message {} is not in the store", event.id)),
                    Some(row) => check(row, event, position, &place, findings),
                }
            }
            Content::Rejected(_) if dead.contains(&(record.partition, record.offset)) => {
                findings.dead_letters += 1;
            }
            Content::Rejected(letter) => findings
                .differ(|| format!("{place}: bad ({}) but not in the dead-letter topic", letter.reason)),
        }
    }
    Ok(())
}

fn check(row: &StoredMessage, event: &Event, position: Position, place: &str, findings: &mut Findings) {
    let same_name = row.sender == event.actor && row.client_id == event.client_id;
    let same_content = Some(row.to) == event.to && row.sent_at == event.at && Some(&row.body) == body(event);
    if !same_name {
        findings.differ(|| format!("{place}: message {} has another sender or name in the store", event.id));
    } else if row.conversation != event.conversation {
        // The sender gave one name to messages to two people: the one that was stored first counts.
        findings.repeat(row, event, place);
    } else if row.position == position && same_content {
        findings.equal += 1;
    } else if row.position == position {
        findings.differ(|| format!("{place}: message {} has another text or time in the store", event.id));
    } else if row.position.epoch_number() < position.epoch_number() {
        if same_content {
            findings.earlier_epochs += 1;
        } else {
            findings.repeat(row, event, place);
        }
    } else if row.position < position {
        findings.repeat(row, event, place);
    } else {
        findings.differ(|| {
            format!("{place}: message {} is stored at a later position ({})", event.id, row.position)
        });
    }
}

fn print(topic: &str, findings: &Findings) {
    answer(format!("topic {topic}: {} records, {} rows in the store", findings.records, findings.rows));
    answer(format!(
        "{} equal, {} repeats, {} altered repeats, {} of earlier epochs, {} dead letters",
        findings.equal,
        findings.repeats,
        findings.altered_repeat_count,
        findings.earlier_epochs,
        findings.dead_letters
    ));
    list(&findings.altered_repeats, findings.altered_repeat_count);
    list(&findings.differences, findings.difference_count);
    answer(match findings.difference_count {
        0 => "the store equals the log".to_owned(),
        count => format!("{count} DIFFERENCES"),
    });
}

fn list(told: &[String], count: u64) {
    for line in told {
        answer(line);
    }
    let untold = count - told.len() as u64;
    if untold > 0 {
        answer(format!("... and {untold} more"));
    }
}
