//! Which offsets a replay reads.

use std::collections::BTreeMap;
use std::ops::Range;
use std::str::FromStr;

use anyhow::Context;
use milena_domain::{PartitionState, Timestamp};
use milena_kafka::{Role, client_config};
use milena_settings::Settings;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::{Offset, TopicPartitionList};

use super::Request;
use crate::commands::{ANSWER_TIMEOUT, answer};

/// Where to begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Start {
    /// The log's first record.
    Beginning,
    /// Where the store ends: what is missing.
    Stored,
    /// This offset, in each partition.
    Offset(i64),
    /// The first record of this time or later.
    Time(Timestamp),
}

impl FromStr for Start {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "beginning" => Ok(Self::Beginning),
            "stored" => Ok(Self::Stored),
            number if number.bytes().all(|byte| byte.is_ascii_digit()) && !number.is_empty() => {
                number.parse().map(Self::Offset).map_err(|_| "the offset is too large".to_owned())
            }
            time => time.parse().map(Self::Time).map_err(|_| {
                "must be beginning, stored, an offset, or a time such as 2026-01-31T12:00:00Z".to_owned()
            }),
        }
    }
}

/// The offsets to read, by partition.
pub(super) async fn spans(
    settings: &Settings,
    request: &Request,
    log: &BTreeMap<i32, PartitionState>,
    stored: &BTreeMap<i32, i64>,
) -> anyhow::Result<BTreeMap<i32, Range<i64>>> {
    let partitions = request.partitions.clone().unwrap_or_else(|| log.keys().copied().collect());
    let begin = beginnings(settings, request.from, &partitions).await?;
    let end = match request.until {
        Some(time) => offsets_at(settings, &partitions, time).await?,
        None => BTreeMap::new(),
    };
    let mut spans = BTreeMap::new();
    for (&partition, &wanted) in &begin {
        let state = log
            .get(&partition)
            .with_context(|| format!("topic {} has no partition {partition}", settings.kafka.topic))?;
        let span = span(wanted, end.get(&partition).copied(), *state, stored.get(&partition).copied());
        if wanted.is_some_and(|wanted| wanted > span.start) && span.start < state.high {
            let start = span.start;
            answer(format!(
                "partition {partition}: begins at {start}, where the store ends, so that nothing is left out"
            ));
        }
        spans.insert(partition, span);
    }
    Ok(spans)
}

/// From what is wanted (`None`: where the store ends) to what can be had: not before the log's beginning, not
/// beyond the store's end.
fn span(wanted: Option<i64>, until: Option<i64>, log: PartitionState, stored: Option<i64>) -> Range<i64> {
    let stored = stored.unwrap_or(log.low);
    let start = wanted.unwrap_or(stored).clamp(log.low, stored.max(log.low));
    let end = until.unwrap_or(log.high).min(log.high);
    start..end.max(start)
}

/// Where each partition begins; `None` where the store ends.
async fn beginnings(
    settings: &Settings,
    from: Start,
    partitions: &[i32],
) -> anyhow::Result<BTreeMap<i32, Option<i64>>> {
    let everywhere = |offset| partitions.iter().map(|&partition| (partition, offset)).collect();
    Ok(match from {
        Start::Beginning => everywhere(Some(0)),
        Start::Stored => everywhere(None),
        Start::Offset(offset) => everywhere(Some(offset)),
        Start::Time(time) => {
            let found = offsets_at(settings, partitions, time).await?;
            partitions.iter().map(|&partition| (partition, found.get(&partition).copied())).collect()
        }
    })
}

/// The first offset of `time` or later, by partition; absent where there is none.
async fn offsets_at(
    settings: &Settings,
    partitions: &[i32],
    time: Timestamp,
) -> anyhow::Result<BTreeMap<i32, i64>> {
    let config = client_config(&settings.kafka, &Role::Tail);
    let (topic, partitions) = (settings.kafka.topic.clone(), partitions.to_vec());
    let ask = move || -> anyhow::Result<BTreeMap<i32, i64>> {
        let consumer: BaseConsumer = config.create()?;
        let mut list = TopicPartitionList::new();
        for partition in partitions {
            list.add_partition_offset(&topic, partition, Offset::Offset(time.unix_ms()))?;
        }
        let found = consumer.offsets_for_times(list, ANSWER_TIMEOUT)?;
        let elements = found.elements();
        Ok(elements
            .iter()
            .filter_map(|element| match element.offset() {
                Offset::Offset(offset) => Some((element.partition(), offset)),
                _ => None,
            })
            .collect())
    };
    tokio::task::spawn_blocking(ask).await?.context("the log cannot be asked for a time")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beginnings_are_told_apart() {
        assert_eq!("beginning".parse(), Ok(Start::Beginning));
        assert_eq!("stored".parse(), Ok(Start::Stored));
        assert_eq!("42".parse(), Ok(Start::Offset(42)));
        let time = Timestamp::from_unix_ms(1_769_860_800_000);
        assert_eq!("2026-01-31T12:00:00Z".parse(), Ok(Start::Time(time)));
        assert!("yesterday".parse::<Start>().is_err());
        assert!("".parse::<Start>().is_err());
    }

    #[test]
    fn a_replay_never_begins_beyond_the_store() {
        let log = PartitionState { low: 5, high: 100 };
        assert_eq!(span(Some(0), None, log, Some(50)), 5..100);
        assert_eq!(span(Some(70), None, log, Some(50)), 50..100);
        assert_eq!(span(None, None, log, Some(50)), 50..100);
        assert_eq!(span(None, None, log, None), 5..100);
        assert_eq!(span(Some(70), Some(80), log, None), 5..80);
        assert_eq!(span(Some(20), Some(10), log, Some(50)), 20..20, "nothing, not backwards");
    }
}
