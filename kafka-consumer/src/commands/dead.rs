//! `dead list|show|retry`: what could not be stored, and another chance for it.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use anyhow::{Context, bail};
use milena_domain::cure::command;
use milena_domain::limits::REPEAT_WINDOW_OFFSETS;
use milena_domain::record::Event;
use milena_domain::{Position, Timestamp, partition_of};
use milena_kafka::{LogError, Quiet, Role, client_config, header, partition_states};
use milena_settings::{KafkaSettings, Settings};
use milena_storage::Store;
use rdkafka::Message;
use rdkafka::message::{BorrowedMessage, Headers, OwnedHeaders, OwnedMessage};
use rdkafka::producer::{FutureProducer, FutureRecord};
use serde::Serialize;
use tokio::sync::mpsc;

use super::{KAFKA_TIMEOUT, answer, answer_json, existing};
use crate::dead_letters::{
    HEADER_DETAIL, HEADER_OFFSET, HEADER_PARTITION, HEADER_REASON, HEADER_TIMESTAMP_MS, HEADER_TOPIC,
    HEADER_VALUE_OMITTED, OUR_HEADERS,
};
use crate::scan::{Chunk, scan};

/// One letter, without its bytes.
#[derive(Debug, Serialize)]
struct Line {
    /// Its name in `show` and `retry`: its offset in the dead-letter topic, after its partition when that is
    /// not 0.
    letter: String,
    reason: String,
    detail: String,
    topic: String,
    partition: i32,
    offset: i64,
    /// When the record came into the log.
    time: Option<Timestamp>,
    value_bytes: usize,
    /// The same record is in the dead-letter topic already: a crash came between giving it away and noting
    /// that.
    repeated: bool,
}

/// Where a letter came from.
pub(crate) type Origin = (i32, i64);

/// The origins of all letters of the message topic.
pub(crate) async fn origins(settings: &KafkaSettings) -> Result<HashSet<Origin>, LogError> {
    let mut found = HashSet::new();
    let mut letters = open(settings, origin_of).await?;
    while let Some(chunk) = letters.recv().await {
        found.extend(
            chunk?
                .into_iter()
                .flatten()
                .filter(|(topic, _)| *topic == settings.topic)
                .map(|(_, origin)| origin),
        );
    }
    Ok(found)
}

fn origin_of(message: &BorrowedMessage<'_>) -> Option<(String, Origin)> {
    let headers = message.headers()?;
    let text = |name| std::str::from_utf8(header(headers, name)?).ok();
    let origin = (text(HEADER_PARTITION)?.parse().ok()?, text(HEADER_OFFSET)?.parse().ok()?);
    Some((text(HEADER_TOPIC)?.to_owned(), origin))
}

/// The settings with the dead-letter topic as the topic.
fn dead_topic(settings: &KafkaSettings) -> KafkaSettings {
    KafkaSettings { topic: settings.dead_topic.clone(), ..settings.clone() }
}

async fn open<T: Send + 'static>(
    settings: &KafkaSettings,
    read: fn(&BorrowedMessage<'_>) -> T,
) -> Result<mpsc::Receiver<Chunk<T>>, LogError> {
    let dead = dead_topic(settings);
    let spans: BTreeMap<_, _> = partition_states(&dead, KAFKA_TIMEOUT)
        .await?
        .into_iter()
        .map(|(partition, state)| (partition, state.low..state.high))
        .collect();
    Ok(scan(settings, &settings.dead_topic, spans, read))
}

/// Prints a line a letter.
pub(crate) async fn list(settings: &Settings, json: bool) -> anyhow::Result<()> {
    existing(&dead_topic(&settings.kafka)).await?;
    let mut letters = open(&settings.kafka, |message| message.detach()).await?;
    let mut seen = HashSet::new();
    let mut count = 0;
    if !json {
        answer(format!(
            "{:>8} {:<24} {:<18} {:>9} {:>10} {:>10}  detail",
            "letter", "time", "reason", "partition", "offset", "bytes"
        ));
    }
    while let Some(chunk) = letters.recv().await {
        for letter in chunk? {
            let mut line = line(&letter);
            line.repeated = !seen.insert((line.topic.clone(), line.partition, line.offset));
            count += 1;
            if json {
                answer_json(&line)?;
            } else {
                let time = line.time.map_or_else(|| "-".to_owned(), |time| time.to_string());
                answer(format!(
                    "{:>8} {:<24} {:<18} {:>9} {:>10} {:>10}  {}{}",
                    line.letter,
                    time,
                    visible(&line.reason),
                    line.partition,
                    line.offset,
                    line.value_bytes,
                    visible(&line.detail),
                    if line.repeated { " (again)" } else { "" }
                ));
            }
        }
    }
    if !json {
        answer(format!("{count} dead letters of {} different records", seen.len()));
    }
    Ok(())
}

fn line(letter: &OwnedMessage) -> Line {
    let text = |name: &str| {
        let bytes = letter.headers().and_then(|headers| header(headers, name)).unwrap_or_default();
        String::from_utf8_lossy(bytes).into_owned()
    };
    Line {
        letter: name_of(letter),
        reason: text(HEADER_REASON),
        detail: text(HEADER_DETAIL),
        topic: text(HEADER_TOPIC),
        partition: text(HEADER_PARTITION).parse().unwrap_or(-1),
        offset: text(HEADER_OFFSET).parse().unwrap_or(-1),
        time: text(HEADER_TIMESTAMP_MS).parse().ok().map(Timestamp::from_unix_ms),
        value_bytes: letter.payload().map_or(0, <[u8]>::len),
        repeated: false,
    }
}

fn name_of(letter: &OwnedMessage) -> String {
    match letter.partition() {
        0 => letter.offset().to_string(),
        partition => format!("{partition}:{}", letter.offset()),
    }
}

/// Prints one letter whole: headers, key and value, as far as they are text.
pub(crate) async fn show(settings: &Settings, name: &str) -> anyhow::Result<()> {
    let letter = find(&settings.kafka, &[name.to_owned()]).await?.remove(0);
    for header in letter.headers().into_iter().flat_map(Headers::iter) {
        answer(format!("{}: {}", visible(header.key), readable(header.value)));
    }
    answer(format!("key: {}", readable(letter.key())));
    answer(format!("value: {}", readable(letter.payload())));
    Ok(())
}

/// Whoever wrote the record chose these letters: none of them may command the terminal.
fn visible(text: &str) -> String {
    let letter = |letter: char| match letter {
        '"' | '\'' | '\\' => letter.to_string(),
        other => other.escape_debug().to_string(),
    };
    text.chars().map(letter).collect()
}

fn readable(bytes: Option<&[u8]>) -> String {
    bytes.map_or_else(|| "(none)".to_owned(), |bytes| bytes.escape_ascii().to_string())
}

/// Sends letters that can be read now back into the message topic, as new records at its end. A message that
/// is stored already stays as it is, so that a second retry changes nothing. Those that still cannot be read
/// stay where they are.
///
/// Since version 2 a record proves that its id was new when it was written. Long after, that proves nothing
/// any more, and the fold would not let it count: the store is asked once more, and the record sent with that
/// proof.
pub(crate) async fn retry(
    settings: &Settings,
    store: &Store,
    names: &[String],
    all: bool,
) -> anyhow::Result<()> {
    let letters = if all { every(&settings.kafka).await? } else { find(&settings.kafka, names).await? };
    let producer: FutureProducer<Quiet> =
        client_config(&settings.kafka, &Role::Producer { timeout_ms: 30_000 })
            .create_with_context(Quiet::default())
            .map_err(LogError::refused)?;
    let (mut sent, mut left) = (0, 0);
    let mut seen = HashSet::new();
    for letter in letters {
        let line = line(&letter);
        if !seen.insert((line.topic, line.partition, line.offset)) {
            continue;
        }
        if letter.headers().is_some_and(|headers| header(headers, HEADER_VALUE_OMITTED).is_some()) {
            answer(format!(
                "{}: its value was too large to be kept here; it stands at its origin",
                line.letter
            ));
            left += 1;
            continue;
        }
        let proved = match Event::decode(letter.key(), letter.payload()) {
            Ok(event) if event.seen.is_some() => prove_anew(settings, store, event).await?,
            // Version 1 proves nothing: its id is always looked for.
            Ok(_) => Ok(None),
            Err(error) => Err(error.to_string()),
        };
        let value = match proved {
            Ok(value) => value,
            Err(why) => {
                answer(format!("{}: {why}", line.letter));
                left += 1;
                continue;
            }
        };
        let mut record = FutureRecord::<[u8], [u8]>::to(&settings.kafka.topic).headers(own_headers(&letter));
        record.key = letter.key();
        record.payload = value.as_deref().or(letter.payload());
        producer
            .send(record, Duration::from_secs(30))
            .await
            .map_err(|(error, _)| error)
            .with_context(|| format!("{} was not sent", line.letter))?;
        sent += 1;
    }
    answer(format!("{sent} sent again, {left} left as they are"));
    Ok(())
}

/// The event's record with a new proof; or why it is not to be sent.
async fn prove_anew(
    settings: &Settings,
    store: &Store,
    mut event: Event,
) -> anyhow::Result<Result<Option<Vec<u8>>, String>> {
    let topic = &settings.kafka.topic;
    // In this order: what is stored up to there is found.
    let position = store.log_position(topic).await.context("the database cannot be read")?;
    if !store.events_by_id(&[event.id]).await.context("the database cannot be read")?.is_empty() {
        return Ok(Err("it is stored already".to_owned()));
    }
    let log = existing(&settings.kafka).await?;
    let partition = partition_of(event.conversation, log.len());
    let state = log.get(&partition).context("the topic has no partition for it")?;
    let next = position.next_offsets.get(&partition).copied().unwrap_or(state.low);
    // Half of it is left for what is written meanwhile.
    if state.high - next > REPEAT_WINDOW_OFFSETS / 2 {
        let behind = state.high - next;
        return Ok(Err(format!(
            "{behind} records of its partition are not stored yet: try again when they are"
        )));
    }
    event.seen = Some(Position::new(position.epoch, next));
    Ok(Ok(Some(event.encode())))
}

/// The record's headers as they were before it died.
fn own_headers(letter: &OwnedMessage) -> OwnedHeaders {
    letter
        .headers()
        .into_iter()
        .flat_map(Headers::iter)
        .filter(|header| !OUR_HEADERS.contains(&header.key))
        .fold(OwnedHeaders::new(), |headers, header| headers.insert(header))
}

async fn every(settings: &KafkaSettings) -> anyhow::Result<Vec<OwnedMessage>> {
    existing(&dead_topic(settings)).await?;
    let mut letters = open(settings, |message| message.detach()).await?;
    let mut found = Vec::new();
    while let Some(chunk) = letters.recv().await {
        found.extend(chunk?);
    }
    Ok(found)
}

async fn find(settings: &KafkaSettings, names: &[String]) -> anyhow::Result<Vec<OwnedMessage>> {
    let found: Vec<_> =
        every(settings).await?.into_iter().filter(|letter| names.contains(&name_of(letter))).collect();
    if let Some(missing) = names.iter().find(|name| !found.iter().any(|letter| name_of(letter) == **name)) {
        bail!("there is no dead letter {missing}: see {}", command("dead list"));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::visible;

    #[test]
    fn what_strangers_wrote_does_not_command_the_terminal() {
        assert_eq!(visible("\u{1b}]0;pwned\u{7}\r\n"), r"\u{1b}]0;pwned\u{7}\r\n");
        assert_eq!(visible("\u{202e}\u{9b}2J"), r"\u{202e}\u{9b}2J");
        assert_eq!(visible("the field \"to\" isn't Jesenská's"), "the field \"to\" isn't Jesenská's");
    }
}
