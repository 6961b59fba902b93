//! Arrow IPC: rows as another program takes them, column by column, without text in between.
//!
//! ```text
//!   stream   schema │ batch │ batch │ … │ end            a reader has each batch as soon as it is written
//!   file     magic │ the stream │ index of its batches │ magic
//! ```
//!
//! Invariants: one result each. Texts are Utf8, which every reader knows, not views. A file has batches of
//! [`BATCH_ROWS`] rows however its rows came; a stream has them as they came, for somebody waits for them.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::{self, BatchCoalescer};
use arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef};
use arrow_ipc::writer::{FileWriter, StreamWriter};

use super::{Display, Options, ResultInfo};
use crate::error::{Error, Result};

/// Rows of a batch in a file: enough for readers, and few to keep.
pub(super) const BATCH_ROWS: usize = 8_192;

/// Writes rows as Arrow IPC.
pub(super) struct ArrowIpc {
    is_file: bool,
    writer: Option<Kind>,
    schema: SchemaRef,
}

enum Kind {
    Stream(Box<StreamWriter<Vec<u8>>>),
    File(Box<FileWriter<Vec<u8>>>, Box<BatchCoalescer>),
    Ended,
}

impl Kind {
    fn begin(schema: &SchemaRef, is_file: bool) -> Result<Self> {
        if !is_file {
            let writer = StreamWriter::try_new(Vec::new(), schema)?;
            return Ok(Kind::Stream(Box::new(writer)));
        }
        let writer = FileWriter::try_new(Vec::new(), schema)?;
        let gathered = BatchCoalescer::new(Arc::clone(schema), BATCH_ROWS);
        Ok(Kind::File(Box::new(writer), Box::new(gathered)))
    }

    /// Moves what has been made since the last call to `out`.
    fn hand_on(&mut self, out: &mut Vec<u8>) {
        match self {
            Kind::Stream(writer) => out.append(writer.get_mut()),
            // Its index counts what was written, wherever that is by now.
            Kind::File(writer, _) => out.append(writer.get_mut()),
            Kind::Ended => {}
        }
    }
}

impl ArrowIpc {
    pub(super) fn new(options: &Options) -> Self {
        ArrowIpc {
            is_file: options.whole_file,
            writer: None,
            schema: Arc::new(Schema::empty()),
        }
    }
}

impl Display for ArrowIpc {
    fn begin(&mut self, schema: &SchemaRef, _: &ResultInfo, out: &mut Vec<u8>) -> Result<()> {
        if self.writer.is_some() {
            return Err(super::one_result("arrow"));
        }
        self.schema = plain_schema(schema);
        let mut kind = Kind::begin(&self.schema, self.is_file)?;
        kind.hand_on(out);
        self.writer = Some(kind);
        Ok(())
    }

    fn rows(&mut self, rows: &RecordBatch, out: &mut Vec<u8>) -> Result<()> {
        let rows = with_schema(rows, &self.schema)?;
        let Some(kind) = &mut self.writer else {
            return Err(Error::internal("rows of no result"));
        };
        match kind {
            Kind::Stream(writer) => writer.write(&rows)?,
            Kind::File(writer, gathered) => {
                gathered.push_batch(rows)?;
                while let Some(batch) = gathered.next_completed_batch() {
                    writer.write(&batch)?;
                }
            }
            Kind::Ended => return Err(Error::internal("rows of no result")),
        }
        kind.hand_on(out);
        Ok(())
    }

    fn end(&mut self, out: &mut Vec<u8>) -> Result<()> {
        let Some(kind) = &mut self.writer else {
            return Ok(());
        };
        match kind {
            Kind::Stream(writer) => writer.finish()?,
            Kind::File(writer, gathered) => {
                gathered.finish_buffered_batch()?;
                while let Some(batch) = gathered.next_completed_batch() {
                    writer.write(&batch)?;
                }
                writer.finish()?;
            }
            Kind::Ended => {}
        }
        kind.hand_on(out);
        self.writer = Some(Kind::Ended);
        Ok(())
    }
}

/// The columns with texts as Utf8 and bytes as Binary, also inside others.
pub(super) fn plain_schema(schema: &SchemaRef) -> SchemaRef {
    let fields = schema.fields().iter().map(|field| plain_field(field));
    Arc::new(Schema::new(fields.collect::<Fields>()))
}

fn plain_field(field: &Field) -> Field {
    field.clone().with_data_type(plain_type(field.data_type()))
}

fn plain_type(data_type: &DataType) -> DataType {
    let inner = |field: &Arc<Field>| Arc::new(plain_field(field));
    match data_type {
        DataType::Utf8View => DataType::Utf8,
        DataType::BinaryView => DataType::Binary,
        DataType::List(field) => DataType::List(inner(field)),
        DataType::LargeList(field) => DataType::LargeList(inner(field)),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(inner).collect()),
        DataType::Map(field, sorted) => DataType::Map(inner(field), *sorted),
        other => other.clone(),
    }
}

/// The rows with the types of a schema.
pub(super) fn with_schema(rows: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch> {
    let columns = rows.columns().iter().zip(schema.fields());
    let columns = columns.map(|(column, field)| Ok(compute::cast(column, field.data_type())?));
    let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(rows.num_rows()));
    Ok(RecordBatch::try_new_with_options(
        Arc::clone(schema),
        columns.collect::<Result<_>>()?,
        &options,
    )?)
}
