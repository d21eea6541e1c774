//! The language by example, and what holds for whatever is typed.

use proptest::prelude::*;

use super::*;

fn parsed(text: &str) -> Vec<Term> {
    Query::parse(text).unwrap().terms().cloned().collect()
}

fn yes(what: What) -> Term {
    Term { negated: false, what }
}

fn no(what: What) -> Term {
    Term { negated: true, what }
}

fn word(text: &str) -> What {
    What::Word(text.to_owned())
}

fn phrase(text: &str) -> What {
    What::Phrase(text.to_owned())
}

#[test]
fn every_kind_of_term() {
    let day = |text: &str| text.parse::<Day>().unwrap();
    for (text, terms) in [
        ("invoice  march", vec![yes(word("invoice")), yes(word("march"))]),
        ("\"next week\" -draft", vec![yes(phrase("next week")), no(word("draft"))]),
        ("-\"next week\"", vec![no(phrase("next week"))]),
        ("“von unten” „oben“", vec![yes(phrase("von unten")), yes(phrase("oben"))]),
        ("\"a\"b", vec![yes(phrase("a")), yes(word("b"))]),
        ("from:ann FROM:@Bob", vec![yes(What::From("ann".into())), yes(What::From("@Bob".into()))]),
        ("from:\"Ann Lee\"", vec![yes(What::From("Ann Lee".into()))]),
        ("-in:#general", vec![no(What::In("#general".into()))]),
        ("to:me mentions:ME", vec![yes(What::ToMe), yes(What::MentionsMe)]),
        ("before:2026 after:2026-03", vec![yes(What::Before(day("2026"))), yes(What::After(day("2026-03")))]),
        ("on:today", vec![yes(What::On(Day::Today))]),
        ("has:link has:Reaction", vec![yes(What::Has(Has::Link)), yes(What::Has(Has::Reaction))]),
        ("has:pin is:reply", vec![yes(What::Has(Has::Pin)), yes(What::Is(Is::Reply))]),
        ("-is:edited", vec![no(What::Is(Is::Edited))]),
        ("from：王小明", vec![yes(What::From("王小明".into()))]),
        // What is no operator is a word.
        ("std::vec", vec![yes(word("std::vec"))]),
        (r"C:\Users", vec![yes(word(r"C:\Users"))]),
        ("https://a.example/?from:b", vec![yes(word("https://a.example/?from:b"))]),
        ("fromage:1 form:x", vec![yes(word("fromage:1")), yes(word("form:x"))]),
        ("from ann", vec![yes(word("from")), yes(word("ann"))]),
        ("--help a - b", vec![yes(word("--help")), yes(word("a")), yes(word("-")), yes(word("b"))]),
        ("צה\"ל 5\"", vec![yes(word("צה\"ל")), yes(word("5\""))]),
        ("👍 \u{3000} :-)", vec![yes(word("👍")), yes(word(":-)"))]),
    ] {
        assert_eq!(parsed(text), terms, "{text}");
    }
}

#[test]
fn an_error_says_where_what_and_how() {
    for (text, place, says) in [
        ("", 0..0, "search for a word, a number or an emoji, or with an operator such as from:ann"),
        (" :-) ", 0..5, "search for a word, a number or an emoji, or with an operator such as from:ann"),
        ("say \"hello", 4..10, "the phrase that begins here has no end: put a \" behind its last word"),
        (
            "a from: b",
            2..7,
            "from: needs something behind it, without a blank: a name, such as from:ann, \
          from:\"Ann Lee\" or from:me",
        ),
        (
            "in:\"\"",
            0..5,
            "in: needs something behind it, without a blank: a room or a person, such as \
          in:#general or in:@ann",
        ),
        ("x has:file", 2..10, "has: does not know \"file\": link, reaction or pin"),
        ("-is:new", 0..7, "is: does not know \"new\": reply or edited"),
        ("to:ann", 0..6, "to: does not know \"ann\": me, as in to:me"),
        (
            "on:30.11.2026",
            0..13,
            "on: does not know \"30.11.2026\": a day, month or year, such as 2026-11-30, \
          2026-11, 2026, today or yesterday",
        ),
    ] {
        let error = Query::parse(text).unwrap_err();
        assert_eq!((error.place.clone(), error.to_string().as_str()), (place, says), "{text}");
    }
}

#[test]
fn limits_hold_exactly() {
    assert!(Query::parse(&"a".repeat(QUERY_MAX_CHARS)).is_ok());
    let error = Query::parse(&"ä".repeat(QUERY_MAX_CHARS + 1)).unwrap_err();
    assert_eq!(error.to_string(), "a search has at most 500 characters (got 501)");
    assert!(Query::parse(&"a ".repeat(QUERY_MAX_TERMS)).is_ok());
    let error = Query::parse(&"a ".repeat(QUERY_MAX_TERMS + 1)).unwrap_err();
    assert_eq!((error.place, error.problem), (64..66, Problem::TooManyTerms));
}

#[test]
fn names_are_listed_for_looking_them_up() {
    let query = Query::parse("a from:ann -from:@bob in:#x").unwrap();
    assert_eq!(query.people().collect::<Vec<_>>(), ["ann", "@bob"]);
    assert_eq!(query.conversations().collect::<Vec<_>>(), ["#x"]);
}

/// Text as a fuzzer would type it: pieces of the language in any order.
fn typed() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => "[a-z你好ß\"“”: .-]{0,4}",
        2 => prop::sample::select(vec![
            "from:", "in:", "to:", "to:me", "mentions:me", "before:", "on:2026-02-29", "after:2024-2",
            "has:link", "is:", "is:reply", "-", "--", "\"", " ", "\u{3000}", "：", "from：", "“",
            "@ann", "#room", "today",
        ]).prop_map(str::to_owned),
        1 => "\\PC{0,3}",
        1 => any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..14).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]
    #[test]
    fn whatever_is_typed_is_answered_and_printed_as_it_is_meant(text in typed()) {
        match Query::parse(&text) {
            Ok(query) => {
                let printed = query.to_string();
                let again = Query::parse(&printed);
                prop_assert_eq!(again.as_ref(), Ok(&query), "{}", printed);
                prop_assert_eq!(again.unwrap().to_string(), printed);
                for (_, place) in query.placed() {
                    prop_assert!(text.get(place).is_some_and(|part| !part.trim().is_empty()));
                }
            }
            Err(error) => {
                prop_assert!(text.get(error.place.clone()).is_some(), "{:?}", error);
                prop_assert!(!error.to_string().is_empty());
            }
        }
    }
}
