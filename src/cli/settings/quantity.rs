//! Lengths of time and sizes, as flags write them.

use crate::error::{Error, Result};
use crate::time::{Interval, parse_interval};

/// A length of time of whole nanoseconds, not below 0.
pub(in crate::cli) fn flag_duration(flag: &str, text: &str) -> Result<Interval> {
    let length = parse_interval(text).map_err(|error| {
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
