//! The frame of all aggregates: one state per group in a dense column, and what all kinds share.
//!
//! ```text
//!   kind (how to add, merge, finish)      states    [ s0, s1, s2, … ]      one per group, by number
//! ```
//!
//! Invariants: a state is a pure function of the set of (position, row) added to it, however they were cut
//! and merged. The filter is applied here; constants arrive at a kind as columns.

use std::any::Any;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray};
use arrow::buffer::{BooleanBuffer, NullBuffer};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::DataType;
use datafusion_common::ScalarValue;

use super::{AggregateInput, AggregateSpec, Argument, GroupAggregate};
use crate::data::Position;
use crate::error::{Error, Result};

/// How one kind of aggregate adds, merges and finishes.
pub(super) trait Kind: Send + Sync + 'static {
    /// What is kept for a group; the default is the empty group.
    type State: Clone + Default + Send + 'static;

    /// True if `update` reads the rows of columns of these types where they stand. Otherwise it gets columns
    /// of the rows that are meant alone.
    fn reads_in_place(&self, _arguments: &[ArrayRef]) -> bool {
        false
    }

    /// Adds the rows to the states of their groups.
    fn update(&self, rows: &Rows<'_>, states: &mut [Self::State]) -> Result<()>;

    /// Adds one state to another.
    fn merge(&self, from: &Self::State, into: &mut Self::State);

    /// The values of the states; the frame casts them to the type of the result.
    fn evaluate(&self, states: &[&Self::State]) -> Result<ArrayRef>;

    /// True if the state has values but no result.
    fn overflowed(&self, _state: &Self::State) -> bool {
        false
    }

    /// Bytes that a state keeps outside of its own place. Kinds with none say so by `NO_HEAP`.
    fn heap_bytes(&self, _state: &Self::State) -> usize {
        0
    }

    /// True if states keep nothing outside of their own place.
    const NO_HEAP: bool = true;

    /// True if a state is a few words, however many rows it has.
    const SMALL: bool = Self::NO_HEAP;
}

/// The rows of one call of `update`.
pub(super) struct Rows<'a> {
    /// One column per argument of the call.
    pub(super) arguments: Vec<ArrayRef>,
    /// The keys of `ORDER BY`.
    pub(super) order_by: &'a [ArrayRef],
    /// Where the rows stand in the arrival order.
    pub(super) positions: &'a [Position],
    /// The rows that are meant; `None` for all.
    chosen: Option<&'a [u32]>,
    groups: &'a [u32],
    filter: Option<BooleanBuffer>,
}

impl Rows<'_> {
    /// Calls `add(row, group)` for each row that counts and is valid in `nulls`.
    pub(super) fn each(&self, nulls: Option<&NullBuffer>, mut add: impl FnMut(usize, usize)) {
        let nulls = nulls.filter(|n| n.null_count() > 0);
        let mask = match (&self.filter, nulls) {
            (None, None) => None,
            (Some(filter), None) => Some(filter.clone()),
            (None, Some(nulls)) => Some(nulls.inner().clone()),
            (Some(filter), Some(nulls)) => Some(filter & nulls.inner()),
        };
        let groups = self.groups.iter();
        match (self.chosen, mask) {
            (None, None) => groups
                .enumerate()
                .for_each(|(row, &group)| add(row, group as usize)),
            (None, Some(mask)) => mask
                .set_indices()
                .for_each(|row| add(row, self.groups[row] as usize)),
            (Some(rows), None) => (rows.iter().zip(groups))
                .for_each(|(&row, &group)| add(row as usize, group as usize)),
            (Some(rows), Some(mask)) => (rows.iter().zip(groups))
                .filter(|&(&row, _)| mask.value(row as usize))
                .for_each(|(&row, &group)| add(row as usize, group as usize)),
        }
    }

    /// The argument in the type that the kind works in; a value that does not fit is NULL.
    pub(super) fn argument(&self, index: usize, data_type: &DataType) -> Result<ArrayRef> {
        cast_to(&self.arguments[index], data_type)
    }
}

/// The column in another type; a value that does not fit is NULL. Durations are numbers of their steps.
pub(super) fn cast_to(column: &ArrayRef, data_type: &DataType) -> Result<ArrayRef> {
    if column.data_type() == data_type {
        return Ok(ArrayRef::clone(column));
    }
    if matches!(
        (column.data_type(), data_type),
        (DataType::Duration(_), DataType::Float64) | (DataType::Float64, DataType::Duration(_))
    ) {
        return cast_to(&cast_to(column, &DataType::Int64)?, data_type);
    }
    let options = CastOptions {
        safe: true,
        ..CastOptions::default()
    };
    Ok(cast_with_options(column, data_type, &options)?)
}

/// Where the values of an argument come from.
#[derive(Clone)]
enum Source {
    Column(usize, DataType),
    Constant(ScalarValue),
}

/// The states of one aggregate call.
pub(super) struct Groups<K: Kind> {
    kind: Arc<K>,
    sources: Vec<Source>,
    result: DataType,
    states: Vec<K::State>,
}

impl<K: Kind> Groups<K> {
    /// No groups yet.
    pub(super) fn boxed(kind: K, spec: &AggregateSpec) -> Box<dyn GroupAggregate> {
        let mut columns = 0;
        let sources = (spec.arguments.iter().zip(&spec.argument_fields))
            .map(|(argument, field)| match argument {
                Argument::Column(_) => {
                    columns += 1;
                    Source::Column(columns - 1, field.data_type().clone())
                }
                Argument::Literal(value) => Source::Constant(value.clone()),
            })
            .collect();
        Box::new(Groups {
            kind: Arc::new(kind),
            sources,
            result: spec.output.data_type().clone(),
            states: Vec::new(),
        })
    }
}

impl<K: Kind> Clone for Groups<K> {
    fn clone(&self) -> Self {
        Groups {
            kind: Arc::clone(&self.kind),
            sources: self.sources.clone(),
            result: self.result.clone(),
            states: self.states.clone(),
        }
    }
}

impl<K: Kind> GroupAggregate for Groups<K> {
    fn resize(&mut self, groups: usize) {
        if groups > self.states.len() {
            self.states.resize_with(groups, K::State::default);
        }
    }

    fn update(&mut self, input: &AggregateInput, groups: &[u32]) -> Result<()> {
        let taken;
        let input = match input.rows.is_none() || self.kind.reads_in_place(&input.arguments) {
            true => input,
            false => {
                taken = input.taken()?;
                &taken
            }
        };
        let arguments = (self.sources.iter())
            .map(|source| match source {
                Source::Column(index, data_type) => cast_to(&input.arguments[*index], data_type),
                Source::Constant(value) => (value.to_array_of_size(input.positions.len()))
                    .map_err(|e| Error::internal("a constant has no column").cause(e)),
            })
            .collect::<Result<Vec<_>>>()?;
        let rows = Rows {
            arguments,
            order_by: &input.order_by,
            positions: &input.positions,
            chosen: input.rows.as_ref().map(|rows| &rows.values()[..]),
            groups,
            filter: input.filter.as_ref().and_then(rows_that_count),
        };
        self.kind.update(&rows, &mut self.states)
    }

    fn merge(&mut self, other: &dyn GroupAggregate, groups: &[u32]) -> Result<()> {
        let Some(other) = other.as_any().downcast_ref::<Self>() else {
            return Err(Error::internal(
                "merged the states of two different aggregates",
            ));
        };
        for (from, &into) in other.states.iter().zip(groups) {
            self.kind.merge(from, &mut self.states[into as usize]);
        }
        Ok(())
    }

    fn merge_group(&mut self, from: u32, into: u32) -> Result<()> {
        if from != into {
            let state = std::mem::take(&mut self.states[from as usize]);
            self.kind.merge(&state, &mut self.states[into as usize]);
        }
        Ok(())
    }

    fn reset(&mut self, groups: &[u32]) {
        for &group in groups {
            self.states[group as usize] = K::State::default();
        }
    }

    fn evaluate(&self, groups: &[u32]) -> Result<ArrayRef> {
        let states: Vec<&K::State> = groups.iter().map(|&g| &self.states[g as usize]).collect();
        cast_to(&self.kind.evaluate(&states)?, &self.result)
    }

    fn overflowed(&self, group: u32) -> bool {
        self.kind.overflowed(&self.states[group as usize])
    }

    fn is_small(&self) -> bool {
        K::SMALL
    }

    fn size_bytes(&self) -> usize {
        let dense = self.states.capacity() * size_of::<K::State>();
        if K::NO_HEAP {
            return dense;
        }
        let heap = |state| self.kind.heap_bytes(state);
        dense + self.states.iter().map(heap).sum::<usize>()
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn copy(&self) -> Box<dyn GroupAggregate> {
        Box::new(self.clone())
    }
}

/// The rows where the filter is true, `None` if that is all of them.
fn rows_that_count(filter: &BooleanArray) -> Option<BooleanBuffer> {
    if filter.true_count() == filter.len() {
        return None;
    }
    Some(match filter.nulls() {
        Some(nulls) => filter.values() & nulls.inner(),
        None => filter.values().clone(),
    })
}
