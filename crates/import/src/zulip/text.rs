//! Zulip's Markdown as Milena's text: names, channels, quotes, spoilers, and links to files that do not come
//! along.

use std::collections::HashMap;

use crate::{Piece, Text, emoji};

/// Whom and what names stand for.
#[derive(Default)]
pub(super) struct Called {
    pub(super) people: HashMap<String, String>,
    pub(super) channels: HashMap<String, String>,
}

/// The words, and the names of the files in them.
pub(super) fn of(content: &str, called: &Called) -> (Text, Vec<String>) {
    let (mut text, mut files) = (Text::default(), Vec::new());
    for (number, block) in blocks(content).into_iter().enumerate() {
        if number > 0 {
            text.words("\n");
        }
        match block {
            Block::Code(code) => text.words(&code),
            Block::Words(words) => line(&words, called, &mut text, &mut files),
        }
    }
    if let Some(Piece::Words(words)) = text.0.last_mut() {
        words.truncate(words.trim_end().len());
    }
    text.0.retain(|piece| !matches!(piece, Piece::Words(words) if words.is_empty()));
    (text, files)
}

enum Block {
    Code(String),
    Words(String),
}

/// Line by line; fences that are quotes, spoilers or mathematics become what Milena has for them.
fn blocks(content: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Vec<(String, Kind)> = Vec::new();
    for line in content.split('\n') {
        let trimmed = line.trim_start();
        let mark: String = trimmed.chars().take_while(|c| *c == '`' || *c == '~').collect();
        if mark.len() >= 3 {
            let word = trimmed[mark.len()..].trim();
            if open.last().is_some_and(|(begun, _)| *begun == mark) && word.is_empty() {
                if open.pop().is_some_and(|(_, kind)| kind == Kind::Code) {
                    blocks.push(Block::Code(format!("{}```", quotes(&open))));
                }
                continue;
            }
            if open.last().is_none_or(|(_, kind)| *kind != Kind::Code) {
                let kind =
                    if word == "quote" || word.starts_with("spoiler") { Kind::Quote } else { Kind::Code };
                if let Some(title) =
                    word.strip_prefix("spoiler").map(str::trim).filter(|title| !title.is_empty())
                {
                    blocks.push(Block::Words(format!("{}> **{title}**", quotes(&open))));
                }
                if kind == Kind::Code {
                    let word = if word == "math" { "" } else { word };
                    blocks.push(Block::Code(format!("{}```{word}", quotes(&open))));
                }
                open.push((mark, kind));
                continue;
            }
        }
        let quoted = format!("{}{line}", quotes(&open));
        let is_code = open.last().is_some_and(|(_, kind)| *kind == Kind::Code);
        blocks.push(if is_code { Block::Code(quoted) } else { Block::Words(quoted) });
    }
    if open.iter().any(|(_, kind)| *kind == Kind::Code) {
        blocks.push(Block::Code("```".to_owned()));
    }
    blocks
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Code,
    Quote,
}

fn quotes(open: &[(String, Kind)]) -> String {
    "> ".repeat(open.iter().filter(|(_, kind)| *kind == Kind::Quote).count())
}

fn line(words: &str, called: &Called, text: &mut Text, files: &mut Vec<String>) {
    let mut rest = words;
    let open = |text: &mut Text, words: &str| text.words(&emoji::in_text(&words.replace("$$", "`")));
    while let Some(start) = rest.find(['@', '#', '[', '`']) {
        open(text, &rest[..start]);
        let after = &rest[start..];
        if let Some(inside) = after.strip_prefix('`')
            && let Some(end) = inside.find('`')
        {
            text.words(&after[..end + 2]);
            rest = &inside[end + 1..];
        } else if let Some((piece, length)) = name(after, called) {
            text.push(piece);
            rest = &after[length..];
        } else if let Some((file, length)) = upload(after) {
            files.push(file);
            rest = &after[length..];
        } else {
            text.words(&after[..1]);
            rest = &after[1..];
        }
    }
    open(text, rest);
}

/// `@**Name**`, `@**Name|11**`, `@_**Name**`, `@*group*`, `#**channel>topic@7**`.
fn name(after: &str, called: &Called) -> Option<(Piece, usize)> {
    let between = |start: &str, end: &str| {
        let inside = after.strip_prefix(start)?;
        let length = inside.find(end).filter(|length| (1..200).contains(length))?;
        Some((&inside[..length], start.len() + length + end.len()))
    };
    if let Some((named, length)) = between("@**", "**") {
        let (shown, id) = named.rsplit_once('|').unwrap_or((named, ""));
        let piece = match shown {
            "all" | "everyone" | "channel" | "stream" => Piece::Everyone,
            _ if !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit()) => {
                Piece::Person(id.to_owned())
            }
            _ => match called.people.get(shown) {
                Some(key) => Piece::Person(key.clone()),
                None => Piece::Words(format!("@{shown}")),
            },
        };
        return Some((piece, length));
    }
    // Silent: nobody is told.
    if let Some((named, length)) = between("@_**", "**") {
        let shown = named.split('|').next().unwrap_or(named);
        return Some((Piece::Words(shown.to_owned()), length));
    }
    if let Some((group, length)) = between("@*", "*").or_else(|| between("@_*", "*")) {
        return Some((Piece::Words(format!("@{group}")), length));
    }
    let (named, length) = between("#**", "**")?;
    let channel = named.split('>').next().unwrap_or(named);
    let piece = match called.channels.get(channel).filter(|_| channel == named) {
        Some(key) => Piece::Room(key.clone()),
        None => Piece::Words(format!("#{named}")),
    };
    Some((piece, length))
}

/// `[name](/user_uploads/…)`.
fn upload(after: &str) -> Option<(String, usize)> {
    let inside = after.strip_prefix('[')?;
    let (label, rest) = inside.split_once("](")?;
    if label.contains(['\n', '[']) {
        return None;
    }
    let (address, _) = rest.split_once(')')?;
    let is_upload = address.starts_with("/user_uploads/") || address.contains("/user_uploads/");
    let name = if label.is_empty() { address.rsplit('/').next().unwrap_or("file") } else { label };
    is_upload.then(|| (name.to_owned(), 1 + label.len() + 2 + address.len() + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_zulip_writes_is_what_people_read() {
        let called = Called {
            people: HashMap::from([("U Two".to_owned(), "12".to_owned())]),
            channels: HashMap::from([("ops".to_owned(), "stream/3".to_owned())]),
        };
        let (text, files) = of(
            "hi @**U Two**, @**U Two|13** @_**U Two** in #**ops** #**ops>deploy** :wave: \
             [a.png](/user_uploads/1/a.png)",
            &called,
        );
        let words = |text: &str| Piece::Words(text.to_owned());
        let expected = [
            words("hi "),
            Piece::Person("12".to_owned()),
            words(", "),
            Piece::Person("13".to_owned()),
            words(" U Two in "),
            Piece::Room("stream/3".to_owned()),
            words(" #ops>deploy 👋"),
        ];
        assert_eq!(text.0, expected);
        assert_eq!(files, ["a.png"]);
        for (content, expected) in [
            ("```quote\nsaid\n```\nanswer", "> said\nanswer"),
            ("```spoiler The end\nhe did it\n```", "> **The end**\n> he did it"),
            ("```python\n@**U Two**\n```", "```python\n@**U Two**\n```"),
            ("````quote\n```\ncode\n```\n````", "> ```\n> code\n> ```"),
            ("$$x^2$$ `@**all**`", "`x^2` `@**all**`"),
        ] {
            assert_eq!(of(content, &called).0.0, [words(expected)], "{content}");
        }
    }
}
