//! Moments, as Milena writes them everywhere: milliseconds since 1970, RFC 3339 UTC with milliseconds on the
//! wire.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::field::FieldError;

/// A moment in milliseconds since 1970-01-01T00:00:00Z, between 0000-01-01 and 9999-12-30.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Timestamp(i64);

/// 0000-01-01T00:00:00.000Z to 9999-12-30T21:59:59.999Z: four digits of year (RFC 3339), and still a valid
/// date in every time zone.
const MIN_UNIX_MS: i64 = -62_167_219_200_000;
const MAX_UNIX_MS: i64 = 253_402_207_199_999;

impl Timestamp {
    /// The moment `ms` milliseconds after the Unix epoch; clamped to what RFC 3339 can write.
    #[must_use]
    pub fn from_unix_ms(ms: i64) -> Self {
        Self(ms.clamp(MIN_UNIX_MS, MAX_UNIX_MS))
    }

    /// Milliseconds since the Unix epoch.
    #[must_use]
    pub const fn unix_ms(self) -> i64 {
        self.0
    }

    /// The wall clock. Programs call it at their edge; cores get the time handed in.
    #[must_use]
    pub fn now() -> Self {
        Self::from_unix_ms(jiff::Timestamp::now().as_millisecond())
    }

    /// This moment and `ms` milliseconds more.
    #[must_use]
    pub fn plus_ms(self, ms: i64) -> Self {
        Self::from_unix_ms(self.0.saturating_add(ms))
    }
}

impl Timestamp {
    /// Reads a time and refuses one that can only be kept as another: records of the log are clamped instead,
    /// so that they stay readable.
    ///
    /// # Errors
    /// Names the field `sent_at`, and the limits when it is a time beyond them.
    pub fn exact(text: &str) -> Result<Self, FieldError> {
        let moment: Option<jiff::Timestamp> = text.parse().ok();
        if let Some(ms) = moment.map(jiff::Timestamp::as_millisecond)
            && (MIN_UNIX_MS..=MAX_UNIX_MS).contains(&ms)
        {
            return Ok(Self(ms));
        }
        let is_time = jiff::fmt::temporal::DateTimeParser::new()
            .parse_pieces(text)
            .is_ok_and(|pieces| pieces.time().is_some() && pieces.offset().is_some());
        if moment.is_none() && !is_time {
            return text.parse();
        }
        let (first, last) = (Self(MIN_UNIX_MS), Self(MAX_UNIX_MS));
        Err(FieldError::new("sent_at", format!("must be between {first} and {last}")))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let moment = jiff::Timestamp::from_millisecond(self.0).map_err(|_| fmt::Error)?;
        write!(f, "{moment:.3}")
    }
}

impl FromStr for Timestamp {
    type Err = FieldError;

    fn from_str(text: &str) -> Result<Self, FieldError> {
        let moment: jiff::Timestamp = text.parse().map_err(|_| {
            FieldError::new("sent_at", "must be an RFC 3339 time such as 2026-01-31T12:00:00.000Z")
        })?;
        Ok(Self::from_unix_ms(moment.as_millisecond()))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn always_three_digits_and_utc() {
        let moment: Timestamp = "2013-05-01T12:30:00+02:00".parse().unwrap();
        assert_eq!(moment.to_string(), "2013-05-01T10:30:00.000Z");
        assert_eq!(Timestamp::from_unix_ms(1).to_string(), "1970-01-01T00:00:00.001Z");
        assert_eq!(Timestamp::from_unix_ms(-1).to_string(), "1969-12-31T23:59:59.999Z");
        assert_eq!(Timestamp::from_unix_ms(i64::MAX).to_string(), "9999-12-30T21:59:59.999Z");
        assert_eq!(Timestamp::from_unix_ms(i64::MIN).to_string(), "0000-01-01T00:00:00.000Z");
        assert!("yesterday".parse::<Timestamp>().is_err());
    }

    #[test]
    fn an_exact_time_is_kept_as_it_is_or_refused() {
        let exact = |text: &str| Timestamp::exact(text).map(|moment| moment.to_string());
        assert_eq!(exact("9999-12-30T21:59:59.999Z").unwrap(), "9999-12-30T21:59:59.999Z");
        assert_eq!(exact("0000-01-01T00:00:00Z").unwrap(), "0000-01-01T00:00:00.000Z");
        for beyond in [
            "9999-12-31T23:59:59Z",
            "9999-12-30T22:00:00Z",
            "-000001-12-31T23:59:59Z",
            "-009999-01-02T01:59:59Z",
            "0000-01-01T00:00:00+01:00",
        ] {
            let problem = exact(beyond).unwrap_err().to_string();
            let limits = "sent_at must be between 0000-01-01T00:00:00.000Z and 9999-12-30T21:59:59.999Z";
            assert_eq!(problem, limits, "{beyond}");
        }
        for no_time in ["yesterday", "2010-11-11", "2010-11-11T12:23:00", "2010-13-11T12:23:00Z", ""] {
            assert!(exact(no_time).unwrap_err().to_string().contains("must be an RFC 3339"), "{no_time}");
        }
    }
}
