//! From names in a file to usernames.
//!
//! A name that is a valid username is taken as it is. Any other keeps what can be kept and gets a short hash of the
//! original, so that different names stay different; the original becomes the display name, which makes the mapping
//! reversible.

use milena_domain::{DisplayName, Username, limits};
use sha2::{Digest, Sha256};

/// Hex digits of the hash: with 10^5 mapped names, two equal ones are a one in 3 × 10^4 chance only if what is kept
/// of them is equal too.
const HASH_DIGITS: usize = 12;

/// The account of somebody who is called `name` in the file.
#[must_use]
pub(crate) fn account(name: &str) -> (Username, DisplayName) {
    let display_name =
        DisplayName::new(name).expect("the line was checked: 1 to 64 characters, no control characters");
    let username = Username::new(name).unwrap_or_else(|_| distinct(name));
    (username, display_name)
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
    fn valid_names_stay_and_others_keep_the_original_as_display_name() {
        assert_eq!(account("sms01433").0.as_str(), "sms01433");
        let (username, display_name) = account("|trey|");
        assert!(username.as_str().starts_with("trey-"), "{}", username.as_str());
        assert_eq!(display_name.as_str(), "|trey|");
        assert_ne!(distinct("Ann").folded(), distinct("ann").folded());
        assert_ne!(account("Matt|").0, account("Matt^").0);
        assert!(account("王").0.as_str().starts_with("user-"));
        assert!(account(&"x".repeat(64)).0.as_str().len() <= 32);
    }
}
