//! One consumer from its checks to its end.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use milena_domain::check_log;
use milena_kafka::{LogError, ensure_topics, existing_partition_states};
use milena_process::patiently;
use milena_settings::Settings;
use milena_storage::Store;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::batch::{Batch, Limits};
use crate::dead_letters::DeadLetterTopic;
use crate::error::ConsumerError;
use crate::health::Health;
use crate::ingest::{Ingest, Plan, WriterPort};
use crate::metrics;
use crate::outcome::Outcome;
use crate::poll;
use crate::report::Summary;
use crate::sink::{DeadLetters, Sink};
use crate::unassigned;
use crate::writer::Writer;

/// Carries the log into `store` until `shutdown`, then writes what is at hand and leaves the group.
///
/// The store must be migrated. Several consumers may run in one process and in many; Kafka divides the
/// partitions among those of one group. Ends within `consumer.drain_ms` and about 10 s after `shutdown`; what
/// was not stored by then stays in the log. Never ends the process.
///
/// # Errors
/// Why it did not start or stopped by itself; see [`ConsumerError`]. A store or a broker that goes away
/// *while it runs* is none: it waits for them. When it starts before they do, it waits for
/// `kafka.start_timeout_ms`.
pub async fn run(
    settings: Settings,
    store: Store,
    shutdown: CancellationToken,
) -> Result<Summary, ConsumerError> {
    run_watched(settings, store, shutdown, Health::default()).await
}

/// [`run`], with a handle that says how it does.
///
/// # Errors
/// As [`run`].
pub async fn run_watched(
    settings: Settings,
    store: Store,
    shutdown: CancellationToken,
    health: Health,
) -> Result<Summary, ConsumerError> {
    let store = store.keeping_edits(settings.chat.keep_edits);
    let result = carry(settings, store, shutdown, &health).await;
    health.ended();
    result
}

async fn carry(
    settings: Settings,
    store: Store,
    shutdown: CancellationToken,
    health: &Health,
) -> Result<Summary, ConsumerError> {
    metrics::start();
    let plan = tokio::select! {
        () = shutdown.cancelled() => return Ok(Summary::default()),
        plan = begin(&settings, &store) => plan?,
    };
    let enough = shutdown.child_token();
    let watching = tokio::spawn(unassigned::watch(settings.clone(), enough.clone()));
    log::info!(
        topic = settings.kafka.topic.as_str(),
        group = settings.consumer.group.as_str(),
        epoch = plan.epoch.get();
        "the consumer reads"
    );
    let mut total = Summary::default();
    let result = loop {
        let (summary, result) = spell(&settings, &plan, &store, &shutdown, health).await;
        total += summary;
        match result {
            Err(ConsumerError::Forgotten) => {
                log::warn!("a new Kafka client takes over: the old one has forgotten all brokers");
            }
            result => break result,
        }
    };
    enough.cancel();
    watching.abort();
    result.map(|()| total)
}

/// From joining the group to leaving it, with Kafka clients of its own. Everything else begins at the store's
/// offsets each time.
async fn spell(
    settings: &Settings,
    plan: &Plan,
    store: &Store,
    shutdown: &CancellationToken,
    health: &Health,
) -> (Summary, Result<(), ConsumerError>) {
    let begun = DeadLetterTopic::new(Arc::new(settings.kafka.clone())).and_then(|dead_letters| {
        let (poller, inbox) = poll::start(settings, plan.partitioning.clone())?;
        Ok((dead_letters, poller, inbox))
    });
    let (dead_letters, poller, inbox) = match begun {
        Ok(begun) => begun,
        Err(error) => return (Summary::default(), Err(error)),
    };
    let writer = Writer::new(store.clone(), dead_letters, plan.topic.clone(), plan.epoch, health.clone())
        .in_partitions(plan.partitioning.now());
    let (task, port) = spawn_writer(writer);
    let commands = poller.commands.clone();
    let ingest = Ingest::new(plan.clone(), store.clone(), inbox, commands, port, health.clone());
    let ended = ingest.run(shutdown).await;
    // The port went with the loop: an idle writer ends by itself, one that still retries is cut off here.
    task.abort();
    let _ = task.await;
    if matches!(ended.result, Err(ConsumerError::Forgotten)) {
        // It has nobody to tell, and may take long to close. What it held is read again from the store's
        // offsets.
        tokio::spawn(poller.stop(BTreeMap::new()));
        health.began_anew();
        metrics::rebalance(0);
    } else {
        poller.stop(ended.commits).await;
    }
    (ended.summary, ended.result)
}

/// Waits for what comes up later than the consumer: brokers, topics, leaders, the database.
async fn begin(settings: &Settings, store: &Store) -> Result<Plan, ConsumerError> {
    let patience = Duration::from_millis(settings.kafka.start_timeout_ms);
    patiently("Kafka", patience, LogError::is_temporary, |limit| ensure_topics(&settings.kafka, limit))
        .await?;
    patiently("log and database", patience, ConsumerError::passes, |limit| prepare(settings, store, limit))
        .await
}

/// Refuses to begin when log and store do not belong together.
async fn prepare(settings: &Settings, store: &Store, limit: Duration) -> Result<Plan, ConsumerError> {
    let topic = &settings.kafka.topic;
    // In this order: other consumers go on storing meanwhile, and the log's ends must not be older than their
    // offsets.
    let position = store.log_position(topic).await?;
    let noted = store.noted_partitions(topic).await?;
    let states = existing_partition_states(&settings.kafka, limit).await?;
    check_log(topic, settings.kafka.partitions, &states, noted.with(&position)).map_err(LogError::from)?;
    store.note_partitions(topic, position.epoch, states.len()).await?;
    let consumer = &settings.consumer;
    Ok(Plan {
        topic: topic.clone(),
        epoch: position.epoch,
        limits: Limits {
            rows: consumer.batch_rows,
            bytes: consumer.batch_bytes,
            age: Duration::from_millis(consumer.batch_age_ms),
            idle: Duration::from_millis(consumer.batch_idle_ms),
        },
        drain: Duration::from_millis(consumer.drain_ms),
        partitioning: Arc::new(noted.partitioning(states.len())),
        log_ends: states.iter().map(|(&partition, state)| (partition, state.high)).collect(),
    })
}

/// The writer in a task of its own, so that reading goes on while it works. It ends after an error, or when
/// the other end of the port is gone.
pub(crate) fn spawn_writer<S: Sink, G: DeadLetters>(
    mut writer: Writer<S, G>,
) -> (JoinHandle<()>, WriterPort) {
    let (batches, mut batch_receiver) = mpsc::channel::<Batch>(1);
    let (outcome_sender, outcomes) = mpsc::channel::<Result<Outcome, ConsumerError>>(1);
    let task = tokio::spawn(async move {
        while let Some(batch) = batch_receiver.recv().await {
            let result = writer.write(batch).await;
            let failed = result.is_err();
            if outcome_sender.send(result).await.is_err() || failed {
                return;
            }
        }
    });
    (task, WriterPort { batches, outcomes })
}
