//! The beginning of a message in a WhatsApp text: date and time as the phone writes them, in whatever
//! language.
//!
//! `[05.01.26, 09:00:00] Name: text` is an iPhone's, `05/01/2026, 9:01 pm - Name: text` an Android's. A line
//! that does not begin so goes on with the message before it.

use jiff::civil;

use crate::DateOrder;

/// A beginning as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Head {
    /// The three numbers of the date, and whether the first has four digits.
    pub(super) date: [u16; 3],
    pub(super) starts_with_year: bool,
    hour: i8,
    minute: i8,
    second: i8,
    /// In brackets, as an iPhone writes it.
    pub(super) in_brackets: bool,
}

/// Half of the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Half {
    Before,
    After,
}

/// Words for the halves of the day, without blanks and dots. From the locales of Unicode's CLDR.
const HALVES: [(&str, Half); 20] = [
    ("am", Half::Before),
    ("pm", Half::After),
    ("a", Half::Before),
    ("p", Half::After),
    ("πμ", Half::Before),
    ("μμ", Half::After),
    ("오전", Half::Before),
    ("오후", Half::After),
    ("上午", Half::Before),
    ("凌晨", Half::Before),
    ("中午", Half::After),
    ("下午", Half::After),
    ("晚上", Half::After),
    ("午前", Half::Before),
    ("午後", Half::After),
    ("ص", Half::Before),
    ("م", Half::After),
    ("дп", Half::Before),
    ("пп", Half::After),
    ("sa", Half::Before),
];

/// Between the numbers and around the time, at most so many other characters.
const GAP_MAX_CHARS: usize = 8;

impl Head {
    /// Splits a line that begins a message into its beginning and the rest.
    pub(super) fn split(line: &str) -> Option<(Self, &str)> {
        let mut rest = line.trim_start_matches(is_mark);
        let in_brackets = rest.starts_with('[');
        rest = rest.strip_prefix('[').unwrap_or(rest).trim_start_matches(is_mark);
        let (first, after) = number(rest, 4)?;
        let starts_with_year = first.1 == 4;
        let (second, after) = number(separated(after)?, 2)?;
        let (third, after) = number(separated(after)?, 4)?;
        if starts_with_year && third.1 > 2 || !starts_with_year && third.1 == 3 {
            return None;
        }
        // `, `, ` klo `, ` г., ` …, and in the East the half of the day.
        let gap_end = after.find(|c| digit(c).is_some())?;
        let gap = &after[..gap_end];
        if gap.is_empty() || gap.chars().count() > GAP_MAX_CHARS || gap.contains(['[', ']', '-']) {
            return None;
        }
        let half_before = half(gap);
        let (hour, after) = number(&after[gap_end..], 2)?;
        let (minute, after) = number(after.strip_prefix([':', '.'])?, 2)?;
        if minute.1 != 2 {
            return None;
        }
        let seconds = after.strip_prefix([':', '.']).and_then(|after| number(after, 2));
        let (second_of_minute, after) = seconds.map_or((0, after), |(second, after)| (second.0, after));
        let close = if in_brackets { "]" } else { " -" };
        let end = after.find(close)?;
        let gap = &after[..end];
        if gap.chars().count() > GAP_MAX_CHARS {
            return None;
        }
        let text = after[end + close.len()..].strip_prefix(' ').unwrap_or(&after[end + close.len()..]);
        let hour = match (half_before.or_else(|| half(gap)), hour.0) {
            (Some(Half::Before), 12) => 0,
            (Some(Half::After), hour @ ..12) => hour + 12,
            (_, hour) => hour,
        };
        let time = [hour, minute.0, second_of_minute];
        if time[0] > 23 || time[1] > 59 || time[2] > 59 {
            return None;
        }
        let [hour, minute, second_of_minute] = time.map(|part| i8::try_from(part).unwrap_or_default());
        let date = [first.0, second.0, third.0];
        Some((Self { date, starts_with_year, hour, minute, second: second_of_minute, in_brackets }, text))
    }

    /// What the clock showed, if that is a date in this order.
    pub(super) fn clock(&self, order: DateOrder) -> Option<civil::DateTime> {
        let [first, second, third] = self.date;
        let (year, month, day) = match order {
            DateOrder::DayMonthYear => (third, second, first),
            DateOrder::MonthDayYear => (third, first, second),
            DateOrder::YearMonthDay => (first, second, third),
        };
        let year = if year < 100 { year + 2_000 } else { year };
        let (month, day) = (i8::try_from(month).ok()?, i8::try_from(day).ok()?);
        let date = civil::Date::new(i16::try_from(year).ok()?, month, day).ok()?;
        Some(date.at(self.hour, self.minute, self.second, 0))
    }
}

/// What is not seen and turns the direction of writing, or marks the beginning of a file.
pub(super) const fn is_mark(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{feff}')
}

/// The digits of the scripts that phones write dates in.
fn digit(c: char) -> Option<u16> {
    const ZEROS: [char; 6] = ['0', '\u{660}', '\u{6f0}', '\u{966}', '\u{9e6}', '\u{ff10}'];
    ZEROS.iter().find_map(|zero| {
        let value = u32::from(c).checked_sub(u32::from(*zero))?;
        u16::try_from(value).ok().filter(|value| *value < 10)
    })
}

/// A number of at most so many digits, with how many it has, and what follows.
fn number(text: &str, digits_max: usize) -> Option<((u16, usize), &str)> {
    let digits: Vec<(usize, u16, usize)> = text
        .char_indices()
        .map_while(|(index, c)| Some((index, digit(c)?, c.len_utf8())))
        .take(digits_max + 1)
        .collect();
    let (index, _, length) = digits.last()?;
    if digits.len() > digits_max {
        return None;
    }
    let value = digits.iter().fold(0, |value, (_, digit, _)| value * 10 + digit);
    Some(((value, digits.len()), &text[index + length..]))
}

fn separated(text: &str) -> Option<&str> {
    let text = text.trim_start_matches(is_mark);
    let rest = text.strip_prefix(['/', '.', '-'])?;
    Some(rest.trim_start_matches(|c: char| is_mark(c) || c == ' '))
}

fn half(gap: &str) -> Option<Half> {
    let letters: String = gap.chars().filter(|c| c.is_alphabetic()).flat_map(char::to_lowercase).collect();
    HALVES.iter().find(|(word, _)| *word == letters).map(|(_, half)| *half)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn clock(line: &str, order: DateOrder) -> Option<(String, &str)> {
        let (head, rest) = Head::split(line)?;
        Some((head.clock(order)?.to_string(), rest))
    }

    #[test]
    fn phones_of_many_languages_are_read() {
        use DateOrder::{DayMonthYear as Dmy, MonthDayYear as Mdy, YearMonthDay as Ymd};
        for (line, order, expected) in [
            ("[05.01.26, 09:00:00] U: x", Dmy, "2026-01-05T09:00:00"),
            ("\u{200e}[05.01.26, 09:00:00] U: x", Dmy, "2026-01-05T09:00:00"),
            ("05/01/2026, 9:01 pm - U: x", Dmy, "2026-01-05T21:01:00"),
            ("1/5/26, 9:01\u{202f}PM - U: x", Mdy, "2026-01-05T21:01:00"),
            ("1/5/26, 12:01 AM - U: x", Mdy, "2026-01-05T00:01:00"),
            ("05/01/26 9:01 p. m. - U: x", Dmy, "2026-01-05T21:01:00"),
            ("05/01/26 9:01 a.\u{a0}m. - U: x", Dmy, "2026-01-05T09:01:00"),
            ("[5.1.2026 klo 9.01.07] U: x", Dmy, "2026-01-05T09:01:07"),
            ("05.01.2026 г., 9:01 ч. - U: x", Dmy, "2026-01-05T09:01:00"),
            ("2026. 1. 5. 오후 9:01 - U: x", Ymd, "2026-01-05T21:01:00"),
            ("2026/1/5 下午9:01 - U: x", Ymd, "2026-01-05T21:01:00"),
            ("2026-01-05, 21:01 - U: x", Ymd, "2026-01-05T21:01:00"),
            ("٥‏/١‏/٢٠٢٦، ٩:٠١ م - U: x", Dmy, "2026-01-05T21:01:00"),
        ] {
            assert_eq!(clock(line, order), Some((expected.to_owned(), "U: x")), "{line}");
        }
        for line in
            ["", "hello", "5/1 we meet", "10:30 - see you", "1.2.3 is out - now", "[note] x", "3/4/5 - 6"]
        {
            assert_eq!(Head::split(line), None, "{line}");
        }
        let wrong = Head::split("31/02/2026, 10:00 - U: x").unwrap().0;
        assert_eq!(wrong.clock(Dmy), None);
    }

    proptest! {
        #[test]
        fn no_line_is_too_strange(line in "\\PC{0,40}") {
            if let Some((head, rest)) = Head::split(&line) {
                prop_assert!(line.ends_with(rest));
                let _ = head.clock(DateOrder::DayMonthYear);
            }
        }

        #[test]
        fn what_a_phone_writes_is_read_as_it_was_meant(
            day in 1_i8..=28,
            month in 1_i8..=12,
            year in 2010_i16..2027,
            hour in 0_i8..24,
            minute in 0_i8..60,
        ) {
            let meant = civil::date(year, month, day).at(hour, minute, 0, 0);
            let line = format!("{day:02}/{month:02}/{year}, {hour:02}:{minute:02} - Ann: hi");
            prop_assert_eq!(clock(&line, DateOrder::DayMonthYear), Some((meant.to_string(), "Ann: hi")));
            let (twelve, half) = ((hour + 11) % 12 + 1, if hour < 12 { "AM" } else { "PM" });
            let date = format!("{month}/{day}/{:02}", year % 100);
            let line = format!("[{date}, {twelve}:{minute:02}:00\u{202f}{half}] Ann: hi");
            prop_assert_eq!(clock(&line, DateOrder::MonthDayYear), Some((meant.to_string(), "Ann: hi")));
        }
    }
}
