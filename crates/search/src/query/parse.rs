//! From text to terms.

use std::ops::Range;
use std::str::FromStr;

use super::{Day, Has, Is, Placed, Problem, QUERY_MAX_CHARS, QUERY_MAX_TERMS, Query, QueryError, Term, What};
use crate::analyse::tokens;

/// What begins a phrase, and what ends it: keyboards of phones write other quotes than programmers do.
const QUOTES: [char; 5] = ['"', '\u{201c}', '\u{201d}', '\u{201e}', '\u{201f}'];

/// The operators, and what can be behind each.
const OPERATORS: [(&str, &str); 9] = [
    ("from", "a name, such as from:ann, from:\"Ann Lee\" or from:me"),
    ("in", "a room or a person, such as in:#general or in:@ann"),
    ("to", "me, as in to:me"),
    ("mentions", "me, as in mentions:me"),
    ("before", DAYS),
    ("after", DAYS),
    ("on", DAYS),
    ("has", "link, reaction or pin"),
    ("is", "reply or edited"),
];

const DAYS: &str = "a day, month or year, such as 2026-11-30, 2026-11, 2026, today or yesterday";

pub(super) fn is_quote(c: char) -> bool {
    QUOTES.contains(&c)
}

/// The operator that a text begins with, and the bytes up to behind its colon.
pub(super) fn operator(text: &str) -> Option<(&'static str, &'static str, usize)> {
    // The wide colon is what a Chinese keyboard writes.
    let (colon, c) = text.char_indices().find(|(_, c)| !c.is_ascii_alphabetic())?;
    let known = OPERATORS.iter().find(|(name, _)| name.eq_ignore_ascii_case(&text[..colon]))?;
    matches!(c, ':' | '\u{ff1a}').then_some((known.0, known.1, colon + c.len_utf8()))
}

pub(super) fn parse(text: &str) -> Result<Query, QueryError> {
    let chars = text.chars().count();
    if chars > QUERY_MAX_CHARS {
        return Err(Problem::TooLong { chars }.at(0..text.len()));
    }
    let mut terms = Vec::new();
    let mut at = 0;
    while let Some(skipped) = text[at..].find(|c: char| !c.is_whitespace()) {
        at += skipped;
        let term = term(text, at)?;
        if terms.len() == QUERY_MAX_TERMS {
            return Err(Problem::TooManyTerms.at(at..text.len()));
        }
        at = term.place.end;
        terms.push(term);
    }
    if terms.iter().all(|placed| asks_nothing(&placed.term.what)) {
        return Err(Problem::Nothing.at(0..text.len()));
    }
    Ok(Query { terms })
}

/// Words of signs that nobody searches for.
fn asks_nothing(what: &What) -> bool {
    match what {
        What::Word(text) | What::Phrase(text) => tokens(text).is_empty(),
        _ => false,
    }
}

/// The term that begins at `start`, where no blank is.
fn term(text: &str, start: usize) -> Result<Placed, QueryError> {
    let mut after_sign = text[start..].strip_prefix('-').unwrap_or_default().chars();
    // `--help` and a dash by itself are words.
    let negated = after_sign.next().is_some_and(|next| next != '-' && !next.is_whitespace());
    let begin = start + usize::from(negated);
    let placed = |what, end| Ok(Placed { term: Term { negated, what }, place: start..end });
    if text[begin..].starts_with(is_quote) {
        let (phrase, end) = quoted(text, begin)?;
        return placed(What::Phrase(phrase.to_owned()), end);
    }
    if let Some((name, help, length)) = operator(&text[begin..]) {
        let value_at = begin + length;
        let (value, end) = if text[value_at..].starts_with(is_quote) {
            quoted(text, value_at)?
        } else {
            let end = word_end(text, value_at);
            (&text[value_at..end], end)
        };
        if value.trim().is_empty() {
            return Err(Problem::Missing { operator: name, help }.at(start..end));
        }
        let unknown = || Problem::Unknown { operator: name, value: value.to_owned(), help }.at(start..end);
        return placed(ask(name, value).ok_or_else(unknown)?, end);
    }
    let end = word_end(text, begin);
    placed(What::Word(text[begin..end].to_owned()), end)
}

fn word_end(text: &str, start: usize) -> usize {
    text[start..].find(char::is_whitespace).map_or(text.len(), |length| start + length)
}

/// What stands between the quote at `start` and the next one, and where the latter ends.
fn quoted(text: &str, start: usize) -> Result<(&str, usize), QueryError> {
    let opening = text[start..].chars().next().map_or(0, char::len_utf8);
    let inner = start + opening;
    let closing = text[inner..].char_indices().find(|(_, c)| is_quote(*c));
    let unclosed = || Problem::Unclosed.at(Range { start, end: text.len() });
    let (length, quote) = closing.ok_or_else(unclosed)?;
    Ok((&text[inner..inner + length], inner + length + quote.len_utf8()))
}

/// What an operator asks for; `None` when it does not know the value.
fn ask(operator: &str, value: &str) -> Option<What> {
    let day = || Day::from_str(value).ok();
    let is = |word: &str| value.eq_ignore_ascii_case(word);
    match operator {
        "from" => Some(What::From(value.to_owned())),
        "in" => Some(What::In(value.to_owned())),
        "to" if is("me") => Some(What::ToMe),
        "mentions" if is("me") => Some(What::MentionsMe),
        "before" => day().map(What::Before),
        "after" => day().map(What::After),
        "on" => day().map(What::On),
        "has" if is("link") => Some(What::Has(Has::Link)),
        "has" if is("reaction") => Some(What::Has(Has::Reaction)),
        "has" if is("pin") => Some(What::Has(Has::Pin)),
        "is" if is("reply") => Some(What::Is(Is::Reply)),
        "is" if is("edited") => Some(What::Is(Is::Edited)),
        _ => None,
    }
}
