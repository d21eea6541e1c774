//! One table of cases for the server and the page: whom to tell, what is counted, what a keyword finds, when
//! it is quiet.

#![allow(clippy::unwrap_used, reason = "a test ends where it is surprised")]

use milena_domain::Timestamp;
use milena_domain::tell::{
    Counts, Folded, General, Keywords, Kind, Level, Mute, Occasion, OfConversation, Schedule,
    WrittenSchedule, WrittenWindow, verdict,
};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    verdicts: Vec<VerdictCase>,
    counts: Vec<CountCase>,
    keywords: Vec<KeywordCase>,
    quiet: Vec<QuietCase>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct VerdictCase {
    name: String,
    kind: String,
    #[serde(default)]
    mine: bool,
    #[serde(default)]
    named: bool,
    #[serde(default)]
    everyone: bool,
    #[serde(default)]
    answers: bool,
    #[serde(default)]
    body: String,
    #[serde(default)]
    general: GeneralCase,
    #[serde(default)]
    settings: OwnCase,
    #[serde(default)]
    active: bool,
    gives: String,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct GeneralCase {
    direct: Option<String>,
    rooms: Option<String>,
    keywords: Vec<String>,
    dnd_until: Option<Timestamp>,
    dnd_schedule: Option<WrittenSchedule>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct OwnCase {
    level: Option<String>,
    muted: bool,
    muted_until: Option<Timestamp>,
    ignore_everyone: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CountCase {
    name: String,
    #[serde(default)]
    settings: OwnCase,
    unread: u32,
    mentions: u32,
    calls: u64,
    muted: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KeywordCase {
    keyword: String,
    body: String,
    matches: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct QuietCase {
    name: String,
    zone: Option<String>,
    #[serde(default)]
    windows: Vec<WrittenWindow>,
    now: Timestamp,
    quiet: bool,
}

fn table() -> Table {
    serde_json::from_str(include_str!("tell.json")).unwrap()
}

/// A Sunday, when nothing else is said.
fn noon() -> Timestamp {
    Timestamp::exact("2026-11-29T12:00:00.000Z").unwrap()
}

fn level(name: &str) -> Level {
    Level::named(name).unwrap()
}

impl GeneralCase {
    fn general(&self) -> General {
        let default = General::default();
        General {
            direct: self.direct.as_deref().map_or(default.direct, level),
            rooms: self.rooms.as_deref().map_or(default.rooms, level),
            keywords: Keywords::new(&self.keywords).unwrap(),
            dnd_until: self.dnd_until,
            dnd_schedule: self.dnd_schedule.as_ref().map(|written| Schedule::try_from(written).unwrap()),
            ..default
        }
    }
}

impl OwnCase {
    fn own(&self) -> OfConversation {
        let mute = match (self.muted, self.muted_until) {
            (false, _) => Mute::No,
            (true, None) => Mute::ForGood,
            (true, Some(until)) => Mute::Until(until),
        };
        let level = self.level.as_deref().map(level);
        OfConversation { level, mute, ignore_everyone: self.ignore_everyone }
    }
}

#[test]
fn each_case_is_told_as_the_page_tells_it() {
    let verdicts = table().verdicts;
    assert!(verdicts.len() > 30);
    for case in verdicts {
        let general = case.general.general();
        let occasion = Occasion {
            kind: match case.kind.as_str() {
                "direct" => Kind::Direct,
                "notes" => Kind::Notes,
                "room" => Kind::Room,
                other => panic!("{other}"),
            },
            is_mine: case.mine,
            is_named: case.named,
            is_everyone: case.everyone,
            answers_me: case.answers,
            has_keyword: general.has_keyword(&Folded::new(&case.body)),
        };
        let given = verdict(occasion, &general, &case.settings.own(), noon(), case.active);
        assert_eq!(given.as_str(), case.gives, "{}", case.name);
    }
}

#[test]
fn each_conversation_is_counted_as_the_page_counts_it() {
    for CountCase { name, settings, unread, mentions, calls, muted } in table().counts {
        let expected = Counts { calls, mentions: mentions.into(), muted };
        assert_eq!(Counts::of(&settings.own(), noon(), unread, mentions), expected, "{name}");
    }
}

#[test]
fn each_keyword_is_found_where_the_page_finds_it() {
    for KeywordCase { keyword, body, matches } in table().keywords {
        let keywords = Keywords::new(std::slice::from_ref(&keyword)).unwrap();
        assert_eq!(keywords.are_in(&Folded::new(&body)), matches, "{keyword:?} in {body:?}");
    }
}

#[test]
fn it_is_quiet_when_the_page_is_quiet() {
    for QuietCase { name, zone, windows, now, quiet } in table().quiet {
        let written = zone.map(|time_zone| WrittenSchedule { time_zone, windows });
        let dnd_schedule = written.map(|written| Schedule::try_from(&written).unwrap());
        let general = General { dnd_schedule, ..General::default() };
        assert_eq!(general.is_quiet(now), quiet, "{name}");
    }
}
