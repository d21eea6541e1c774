//! Slack's `mrkdwn` and what stands beside it in bots' messages, as Milena's text.
//!
//! Order matters: code is split off first, then what is in angle brackets, then marks, and entities last, so
//! that a typed `&lt;@U1&gt;` does not become somebody's name.

use serde_json::Value;

use crate::json::Fields;
use crate::markup::{Draft, emphasis, link, split_code};
use crate::{Piece, Text, emoji};

/// A text of Slack.
pub(super) fn of(text: &str) -> Text {
    let mut draft = Draft::default();
    split_code(text, &mut draft, open, |draft, code| draft.hold_words(unescaped(&untagged(&code))));
    draft.change(|text| {
        let lines = text.split('\n').map(quoted).collect::<Vec<_>>().join("\n");
        unescaped(&emphasis(&emoji::in_text(&lines)))
    });
    draft.finish()
}

fn open(draft: &mut Draft, text: &str) {
    let mut rest = text;
    while let Some(start) = rest.find('<') {
        let Some(length) = rest[start..].find('>') else { break };
        draft.open(&rest[..start]);
        token(draft, &rest[start + 1..start + length]);
        rest = &rest[start + length + 1..];
    }
    draft.open(rest);
}

fn token(draft: &mut Draft, token: &str) {
    let (token, label) = token.split_once('|').map_or((token, None), |(token, label)| (token, Some(label)));
    let shown =
        |label: Option<&str>, other: &str| unescaped(label.filter(|l| !l.is_empty()).unwrap_or(other));
    if let Some(user) = token.strip_prefix('@') {
        draft.hold(Piece::Person(user.to_owned()));
    } else if let Some(channel) = token.strip_prefix('#') {
        draft.hold(Piece::Room(channel.to_owned()));
    } else if let Some(command) = token.strip_prefix('!') {
        match command {
            "channel" | "everyone" | "here" => draft.hold(Piece::Everyone),
            _ if command.starts_with("subteam^") => draft.hold_words(shown(label, "@group")),
            _ if command.starts_with("date^") => draft.hold_words(shown(label, command)),
            _ => draft.hold_words(shown(label, command)),
        }
    } else {
        draft.hold_words(link(&unescaped(token), label.map(unescaped).as_deref()));
    }
}

/// Within code, addresses are in brackets all the same.
fn untagged(code: &str) -> String {
    let mut made = String::with_capacity(code.len());
    let mut rest = code;
    while let Some(start) = rest.find('<') {
        let Some(length) = rest[start..].find('>') else { break };
        made.push_str(&rest[..start]);
        let token = &rest[start + 1..start + length];
        made.push_str(token.split_once('|').map_or(token, |(_, label)| label));
        rest = &rest[start + length + 1..];
    }
    made + rest
}

fn quoted(line: &str) -> String {
    let Some(words) = line.strip_prefix("&gt;") else { return line.to_owned() };
    let words = words.strip_prefix("&gt;&gt;").unwrap_or(words);
    format!("> {}", words.trim_start())
}

/// There are no other entities.
fn unescaped(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

/// What a bot's message has besides its text: attachments, and blocks where there is nothing else.
pub(crate) fn beside(entry: &Value, is_blank: bool) -> Text {
    let mut text = Text::default();
    let mut add = |part: Text| {
        if !part.is_blank() {
            if !text.0.is_empty() {
                text.words("\n");
            }
            text.append(part);
        }
    };
    for attachment in entry.list("attachments") {
        // A preview of an address that the message has anyway.
        if attachment.get("from_url").is_some() || attachment.get("original_url").is_some() {
            continue;
        }
        let before = attachment.text("pretext").map(of);
        let title = attachment.text("title").map(|title| match attachment.text("title_link") {
            Some(address) => Text::plain(link(address, Some(&unescaped(title)))),
            None => of(title),
        });
        let words = attachment.text("text").map(of);
        let mut is_empty = true;
        for part in [before, title, words].into_iter().flatten() {
            is_empty = false;
            add(part);
        }
        for field in attachment.list("fields") {
            let mut line = Text::plain(field.text("title").map_or_else(String::new, |t| format!("{t}: ")));
            line.append(of(field.text("value").unwrap_or_default()));
            is_empty = false;
            add(line);
        }
        if let (true, Some(fallback)) = (is_empty, attachment.text("fallback")) {
            add(of(fallback));
        }
    }
    if is_blank {
        for block in entry.list("blocks") {
            let texts =
                block.get("text").into_iter().chain(block.list("fields")).chain(block.list("elements"));
            for part in texts {
                add(rich(part));
            }
        }
    }
    text
}

/// The words of a block's element, without its style.
fn rich(element: &Value) -> Text {
    let mut text = Text::default();
    match element.text("type").unwrap_or_default() {
        "user" => text.push(Piece::Person(element.text("user_id").unwrap_or_default().to_owned())),
        "channel" => text.push(Piece::Room(element.text("channel_id").unwrap_or_default().to_owned())),
        "broadcast" => text.push(Piece::Everyone),
        "emoji" => text.words(&emoji::sign(element.text("name").unwrap_or_default()).unwrap_or_default()),
        "link" => text.words(&link(element.text("url").unwrap_or_default(), element.text("text"))),
        "mrkdwn" => text.append(of(element.text("text").unwrap_or_default())),
        _ => text.words(element.text("text").unwrap_or_default()),
    }
    for inner in element.list("elements") {
        text.append(rich(inner));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<Piece> {
        of(text).0
    }

    #[test]
    fn what_slack_writes_is_what_people_read() {
        let [words_of, person, room] = [
            |text: &str| Piece::Words(text.to_owned()),
            |key: &str| Piece::Person(key.to_owned()),
            |key: &str| Piece::Room(key.to_owned()),
        ];
        assert_eq!(
            words("see <#C2|ops> &amp; <@U2>, <!here>"),
            [words_of("see "), room("C2"), words_of(" & "), person("U2"), words_of(", "), Piece::Everyone]
        );
        for (text, expected) in [
            ("*bold* ~gone~ _so_ :wave:", "**bold** ~~gone~~ _so_ 👋"),
            ("&gt; said\nanswer", "> said\nanswer"),
            ("&gt;said", "> said"),
            ("<https://a.example/x_y_z|a page>", "[a page](https://a.example/x_y_z)"),
            ("<https://a.example?a=1&amp;b=2>", "https://a.example?a=1&b=2"),
            ("<mailto:u1@example.org|u1@example.org>", "u1@example.org"),
            ("a typed &lt;@U1&gt; and &amp;lt;", "a typed <@U1> and &lt;"),
            ("`a &lt; *b*` and ```x &amp;&amp; y```", "`a < *b*` and \n```\nx && y\n```"),
            ("<!subteam^S1|@team> <!date^1767600000^{date}|5 Jan>", "@team 5 Jan"),
            ("a < b", "a < b"),
        ] {
            assert_eq!(words(text), [words_of(expected)], "{text}");
        }
    }

    #[test]
    fn bots_say_it_in_attachments_and_blocks() {
        let entry: Value = serde_json::from_str(
            r#"{"attachments":[{"fallback":"f","title":"Build 7","title_link":"https://ci.example/7",
            "text":"*unit* failed","fields":[{"title":"Branch","value":"main"}]},
            {"from_url":"https://a.example","text":"a preview"},{"fallback":"only this"}],
            "blocks":[{"type":"rich_text","elements":[{"type":"rich_text_section","elements":[
            {"type":"text","text":"hi "},{"type":"user","user_id":"U2"}]}]}]}"#,
        )
        .unwrap();
        let text = beside(&entry, false).0;
        let expected = "[Build 7](https://ci.example/7)\n**unit** failed\nBranch: main\nonly this";
        assert_eq!(text, [Piece::Words(expected.to_owned())]);
        let with_blocks = beside(&entry, true).0;
        assert_eq!(with_blocks.last(), Some(&Piece::Person("U2".to_owned())));
    }
}
