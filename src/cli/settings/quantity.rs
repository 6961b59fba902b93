//! Lengths of time and sizes, as flags write them.

use crate::error::{Error, Result};
use crate::time::Interval;

/// A length of time of whole nanoseconds, not below 0.
pub(in crate::cli) fn flag_duration(flag: &str, text: &str) -> Result<Interval> {
    let length = duration(text).map_err(|error| {
        Error::usage(format!("{flag}: {}", error.message())).help(
            error
                .helps()
                .first()
                .map_or("write it like 5s or 1h30m", String::as_str),
        )
    })?;
    match length.fixed_nanoseconds() {
        Some(nanoseconds) if nanoseconds >= 0 => Ok(length),
        Some(_) => Err(Error::usage(format!("{flag} cannot be less than 0"))),
        None => Err(
            Error::usage(format!("{flag} cannot be of months, whose lengths differ"))
                .help("write it in days, like 30d"),
        ),
    }
}

/// `5s`, `1h30m`, `5 seconds`, `1.5s`; `0` needs no unit.
// replaced by time::parse_interval
pub(super) fn duration(text: &str) -> Result<Interval> {
    let refused = || {
        Error::usage(format!("`{text}` is no length of time"))
            .help("write a number with a unit: ns us ms s m h d w mo y, like 5s or 1h30m")
    };
    let mut rest = text.trim();
    if rest == "0" {
        return Ok(Interval::default());
    }
    if rest.is_empty() {
        return Err(refused());
    }
    let mut length = Interval::default();
    while !rest.is_empty() {
        let number_end = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(rest.len());
        let (number, tail) = rest.split_at(number_end);
        let tail = tail.trim_start();
        let unit_end = tail
            .find(|c: char| !c.is_alphabetic())
            .unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(unit_end);
        rest = tail.trim_start();
        if unit == "M" {
            let help = format!("`{number}m` is minutes, `{number}mo` is months");
            return Err(Error::usage(format!("`{text}` may be minutes or months")).help(help));
        }
        add(&mut length, number, unit).ok_or_else(refused)?;
    }
    Ok(length)
}

fn add(length: &mut Interval, number: &str, unit: &str) -> Option<()> {
    const SECOND: i128 = 1_000_000_000;
    let whole = || number.parse::<i64>().ok();
    let step = match unit.to_lowercase().as_str() {
        "ns" | "nanosecond" | "nanoseconds" => 1,
        "us" | "µs" | "microsecond" | "microseconds" => 1_000,
        "ms" | "millisecond" | "milliseconds" => 1_000_000,
        "s" | "sec" | "secs" | "second" | "seconds" => SECOND,
        "m" | "min" | "mins" | "minute" | "minutes" => 60 * SECOND,
        "h" | "hour" | "hours" => 3_600 * SECOND,
        "d" | "day" | "days" => 86_400 * SECOND,
        "w" | "week" | "weeks" => {
            length.weeks = length.weeks.checked_add(whole()?)?;
            return Some(());
        }
        "mo" | "month" | "months" => {
            length.months = length.months.checked_add(whole()?)?;
            return Some(());
        }
        "y" | "year" | "years" => {
            length.months = length.months.checked_add(whole()?.checked_mul(12)?)?;
            return Some(());
        }
        _ => return None,
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let scale = 10_i128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    let parts = whole.parse::<i64>().ok()?;
    let fraction = i128::from(fraction.parse::<u64>().ok()?);
    length.nanoseconds += i128::from(parts) * step + fraction.checked_mul(step)? / scale;
    Some(())
}

/// `16MiB`, `64K`, `1000`: units of 1024, but `KB`, `MB` and `GB` of 1000.
pub(super) fn size_bytes(flag: &str, text: &str) -> Result<usize> {
    let refused = || {
        Error::usage(format!("{flag}: `{text}` is no size"))
            .help("write it like 16MiB, 64K or 1000000")
    };
    let digits = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let step: usize = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kib" => 1 << 10,
        "m" | "mib" => 1 << 20,
        "g" | "gib" => 1 << 30,
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        _ => return Err(refused()),
    };
    let number: usize = number.parse().map_err(|_| refused())?;
    match number.checked_mul(step) {
        Some(size) if size > 0 => Ok(size),
        _ => Err(refused()),
    }
}
