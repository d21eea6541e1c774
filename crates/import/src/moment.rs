//! Moments as exports write them: seconds in text, ISO 8601, or what a clock on a wall showed.

use jiff::civil;
use jiff::tz::TimeZone;

use crate::UnixMs;

/// Seconds and fractions as text, never as a binary fraction: `1767600000.000200`.
pub(crate) fn of_seconds(text: &str) -> Option<UnixMs> {
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
    if seconds.len() > 12 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let seconds: i64 = seconds.parse().ok()?;
    let ms: i64 = format!("{:0<3}", fraction.get(..3).unwrap_or(fraction)).parse().ok()?;
    Some(seconds * 1_000 + ms)
}

/// RFC 3339, with any offset.
pub(crate) fn of_iso(text: &str) -> Option<UnixMs> {
    text.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_millisecond)
}

/// What a clock showed in a zone. Where it was put back and showed a time twice, the first is meant unless
/// that was before `not_before`; where it was put forward, what it would have shown.
pub(crate) fn of_clock(time: civil::DateTime, zone: &TimeZone, not_before: Option<UnixMs>) -> Option<UnixMs> {
    let moments = zone.to_ambiguous_timestamp(time);
    let early = moments.earlier().or_else(|_| moments.compatible()).ok()?.as_millisecond();
    if not_before.is_some_and(|before| early < before) {
        let late = moments.later().ok()?.as_millisecond();
        // Out of order for another reason otherwise.
        if not_before.is_some_and(|before| late >= before && late > early) {
            return Some(late);
        }
    }
    Some(early)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn texts_become_moments() {
        assert_eq!(of_seconds("1767600000.000200"), Some(1_767_600_000_000));
        assert_eq!(of_seconds("1767600000.98"), Some(1_767_600_000_980));
        assert_eq!(of_seconds("1767600000"), Some(1_767_600_000_000));
        for wrong in ["", "x", "1.x", "99999999999999"] {
            assert_eq!(of_seconds(wrong), None, "{wrong}");
        }
        assert_eq!(of_iso("2026-01-05T09:00:00.5+01:00"), Some(1_767_600_000_500));
        assert_eq!(of_iso("2026-01-05"), None);
    }

    #[test]
    fn clocks_that_were_put_back_go_on() {
        let zone = TimeZone::get("Europe/Prague").unwrap();
        let twice = date(2025, 10, 26).at(2, 30, 0, 0);
        let first = of_clock(twice, &zone, None).unwrap();
        let second = of_clock(twice, &zone, Some(first + 1)).unwrap();
        assert_eq!(second - first, 3_600_000);
        // Nothing to choose.
        assert_eq!(of_clock(date(2026, 1, 5).at(9, 0, 0, 0), &zone, Some(i64::MAX)), Some(1_767_600_000_000));
    }
}
