//! `DISTINCT` aggregates: a set of rows per group, fed to the plain aggregate in sorted order at evaluation.
//!
//! ```text
//!   sum(DISTINCT x)    group 0: {3, 1, 2}  ──sorted──►  1 2 3  ──►  sum  ──►  6
//! ```
//!
//! Invariants: rows are arrow's row format with −0 as 0 and one NaN; their order is that of the columns,
//! NULLs last, so the result does not depend on the order of rows. `count` leaves out rows with a NULL.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Int64Array};
use arrow::buffer::NullBuffer;
use arrow::compute::SortOptions;
use arrow::row::{RowConverter, SortField};
use hashbrown::HashSet;

use super::groups::{Kind, Rows};
use super::{AggregateInput, AggregateSpec, Argument};
use crate::error::{Error, Result};
use crate::exec::keys::canonical;

/// The distinct rows of a group.
#[derive(Clone, Default)]
pub(super) struct Set {
    rows: HashSet<Box<[u8]>, foldhash::fast::RandomState>,
    bytes: usize,
}

impl Set {
    fn add(&mut self, row: &[u8]) {
        if !self.rows.contains(row) {
            self.rows.insert(row.into());
            self.bytes += row.len();
        }
    }
}

/// Keeps the distinct rows of the arguments.
pub(super) struct Distinct {
    /// The plain aggregate that gets them.
    inner: AggregateSpec,
    /// Which arguments are columns; of those the sets are made.
    columns: Vec<usize>,
    /// For each key of `ORDER BY`, which of the columns it is.
    order_columns: Vec<usize>,
    converter: RowConverter,
    /// `count(DISTINCT …)` needs no inner aggregate.
    counts: bool,
}

impl Distinct {
    /// Fails if `ORDER BY` names something else than an argument.
    pub(super) fn new(spec: &AggregateSpec) -> Result<Self> {
        let mut inner = spec.clone();
        inner.distinct = false;
        inner.filter = None;
        let columns: Vec<usize> = (0..spec.arguments.len())
            .filter(|&index| matches!(spec.arguments[index], Argument::Column(_)))
            .collect();
        let order_columns = (spec.order_by.iter())
            .map(|(key, _)| {
                let same = |&index: &usize| matches!(spec.arguments[index], Argument::Column(c) if c == *key);
                columns.iter().position(same).ok_or_else(|| {
                    Error::plan(format!("`{}` orders DISTINCT rows by something else", spec.display))
                        .help("ORDER BY inside a DISTINCT aggregate can only name its arguments")
                })
            })
            .collect::<Result<Vec<_>>>()?;
        let last = SortOptions::new(false, false);
        let field = |&index: &usize| {
            let data_type = spec.argument_fields[index].data_type().clone();
            SortField::new_with_options(data_type, last)
        };
        Ok(Distinct {
            converter: RowConverter::new(columns.iter().map(field).collect())?,
            counts: spec.function.name() == "count",
            inner,
            columns,
            order_columns,
        })
    }

    /// The value of one group through the plain aggregate.
    fn finish(&self, set: &Set) -> Result<ArrayRef> {
        let mut rows: Vec<&[u8]> = set.rows.iter().map(|row| &row[..]).collect();
        rows.sort_unstable();
        let parser = self.converter.parser();
        let columns = if self.columns.is_empty() {
            Vec::new()
        } else {
            (self.converter).convert_rows(rows.iter().map(|row| parser.parse(row)))?
        };
        let order_by = (self.order_columns.iter())
            .map(|&column| Arc::clone(&columns[column]))
            .collect();
        let input = AggregateInput {
            rows: None,
            arguments: columns,
            order_by,
            filter: None,
            positions: (0..rows.len() as u64).collect(),
        };
        let mut inner = super::create(&self.inner)?;
        inner.resize(1);
        inner.update(&input, &vec![0; rows.len()])?;
        inner.evaluate(&[0])
    }
}

impl Kind for Distinct {
    type State = Set;
    const NO_HEAP: bool = false;

    fn update(&self, rows: &Rows<'_>, states: &mut [Set]) -> Result<()> {
        let columns: Vec<ArrayRef> = (self.columns.iter())
            .map(|&index| canonical(&rows.arguments[index]))
            .collect();
        let nulls = (rows.arguments.iter()).filter(|_| self.counts).fold(
            None,
            |nulls: Option<NullBuffer>, column| {
                NullBuffer::union(nulls.as_ref(), column.logical_nulls().as_ref())
            },
        );
        if columns.is_empty() {
            // Only constants: every row is the same one.
            rows.each(nulls.as_ref(), |_, group| states[group].add(&[]));
            return Ok(());
        }
        let encoded = self.converter.convert_columns(&columns)?;
        rows.each(nulls.as_ref(), |row, group| {
            states[group].add(encoded.row(row).data());
        });
        Ok(())
    }

    fn merge(&self, from: &Set, into: &mut Set) {
        for row in &from.rows {
            into.add(row);
        }
    }

    fn evaluate(&self, states: &[&Set]) -> Result<ArrayRef> {
        if self.counts {
            let counts = states.iter().map(|set| set.rows.len() as i64);
            return Ok(Arc::new(Int64Array::from_iter_values(counts)));
        }
        if states.is_empty() {
            return Ok(arrow::array::new_empty_array(self.inner.output.data_type()));
        }
        let values = (states.iter().map(|set| self.finish(set))).collect::<Result<Vec<_>>>()?;
        let values: Vec<&dyn Array> = values.iter().map(|value| &**value).collect();
        Ok(arrow::compute::concat(&values)?)
    }

    fn heap_bytes(&self, set: &Set) -> usize {
        set.bytes + set.rows.capacity() * (size_of::<Box<[u8]>>() + 1)
    }
}
