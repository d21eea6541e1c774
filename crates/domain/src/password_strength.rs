//! Which passwords are too easy to guess to be *new* ones. Accounts that have such a password already still
//! sign in with it.
//!
//! Length is what makes a password hard to guess, so nothing is asked of its characters. What is refused is
//! what anybody would try first: the common ones, the person's own name, hardly any different characters, a
//! run of neighbours.

use std::collections::HashSet;
use std::sync::LazyLock;

use crate::field::{FieldError, FieldResult};
use crate::text::Password;

/// One a line, in lower case; where it comes from stands at its head.
const COMMON: &str = include_str!("common_passwords.txt");
/// Fewer different characters than this are a pattern.
const DISTINCT_MIN: usize = 4;

impl Password {
    /// Checks that it may be the new password of somebody with these names.
    ///
    /// # Errors
    /// Names the field `password` and what is wrong, never the text.
    pub fn check_strength(&self, names: &[&str]) -> FieldResult<()> {
        let refuse = |problem: &str| Err(FieldError::new("password", problem));
        let folded = self.expose().to_lowercase();
        // `Password1!` is as common as `password1`.
        let bare = folded.trim_matches(|c: char| !c.is_alphanumeric());
        if folded.chars().collect::<HashSet<char>>().len() < DISTINCT_MIN {
            return refuse("must have at least 4 different characters");
        }
        if is_run(&folded) || is_common(&folded) || is_common(bare) {
            return refuse(
                "is one that anybody would try first; take another, such as a few unrelated words",
            );
        }
        let is_name = |name: &&str| {
            let name = name.to_lowercase();
            let name = name.trim();
            !name.is_empty() && (bare == name || folded == name || is_repeated(&folded, name))
        };
        if names.iter().any(is_name) {
            return refuse("must not be your name");
        }
        Ok(())
    }
}

fn is_common(text: &str) -> bool {
    static SET: LazyLock<HashSet<&str>> =
        LazyLock::new(|| COMMON.lines().filter(|line| !line.starts_with('#')).collect());
    SET.contains(text)
}

/// Each character is the neighbour of the one before: `abcdefgh`, `98765432`.
fn is_run(text: &str) -> bool {
    let codes: Vec<i64> = text.chars().map(|c| i64::from(u32::from(c))).collect();
    [1, -1].iter().any(|step| codes.windows(2).all(|pair| pair[1] - pair[0] == *step))
}

fn is_repeated(text: &str, unit: &str) -> bool {
    text.len().is_multiple_of(unit.len())
        && text.as_bytes().chunks(unit.len()).all(|chunk| chunk == unit.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(text: &str) -> Option<String> {
        let checked = Password::new(text).unwrap().check_strength(&["Anna.Schmidt", "Änne Schmidt"]);
        checked.err().map(|error| error.to_string())
    }

    #[test]
    fn what_anybody_would_try_is_refused() {
        for weak in [
            "password",
            "Password",
            "PASSWORD1!",
            "12345678",
            "123456789",
            "qwertyuiop",
            "iloveyou",
            "        ",
            "aaaaaaaa",
            "üüüüüüüü",
            "abababab",
            "123123123",
            "abcdefgh",
            "87654321",
            "anna.schmidt",
            "Anna.Schmidt",
            "anna.schmidt!",
            "anna.schmidtanna.schmidt",
            "änne schmidt",
            "trustno1",
        ] {
            assert!(problem(weak).is_some(), "{weak}");
        }
    }

    #[test]
    fn what_is_long_and_ones_own_is_taken() {
        for good in
            ["correct horse", "korrektes pferd", "x7-Kk2!pq", "anna.schmidt geht heim", "пароль от кота"]
        {
            assert_eq!(problem(good), None, "{good}");
        }
    }

    #[test]
    fn the_list_is_as_it_says() {
        let words: Vec<&str> = COMMON.lines().filter(|line| !line.starts_with('#')).collect();
        assert_eq!(words.len(), 5_000);
        assert!(words.iter().all(|word| word.chars().count() >= 8 && *word == word.to_lowercase()));
        let said = problem("iloveyou").unwrap();
        assert!(said.starts_with("password is one") && !said.contains("iloveyou"));
    }
}
