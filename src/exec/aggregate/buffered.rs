//! Every other aggregate: the rows of a group are kept and fed to DataFusion's accumulator in one go.
//!
//! ```text
//!   group 0:  (key, position, row) (key, position, row) …   ──sort by key, position──►  accumulator  ──►  value
//! ```
//!
//! Serves what sees rows in an order: `array_agg`, `string_agg`, `nth_value`, and the variance and
//! correlation families, whose rounding depends on it. Since the order is that of the keys and positions,
//! and the accumulator sees one batch, neither cuts nor merges show in the result.
//!
//! Invariant: a value that the accumulator refuses gives NULL, for no value stops a query.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{FieldRef, Schema};
use arrow::row::{RowConverter, SortField};
use datafusion_common::ScalarValue;
use datafusion_expr::function::AccumulatorArgs;
use datafusion_expr::{Accumulator, AggregateUDF};
use datafusion_physical_expr::PhysicalExpr;
use datafusion_physical_expr::expressions::{Column, Literal};

use super::groups::{Kind, Rows};
use super::order::OrderKeys;
use super::{AggregateSpec, Argument};
use crate::data::Position;
use crate::error::{Error, Result};

/// Keeps the rows of a group.
pub(super) struct Buffered {
    function: Arc<AggregateUDF>,
    expressions: Vec<Arc<dyn PhysicalExpr>>,
    argument_fields: Vec<FieldRef>,
    schema: Schema,
    output: FieldRef,
    ignore_nulls: bool,
    name: String,
    order: OrderKeys,
    converter: RowConverter,
    /// Rows with a NULL among the arguments change nothing and are not kept.
    strict: bool,
}

/// The rows of a group, one behind the other.
#[derive(Clone, Default)]
pub(super) struct Buffer {
    bytes: Vec<u8>,
    entries: Vec<Entry>,
}

#[derive(Clone, Copy)]
struct Entry {
    position: Position,
    /// Where the key begins; the encoded row follows it.
    start: usize,
    key_length: u32,
    row_length: u32,
}

impl Buffer {
    fn push(&mut self, key: &[u8], position: Position, row: &[u8]) {
        self.entries.push(Entry {
            position,
            start: self.bytes.len(),
            key_length: key.len() as u32,
            row_length: row.len() as u32,
        });
        self.bytes.extend_from_slice(key);
        self.bytes.extend_from_slice(row);
    }

    fn key(&self, entry: &Entry) -> &[u8] {
        &self.bytes[entry.start..entry.start + entry.key_length as usize]
    }

    fn row(&self, entry: &Entry) -> &[u8] {
        let start = entry.start + entry.key_length as usize;
        &self.bytes[start..start + entry.row_length as usize]
    }
}

impl Buffered {
    /// Fails if DataFusion has no accumulator for the call.
    pub(super) fn new(spec: &AggregateSpec) -> Result<Self> {
        let schema = Schema::new(spec.argument_fields.to_vec());
        let expressions = (spec.arguments.iter().zip(&spec.argument_fields).enumerate())
            .map(|(index, (argument, field))| match argument {
                Argument::Column(_) => Arc::new(Column::new(field.name(), index)) as _,
                Argument::Literal(value) => Arc::new(Literal::new(value.clone())) as _,
            })
            .collect();
        let types = spec.argument_fields.iter().map(|f| f.data_type().clone());
        let buffered = Buffered {
            function: Arc::clone(&spec.function),
            expressions,
            argument_fields: spec.argument_fields.clone(),
            output: own_output(spec)?,
            schema,
            ignore_nulls: spec.ignore_nulls,
            name: spec.display.clone(),
            order: OrderKeys::new(spec.order_by.iter().map(|(_, options)| *options).collect()),
            converter: RowConverter::new(types.map(SortField::new).collect())?,
            strict: !matches!(
                spec.function.name(),
                "array_agg" | "nth_value" | "any_value"
            ),
        };
        buffered.accumulator()?;
        Ok(buffered)
    }

    fn accumulator(&self) -> Result<Box<dyn Accumulator>> {
        let arguments = AccumulatorArgs {
            return_field: Arc::clone(&self.output),
            schema: &self.schema,
            ignore_nulls: self.ignore_nulls,
            // Rows arrive in order: the accumulator need not sort.
            order_bys: &[],
            is_reversed: false,
            name: &self.name,
            is_distinct: false,
            exprs: &self.expressions,
            expr_fields: &self.argument_fields,
        };
        (self.function.accumulator(arguments))
            .map_err(|e| Error::unsupported(format!("`{}` cannot be computed", self.name)).cause(e))
    }

    fn finish(&self, buffer: &Buffer) -> Result<ScalarValue> {
        let mut entries = buffer.entries.clone();
        entries.sort_unstable_by(|a, b| {
            (buffer.key(a).cmp(buffer.key(b))).then(a.position.cmp(&b.position))
        });
        let mut accumulator = self.accumulator()?;
        let empty = || ScalarValue::try_from(self.output.data_type()).unwrap_or(ScalarValue::Null);
        if !entries.is_empty() {
            let parser = self.converter.parser();
            let rows = entries.iter().map(|entry| parser.parse(buffer.row(entry)));
            let columns = self.converter.convert_rows(rows)?;
            if accumulator.update_batch(&columns).is_err() {
                return Ok(empty());
            }
        }
        let value = accumulator.evaluate().unwrap_or_else(|_| empty());
        Ok(value
            .cast_to(self.output.data_type())
            .unwrap_or_else(|_| empty()))
    }
}

/// The result as DataFusion makes it; the frame casts it to the type that the plan says.
fn own_output(spec: &AggregateSpec) -> Result<FieldRef> {
    (spec.function.return_field(&spec.argument_fields))
        .map_err(|e| Error::plan(format!("`{}` has no type", spec.display)).cause(e))
}

impl Kind for Buffered {
    type State = Buffer;
    const NO_HEAP: bool = false;

    fn update(&self, rows: &Rows<'_>, states: &mut [Buffer]) -> Result<()> {
        let keys = self.order.encode(rows.order_by)?;
        let arguments = (self.argument_fields.iter().enumerate())
            .map(|(index, field)| rows.argument(index, field.data_type()))
            .collect::<Result<Vec<_>>>()?;
        let encoded = self.converter.convert_columns(&arguments)?;
        let nulls = (arguments.iter()).filter(|_| self.strict).fold(
            None,
            |nulls: Option<NullBuffer>, column| {
                NullBuffer::union(nulls.as_ref(), column.logical_nulls().as_ref())
            },
        );
        rows.each(nulls.as_ref(), |row, group| {
            states[group].push(keys.key(row), rows.positions[row], encoded.row(row).data());
        });
        Ok(())
    }

    fn merge(&self, from: &Buffer, into: &mut Buffer) {
        let shift = into.bytes.len();
        into.bytes.extend_from_slice(&from.bytes);
        into.entries.extend(from.entries.iter().map(|entry| Entry {
            start: entry.start + shift,
            ..*entry
        }));
    }

    fn evaluate(&self, states: &[&Buffer]) -> Result<ArrayRef> {
        if states.is_empty() {
            return Ok(arrow::array::new_empty_array(self.output.data_type()));
        }
        let values = (states.iter().map(|state| self.finish(state)))
            .collect::<Result<Vec<ScalarValue>>>()?;
        let column = ScalarValue::iter_to_array(values)
            .map_err(|e| Error::internal("an aggregate gave values of two types").cause(e))?;
        // −0 prints 0.
        Ok(crate::exec::keys::canonical(&column))
    }

    fn heap_bytes(&self, state: &Buffer) -> usize {
        state.bytes.capacity() + state.entries.capacity() * size_of::<Entry>()
    }
}
