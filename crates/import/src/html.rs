//! The few elements of HTML that chats write, as Milena's text. Whatever is no element that is known here is
//! left out, what is in it stays; nothing is ever taken for an address but that of a link.

use crate::{Piece, Text, markup};

/// Reads a fragment. `piece_of` says whether an address is somebody's name.
pub(crate) fn text(html: &str, piece_of: impl Fn(&str) -> Option<Piece>) -> Text {
    let mut made = Made::default();
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        made.words(&unescaped(&rest[..start]));
        let after = &rest[start + 1..];
        let Some(end) = after.find('>') else {
            made.words("<");
            rest = after;
            continue;
        };
        made.element(&after[..end], &piece_of);
        rest = &after[end + 1..];
    }
    made.words(&unescaped(rest));
    made.finish()
}

#[derive(Default)]
struct Made {
    text: Text,
    /// A link that is open: its address, whether it is a name, and its words.
    link: Option<(String, Option<Piece>, String)>,
    /// What is left out as a whole: what a reply repeats.
    left_out: u32,
    /// Lists that are open: the next number of each, or none.
    lists: Vec<Option<u64>>,
    quotes: usize,
    in_pre: bool,
}

impl Made {
    fn words(&mut self, words: &str) {
        if self.left_out > 0 || words.is_empty() {
            return;
        }
        let words = if self.in_pre { words.to_owned() } else { words.replace('\n', " ") };
        match &mut self.link {
            Some((_, _, label)) => label.push_str(&words),
            None if self.quotes > 0 => {
                self.text.words(&words.replace('\n', &format!("\n{}", "> ".repeat(self.quotes))));
            }
            None => self.text.words(&words),
        }
    }

    fn line(&mut self) {
        let is_fresh = match self.text.0.last() {
            None => true,
            Some(Piece::Words(words)) => {
                let words = words.trim_end_matches("> ");
                words.is_empty() || words.ends_with('\n')
            }
            Some(_) => false,
        };
        if self.left_out == 0 && !is_fresh {
            self.text.words(&format!("\n{}", "> ".repeat(self.quotes)));
        }
    }

    fn element(&mut self, tag: &str, piece_of: &impl Fn(&str) -> Option<Piece>) {
        let (is_end, tag) = tag.strip_prefix('/').map_or((false, tag), |tag| (true, tag));
        let name: String = tag
            .chars()
            .take_while(|c| c.is_ascii_alphanumeric() || *c == '-')
            .collect::<String>()
            .to_lowercase();
        if self.left_out > 0 && name != "mx-reply" {
            return;
        }
        match (&*name, is_end) {
            ("mx-reply", false) => self.left_out += 1,
            ("mx-reply", true) => self.left_out = self.left_out.saturating_sub(1),
            ("b" | "strong", _) => self.words("**"),
            ("i" | "em", _) => self.words("_"),
            ("s" | "del" | "strike", _) => self.words("~~"),
            ("code", _) if !self.in_pre => self.words("`"),
            ("pre", false) => {
                self.line();
                self.text.words("```\n");
                self.in_pre = true;
            }
            ("pre", true) => {
                self.in_pre = false;
                self.line();
                self.text.words("```\n");
            }
            ("br", _) => self.text.words(&format!("\n{}", "> ".repeat(self.quotes))),
            ("blockquote", false) => {
                self.line();
                self.quotes += 1;
                self.text.words("> ");
            }
            ("blockquote", true) => {
                self.quotes = self.quotes.saturating_sub(1);
                // A line that only begins is none of the quote's.
                if let Some(Piece::Words(words)) = self.text.0.last_mut()
                    && words.trim_end_matches("> ").ends_with('\n')
                {
                    words.truncate(words.trim_end_matches("> ").len());
                    words.push_str(&"> ".repeat(self.quotes));
                }
                self.line();
            }
            ("ul", false) => self.lists.push(None),
            ("ol", false) => self.lists.push(Some(1)),
            ("ul" | "ol", true) => {
                self.lists.pop();
                self.line();
            }
            ("li", false) => {
                self.line();
                let indent = "  ".repeat(self.lists.len().saturating_sub(1));
                let mark = match self.lists.last_mut() {
                    Some(Some(number)) => {
                        *number += 1;
                        format!("{indent}{}. ", *number - 1)
                    }
                    _ => format!("{indent}- "),
                };
                self.words(&mark);
            }
            ("p" | "div" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "tr" | "hr", _) => self.line(),
            ("a", false) => {
                let address = attribute(tag, "href").unwrap_or_default();
                let piece = piece_of(&address);
                self.link = Some((address, piece, String::new()));
            }
            ("a", true) => {
                let Some((address, piece, label)) = self.link.take() else { return };
                match piece {
                    Some(piece) => self.text.push(piece),
                    None if address.is_empty() => self.words(&label),
                    None => self.words(&markup::link(&address, Some(&label))),
                }
            }
            _ => {}
        }
    }

    fn finish(mut self) -> Text {
        if let Some((_, _, label)) = self.link.take() {
            self.words(&label);
        }
        if let Some(Piece::Words(words)) = self.text.0.last_mut() {
            words.truncate(words.trim_end().len());
        }
        if let Some(Piece::Words(words)) = self.text.0.first_mut() {
            *words = words.trim_start_matches('\n').to_owned();
        }
        self.text
    }
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let (_, after) = tag.split_once(&format!("{name}="))?;
    let quote = after.chars().next()?;
    let value = match quote {
        '"' | '\'' => after[1..].split(quote).next()?,
        _ => after.split_whitespace().next()?,
    };
    Some(unescaped(value))
}

fn unescaped(text: &str) -> String {
    if !text.contains('&') {
        return text.to_owned();
    }
    let named = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&#39;", "'");
    named.replace("&nbsp;", "\u{a0}").replace("&apos;", "'").replace("&#x27;", "'").replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(html: &str) -> Vec<Piece> {
        let person = |address: &str| {
            let id = address.strip_prefix("https://matrix.to/#/")?;
            Some(Piece::Person(id.to_owned()))
        };
        text(html, person).0
    }

    #[test]
    fn what_chats_write_is_what_people_read() {
        for (html, expected) in [
            ("a &lt; <strong>b</strong> <em>c</em> <del>d</del>", "a < **b** _c_ ~~d~~"),
            ("<p>one</p><p>two</p>", "one\ntwo"),
            ("one<br/>two", "one\ntwo"),
            ("<pre><code class=\"language-x\">a\n b</code></pre>", "```\na\n b\n```"),
            ("<blockquote><p>said</p></blockquote><p>answer</p>", "> said\nanswer"),
            ("<ul><li>a</li><li>b</li></ul>", "- a\n- b"),
            ("<ol><li>a</li><li>b</li></ol>", "1. a\n2. b"),
            ("<mx-reply><blockquote>x</blockquote></mx-reply>yes", "yes"),
            ("<a href=\"https://a.example\">site</a>", "[site](https://a.example)"),
            ("<script>alert(1)</script> & <x", "alert(1) & <x"),
        ] {
            assert_eq!(read(html), [Piece::Words(expected.to_owned())], "{html}");
        }
        let named = read("hi <a href=\"https://matrix.to/#/@u2:example.org\">U Two</a>!");
        let expected = ["hi ", "!"].map(|words| Piece::Words(words.to_owned()));
        assert_eq!((&named[0], &named[2]), (&expected[0], &expected[1]));
        assert_eq!(named[1], Piece::Person("@u2:example.org".to_owned()));
    }

    proptest! {
        #[test]
        fn no_fragment_is_too_strange(html in "[<>/a-z \"=&;]{0,60}") {
            let _ = read(&html);
        }
    }
}
