//! Plain logs of IRC: one file, a folder, or an archive of files, each of one channel (and perhaps one day).
//!
//! Nothing has an id: ids are made of what a line says. A nick is not a person; whoever changes theirs stays
//! the same person until they go. Which network and channel a file is of says its path.

mod line;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;

use jiff::civil::{self, Date};

use self::line::{Mark, Said, When};
use crate::archive::Archive;
use crate::lines::{LINE_MAX_BYTES, Lines, decoded};
use crate::{
    Change, Item, Loss, Membership, Message, Options, Origin, Output, Person, Piece, ReadError, Renamed,
    Room, RoomKind, Text, UnixMs, made_id, moment,
};

/// Reads the logs.
pub(crate) fn read(
    archive: &mut Archive,
    options: &Options,
    output: &mut Output<'_>,
) -> Result<(), ReadError> {
    let is_log = |name: &&str| archive.is_plain() || has_ending(name);
    let mut by_room: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for file in archive.names().filter(is_log) {
        by_room
            .entry(options.room.clone().unwrap_or_else(|| room_of(file)))
            .or_default()
            .push(file.to_owned());
    }
    if by_room.is_empty() {
        return Err(ReadError::Missing { archive: archive.shown(), missing: "*.log, *.txt or *.weechatlog" });
    }
    let mut people = BTreeSet::new();
    for (room, files) in by_room {
        let mut channel = Channel::new(&room, options, &mut people);
        for file in files {
            channel.file(archive, &file, output)?;
        }
    }
    Ok(())
}

/// Whether a file of this name may be a log.
pub(crate) fn has_ending(name: &str) -> bool {
    let ending = Path::new(name).extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    ["log", "txt", "weechatlog"].contains(&ending.to_ascii_lowercase().as_str())
}

/// Whether a first line may be one of a log.
pub(crate) fn begins(text: &str) -> bool {
    line::mark(text).is_some() || line::when(text).is_some_and(|(_, rest)| line::said(rest) != Said::Other)
}

/// What the path calls the channel, with its network where the path has one.
fn room_of(file: &str) -> String {
    let path = Path::new(file);
    let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or("irc");
    let parts: Vec<&str> = path.parent().and_then(Path::to_str).unwrap_or_default().split('/').collect();
    let is_day = stem.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-') && stem.len() >= 8;
    if is_day {
        // ZNC: network/channel/day.
        let [.., network, channel] = &*parts else { return parts.concat() };
        return format!("{network}/{channel}");
    }
    // WeeChat: plugin.network.channel.
    if let Some((network, channel)) = stem.strip_prefix("irc.").and_then(|rest| rest.split_once('.')) {
        return format!("{network}/{channel}");
    }
    match parts.last() {
        Some(network) if !network.is_empty() => format!("{network}/{stem}"),
        _ => stem.to_owned(),
    }
}

struct Channel<'a> {
    room: String,
    options: &'a Options,
    people: &'a mut BTreeSet<String>,
    /// Who is known here, by the nick that they have now.
    nicks: HashMap<String, String>,
    equals: HashMap<String, u64>,
    last: Option<UnixMs>,
    is_told: bool,
}

/// What a file has said so far of its day.
struct Day {
    date: Option<Date>,
    clock: Option<civil::Time>,
    month: i8,
}

impl<'a> Channel<'a> {
    fn new(room: &str, options: &'a Options, people: &'a mut BTreeSet<String>) -> Self {
        let (nicks, equals) = (HashMap::new(), HashMap::new());
        Self { room: room.to_owned(), options, people, nicks, equals, last: None, is_told: false }
    }

    fn file(&mut self, archive: &mut Archive, file: &str, output: &mut Output<'_>) -> Result<(), ReadError> {
        let shown: Arc<str> = if archive.is_plain() { "".into() } else { file.into() };
        let stem = Path::new(file).file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        // ZNC names files by their day.
        let named = stem.get(..10).and_then(|day| day.parse().ok());
        let named = named.or_else(|| {
            let plain = stem.get(..8).filter(|day| day.bytes().all(|byte| byte.is_ascii_digit()))?;
            format!("{}-{}-{}", &plain[..4], &plain[4..6], &plain[6..]).parse().ok()
        });
        let mut day = Day { date: named, clock: None, month: 0 };
        let mut lines = Lines::new(archive.open_file(file)?);
        while let Some(line) = lines.next().map_err(ReadError::io(file))? {
            let origin = Origin::line(&shown, line.number);
            if line.is_cut {
                output.bad(&origin, format!("it is longer than {} MiB", LINE_MAX_BYTES >> 20))?;
                continue;
            }
            let (text, is_broken) = decoded(&line.bytes);
            output.lose(Loss::BrokenCharacters, u64::from(is_broken));
            self.line(&origin, &text, &mut day, output)?;
        }
        Ok(())
    }

    fn line(
        &mut self,
        origin: &Origin,
        text: &str,
        day: &mut Day,
        output: &mut Output<'_>,
    ) -> Result<(), ReadError> {
        if text.trim().is_empty() {
            return Ok(());
        }
        if let Some(mark) = line::mark(text) {
            if let Mark::Day(date) = mark {
                (day.date, day.clock, day.month) = (Some(date), None, date.month());
            }
            return Ok(());
        }
        let Some((when, rest)) = line::when(text) else {
            return Ok(output.bad(origin, "it begins with no time that is known here")?);
        };
        let Some(at) = self.at(when, day)? else {
            return Ok(output.bad(origin, "no line before it says of which day it is")?);
        };
        if self.last != Some(at) {
            self.equals.clear();
        }
        self.last = Some(at);
        if !self.is_told {
            self.is_told = true;
            self.tell(origin, output)?;
        }
        self.said(origin, at, line::said(rest), output)
    }

    fn tell(&self, origin: &Origin, output: &mut Output<'_>) -> Result<(), ReadError> {
        let name = self.room.rsplit('/').next().unwrap_or(&self.room);
        // Between two people there is no sign before the name.
        let is_channel = name.starts_with(['#', '&', '!', '+']);
        let kind = if is_channel { RoomKind::Public } else { RoomKind::Private };
        let name = name.trim_start_matches(['#', '&', '!', '+']);
        let name = if name.is_empty() { &self.room } else { name }.to_owned();
        let room = Room { key: self.room.clone(), name, kind, topic: None, created_at: None };
        Ok(output.item(origin, Item::Room(room))?)
    }

    fn at(&self, when: When, day: &mut Day) -> Result<Option<UnixMs>, ReadError> {
        let (clock, is_utc) = match when {
            When::Full(clock, is_utc) => (clock, is_utc),
            When::NoYear(month, of_month, time) => {
                let Some(known) = day.date else { return Ok(None) };
                // December, then January.
                let year = if month < day.month { known.year() + 1 } else { known.year() };
                let Ok(date) = Date::new(year, month, of_month) else { return Ok(None) };
                (day.date, day.month) = (Some(date), month);
                (date.to_datetime(time), false)
            }
            When::Clock(time) => {
                let Some(date) = day.date else { return Ok(None) };
                day.clock = Some(time);
                (date.to_datetime(time), false)
            }
        };
        let zone = if is_utc {
            jiff::tz::TimeZone::UTC
        } else {
            self.options.zone("these logs have the time of a clock only")?
        };
        Ok(moment::of_clock(clock, &zone, self.last))
    }

    /// Who has the nick; told when they are new.
    fn person(&mut self, origin: &Origin, nick: &str, output: &mut Output<'_>) -> Result<String, ReadError> {
        if let Some(known) = self.nicks.get(nick) {
            return Ok(known.clone());
        }
        self.nicks.insert(nick.to_owned(), nick.to_owned());
        if self.people.insert(nick.to_owned()) {
            let person = Person { key: nick.to_owned(), name: nick.to_owned(), shown: Some(nick.to_owned()) };
            output.item(origin, Item::Person(person))?;
        }
        Ok(nick.to_owned())
    }

    fn said(
        &mut self,
        origin: &Origin,
        at: UnixMs,
        said: Said,
        output: &mut Output<'_>,
    ) -> Result<(), ReadError> {
        let (nick, text, is_action) = match said {
            Said::Words { nick, text } => (nick, text, false),
            Said::Action { nick, text } => (nick, text, true),
            Said::Joined(nick) => {
                // Whoever has it now is not who had it once.
                self.nicks.remove(&nick);
                return self.membership(origin, at, &nick, Change::Joined, output);
            }
            Said::Left(nick) | Said::Quit(nick) => {
                self.membership(origin, at, &nick, Change::Left, output)?;
                self.nicks.remove(&nick);
                return Ok(());
            }
            Said::Kicked { nick, by } => {
                let by = self.person(origin, &by, output)?;
                self.membership(origin, at, &nick, Change::Removed { by }, output)?;
                self.nicks.remove(&nick);
                return Ok(());
            }
            Said::Topic { nick, topic } => {
                let by = Some(self.person(origin, &nick, output)?);
                let (room, topic) = (self.room.clone(), Some(line::plain(&topic)));
                let renamed = Renamed { room, by, at: Some(at), name: None, topic, archived: None };
                return Ok(output.item(origin, Item::Renamed(renamed))?);
            }
            Said::Called { nick, now } => {
                let person = self.person(origin, &nick, output)?;
                self.nicks.remove(&nick);
                self.nicks.insert(now, person);
                return Ok(());
            }
            Said::Other => {
                output.lose(Loss::SystemLines, 1);
                return Ok(());
            }
        };
        let words = line::plain(&text);
        if nick.is_empty() || words.trim().is_empty() {
            output.lose(Loss::WordlessMessages, 1);
            return Ok(());
        }
        let author = self.person(origin, &nick, output)?;
        let same = format!("{at}\0{nick}\0{words}");
        let ordinal = self.equals.entry(same.clone()).or_default();
        *ordinal += 1;
        let id = made_id(&format!("{same}\0{ordinal}"));
        let mut named = Text::plain(if is_action { "/me " } else { "" });
        named.append(self.with_name(words));
        let room = self.room.clone();
        let message = Message { room, id, author, at, text: named, reply_to: None, files: Vec::new() };
        Ok(output.item(origin, Item::Message(message))?)
    }

    /// `bob: hello` is to bob, if there is one here.
    fn with_name(&self, words: String) -> Text {
        let named = words.split_once([':', ',']).filter(|(_, rest)| rest.starts_with(' '));
        match named.and_then(|(nick, _)| Some((nick, self.nicks.get(nick)?))) {
            Some((nick, person)) => {
                let mut text = Text(vec![Piece::Person(person.clone())]);
                text.words(&words[nick.len()..]);
                text
            }
            None => Text::plain(words),
        }
    }

    fn membership(
        &mut self,
        origin: &Origin,
        at: UnixMs,
        nick: &str,
        change: Change,
        output: &mut Output<'_>,
    ) -> Result<(), ReadError> {
        let person = self.person(origin, nick, output)?;
        let membership = Membership { room: self.room.clone(), person, at: Some(at), change };
        Ok(output.item(origin, Item::Membership(membership))?)
    }
}
