//! Aggregates that answer with one row of the group: `first_value`, `last_value`, `any_value`, `arg_min`,
//! `arg_max`, and `min` and `max` of types without a native order.
//!
//! ```text
//!   first_value(x ORDER BY k)   keeps (k as bytes, position) at its least, and x
//!   last_value(x)               keeps position at its greatest, and x
//! ```
//!
//! Invariants: keys and values are arrow's row format, whose bytes compare as the columns do. The position
//! is the last key, so there are no ties and merging may happen in any order.

use arrow::array::{Array, ArrayRef, UInt32Array};
use arrow::buffer::NullBuffer;
use arrow::compute::SortOptions;
use arrow::datatypes::FieldRef;
use arrow::row::{RowConverter, SortField};

use super::AggregateSpec;
use super::groups::{Kind, Rows};
use super::order::OrderKeys;
use crate::data::Position;
use crate::error::Result;

/// Where the keys of the comparison come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Keys {
    /// `ORDER BY`, then the position.
    OrderBy,
    /// An argument that must not be NULL, then the position.
    Argument(usize),
}

/// Keeps the best row of a group.
pub(super) struct Best {
    keys: Keys,
    order: OrderKeys,
    converter: RowConverter,
    /// Keep the greatest keys and position, not the least.
    last: bool,
    /// Rows whose value is NULL take no part.
    skip_nulls: bool,
}

/// The best row so far.
#[derive(Clone)]
pub(super) struct Row {
    key: Vec<u8>,
    position: Position,
    value: Vec<u8>,
}

impl Best {
    /// `first_value` and `last_value`.
    pub(super) fn ordered(spec: &AggregateSpec, last: bool, skip_nulls: bool) -> Result<Self> {
        let options = spec.order_by.iter().map(|(_, options)| *options).collect();
        Best::new(
            Keys::OrderBy,
            options,
            &spec.argument_fields[0],
            last,
            skip_nulls,
        )
    }

    /// The value of the first argument where argument `by` is least or greatest; of equals the first row.
    /// Rows where one of both is NULL take no part.
    pub(super) fn by_argument(spec: &AggregateSpec, by: usize, greatest: bool) -> Result<Self> {
        let options = vec![SortOptions::new(greatest, false)];
        Best::new(
            Keys::Argument(by),
            options,
            &spec.argument_fields[0],
            false,
            true,
        )
    }

    fn new(
        keys: Keys,
        options: Vec<SortOptions>,
        value: &FieldRef,
        last: bool,
        skip_nulls: bool,
    ) -> Result<Self> {
        Ok(Best {
            keys,
            order: OrderKeys::new(options),
            converter: RowConverter::new(vec![SortField::new(value.data_type().clone())])?,
            last,
            skip_nulls,
        })
    }

    fn wins(&self, key: &[u8], position: Position, kept: &Row) -> bool {
        let order = key.cmp(&kept.key).then(position.cmp(&kept.position));
        if self.last {
            order.is_gt()
        } else {
            order.is_lt()
        }
    }

    fn offer(&self, state: &mut Option<Row>, key: &[u8], position: Position, value: &[u8]) {
        match state {
            None => {
                *state = Some(Row {
                    key: key.to_vec(),
                    position,
                    value: value.to_vec(),
                });
            }
            Some(kept) => {
                if self.wins(key, position, kept) {
                    kept.position = position;
                    kept.key.clear();
                    kept.key.extend_from_slice(key);
                    kept.value.clear();
                    kept.value.extend_from_slice(value);
                }
            }
        }
    }
}

impl Kind for Best {
    type State = Option<Row>;
    const NO_HEAP: bool = false;

    fn update(&self, rows: &Rows<'_>, states: &mut [Self::State]) -> Result<()> {
        let keys = match self.keys {
            Keys::OrderBy => self.order.encode(rows.order_by)?,
            Keys::Argument(index) => self
                .order
                .encode(std::slice::from_ref(&rows.arguments[index]))?,
        };
        let value = &rows.arguments[0];
        let values = self
            .converter
            .convert_columns(std::slice::from_ref(value))?;
        let value_nulls = value.logical_nulls().filter(|_| self.skip_nulls);
        let key_nulls = match self.keys {
            Keys::OrderBy => None,
            Keys::Argument(index) => rows.arguments[index].logical_nulls(),
        };
        let nulls = NullBuffer::union(value_nulls.as_ref(), key_nulls.as_ref());
        rows.each(nulls.as_ref(), |row, group| {
            let position = rows.positions[row];
            self.offer(
                &mut states[group],
                keys.key(row),
                position,
                values.row(row).data(),
            );
        });
        Ok(())
    }

    fn merge(&self, from: &Self::State, into: &mut Self::State) {
        if let Some(row) = from {
            self.offer(into, &row.key, row.position, &row.value);
        }
    }

    fn evaluate(&self, states: &[&Self::State]) -> Result<ArrayRef> {
        decode(
            &self.converter,
            states.iter().map(|s| s.as_ref().map(|row| &row.value[..])),
        )
    }

    fn heap_bytes(&self, state: &Self::State) -> usize {
        state
            .as_ref()
            .map_or(0, |row| row.key.capacity() + row.value.capacity())
    }
}

/// One column from encoded values, NULL where there is none.
fn decode<'a>(
    converter: &RowConverter,
    values: impl Iterator<Item = Option<&'a [u8]>>,
) -> Result<ArrayRef> {
    let parser = converter.parser();
    let (mut present, mut indices) = (Vec::new(), Vec::new());
    for value in values {
        indices.push(value.map(|_| present.len() as u32));
        present.extend(value.map(|bytes| parser.parse(bytes)));
    }
    let mut columns = converter.convert_rows(present)?;
    let column = columns.swap_remove(0);
    Ok(arrow::compute::take(
        &column,
        &UInt32Array::from(indices),
        None,
    )?)
}
