//! GROUP BY without a window over an input that ends: one row per group, at the end.
//!
//! ```text
//!  GROUP BY host   web1, web2, web1, end   ->   web1 2, web2 1
//!  no GROUP BY     end                     ->   0
//! ```
//!
//! Invariants: groups come out in the order of their first rows. Without keys there is exactly one row,
//! also if nothing came. Watermarks pass.

use std::sync::Arc;

use arrow::datatypes::{FieldRef, SchemaRef};

use super::aggregate::AggregateSpec;
use super::grouped::Grouped;
use super::parallel::{Gathered, Local, Parallel, Partial, Partials, TwoPhase, Worth};
use super::window::{MAX_ROWS, ResultRows};
use super::{Operator, Output, Watermark};
use crate::data::{Batch, Position};
use crate::error::Result;

/// What to run: keys and aggregates of an unwindowed GROUP BY.
#[derive(Debug, Clone)]
pub struct GroupSpec {
    /// The input columns to group by; none for one group of all rows.
    pub keys: Vec<usize>,
    /// The fields of the keys in the input.
    pub key_fields: Vec<FieldRef>,
    /// The aggregate calls.
    pub aggregates: Vec<AggregateSpec>,
    /// The output: keys, then aggregates.
    pub schema: SchemaRef,
}

/// The running operator.
#[derive(Clone)]
pub struct GroupOperator {
    spec: Arc<GroupSpec>,
    groups: Grouped,
    arrived: u64,
}

impl GroupOperator {
    /// An operator before its first row.
    ///
    /// # Errors
    /// A key that cannot be compared, or an aggregate that does not exist.
    pub fn new(spec: GroupSpec) -> Result<Self> {
        Ok(GroupOperator {
            groups: Grouped::new(&spec.key_fields, &spec.aggregates)?,
            spec: Arc::new(spec),
            arrived: 0,
        })
    }
}

impl Operator for GroupOperator {
    fn on_batch(&mut self, _input: usize, batch: Batch, _out: &mut Output) -> Result<()> {
        let first = self.arrived;
        self.arrived += batch.num_rows() as u64;
        let arrival = |row| first + row as u64;
        (self.groups).update(&self.spec.aggregates, &self.spec.keys, &batch, arrival)
    }

    fn parallel(&mut self) -> Parallel<'_> {
        Parallel::Local(self)
    }

    fn on_watermark(&mut self, watermark: &Watermark, out: &mut Output) -> Result<()> {
        if watermark.time == Watermark::END {
            if self.spec.keys.is_empty() {
                self.groups.ensure_group();
            }
            let mut rows = ResultRows::new(self.spec.schema.clone());
            for ids in self.groups.in_order().chunks(MAX_ROWS) {
                let columns =
                    self.groups
                        .columns(&self.spec.aggregates, ids, Position::MAX, out)?;
                rows.add(columns, ids.iter().map(|_| Position::MAX), out)?;
            }
            rows.flush(out)?;
            self.groups = Grouped::new(&self.spec.key_fields, &self.spec.aggregates)?;
        }
        out.watermark(watermark.clone());
        Ok(())
    }

    fn open_windows(&self) -> usize {
        self.groups.len()
    }

    fn next_end(&self) -> Option<i64> {
        Some(Watermark::END)
    }

    fn size_bytes(&self) -> usize {
        self.groups.size_bytes()
    }

    fn copy(&self) -> Box<dyn Operator> {
        Box::new(self.clone())
    }
}

impl TwoPhase for GroupOperator {
    fn local(&self) -> Arc<dyn Local> {
        Arc::new(LocalGroups {
            spec: Arc::clone(&self.spec),
            worth: Worth::default(),
        })
    }

    fn on_partials(&mut self, partials: Partials, _out: &mut Output) -> Result<()> {
        let mut partials = partials.0.iter();
        partials.try_for_each(|partial| self.groups.merge(&partial.groups))
    }
}

/// The first phase: the groups of one batch.
struct LocalGroups {
    spec: Arc<GroupSpec>,
    worth: Worth,
}

impl Local for LocalGroups {
    fn gather(&self, batch: Batch, _out: &mut Output) -> Result<Gathered> {
        if !self.worth.is_given() {
            return Ok(Gathered::Rows(batch));
        }
        let spec = &self.spec;
        let mut groups = Grouped::new(&spec.key_fields, &spec.aggregates)?;
        // Rows of a source have positions of their own: which came first does not depend on arrival.
        groups.update(&spec.aggregates, &spec.keys, &batch, |_| 0)?;
        self.worth.learn(batch.num_rows(), groups.len());
        Ok(Gathered::Partials(Partials(vec![Partial {
            key: (0, 0),
            windows: Vec::new(),
            groups,
        }])))
    }
}
