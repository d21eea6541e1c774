//! What only the person who imports knows: the zone of clocks, the order of dates, the name of a chat that
//! has none.

use jiff::tz::TimeZone;

use crate::ReadError;

/// The order in which a date is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DateOrder {
    /// 31/12/2026.
    DayMonthYear,
    /// 12/31/2026.
    MonthDayYear,
    /// 2026/12/31.
    YearMonthDay,
}

/// What only the person who imports knows.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The zone in which a file without zones was written.
    pub zone: Option<TimeZone>,
    /// The order of dates where the file does not tell.
    pub dates: Option<DateOrder>,
    /// The name of the chat, where a file is one chat and does not name it.
    pub room: Option<String>,
    /// Rooms of which the export does not say who may see them are everybody's.
    pub public: bool,
}

impl Options {
    /// The zone.
    ///
    /// # Errors
    /// Asks for it, and says why.
    pub(crate) fn zone(&self, why: &str) -> Result<TimeZone, ReadError> {
        self.zone.clone().ok_or_else(|| {
            ReadError::Ask(format!(
                "{why}: say with --zone in which time zone that was, such as --zone Europe/Prague or \
                 --zone UTC"
            ))
        })
    }
}

/// Reads a zone: a name of the IANA database, or an offset such as `+01:00`.
///
/// # Errors
/// A sentence that says what is expected.
pub fn zone(text: &str) -> Result<TimeZone, String> {
    let offset = || {
        let (sign, rest) =
            text.strip_prefix('+').map(|rest| (1, rest)).or_else(|| Some((-1, text.strip_prefix('-')?)))?;
        let (hours, minutes) = rest.split_once(':').unwrap_or((rest, "0"));
        let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
        let is_one = (0..=25).contains(&hours) && (0..60).contains(&minutes);
        let seconds = sign * (hours * 3_600 + minutes * 60);
        is_one.then(|| jiff::tz::Offset::from_seconds(seconds).ok()).flatten().map(TimeZone::fixed)
    };
    if let Some(zone) = offset() {
        return Ok(zone);
    }
    TimeZone::get(text).map_err(|_| {
        format!("zone must be a name such as Europe/Prague, or an offset such as +01:00 (got {text:?})")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_are_names_or_offsets() {
        assert!(zone("Europe/Prague").is_ok() && zone("UTC").is_ok());
        assert_eq!(zone("+05:30").unwrap().to_fixed_offset().unwrap().seconds(), 19_800);
        assert_eq!(zone("-3").unwrap().to_fixed_offset().unwrap().seconds(), -10_800);
        for wrong in ["Prague", "+99:00", "", "+"] {
            assert!(zone(wrong).unwrap_err().starts_with("zone must be"), "{wrong:?}");
        }
    }
}
