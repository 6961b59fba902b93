//! Writes the values of one field into a typed column, from CSV text or from JSON.
//!
//! ```text
//!  cells  200 | 404 |  NA | 12x        one column of a chunk
//!  BIGINT 200   404   NULL  NULL       and 3 is a misfit
//! ```
//!
//! Invariants: every cell appends exactly one value, NULL where it does not fit; a misfit is told so that
//! the decoder rejects the record. An unreadable time is NULL in the column of the query's time attribute,
//! and a misfit that rejects nothing: such a row is untimed, which is counted elsewhere. What depends on the column alone is
//! asked once for a run of cells.

use std::borrow::Cow;
use std::marker::PhantomData;
use std::sync::Arc;

use arrow::array::{ArrayBuilder, ArrayRef, BinaryBuilder};
use arrow::datatypes::*;

use super::cells::{Cell, CellKind, Texts};
use super::column_values::Column;
use super::text_column::TextColumn;
use super::value_parsers::{
    Booleans, Clocks, Dates, Decimals, Doubles, Floats, Integers, Misfit, Parser, Times,
};
use crate::data::type_name;
use crate::error::{Error, Result};
use crate::format::json::nested::{NestedColumn, NestedPlan};
use crate::format::json::values_inside;
use crate::format::{Nulls, PathStep, ReadColumn};
use crate::time::{MinuteMemo, TimeFormat, TimeReader, Unit, Zone};

/// The column under construction.
pub(in crate::format) struct ColumnWriter {
    values: Values,
}

/// What a [`ColumnWriter`] is made of: made once for a query, used for every block.
#[derive(Debug, Clone)]
pub(in crate::format) struct ColumnPlan {
    /// Spelling in the source, with the keys below it, for messages.
    pub(in crate::format) source: String,
    pub(super) data_type: DataType,
    time: Option<TimeReader>,
    /// The letters of strftime in which its times are written, if they were said.
    pub(super) time_format: Option<String>,
    is_time_attribute: bool,
    exact_integers: bool,
    /// The parts of a nested type.
    nested: Option<NestedPlan>,
    /// Where the value lies inside of what was read.
    inside: Vec<PathStep>,
}

enum Values {
    Text(TextColumn),
    Bytes(BinaryBuilder),
    Boolean(Column<bool>),
    Int8(Column<i8>),
    Int16(Column<i16>),
    Int32(Column<i32>),
    Int64(Column<i64>),
    UInt8(Column<u8>),
    UInt16(Column<u16>),
    UInt32(Column<u32>),
    UInt64(Column<u64>),
    Float32(Column<f32>),
    Float64(Column<f64>),
    Decimal(Column<i128>, u8, i8),
    Date(Column<i32>),
    Clock(Column<i64>, TimeUnit),
    Timestamp(Column<i64>, MinuteMemo),
    Nested(Box<NestedColumn>),
}

/// Does the same with the column of any variant.
macro_rules! with_column {
    ($values:expr, $column:ident => $do:expr, bytes $bytes:ident => $do_bytes:expr) => {
        match $values {
            Values::Bytes($bytes) => $do_bytes,
            Values::Text($column) => $do,
            Values::Boolean($column) => $do,
            Values::Int8($column) => $do,
            Values::Int16($column) => $do,
            Values::Int32($column) => $do,
            Values::Int64($column) => $do,
            Values::UInt8($column) => $do,
            Values::UInt16($column) => $do,
            Values::UInt32($column) => $do,
            Values::UInt64($column) => $do,
            Values::Float32($column) => $do,
            Values::Float64($column) => $do,
            Values::Decimal($column, _, _) => $do,
            Values::Date($column) => $do,
            Values::Clock($column, _) => $do,
            Values::Timestamp($column, _) => $do,
            Values::Nested($column) => $do,
        }
    };
}

/// Does the same with the column of any variant that is read by a parser, and something else with texts.
macro_rules! with_parser {
    ($values:expr, $plan:expr, ($column:ident, $parser:ident) => $do:expr,
     text $text:ident => $do_text:expr, bytes $bytes:ident => $do_bytes:expr,
     nested $nested:ident => $do_nested:expr) => {{
        macro_rules! parsed {
            ($of:ident, $made:expr) => {{
                let ($column, $parser) = ($of, $made);
                $do
            }};
        }
        match $values {
            Values::Text($text) => $do_text,
            Values::Bytes($bytes) => $do_bytes,
            Values::Nested($nested) => $do_nested,
            Values::Boolean(column) => parsed!(column, Booleans),
            Values::Int8(column) => parsed!(column, Integers(PhantomData)),
            Values::Int16(column) => parsed!(column, Integers(PhantomData)),
            Values::Int32(column) => parsed!(column, Integers(PhantomData)),
            Values::Int64(column) => parsed!(column, Integers(PhantomData)),
            Values::UInt8(column) => parsed!(column, Integers(PhantomData)),
            Values::UInt16(column) => parsed!(column, Integers(PhantomData)),
            Values::UInt32(column) => parsed!(column, Integers(PhantomData)),
            Values::UInt64(column) => parsed!(column, Integers(PhantomData)),
            Values::Float32(column) => parsed!(column, Floats),
            Values::Float64(column) => {
                let exact_integers = $plan.exact_integers;
                parsed!(column, Doubles { exact_integers })
            }
            Values::Decimal(column, precision, scale) => {
                let (precision, scale) = (*precision, *scale);
                parsed!(column, Decimals { precision, scale })
            }
            Values::Date(column) => parsed!(column, Dates),
            Values::Clock(column, unit) => {
                let unit_nanoseconds = if *unit == TimeUnit::Microsecond {
                    1_000
                } else {
                    1
                };
                parsed!(column, Clocks { unit_nanoseconds })
            }
            Values::Timestamp(column, memo) => {
                let reader = $plan.time.as_ref().expect("checked when the plan was made");
                parsed!(column, Times { reader, memo })
            }
        }
    }};
}

impl ColumnPlan {
    /// Checks that values can be read into the column's type, in the zone of `--tz`.
    pub(in crate::format) fn new(column: &ReadColumn, zone: Zone) -> Result<Self> {
        let data_type = column.field.data_type();
        let time = match (Unit::of(data_type), data_type) {
            (Some(unit), DataType::Timestamp(_, of_zone)) => {
                let format = column.time.clone().unwrap_or_default();
                Some(TimeReader::new(&format, unit, zone, of_zone.is_some())?)
            }
            _ => None,
        };
        let plan = ColumnPlan {
            source: column.spelling(),
            data_type: data_type.clone(),
            time,
            time_format: match &column.time {
                Some(TimeFormat::Strftime(format)) => Some(format.clone()),
                _ => None,
            },
            is_time_attribute: column.is_time_attribute,
            exact_integers: column.exact_integers,
            nested: NestedPlan::new(column, zone).transpose()?,
            inside: column.inside.clone(),
        };
        match plan.values(0) {
            Some(_) => Ok(plan),
            None => Err(Error::unsupported(format!(
                "column `{}` cannot be read as {}",
                plan.source,
                type_name(data_type)
            ))
            .help("columns hold BOOLEAN, numbers, DECIMAL, STRING, BYTES, DATE, TIME, TIMESTAMP, ROW, ARRAY and MAP<STRING, …>")),
        }
    }

    /// The same where times may lack their year, which begin `from` there.
    pub(in crate::format) fn with_years_from(mut self, from: Option<i64>) -> Self {
        self.time = self.time.map(|reader| reader.with_years_from(from));
        self
    }

    /// A writer for about `rows` values.
    pub(in crate::format) fn writer(&self, rows: usize) -> ColumnWriter {
        let values = self.values(rows).expect("checked when the plan was made");
        ColumnWriter { values }
    }

    fn values(&self, rows: usize) -> Option<Values> {
        macro_rules! typed {
            () => {
                Column::with_capacity(rows)
            };
        }
        if let Some(plan) = &self.nested {
            return Some(Values::Nested(Box::new(NestedColumn::new(plan, rows))));
        }
        Some(match &self.data_type {
            DataType::Utf8View => Values::Text(TextColumn::with_capacity(rows)),
            DataType::Binary => Values::Bytes(BinaryBuilder::with_capacity(rows, rows * 8)),
            DataType::Boolean => Values::Boolean(typed!()),
            DataType::Int8 => Values::Int8(typed!()),
            DataType::Int16 => Values::Int16(typed!()),
            DataType::Int32 => Values::Int32(typed!()),
            DataType::Int64 => Values::Int64(typed!()),
            DataType::UInt8 => Values::UInt8(typed!()),
            DataType::UInt16 => Values::UInt16(typed!()),
            DataType::UInt32 => Values::UInt32(typed!()),
            DataType::UInt64 => Values::UInt64(typed!()),
            DataType::Float32 => Values::Float32(typed!()),
            DataType::Float64 => Values::Float64(typed!()),
            DataType::Decimal128(precision, scale) => Values::Decimal(typed!(), *precision, *scale),
            DataType::Date32 => Values::Date(typed!()),
            DataType::Time64(unit @ (TimeUnit::Microsecond | TimeUnit::Nanosecond)) => {
                Values::Clock(typed!(), *unit)
            }
            DataType::Timestamp(unit, _) if *unit != TimeUnit::Second => {
                Values::Timestamp(typed!(), MinuteMemo::default())
            }
            _ => return None,
        })
    }

    /// The type of its values.
    pub(in crate::format) fn data_type(&self) -> &DataType {
        &self.data_type
    }

    /// True if it holds text.
    pub(in crate::format) fn is_text(&self) -> bool {
        self.data_type == DataType::Utf8View
    }

    /// Its spelling, as messages have it.
    pub(in crate::format) fn name_for_messages(&self) -> Arc<str> {
        Arc::from(self.source.as_str())
    }

    /// True if a value that does not fit is no misfit.
    fn is_lenient(&self) -> bool {
        self.is_time_attribute && self.time.is_some()
    }
}

impl ColumnWriter {
    /// Values so far.
    pub(in crate::format) fn len(&self) -> usize {
        with_column!(&self.values, column => column.len(), bytes builder => builder.len())
    }

    /// Appends the values of `cells`; `misfit` gets the numbers of those that do not fit. Fields and
    /// strings of JSON are compared with `nulls`.
    pub(in crate::format) fn write_cells(
        &mut self,
        plan: &ColumnPlan,
        nulls: &Nulls,
        texts: Texts<'_>,
        cells: &[Cell],
        misfit: &mut dyn FnMut(usize, Misfit),
    ) {
        if plan.inside.is_empty() {
            return self.write_values(plan, nulls, texts, cells, misfit);
        }
        let found = values_inside(texts, cells, &plan.inside);
        let texts = Texts::new(&[], found.aside(), plan.is_text());
        self.write_values(plan, nulls, texts, found.column(0), misfit);
    }

    fn write_values(
        &mut self,
        plan: &ColumnPlan,
        nulls: &Nulls,
        texts: Texts<'_>,
        cells: &[Cell],
        misfit: &mut dyn FnMut(usize, Misfit),
    ) {
        let run = Run {
            nulls,
            texts,
            cells,
        };
        let lenient = plan.is_lenient();
        let mut told = |number, why| {
            misfit(number, if lenient { Misfit::Untimed } else { why });
        };
        with_parser!(&mut self.values, plan,
            (column, parser) => run.fill(column, parser, &mut told),
            text column => run.fill_texts(column),
            bytes builder => run.fill_bytes(builder),
            nested column => if let Some(plan) = &plan.nested {
                column.write_cells(plan, texts, &run.without_words(), &mut told);
            }
        );
    }

    /// The column, of the type of `plan`.
    pub(in crate::format) fn finish(self, plan: &ColumnPlan) -> ArrayRef {
        let data_type = plan.data_type.clone();
        match self.values {
            Values::Text(column) => column.finish(),
            Values::Bytes(mut builder) => Arc::new(builder.finish()),
            Values::Nested(column) => match &plan.nested {
                Some(plan) => column.finish(plan),
                None => arrow::array::new_null_array(&data_type, column.len()),
            },
            Values::Boolean(column) => column.finish_booleans(),
            Values::Int8(column) => column.finish::<Int8Type>(data_type),
            Values::Int16(column) => column.finish::<Int16Type>(data_type),
            Values::Int32(column) => column.finish::<Int32Type>(data_type),
            Values::Int64(column) => column.finish::<Int64Type>(data_type),
            Values::UInt8(column) => column.finish::<UInt8Type>(data_type),
            Values::UInt16(column) => column.finish::<UInt16Type>(data_type),
            Values::UInt32(column) => column.finish::<UInt32Type>(data_type),
            Values::UInt64(column) => column.finish::<UInt64Type>(data_type),
            Values::Float32(column) => column.finish::<Float32Type>(data_type),
            Values::Float64(column) => column.finish::<Float64Type>(data_type),
            Values::Decimal(column, _, _) => column.finish::<Decimal128Type>(data_type),
            Values::Date(column) => column.finish::<Date32Type>(data_type),
            Values::Clock(column, TimeUnit::Microsecond) => {
                column.finish::<Time64MicrosecondType>(data_type)
            }
            Values::Clock(column, _) => column.finish::<Time64NanosecondType>(data_type),
            Values::Timestamp(column, _) => match data_type {
                DataType::Timestamp(TimeUnit::Millisecond, _) => {
                    column.finish::<TimestampMillisecondType>(data_type)
                }
                DataType::Timestamp(TimeUnit::Microsecond, _) => {
                    column.finish::<TimestampMicrosecondType>(data_type)
                }
                _ => column.finish::<TimestampNanosecondType>(data_type),
            },
        }
    }
}

/// Cells that are written to a column.
struct Run<'a> {
    nulls: &'a Nulls,
    texts: Texts<'a>,
    cells: &'a [Cell],
}

impl Run<'_> {
    fn fill<P: Parser>(
        &self,
        column: &mut Column<P::Value>,
        mut parser: P,
        misfit: &mut dyn FnMut(usize, Misfit),
    ) {
        // A word for NULL may look like a value.
        let quickly = !self.nulls.has_words();
        column.reserve(self.cells.len());
        for (number, cell) in self.cells.iter().enumerate() {
            if quickly {
                let text = self.texts.from(*cell);
                if let Some(value) = parser.quick(text, cell.length as usize, cell.kind) {
                    column.push(value);
                    continue;
                }
            }
            match self.value(&mut parser, *cell) {
                Ok(Some(value)) => column.push(value),
                Ok(None) => column.push_null(),
                Err(why) => {
                    column.push_null();
                    misfit(number, why);
                }
            }
        }
    }

    #[inline(never)]
    fn value<P: Parser>(&self, parser: &mut P, cell: Cell) -> Result<Option<P::Value>, Misfit> {
        let text = self.texts.get(cell);
        match cell.kind {
            CellKind::Null => Ok(None),
            CellKind::Field | CellKind::QuotedField => {
                let text = text.trim_ascii();
                if text.is_empty() || self.nulls.holds_for_values(text) {
                    return Ok(None);
                }
                parser.parse(text, cell.kind).map(Some)
            }
            CellKind::Text if self.nulls.has_words() && self.nulls.holds_for_text(text) => Ok(None),
            kind if P::takes(kind) => parser.parse(text, kind).map(Some),
            _ => Err(Misfit::Type),
        }
    }

    fn fill_texts(&self, column: &mut TextColumn) {
        let Some((chunk, aside)) = self.texts.checked() else {
            return self.fill_mended(column);
        };
        for cell in self.cells {
            if self.is_null_text(*cell) {
                column.push_null();
            } else {
                let text = if cell.aside { aside } else { chunk };
                column.push(text, cell.start as usize, cell.length as usize);
            }
        }
    }

    /// Cells of a chunk that is not text as a whole.
    fn fill_mended(&self, column: &mut TextColumn) {
        for cell in self.cells {
            if self.is_null_text(*cell) {
                column.push_null();
            } else {
                column.push_mended(self.texts.get(*cell));
            }
        }
    }

    fn fill_bytes(&self, builder: &mut BinaryBuilder) {
        for cell in self.cells {
            if self.is_null_text(*cell) {
                builder.append_null();
            } else {
                builder.append_value(self.texts.get(*cell));
            }
        }
    }

    /// The cells for a reader that knows no words for NULL.
    fn without_words(&self) -> Cow<'_, [Cell]> {
        if !self.nulls.has_words() {
            return Cow::Borrowed(self.cells);
        }
        let cells = self
            .cells
            .iter()
            .map(|cell| match self.is_null_text(*cell) {
                true => Cell {
                    kind: CellKind::Null,
                    ..*cell
                },
                false => *cell,
            });
        Cow::Owned(cells.collect())
    }

    #[inline(always)]
    fn is_null_text(&self, cell: Cell) -> bool {
        match cell.kind {
            CellKind::Field => {
                cell.length == 0
                    || (self.nulls.has_words() && self.nulls.holds_for_text(self.texts.get(cell)))
            }
            // A string of JSON is as text as a bare field; its quotes say nothing more.
            CellKind::Text => {
                self.nulls.has_words() && self.nulls.holds_for_text(self.texts.get(cell))
            }
            CellKind::Null => true,
            _ => false,
        }
    }
}
