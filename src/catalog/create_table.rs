//! A guess as the `CREATE TABLE` that a user can paste, change and keep.

use std::fmt::Write;

use super::guess::{Guess, GuessedColumn};
use crate::data::{quoted_name, type_name};
use crate::format::{Format, Layout};
use crate::time::{Interval, TimeFormat};

/// The statement that makes table `name` of what was guessed about `paths`, whose watermark stays behind by `delay`.
/// Without a path a table reads the FILEs of the call.
pub fn create_table_text(guess: &Guess, name: &str, paths: &[String], delay: Interval) -> String {
    let mut parts: Vec<String> = guess
        .columns
        .iter()
        .filter(|column| !column.is_inside(&guess.columns))
        .map(|column| {
            format!(
                "  {} {}",
                quoted_name(&column.name),
                type_name(&column.data_type)
            )
        })
        .collect();
    let mut time = guess
        .time_column
        .map(|place| time_name(&guess.columns[place], &guess.columns));
    if let Some(joined) = &guess.joined_time {
        parts.push(format!("  {} AS {}", joined.name, joined.text()));
        time = Some(joined.name.clone());
    }
    if let Some(time) = time {
        let delay = delay_text(delay);
        parts.push(format!("  WATERMARK FOR {time} AS {time}{delay}"));
    }
    let mut text = format!(
        "CREATE TABLE {} (\n{}\n)",
        quoted_name(name),
        parts.join(",\n")
    );
    let place = |path: &String| match path.contains("://") {
        true => "address",
        false => "path",
    };
    let places = paths.iter().map(|path| (place(path), path.clone()));
    let mut options: Vec<(&str, String)> = places.collect();
    options.push(("format", guess.format.name().to_owned()));
    if let Format::Csv(csv) = &guess.format {
        if !matches!(csv.delimiter, b',' | b'\t') {
            options.push(("delimiter", char::from(csv.delimiter).to_string()));
        }
        if !csv.header {
            options.push(("header", "no".to_owned()));
        }
    }
    if let Format::Lines(lines) = &guess.format
        && let Layout::Pattern(pattern) = &lines.layout
        && pattern.name() == "regex"
    {
        options.push(("regex", pattern.text().to_owned()));
    }
    match guess
        .time_column
        .and_then(|place| guess.columns[place].time_format.as_ref())
    {
        Some(TimeFormat::Strftime(format)) => options.push(("ts_format", format.clone())),
        Some(TimeFormat::Epoch(unit)) => options.push(("ts_unit", unit.name().to_owned())),
        Some(TimeFormat::Auto) | None => {}
    }
    let options = options
        .iter()
        .map(|(key, value)| format!("{key} = '{}'", value.replace('\'', "''")));
    // Writing to a String does not fail.
    let _ = write!(text, " WITH ({})", options.collect::<Vec<_>>().join(", "));
    text
}

/// How far a watermark stays behind, as Flink writes it where its INTERVAL can say it.
fn delay_text(delay: Interval) -> String {
    const UNITS: [(&str, i128); 4] = [
        ("DAY", 86_400_000_000_000),
        ("HOUR", 3_600_000_000_000),
        ("MINUTE", 60_000_000_000),
        ("SECOND", 1_000_000_000),
    ];
    if delay.is_zero() {
        return String::new();
    }
    let whole = |(_, length): &&(&str, i128)| delay.nanoseconds % length == 0;
    match UNITS.iter().find(whole) {
        Some((unit, length)) if delay.months == 0 && delay.weeks == 0 => {
            format!(" - INTERVAL '{}' {unit}", delay.nanoseconds / length)
        }
        _ => format!(" - INTERVAL '{delay}'"),
    }
}

/// A column as its watermark names it: by its path, if it is part of another.
fn time_name(column: &GuessedColumn, columns: &[GuessedColumn]) -> String {
    if !column.is_inside(columns) {
        return quoted_name(&column.name);
    }
    let keys: Vec<String> = column.name.split('.').map(quoted_name).collect();
    keys.join(".")
}
