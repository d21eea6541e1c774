//! `new-epoch --without-deleted`: writes the message topic anew, without the words of deleted messages.
//!
//! Every record keeps its offset, so every position stays what it is: in the store, in other records that
//! name it, in cursors, and in the hands of clients. No epoch has to begin ([ADR
//! 0012](../../../../docs/adr/0012-erasure-keeps-positions.md)).
//!
//! The stages are noted in the store, each before the next is begun; killed at any point, the same command
//! goes on. No program runs meanwhile: whoever starts is refused, and backends that run stop.
//!
//! 1. Copying: into another topic, and compared with this one, record by record.
//! 2. Copied: if nothing was written into this topic since, it is noted that the copy is the log.
//! 3. Replacing: this topic is deleted, created again and filled from the copy, and compared with it.
//! 4. Replaced: the copy is deleted.

mod copy;
mod wordless;

use std::collections::HashSet;
use std::time::Duration;

use anyhow::{Context, bail};
use milena_domain::cure::{all_programs, command};
use milena_domain::{MessageId, check_log};
use milena_kafka::{create_twin, delete_topic, topic_form};
use milena_settings::{KafkaSettings, Settings};
use milena_storage::{RewriteStage, Store, crash_point};
use tokio_util::sync::CancellationToken;

use self::copy::{Copied, Copy};
use super::new_epoch::{confirmed, refuse_while_others_run};
use super::replay::carry::{Purpose, carry};
use super::{ANSWER_TIMEOUT, answer, existing};

/// A topic may take so long to go: Kafka deletes it on all its brokers.
const TOPIC_TIMEOUT: Duration = Duration::from_secs(60);
/// What the copy's name ends with.
const COPY: &str = ".without-deleted";

/// Rewrites the topic, or goes on with that. Without `yes`, asks first.
pub(crate) async fn rewrite(settings: &Settings, store: &Store, yes: bool) -> anyhow::Result<()> {
    let topic = &settings.kafka.topic;
    refuse_while_others_run(settings).await?;
    let begun = store.rewrite_stage(topic).await.context("the database cannot be read")?;
    let rewrite = Rewrite { settings, store, copy: named(&settings.kafka, &format!("{topic}{COPY}")) };
    if begun.is_none() {
        rewrite.begin(yes).await?;
    }
    let copied = loop {
        match store.rewrite_stage(topic).await.context("the database cannot be read")? {
            None => bail!("somebody else has ended it"),
            Some(RewriteStage::Copying) => rewrite.copy().await?,
            Some(RewriteStage::Copied) => rewrite.delete_original().await?,
            Some(RewriteStage::Replacing) => rewrite.replace().await?,
            Some(RewriteStage::Replaced) => break rewrite.end().await?,
        }
    };
    answer(format!(
        "Topic {topic} was written anew: {copied} records, each at its place. What was deleted is not in it. \
         Start {}.",
        all_programs()
    ));
    Ok(())
}

struct Rewrite<'a> {
    settings: &'a Settings,
    store: &'a Store,
    /// The other topic.
    copy: KafkaSettings,
}

fn named(kafka: &KafkaSettings, topic: &str) -> KafkaSettings {
    KafkaSettings { topic: topic.to_owned(), ..kafka.clone() }
}

impl Rewrite<'_> {
    fn topic(&self) -> &str {
        &self.settings.kafka.topic
    }

    async fn note(&self, stage: Option<RewriteStage>) -> anyhow::Result<()> {
        self.store.note_rewrite(self.topic(), stage).await.context("the database cannot be written")
    }

    async fn begin(&self, yes: bool) -> anyhow::Result<()> {
        let log = existing(&self.settings.kafka).await?;
        let position = self.store.log_position(self.topic()).await.context("the database cannot be read")?;
        let noted = self.store.noted_partitions(self.topic()).await.context("the database cannot be read")?;
        check_log(self.topic(), self.settings.kafka.partitions, &log, noted.with(&position))?;
        if topic_form(&self.copy, &self.copy.topic, ANSWER_TIMEOUT).await?.is_some() {
            bail!("there is a topic {} already: delete it first", self.copy.topic);
        }
        answer(format!(
            "Topic {} is written anew without the words of deleted messages and of their edits: first a \
             copy, {}, which is compared with it; then the topic is deleted, created again and filled from \
             the copy. All records keep their places. It takes the room of the log once more, and whatever \
             was written into backups before still has the words.",
            self.topic(),
            self.copy.topic
        ));
        if !yes && !confirmed("Write it anew, and delete the topic as it is?").await? {
            bail!("nothing was changed");
        }
        self.note(Some(RewriteStage::Copying)).await?;
        crash_point("rewrite_begun");
        Ok(())
    }

    /// Stores what is left to be stored, so that all deletions are known; then copies, and compares.
    async fn copy(&self) -> anyhow::Result<()> {
        self.until_nobody_writes().await?;
        self.store_rest().await?;
        let deleted = self.deleted().await?;
        let form = topic_form(&self.settings.kafka, self.topic(), ANSWER_TIMEOUT).await?;
        let form = form.with_context(|| format!("there is no topic {}", self.topic()))?;
        let copy = self.to_copy(&deleted);
        let mut again = true;
        loop {
            create_twin(&self.copy, &self.copy.topic, &form, TOPIC_TIMEOUT).await?;
            copy.fill().await?;
            crash_point("rewrite_filled");
            match copy.compare().await {
                Ok(Copied { records, wordless }) => {
                    answer(format!("The copy is whole: {records} records, {wordless} without their words."));
                    break;
                }
                // An earlier attempt may have left what is not so any more.
                Err(difference) if again => {
                    answer(format!("The copy is made anew: {difference}."));
                    delete_topic(&self.copy, &self.copy.topic, TOPIC_TIMEOUT).await?;
                    again = false;
                }
                Err(difference) => return Err(difference),
            }
        }
        self.note(Some(RewriteStage::Copied)).await?;
        crash_point("rewrite_copied");
        Ok(())
    }

    fn to_copy<'d>(&self, without: &'d HashSet<MessageId>) -> Copy<'d> {
        Copy { from: self.settings.kafka.clone(), to: self.copy.clone(), without }
    }

    /// The last look: what somebody has written meanwhile is copied first. From the note on the copy is the
    /// log, and whatever stands under the topic's name is nothing.
    async fn delete_original(&self) -> anyhow::Result<()> {
        let nothing = HashSet::new();
        let (original, copy) = self.to_copy(&nothing).ends().await?;
        let high = |states: &copy::Ends, partition| states.get(&partition).map_or(0, |state| state.high);
        if copy.iter().any(|(&partition, state)| high(&original, partition) < state.high) {
            bail!(
                "topic {} ends before its copy {}: somebody has changed it; both are left as they are",
                self.topic(),
                self.copy.topic
            );
        }
        if original.iter().any(|(&partition, state)| state.high > high(&copy, partition)) {
            answer("Something was written meanwhile: the copy goes on.");
            return self.note(Some(RewriteStage::Copying)).await;
        }
        self.note(Some(RewriteStage::Replacing)).await?;
        crash_point("rewrite_replacing");
        delete_topic(&self.settings.kafka, self.topic(), TOPIC_TIMEOUT).await?;
        crash_point("rewrite_deleted");
        Ok(())
    }

    async fn replace(&self) -> anyhow::Result<()> {
        let form = topic_form(&self.copy, &self.copy.topic, ANSWER_TIMEOUT).await?;
        let form = form.with_context(|| format!("topic {} is gone, which has the log", self.copy.topic))?;
        let nothing = HashSet::new();
        let back = Copy { from: self.copy.clone(), to: self.settings.kafka.clone(), without: &nothing };
        let mut again = true;
        loop {
            // It may be that of before, which differs and goes below; or a program that was started all the
            // same has made one as it thought right.
            let there = topic_form(&self.settings.kafka, self.topic(), ANSWER_TIMEOUT).await?;
            if there.is_some_and(|there| there != form) {
                delete_topic(&self.settings.kafka, self.topic(), TOPIC_TIMEOUT).await?;
            }
            create_twin(&self.settings.kafka, self.topic(), &form, TOPIC_TIMEOUT).await?;
            let made = match back.fill().await {
                Ok(()) => back.compare().await,
                Err(error) => Err(error),
            };
            match made {
                Ok(_) => break,
                Err(difference) if again => {
                    answer(format!("The topic is filled anew: {difference}."));
                    delete_topic(&self.settings.kafka, self.topic(), TOPIC_TIMEOUT).await?;
                    again = false;
                }
                Err(difference) => return Err(difference),
            }
        }
        self.note(Some(RewriteStage::Replaced)).await?;
        crash_point("rewrite_replaced");
        Ok(())
    }

    /// Answers how many records there are.
    async fn end(&self) -> anyhow::Result<i64> {
        delete_topic(&self.copy, &self.copy.topic, TOPIC_TIMEOUT).await?;
        crash_point("rewrite_cleaned");
        let log = existing(&self.settings.kafka).await?;
        self.note(None).await?;
        Ok(log.values().map(|state| state.high).sum())
    }

    /// Backends that run look once in `stored_poll_ms` whether this was begun; then they stop, and what they
    /// have sent is confirmed, or not, by `send_timeout_ms`.
    async fn until_nobody_writes(&self) -> anyhow::Result<()> {
        let delivery = &self.settings.delivery;
        let patience = Duration::from_millis(delivery.stored_poll_ms + delivery.send_timeout_ms);
        for _ in 0..10 {
            let before = existing(&self.settings.kafka).await?;
            tokio::time::sleep(patience).await;
            if existing(&self.settings.kafka).await? == before {
                return Ok(());
            }
        }
        bail!("somebody still writes into topic {}: stop {} first", self.topic(), all_programs())
    }

    async fn store_rest(&self) -> anyhow::Result<()> {
        let log = existing(&self.settings.kafka).await?;
        let position = self.store.log_position(self.topic()).await.context("the database cannot be read")?;
        let noted = self.store.noted_partitions(self.topic()).await.context("the database cannot be read")?;
        let stored = |partition| position.next_offsets.get(&partition).copied().unwrap_or(0);
        let spans =
            log.iter().map(|(&partition, state)| (partition, stored(partition)..state.high)).collect();
        let (partitioning, never) = (noted.partitioning(log.len()).into(), CancellationToken::new());
        let carried =
            carry(self.settings, self.store, &position, spans, partitioning, Purpose::Replay, &never);
        // Boxed: it is large, and the future of every command keeps it.
        Box::pin(carried).await.context("what is not stored yet could not be stored")?;
        let position = self.store.log_position(self.topic()).await.context("the database cannot be read")?;
        if let Some((partition, _)) = log.iter().find(|(partition, state)| state.high < stored(**partition)) {
            bail!("topic {} has lost its end in partition {partition}: nothing was changed", self.topic());
        }
        let behind = log.iter().find(|(partition, state)| {
            state.high > position.next_offsets.get(partition).copied().unwrap_or(0)
        });
        if let Some((partition, _)) = behind {
            bail!("partition {partition} could not be stored whole: see {}", command("status"));
        }
        Ok(())
    }

    async fn deleted(&self) -> anyhow::Result<HashSet<MessageId>> {
        let (mut deleted, mut after) = (HashSet::new(), None);
        loop {
            let (page, next) = self.store.deleted_messages(after).await?;
            deleted.extend(page);
            after = next;
            if after.is_none() {
                return Ok(deleted);
            }
        }
    }
}
