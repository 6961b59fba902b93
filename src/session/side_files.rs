//! The files of `--late` and `--rejects`: what was left out, one JSON object per line.
//!
//! ```text
//! {"record":7,"file":"app.log","line":8,"offset":187,"time":"2026-01-01T12:00:03",
//!  "watermark":"2026-01-01T12:01:04","moved_by":5,"moved_by_file":"app.log","moved_by_line":6,"moved_ahead_ms":61000,
//!  "windows":[["2026-01-01T12:00:00","2026-01-01T12:01:00"]],"text":"12:00:03,web1,200"}
//! {"record":9,"file":"app.log","line":10,"offset":225,"reason":"has 2 fields, the header has 3","text":"a,b"}
//! ```
//!
//! `jq -r .text` gives the records back as they came, to be read again. Invariant: lines stand in the
//! order of the rows that they are about.

use std::time::Duration;

use arrow::datatypes::{DataType, Field};
use serde_json::{Value, json};

use super::Options;
use crate::connect::FileSink;
use crate::data::print::{Style, ValueWriter};
use crate::error::Result;
use crate::plan::SourcePlan;
use crate::runtime::{LateRow, RejectedRow};
use crate::time::{Interval, Unit};

/// The open files.
#[derive(Debug, Default)]
pub(super) struct SideFiles {
    late: Option<FileSink>,
    rejects: Option<FileSink>,
    /// The types of the sources' time columns.
    times: Vec<Option<DataType>>,
}

impl SideFiles {
    /// Creates the files that the options name, once.
    ///
    /// # Errors
    /// A file that cannot be created.
    pub(super) fn open(&mut self, options: &Options) -> Result<()> {
        if let (None, Some(path)) = (&self.late, &options.late) {
            self.late = Some(FileSink::create(path)?);
        }
        if let (None, Some(path)) = (&self.rejects, &options.rejects) {
            self.rejects = Some(FileSink::create(path)?);
        }
        Ok(())
    }

    #[cfg(test)]
    pub(super) fn of_times(times: Vec<Option<DataType>>) -> Self {
        SideFiles {
            times,
            ..SideFiles::default()
        }
    }

    /// A run begins: its sources have these times.
    pub(super) fn begin(&mut self, sources: &[SourcePlan]) {
        let time = |source: &SourcePlan| {
            let column = source.watermark.as_ref()?.time_column;
            Some(source.schema.field(column).data_type().clone())
        };
        self.times = sources.iter().map(time).collect();
    }

    /// A time of a source as results print it.
    pub(super) fn time(&self, source: usize, time: i64) -> String {
        let data_type = self.times.get(source).and_then(Option::as_ref);
        match time_text(time, data_type) {
            Value::String(text) => text,
            number => number.to_string(),
        }
    }

    /// A length in the unit of a source's times.
    pub(super) fn length(&self, source: usize, steps: i64) -> Interval {
        let data_type = self.times.get(source).and_then(Option::as_ref);
        let unit = data_type.and_then(Unit::of).unwrap_or(Unit::Microsecond);
        Interval::from_nanoseconds(i128::from(steps) * i128::from(unit.nanoseconds()))
    }

    /// How far a time is behind the clock, if it is not ahead of it. A wall clock counts as that of UTC.
    pub(super) fn behind_clock(&self, source: usize, time: i64) -> Option<Duration> {
        let unit = Unit::of(self.times.get(source)?.as_ref()?)?;
        let micro = i128::from(time) * 1_000_000 / i128::from(unit.per_second());
        let behind = i128::from(crate::time::now_microseconds()) - micro;
        u64::try_from(behind).ok().map(Duration::from_micros)
    }

    pub(super) fn late(&mut self, row: &LateRow<'_>) -> Result<()> {
        let Some(writer) = &mut self.late else {
            return Ok(());
        };
        let data_type = self.times.get(row.source).cloned().flatten();
        let time = |value| time_text(value, data_type.as_ref());
        let windows: Vec<Value> = row
            .windows
            .iter()
            .map(|(start, end)| json!([time(*start), time(*end)]))
            .collect();
        let mut line = json!({
            "record": row.record,
            "time": time(row.time),
            "watermark": time(row.watermark),
            "moved_by": row.moved_by,
            "windows": windows,
            "text": String::from_utf8_lossy(row.text),
        });
        if let (Some(place), Value::Object(line)) = (&row.place, &mut line) {
            line.insert("file".into(), json!(&*place.file));
            line.insert("line".into(), json!(place.line));
            line.insert("offset".into(), json!(place.offset));
        }
        if let (Some(mover), Value::Object(line)) = (&row.mover, &mut line) {
            line.insert("moved_by_file".into(), json!(&*mover.place.file));
            line.insert("moved_by_line".into(), json!(mover.place.line));
            let ahead = mover
                .by
                .map(|steps| milliseconds(steps, data_type.as_ref()));
            line.insert("moved_ahead_ms".into(), json!(ahead));
        }
        writer.line(&line.to_string())
    }

    pub(super) fn rejected(&mut self, row: &RejectedRow<'_>) -> Result<()> {
        let Some(writer) = &mut self.rejects else {
            return Ok(());
        };
        let text = String::from_utf8_lossy(row.text);
        let line = json!({
            "record": row.record,
            "file": row.file,
            "line": row.line,
            "offset": row.offset,
            "reason": row.reason,
            "text": text,
        });
        writer.line(&line.to_string())
    }

    /// Writes out what is buffered.
    ///
    /// # Errors
    /// It cannot be written.
    pub(super) fn flush(&mut self) -> Result<()> {
        for writer in [&mut self.late, &mut self.rejects].into_iter().flatten() {
            writer.flush()?;
        }
        Ok(())
    }
}

/// A length of time in steps of a time column as milliseconds, with a fraction where there is one.
fn milliseconds(steps: i64, data_type: Option<&DataType>) -> Value {
    let unit = data_type.and_then(Unit::of).unwrap_or(Unit::Microsecond);
    let nanoseconds = i128::from(steps) * i128::from(unit.nanoseconds());
    match (
        nanoseconds % 1_000_000,
        i64::try_from(nanoseconds / 1_000_000),
    ) {
        (0, Ok(milliseconds)) => json!(milliseconds),
        _ => json!(nanoseconds as f64 / 1e6),
    }
}

/// A time as results print it; a number where there is no type for it.
fn time_text(value: i64, data_type: Option<&DataType>) -> Value {
    let text = data_type.and_then(|data_type| {
        let unit = Unit::of(data_type)?;
        let array = crate::data::times(value, unit, data_type);
        let field = Field::new("time", data_type.clone(), true);
        let writer = ValueWriter::new(&field, Style::Cast).ok()?;
        let mut text = Vec::new();
        writer.column(array.as_ref()).ok()?.write(0, &mut text);
        String::from_utf8(text).ok()
    });
    text.map_or_else(|| json!(value), |text| json!(text))
}
