//! Decodes JSON whose objects do not stand one on each line; see [`JsonWrapping`].
//!
//! ```text
//!  block ─► records ─► object (a part of the block, or a copy) + values around it ─► cells ─► columns
//! ```
//!
//! Invariants: a record is an object or a reject; lines that hold a part of one count as lines alone. A key
//! of the object hides one of the same name around it, where it holds a value.

use std::ops::Range;

use arrow::buffer::Buffer;

use super::cells::JsonCells;
use super::keys::Keys;
use super::scanner::JsonError;
use super::value::JsonValue;
use super::values::{Next, next_record};
use super::wrapping::{
    CriLine, JsonWrapping, PREFIX_COLUMN, PREFIX_TIME_COLUMN, PrefixedLine, Stream, bytes_text,
};
use super::{JsonReads, NdjsonOptions, key_path};
use crate::error::Result;
use crate::format::columns::cells::Texts;
use crate::format::columns::column_writer::ColumnPlan;
use crate::format::columns::rows::{RowMisfit, RowPlan, Rows};
use crate::format::columns::value_parsers::Misfit;
use crate::format::encoding::{BlockText, RecordText};
use crate::format::{DecodeSpec, Decoded, Decoder};

/// See the module.
#[derive(Debug)]
pub(in crate::format) struct WrappedDecoder {
    wrapping: JsonWrapping,
    plan: RowPlan,
    reads: JsonReads,
    /// Where the values around the object go: the prefix and its time.
    prefix: [Option<usize>; 2],
    /// The slot of docker's `log`.
    log: usize,
    slot_count: usize,
}

/// A record of a block: its lines, or its value.
#[derive(Debug, Clone)]
pub(in crate::format) struct WrappedRecord {
    pub(in crate::format) range: Range<usize>,
    /// Lines of the same stream before it that it goes on with.
    pub(in crate::format) parts: Vec<Range<usize>>,
    /// Newlines in front of it.
    line: u64,
}

/// The records of a block, in order, and its newlines.
pub(in crate::format) fn wrapped_records(
    wrapping: JsonWrapping,
    block: &[u8],
) -> (Vec<WrappedRecord>, u64) {
    let mut records = Vec::new();
    let newlines = |range: Range<usize>| memchr::memchr_iter(b'\n', &block[range]).count() as u64;
    let (mut at, mut line) = (0, 0);
    if wrapping == JsonWrapping::Values {
        while let Next::Record { start, end, .. } = next_record(block, at, true) {
            line += newlines(at..start);
            records.push(WrappedRecord {
                range: start..end,
                parts: Vec::new(),
                line,
            });
            line += newlines(start..end);
            at = end;
        }
        return (records, line + newlines(at..block.len()));
    }
    let mut open: [Vec<Range<usize>>; 2] = [Vec::new(), Vec::new()];
    let lines = block.split_inclusive(|byte| *byte == b'\n');
    for text in lines {
        let range = at..at + text.len();
        at = range.end;
        let bare = text.trim_ascii_end();
        if let Some(stream) = wrapping.part_of(bare) {
            open[stream as usize].push(range);
        } else if !bare.is_empty() {
            let stream = match wrapping {
                JsonWrapping::Prefix | JsonWrapping::Journal => Stream::Out,
                _ => wrapping.stream_of(bare),
            };
            records.push(WrappedRecord {
                range,
                parts: std::mem::take(&mut open[stream as usize]),
                line,
            });
        }
        line += 1;
    }
    // What never ended stands for itself.
    for mut parts in open {
        if let Some(range) = parts.pop() {
            let line = newlines(0..range.start);
            records.push(WrappedRecord { range, parts, line });
        }
    }
    (records, line)
}

/// The object of a record and what stands around it.
#[derive(Debug, Default)]
pub(in crate::format) struct Unwrapped {
    pub(in crate::format) prefix: Option<Vec<u8>>,
    pub(in crate::format) time: Option<Vec<u8>>,
    /// The text of the object: a part of the record from here on, or a copy.
    object: Range<usize>,
    joined: Option<Vec<u8>>,
}

impl Unwrapped {
    /// The text of the object.
    pub(in crate::format) fn object<'t>(&'t self, record: &'t [u8]) -> &'t [u8] {
        match &self.joined {
            Some(joined) => joined,
            None => &record[self.object.clone()],
        }
    }
}

const NO_OBJECT: JsonError = JsonError {
    reason: "holds no JSON object",
    help: None,
};

/// Finds the object of a record. `parts` are the lines before it that it goes on with.
pub(in crate::format) fn unwrap(
    wrapping: JsonWrapping,
    record: &[u8],
    parts: &[&[u8]],
) -> Result<Unwrapped, JsonError> {
    let end = record.trim_ascii_end().len();
    match wrapping {
        JsonWrapping::Values => Ok(Unwrapped {
            object: 0..record.len(),
            ..Unwrapped::default()
        }),
        JsonWrapping::Prefix => {
            let line = PrefixedLine::of(record).ok_or(NO_OBJECT)?;
            let mut prefix = Vec::new();
            line.write_prefix(record, &mut prefix);
            Ok(Unwrapped {
                prefix: (!prefix.is_empty()).then_some(prefix),
                time: line.time.map(|time| record[time].to_vec()),
                object: line.object..end,
                joined: None,
            })
        }
        JsonWrapping::Cri => {
            let line = CriLine::of(record).ok_or(NO_OBJECT)?;
            let joined = (!parts.is_empty()).then(|| {
                let mut joined = Vec::new();
                for part in parts {
                    if let Some(line) = CriLine::of(part) {
                        joined.extend_from_slice(without_newline(&part[line.text..]));
                    }
                }
                joined.extend_from_slice(&record[line.text..end.max(line.text)]);
                joined
            });
            Ok(Unwrapped {
                prefix: Some(record[line.stream].to_vec()),
                time: Some(record[line.time].to_vec()),
                object: line.text..end.max(line.text),
                joined,
            })
        }
        JsonWrapping::Docker | JsonWrapping::Journal => Ok(Unwrapped {
            object: 0..end,
            ..Unwrapped::default()
        }),
    }
}

fn without_newline(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// The text of `log` of a line of docker, appended.
fn docker_log(line: &[u8], out: &mut Vec<u8>) {
    let (keys, _) = Keys::of(&[vec!["log"]]);
    let mut values = vec![JsonValue::Null];
    let mut scratch = Vec::new();
    if keys.read_record(line, &mut values, &mut scratch).is_ok() {
        out.extend_from_slice(values[0].text(&mut scratch));
    }
}

/// The text of a docker record's `log` with the parts before it.
pub(in crate::format) fn docker_text(record: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    let mut text = Vec::new();
    for part in parts {
        docker_log(part.trim_ascii_end(), &mut text);
    }
    docker_log(record.trim_ascii_end(), &mut text);
    let length = text.trim_ascii_end().len();
    text.truncate(length);
    text
}

impl WrappedDecoder {
    pub(in crate::format) fn new(
        wrapping: JsonWrapping,
        options: &NdjsonOptions,
        spec: &DecodeSpec,
    ) -> Result<Self> {
        let columns = spec.columns.iter().chain(&spec.checked);
        let has_prefix = matches!(wrapping, JsonWrapping::Prefix | JsonWrapping::Cri);
        let around = |source: &str| match source {
            PREFIX_COLUMN if has_prefix => Some(0),
            PREFIX_TIME_COLUMN if has_prefix => Some(1),
            _ => None,
        };
        let mut paths: Vec<Vec<&str>> = Vec::new();
        let mut places = Vec::new();
        for column in columns {
            places.push(match around(&column.source) {
                Some(place) => Err(place),
                None => {
                    paths.push(key_path(column));
                    Ok(paths.len() - 1)
                }
            });
        }
        paths.push(vec!["log"]);
        let (mut keys, key_slots) = Keys::of(&paths);
        let read_count = key_slots.iter().max().map_or(0, |last| last + 1);
        keys.rest = spec.tells_keys.then_some(read_count);
        let inner_count = read_count + usize::from(spec.tells_keys);
        let slots = places.iter().map(|place| match place {
            Ok(path) => key_slots[*path],
            Err(place) => inner_count + place,
        });
        Ok(WrappedDecoder {
            wrapping,
            plan: RowPlan::new(spec)?,
            prefix: [0, 1].map(|place| places.contains(&Err(place)).then_some(inner_count + place)),
            log: key_slots[paths.len() - 1],
            slot_count: inner_count + 2,
            reads: JsonReads {
                slots: slots.collect(),
                keys,
                slot_count: inner_count,
                encoding: options.encoding,
                nulls: options.nulls.clone(),
                shortest_marked: usize::MAX,
            },
        })
    }

    /// Reads a record into the row that comes next.
    fn read(&self, record: &[u8], parts: &[&[u8]], rows: &mut JsonCells) -> Result<(), JsonError> {
        let unwrapped = unwrap(self.wrapping, record, parts)?;
        let object = unwrapped.object(record);
        let (mut values, mut scratch) = (Vec::new(), Vec::new());
        self.reads.read(object, &mut values, &mut scratch)?;
        for slot in self.reads.slot_count..self.slot_count {
            rows.put(slot, JsonCells::NULL);
        }
        for (slot, text) in self.prefix.iter().zip([&unwrapped.prefix, &unwrapped.time]) {
            if let (Some(slot), Some(text)) = (slot, text) {
                let text = JsonValue::Text {
                    inside: text,
                    escaped: false,
                };
                rows.put_copy(*slot, text);
            }
        }
        if self.wrapping == JsonWrapping::Journal {
            for (slot, value) in values.iter().enumerate() {
                let text = match value {
                    JsonValue::Nested(array) => bytes_text(array),
                    _ => None,
                };
                let text = text.as_ref().map(|text| JsonValue::Text {
                    inside: text.as_bytes(),
                    escaped: false,
                });
                rows.put_copy(slot, text.unwrap_or(*value));
            }
            return Ok(());
        }
        if self.wrapping != JsonWrapping::Docker {
            for (slot, value) in values.iter().enumerate() {
                rows.put_copy(slot, *value);
            }
            return Ok(());
        }
        let text = docker_text(record, parts);
        values[self.log] = JsonValue::Text {
            inside: &text,
            escaped: false,
        };
        let mut inner = Vec::new();
        // A line that is no object is the text of `log`, and nothing else.
        if self.reads.read(&text, &mut inner, &mut scratch).is_err() {
            inner.clear();
        }
        for (slot, outer) in values.iter().enumerate() {
            let value = match inner.get(slot) {
                Some(value) if *value != JsonValue::Null => value,
                _ => outer,
            };
            rows.put_copy(slot, *value);
        }
        Ok(())
    }

    fn write(
        &self,
        cells: &JsonCells,
        block: &[u8],
        records: &[&WrappedRecord],
        rows: &mut Rows<'_>,
    ) {
        let texts = Texts::new(
            &[],
            cells.aside(),
            self.plan.columns.iter().any(ColumnPlan::is_text),
        );
        let mut misfits: Vec<RowMisfit> = Vec::new();
        for (column, plan) in self.plan.columns.iter().enumerate() {
            let cells = cells.column(self.reads.slots[column]);
            let mut misfit = |row: usize, why: Misfit| {
                misfits.push(RowMisfit {
                    row,
                    column,
                    misfit: why,
                    shown: texts.shown(cells[row]),
                });
            };
            let nulls = &self.reads.nulls;
            rows.columns[column].write_cells(plan, nulls, texts, cells, &mut misfit);
        }
        misfits.sort_by_key(|misfit| misfit.row);
        self.reads.tell_keys(cells, texts, rows);
        rows.settle(misfits, |row| {
            let record = records[row];
            (record.line, &block[record.range.clone()])
        });
    }
}

impl Decoder for WrappedDecoder {
    fn schema(&self) -> arrow::datatypes::SchemaRef {
        self.plan.schema.clone()
    }

    fn decode(&self, block: &Buffer) -> Result<Decoded> {
        let block = block.as_slice();
        let (records, line_count) = wrapped_records(self.wrapping, block);
        let mut rows = Rows::new(&self.plan, records.len());
        let mut cells = JsonCells::new(self.slot_count);
        let mut texts = BlockText::new(block, self.reads.encoding);
        let mut good = Vec::with_capacity(records.len());
        for record in &records {
            let text = &block[record.range.clone()];
            rows.line = record.line;
            let (mut whole, mut parts) = (None, Vec::new());
            for range in record.parts.iter().chain([&record.range]) {
                let line = &block[range.clone()];
                match texts.of_record(line) {
                    RecordText::AsIs => parts.push(std::borrow::Cow::Borrowed(line)),
                    RecordText::NotUtf8 => whole = Some(super::chunk::NOT_UTF8),
                    RecordText::Changed { text, mended } => {
                        if mended {
                            rows.mend();
                        }
                        parts.push(std::borrow::Cow::Owned(text.to_vec()));
                    }
                }
            }
            let parts: Vec<&[u8]> = parts.iter().map(AsRef::as_ref).collect();
            let read = match (whole, parts.split_last()) {
                (None, Some((record, parts))) => self.read(record, parts, &mut cells),
                (error, _) => Err(error.unwrap_or(NO_OBJECT)),
            };
            match read {
                Ok(()) => {
                    cells.end_row();
                    rows.add_row();
                    good.push(record);
                }
                Err(error) => {
                    let help = error.help.map(str::to_owned);
                    rows.reject(error.reason.into(), help, without_newline(text));
                }
            }
        }
        self.write(&cells, block, &good, &mut rows);
        rows.line = line_count;
        rows.finish()
    }
}
