//! From which time on the records of a followed table are wanted: `--from TIME`.
//!
//! ```text
//!   --from '2026-01-01 12:00' --tz Europe/Berlin     an instant: 11:00 UTC
//!   time column TIMESTAMP                            12:00, as the clock of --tz shows
//!   time column TIMESTAMP WITH TIME ZONE             11:00 UTC
//! ```

use arrow::datatypes::DataType;

use super::definition::Access;
use crate::catalog::{Hints, Table, candidates_text};
use crate::connect::Begin;
use crate::error::{Error, Result};
use crate::time::{TimeFormat, TimeReader, Unit};

/// That time in the unit of the table's time, if there is one.
///
/// # Errors
/// The table has no time.
pub(super) fn since(table: &Table, access: &Access, hints: &Hints) -> Result<Option<i64>> {
    let Some(Begin::Since(instant)) = access.follow.as_ref().map(|followed| followed.begin) else {
        return Ok(None);
    };
    if table.columns.is_empty() {
        // Nothing has come of it, and nothing will.
        return Ok(None);
    }
    let column = table.time.as_ref().map(|time| &table.columns[time.column]);
    let time = column.and_then(|column| match &column.data_type {
        DataType::Timestamp(_, zone) => Some((Unit::of(&column.data_type)?, zone.is_some())),
        _ => None,
    });
    let Some((unit, is_instant)) = time else {
        return Err(no_time(table));
    };
    let reader = TimeReader::new(&TimeFormat::Auto, unit, hints.zone, is_instant)?;
    let nanoseconds = instant.rem_euclid(1_000_000) * 1_000;
    let nanoseconds = u32::try_from(nanoseconds).unwrap_or(0);
    let time = reader.read_instant(instant.div_euclid(1_000_000), nanoseconds);
    let time = time.ok_or_else(|| {
        Error::usage("the time of `from` is out of range").help(
            "a time column in nanoseconds holds the years 1678 to 2261; --from start reads all of it",
        )
    });
    time.map(Some)
}

fn no_time(table: &Table) -> Error {
    let candidates = candidates_text(&table.time_candidates);
    let what = format!(
        "following from a time on needs a time column, and `{}` has none; {candidates}",
        table.name
    );
    Error::plan(what)
        .help("name it: --ts COLUMN")
        .help("what works without one: --from start, --from end")
}
