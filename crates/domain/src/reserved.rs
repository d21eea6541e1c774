//! Names that would be taken for the system's own, or for everybody's.

use crate::unicode::lookalike;

/// The system's own, and everybody's, as they are written; what looks like one of them is reserved too.
const SYSTEM: [&str; 25] = [
    "admin",
    "administrator",
    "administration",
    "all",
    "anonymous",
    "channel",
    "deleted user",
    "everybody",
    "everyone",
    "here",
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
    "root",
    "server",
    "sysadmin",
    "system",
    "unknown person",
];

/// Those of whoever answers for it: as a name they deceive, as the title of a room they say what it is about.
const SERVICES: [&str; 11] = [
    "abuse",
    "bot",
    "help",
    "help desk",
    "info",
    "postmaster",
    "room",
    "security",
    "staff",
    "support",
    "webmaster",
];

/// What is said of such a name.
pub(crate) const RESERVED: &str = "is reserved, or looks like a name that is";

/// Whether the name is one of those that nobody may take, and no room may have as its handle, or looks like
/// one.
#[must_use]
pub(crate) fn is_reserved(name: &str) -> bool {
    is_like(name, SYSTEM.iter().chain(&SERVICES))
}

/// Whether a title poses as the system's own, or as everybody's.
#[must_use]
pub(crate) fn poses_as_system(title: &str) -> bool {
    is_like(title, SYSTEM.iter())
}

fn is_like<'a>(name: &str, mut reserved: impl Iterator<Item = &'a &'static str>) -> bool {
    let seen = lookalike(&digits_as_letters(name));
    let plain = lookalike(name);
    reserved.any(|reserved| {
        let reserved = lookalike(reserved);
        reserved == seen || reserved == plain
    })
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
        for title in ["Support", "help desk", "Security", "Staff", "Info"] {
            assert!(is_reserved(title) && !poses_as_system(title), "{title:?}");
        }
        for title in ["Notes to self", "System", "MILENA", "5ystem", "@everyone", "Admin", "аdmin"] {
            assert!(poses_as_system(title), "{title:?}");
        }
        for name in
            ["anna", "Milena Jesenská", "administratix", "heremit", "Ada Min", "sms01433", "王小明", "|trey|"]
        {
            assert!(!is_reserved(name), "{name:?}");
        }
    }
}
