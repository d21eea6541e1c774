//! From the markup of other chats to Milena's: what is common to those that write `*bold*` and `~struck~`.
//!
//! What must not be touched (code, addresses, names) is *held* first: a stand-in takes its place, the marks
//! around it are converted, and then it is put back.

use crate::{Piece, Text};

/// Stands for what is held; taken out of whatever people wrote.
const STAND_IN: char = '\u{f8ff}';

/// A text in the making.
#[derive(Debug, Default)]
pub(crate) struct Draft {
    text: String,
    held: Vec<Piece>,
}

impl Draft {
    /// Adds what marks are looked for in.
    pub(crate) fn open(&mut self, text: &str) {
        self.text.extend(text.chars().filter(|c| *c != STAND_IN));
    }

    /// Adds what stays as it is.
    pub(crate) fn hold(&mut self, piece: Piece) {
        self.text.push(STAND_IN);
        self.held.push(piece);
    }

    /// Adds words that stay as they are.
    pub(crate) fn hold_words(&mut self, words: impl Into<String>) {
        self.hold(Piece::Words(words.into()));
    }

    /// The text so far, with stand-ins.
    pub(crate) fn change(&mut self, change: impl FnOnce(&str) -> String) {
        let changed = change(&self.text);
        // Whatever lost a stand-in would put names into wrong places.
        if changed.matches(STAND_IN).count() == self.held.len() {
            self.text = changed;
        }
    }

    /// With everything in its place.
    pub(crate) fn finish(self) -> Text {
        let mut held = self.held.into_iter();
        let mut text = Text::default();
        for (index, words) in self.text.split(STAND_IN).enumerate() {
            if index > 0 {
                held.next().into_iter().for_each(|piece| text.push(piece));
            }
            text.words(words);
        }
        text
    }
}

/// Splits off code, fenced and within a line; the rest is handed to `open`, code to `code` with its marks.
/// A fence gets lines of its own.
pub(crate) fn split_code<T>(text: &str, to: &mut T, open: fn(&mut T, &str), code: fn(&mut T, String)) {
    let mut rest = text;
    while let Some(start) = rest.find('`') {
        let ticks = rest[start..].bytes().take_while(|byte| *byte == b'`').count();
        let inside = &rest[start + ticks..];
        let marks = "`".repeat(if ticks >= 3 { 3 } else { ticks });
        let inside = if ticks >= 3 { &rest[start + 3..] } else { inside };
        let end = inside.find(&marks).filter(|end| *end > 0);
        let end = end.filter(|end| ticks >= 3 || !inside[..*end].contains('\n'));
        let Some(end) = end else {
            open(to, &rest[..start + ticks]);
            rest = &rest[start + ticks..];
            continue;
        };
        let (before, words) = (&rest[..start], &inside[..end]);
        open(to, before);
        rest = &inside[end + marks.len()..];
        if ticks >= 3 {
            if !before.is_empty() && !before.ends_with('\n') {
                open(to, "\n");
            }
            code(to, format!("```\n{}\n```", words.trim_matches('\n')));
            if !rest.is_empty() && !rest.starts_with('\n') {
                open(to, "\n");
            }
        } else {
            code(to, format!("{marks}{words}{marks}"));
        }
    }
    open(to, rest);
}

/// `*bold*` and `~struck~` become `**bold**` and `~~struck~~`, at the edges of words and within a line;
/// `_italic_` is the same here.
pub(crate) fn emphasis(text: &str) -> String {
    let bold = doubled(text, '*');
    doubled(&bold, '~')
}

fn doubled(text: &str, mark: char) -> String {
    let mut made = String::with_capacity(text.len() + 8);
    for (index, line) in text.split('\n').enumerate() {
        if index > 0 {
            made.push('\n');
        }
        let chars: Vec<char> = line.chars().collect();
        let at = |index: usize| chars.get(index).copied();
        let is_edge = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric() && c != mark && c != STAND_IN);
        let opens = |index: usize| {
            let before = index.checked_sub(1).and_then(at);
            at(index) == Some(mark)
                && is_edge(before)
                && at(index + 1).is_some_and(|c| !c.is_whitespace() && c != mark)
        };
        let closes = |index: usize| {
            let before = index.checked_sub(1).and_then(at);
            at(index) == Some(mark)
                && before.is_some_and(|c| !c.is_whitespace() && c != mark)
                && is_edge(at(index + 1))
        };
        let mut index = 0;
        while let Some(c) = at(index) {
            let close = opens(index).then(|| (index + 2..chars.len()).find(|end| closes(*end))).flatten();
            if let Some(close) = close {
                made.extend([mark, mark]);
                made.extend(&chars[index + 1..close]);
                made.extend([mark, mark]);
                index = close + 1;
            } else {
                made.push(c);
                index += 1;
            }
        }
    }
    made
}

/// A link with words of its own, or the address alone where the words say nothing else.
pub(crate) fn link(address: &str, label: Option<&str>) -> String {
    let label = label.map(str::trim).filter(|label| !label.is_empty());
    let bare = address.trim_start_matches("https://").trim_start_matches("http://");
    let bare = bare.trim_start_matches("mailto:").trim_end_matches('/');
    match label {
        Some(label) if label.trim_end_matches('/') != bare && label != address => {
            format!("[{}]({address})", label.replace(['[', ']'], ""))
        }
        Some(label) if address.starts_with("mailto:") => label.to_owned(),
        _ => address.to_owned(),
    }
}

/// WhatsApp, and what Rocket.Chat has in common with it: code, `*bold*` and `~struck~`, no names.
pub(crate) fn plain_marks(text: &str) -> Text {
    let mut draft = Draft::default();
    split_code(text, &mut draft, Draft::open, Draft::hold_words);
    draft.change(emphasis);
    draft.finish()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn words(text: &Text) -> String {
        let words = text.0.iter().map(|piece| match piece {
            Piece::Words(words) => words.clone(),
            other => format!("{other:?}"),
        });
        words.collect()
    }

    #[test]
    fn marks_are_converted_at_the_edges_of_words_only() {
        for (text, expected) in [
            ("*b* and ~s~ and _i_", "**b** and ~~s~~ and _i_"),
            ("2*3*4 and a ~ b ~ c", "2*3*4 and a ~ b ~ c"),
            ("**already**", "**already**"),
            ("(*x y*), *open", "(**x y**), *open"),
            ("`*code*` *b*", "`*code*` **b**"),
            ("see ```let *x* = 1;``` there", "see \n```\nlet *x* = 1;\n```\n there"),
            ("*a\nb*", "*a\nb*"),
        ] {
            assert_eq!(words(&plain_marks(text)), expected);
        }
    }

    #[test]
    fn links_say_what_they_say_once() {
        assert_eq!(link("https://a.example/", Some("a.example")), "https://a.example/");
        assert_eq!(link("https://a.example", Some("the [site]")), "[the site](https://a.example)");
        assert_eq!(link("mailto:a@b.example", Some("a@b.example")), "a@b.example");
        assert_eq!(link("https://a.example", None), "https://a.example");
    }

    proptest! {
        #[test]
        fn no_letter_is_lost(text in "[a-z *~`\n]{0,40}") {
            let letters = |text: &str| text.chars().filter(char::is_ascii_alphabetic).collect::<String>();
            prop_assert_eq!(letters(&words(&plain_marks(&text))), letters(&text));
        }
    }
}
