//! Partitions that nobody holds, and how they come back.
//!
//! A cooperative group moves a partition in two rounds: in the first its holder gives it up, in the second,
//! for which the holder asks when it has done so, somebody gets it. If the holder is killed in between and is
//! a *static* member that returns before its session has timed out, Kafka hands it what it had after the
//! first round and sees no reason for a second: the partition stays with nobody until the group changes for
//! another reason. (Found by killing consumers in the revoke callback.) So each consumer looks now and then,
//! and when something has been nobody's for longer than a move can take, it makes the group divide its
//! partitions anew.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use milena_kafka::{Quiet, Role, client_config};
use milena_settings::{KafkaSettings, Settings};
use rdkafka::consumer::{BaseConsumer, Consumer};
use tokio_util::sync::CancellationToken;

/// Between two checks.
const PERIOD: Duration = Duration::from_secs(10);
/// One question blocks its thread so long, and with it the program's end. Then it is asked again through the
/// same client, which goes on connecting meanwhile, however slow that is.
const QUESTION: Duration = Duration::from_secs(2);
/// Who has not answered by then is away.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long the rebalance may take: longer than a member takes to drain its partitions.
const REBALANCE_TIMEOUT: Duration = Duration::from_secs(30);

/// Checks until it is dropped; `stop` cuts a forced rebalance short.
pub(crate) async fn watch(settings: Settings, stop: CancellationToken) {
    let patience = Duration::from_millis(settings.consumer.drain_ms) + PERIOD;
    let mut since: Option<Instant> = None;
    loop {
        tokio::time::sleep(PERIOD.mul_f64(rand::random_range(0.8..1.2))).await;
        let (kafka, group) = (settings.kafka.clone(), settings.consumer.group.clone());
        let enough = stop.clone();
        let unassigned =
            match tokio::task::spawn_blocking(move || unassigned_partitions(&kafka, &group, &enough)).await {
                Ok(Ok(unassigned)) => unassigned,
                Ok(Err(error)) => {
                    log::debug!("the group's members are not known at the moment: {error:#}");
                    continue;
                }
                Err(_) => return,
            };
        if unassigned.is_empty() {
            since = None;
        } else if since.get_or_insert_with(Instant::now).elapsed() >= patience {
            log::warn!(
                partitions:? = unassigned;
                "partitions are nobody's; the group is made to divide them anew"
            );
            let (kafka, group, stop) =
                (settings.kafka.clone(), settings.consumer.group.clone(), stop.clone());
            let forced = tokio::task::spawn_blocking(move || force_rebalance(&kafka, &group, &stop)).await;
            if let Ok(Err(error)) = forced {
                log::warn!("the group was not reached, trying again: {error:#}");
            }
            since = None;
        }
    }
}

/// The partitions that no member of a settled group holds; none while it is not settled.
fn unassigned_partitions(
    kafka: &KafkaSettings,
    group: &str,
    stop: &CancellationToken,
) -> anyhow::Result<BTreeSet<i32>> {
    let client: BaseConsumer<Quiet> =
        client_config(kafka, &Role::Admin).create_with_context(Quiet::default())?;
    let deadline = Instant::now() + PATIENCE;
    let groups = loop {
        match client.fetch_group_list(Some(group), QUESTION) {
            Ok(groups) => break groups,
            Err(error) if stop.is_cancelled() || Instant::now() >= deadline => return Err(error.into()),
            // What is refused at once is not asked all the time.
            Err(_) => std::thread::sleep(Duration::from_millis(100)),
        }
    };
    let Some(group) = groups.groups().iter().find(|found| found.name() == group && found.state() == "Stable")
    else {
        return Ok(BTreeSet::new());
    };
    let mut unassigned: BTreeSet<i32> = (0..i32::try_from(kafka.partitions)?).collect();
    for member in group.members() {
        for partition in held(member.assignment().unwrap_or_default(), &kafka.topic)? {
            unassigned.remove(&partition);
        }
    }
    Ok(unassigned)
}

/// A temporary member that subscribes to nothing but the dead-letter topic joins the group and leaves it
/// again: that makes two rounds in which whoever leads the group sees what is nobody's. No partition of the
/// message topic moves to it.
fn force_rebalance(kafka: &KafkaSettings, group: &str, stop: &CancellationToken) -> anyhow::Result<()> {
    let mut config = client_config(kafka, &Role::Consumer { group: group.to_owned() });
    config.remove("group.instance.id");
    let member: BaseConsumer<Quiet> = config.create_with_context(Quiet::default())?;
    member.subscribe(&[&kafka.dead_topic])?;
    let deadline = Instant::now() + REBALANCE_TIMEOUT;
    while member.assignment()?.count() == 0 && !stop.is_cancelled() {
        if Instant::now() >= deadline {
            bail!("not let in within {} s", REBALANCE_TIMEOUT.as_secs());
        }
        // What it reads is read by others: only the callbacks count here.
        let _ = member.poll(Duration::from_millis(100));
    }
    member.unsubscribe();
    Ok(())
}

/// The partitions of `topic` in a member's assignment, as the consumer protocol writes it: a version, then
/// for each topic its name and its partitions, all lengths in front.
fn held(mut bytes: &[u8], topic: &str) -> anyhow::Result<Vec<i32>> {
    if bytes.is_empty() {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    take::<2>(&mut bytes)?;
    for _ in 0..i32::from_be_bytes(take(&mut bytes)?) {
        let length = usize::from(u16::from_be_bytes(take(&mut bytes)?));
        let (name, rest) = bytes.split_at_checked(length).context("a topic's name is cut off")?;
        bytes = rest;
        for _ in 0..i32::from_be_bytes(take(&mut bytes)?) {
            let partition = i32::from_be_bytes(take(&mut bytes)?);
            if name == topic.as_bytes() {
                found.push(partition);
            }
        }
    }
    Ok(found)
}

fn take<const N: usize>(bytes: &mut &[u8]) -> anyhow::Result<[u8; N]> {
    let (first, rest) = bytes.split_first_chunk().context("an assignment is cut off")?;
    *bytes = rest;
    Ok(*first)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(topics: &[(String, Vec<i32>)]) -> Vec<u8> {
        let mut bytes = vec![0, 1];
        bytes.extend((topics.len() as i32).to_be_bytes());
        for (name, partitions) in topics {
            bytes.extend((name.len() as u16).to_be_bytes());
            bytes.extend(name.as_bytes());
            bytes.extend((partitions.len() as i32).to_be_bytes());
            bytes.extend(partitions.iter().flat_map(|partition| partition.to_be_bytes()));
        }
        // User data, which nobody here reads.
        bytes.extend([0, 0, 0, 0]);
        bytes
    }

    proptest! {
        #[test]
        fn an_assignment_is_read_as_it_was_written(
            ours in prop::collection::vec(0_i32..100, 0..20),
            others in prop::collection::vec(
                ("[a-z]{1,9}-other", prop::collection::vec(0_i32..9, 0..5)),
                0..3,
            ),
        ) {
            let mut topics = others;
            topics.push(("chat".to_owned(), ours.clone()));
            prop_assert_eq!(held(&written(&topics), "chat").unwrap(), ours);
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            let _ = held(&bytes, "chat");
        }
    }

    #[test]
    fn a_member_without_an_assignment_holds_nothing() {
        assert!(held(&[], "chat").unwrap().is_empty());
    }
}
