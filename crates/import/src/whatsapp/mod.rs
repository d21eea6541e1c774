//! A chat that WhatsApp exported as text: from an Android a `.txt` or a zip with it, from an iPhone a zip
//! with
//! `_chat.txt`.
//!
//! Source of the form: the parsers `whatsapp-chat-parser` and `chat-analytics`. The file has neither ids nor
//! a zone nor an order of dates: ids are made of what a message says, the zone is asked for, and the order of
//! dates is decided once, from all dates of the file. It is read twice for that.

mod content;
mod head;

use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;

use self::content::Content;
use self::head::Head;
use crate::archive::Archive;
use crate::lines::{LINE_MAX_BYTES, Lines, decoded};
use crate::{
    DateOrder, Item, Loss, Message, Options, Origin, Output, Person, Piece, ReadError, Room, RoomKind, Text,
    UnixMs, made_id, markup, moment,
};

/// A message of more lines is no message.
const MESSAGE_MAX_BYTES: usize = 1 << 20;
/// What the names of files begin with, before the name of the chat.
const NAMES_BEGIN: [&str; 12] = [
    "WhatsApp Chat with ",
    "WhatsApp Chat - ",
    "WhatsApp-Chat mit ",
    "WhatsApp-chat met ",
    "Chat de WhatsApp con ",
    "Chat WhatsApp con ",
    "Discussion WhatsApp avec ",
    "Conversa do WhatsApp com ",
    "Konverzace WhatsApp s ",
    "Chat v aplikaci WhatsApp s ",
    "Rozmowa WhatsApp z ",
    "Чат WhatsApp с контактом ",
];

/// Reads the export.
pub(crate) fn read(
    archive: &mut Archive,
    options: &Options,
    output: &mut Output<'_>,
) -> Result<(), ReadError> {
    let is_text = |name: &&str| name.ends_with(".txt") || name.ends_with("_chat.txt");
    let file = archive.names().find(|name| archive.is_plain() || is_text(name)).map(str::to_owned);
    let Some(file) = file else {
        return Err(ReadError::Missing { archive: archive.shown(), missing: "_chat.txt" });
    };
    let order = match options.dates {
        Some(order) => order,
        None => date_order(archive, &file)?,
    };
    let zone = options.zone("WhatsApp writes the time of a clock only")?;
    let name = options.room.clone().unwrap_or_else(|| chat_name(archive, &file));
    let shown: Arc<str> = if archive.is_plain() { "".into() } else { file.as_str().into() };
    let mut reading = Reading {
        room: name.clone(),
        order,
        zone,
        people: BTreeSet::new(),
        equals: HashMap::new(),
        last: None,
        shown,
    };
    let room = Room { key: name.clone(), name, kind: RoomKind::Private, topic: None, created_at: None };
    output.item(&Origin::line(&reading.shown, 1), Item::Room(room))?;
    let mut lines = Lines::new(archive.open_file(&file)?);
    let mut pending: Option<(u64, Head, String)> = None;
    let mut in_brackets = None;
    while let Some(line) = lines.next().map_err(ReadError::io(&file))? {
        let origin = Origin::line(&reading.shown, line.number);
        if line.is_cut {
            output.bad(&origin, format!("it is longer than {} MiB", LINE_MAX_BYTES >> 20))?;
            continue;
        }
        let (text, is_broken) = decoded(&line.bytes);
        output.lose(Loss::BrokenCharacters, u64::from(is_broken));
        // A log that somebody pasted looks like messages; those of this file all begin alike.
        let head = Head::split(&text).filter(|(head, _)| {
            head.clock(order).is_some() && *in_brackets.get_or_insert(head.in_brackets) == head.in_brackets
        });
        match (head, &mut pending) {
            (Some((head, rest)), _) => {
                if let Some(whole) = pending.replace((line.number, head, rest.to_owned())) {
                    reading.message(whole, output)?;
                }
            }
            (None, Some((_, _, before))) if before.len() + text.len() < MESSAGE_MAX_BYTES => {
                before.push('\n');
                before.push_str(&text);
            }
            (None, Some(_)) => output.bad(&origin, "its message is longer than 1 MiB")?,
            (None, None) if text.trim().is_empty() => {}
            (None, None) => output.bad(&origin, "it begins no message: a date and a time are expected")?,
        }
    }
    if let Some(whole) = pending {
        reading.message(whole, output)?;
    }
    Ok(())
}

struct Reading {
    room: String,
    order: DateOrder,
    zone: jiff::tz::TimeZone,
    people: BTreeSet<String>,
    /// How often the same was said at the same moment.
    equals: HashMap<String, u64>,
    last: Option<UnixMs>,
    shown: Arc<str>,
}

impl Reading {
    fn message(
        &mut self,
        (line, head, text): (u64, Head, String),
        output: &mut Output<'_>,
    ) -> Result<(), ReadError> {
        let origin = Origin::line(&self.shown, line);
        let at = head.clock(self.order).and_then(|clock| moment::of_clock(clock, &self.zone, self.last));
        let Some(at) = at else { return Ok(output.bad(&origin, "its date is none")?) };
        if self.last != Some(at) {
            self.equals.clear();
        }
        self.last = Some(at);
        let Some((author, words)) = text.split_once(": ").or_else(|| text.split_once(":\n")) else {
            output.lose(Loss::SystemLines, 1);
            return Ok(());
        };
        let author = name(author);
        let (words, files) = match content::of(words) {
            Content::System => {
                output.lose(Loss::SystemLines, 1);
                return Ok(());
            }
            Content::Deleted => {
                output.lose(Loss::WordlessMessages, 1);
                return Ok(());
            }
            Content::Said { words, files, is_edited } => {
                output.lose(Loss::EarlierWords, u64::from(is_edited));
                (words, files)
            }
        };
        if author.is_empty() || (words.trim().is_empty() && files.is_empty()) {
            output.lose(Loss::WordlessMessages, 1);
            return Ok(());
        }
        if self.people.insert(author.clone()) {
            let person = Person { key: author.clone(), name: author.clone(), shown: Some(author.clone()) };
            output.item(&origin, Item::Person(person))?;
        }
        let said = format!("{at}\0{author}\0{text}");
        let ordinal = self.equals.entry(said.clone()).or_default();
        *ordinal += 1;
        let id = made_id(&format!("{said}\0{ordinal}"));
        let message = Message {
            room: self.room.clone(),
            id,
            author,
            at,
            text: with_names(markup::plain_marks(&words)),
            reply_to: None,
            files,
        };
        Ok(output.item(&origin, Item::Message(message))?)
    }
}

/// As it is shown, without what is not seen.
fn name(text: &str) -> String {
    let kept: String = text.chars().filter(|c| !is_isolate(*c) && !head::is_mark(*c)).collect();
    kept.replace('\u{a0}', " ").trim_start_matches("~ ").trim_start_matches('~').trim().to_owned()
}

const fn is_isolate(c: char) -> bool {
    matches!(c, '\u{2066}'..='\u{2069}')
}

/// Newer phones write `@` and a name between marks.
fn with_names(text: Text) -> Text {
    let mut named = Text::default();
    for piece in text.0 {
        let Piece::Words(words) = piece else {
            named.push(piece);
            continue;
        };
        let mut rest = words.as_str();
        while let Some(start) = rest.find("@\u{2068}") {
            let inside = &rest[start + "@\u{2068}".len()..];
            let Some(end) = inside.find('\u{2069}') else { break };
            named.words(&rest[..start]);
            named.push(Piece::Person(name(&inside[..end])));
            rest = &inside[end + '\u{2069}'.len_utf8()..];
        }
        named.words(rest);
    }
    named
}

/// From the name of the file; an iPhone's `_chat.txt` is named by its zip.
fn chat_name(archive: &Archive, file: &str) -> String {
    let path = archive.shown();
    let name = if file.ends_with("_chat.txt") && !archive.is_plain() { path.as_str() } else { file };
    let stem =
        Path::new(name).file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
    let stem = if stem.contains(' ') { stem } else { stem.replace('_', " ") };
    let stem = NAMES_BEGIN.iter().find_map(|begin| stem.strip_prefix(begin)).unwrap_or(&stem).trim();
    if stem.is_empty() { "WhatsApp".to_owned() } else { stem.to_owned() }
}

/// What all dates of the file say about their order.
fn date_order(archive: &mut Archive, file: &str) -> Result<DateOrder, ReadError> {
    let mut lines = Lines::new(archive.open_file(file)?);
    let mut dates = Dates::default();
    while let Some(line) = lines.next().map_err(ReadError::io(file))? {
        if let Some((head, _)) = Head::split(&decoded(&line.bytes).0) {
            dates.add(&head);
        }
    }
    dates.order()
}

/// What was seen of dates: which numbers are too large for a month, and which order lets time go on.
#[derive(Default)]
struct Dates {
    seen: u64,
    with_year_first: u64,
    largest: [u16; 2],
    /// How often time goes back, and the time before: day first, month first.
    back: [(u64, Option<jiff::civil::DateTime>); 2],
    changes: [u64; 2],
    before: [u16; 2],
}

const ORDERS: [DateOrder; 2] = [DateOrder::DayMonthYear, DateOrder::MonthDayYear];

impl Dates {
    fn add(&mut self, head: &Head) {
        self.seen += 1;
        self.with_year_first += u64::from(head.starts_with_year || head.date[0] > 31);
        for part in 0..2 {
            self.largest[part] = self.largest[part].max(head.date[part]);
            self.changes[part] += u64::from(self.seen > 1 && self.before[part] != head.date[part]);
            self.before[part] = head.date[part];
        }
        for (order, (back, before)) in ORDERS.into_iter().zip(&mut self.back) {
            let Some(clock) = head.clock(order) else { continue };
            *back += u64::from(before.is_some_and(|before| clock.date() < before.date()));
            *before = Some(clock);
        }
    }

    fn order(&self) -> Result<DateOrder, ReadError> {
        let [day_first, month_first] = [self.back[0].0, self.back[1].0];
        match self.largest {
            _ if self.seen == 0 => {
                Err(ReadError::Ask("no message begins with a date and a time: is it WhatsApp's?".to_owned()))
            }
            _ if self.with_year_first * 2 > self.seen => Ok(DateOrder::YearMonthDay),
            [first, second] if first > 12 && second <= 12 => Ok(DateOrder::DayMonthYear),
            [first, second] if first <= 12 && second > 12 => Ok(DateOrder::MonthDayYear),
            _ if day_first < month_first => Ok(DateOrder::DayMonthYear),
            _ if month_first < day_first => Ok(DateOrder::MonthDayYear),
            _ if self.changes[0] > self.changes[1] => Ok(DateOrder::DayMonthYear),
            _ if self.changes[1] > self.changes[0] => Ok(DateOrder::MonthDayYear),
            _ => Err(ReadError::Ask(
                "its dates may be read in two ways: say with --dates dmy (31/12) or --dates mdy \
                 (12/31) which it is"
                    .to_owned(),
            )),
        }
    }
}

/// Whether a first line is one of WhatsApp's.
pub(crate) fn begins(line: &str) -> bool {
    Head::split(line).is_some()
}
