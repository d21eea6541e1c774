//! What the analyser makes of languages, code and signs: the table that says how each behaves.

use super::*;

fn cut(text: &str) -> Vec<String> {
    tokens(text).into_iter().map(|token| token.text).collect()
}

/// Texts and their tokens, with a blank between them.
const TABLE: &[(&str, &str, &str)] = &[
    ("plain words", "The quick brown fox.", "the quick brown fox"),
    ("nothing", " \t.,;:!? ()[]{}*~`^+=<>|\\\"'", ""),
    // No stemming, no other spelling: `Mueller` is not `Müller`.
    ("German", "Größe der Straße: ÄÖÜ äöü Müller", "grosse der strasse aou aou muller"),
    ("German, capital sharp s", "STRAẞE", "strasse"),
    ("Turkish", "İSTANBUL istanbul ISPARTA ısparta çağrı ŞIK", "istanbul istanbul isparta isparta cagri sik"),
    ("French", "L’été à l'école, cœur", "l ete a l ecole coeur"),
    ("Polish and Danish", "Łódź København", "lodz kobenhavn"),
    ("Vietnamese", "Tiếng Việt", "tieng viet"),
    ("Greek", "ΟΔΟΣ οδός Ἀθῆναι", "οδοσ οδοσ αθηναι"),
    ("Russian", "Ёлка ещё", "елка еще"),
    ("English apostrophes", "don't don’t", "don t don t"),
    ("composed or not", "e\u{301}tude \u{e9}tude", "etude etude"),
    ("full width", "ＡＢＣ１２３", "abc123"),
    ("not seen", "so\u{ad}ft \u{202e}turned", "soft turned"),
    ("blank without width", "zero\u{200b}width", "zero width"),
    // Vowel marks and the stretching sign are left out, the forms of alef, yeh and heh are one.
    ("Arabic", "السَّلامُ عَلَيْكُم مـــرحبا أحمد إلى مدرسة", "السلام عليكم مرحبا احمد الي مدرسه"),
    ("Arabic digits", "١٢٣ ۴۵۶", "123 456"),
    ("Persian", "می\u{200c}خواهم کتاب", "ميخواهم كتاب"),
    ("Hebrew", "שָׁלוֹם צה״ל בן־גוריון", "שלום צה ל בן גוריון"),
    // Vowel signs are spelling and stay; the dot below does not, and candrabindu is anusvara.
    ("Hindi", "हिन्दी ज़रूर हाँ १२", "हिन्दी जरूर हां 12"),
    ("Tamil", "தமிழ்", "தமிழ்"),
    ("Thai", "ภาษาไทย", "ภา าษ ษา าไ ไท ทย ย"),
    ("Thai, marks stay", "ที่", "ที ี่ ่"),
    ("Chinese", "你好，世界！", "你好 好 世界 界"),
    ("Chinese, one character", "好", "好"),
    ("Chinese beside Latin", "用Git的人", "用 git 的人 人"),
    ("Chinese, rare", "𠮷野家", "𠮷野 野家 家"),
    ("Japanese", "ひらがなカタカナ漢字", "ひら らが がな なカ カタ タカ カナ ナ漢 漢字 字"),
    ("Japanese, voiced is another sound", "かき かぎ", "かき き かぎ ぎ"),
    ("Japanese, half width", "ｶﾞｷﾞ", "ガギ ギ"),
    ("Japanese, long vowel", "コーヒー", "コー ーヒ ヒー ー"),
    ("Japanese, repeated", "人々", "人々 々"),
    ("Korean", "학교에서 만나요", "학교 교에 에서 서 만나 나요 요"),
    ("Korean, taken apart", "\u{1112}\u{1161}\u{11ab}글", "한글 글"),
    ("path", "foo-bar/baz.rs", "foo bar baz rs"),
    ("code", "std::vec::Vec<T> snake_case camelCase", "std vec vec t snake case camelcase"),
    ("Windows path", r"C:\Users\ann", "c users ann"),
    ("address", "https://a.example/b?c=d#e ann@example.org", "https a example b c d e ann example org"),
    ("room and person", "#general @ann", "general ann"),
    ("version", "v1.27.0-rc1", "v1 27 0 rc1"),
    ("number", "1,000.50 3×4", "1 000 50 3 4"),
    ("emoji", "👍👍 ok", "👍 👍 ok"),
    ("emoji, colour of skin", "👍🏽 👋🏿", "👍 👋"),
    ("emoji, heart with and without its variation", "❤️ ❤", "❤ ❤"),
    ("emoji, joined", "👩‍💻👨‍👩‍👧", "👩💻 👨👩👧"),
    ("emoji, arrows and marks", "↔️ ⤴️ ‼️ 👩\u{200d}⁉️", "↔ ⤴ 👩"),
    ("flags", "🇩🇪🇹🇷", "🇩🇪 🇹🇷"),
    ("keycap", "1️⃣", "1"),
    ("emoji beside a word", "danke😀du", "danke 😀 du"),
    ("money and signs", "€5 ★ ⇒ ×", "€ 5 ★"),
];

#[test]
fn every_language_is_cut_as_the_table_says() {
    let wrong: Vec<_> = TABLE
        .iter()
        .map(|(what, text, expected)| (what, text, cut(text).join(" "), expected))
        .filter(|(_, _, found, expected)| found != *expected)
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_long_word_is_several_tokens() {
    let long = "ab".repeat(TOKEN_MAX_CHARS);
    assert_eq!(cut(&long), [&long[..TOKEN_MAX_CHARS], &long[TOKEN_MAX_CHARS..]]);
}

#[test]
fn ranges_are_of_the_text_as_it_was_written() {
    let text = "Größe 你好 👍🏽 ㎏";
    let all = tokens(text);
    let written: Vec<&str> = all.iter().map(|token| &text[token.bytes.clone()]).collect();
    assert_eq!(written, ["Größe", "你好", "好", "👍🏽", "㎏"]);
    assert_eq!(&text[all[1].bytes.start..all[1].first_end], "你");
}

mod properties {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn ranges_ascend_and_never_cut_a_character(text in "\\PC{0,60}") {
            let mut at = 0;
            for token in tokens(&text) {
                prop_assert!(text.get(token.bytes.clone()).is_some_and(|written| !written.is_empty()));
                prop_assert!(text.is_char_boundary(token.first_end));
                prop_assert!(token.bytes.start >= at && token.first_end <= token.bytes.end);
                at = token.bytes.start;
                // No engine takes a token for more than itself, be it in a pattern or between blanks.
                let is_plain = |c: char| c.is_ascii_alphanumeric() || (!c.is_ascii() && !c.is_whitespace());
                prop_assert!(!token.text.is_empty() && token.text.chars().all(is_plain));
                prop_assert!(token.text.chars().count() <= TOKEN_MAX_CHARS);
            }
        }

        #[test]
        fn case_of_a_text_does_not_matter(text in "[a-zA-ZäöüÄÖÜßéÉñÑşŞğĞ0-9 .,/_-]{0,40}") {
            prop_assert_eq!(cut(&text), cut(&text.to_uppercase()));
            prop_assert_eq!(cut(&text), cut(&text.to_lowercase()));
        }
    }
}
