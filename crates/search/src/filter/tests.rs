//! What is found, and what of it is shown in bold.

use jiff::tz::TimeZone;
use milena_domain::{ConversationId, Position, Timestamp, UserId};
use uuid::Uuid;

use super::*;
use crate::query::{Problem, Query};

fn user(n: u128) -> UserId {
    UserId::from_uuid(Uuid::from_u128(n))
}

fn room(n: u128) -> ConversationId {
    ConversationId::from_uuid(Uuid::from_u128(n))
}

fn message(body: &str) -> Message {
    Message {
        conversation: room(1),
        position: Position::from_u64(1).unwrap(),
        author: user(1),
        to: None,
        sent_at: "2026-11-30T12:00:00Z".parse().unwrap(),
        body: body.to_owned(),
        mentions: Vec::new(),
        everyone: false,
        reply: false,
        edited: false,
        reacted: false,
        pinned: false,
    }
}

fn known() -> Known {
    Known {
        me: user(9),
        people: [("ann".to_owned(), vec![user(1)]), ("bob".to_owned(), vec![user(2)])].into(),
        conversations: [("#one".to_owned(), vec![room(1)]), ("#two".to_owned(), vec![room(2)])].into(),
        zone: TimeZone::UTC,
        now: "2026-11-30T13:00:00Z".parse::<Timestamp>().unwrap(),
    }
}

fn filter(query: &str) -> Filter {
    known().filter(&Query::parse(query).unwrap()).unwrap()
}

/// The text with what is found in brackets; `None` when it is not found.
fn shown(query: &str, body: &str) -> Option<String> {
    let found = filter(query).matches(&message(body))?;
    let mut shown = String::new();
    let mut at = 0;
    for range in found.highlights {
        shown += &format!("{}[{}]", &body[at..range.start], &body[range.clone()]);
        at = range.end;
    }
    Some(shown + &body[at..])
}

#[test]
fn words_phrases_and_beginnings() {
    for (query, body, expected) in [
        ("fox", "The quick Fox.", Some("The quick [Fox].")),
        ("qui fox", "The quick fox", None),
        ("fox qui", "The quick fox", Some("The [quick] [fox]")),
        ("q", "The quick fox", None),
        ("\"qui\"", "The quick fox", None),
        ("fox -qui", "The quick fox", Some("The quick [fox]")),
        ("fox -quick", "The quick fox", None),
        ("fox from:ann", "The foxes", Some("The [foxes]")),
        ("\"quick fox\"", "quick, quick fox", Some("quick, [quick fox]")),
        ("\"fox quick\"", "quick fox", None),
        ("grosse", "Größe", Some("[Größe]")),
        ("MÜLLER", "mu\u{308}ller", Some("[mu\u{308}ller]")),
        ("foo-bar/baz", "see foo-bar/baz.rs", Some("see [foo-bar/baz].rs")),
        ("foo-bar/ba", "see foo bar baz", Some("see [foo bar baz]")),
        ("bar", "foo-bar/baz", Some("foo-[bar]/baz")),
        ("std::vec", "use std::vec::Vec;", Some("use [std::vec]::Vec;")),
        (r"C:\Users", r"in C:\Users\ann", Some(r"in [C:\Users]\ann")),
        ("example.org", "mail ann@example.org now", Some("mail ann@[example.org] now")),
        ("👍", "fine 👍🏽!", Some("fine [👍🏽]!")),
        ("🤷", "🤷‍♂️", Some("[🤷‍♂️]")),
        ("is:reply", "none", None),
        ("on:today", "all of it", Some("all of it")),
    ] {
        assert_eq!(shown(query, body).as_deref(), expected, "{query} in {body:?}");
    }
}

#[test]
fn chinese_japanese_korean_and_thai_are_found_by_any_part() {
    for (query, body, expected) in [
        ("好", "你好，世界", Some("你[好]，世界")),
        ("世", "你好，世界", Some("你好，[世]界")),
        ("你好", "你好世界", Some("[你好]世界")),
        ("好世", "你好世界", Some("你[好世]界")),
        ("好世", "你好，世界", None),
        ("世界你", "你好世界", None),
        ("你好世界", "我说你好世界吧", Some("我说[你好世界]吧")),
        ("界 你", "你好世界", Some("[你]好世[界]")),
        ("-好", "你好世界", None),
        ("-坏", "你好世界", Some("你好世界")),
        ("git 用", "我用git", Some("我[用git]")),
        ("用git", "我用git的", Some("我[用git]的")),
        ("\"git 的\"", "我用git的人", Some("我用[git的]人")),
        ("\"用 的\"", "用的", None),
        ("校", "학교 학校", Some("학교 학[校]")),
        ("교에", "학교에서", Some("학[교에]서")),
        ("カナ", "ｶﾀｶﾅ", Some("ｶﾀ[ｶﾅ]")),
        ("かき", "かぎ", None),
        ("ไทย", "ภาษาไทย", Some("ภาษา[ไทย]")),
    ] {
        assert_eq!(shown(query, body).as_deref(), expected, "{query} in {body:?}");
    }
}

#[test]
fn operators_ask_for_facts() {
    let mut plain = message("see https://a.example");
    plain.to = Some(user(9));
    let mut rich = message("x");
    rich.conversation = room(2);
    rich.author = user(2);
    rich.mentions = vec![user(9)];
    rich.sent_at = "2026-10-01T00:00:00Z".parse().unwrap();
    (rich.reply, rich.edited, rich.reacted, rich.pinned) = (true, true, true, true);
    let mut loud = message("y");
    loud.everyone = true;
    for (query, expected) in [
        ("from:ann", [true, false, true]),
        ("from:ann from:bob", [true, true, true]),
        ("-from:ann", [false, true, false]),
        ("from:me", [false, false, false]),
        ("in:#one", [true, false, true]),
        ("in:#one from:bob", [false, false, false]),
        ("to:me", [true, false, false]),
        ("mentions:me", [false, true, true]),
        ("has:link", [true, false, false]),
        ("-has:link", [false, true, true]),
        ("has:reaction has:pin is:reply is:edited", [false, true, false]),
        ("on:2026-11-30", [true, false, true]),
        ("before:2026-11", [false, true, false]),
        ("after:2026-10", [true, false, true]),
        ("after:2026-11-30", [false, false, false]),
        ("before:2026-10-01", [false, false, false]),
        ("-on:2026-10", [true, false, true]),
    ] {
        let found = [&plain, &rich, &loud].map(|message| filter(query).matches(message).is_some());
        assert_eq!(found, expected, "{query}");
    }
}

#[test]
fn names_that_nobody_has_are_errors_with_their_place() {
    let wrong = |query: &str| known().filter(&Query::parse(query).unwrap()).unwrap_err();
    let error = wrong("x from:eve");
    assert_eq!((error.place, error.problem.to_string()), (2..10, "from: finds nobody called \"eve\"".into()));
    assert_eq!(wrong("in:#three").problem, Problem::NoConversation { name: "#three".into() });
}

#[test]
fn what_fits_better_counts_more() {
    let relevance = |query: &str, body: &str| filter(query).matches(&message(body)).unwrap().relevance;
    let long = " and so on".repeat(20);
    assert!(relevance("quick fox", "a quick fox") > relevance("quick fox", "quick is the fox"));
    assert!(relevance("fox", "the fox") > relevance("fox", "the foxes"));
    assert!(relevance("fox", "the fox") > relevance("fox", &format!("the fox{long}")));
    let mut pinned = message("the fox");
    pinned.pinned = true;
    assert!(filter("fox").matches(&pinned).unwrap().relevance > relevance("fox", "the fox"));
}

#[test]
fn highlights_in_characters_and_code_units() {
    let body = "😀 Größe 你好";
    let found = filter("grosse 你好").matches(&message(body)).unwrap().highlights;
    assert_eq!(found, [5..12, 13..19]);
    assert_eq!(in_chars(body, &found), [2..7, 8..10]);
    assert_eq!(in_utf16(body, &found), [3..8, 9..11]);
}
