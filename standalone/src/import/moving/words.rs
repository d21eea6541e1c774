//! The words of a message as a line has them: names by what people are called here, the names of files below,
//! and in several messages where one would be too long.

use milena_domain::limits::{BODY_MAX_CHARS, MENTIONS_MAX};
use milena_import::{Piece, Text};

use super::names::Names;
use crate::import::line::{Part, Said};

/// What a name takes of a message: `<@`, an id, `>`.
const MENTION_CHARS: usize = 39;

/// The words of one message; several where they are too long for one.
pub(super) fn said(text: &Text, files: &[String], people: &Names, rooms: &Names) -> Vec<Said> {
    let mut parts = Vec::new();
    let (mut everyone, mut named) = (false, 0);
    let words = |parts: &mut Vec<Part>, text: &str| {
        let text: String = text.chars().filter(|c| *c != '\0').collect();
        match parts.last_mut() {
            _ if text.is_empty() => {}
            Some(Part::Words(before)) => before.push_str(&text),
            _ => parts.push(Part::Words(text)),
        }
    };
    for piece in &text.0 {
        match piece {
            Piece::Words(text) => words(&mut parts, text),
            Piece::Room(key) => {
                let name = rooms.get(key).filter(|name| !name.is_empty()).unwrap_or(key);
                words(&mut parts, &format!("#{name}"));
            }
            Piece::Everyone => {
                everyone = true;
                words(&mut parts, "<@everyone>");
            }
            Piece::Person(key) => match people.get(key) {
                Some(name) if named < MENTIONS_MAX => {
                    named += 1;
                    parts.push(Part::Person(name.to_owned()));
                }
                Some(name) => words(&mut parts, &format!("@{name}")),
                None => words(&mut parts, &format!("@{key}")),
            },
        }
    }
    for file in files {
        let between = if parts.is_empty() { "" } else { "\n" };
        let file: String = file.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        words(&mut parts, &format!("{between}[file: {file}]"));
    }
    let one = |words| Said { words, mentions: Vec::new(), everyone: false, reply_to: None };
    let mut all: Vec<Said> = split(parts).into_iter().map(one).collect();
    if let Some(first) = all.first_mut() {
        first.everyone = everyone;
    }
    all
}

/// Into messages of at most [`BODY_MAX_CHARS`], between lines or words where that is possible.
fn split(parts: Vec<Part>) -> Vec<Vec<Part>> {
    let (mut all, mut now, mut left) = (Vec::new(), Vec::new(), BODY_MAX_CHARS);
    for part in parts {
        let Part::Words(words) = part else {
            if left < MENTION_CHARS {
                all.push(std::mem::take(&mut now));
                left = BODY_MAX_CHARS;
            }
            left -= MENTION_CHARS;
            now.push(part);
            continue;
        };
        let mut rest = words.as_str();
        while let Some((end, _)) = rest.char_indices().nth(left) {
            let fits = &rest[..end];
            // Not so near to the beginning that little would be said.
            let good = |at: &usize| *at > fits.len() / 2;
            let cut = fits.rfind('\n').filter(good).or_else(|| fits.rfind(' ').filter(good)).unwrap_or(end);
            if cut > 0 {
                now.push(Part::Words(rest[..cut].to_owned()));
            }
            all.push(std::mem::take(&mut now));
            left = BODY_MAX_CHARS;
            rest = rest[cut..].strip_prefix(['\n', ' ']).unwrap_or(&rest[cut..]);
        }
        if !rest.is_empty() {
            left -= rest.chars().count();
            now.push(Part::Words(rest.to_owned()));
        }
    }
    if !now.is_empty() {
        all.push(now);
    }
    all.retain(|parts| !parts.is_empty());
    all
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn length(said: &Said) -> usize {
        let of = |part: &Part| match part {
            Part::Words(words) => words.chars().count(),
            Part::Person(_) => MENTION_CHARS,
        };
        said.words.iter().map(of).sum()
    }

    fn words(said: &Said) -> String {
        let of = |part: &Part| match part {
            Part::Words(words) => words.clone(),
            Part::Person(name) => format!("<{name}>"),
        };
        said.words.iter().map(of).collect()
    }

    #[test]
    fn names_are_those_of_here_and_files_stand_below() {
        let mut people = Names::default();
        let mut rooms = Names::default();
        people.give("U1", "ann");
        rooms.give("C1", "ops");
        let mut text = Text::plain("see ");
        for piece in [
            Piece::Room("C1".to_owned()),
            Piece::Words(" ".to_owned()),
            Piece::Person("U1".to_owned()),
            Piece::Person("U9".to_owned()),
            Piece::Everyone,
        ] {
            text.push(piece);
        }
        let all = said(&text, &["a.png".to_owned()], &people, &rooms);
        assert_eq!(
            all.iter().map(words).collect::<Vec<_>>(),
            ["see #ops <ann>@U9<@everyone>\n[file: a.png]"]
        );
        assert!(all[0].everyone);
        let file = said(&Text::default(), &["a\nb".to_owned()], &people, &rooms);
        assert_eq!(words(&file[0]), "[file: a b]");
    }

    proptest! {
        #[test]
        fn long_ones_are_several_and_nothing_of_them_is_lost(
            lines in proptest::collection::vec(("[a-z]{1,9}", 1_usize..2_000), 1..12)
        ) {
            let text: Vec<String> = lines.iter().map(|(word, times)| word.repeat(*times)).collect();
            let all = said(&Text::plain(text.join(" ")), &[], &Names::default(), &Names::default());
            prop_assert!(all.iter().all(|said| (1..=BODY_MAX_CHARS).contains(&length(said))));
            let told: String = all.iter().map(words).collect();
            let bare = |text: &str| text.replace(' ', "");
            prop_assert_eq!(bare(&told), bare(&text.concat()));
        }
    }
}
