//! Parquet: rows gathered into row groups, and the index of the file at its end.
//!
//! ```text
//!   rows ─► row group of 122,880 rows ─► compressed columns     end() ─► the last group, index, magic
//! ```
//!
//! Invariants: one result each; what is kept in memory is one row group. A file without its end is none.
//! Rows are handed to it [`BATCH_ROWS`] at a time, so that its pages do not depend on how rows came.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::BatchCoalescer;
use arrow::datatypes::{DataType, Field, Fields, IntervalUnit, Schema, SchemaRef};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;

use super::arrow_ipc::{BATCH_ROWS, plain_schema, with_schema};
use super::{Display, ResultInfo, columns, writers};
use crate::data::print::Style;
use crate::error::{Error, Result};

/// Rows of a row group: as many as DuckDB writes, and what a reader decodes by one thread.
const ROW_GROUP_ROWS: usize = 122_880;

/// Writes rows as Parquet.
#[derive(Default)]
pub(super) struct Parquet {
    begun: bool,
    writer: Option<(ArrowWriter<Vec<u8>>, BatchCoalescer)>,
    /// Columns that Parquet has no type for: they become texts.
    as_text: Vec<bool>,
}

impl Display for Parquet {
    fn begin(&mut self, schema: &SchemaRef, _: &ResultInfo, out: &mut Vec<u8>) -> Result<()> {
        if self.begun {
            return Err(super::one_result("parquet"));
        }
        self.begun = true;
        let plain = plain_schema(schema);
        let fields = plain.fields().iter();
        self.as_text = fields.map(|field| has_no_type(field.data_type())).collect();
        let fields = plain.fields().iter().zip(&self.as_text);
        let fields = fields.map(|(field, as_text)| match as_text {
            true => Field::new(field.name(), DataType::Utf8, true),
            false => field.as_ref().clone(),
        });
        let plain = Arc::new(Schema::new(fields.collect::<Fields>()));
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
            .set_created_by(concat!("tumble ", env!("CARGO_PKG_VERSION")).to_string())
            .build();
        let mut writer = ArrowWriter::try_new(Vec::new(), Arc::clone(&plain), Some(properties))
            .map_err(failed)?;
        out.append(writer.inner_mut());
        self.writer = Some((writer, BatchCoalescer::new(plain, BATCH_ROWS)));
        Ok(())
    }

    fn rows(&mut self, rows: &RecordBatch, out: &mut Vec<u8>) -> Result<()> {
        let Some((writer, gathered)) = &mut self.writer else {
            return Err(Error::internal("rows of no result"));
        };
        let rows = texts(rows, &self.as_text)?;
        gathered.push_batch(with_schema(&rows, &gathered.schema())?)?;
        while let Some(batch) = gathered.next_completed_batch() {
            writer.write(&batch).map_err(failed)?;
        }
        out.append(writer.inner_mut());
        Ok(())
    }

    fn end(&mut self, out: &mut Vec<u8>) -> Result<()> {
        if let Some((mut writer, mut gathered)) = self.writer.take() {
            gathered.finish_buffered_batch()?;
            while let Some(batch) = gathered.next_completed_batch() {
                writer.write(&batch).map_err(failed)?;
            }
            writer.finish().map_err(failed)?;
            out.append(writer.inner_mut());
        }
        Ok(())
    }
}

fn failed(error: ParquetError) -> Error {
    Error::internal("rows cannot be written as Parquet").cause(error)
}

/// True for intervals, also inside others.
fn has_no_type(data_type: &DataType) -> bool {
    match data_type {
        DataType::Interval(IntervalUnit::MonthDayNano) => true,
        DataType::List(field) | DataType::LargeList(field) | DataType::Map(field, _) => {
            has_no_type(field.data_type())
        }
        DataType::Struct(fields) => {
            fields.is_empty() || fields.iter().any(|field| has_no_type(field.data_type()))
        }
        _ => false,
    }
}

/// The rows with some columns as the texts that csv shows of them.
fn texts(rows: &RecordBatch, as_text: &[bool]) -> Result<RecordBatch> {
    if !as_text.contains(&true) {
        return Ok(rows.clone());
    }
    let schema = rows.schema();
    let writers = writers(&schema, Style::Cast, None)?;
    let shown = columns(&writers, rows)?;
    let mut fields: Vec<Field> = Vec::with_capacity(rows.num_columns());
    let mut arrays = Vec::with_capacity(rows.num_columns());
    for (place, (field, array)) in schema.fields().iter().zip(rows.columns()).enumerate() {
        if !as_text.get(place).copied().unwrap_or(false) {
            fields.push(field.as_ref().clone());
            arrays.push(Arc::clone(array));
            continue;
        }
        let mut builder = arrow::array::StringBuilder::new();
        let mut text = Vec::new();
        for row in 0..rows.num_rows() {
            if arrow::array::Array::is_null(array, row) {
                builder.append_null();
                continue;
            }
            text.clear();
            shown[place].write(row, &mut text);
            builder.append_value(String::from_utf8_lossy(&text));
        }
        fields.push(Field::new(field.name(), DataType::Utf8, true));
        arrays.push(Arc::new(builder.finish()) as _);
    }
    Ok(RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)?)
}
