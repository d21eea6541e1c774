//! `new-epoch`: begins to count positions anew, after the topic was recreated, restored or repartitioned.

use std::collections::BTreeMap;
use std::io::{BufRead, IsTerminal, Write};
use std::ops::Range;
use std::sync::Arc;

use anyhow::{Context, bail};
use milena_domain::cure::{all_programs, command};
use milena_domain::{LogMismatch, PartitionState, Partitioning, Timestamp, check_log};
use milena_kafka::{Role, client_config};
use milena_settings::Settings;
use milena_storage::{LogPosition, Store};
use rdkafka::consumer::{BaseConsumer, Consumer};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::replay::carry::{Purpose, carry};
use super::{ANSWER_TIMEOUT, answer, checkpoint, existing};

/// Begins a new epoch. Without `yes`, asks first.
pub(crate) async fn new_epoch(settings: &Settings, store: &Store, yes: bool) -> anyhow::Result<()> {
    let topic = &settings.kafka.topic;
    let position = store.log_position(topic).await.context("the database cannot be read")?;
    let log = existing(&settings.kafka).await?;
    refuse_while_others_run(settings).await?;
    let noted = store.noted_partitions(topic).await.context("the database cannot be read")?;
    match check_log(topic, settings.kafka.partitions, &log, noted.with(&position)) {
        // A wrong setting is no reason for a new epoch, and would be noted as the new epoch's number.
        Err(wrong @ (LogMismatch::Setting { .. } | LogMismatch::Rewritten { .. })) => {
            return Err(wrong.into());
        }
        Ok(()) => answer(format!(
            "Log and store of topic {topic} fit: a new epoch is needed only if the topic was recreated or \
             restored."
        )),
        Err(mismatch) => answer(mismatch),
    }
    answer(format!(
        "A new epoch means: the store is in epoch {} now; in the next one every partition is read from its \
         beginning again. Messages that are stored stay where they are, new ones come behind all of them. \
         There is no way back.",
        position.epoch
    ));
    if !yes && !confirmed("Begin a new epoch?").await? {
        bail!("nothing was changed");
    }
    if let Some(before) = noted.of(position.epoch).filter(|&before| before < log.len()) {
        let leftovers = leftovers(&position, &log, before);
        let stored = store_leftovers(settings, store, &position, leftovers, before).await?;
        answer(format!("{stored} messages that were written before the partitions were added are stored."));
    }
    let epoch = store.begin_epoch(Timestamp::now()).await.context("the new epoch could not begin")?;
    store.note_partitions(topic, epoch, log.len()).await.context("the database cannot be written")?;
    // Boxed: it is large, and the future of every command keeps it.
    let kept = Box::pin(checkpoint::write(settings, store, epoch, &log)).await.with_context(|| {
        format!(
            "epoch {epoch} has begun, but what the store knows of rooms could not be written into the log: \
             run {} again",
            command("new-epoch")
        )
    })?;
    if kept.rooms > 0 || kept.blocks > 0 {
        answer(format!("Rooms carried over: {}. Blocks carried over: {}.", kept.rooms, kept.blocks));
    }
    answer(format!("Epoch {epoch} has begun. Start {}.", all_programs()));
    Ok(())
}

/// What the store lacks of the partitions that were there `before`.
fn leftovers(
    position: &LogPosition,
    log: &BTreeMap<i32, PartitionState>,
    before: usize,
) -> BTreeMap<i32, Range<i64>> {
    log.iter()
        .take(before)
        .map(|(&partition, state)| {
            let stored = position.next_offsets.get(&partition).copied().unwrap_or(state.low).max(state.low);
            (partition, stored..state.high.max(stored))
        })
        .collect()
}

/// Stores, in the epoch that ends, what was written into the topic while it had fewer partitions: in the new
/// epoch it would come behind what was written since. Answers how many messages.
async fn store_leftovers(
    settings: &Settings,
    store: &Store,
    position: &LogPosition,
    spans: BTreeMap<i32, Range<i64>>,
    before: usize,
) -> anyhow::Result<u64> {
    let (partitioning, never) = (Arc::new(Partitioning::new(before, [])), CancellationToken::new());
    let carried = carry(settings, store, position, spans, partitioning, Purpose::Leftovers, &never);
    // Boxed: it is large, and the future of every command keeps it.
    let tally = Box::pin(carried)
        .await
        .context("what was written before the partitions were added could not be stored")?;
    Ok(tally.inserted)
}

/// Refuses to go on while there are consumers in the group.
pub(super) async fn refuse_while_others_run(settings: &Settings) -> anyhow::Result<()> {
    let members = members(settings).await?;
    if members > 0 {
        bail!(
            "{members} consumer{} of group {} still run: stop {} first",
            if members == 1 { "" } else { "s" },
            settings.consumer.group,
            all_programs()
        );
    }
    Ok(())
}

/// Asks the person at the terminal.
pub(super) async fn confirmed(question: &str) -> anyhow::Result<bool> {
    if !std::io::stdin().is_terminal() {
        bail!("there is nobody to ask: say --yes");
    }
    let mut stdout = std::io::stdout();
    write!(stdout, "{question} Type yes: ")?;
    stdout.flush()?;
    // On a thread that nobody waits for: a person who never answers must not keep the program from its end.
    let (answered, typed) = oneshot::channel();
    std::thread::Builder::new().name("question".to_owned()).spawn(move || {
        let mut line = String::new();
        let read = std::io::stdin().lock().read_line(&mut line);
        let _ = answered.send(read.map(|_| line));
    })?;
    Ok(typed.await.context("nothing was answered")??.trim() == "yes")
}

/// How many consumers are in the group.
async fn members(settings: &Settings) -> anyhow::Result<usize> {
    let config = client_config(&settings.kafka, &Role::Admin);
    let group = settings.consumer.group.clone();
    let ask = move || -> anyhow::Result<usize> {
        let client: BaseConsumer = config.create()?;
        let groups = client.fetch_group_list(Some(&group), ANSWER_TIMEOUT)?;
        Ok(groups.groups().iter().map(|group| group.members().len()).sum())
    };
    tokio::task::spawn_blocking(ask).await?.context("the group's members cannot be read")
}
