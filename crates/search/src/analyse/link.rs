//! Whether a text has a link, as the page would make one: `has:link`.

/// Whether an address of the web stands in the text, with its scheme or beginning with `www.`.
#[must_use]
pub fn has_link(text: &str) -> bool {
    let mut before: Option<char> = None;
    for (index, c) in text.char_indices() {
        let begins = before.is_none_or(|before| !before.is_alphanumeric());
        if begins && matches!(c, 'h' | 'H' | 'w' | 'W') && begins_link(&text[index..]) {
            return true;
        }
        before = Some(c);
    }
    false
}

fn begins_link(text: &str) -> bool {
    ["https://", "http://", "www."].iter().any(|scheme| {
        let begins = text.get(..scheme.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(scheme));
        begins && text[scheme.len()..].chars().next().is_some_and(|c| c.is_alphanumeric() || c == '[')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_link_where_one_can_begin() {
        for link in [
            "see https://a.example/b",
            "(HTTP://a.example)",
            "www.a.example",
            "http://[::1]/",
            "看http://a.b",
        ] {
            assert_eq!(has_link(link), !link.starts_with('看'), "{link}");
        }
        for none in ["https://", "www.", "awww.a", "http", "ahttp://b.example", "h", "wie http:// geht", ""] {
            assert!(!has_link(none), "{none}");
        }
    }
}
