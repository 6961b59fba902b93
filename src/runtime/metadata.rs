//! The columns of what is known of records besides their fields: made for each block, by any thread.
//!
//! ```text
//!   origin of a block   app.log · 4,096 bytes and 61 lines before it · read at 12:00:07
//!   texts of records    0..17 · 18..40 (a blank line between them)
//!   columns             _line 62, 64 · _offset 4096, 4114 · …
//! ```
//!
//! Invariant: lines and offsets are those of the file, however its bytes were cut into blocks.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, Int64Array, RecordBatch, RecordBatchOptions, StringViewArray, StringViewBuilder,
    TimestampMicrosecondArray,
};
use arrow::datatypes::{DataType, Field, Schema};

use super::texts::Texts;
use crate::data::Metadata;
use crate::error::{Error, Result};
use crate::format::Encoding;
use crate::time::{Zone, now_microseconds};

/// Where a block is from.
#[derive(Debug, Clone)]
pub(super) struct Origin {
    /// Its file, or `stdin`.
    pub file: Arc<str>,
    /// Bytes of the file before it, where records are made of bytes.
    pub offset: u64,
    /// Lines of the file before it; counted only where they are wanted.
    pub lines: u64,
    /// When its last bytes were read, in microseconds since 1970; 0 where that is not wanted.
    pub arrival: i64,
}

impl Origin {
    /// The beginning of a file. The clock is read if that `is_timed`.
    pub(super) fn of(file: &str, is_timed: bool) -> Self {
        Origin {
            file: Arc::from(file),
            offset: 0,
            lines: 0,
            arrival: if is_timed { now_microseconds() } else { 0 },
        }
    }
}

/// Where a record is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Its file, or `stdin`.
    pub file: Arc<str>,
    /// The line that it begins on, or the number of its row in a file of columns, from 1.
    pub line: u64,
    /// Bytes of the file before it; `None` for a row of columns.
    pub offset: Option<u64>,
}

/// The columns that a query reads.
#[derive(Debug, Clone)]
pub struct MetadataPlan {
    columns: Vec<(Metadata, DataType)>,
    encoding: Encoding,
}

impl MetadataPlan {
    /// Columns for these, in this order. Instants are shown in `zone`, texts are in `encoding`.
    pub fn new(metadata: &[Metadata], zone: Zone, encoding: Encoding) -> Self {
        let columns = metadata.iter().map(|one| (*one, one.data_type(zone)));
        MetadataPlan {
            columns: columns.collect(),
            encoding,
        }
    }

    /// The place of the time of reading among the columns.
    pub(super) fn arrival(&self) -> Option<usize> {
        let mut columns = self.columns.iter();
        columns.position(|(metadata, _)| *metadata == Metadata::Arrival)
    }

    /// True if the places of records must be found.
    pub(super) fn needs_texts(&self) -> bool {
        let needs =
            |metadata| matches!(metadata, Metadata::Line | Metadata::Offset | Metadata::Raw);
        self.columns.iter().any(|(metadata, _)| needs(*metadata))
    }

    /// True if the texts of records must be there.
    pub(super) fn needs_raw(&self) -> bool {
        (self.columns.iter()).any(|(metadata, _)| *metadata == Metadata::Raw)
    }

    /// True if lines must be counted.
    pub(super) fn needs_lines(&self) -> bool {
        (self.columns.iter()).any(|(metadata, _)| *metadata == Metadata::Line)
    }

    /// `rows` with the columns behind them; `records` are their numbers in `texts`.
    pub(super) fn add_to(
        &self,
        rows: &RecordBatch,
        records: &[u32],
        texts: Option<&Texts>,
        origin: &Origin,
    ) -> Result<RecordBatch> {
        if self.columns.is_empty() {
            return Ok(rows.clone());
        }
        let mut fields: Vec<Arc<Field>> = rows.schema().fields().iter().cloned().collect();
        let mut columns = rows.columns().to_vec();
        for (metadata, data_type) in &self.columns {
            fields.push(Arc::new(Field::new(
                metadata.name(),
                data_type.clone(),
                true,
            )));
            columns.push(match (metadata, texts) {
                (Metadata::Arrival, _) => arrivals(origin.arrival, records.len(), data_type),
                (Metadata::Source, _) => Arc::new(repeated(&origin.file, records.len())?),
                (_, None) => return Err(Error::internal("records without their places")),
                (Metadata::Line, Some(texts)) => numbers(records, |record| {
                    Some(origin.lines + texts.lines_before(record) + 1)
                }),
                (Metadata::Offset, Some(texts)) => numbers(records, |record| {
                    Some(origin.offset + texts.bytes_before(record)?)
                }),
                (Metadata::Raw, Some(texts)) => Arc::new(self.raw(records, texts)?),
            });
        }
        let options = RecordBatchOptions::new().with_row_count(Some(records.len()));
        let schema = Arc::new(Schema::new(fields));
        Ok(RecordBatch::try_new_with_options(
            schema, columns, &options,
        )?)
    }

    /// The texts of records; they refer to the block where they can.
    fn raw(&self, records: &[u32], texts: &Texts) -> Result<StringViewArray> {
        let mut builder = StringViewBuilder::with_capacity(records.len());
        let block = (!records.is_empty()).then(|| builder.append_block(texts.block().clone()));
        for &record in records {
            let range = texts.range(record);
            let text = &texts.block()[range.clone()];
            let is_utf8 = self.encoding != Encoding::Latin1 && std::str::from_utf8(text).is_ok();
            match (block, u32::try_from(range.start), u32::try_from(text.len())) {
                (Some(block), Ok(start), Ok(length)) if is_utf8 => {
                    builder.try_append_view(block, start, length)?;
                }
                _ if self.encoding == Encoding::Latin1 => {
                    let text: String = text.iter().map(|byte| char::from(*byte)).collect();
                    builder.append_value(text);
                }
                _ => builder.append_value(String::from_utf8_lossy(text)),
            }
        }
        Ok(builder.finish())
    }
}

/// One time for all rows.
pub(super) fn arrivals(arrival: i64, rows: usize, data_type: &DataType) -> ArrayRef {
    let zone = match data_type {
        DataType::Timestamp(_, zone) => zone.clone(),
        _ => None,
    };
    Arc::new(TimestampMicrosecondArray::from(vec![arrival; rows]).with_timezone_opt(zone))
}

fn numbers(records: &[u32], number: impl Fn(u32) -> Option<u64>) -> ArrayRef {
    let numbers = records.iter().map(|record| Some(number(*record)? as i64));
    Arc::new(numbers.collect::<Int64Array>())
}

/// One text for all rows, kept once.
fn repeated(text: &str, rows: usize) -> Result<StringViewArray> {
    let mut builder = StringViewBuilder::with_capacity(rows);
    let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
    let block = builder.append_block(text.as_bytes().to_vec().into());
    for _ in 0..rows {
        builder.try_append_view(block, 0, length)?;
    }
    Ok(builder.finish())
}
