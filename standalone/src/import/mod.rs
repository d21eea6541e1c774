//! `milena import`: conversations from a file, through the log like every other message.
//!
//! What another chat exported is read and translated into lines first ([`moving`]); from there on there is
//! one way. The file is read in chunks ([`take`]); for each, people are created when missing, what the store
//! has already is left out, and the rest goes to the producer, one after the other, so that a conversation
//! keeps the order of the file. The file's `id` becomes the `client_id`, from which the message id follows:
//! even what is produced twice is stored once. A line that cannot be stored as itself, because its id names
//! another message, is refused ([`ledger`]).

mod client_ids;
mod event;
mod feed;
mod ledger;
mod line;
mod moving;
mod names;
mod people;
mod produce;
mod progress;
mod rooms;
mod source;
mod take;
mod target;
mod wire;

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use milena_domain::MessageId;
use milena_import::Origin;
use milena_process::{answer, start_logging, stop_on_signal};
use milena_storage::Store;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use self::feed::{Chunk, Feed};
use self::ledger::{Content, Ledger, Sent, SentKind};
use self::line::LineError;
use self::people::People;
use self::produce::ImportProducer;
use self::progress::Progress;
use self::rooms::Rooms;
use self::source::Source;
use self::target::Target;
use crate::cli::{ImportArguments, Options};
use crate::settings;

/// What happened.
#[derive(Debug, Default)]
pub(crate) struct Summary {
    /// Lines of the file, blank ones not counted.
    pub(crate) read: u64,
    /// People who did not exist.
    pub(crate) people_created: u64,
    /// Messages that went into the log.
    pub(crate) produced: u64,
    /// Those of them that were looked up in the store and found there as they are in the file.
    pub(crate) stored: u64,
    /// Messages that were there already.
    pub(crate) known: u64,
    /// What became of the room events.
    pub(crate) events: EventCounts,
    /// What became of edits and reactions.
    pub(crate) changes: EventCounts,
    /// Lines that only say what a room is like.
    pub(crate) about_rooms: u64,
    /// Messages that answer one that is not there, and come without that.
    pub(crate) orphans: u64,
    /// Lines that were refused.
    pub(crate) refused: u64,
}

/// Room events of the file, or edits and reactions, by what became of them; those that were refused are among
/// the lines.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct EventCounts {
    /// They went into the log.
    pub(crate) produced: u64,
    /// Those of them that were found in the store.
    pub(crate) stored: u64,
    /// They were there already.
    pub(crate) known: u64,
    /// What they say was so already, or does not matter any more.
    pub(crate) unchanged: u64,
}

/// Imports a file.
///
/// # Errors
/// When the file, the log or the database cannot be used; what went into the log before is there, and a
/// second import goes on from it.
pub(crate) async fn run(
    options: &Options,
    log: &Handle,
    arguments: &ImportArguments,
) -> anyhow::Result<ExitCode> {
    let settings = settings::load(options)?;
    // The progress bar says what goes well.
    start_logging("warn");
    let stop = CancellationToken::new();
    stop_on_signal(stop.clone()).context("signals cannot be received")?;
    let export = moving::Export::found(arguments)?;
    if arguments.dry_run {
        return moving::dry_run(export.as_ref(), arguments);
    }
    let feed = match export {
        Some(export) => Feed::of_export(export, arguments)?,
        None => {
            let source = Source::open(&arguments.file)
                .with_context(|| format!("the file {} cannot be read", arguments.file.display()))?;
            Feed::Lines(source, arguments.id_scope)
        }
    };
    let password = match &arguments.password_file {
        Some(file) => Some(first_line(file)?),
        None => arguments.password.clone(),
    };
    let people = People::new(password.as_deref()).await?;

    let target = if arguments.external {
        Target::external(settings).await?
    } else {
        Target::data_folder(options, settings, log).await?
    };
    let progress = Progress::new(feed.bytes_total());
    let import = Import {
        producer: ImportProducer::new(&target.settings.kafka)?,
        target: &target,
        people,
        rooms: Rooms::new(target.settings.kafka.partitions),
        ledger: Ledger::default(),
        progress: &progress,
        stop: &stop,
        has_proven: false,
        summary: Summary::default(),
    };
    let outcome = Box::pin(import.run(feed, !arguments.no_wait)).await;
    progress.finish();
    target.close().await;
    let summary = outcome?;
    report(&summary, stop.is_cancelled());
    Ok(if summary.refused > 0 || stop.is_cancelled() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// The password of `--password-file`: editors end the line, the password has no end of line in it.
fn first_line(file: &Path) -> anyhow::Result<String> {
    let text = std::fs::read_to_string(file)
        .with_context(|| format!("the password file {} cannot be read", file.display()))?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

/// One import under way.
struct Import<'a> {
    target: &'a Target,
    people: People,
    rooms: Rooms,
    producer: ImportProducer,
    ledger: Ledger,
    progress: &'a Progress,
    stop: &'a CancellationToken,
    /// Whether the store was waited for, so that ids can be proven unused.
    has_proven: bool,
    summary: Summary,
}

impl Import<'_> {
    async fn run(mut self, feed: Feed, wait: bool) -> anyhow::Result<Summary> {
        if wait {
            // What an earlier import left in the log is there already, not imported once more.
            self.target.wait_until_stored(self.progress, self.stop).await?;
            self.progress.reading();
        }
        let read = Box::pin(self.read_all(feed)).await;
        // Whatever ended the reading: what was produced before is on its way and must arrive, in its order.
        self.progress.confirming();
        let confirmed = self.producer.finish().await;
        read?;
        confirmed?;
        if wait {
            self.settle().await?;
        }
        self.summary.people_created = self.people.created();
        Ok(self.summary)
    }

    async fn read_all(&mut self, mut feed: Feed) -> anyhow::Result<()> {
        while !self.stop.is_cancelled() {
            let (returned, chunk) = tokio::task::spawn_blocking(move || {
                let chunk = feed.next_chunk();
                (feed, chunk)
            })
            .await?;
            feed = returned;
            let Chunk { lines, people, bytes_read } = chunk?;
            people.into_iter().for_each(|(name, shown)| self.people.show(name, shown));
            if lines.is_empty() {
                return feed.finish(self.progress);
            }
            self.summary.read += lines.len() as u64;
            let mut good = Vec::with_capacity(lines.len());
            for line in lines {
                match line {
                    Ok(line) => good.push(line),
                    Err((origin, problem)) => self.refuse(&origin, &problem),
                }
            }
            Box::pin(self.take(good)).await?;
            self.producer.check()?;
            if self.ledger.is_full() || self.rooms.is_full() {
                self.producer.finish().await?;
                self.settle().await?;
                self.producer.forget();
                self.rooms.forget();
                self.progress.reading();
            }
            self.progress.advance(bytes_read, &self.summary);
        }
        Ok(())
    }

    /// Waits until the store has everything, and counts what it has as it is in the file.
    async fn settle(&mut self) -> anyhow::Result<()> {
        self.target.wait_until_stored(self.progress, self.stop).await?;
        if self.stop.is_cancelled() {
            return Ok(());
        }
        let sent = self.ledger.take();
        let ids: Vec<MessageId> = sent.iter().map(|(id, _)| *id).collect();
        // In pieces: the whole would be all bodies of the file.
        for (ids, sent) in ids.chunks(SETTLED_AT_ONCE).zip(sent.chunks(SETTLED_AT_ONCE)) {
            let stored = stored(&self.target.store, ids).await?;
            let changes: Vec<MessageId> =
                sent.iter().filter(|(_, sent)| sent.kind == SentKind::Change).map(|(id, _)| *id).collect();
            let changed =
                self.target.store.events_by_id(&changes).await.context("the database cannot be asked")?;
            let changed: HashSet<MessageId> = changed.into_iter().map(|place| place.id).collect();
            let mut for_nothing = Vec::new();
            for (id, Sent { origin, content, kind }) in sent {
                match (stored.get(id).map(|stored| content.conflict(*stored)), kind) {
                    (_, SentKind::Change) if changed.contains(id) => self.summary.changes.stored += 1,
                    (Some(None), SentKind::Event) => self.summary.events.stored += 1,
                    (Some(None), _) => self.summary.stored += 1,
                    (Some(Some(other)), _) => self.refuse(origin, &LineError::Overtaken(other)),
                    (None, SentKind::Message) => self.refuse(origin, &LineError::NotStored),
                    // Somebody else was faster; or too much came in between.
                    (None, kind) => for_nothing.push((origin, content.conversation(), *id, *kind)),
                }
            }
            let missing: Vec<_> =
                for_nothing.iter().map(|(_, conversation, id, _)| (*conversation, *id)).collect();
            let stale =
                self.target.store.stale_among(&missing).await.context("the database cannot be asked")?;
            for (origin, _, id, kind) in &for_nothing {
                match kind {
                    _ if stale.contains(id) => self.refuse(origin, &LineError::NotStored),
                    SentKind::Change => self.summary.changes.unchanged += 1,
                    _ => self.summary.events.unchanged += 1,
                }
            }
            let for_nothing: Vec<_> =
                missing.into_iter().map(|(_, id)| id).filter(|id| !stale.contains(id)).collect();
            self.keep_for_nothing(&for_nothing).await?;
        }
        Ok(())
    }

    fn refuse(&mut self, origin: &Origin, problem: &LineError) {
        self.summary.refused += 1;
        self.progress.refused(origin, &problem.to_string());
    }
}

/// What the store has of the messages and events.
async fn stored(store: &Store, ids: &[MessageId]) -> anyhow::Result<HashMap<MessageId, Content>> {
    const CONTEXT: &str = "the database cannot be asked";
    let messages = store.messages_by_id(ids).await.context(CONTEXT)?;
    let messages = messages.iter().map(|message| (message.id, Content::of_stored(message)));
    let mut found: HashMap<_, _> = messages.collect();
    let others: Vec<MessageId> = ids.iter().copied().filter(|id| !found.contains_key(id)).collect();
    let events = store.room_events_by_id(&others).await.context(CONTEXT)?;
    found.extend(events.iter().map(|placed| (placed.event.id, Content::of_event(&placed.event))));
    Ok(found)
}

/// Messages that are looked up at once.
const SETTLED_AT_ONCE: usize = 2_000;

fn report(summary: &Summary, stopped: bool) {
    if stopped {
        answer("Stopped before the end; run the same command again to go on.");
    }
    let Summary { read, people_created, produced, stored, known, events, changes, refused, .. } = summary;
    // Before they were looked up, it is only known where they went.
    let imported = |produced: u64, stored: u64, what: &str| {
        if stored == produced || (stored > 0 && !stopped) {
            format!("{stored} {what}imported")
        } else {
            format!("{produced} {what}sent to the log")
        }
    };
    answer(format!(
        "{read} lines: {}, {known} already there, {refused} refused; {people_created} people created.",
        imported(*produced, *stored, "messages ")
    ));
    for (what, counts) in [("Room events", events), ("Edits and reactions", changes)] {
        let EventCounts { produced, stored, known, unchanged } = counts;
        if *counts != EventCounts::default() {
            answer(format!(
                "{what}: {}, {known} already there, {unchanged} changed nothing.",
                imported(*produced, *stored, "")
            ));
        }
    }
    if summary.orphans > 0 {
        let orphans = summary.orphans;
        answer(format!("{orphans} messages answer one that is not there, and were imported without that."));
    }
}
