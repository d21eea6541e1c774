//! Where lines come from, some at a time: a file of them, or another chat's export, which a thread of its own
//! reads and translates.

use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::JoinHandle;

use anyhow::{Context as _, anyhow};
use milena_import::Origin;

use super::line::{ImportLine, LineError};
use super::moving::{Export, Report};
use super::progress::Progress;
use super::source::{self, Source};
use crate::cli::{IdScope, ImportArguments};

/// Some lines; none at the end.
#[derive(Default)]
pub(crate) struct Chunk {
    /// Good ones, and what is wrong with the others.
    pub(crate) lines: Vec<Result<ImportLine, (Origin, LineError)>>,
    /// What to show for names.
    pub(crate) people: Vec<(String, String)>,
    /// Bytes of the file read up to here, where it has a length.
    pub(crate) bytes_read: u64,
}

/// Where lines come from.
pub(crate) enum Feed {
    Lines(Source, IdScope),
    Export(Translated),
}

/// An export that is being read.
pub(crate) struct Translated {
    /// Two chunks, so that reading goes on while one is sent; the reader waits while they are full, and ends
    /// when nobody takes them any more.
    chunks: Receiver<Chunk>,
    /// Ends with the export, or when `chunks` is dropped.
    reader: Option<JoinHandle<anyhow::Result<Report>>>,
}

const CHUNKS_AHEAD: usize = 2;

impl Feed {
    /// Begins to read an export.
    ///
    /// # Errors
    /// When the file of names cannot be used, or no thread can be started.
    pub(crate) fn of_export(export: Export, arguments: &ImportArguments) -> anyhow::Result<Self> {
        let (sender, chunks) = sync_channel(CHUNKS_AHEAD);
        let names = export.names(arguments)?;
        let reader = std::thread::Builder::new()
            .name("export".to_owned())
            .spawn(move || export.translate(names, &mut |chunk| sender.send(chunk).is_ok()))
            .context("the reader cannot be started")?;
        Ok(Self::Export(Translated { chunks, reader: Some(reader) }))
    }

    /// The file's size, if it has one.
    pub(crate) const fn bytes_total(&self) -> Option<u64> {
        match self {
            Self::Lines(source, _) => source.bytes_total(),
            Self::Export(_) => None,
        }
    }

    /// The next lines. Blocks.
    ///
    /// # Errors
    /// When it cannot be read further; after the lines before that were answered.
    pub(crate) fn next_chunk(&mut self) -> anyhow::Result<Chunk> {
        match self {
            Self::Lines(source, scope) => {
                let source::Chunk { lines, bytes_read } =
                    source.next_chunk().context("the file cannot be read further")?;
                let file = "".into();
                let parse = |(number, text): (u64, Vec<u8>)| {
                    let origin = Origin::line(&file, number);
                    ImportLine::parse(origin.clone(), &text, *scope).map_err(|problem| (origin, problem))
                };
                let lines = lines.into_iter().map(parse).collect();
                Ok(Chunk { lines, people: Vec::new(), bytes_read })
            }
            Self::Export(translated) => Ok(translated.chunks.recv().unwrap_or_default()),
        }
    }

    /// What is to be said at the end.
    ///
    /// # Errors
    /// What ended the reading before the end.
    pub(crate) fn finish(self, progress: &Progress) -> anyhow::Result<()> {
        let Self::Export(mut translated) = self else { return Ok(()) };
        let Some(reader) = translated.reader.take() else { return Ok(()) };
        let report = reader.join().map_err(|_| anyhow!("the reader of the export failed"))??;
        progress.say_all(&report.losses());
        Ok(())
    }
}
