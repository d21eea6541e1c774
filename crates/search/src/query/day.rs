//! Days, months and years, as `before:`, `after:` and `on:` take them.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, Zoned};

/// A stretch of the calendar. Where it begins depends on who asks: their time zone, and what today is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Day {
    /// `2026`.
    Year(i16),
    /// `2026-11`: the first day of the month.
    Month(Date),
    /// `2026-11-30`.
    Date(Date),
    /// `today`.
    Today,
    /// `yesterday`.
    Yesterday,
}

impl Day {
    /// The milliseconds since 1970 that belong to it, in `zone`, where it is `now_ms` now.
    #[must_use]
    pub fn range_ms(self, zone: &TimeZone, now_ms: i64) -> Range<i64> {
        let now = Timestamp::from_millisecond(now_ms).unwrap_or_default();
        let today = Zoned::new(now, zone.clone()).date();
        let first = |year: i16, month: i8| Date::new(year, month, 1).ok();
        let (from, to) = match self {
            Self::Year(year) => (first(year, 1), year.checked_add(1).and_then(|next| first(next, 1))),
            Self::Month(month) => (Some(month), month.checked_add(1.month()).ok()),
            Self::Date(date) => (Some(date), date.tomorrow().ok()),
            Self::Today => (Some(today), today.tomorrow().ok()),
            Self::Yesterday => (today.yesterday().ok(), Some(today)),
        };
        let start = |date: Option<Date>| {
            let zoned = date.and_then(|date| date.to_zoned(zone.clone()).ok());
            zoned.map(|zoned| zoned.timestamp().as_millisecond())
        };
        // Beyond what a calendar of four digits can say lies no message.
        start(from).unwrap_or(i64::MIN)..start(to).unwrap_or(i64::MAX)
    }
}

impl FromStr for Day {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text.to_ascii_lowercase().as_str() {
            "today" => return Ok(Self::Today),
            "yesterday" => return Ok(Self::Yesterday),
            _ => {}
        }
        let parts: Vec<&str> = text.split('-').collect();
        let number = |index: usize, digits: usize| -> Result<i16, ()> {
            let part = parts.get(index).copied().unwrap_or("1");
            let is_number = part.bytes().all(|byte| byte.is_ascii_digit());
            let fits = part.len() <= digits && !part.is_empty() && (index > 0 || part.len() == digits);
            if is_number && fits { part.parse().map_err(|_| ()) } else { Err(()) }
        };
        let small = |number: i16| i8::try_from(number).map_err(|_| ());
        let (year, month, day) = (number(0, 4)?, small(number(1, 2)?)?, small(number(2, 2)?)?);
        let date = Date::new(year, month, day).map_err(|_| ())?;
        match parts.len() {
            1 => Ok(Self::Year(year)),
            2 => Ok(Self::Month(date)),
            3 => Ok(Self::Date(date)),
            _ => Err(()),
        }
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Year(year) => write!(f, "{year:04}"),
            Self::Month(month) => write!(f, "{:04}-{:02}", month.year(), month.month()),
            Self::Date(date) => write!(f, "{:04}-{:02}-{:02}", date.year(), date.month(), date.day()),
            Self::Today => f.write_str("today"),
            Self::Yesterday => f.write_str("yesterday"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(text: &str, zone: &TimeZone) -> (String, String) {
        // 2026-03-01T23:30:00Z: in Vienna it is the next day already.
        let day: Day = text.parse().unwrap();
        let range = day.range_ms(zone, 1_772_407_800_000);
        let say = |ms| Timestamp::from_millisecond(ms).unwrap().to_string();
        (say(range.start), say(range.end))
    }

    #[test]
    fn a_day_begins_where_who_asks_is() {
        let vienna = TimeZone::fixed(jiff::tz::offset(1));
        let pair = |from: &str, to: &str| (from.to_owned(), to.to_owned());
        for (text, zone, from, to) in [
            ("2026-02-28", &TimeZone::UTC, "2026-02-28T00:00:00Z", "2026-03-01T00:00:00Z"),
            ("2024-2", &TimeZone::UTC, "2024-02-01T00:00:00Z", "2024-03-01T00:00:00Z"),
            ("2026", &TimeZone::UTC, "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"),
            ("today", &TimeZone::UTC, "2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z"),
            ("Today", &vienna, "2026-03-01T23:00:00Z", "2026-03-02T23:00:00Z"),
            ("yesterday", &vienna, "2026-02-28T23:00:00Z", "2026-03-01T23:00:00Z"),
        ] {
            assert_eq!(range(text, zone), pair(from, to), "{text}");
        }
    }

    #[test]
    fn what_is_no_day_is_refused() {
        for text in
            ["", "26", "2026-13", "2026-02-30", "2026-1-1-1", "2026-", "-1", "30.11.2026", "+202", "２０２６"]
        {
            assert_eq!(text.parse::<Day>(), Err(()), "{text}");
        }
        let last: Day = "9999".parse().unwrap();
        assert_eq!(last.range_ms(&TimeZone::UTC, 0).end, i64::MAX);
    }
}
