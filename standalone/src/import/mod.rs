//! `milena import`: conversations from a file, through the log like every other message.
//!
//! The file is read in chunks; for each, people are created when missing, what the store has already is left out, and
//! the rest goes to the producer, one after the other, so that a conversation keeps the order of the file. The
//! file's `id` becomes the `client_id`, from which the message id follows: even what is produced twice is stored once.

mod line;
mod names;
mod people;
mod produce;
mod progress;
mod source;
mod target;

use std::process::ExitCode;

use anyhow::Context as _;
use milena_domain::{MessageEvent, MessageId};
use milena_process::{answer, start_logging, stop_on_signal};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use self::line::ImportLine;
use self::people::People;
use self::produce::ImportProducer;
use self::progress::Progress;
use self::source::{Chunk, Source};
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
    /// Messages that the store had already.
    pub(crate) known: u64,
    /// Lines that were refused.
    pub(crate) refused: u64,
}

/// Imports a file.
///
/// # Errors
/// When the file, the log or the database cannot be used; what went into the log before is there, and a second
/// import goes on from it.
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
    let source = Source::open(&arguments.file)
        .with_context(|| format!("the file {} cannot be read", arguments.file.display()))?;
    let people = People::new(arguments.password.as_deref()).await?;

    let target = if arguments.external {
        Target::external(settings).await?
    } else {
        Target::data_folder(options, settings, log).await?
    };
    let progress = Progress::new(source.bytes_total());
    let imported = import(&target, source, people, &progress, &stop).await;
    let outcome = match imported {
        Ok(summary) => {
            let stored =
                if arguments.no_wait { Ok(()) } else { target.wait_until_stored(&progress, &stop).await };
            stored.map(|()| summary)
        }
        Err(error) => Err(error),
    };
    progress.finish();
    target.close().await;
    let summary = outcome?;
    report(&summary, stop.is_cancelled());
    Ok(if summary.refused > 0 || stop.is_cancelled() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

async fn import(
    target: &Target,
    source: Source,
    mut people: People,
    progress: &Progress,
    stop: &CancellationToken,
) -> anyhow::Result<Summary> {
    let producer = ImportProducer::new(&target.settings.kafka)?;
    let mut summary = Summary::default();
    let read = read_all(target, source, &mut people, &producer, progress, stop, &mut summary).await;
    // Whatever ended the reading: what was produced before is on its way and must arrive, in its order.
    progress.confirming();
    let confirmed = producer.finish().await;
    read?;
    confirmed?;
    summary.people_created = people.created();
    Ok(summary)
}

async fn read_all(
    target: &Target,
    mut source: Source,
    people: &mut People,
    producer: &ImportProducer,
    progress: &Progress,
    stop: &CancellationToken,
    summary: &mut Summary,
) -> anyhow::Result<()> {
    while !stop.is_cancelled() {
        let (returned, chunk) = tokio::task::spawn_blocking(move || {
            let chunk = source.next_chunk();
            (source, chunk)
        })
        .await?;
        source = returned;
        let Chunk { lines, bytes_read } = chunk.context("the file cannot be read further")?;
        if lines.is_empty() {
            return Ok(());
        }
        summary.read += lines.len() as u64;
        let good = parse(lines, progress, summary);
        let ids = people.ensure(&target.store, good.iter().flat_map(|line| [&*line.from, &*line.to])).await?;
        let events: Vec<MessageEvent> = good.into_iter().map(|line| line.into_event(ids)).collect();
        let message_ids: Vec<MessageId> = events.iter().map(|event| event.id).collect();
        let known =
            target.store.existing_messages(&message_ids).await.context("the database cannot be asked")?;
        for event in events {
            if known.contains(&event.id) {
                summary.known += 1;
            } else if producer.send(&event, stop).await? {
                summary.produced += 1;
            } else {
                return Ok(());
            }
        }
        producer.check()?;
        progress.advance(bytes_read, summary);
    }
    Ok(())
}

fn parse(lines: Vec<(u64, Vec<u8>)>, progress: &Progress, summary: &mut Summary) -> Vec<ImportLine> {
    let mut good = Vec::with_capacity(lines.len());
    for (number, text) in lines {
        match ImportLine::parse(&text) {
            Ok(line) => good.push(line),
            Err(problem) => {
                summary.refused += 1;
                progress.refused(number, &problem.to_string());
            }
        }
    }
    good
}

fn report(summary: &Summary, stopped: bool) {
    if stopped {
        answer("Stopped before the end; run the same command again to go on.");
    }
    answer(format!(
        "{} lines: {} messages imported, {} already there, {} refused; {} people created.",
        summary.read, summary.produced, summary.known, summary.refused, summary.people_created
    ));
}
