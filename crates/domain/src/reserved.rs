//! Names that would be taken for the system's own, or for everybody's.

use crate::unicode::lookalike;

/// As they are written; what looks like one of them is reserved too.
const RESERVED: [&str; 36] = [
    "abuse",
    "admin",
    "administrator",
    "administration",
    "all",
    "anonymous",
    "bot",
    "channel",
    "deleted user",
    "everybody",
    "everyone",
    "help",
    "help desk",
    "here",
    "info",
    "me",
    "milena",
    "moderator",
    "moderators",
    "no reply",
    "notes",
    "notes to self",
    "notes to myself",
    "official",
    "owner",
    "postmaster",
    "room",
    "root",
    "security",
    "server",
    "staff",
    "support",
    "sysadmin",
    "system",
    "unknown person",
    "webmaster",
];

/// Whether the name is one of those that nobody may take, or looks like one.
#[must_use]
pub(crate) fn is_reserved(name: &str) -> bool {
    let seen = lookalike(&digits_as_letters(name));
    let plain = lookalike(name);
    RESERVED.iter().map(|reserved| lookalike(reserved)).any(|reserved| reserved == seen || reserved == plain)
}

/// Digits and signs that stand for letters in names which are made to deceive.
fn digits_as_letters(name: &str) -> String {
    let letter = |c| match c {
        '0' => 'o',
        '1' | '!' | '|' => 'i',
        '3' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '7' => 't',
        other => other,
    };
    name.chars().map(letter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reserved_names_and_what_looks_like_them() {
        for name in [
            "admin",
            "Admin",
            "ADMIN_",
            "a.d.m.i.n",
            "аdmin",
            "adm1n",
            "@dmin",
            "ädmin",
            "rnilena",
            "Milena",
            "support",
            "5upport",
            "Ｓｙｓｔｅｍ",
            "every-one",
            "here",
            "channel",
            "Notes to self",
            "notes-to-self",
            "𝐚𝐝𝐦𝐢𝐧",
            "ad\u{200b}min",
            "Support ✓",
            "@here",
        ] {
            assert!(is_reserved(name), "{name:?}");
        }
        for name in
            ["anna", "Milena Jesenská", "administratix", "heremit", "Ada Min", "sms01433", "王小明", "|trey|"]
        {
            assert!(!is_reserved(name), "{name:?}");
        }
    }
}
