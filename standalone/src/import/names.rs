//! From names in a file to usernames.
//!
//! A name that is a valid username is taken as it is, if nobody has it yet and it is not reserved. Any other
//! keeps what can be kept and gets a short hash of the original, so that different names stay different, also
//! those that differ in case only. The original becomes the display name, as far as it can be shown.

use milena_domain::{DisplayName, Username, limits};
use sha2::{Digest, Sha256};

/// Hex digits of the hash: with 10^5 mapped names, two equal ones are a one in 3 × 10^4 chance only if what
/// is kept of them is equal too.
const HASH_DIGITS: usize = 12;

/// The name itself, if it can be a username.
pub(crate) fn as_username(name: &str) -> Option<Username> {
    Username::new(name).ok()
}

/// What to show for `name`.
pub(crate) fn shown(name: &str, username: &Username) -> DisplayName {
    DisplayName::nearest(name)
        .unwrap_or_else(|| DisplayName::new(username.as_str()).expect("a username can be shown"))
}

/// A username for `name` that no other name gets.
pub(crate) fn distinct(name: &str) -> Username {
    let digest = Sha256::digest(name.as_bytes());
    let hash: String = digest.iter().take(HASH_DIGITS / 2).map(|byte| format!("{byte:02x}")).collect();
    let kept: String = name
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))
        .take(limits::USERNAME_MAX_CHARS - HASH_DIGITS - 1)
        .collect();
    let username = if kept.is_empty() { format!("user-{hash}") } else { format!("{kept}-{hash}") };
    Username::new(&username).expect("letters, digits and '-' within the limit")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_different_and_are_shown_as_they_are() {
        assert_eq!(as_username("sms01433").unwrap().as_str(), "sms01433");
        assert!(as_username("|trey|").is_none());
        let trey = distinct("|trey|");
        assert!(trey.as_str().starts_with("trey-"), "{}", trey.as_str());
        assert_eq!(shown("|trey|", &trey).as_str(), "|trey|");
        assert_ne!(distinct("Ann").folded(), distinct("ann").folded());
        assert_ne!(distinct("Matt|"), distinct("Matt^"));
        let unseen = distinct("\u{3164}");
        assert!(unseen.as_str().starts_with("user-"));
        assert_eq!(shown("\u{3164}", &unseen).as_str(), unseen.as_str());
        assert_eq!(shown("Eve\u{202e}", &distinct("Eve\u{202e}")).as_str(), "Eve");
        assert!(distinct(&"x".repeat(64)).as_str().len() <= 32);
    }

    #[test]
    fn usernames_of_earlier_imports_never_change() {
        // Written down once: accounts in people's databases have these.
        assert_eq!(distinct("|trey|").as_str(), "trey-4c4ba54c06b4");
    }
}
