//! Columns of a file as the query reads them.
//!
//! ```text
//!   file    n: Int32      tags: List<Utf8>      at: Utf8                     user: Struct { id }
//!           as it is      part by part          as text, read as a time      user.id: the column inside
//!   query   n INT         tags ARRAY<STRING>    at TIMESTAMP                 "user.id" STRING
//! ```
//!
//! A type that holds all values of another takes them as they are; between all others a value becomes its text
//! and is read as text formats read it, so that what fits, what is NULL and the words of a reject are the same.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, ListArray, MapArray, RecordBatch, StructArray,
};
use arrow::array::{RecordBatchOptions, new_null_array};
use arrow::compute::{self, CastOptions};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};

use super::row_texts::RowTexts;
use super::types::column_type;
use crate::data::inside::{element_inside, field_inside, value_inside};
use crate::data::print::{Style, ValueWriter};
use crate::error::{Error, Result};
use crate::format::columns::cells::{Cell, CellKind, Texts};
use crate::format::columns::column_writer::ColumnPlan;
use crate::format::columns::rows::{RowMisfit, RowPlan, shortened};
use crate::format::columns::value_parsers::Misfit;
use crate::format::{DecodeSpec, Decoded, Nulls, PathStep, ReadColumn, Reject};

/// Makes the columns of a query of those of a file; see the module.
#[derive(Debug)]
pub struct ColumnarDecoder {
    plan: RowPlan,
    /// Per column of the plan: where it is.
    places: Vec<Inside>,
    /// The columns of the file that are read, rising.
    read: Vec<usize>,
}

/// A column of a batch, or one inside of it.
#[derive(Debug)]
struct Inside {
    column: usize,
    steps: Vec<PathStep>,
    is_time_attribute: bool,
}

impl ColumnarDecoder {
    /// Finds the columns of `spec` in those of a file. All others are read, too, if whole rows are wanted for
    /// their texts, but for those that have none.
    ///
    /// # Errors
    /// It lacks one; a type cannot be read as another.
    pub fn new(schema: &Schema, spec: &DecodeSpec, whole_rows: bool) -> Result<Self> {
        let plan = RowPlan::new(&spec.without_paths())?;
        let columns = || spec.columns.iter().chain(&spec.checked);
        let mut read = Vec::new();
        for column in columns() {
            read.push(place_of(schema, column)?);
        }
        let found = read.clone();
        if whole_rows {
            let fields = schema.fields().iter().enumerate();
            let shown =
                fields.filter(|(_, field)| column_type(field.data_type(), spec.zone).is_some());
            read.extend(shown.map(|(place, _)| place));
        }
        read.sort_unstable();
        read.dedup();
        let place = |(column, found): (&ReadColumn, usize)| Inside {
            column: read.partition_point(|place| *place < found),
            steps: steps_of(column),
            is_time_attribute: column.is_time_attribute,
        };
        let places = columns().zip(found).map(place).collect();
        Ok(ColumnarDecoder { plan, places, read })
    }

    /// The columns of the file that it needs, rising.
    pub fn columns(&self) -> &[usize] {
        &self.read
    }

    /// The columns that it makes.
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(&self.plan.schema)
    }

    /// The rows of a batch of [`ColumnarDecoder::columns`]. Each of them is a record, and a line.
    ///
    /// # Errors
    /// Values of a type that the file did not announce.
    pub fn decode(&self, batch: &RecordBatch) -> Result<Decoded> {
        let rows = batch.num_rows();
        let count = u32::try_from(rows).map_err(|_| Error::data("a batch has too many rows"))?;
        let mut misfits = Vec::new();
        let mut columns = Vec::with_capacity(self.places.len());
        for (number, place) in self.places.iter().enumerate() {
            let missing = || Error::data("a batch has fewer columns than its file");
            let column = batch.columns().get(place.column).ok_or_else(missing)?;
            let column = inside(column, &place.steps)?;
            columns.push(self.column(number, &column, &mut misfits)?);
        }
        let fields = self.plan.schema.fields().len();
        columns.truncate(fields);
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let schema = self.schema();
        let mut decoded = Decoded {
            rows: RecordBatch::try_new_with_options(schema, columns, &options)?,
            records: (0..count).collect(),
            rejects: Vec::new(),
            record_count: count,
            line_count: u64::from(count),
            mended: Vec::new(),
            left_out: Vec::new(),
            untimed: None,
        };
        if !misfits.is_empty() {
            self.reject(misfits, batch, &mut decoded)?;
        }
        Ok(decoded)
    }

    /// A column as the query has it.
    fn column(
        &self,
        number: usize,
        column: &ArrayRef,
        misfits: &mut Vec<RowMisfit>,
    ) -> Result<ArrayRef> {
        let plan = &self.plan.columns[number];
        let to = plan.data_type();
        let column = plain(column)?;
        if column.data_type() == to {
            return Ok(column);
        }
        if column.data_type() == &DataType::Null {
            return Ok(new_null_array(to, column.len()));
        }
        if to.is_nested()
            && let Some(made) = nested(&column, to)?
        {
            return Ok(made);
        }
        if !takes_all(column.data_type(), to) {
            return texts(number, plan, &column, misfits);
        }
        // A time of finer steps may be out of range.
        let options = CastOptions {
            safe: true,
            ..CastOptions::default()
        };
        let made = compute::cast_with_options(&column, to, &options)?;
        if made.null_count() > column.null_count() && !self.places[number].is_time_attribute {
            let writer = ValueWriter::new(
                &Field::new("", column.data_type().clone(), true),
                Style::Cast,
            )?;
            let shown = writer.column(&column)?;
            for row in (0..made.len()).filter(|row| made.is_null(*row) && column.is_valid(*row)) {
                let mut text = Vec::new();
                shown.write(row, &mut text);
                misfits.push(RowMisfit {
                    row,
                    column: number,
                    misfit: Misfit::Type,
                    shown: String::from_utf8_lossy(&text).into_owned(),
                });
            }
        }
        Ok(made)
    }

    /// What is told of a misfit: each row is a record, and a line.
    fn told(&self, misfit: &RowMisfit, text: &[u8]) -> Reject {
        misfit.told(&self.plan, (misfit.row as u32, misfit.row as u64), text)
    }

    /// Takes rows with misfits out; of each the first one is told.
    fn reject(
        &self,
        mut misfits: Vec<RowMisfit>,
        batch: &RecordBatch,
        decoded: &mut Decoded,
    ) -> Result<()> {
        let untimed = misfits.extract_if(.., |misfit| misfit.misfit == Misfit::Untimed);
        let untimed: Vec<RowMisfit> = untimed.collect();
        misfits.sort_by_key(|misfit| misfit.row);
        misfits.dedup_by_key(|misfit| misfit.row);
        let is_good =
            |row: usize| (misfits.binary_search_by_key(&row, |misfit| misfit.row)).is_err();
        let mut untimed = untimed.iter().filter(|misfit| is_good(misfit.row));
        decoded.untimed = untimed.next().map(|misfit| self.told(misfit, &[]));
        if misfits.is_empty() {
            return Ok(());
        }
        let text = RowTexts::new(batch)?;
        let mut good = vec![true; batch.num_rows()];
        for misfit in misfits {
            let mut record = Vec::new();
            text.write(misfit.row, &mut record)?;
            good[misfit.row] = false;
            decoded.rejects.push(self.told(&misfit, &record));
        }
        decoded.records.retain(|record| good[*record as usize]);
        decoded.rows = compute::filter_record_batch(&decoded.rows, &BooleanArray::from(good))?;
        Ok(())
    }
}

/// The number of the column of a file that a column is, or is in.
fn place_of(schema: &Schema, column: &ReadColumn) -> Result<usize> {
    let Some((place, field)) = schema.column_with_name(&column.source) else {
        let names = schema.fields().iter().map(|field| field.name().as_str());
        let names: Vec<&str> = names.collect();
        return Err(
            Error::data(format!("there is no column `{}`", column.source))
                .note(format!("columns: {}", names.join(", ")))
                .suggest(&column.source, names),
        );
    };
    let mut inner = field.data_type();
    let mut outer = column.source.clone();
    for step in steps_of(column) {
        inner = match (inner, &step) {
            (DataType::Dictionary(_, value), _) => value,
            (inner, _) => inner,
        };
        inner = match (inner, &step) {
            (DataType::Struct(fields), PathStep::Key(key)) => match fields.find(key) {
                Some((_, found)) => found.data_type(),
                None => {
                    let names: Vec<&str> = fields.iter().map(|f| f.name().as_str()).collect();
                    return Err(Error::data(format!("`{outer}` has no `{key}`"))
                        .note(format!("it has: {}", names.join(", ")))
                        .suggest(key, names));
                }
            },
            (DataType::Map(entries, _), PathStep::Key(_)) => match entries.data_type() {
                DataType::Struct(pair) if pair.len() == 2 => pair[1].data_type(),
                _ => return Err(Error::data(format!("`{outer}` is a MAP without values"))),
            },
            (
                DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _),
                PathStep::Element(_),
            ) => item.data_type(),
            (_, PathStep::Key(key)) => {
                return Err(Error::data(format!(
                    "`{outer}` has nothing called `{key}` in it"
                )));
            }
            (_, PathStep::Element(_)) => {
                return Err(Error::data(format!("`{outer}` is no ARRAY")));
            }
        };
        step.spell(&mut outer);
    }
    Ok(place)
}

fn steps_of(column: &ReadColumn) -> Vec<PathStep> {
    let keys = column.path.iter().cloned().map(PathStep::Key);
    keys.chain(column.inside.iter().cloned()).collect()
}

/// What a path leads to in a column: NULL where it leads nowhere.
fn inside(column: &ArrayRef, steps: &[PathStep]) -> Result<ArrayRef> {
    let mut column = Arc::clone(column);
    for step in steps {
        column = listed(&plain(&column)?)?;
        column = match (column.data_type(), step) {
            (DataType::Struct(fields), PathStep::Key(key)) => {
                let missing = || Error::data(format!("there is no `{key}` in a batch"));
                let (place, _) = fields.find(key).ok_or_else(missing)?;
                field_inside(column.as_struct(), place)?
            }
            (DataType::Map(..), PathStep::Key(key)) => {
                value_inside(column.as_map(), |_| Some(key.as_str()))?
            }
            (DataType::List(_), PathStep::Element(number)) => {
                element_inside(column.as_list(), |_| i64::try_from(*number).ok())?
            }
            _ => {
                return Err(Error::data(
                    "a batch has values of another type than its file",
                ));
            }
        };
    }
    Ok(column)
}

/// Lists of all kinds as those of one kind.
fn listed(column: &ArrayRef) -> Result<ArrayRef> {
    Ok(match column.data_type() {
        DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
            compute::cast(column, &DataType::List(Arc::clone(item)))?
        }
        _ => Arc::clone(column),
    })
}

/// A column of nested values as one of another type, part by part; `None` where a part has to be read anew.
fn nested(column: &ArrayRef, to: &DataType) -> Result<Option<ArrayRef>> {
    let column = listed(&plain(column)?)?;
    if column.data_type() == to {
        return Ok(Some(column));
    }
    Ok(match (column.data_type(), to) {
        (DataType::Null, _) => Some(new_null_array(to, column.len())),
        (DataType::Struct(from), DataType::Struct(fields)) => {
            let mut parts = Vec::with_capacity(fields.len());
            for field in fields {
                let Some((place, _)) = from.find(field.name()) else {
                    return Ok(None);
                };
                let Some(part) = nested(column.as_struct().column(place), field.data_type())?
                else {
                    return Ok(None);
                };
                parts.push(part);
            }
            let nulls = column.nulls().cloned();
            let made = StructArray::try_new_with_length(fields.clone(), parts, nulls, column.len());
            Some(Arc::new(made?) as ArrayRef)
        }
        (DataType::List(_), DataType::List(item)) => {
            let list = column.as_list::<i32>();
            let Some(values) = nested(list.values(), item.data_type())? else {
                return Ok(None);
            };
            let offsets = list.offsets().clone();
            let made = ListArray::try_new(Arc::clone(item), offsets, values, list.nulls().cloned());
            Some(Arc::new(made?) as ArrayRef)
        }
        (DataType::Map(..), DataType::Map(entries, _)) => {
            let (map, DataType::Struct(pair)) = (column.as_map(), entries.data_type()) else {
                return Ok(None);
            };
            let key = nested(map.keys(), pair[0].data_type())?;
            let value = nested(map.values(), pair[1].data_type())?;
            let (Some(key), Some(value)) = (key, value) else {
                return Ok(None);
            };
            let entries_made = StructArray::try_new(pair.clone(), vec![key, value], None)?;
            let (offsets, nulls) = (map.offsets().clone(), map.nulls().cloned());
            let made = MapArray::try_new(Arc::clone(entries), offsets, entries_made, nulls, false);
            Some(Arc::new(made?) as ArrayRef)
        }
        (from, to) if takes_all(from, to) => {
            let made = compute::cast(&column, to)?;
            // A time of finer steps may be out of range.
            (made.null_count() == column.null_count()).then_some(made)
        }
        _ => None,
    })
}

/// The column with its values themselves, where it has numbers of them or lengths of runs.
pub(super) fn plain(column: &ArrayRef) -> Result<ArrayRef> {
    Ok(match column.data_type() {
        DataType::Dictionary(_, value) => compute::cast(column, value)?,
        DataType::RunEndEncoded(_, value) => compute::cast(column, value.data_type())?,
        DataType::Float16 => compute::cast(column, &DataType::Float32)?,
        _ => Arc::clone(column),
    })
}

/// True if a type holds every value of another, and casts to it mean the same.
fn takes_all(from: &DataType, to: &DataType) -> bool {
    use DataType as T;
    let finer = |from: &TimeUnit, to: &TimeUnit| steps(*from) <= steps(*to);
    match (from, to) {
        (T::Utf8 | T::LargeUtf8 | T::Utf8View, T::Utf8View) => true,
        (T::LargeBinary | T::BinaryView | T::FixedSizeBinary(_), T::Binary) => true,
        (T::Int8, T::Int16 | T::Int32 | T::Int64 | T::Float32 | T::Float64) => true,
        (T::Int16, T::Int32 | T::Int64 | T::Float32 | T::Float64) => true,
        (T::Int32, T::Int64 | T::Float64) => true,
        (T::UInt8, T::UInt16 | T::UInt32 | T::UInt64 | T::Int16 | T::Int32 | T::Int64) => true,
        (T::UInt16, T::UInt32 | T::UInt64 | T::Int32 | T::Int64) => true,
        (T::UInt32, T::UInt64 | T::Int64) => true,
        (T::UInt8 | T::UInt16, T::Float32) | (T::UInt8 | T::UInt16 | T::UInt32, T::Float64) => true,
        (T::Float32, T::Float64) => true,
        (T::Decimal32(p, s) | T::Decimal64(p, s), T::Decimal128(precision, scale)) => {
            (p, s) == (precision, scale)
        }
        (T::Time32(from) | T::Time64(from), T::Time64(to)) => finer(from, to),
        (T::Timestamp(from, one), T::Timestamp(to, other)) => {
            one.is_some() == other.is_some() && finer(from, to)
        }
        // In milliseconds, and by definition whole days.
        (T::Date64, T::Date32) => true,
        (T::Date32 | T::Date64, T::Timestamp(to, None)) => finer(&TimeUnit::Millisecond, to),
        _ => false,
    }
}

fn steps(unit: TimeUnit) -> u8 {
    match unit {
        TimeUnit::Second => 0,
        TimeUnit::Millisecond => 3,
        TimeUnit::Microsecond => 6,
        TimeUnit::Nanosecond => 9,
    }
}

/// A column by way of its texts.
fn texts(
    number: usize,
    plan: &ColumnPlan,
    column: &ArrayRef,
    misfits: &mut Vec<RowMisfit>,
) -> Result<ArrayRef> {
    let field = Field::new("", column.data_type().clone(), true);
    let writer = ValueWriter::new(&field, Style::Cast)?;
    let shown = writer.column(column)?;
    let kind = match column.data_type() {
        DataType::Boolean => CellKind::Boolean,
        from if from.is_numeric() => CellKind::Number,
        from if from.is_nested() => CellKind::Nested,
        // What it says counts, as in csv.
        _ => CellKind::QuotedField,
    };
    let (mut text, mut cells) = (Vec::new(), Vec::with_capacity(column.len()));
    for row in 0..column.len() {
        let start = text.len();
        let is_null = column.is_null(row);
        if !is_null {
            shown.write(row, &mut text);
        }
        let place = |place| {
            u32::try_from(place).map_err(|_| Error::data("a batch has more than 4 GiB of text"))
        };
        cells.push(Cell {
            start: place(start)?,
            length: place(text.len() - start)?,
            kind: if is_null { CellKind::Null } else { kind },
            aside: false,
        });
    }
    let texts = Texts::new(&text, &[], plan.is_text());
    let mut made = plan.writer(cells.len());
    let mut misfit = |row: usize, misfit| {
        if misfit == Misfit::Unnamed {
            // The types of a file name all keys, and declared ones name those that are wanted.
            return;
        }
        misfits.push(RowMisfit {
            row,
            column: number,
            misfit,
            shown: shortened(&texts.shown(cells[row])),
        });
    };
    made.write_cells(plan, &Nulls::default(), texts, &cells, &mut misfit);
    Ok(made.finish(plan))
}
