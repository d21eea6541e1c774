//! When in the week somebody is not to be disturbed, in their own time zone.
//!
//! By the clock on the wall alone: a window from 22:00 to 07:00 begins when that clock shows 22:00 and ends
//! when it shows 07:00, however many hours the night has. The time zones are compiled in, so that all
//! programs know the same ones.

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::Timestamp;
use crate::field::{FieldError, FieldResult};
use crate::limits::DND_WINDOWS_MAX;

const FIELD: &str = "dnd_schedule";
const DAY_MINUTES: u16 = 24 * 60;
/// As they are written; Monday is the first.
const NAMES: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

fn refused(problem: impl Into<String>) -> FieldError {
    FieldError::new(FIELD, problem)
}

/// What somebody wrote, cut to what may stand in an answer.
fn quoted(text: &str) -> String {
    text.chars().take(64).collect()
}

/// Days of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Days(u8);

impl Days {
    /// Each day.
    pub const ALL: Self = Self(0b111_1111);

    const fn has(self, day: u8) -> bool {
        self.0 >> day & 1 == 1
    }
}

/// From a minute of the day to another one, on the days on which it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    days: Days,
    from: u16,
    to: u16,
}

impl Window {
    /// `from` and `to` in minutes since midnight; when `to` is not later it ends on the next day.
    ///
    /// # Errors
    /// Names the field `dnd_schedule` and what is wrong.
    pub fn new(days: Days, from: u16, to: u16) -> FieldResult<Self> {
        if days.0 == 0 {
            return Err(refused("must have at least one day in each window"));
        }
        if from >= DAY_MINUTES || to > DAY_MINUTES {
            return Err(refused("must have times from 00:00 to 24:00, and begin before 24:00"));
        }
        if from == to {
            return Err(refused("must not end a window when it begins; a whole day is 00:00 to 24:00"));
        }
        Ok(Self { days, from, to })
    }

    /// Whether the clock that shows this minute on this day is within.
    fn covers(self, day: u8, minute: u16) -> bool {
        let Self { days, from, to } = self;
        if from < to {
            return days.has(day) && (from..to).contains(&minute);
        }
        days.has(day) && minute >= from || days.has((day + 6) % 7) && minute < to
    }
}

/// The windows of a week.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    zone: TimeZone,
    name: Box<str>,
    windows: Vec<Window>,
}

impl Schedule {
    /// 1 to [`DND_WINDOWS_MAX`] windows in the time zone of that name.
    ///
    /// # Errors
    /// Names the field `dnd_schedule` and what is wrong.
    pub fn new(time_zone: &str, windows: Vec<Window>) -> FieldResult<Self> {
        if windows.is_empty() || windows.len() > DND_WINDOWS_MAX {
            let problem = format!("must have 1 to {DND_WINDOWS_MAX} windows (got {})", windows.len());
            return Err(refused(problem));
        }
        let zone = TimeZone::get(time_zone).ok();
        let zone = zone.filter(|zone| zone.iana_name().is_some()).ok_or_else(|| {
            let given = quoted(time_zone);
            refused(format!("must have an IANA time zone such as Europe/Prague (got {given:?})"))
        })?;
        Ok(Self { zone, name: time_zone.into(), windows })
    }

    /// Whether a window is open at this moment.
    #[must_use]
    pub fn covers(&self, now: Timestamp) -> bool {
        // Each moment that a `Timestamp` can be has a date in every time zone.
        let Ok(moment) = jiff::Timestamp::from_millisecond(now.unix_ms()) else { return false };
        let local = self.zone.to_datetime(moment);
        let day = local.weekday().to_monday_zero_offset().unsigned_abs();
        let minute = u16::from(local.hour().unsigned_abs()) * 60 + u16::from(local.minute().unsigned_abs());
        self.windows.iter().any(|window| window.covers(day, minute))
    }

    /// When it is quiet.
    #[must_use]
    pub fn windows(&self) -> &[Window] {
        &self.windows
    }

    /// As it is written.
    #[must_use]
    pub fn written(&self) -> WrittenSchedule {
        let clock = |minute: u16| format!("{:02}:{:02}", minute / 60, minute % 60);
        let window = |window: &Window| WrittenWindow {
            days: (0..7)
                .filter(|day| window.days.has(*day))
                .map(|day| NAMES[usize::from(day)].into())
                .collect(),
            from: clock(window.from),
            to: clock(window.to),
        };
        WrittenSchedule {
            time_zone: self.name.clone().into(),
            windows: self.windows.iter().map(window).collect(),
        }
    }
}

/// A schedule as people and programs write it: in JSON on the wire, and as text in the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WrittenSchedule {
    /// The IANA name.
    pub time_zone: String,
    /// The windows.
    pub windows: Vec<WrittenWindow>,
}

/// One window of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WrittenWindow {
    /// `mon` to `sun`: the days on which it begins.
    pub days: Vec<String>,
    /// `HH:MM`.
    pub from: String,
    /// `HH:MM`, up to `24:00`; when it is not later than `from`, on the next day.
    pub to: String,
}

impl TryFrom<&WrittenSchedule> for Schedule {
    type Error = FieldError;

    fn try_from(written: &WrittenSchedule) -> FieldResult<Self> {
        // Counted before anything is made of them.
        let windows = written.windows.iter().take(DND_WINDOWS_MAX + 1).map(|window| {
            let day = |days: u8, name: &String| {
                let day = NAMES.iter().position(|known| known == name);
                let day = day.ok_or_else(|| {
                    refused(format!(
                        "must have days of mon, tue, wed, thu, fri, sat, sun (got {:?})",
                        quoted(name)
                    ))
                })?;
                Ok::<u8, FieldError>(days | 1 << day)
            };
            let days = Days(window.days.iter().try_fold(0, day)?);
            Window::new(days, minute_of(&window.from)?, minute_of(&window.to)?)
        });
        let windows = windows.collect::<FieldResult<Vec<_>>>()?;
        if written.windows.len() > DND_WINDOWS_MAX {
            let problem = format!("must have 1 to {DND_WINDOWS_MAX} windows (got {})", written.windows.len());
            return Err(refused(problem));
        }
        Self::new(&written.time_zone, windows)
    }
}

/// The minute of the day of `HH:MM`.
fn minute_of(clock: &str) -> FieldResult<u16> {
    let two_digits = |text: &str| {
        let is_number = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<u16>().ok().filter(|_| is_number)
    };
    let minute = clock.split_once(':').and_then(|(hours, minutes)| {
        let minute = two_digits(hours)? * 60 + two_digits(minutes).filter(|minutes| *minutes < 60)?;
        Some(minute).filter(|minute| *minute <= DAY_MINUTES)
    });
    minute.ok_or_else(|| refused(format!("must have times such as 07:30 (got {:?})", quoted(clock))))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(time_zone: &str, days: &[&str], from: &str, to: &str) -> WrittenSchedule {
        let days = days.iter().map(|day| (*day).to_owned()).collect();
        let window = WrittenWindow { days, from: from.to_owned(), to: to.to_owned() };
        WrittenSchedule { time_zone: time_zone.to_owned(), windows: vec![window] }
    }

    #[test]
    fn what_is_wrong_is_named() {
        let problem = |time_zone: &str, days: &[&str], from: &str, to: &str| {
            Schedule::try_from(&written(time_zone, days, from, to)).unwrap_err().to_string()
        };
        assert_eq!(
            problem("Mars/Olympus", &["mon"], "22:00", "07:00"),
            "dnd_schedule must have an IANA time zone such as Europe/Prague (got \"Mars/Olympus\")"
        );
        assert_eq!(
            problem("UTC", &["monday"], "22:00", "07:00"),
            "dnd_schedule must have days of mon, tue, wed, thu, fri, sat, sun (got \"monday\")"
        );
        assert_eq!(
            problem("UTC", &[], "22:00", "07:00"),
            "dnd_schedule must have at least one day in each window"
        );
        for clock in ["7:00", "07:60", "24:01", "", "07:00:00", "+7:00", "25:00", "aa:bb"] {
            let said = format!("dnd_schedule must have times such as 07:30 (got {clock:?})");
            assert_eq!(problem("UTC", &["mon"], "22:00", clock), said);
        }
        assert!(problem("UTC", &["mon"], "24:00", "07:00").contains("begin before 24:00"));
        assert!(problem("UTC", &["mon"], "07:00", "07:00").contains("00:00 to 24:00"));
        let none = WrittenSchedule { time_zone: "UTC".to_owned(), windows: Vec::new() };
        let said = "dnd_schedule must have 1 to 14 windows (got 0)";
        assert_eq!(Schedule::try_from(&none).unwrap_err().to_string(), said);
        let mut many = written("UTC", &["mon"], "22:00", "07:00");
        many.windows = vec![many.windows[0].clone(); 15];
        let said = "dnd_schedule must have 1 to 14 windows (got 15)";
        assert_eq!(Schedule::try_from(&many).unwrap_err().to_string(), said);
    }

    #[test]
    fn it_is_written_as_it_was_said() {
        for said in [
            written("Asia/Kathmandu", &["mon", "sun"], "00:00", "24:00"),
            written("America/St_Johns", &["wed"], "22:30", "07:05"),
        ] {
            assert_eq!(Schedule::try_from(&said).unwrap().written(), said);
        }
    }

    proptest! {
        /// The same as walking along the week, minute by minute, from each beginning to the next end.
        #[test]
        fn a_window_covers_what_lies_between_its_beginning_and_its_end(
            days in 1_u8..128, from in 0_u16..1_440, to in 0_u16..=1_440, now in 0_usize..10_080,
        ) {
            let Ok(window) = Window::new(Days(days), from, to) else { return Ok(()) };
            let mut week = vec![false; 10_080];
            for day in (0..7_usize).filter(|day| days >> day & 1 == 1) {
                let begins = day * 1_440 + usize::from(from);
                let end = day * 1_440 + usize::from(to) + if to > from { 0 } else { 1_440 };
                (begins..end).for_each(|minute| week[minute % 10_080] = true);
            }
            let (day, minute) = (u8::try_from(now / 1_440).unwrap(), u16::try_from(now % 1_440).unwrap());
            prop_assert_eq!(window.covers(day, minute), week[now]);
        }
    }
}
