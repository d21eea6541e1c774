//! Moving in from other chats: which export it is, its translation into lines, and the report of a dry run.

mod counts;
mod mapper;
mod names;
#[cfg(test)]
mod tests;
mod words;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use milena_import::{Format, Found, Loss, Options, Origin, ReadError, Stopped, detect, read, zone};
use milena_process::{answer, complain};

use self::counts::Counts;
use self::mapper::Mapper;
use self::names::{Named, NamesFile};
use super::feed::Chunk;
use super::line::ImportLine;
use super::source::Source;
use crate::cli::{FileFormat, ImportArguments};

/// Lines handed on at once.
const CHUNK_LINES: usize = 2_000;
/// Problems that a dry run tells one by one.
const PROBLEMS_MAX: u64 = 50;

/// Another chat's export.
#[derive(Debug, Clone)]
pub(crate) struct Export {
    path: PathBuf,
    format: Format,
    options: Options,
}

/// What became of an export.
pub(crate) struct Report {
    people: Vec<Named>,
    rooms: Vec<Named>,
    counts: Counts,
    losses: BTreeMap<Loss, u64>,
    notes: Vec<String>,
}

impl Export {
    /// The export that the arguments name; `None` for a file of JSON lines.
    ///
    /// # Errors
    /// When it is neither, or cannot be read.
    pub(crate) fn found(arguments: &ImportArguments) -> anyhow::Result<Option<Self>> {
        let path = arguments.file.clone();
        let shown = path.display();
        let format = match arguments.format {
            Some(FileFormat::Jsonl) => None,
            Some(FileFormat::Export(format)) => Some(format),
            None if path.as_os_str() == "-" => None,
            None => {
                let format = detect(&path)?;
                if let Some(format) = format {
                    complain(format!("{shown} is {} (--format {})", format.words(), format.name()));
                } else if path.is_dir() {
                    return Err(ReadError::Unknown(shown.to_string()).into());
                }
                format
            }
        };
        let Some(format) = format else { return Ok(None) };
        if path.as_os_str() == "-" {
            bail!("an export is read more than once: give its path, not standard input");
        }
        let zone = arguments.zone.as_deref().map(zone).transpose().map_err(anyhow::Error::msg)?;
        let dates = arguments.dates.map(Into::into);
        let options = Options { zone, dates, room: arguments.room.clone(), public: arguments.public };
        Ok(Some(Self { path, format, options }))
    }

    /// The names that somebody has chosen.
    ///
    /// # Errors
    /// When their file cannot be used.
    pub(crate) fn names(&self, arguments: &ImportArguments) -> anyhow::Result<NamesFile> {
        match &arguments.names {
            Some(path) if arguments.dry_run && !path.exists() => Ok(NamesFile::default()),
            Some(path) => NamesFile::read(path),
            None => Ok(NamesFile::default()),
        }
    }

    /// Reads and translates it; `take` says whether it wants more.
    ///
    /// # Errors
    /// When it cannot be read further; what was read before was handed out.
    pub(crate) fn translate(
        &self,
        names: NamesFile,
        take: &mut dyn FnMut(Chunk) -> bool,
    ) -> anyhow::Result<Report> {
        let mut mapper = Mapper::new(names);
        let mut notes = Vec::new();
        let outcome = read(self.format, &self.path, &self.options, &mut |found| {
            match found {
                Found::Item(origin, item) => mapper.item(origin, item),
                Found::Bad(origin, problem) => mapper.bad(origin, problem),
                Found::Note(note) => notes.push(note),
            }
            if mapper.lines() < CHUNK_LINES || take(mapper.take_chunk()) { Ok(()) } else { Err(Stopped) }
        });
        if outcome.is_ok() {
            mapper.finish();
        }
        while mapper.lines() > 0 {
            let mut chunk = mapper.take_chunk();
            let rest = chunk.lines.split_off(CHUNK_LINES.min(chunk.lines.len()));
            if !take(chunk) {
                break;
            }
            if rest.is_empty() {
                break;
            }
            mapper.put_back(rest);
        }
        let losses = outcome?;
        let (people, rooms, counts) = mapper.finished();
        let (people, rooms) = (people.given().to_vec(), rooms.given().to_vec());
        Ok(Report { people, rooms, counts, losses, notes })
    }
}

impl Report {
    /// What did not come along, one sentence a line.
    pub(crate) fn losses(&self) -> Vec<String> {
        let told = self.losses.iter().map(|(loss, count)| format!("{count} {}", loss.words()));
        let all: Vec<String> = told.chain(self.counts.lost()).collect();
        let head = (!all.is_empty()).then(|| "Not in Milena, or otherwise:".to_owned());
        let lines = all.into_iter().map(|line| format!("  {line}"));
        self.notes.iter().cloned().chain(head).chain(lines).collect()
    }

    fn print(&self) {
        for (what, names) in [("People", &self.people), ("Rooms", &self.rooms)] {
            answer(format!("{what} ({}):", names.len()));
            for Named { key, original, name } in names {
                let called = if original == key { key.clone() } else { format!("{original} [{key}]") };
                let name = if name.is_empty() { "(left out)" } else { name };
                answer(format!("  {called} -> {name}"));
            }
        }
        answer("Comes along:");
        self.counts.gained().iter().for_each(|line| answer(format!("  {line}")));
        self.losses().iter().for_each(answer);
    }
}

/// Says what an import would do, and does nothing but write the names file when it is not there.
///
/// # Errors
/// When the file cannot be read.
pub(crate) fn dry_run(export: Option<&Export>, arguments: &ImportArguments) -> anyhow::Result<ExitCode> {
    let mut problems = 0;
    let mut problem = |origin: &Origin, text: &dyn std::fmt::Display| {
        problems += 1;
        if problems <= PROBLEMS_MAX {
            complain(format!("{origin}: {text}"));
        }
    };
    let Some(export) = export else {
        let mut source = Source::open(&arguments.file)
            .with_context(|| format!("the file {} cannot be read", arguments.file.display()))?;
        let (mut lines, file) = (0_u64, "".into());
        loop {
            let chunk = source.next_chunk().context("the file cannot be read further")?;
            if chunk.lines.is_empty() {
                break;
            }
            for (number, text) in chunk.lines {
                lines += 1;
                let origin = Origin::line(&file, number);
                if let Err(error) = ImportLine::parse(origin.clone(), &text, arguments.id_scope) {
                    problem(&origin, &error);
                }
            }
        }
        answer(format!("{lines} lines, of which {problems} would be refused. Nothing was imported."));
        return Ok(if problems > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS });
    };
    let report = export.translate(export.names(arguments)?, &mut |chunk| {
        for (origin, error) in chunk.lines.iter().filter_map(|line| line.as_ref().err()) {
            problem(origin, error);
        }
        true
    })?;
    report.print();
    answer(format!("{problems} entries would be refused. Nothing was imported."));
    if let Some(path) = arguments.names.as_deref().filter(|path| !path.exists()) {
        std::fs::write(path, names::template(&report.people, &report.rooms))
            .with_context(|| format!("the names file {} cannot be written", path.display()))?;
        answer(format!("What people and rooms are called is in {}: change it as you like.", path.display()));
    }
    Ok(if problems > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
