//! One line of an IRC log, as the common clients write them: what it says, and what its clock showed.
//!
//! Sources of the forms: the loggers of WeeChat (`plugins/logger`), irssi (`core/log.c`, `default.theme`),
//! ZNC (`modules/log.cpp`), HexChat (`common/text.c`, `textevents.in`), and pisg's parsers.

use jiff::civil::{self, Date, Time};

/// When, as far as the line says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    /// Date and time, and whether that is UTC.
    Full(civil::DateTime, bool),
    /// Month, day and time; the year stands elsewhere.
    NoYear(i8, i8, Time),
    /// The time; the date stands elsewhere.
    Clock(Time),
}

/// What a line says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Said {
    Words {
        nick: String,
        text: String,
    },
    Action {
        nick: String,
        text: String,
    },
    Joined(String),
    Left(String),
    Quit(String),
    Kicked {
        nick: String,
        by: String,
    },
    Topic {
        nick: String,
        topic: String,
    },
    Called {
        nick: String,
        now: String,
    },
    /// Modes, services, the client itself.
    Other,
}

/// A line that is about the log itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    /// From here on it is this day.
    Day(Date),
    /// Nothing that matters.
    Nothing,
}

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// Lines between the others: `--- Log opened …`, `--- Day changed …`, `**** BEGIN LOGGING AT …`.
pub(super) fn mark(line: &str) -> Option<Mark> {
    let about = line
        .strip_prefix("--- Log opened ")
        .or_else(|| line.strip_prefix("--- Day changed "))
        .or_else(|| line.strip_prefix("**** BEGIN LOGGING AT "));
    if let Some(about) = about {
        return Some(date(about).map_or(Mark::Nothing, Mark::Day));
    }
    let is_end = line.starts_with("--- Log closed") || line.starts_with("**** ENDING LOGGING");
    is_end.then_some(Mark::Nothing)
}

/// `Mon Jan  5 08:00:00 2026` and `Tue Jan 06 2026`, whatever the day of the week is called.
fn date(text: &str) -> Option<Date> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let year = words.iter().rev().find_map(|word| word.parse::<i16>().ok().filter(|year| *year >= 1_980))?;
    let (at, month) = words.iter().enumerate().find_map(|(at, word)| Some((at, month(word)?)))?;
    let day = words.get(at + 1)?.parse().ok()?;
    Date::new(year, month, day).ok()
}

fn month(word: &str) -> Option<i8> {
    let word = word.to_lowercase();
    let known = MONTHS.iter().position(|month| word == *month)?;
    i8::try_from(known + 1).ok()
}

/// Splits off when it was.
pub(super) fn when(line: &str) -> Option<(When, &str)> {
    // `[08:00:00] ` of ZNC, `[2026-01-05 08:00:00] ` of others.
    if let Some((inside, rest)) = line.strip_prefix('[').and_then(|line| line.split_once(']')) {
        let rest = rest.strip_prefix(' ').unwrap_or(rest);
        if let Some((date, time)) = inside.split_once(' ').or_else(|| inside.split_once('T')) {
            return Some((When::Full(iso_date(date)?.to_datetime(clock(time)?), false), rest));
        }
        return Some((When::Clock(clock(inside)?), rest));
    }
    let (first, rest) = line.split_once([' ', '\t'])?;
    // `2026-01-05 08:00:00.123456Z` of WeeChat.
    if let Some(date) = iso_date(first) {
        let end = rest.find([' ', '\t']).unwrap_or(rest.len());
        let (time, rest) = rest.split_at(end);
        let (time, is_utc) = time.strip_suffix('Z').map_or((time, false), |time| (time, true));
        let rest = rest.strip_prefix([' ', '\t']).unwrap_or(rest);
        return Some((When::Full(date.to_datetime(clock(time)?), is_utc), rest));
    }
    // `Jan 05 08:00:00` of HexChat.
    if let Some(month) = month(first) {
        let mut words = rest.trim_start().splitn(3, ' ');
        let (day, time) = (words.next()?.parse().ok()?, clock(words.next()?)?);
        return Some((When::NoYear(month, day, time), words.next().unwrap_or_default()));
    }
    Some((When::Clock(clock(first)?), rest))
}

fn iso_date(text: &str) -> Option<Date> {
    let mut parts = text.splitn(3, '-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    (year.len() == 4).then(|| Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok())?
}

fn clock(text: &str) -> Option<Time> {
    let mut parts = text.splitn(3, ':');
    let part =
        |text: Option<&str>| text.filter(|text| text.len() == 2).and_then(|text| text.parse::<i8>().ok());
    let (hour, minute) = (part(parts.next())?, part(parts.next())?);
    let (second, fraction) = match parts.next() {
        None => (0, ""),
        Some(seconds) => {
            let (whole, fraction) = seconds.split_once('.').unwrap_or((seconds, ""));
            (part(Some(whole))?, fraction)
        }
    };
    let nanoseconds =
        if fraction.is_empty() { 0 } else { format!("{fraction:0<9}").get(..9)?.parse().ok()? };
    Time::new(hour, minute, second, nanoseconds).ok()
}

/// What a line says behind its time.
pub(super) fn said(rest: &str) -> Said {
    // WeeChat: a prefix, a tab, the text. HexChat: the same with `<nick>` and `*`.
    if let Some((prefix, text)) = rest.split_once('\t') {
        return match prefix.trim() {
            "-->" | "→" => happened(text),
            "<--" | "←" => happened(text),
            "--" | "" => happened(text),
            "*" => match happened(text) {
                Said::Other if !is_clients_own(text) => action(text),
                said => said,
            },
            nick => match nick.strip_prefix('<').and_then(|nick| nick.strip_suffix('>')) {
                Some(nick) => Said::Words { nick: bare(nick), text: text.to_owned() },
                None if nick.contains(' ') => Said::Other,
                None => Said::Words { nick: bare(nick), text: text.to_owned() },
            },
        };
    }
    let rest = rest.trim_start();
    if let Some((nick, text)) = rest.strip_prefix('<').and_then(|rest| rest.split_once('>')) {
        let text = text.strip_prefix(' ').unwrap_or(text);
        return Said::Words { nick: bare(nick), text: text.to_owned() };
    }
    if let Some(about) = rest.strip_prefix("*** ") {
        return of_znc(about);
    }
    if let Some(about) = rest.strip_prefix("-!- ") {
        return happened(about);
    }
    if let Some(text) = rest.strip_prefix("* ") {
        return action(text);
    }
    // A notice: `-nick- text`, of irssi `-nick:#chan- text`.
    if let Some((nick, text)) = rest.strip_prefix('-').and_then(|rest| rest.split_once("- ")) {
        let nick = nick.split([':', '(']).next().unwrap_or(nick);
        if !nick.is_empty() && !nick.contains(' ') {
            return Said::Words { nick: bare(nick), text: text.to_owned() };
        }
    }
    Said::Other
}

fn action(text: &str) -> Said {
    match text.split_once(' ') {
        Some((nick, text)) => Said::Action { nick: bare(nick), text: text.to_owned() },
        None => Said::Other,
    }
}

/// What HexChat says behind the same sign as actions.
fn is_clients_own(text: &str) -> bool {
    text.starts_with("Now talking on")
        || text.starts_with("Topic for")
        || [" sets mode", " gives ", " removes ", " set by ", " sets ban"]
            .iter()
            .any(|part| text.contains(part))
}

fn of_znc(about: &str) -> Said {
    let named = |text: &str| bare(text.split_whitespace().next().unwrap_or_default());
    for (word, made) in
        [("Joins: ", Said::Joined as fn(String) -> Said), ("Parts: ", Said::Left), ("Quits: ", Said::Quit)]
    {
        if let Some(rest) = about.strip_prefix(word) {
            return made(named(rest));
        }
    }
    happened(about)
}

/// Sentences about people, as WeeChat, irssi, ZNC and HexChat write them in English.
fn happened(about: &str) -> Said {
    let Some((nick, rest)) = about.split_once(' ') else { return Said::Other };
    let nick = bare(nick);
    // `[user@host]` and `(user@host)` stand between.
    let rest = match rest.split_once(' ') {
        Some((mask, after))
            if (mask.starts_with('[') && mask.ends_with(']'))
                || (mask.starts_with('(') && mask.ends_with(')')) =>
        {
            after
        }
        _ => rest,
    };
    let word = |text: &str| bare(text.split_whitespace().next().unwrap_or_default());
    if rest.starts_with("has joined") {
        Said::Joined(nick)
    } else if rest.starts_with("has left") {
        Said::Left(nick)
    } else if rest.starts_with("has quit") {
        Said::Quit(nick)
    } else if let Some(now) = rest.strip_prefix("is now known as ") {
        Said::Called { nick, now: word(now) }
    } else if let Some(whom) = rest.strip_prefix("has kicked ") {
        Said::Kicked { nick: word(whom), by: nick }
    } else if let Some(by) = rest.strip_prefix("was kicked by ") {
        Said::Kicked { nick, by: word(by) }
    } else if let Some((_, by)) =
        rest.strip_prefix("was kicked from ").and_then(|rest| rest.split_once(" by "))
    {
        Said::Kicked { nick, by: word(by) }
    } else if let Some(topic) = rest.strip_prefix("changes topic to ") {
        Said::Topic { nick, topic: unquoted(topic) }
    } else if let Some(rest) = rest.strip_prefix("changed the topic of ").or_else(|| {
        rest.strip_prefix("has changed the topic").or_else(|| rest.strip_prefix("has changed topic for "))
    }) {
        let topic = rest.split_once(" to \"").map(|(_, topic)| topic.trim_end_matches('"'));
        let topic =
            topic.or_else(|| rest.split_once(" to: ").or_else(|| rest.split_once("to: ")).map(|(_, t)| t));
        topic.map_or(Said::Other, |topic| Said::Topic { nick, topic: topic.to_owned() })
    } else {
        Said::Other
    }
}

fn unquoted(text: &str) -> String {
    let text = text.trim();
    text.strip_prefix('\'').and_then(|text| text.strip_suffix('\'')).unwrap_or(text).to_owned()
}

/// Without the signs of modes, of which no nick has any.
fn bare(nick: &str) -> String {
    nick.trim().trim_start_matches(['@', '+', '%', '~', '&', '!']).to_owned()
}

/// Without colours and styles.
pub(super) fn plain(text: &str) -> String {
    let mut made = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let (digits, radix) = match c {
            '\u{3}' => (2, 10),
            '\u{4}' => (6, 16),
            '\u{2}' | '\u{f}' | '\u{11}' | '\u{16}' | '\u{1d}' | '\u{1e}' | '\u{1f}' => continue,
            c if c.is_control() && c != '\t' => continue,
            c => {
                made.push(c);
                continue;
            }
        };
        let mut take =
            |most: usize| (0..most).take_while(|_| chars.next_if(|c| c.is_digit(radix)).is_some()).count();
        if take(digits) > 0 {
            let mut ahead = chars.clone();
            if ahead.next() == Some(',') && ahead.next().is_some_and(|c| c.is_digit(radix)) {
                chars.next();
                (0..digits).take_while(|_| chars.next_if(|c| c.is_digit(radix)).is_some()).count();
            }
        }
    }
    made
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn words(nick: &str, text: &str) -> Said {
        Said::Words { nick: nick.to_owned(), text: text.to_owned() }
    }

    #[test]
    fn the_common_clients_are_read() {
        let ann = || "ann".to_owned();
        let kicked = || Said::Kicked { nick: "bob".to_owned(), by: ann() };
        let topic = || Said::Topic { nick: ann(), topic: "on fire".to_owned() };
        let called = || Said::Called { nick: ann(), now: "ann_".to_owned() };
        for (rest, expected) in [
            // WeeChat
            ("@ann\thello <x>", words("ann", "hello <x>")),
            (" *\tann waves", Said::Action { nick: ann(), text: "waves".to_owned() }),
            ("-->\tann (~a@host) has joined #ops", Said::Joined(ann())),
            ("<--\tann (~a@host) has quit (bye)", Said::Quit(ann())),
            ("<--\tann has kicked bob (why)", kicked()),
            ("--\tann has changed topic for #ops from \"old\" to \"on fire\"", topic()),
            ("--\tann is now known as ann_", called()),
            ("--\tMode #ops [+o ann] by bob", Said::Other),
            // irssi
            ("<@ann> hello", words("ann", "hello")),
            ("< ann> hello", words("ann", "hello")),
            (" * ann waves", Said::Action { nick: ann(), text: "waves".to_owned() }),
            ("-!- ann [~a@host] has joined #ops", Said::Joined(ann())),
            ("-!- bob was kicked from #ops by ann [why]", kicked()),
            ("-!- ann changed the topic of #ops to: on fire", topic()),
            // ZNC
            ("*** Joins: ann (~a@host)", Said::Joined(ann())),
            ("*** Parts: ann (~a@host) (bye)", Said::Left(ann())),
            ("*** Quits: ann (~a@host) (bye)", Said::Quit(ann())),
            ("*** bob was kicked by ann (why)", kicked()),
            ("*** ann changes topic to 'on fire'", topic()),
            ("*** ann is now known as ann_", called()),
            ("*** ann sets mode: +o bob", Said::Other),
            ("-ann- beware", words("ann", "beware")),
            // HexChat
            ("<ann>\thello", words("ann", "hello")),
            ("*\tann waves", Said::Action { nick: ann(), text: "waves".to_owned() }),
            ("*\tann (~a@host) has joined", Said::Joined(ann())),
            ("*\tNow talking on #ops", Said::Other),
            ("*\tann has changed the topic to: on fire", topic()),
        ] {
            assert_eq!(said(rest), expected, "{rest}");
        }
    }

    #[test]
    fn times_are_split_off() {
        let full = civil::date(2026, 1, 5).at(8, 0, 0, 123_456_000);
        assert_eq!(when("2026-01-05 08:00:00.123456Z\tann\tx"), Some((When::Full(full, true), "ann\tx")));
        let whole = civil::date(2026, 1, 5).at(8, 0, 0, 0);
        assert_eq!(when("2026-01-05 08:00:00\t*\tx"), Some((When::Full(whole, false), "*\tx")));
        assert_eq!(when("08:00 <ann> x"), Some((When::Clock(civil::time(8, 0, 0, 0)), "<ann> x")));
        assert_eq!(when("[08:00:01] <ann> x"), Some((When::Clock(civil::time(8, 0, 1, 0)), "<ann> x")));
        let no_year = When::NoYear(1, 5, civil::time(8, 0, 0, 0));
        assert_eq!(when("Jan 05 08:00:00 <ann>\tx"), Some((no_year, "<ann>\tx")));
        for line in ["", "hello there", "99:00 <a> x", "[x] y"] {
            assert_eq!(when(line), None, "{line}");
        }
        let day = Some(Mark::Day(civil::date(2026, 1, 5)));
        assert_eq!(mark("--- Log opened Mon Jan 05 08:00:00 2026"), day);
        assert_eq!(mark("--- Day changed po Jan 05 2026"), day);
        assert_eq!(mark("**** BEGIN LOGGING AT Mon Jan  5 08:00:00 2026"), day);
        assert_eq!(mark("--- Log closed Mon Jan 05 09:00:00 2026"), Some(Mark::Nothing));
    }

    #[test]
    fn colours_are_no_words() {
        assert_eq!(plain("\u{3}04,01red\u{3} \u{2}bold\u{f} \u{3}1,x \u{4}ff0000hex"), "red bold ,x hex");
    }

    proptest! {
        #[test]
        fn no_line_is_too_strange(line in "\\PC{0,40}") {
            let _ = mark(&line);
            if let Some((_, rest)) = when(&line) {
                prop_assert!(line.ends_with(rest));
            }
            let _ = (said(&line), plain(&line));
        }

        #[test]
        fn what_znc_writes_is_read_as_it_was_meant(nick in "[a-z]{1,9}", text in "[ -~]{1,30}") {
            let line = format!("[08:00:01] <{nick}> {text}");
            let (_, rest) = when(&line).unwrap();
            prop_assert_eq!(said(rest), words(&nick, &text));
        }
    }
}
