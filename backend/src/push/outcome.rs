//! What the answer of a push service means. Pure.

use std::time::Duration;

use http::{HeaderMap, StatusCode, header};
use milena_domain::Timestamp;

/// Before the first and each further attempt, where the service names no time.
const AGAIN_AFTER: Duration = Duration::from_secs(5);
/// Longer than anything that is waited for: a service that wants more is not asked again.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// What to do now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The service has it.
    Pushed,
    /// There is no such device any more.
    Gone,
    /// It is too large for the service: once more without words.
    TooLarge,
    /// Once more after this time.
    Later(Duration),
    /// It never will take it.
    Refused,
}

/// Judges the answer to attempt number `attempt`, from 0 on.
pub(crate) fn judge(status: StatusCode, headers: &HeaderMap, attempt: u32, now: Timestamp) -> Outcome {
    let named = retry_after(headers, now);
    match status.as_u16() {
        200..=299 => Outcome::Pushed,
        404 | 410 => Outcome::Gone,
        413 => named.map_or(Outcome::TooLarge, Outcome::Later),
        408 | 425 | 429 | 500..=599 => Outcome::Later(named.unwrap_or_else(|| pause(attempt))),
        // A redirect too: whoever subscribes may not have this server ask elsewhere.
        _ => Outcome::Refused,
    }
}

/// Twice as long each time.
pub(crate) fn pause(attempt: u32) -> Duration {
    AGAIN_AFTER.saturating_mul(1_u32.checked_shl(attempt).unwrap_or(u32::MAX))
}

/// In seconds, or as a date; a second at least, so that nobody is asked in a circle.
fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    let after = match text.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let at = httpdate::parse_http_date(text).ok()?;
            let at_ms = at.duration_since(std::time::UNIX_EPOCH).ok()?.as_millis();
            let now_ms = u128::try_from(now.unix_ms()).ok()?;
            Duration::from_millis(u64::try_from(at_ms.saturating_sub(now_ms)).ok()?)
        }
    };
    Some(after.clamp(Duration::from_secs(1), RETRY_AFTER_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_judged() {
        let now = Timestamp::from_unix_ms(784_111_777_000);
        let judged = |status: u16, retry_after: Option<&str>, attempt| {
            let mut headers = HeaderMap::new();
            if let Some(value) = retry_after {
                headers.insert(header::RETRY_AFTER, value.parse().unwrap());
            }
            judge(StatusCode::from_u16(status).unwrap(), &headers, attempt, now)
        };
        let later = |seconds| Outcome::Later(Duration::from_secs(seconds));
        for (status, retry_after, attempt, expected) in [
            (201, None, 0, Outcome::Pushed),
            (202, Some("5"), 0, Outcome::Pushed),
            (404, None, 0, Outcome::Gone),
            (410, None, 3, Outcome::Gone),
            (413, None, 0, Outcome::TooLarge),
            (413, Some("9"), 0, later(9)),
            (429, Some("30"), 0, later(30)),
            (429, Some("0"), 0, later(1)),
            (429, Some("soon"), 0, later(5)),
            (429, Some("-1"), 0, later(5)),
            (503, Some("Sun, 06 Nov 1994 08:49:47 GMT"), 0, later(10)),
            (503, Some("Sun, 06 Nov 1994 08:49:07 GMT"), 0, later(1)),
            (503, Some("99999999999999999999"), 0, later(5)),
            (503, Some("999999999999"), 0, later(24 * 60 * 60)),
            (500, None, 0, later(5)),
            (502, None, 2, later(20)),
            (301, None, 0, Outcome::Refused),
            (307, Some("1"), 0, Outcome::Refused),
            (400, None, 0, Outcome::Refused),
            (403, None, 0, Outcome::Refused),
        ] {
            assert_eq!(judged(status, retry_after, attempt), expected, "{status} {retry_after:?}");
        }
        assert!(pause(u32::MAX) > Duration::from_secs(60));
    }
}
