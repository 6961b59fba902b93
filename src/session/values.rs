//! The values of settings and options as a user writes them: lengths, zones, sizes, words.

use std::str::FromStr;

use arrow::datatypes::DataType;

use crate::data::parse_type;
use crate::error::{Error, Result};
use crate::time::{EpochUnit, Interval, Zone, nearest_zone, parse_interval};

/// More threads than this are a mistake.
const MOST_THREADS: usize = 1024;

/// A length of time that the setting `name` takes: of fixed length, not below 0; `0` needs no unit.
///
/// # Errors
/// No length of time, with how one is written.
pub fn duration(name: &str, text: &str) -> Result<Interval> {
    if text.trim() == "0" {
        return Ok(Interval::default());
    }
    let length = parse_interval(text).map_err(|error| {
        let refused = Error::usage(format!("{name}: {}", error.message()));
        let refused = match error.label_text() {
            Some(label) => refused.label(label),
            None => refused,
        };
        if error.helps().is_empty() {
            return refused.help("write it like 5s or 1h30m");
        }
        error
            .helps()
            .iter()
            .fold(refused, |refused, help| refused.help(help))
    })?;
    match length.fixed_nanoseconds() {
        Some(nanoseconds) if nanoseconds >= 0 => Ok(length),
        Some(_) => Err(Error::usage(format!("{name} cannot be less than 0"))),
        None => Err(
            Error::usage(format!("{name} cannot be of months, whose lengths differ"))
                .help("write it in days, like 30d"),
        ),
    }
}

/// A zone by name, `local`, or an offset in whole hours.
///
/// # Errors
/// No such zone, with the nearest.
pub fn zone(name: &str) -> Result<Zone> {
    let refused = || {
        Error::usage(format!("`{name}` is no time zone"))
            .help("zones are named like Europe/Berlin; `local` is the machine's")
            .meant(nearest_zone(name))
    };
    if name.eq_ignore_ascii_case("local") {
        let local = iana_time_zone::get_timezone()
            .map_err(|cause| Error::outside("cannot tell the zone of this machine", cause))?;
        return local
            .parse()
            .map_err(|_| refused().note(format!("the machine's zone is `{local}`")));
    }
    if name.eq_ignore_ascii_case("z") {
        return Ok(Zone::UTC);
    }
    if let Some(offset) = name.strip_prefix(['+', '-']) {
        let (hours, minutes) = offset.split_once(':').unwrap_or((offset, "00"));
        // The database counts these zones westwards.
        let sign = if name.starts_with('+') { '-' } else { '+' };
        let hours = u8::from_str(hours).map_err(|_| refused())?;
        return match (minutes, format!("Etc/GMT{sign}{hours}").parse()) {
            ("00", Ok(zone)) => Ok(zone),
            _ => Err(refused()
                .help("an offset is of whole hours here; name the zone, like Asia/Kolkata")),
        };
    }
    let known = chrono_tz::TZ_VARIANTS.iter();
    match known
        .clone()
        .find(|zone| zone.name().eq_ignore_ascii_case(name))
    {
        Some(zone) => Ok(*zone),
        None => Err(refused().suggest(name, known.map(|zone| zone.name()))),
    }
}

pub(super) fn epoch_unit(name: &str, text: &str) -> Result<EpochUnit> {
    one_of(
        name,
        text,
        &[
            ("s", EpochUnit::Second),
            ("ms", EpochUnit::Millisecond),
            ("us", EpochUnit::Microsecond),
            ("ns", EpochUnit::Nanosecond),
        ],
    )
}

/// The byte that a delimiter's text means; `\t` is a tab.
///
/// # Errors
/// Not one ASCII character.
pub fn delimiter(text: &str) -> Result<u8> {
    match text.as_bytes() {
        b"\\t" => Ok(b'\t'),
        [byte] if byte.is_ascii() && !matches!(byte, b'"' | b'\n' | b'\r') => Ok(*byte),
        _ => Err(
            Error::usage(format!("`{text}` cannot part the fields of csv"))
                .help("a delimiter is one ASCII character, such as `;` or `\\t`"),
        ),
    }
}

/// `a=BIGINT,b=DECIMAL(9,2)`: commas within brackets belong to the type.
///
/// # Errors
/// A part that is no column with its type.
pub fn types(text: &str) -> Result<Vec<(String, DataType)>> {
    let mut depth = 0_i32;
    let outside = |character: char| {
        depth += i32::from(matches!(character, '(' | '<'));
        depth -= i32::from(matches!(character, ')' | '>'));
        character == ',' && depth <= 0
    };
    let mut types = Vec::new();
    for part in text.split(outside) {
        match part.split_once('=') {
            Some((column, name)) if !column.trim().is_empty() => {
                types.push((column.trim().to_string(), parse_type(name.trim())?));
            }
            _ => {
                return Err(Error::usage(format!("`{part}` is no column with its type"))
                    .help("write --types COL=TYPE,COL=TYPE"));
            }
        }
    }
    Ok(types)
}

/// The meaning of a word among those that are known.
///
/// # Errors
/// It is none of them.
pub fn one_of<T: Copy>(name: &str, value: &str, known: &[(&str, T)]) -> Result<T> {
    let found = known
        .iter()
        .find(|(word, _)| word.eq_ignore_ascii_case(value));
    found.map(|(_, meaning)| *meaning).ok_or_else(|| {
        let words: Vec<&str> = known.iter().map(|(word, _)| *word).collect();
        let error = Error::usage(format!("`{value}` is no value of {name}"))
            .help(format!("values: {}", words.join(", ")));
        error.suggest(value, words)
    })
}

/// A setting that is on or off, in the usual words.
///
/// # Errors
/// Another word.
pub(super) fn truth(name: &str, value: &str) -> Result<bool> {
    one_of(
        name,
        value,
        &[
            ("true", true),
            ("on", true),
            ("yes", true),
            ("1", true),
            ("", true),
            ("false", false),
            ("off", false),
            ("no", false),
            ("0", false),
        ],
    )
}

/// A whole number.
///
/// # Errors
/// It is none.
pub fn number(name: &str, value: &str) -> Result<u64> {
    value
        .parse()
        .map_err(|_| Error::usage(format!("{name} takes a whole number, not `{value}`")))
}

pub(super) fn threads(name: &str, value: &str) -> Result<usize> {
    match usize::try_from(number(name, value)?) {
        Ok(count @ 1..=MOST_THREADS) => Ok(count),
        _ => Err(Error::usage(format!(
            "{name} takes a number from 1 to {MOST_THREADS}, not `{value}`"
        ))),
    }
}

/// A size such as `16MiB`, `64k`, `1000000`, in bytes.
///
/// # Errors
/// No number, or no such unit.
pub fn size(name: &str, value: &str) -> Result<usize> {
    let refused = || {
        Error::usage(format!("{name} takes a size such as 16MiB, not `{value}`"))
            .help("units: k, M, G (1024 each), also KiB, MiB, GiB")
    };
    let digits = value.trim_end_matches(|c: char| !c.is_ascii_digit());
    let count: usize = digits.parse().map_err(|_| refused())?;
    let shift = match value[digits.len()..].trim().to_ascii_lowercase().as_str() {
        "" | "b" => 0,
        "k" | "kb" | "kib" => 10,
        "m" | "mb" | "mib" => 20,
        "g" | "gb" | "gib" => 30,
        _ => return Err(refused()),
    };
    count
        .checked_mul(1 << shift)
        .filter(|bytes| *bytes > 0)
        .ok_or_else(refused)
}
