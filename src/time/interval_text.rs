//! Texts to intervals: `5s`, `1h30m`, `1 hour 30 minutes`, `-3 seconds`, and SQL's `'1:30' MINUTE TO SECOND`.
//!
//! Fractions are exact or refused: `1.5h` is ninety minutes, `0.1ns` and `1.5mo` are errors. A sign holds
//! until the next one (`-1h30m` is minus ninety minutes). `m` is minutes; `M` is refused, because half of
//! its writers mean months.

use super::Interval;
use crate::error::{Error, Result};

/// What a unit counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Nanoseconds(i128),
    Weeks,
    Months(i128),
}

const SECOND: i128 = 1_000_000_000;

/// Every unit with its spellings; the first is the one we print.
const UNITS: [(Step, &[&str]); 10] = [
    (
        Step::Nanoseconds(1),
        &["ns", "nanosecond", "nanoseconds", "nano", "nanos"],
    ),
    (
        Step::Nanoseconds(1_000),
        &[
            "us",
            "microsecond",
            "microseconds",
            "micro",
            "micros",
            "µs",
            "μs",
        ],
    ),
    (
        Step::Nanoseconds(1_000_000),
        &[
            "ms",
            "millisecond",
            "milliseconds",
            "milli",
            "millis",
            "msec",
        ],
    ),
    (
        Step::Nanoseconds(SECOND),
        &["s", "second", "seconds", "sec", "secs"],
    ),
    (
        Step::Nanoseconds(60 * SECOND),
        &["m", "minute", "minutes", "min", "mins"],
    ),
    (
        Step::Nanoseconds(3_600 * SECOND),
        &["h", "hour", "hours", "hr", "hrs"],
    ),
    (Step::Nanoseconds(86_400 * SECOND), &["d", "day", "days"]),
    (Step::Weeks, &["w", "week", "weeks"]),
    (Step::Months(1), &["mo", "month", "months", "mon", "mons"]),
    (Step::Months(12), &["y", "year", "years", "yr", "yrs"]),
];

const UNIT_NAMES: &str = "units: ns us ms s m h d w mo y, or their words";

/// Reads a length of time such as `5s`, `1h30m`, `1.5 hours`, `3 months`; a leading `-` makes it negative.
///
/// # Errors
/// Of kind syntax, without a place: no number, no unit, an unknown unit (with the nearest one), `M`, a
/// fraction that is not exact, and what does not fit.
pub fn parse_interval(text: &str) -> Result<Interval> {
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(Error::syntax("an interval is empty").help("write a length such as `5s`"));
    }
    let mut interval = Interval::default();
    let mut negative = false;
    while !rest.is_empty() {
        if let Some(behind) = rest.strip_prefix(['-', '+']) {
            negative = rest.starts_with('-');
            rest = behind.trim_start();
        }
        let digits = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(rest.len());
        let (number, behind) = rest.split_at(digits);
        let behind = behind.trim_start();
        let letters = behind
            .find(|c: char| !c.is_alphabetic())
            .unwrap_or(behind.len());
        let (unit, behind) = behind.split_at(letters);
        if number.is_empty() {
            return Err(
                Error::syntax(format!("`{}` is no length of time", text.trim()))
                    .help("write a number and a unit, such as `5s`, `1h30m`, `90 seconds`"),
            );
        }
        if unit.is_empty() {
            return Err(
                Error::syntax(format!("`{}` needs a unit of time", text.trim()))
                    .note(UNIT_NAMES)
                    .help(format!("write `{number}s`, `{number}m`, `{number}h`")),
            );
        }
        let step = step_of(unit, number)?;
        add(&mut interval, text, negative, number, step)?;
        rest = behind.trim_start();
    }
    Ok(interval)
}

/// Reads SQL's form, in which the unit stands outside: `'5' SECOND`, `'1:30' MINUTE TO SECOND`.
///
/// `unit` and `to` are the words as typed, in any case.
///
/// # Errors
/// As [`parse_interval`]; also when the text has a unit of its own or more fields than the words allow.
pub fn parse_interval_with_unit(text: &str, unit: &str, to: Option<&str>) -> Result<Interval> {
    let trimmed = text.trim();
    let (negative, number) = match trimmed.strip_prefix('-') {
        Some(number) => (true, number.trim_start()),
        None => (
            false,
            trimmed.strip_prefix('+').unwrap_or(trimmed).trim_start(),
        ),
    };
    let mut interval = Interval::default();
    let Some(to) = to else {
        let step = step_of(unit, number)?;
        let plain = |c: char| c.is_ascii_digit() || c == '.';
        if !number.chars().all(plain) {
            return Err(Error::syntax(format!(
                "`INTERVAL '{trimmed}' {unit}` has a unit outside and no plain number inside"
            ))
            .help(format!(
                "write `INTERVAL '{trimmed}'` or `INTERVAL '5' {unit}`"
            )));
        }
        add(&mut interval, text, negative, number, step)?;
        return Ok(interval);
    };
    let words = ["year", "month", "day", "hour", "minute", "second"];
    let place = |word: &str| {
        let step = step_of(word, "1").ok()?;
        words
            .iter()
            .position(|known| step_of(known, "1").ok() == Some(step))
    };
    let fields: Vec<&str> = number.split([':', ' ', '-']).collect();
    match (place(unit), place(to)) {
        (Some(first), Some(last)) if first < last && fields.len() == last - first + 1 => {
            for (word, field) in words[first..=last].iter().zip(fields) {
                add(&mut interval, text, negative, field, step_of(word, field)?)?;
            }
            Ok(interval)
        }
        _ => Err(
            Error::syntax(format!("`'{trimmed}'` is no interval of {unit} TO {to}"))
                .help("write `INTERVAL '1h30m'` instead"),
        ),
    }
}

/// True if `word` is a unit of time in any spelling.
pub fn is_interval_unit(word: &str) -> bool {
    word == "M" || find_unit(word).is_some()
}

fn find_unit(word: &str) -> Option<Step> {
    let lower = word.to_lowercase();
    UNITS
        .iter()
        .find(|(_, names)| names.contains(&lower.as_str()))
        .map(|(step, _)| *step)
}

fn step_of(word: &str, number: &str) -> Result<Step> {
    if word == "M" {
        return Err(
            Error::syntax(format!("`{number}M` may mean minutes or months"))
                .help(format!("write `{number}m` for minutes"))
                .help(format!("write `{number}mo` for months")),
        );
    }
    if let Some(step) = find_unit(word) {
        return Ok(step);
    }
    let names = UNITS
        .iter()
        .flat_map(|(_, names)| names.iter())
        .filter(|name| name.len() > 2);
    Err(Error::syntax(format!("`{word}` is no unit of time"))
        .note(UNIT_NAMES)
        .suggest(word, names))
}

/// Adds `number` steps to the interval, exactly.
fn add(
    interval: &mut Interval,
    text: &str,
    negative: bool,
    number: &str,
    step: Step,
) -> Result<()> {
    let text = text.trim();
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let fraction = fraction.trim_end_matches('0');
    let malformed = || Error::syntax(format!("`{number}` in `{text}` is no number"));
    let too_long = || Error::syntax(format!("`{text}` is too long a time"));
    let digits = format!("{whole}{fraction}");
    if number.chars().all(|c| c == '.') || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(malformed());
    }
    if digits.len() > 20 {
        return Err(too_long());
    }
    let mut value: i128 = if digits.is_empty() {
        0
    } else {
        digits.parse().map_err(|_| malformed())?
    };
    if negative {
        value = -value;
    }
    let scale = 10_i128.pow(fraction.len() as u32);
    let (steps, months) = match step {
        Step::Nanoseconds(n) => (n, false),
        Step::Weeks if scale == 1 => {
            let weeks = i64::try_from(value).map_err(|_| too_long())?;
            interval.weeks = interval.weeks.checked_add(weeks).ok_or_else(too_long)?;
            return Ok(());
        }
        Step::Weeks => (7 * 86_400 * SECOND, false),
        Step::Months(n) => (n, true),
    };
    let product = value.checked_mul(steps).ok_or_else(too_long)?;
    if product % scale != 0 {
        let finest = if months { "a month" } else { "a nanosecond" };
        return Err(Error::syntax(format!("`{text}` is finer than {finest}")));
    }
    let amount = product / scale;
    // Windows and arithmetic count in `i64` nanoseconds at least, so nothing longer is of use.
    if months {
        let amount = i64::try_from(amount).map_err(|_| too_long())?;
        interval.months = interval.months.checked_add(amount).ok_or_else(too_long)?;
    } else {
        interval.nanoseconds = interval
            .nanoseconds
            .checked_add(amount)
            .ok_or_else(too_long)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let found = match parse_interval(text) {
            Ok(interval) => interval.to_string(),
            Err(error) => error.to_string(),
        };
        assert!(
            found == expected || found.starts_with(&format!("{expected}\n")),
            "{text}: {found}"
        );
    }

    #[test]
    fn lengths() {
        for (text, expected) in [
            ("5s", "5s"),
            (" 1h30m ", "1h30m"),
            ("90 seconds", "1m30s"),
            ("1 hour 30 minutes", "1h30m"),
            ("1.5h", "1h30m"),
            ("0.001s", "1ms"),
            ("-3 SECONDS", "-3s"),
            ("-1h30m", "-1h30m"),
            ("2 weeks", "2w"),
            ("0.5w", "3d12h"),
            ("1y2mo", "1y2mo"),
            ("0.5 years", "6mo"),
            ("7us", "7us"),
            ("7µs", "7us"),
            ("0s", "0s"),
            ("1mo-5s", "1mo-5s"),
            (
                "1M",
                "`1M` may mean minutes or months\n  = help: write `1m` for minutes\n  = help: write `1mo` for months",
            ),
            (
                "5 secnds",
                "`secnds` is no unit of time (did you mean `seconds`?)",
            ),
            ("5q", "`q` is no unit of time"),
            ("5", "`5` needs a unit of time"),
            ("s", "`s` is no length of time"),
            ("", "an interval is empty"),
            ("0.1ns", "`0.1ns` is finer than a nanosecond"),
            ("1.5mo", "`1.5mo` is finer than a month"),
            ("1..5s", "`1..5` in `1..5s` is no number"),
            (".s", "`.` in `.s` is no number"),
            (
                "99999999999999999999999s",
                "`99999999999999999999999s` is too long a time",
            ),
        ] {
            check(text, expected);
        }
    }

    #[test]
    fn units_outside() {
        for (text, unit, to, expected) in [
            ("5", "SECOND", None, "5s"),
            ("-3", "second", None, "-3s"),
            ("1:30", "MINUTE", Some("SECOND"), "1m30s"),
            ("1 12:00:00.5", "DAY", Some("SECOND"), "1d12h500ms"),
            ("1-6", "YEAR", Some("MONTH"), "1y6mo"),
            ("-1:30", "HOUR", Some("MINUTE"), "-1h30m"),
            (
                "1:2:3",
                "MINUTE",
                Some("SECOND"),
                "`'1:2:3'` is no interval of MINUTE TO SECOND",
            ),
            (
                "5s",
                "SECOND",
                None,
                "`INTERVAL '5s' SECOND` has a unit outside and no plain number inside",
            ),
            (
                "5",
                "SECNOD",
                None,
                "`SECNOD` is no unit of time (did you mean `second`?)",
            ),
        ] {
            let found = match parse_interval_with_unit(text, unit, to) {
                Ok(interval) => interval.to_string(),
                Err(error) => error.to_string(),
            };
            assert!(found.starts_with(expected), "{text} {unit}: {found}");
        }
    }

    proptest::proptest! {
        #[test]
        fn printing_reads_back(nanoseconds in 0_i64.., months in 0_i64..1000, weeks in 0_i64..1000) {
            let interval = Interval { months, weeks, nanoseconds: i128::from(nanoseconds) };
            proptest::prop_assert_eq!(parse_interval(&interval.to_string()).unwrap(), interval);
        }

        #[test]
        fn any_text_is_read_or_refused(text in "[-+0-9.smhdwMoy µ:]{0,24}") {
            let _ = parse_interval(&text);
            let _ = parse_interval_with_unit(&text, "day", Some("second"));
        }
    }
}
