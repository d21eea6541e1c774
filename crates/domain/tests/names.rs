//! One table of cases for the server and the page, and the page's table of signs that look alike.

use std::path::Path;

use milena_domain::{fold, is_visible, lookalike, words};
use serde::Deserialize;

#[derive(Deserialize)]
struct Case {
    text: String,
    fold: String,
    words: Vec<String>,
    visible: bool,
    lookalike: String,
}

#[test]
fn the_table_that_the_page_runs_too() {
    let cases: Vec<Case> = serde_json::from_str(include_str!("names.json")).unwrap();
    assert!(cases.len() > 20);
    for case in cases {
        let text = case.text.as_str();
        assert_eq!(fold(text), case.fold, "fold {text:?}");
        assert_eq!(words(text), case.words, "words {text:?}");
        assert_eq!(is_visible(text), case.visible, "visible {text:?}");
        assert_eq!(lookalike(text), case.lookalike, "lookalike {text:?}");
    }
}

/// What the page needs of Unicode's confusables: signs that folding leaves and that look like ASCII letters
/// or digits.
#[test]
fn the_pages_lookalikes_are_unicodes() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../frontend/src/lib/names/confusables.json");
    let mut lines = Vec::new();
    for sign in ('!'..='\u{1ffff}').filter(|sign| fold(&sign.to_string()) == sign.to_string()) {
        let (sign, seen) = (sign.to_string(), lookalike(&sign.to_string()));
        let is_ascii = seen.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !seen.is_empty() && is_ascii && seen != sign {
            lines.push(format!("  {}: {}", serde_json::json!(sign), serde_json::json!(seen)));
        }
    }
    assert!(lines.len() > 100, "{}", lines.len());
    let expected = format!("{{\n{}\n}}\n", lines.join(",\n"));
    if std::env::var_os("MILENA_BLESS").is_some() {
        std::fs::write(&path, &expected).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(found == expected, "confusables.json is out of date: run the test with MILENA_BLESS=1");
}
