//! The parameters after the `?`. Unknown ones are ignored.

use milena_domain::Position;

use crate::refusal::Refusal;

/// Names and values, decoded.
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    pub(super) const fn new(pairs: Vec<(String, String)>) -> Self {
        Self(pairs)
    }

    /// A parameter; the last one if there are several.
    pub(super) fn text(&self, name: &'static str) -> Option<&str> {
        self.0.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// How many are wanted: 1 to `max`.
    ///
    /// # Errors
    /// `invalid_field`.
    pub(super) fn limit(&self, default: usize, max: usize) -> Result<usize, Refusal> {
        let Some(text) = self.text("limit") else { return Ok(default) };
        let number = text.parse().ok().filter(|number| (1..=max).contains(number));
        number.ok_or_else(|| Refusal::field("limit", format!("must be 1 to {max}")))
    }

    /// Whether something is wanted that is not unless it is said.
    ///
    /// # Errors
    /// `invalid_field`.
    pub(super) fn flag(&self, name: &'static str) -> Result<bool, Refusal> {
        match self.text(name) {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(Refusal::field(name, "must be true or false")),
        }
    }

    /// A position.
    ///
    /// # Errors
    /// `invalid_field`.
    pub(super) fn position(&self, name: &'static str) -> Result<Option<Position>, Refusal> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let position = text.parse().ok().and_then(Position::from_u64);
        let problem = || {
            Refusal::field(name, format!("must be a position: a whole number from 0 to {}", Position::MAX))
        };
        position.map(Some).ok_or_else(problem)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(pairs: &[(&str, &str)]) -> Query {
        Query::new(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn limits_are_named() {
        assert_eq!(query(&[]).limit(50, 100), Ok(50));
        assert_eq!(query(&[("limit", "100")]).limit(50, 100), Ok(100));
        for bad in ["0", "101", "-1", "x", "", "99999999999999999999"] {
            let refusal = query(&[("limit", bad)]).limit(50, 100).unwrap_err();
            assert_eq!(
                (refusal.field, refusal.message.as_str()),
                (Some("limit"), "limit must be 1 to 100"),
                "{bad}"
            );
        }
    }

    #[test]
    fn flags_are_said_in_full() {
        assert_eq!(query(&[]).flag("presence"), Ok(false));
        assert_eq!(query(&[("presence", "false")]).flag("presence"), Ok(false));
        assert_eq!(query(&[("presence", "true")]).flag("presence"), Ok(true));
        for bad in ["", "1", "yes", "True"] {
            assert_eq!(query(&[("presence", bad)]).flag("presence").unwrap_err().field, Some("presence"));
        }
    }

    #[test]
    fn positions_are_below_2_to_53() {
        assert_eq!(query(&[]).position("before"), Ok(None));
        assert_eq!(query(&[("before", "9007199254740991")]).position("before"), Ok(Some(Position::MAX)));
        assert!(query(&[("before", "9007199254740992")]).position("before").is_err());
        assert!(query(&[("before", "-1")]).position("before").is_err());
    }
}
