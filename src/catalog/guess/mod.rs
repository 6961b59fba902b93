//! Guesses format, columns and time column of an input from its first bytes.
//!
//! ```text
//!  bytes ─► length ─► sample ─► what -i, --delimiter and --regex name (named)
//!                                 else {…} or a JSON array of them                          ndjson
//!                                 else a table that is drawn                                lines
//!                                 else text whose first record names columns                csv
//!                                 else lines of a known program                             lines
//!                                 else fields between delimiters                            csv
//!                                 else a table of columns between blanks, else mere lines   lines
//!        ─► columns with types (types, inside) ─► which of them is the time (time, joined) ─► Guess
//!  Parquet and Arrow say all that themselves, but for the time (columnar)
//! ```
//!
//! Invariants: the guess depends on the sample and the hints alone. What a hint says is never guessed.
//! From a pipe numbers are DOUBLE, because one record cannot show whether decimals will come; integers that
//! DOUBLE would round are BIGINT.

mod columnar;
mod csv;
mod header;
mod hints;
mod inside;
mod joined;
mod length;
mod lines;
mod named;
mod ndjson;
mod sample;
mod time;
mod types;

pub use columnar::{guess_columnar, shown_columns};
pub use hints::{Header, Hints, UserFormat};
pub use inside::{path_inside, shown_in};
pub use length::{SAMPLE_BYTES, file_sample_bytes, live_sample_bytes};
pub use named::json_format;
pub use sample::{Guess, GuessedColumn, JoinedTime};
pub use time::TIME_NAMES;

use length::last_line;
use named::apply_types;
use sample::SampleColumn;
use types::guess_column;

use crate::error::Result;
use crate::format::{
    Format, Layout, begins_array, drawn_table, holds_object, parse_format_name, recognized_layout,
    table_of_blanks, table_without_rows,
};

/// Guesses from `sample`: the first bytes of the input, all of them if `sample_is_whole_input`.
pub fn guess(sample: &[u8], sample_is_whole_input: bool, hints: &Hints) -> Result<Guess> {
    let (format, sampled) = match hints.named_layout(sample)? {
        Some(layout) => lines::columns(layout, sample, hints),
        None => format_and_columns(sample, sample_is_whole_input, hints)?,
    };
    let layout = match &format {
        Format::Lines(options) => Some(&options.layout),
        _ => None,
    };
    let hints = &hints.with_times_of(layout);
    let mut columns: Vec<GuessedColumn> = sampled
        .iter()
        .map(|column| {
            let mut guessed = guess_column(column, layout.is_some(), hints);
            if let Some(layout) = layout {
                lines::settle(&mut guessed, layout);
            }
            guessed
        })
        .collect();
    apply_types(&mut columns, &format, hints)?;
    let mut guess = Guess::without_time(format, columns);
    time::find_time_column(&mut guess, &sampled, hints)?;
    if guess.time_column.is_none() && guess.time_candidates.is_empty() {
        guess.time_candidates = layout_candidates(&guess.format);
    }
    guess.mark_time_of_pattern()?;
    let note = time::unread_zone(&guess, sample, hints);
    guess.notes.extend(note);
    Ok(guess)
}

/// A column of the format that counts seconds since a beginning that it does not say.
fn layout_candidates(format: &Format) -> Vec<String> {
    let seconds = match format {
        Format::Lines(options) => options.layout.seconds_column(),
        _ => None,
    };
    seconds.map(str::to_owned).into_iter().collect()
}

impl Guess {
    /// Tells a pattern which of its groups is the time.
    fn mark_time_of_pattern(&mut self) -> Result<()> {
        let time = self
            .time_column
            .map(|place| self.columns[place].source.clone());
        if let Format::Lines(options) = &mut self.format
            && let Layout::Pattern(pattern) = &mut options.layout
        {
            *pattern = pattern.clone().with_time(time.as_deref())?;
        }
        Ok(())
    }
}

/// The format and the columns of a sample of no known layout, or none that is named.
fn format_and_columns(
    sample: &[u8],
    sample_is_whole_input: bool,
    hints: &Hints,
) -> Result<(Format, Vec<SampleColumn>)> {
    let name = match &hints.format {
        Some(name) if name != "auto" => Some(parse_format_name(name)?),
        _ => None,
    };
    if let Some(format) = json_format(name, sample, sample_is_whole_input, hints) {
        let columns = ndjson::columns(sample, format.json_wrapping(), hints.from_pipe);
        return Ok((format, columns));
    }
    let delimiter = match (hints.delimiter, name) {
        (Some(delimiter), _) => Some(delimiter),
        (None, Some("tsv")) => Some(b'\t'),
        (None, _) => None,
    };
    let is_free = name.is_none() && hints.delimiter.is_none();
    let csv = |is_asked_for| {
        csv::columns(
            sample,
            sample_is_whole_input,
            delimiter,
            is_asked_for,
            hints,
        )
    };
    if !is_free || hints.header != Header::Auto {
        return csv(!is_free);
    }
    let lines = |layout| Ok(lines::columns(layout, sample, hints));
    if let Some(layout) = drawn_table(sample).filter(|_| !hints.only_line) {
        return lines(layout);
    }
    if csv::begins_with_names(sample, sample_is_whole_input, hints) {
        return csv(false);
    }
    // What came before the first object are rejects.
    if hints.from_pipe
        && holds_object(last_line(sample))
        && let Some(format) = json_format(None, last_line(sample), true, hints)
    {
        let columns = ndjson::columns(sample, format.json_wrapping(), true);
        return Ok((format, columns));
    }
    if let Some(layout) = recognized_layout(sample) {
        return lines(layout);
    }
    match csv(false) {
        Ok(found) if !hints.only_line => Ok(found),
        // The elements of a JSON array are no lines.
        Err(error) if begins_array(sample) => Err(error),
        _ => {
            let alone = || sample_is_whole_input.then(|| table_without_rows(sample));
            let table = table_of_blanks(sample).or_else(|| alone().flatten());
            lines(table.unwrap_or(Layout::Lines))
        }
    }
}

#[cfg(test)]
mod tests;
