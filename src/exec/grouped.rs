//! Groups with their keys, aggregates and first rows: what grouped and windowed aggregation keep.
//!
//! ```text
//!  id   keys        aggregates        first row
//!  0    web1 200    count 7, sum 41   position 0, arrival 0
//!  1    web2 500    count 1, sum 3    position 4, arrival 4
//! ```
//!
//! Groups come out in the order of their first counted row. Where rows share a position (several windows
//! that one row closed), the order of arrival decides, which no cut of the input changes either.

use arrow::array::{Array, ArrayRef, AsArray, UInt32Array};
use arrow::compute::take;
use arrow::datatypes::FieldRef;

use super::Output;
use super::aggregate::{self, AggregateInput, AggregateSpec, Argument, GroupAggregate};
use super::keys::GroupKeys;
use crate::data::{Batch, Event, Position};
use crate::error::Result;

/// Where the first row of a group stands: its position, and its number among the rows of the operator.
pub(super) type FirstRow = (Position, u64);

/// The states of all aggregate calls of an operator for many groups.
#[derive(Clone)]
pub(super) struct Accumulators {
    states: Vec<Box<dyn GroupAggregate>>,
}

impl Accumulators {
    /// No groups yet.
    pub(super) fn new(specs: &[AggregateSpec]) -> Result<Self> {
        let states: Result<Vec<_>> = specs.iter().map(aggregate::create).collect();
        Ok(Accumulators { states: states? })
    }

    /// True if states are small, so that several copies of them cost little.
    pub(super) fn are_small(&self) -> bool {
        self.states.iter().all(|state| state.is_small())
    }

    /// Makes room for groups `0..groups`.
    pub(super) fn resize(&mut self, groups: usize) {
        for state in &mut self.states {
            state.resize(groups);
        }
    }

    /// Adds rows of a batch, all without `rows`, to the groups named for each.
    pub(super) fn update(
        &mut self,
        specs: &[AggregateSpec],
        batch: &Batch,
        rows: Option<&UInt32Array>,
        groups: &[u32],
    ) -> Result<()> {
        for (state, spec) in self.states.iter_mut().zip(specs) {
            state.update(&input_of(spec, batch, rows), groups)?;
        }
        Ok(())
    }

    /// Adds group `i` of `other` to group `groups[i]`.
    pub(super) fn merge(&mut self, other: &Accumulators, groups: &[u32]) -> Result<()> {
        for (state, other) in self.states.iter_mut().zip(&other.states) {
            state.merge(other.as_ref(), groups)?;
        }
        Ok(())
    }

    /// Adds group `from` to group `into` and empties `from`.
    pub(super) fn merge_group(&mut self, from: u32, into: u32) -> Result<()> {
        (self.states.iter_mut()).try_for_each(|state| state.merge_group(from, into))
    }

    /// Empties groups.
    pub(super) fn reset(&mut self, groups: &[u32]) {
        for state in &mut self.states {
            state.reset(groups);
        }
    }

    /// A column of values for each call. A sum out of range is NULL and an expression error of the row that
    /// `position` gives for the place of its group.
    pub(super) fn evaluate(
        &self,
        specs: &[AggregateSpec],
        groups: &[u32],
        position: impl Fn(usize) -> Position,
        out: &mut Output,
    ) -> Result<Vec<ArrayRef>> {
        let mut columns = Vec::with_capacity(self.states.len());
        for (state, spec) in self.states.iter().zip(specs) {
            let column = state.evaluate(groups)?;
            if column.null_count() > 0 {
                let failed = groups
                    .iter()
                    .enumerate()
                    .filter(|(_, group)| state.overflowed(**group));
                for (place, _) in failed {
                    out.event(Event::ExpressionError {
                        position: position(place),
                        what: spec.display.as_str().into(),
                    });
                }
            }
            columns.push(column);
        }
        Ok(columns)
    }

    /// Bytes of state.
    pub(super) fn size_bytes(&self) -> usize {
        self.states.iter().map(|state| state.size_bytes()).sum()
    }
}

/// What an aggregate call reads of a batch.
fn input_of(spec: &AggregateSpec, batch: &Batch, rows: Option<&UInt32Array>) -> AggregateInput {
    let column = |column: usize| batch.columns.column(column).clone();
    let arguments = spec.arguments.iter().filter_map(|argument| match argument {
        Argument::Column(number) => Some(column(*number)),
        Argument::Literal(_) => None,
    });
    AggregateInput {
        rows: rows.cloned(),
        arguments: arguments.collect(),
        order_by: spec
            .order_by
            .iter()
            .map(|&(number, _)| column(number))
            .collect(),
        filter: spec
            .filter
            .map(|number| batch.columns.column(number).as_boolean().clone()),
        positions: batch.positions.clone(),
    }
}

/// The columns of that number.
pub(super) fn columns_of(batch: &Batch, columns: &[usize]) -> Vec<ArrayRef> {
    columns
        .iter()
        .map(|&column| batch.columns.column(column).clone())
        .collect()
}

/// Groups by key; see the module.
#[derive(Clone)]
pub(super) struct Grouped {
    keys: GroupKeys,
    accumulators: Accumulators,
    firsts: Vec<FirstRow>,
    /// The greatest position of a row.
    newest: Option<Position>,
}

impl Grouped {
    /// No groups yet, of keys of these fields.
    pub(super) fn new(key_fields: &[FieldRef], specs: &[AggregateSpec]) -> Result<Self> {
        Ok(Grouped {
            keys: GroupKeys::new(key_fields)?,
            accumulators: Accumulators::new(specs)?,
            firsts: Vec::new(),
            newest: None,
        })
    }

    /// Number of groups.
    pub(super) fn len(&self) -> usize {
        self.firsts.len()
    }

    /// Adds the rows of a batch; `arrival` gives a row its number among the rows of the operator.
    pub(super) fn update(
        &mut self,
        specs: &[AggregateSpec],
        keys: &[usize],
        batch: &Batch,
        arrival: impl Fn(usize) -> u64,
    ) -> Result<()> {
        let mut ids = Vec::with_capacity(batch.num_rows());
        (self.keys).intern(&columns_of(batch, keys), batch.num_rows(), &mut ids)?;
        self.note_rows(&ids, &batch.positions, arrival);
        self.accumulators.resize(self.firsts.len());
        self.accumulators.update(specs, batch, None, &ids)
    }

    /// Adds the rows of that number, which rise; `arrived` rows of the operator came before the batch.
    pub(super) fn update_rows(
        &mut self,
        specs: &[AggregateSpec],
        keys: &[usize],
        batch: &Batch,
        rows: &[u32],
        arrived: u64,
    ) -> Result<()> {
        let (Some(&first), Some(&last)) = (rows.first(), rows.last()) else {
            return Ok(());
        };
        if (last - first) as usize + 1 == rows.len() {
            let part = batch.slice(first as usize, rows.len());
            let arrival = |row| arrived + u64::from(first) + row as u64;
            return self.update(specs, keys, &part, arrival);
        }
        let chosen = UInt32Array::from(rows.to_vec());
        let columns = (columns_of(batch, keys).iter())
            .map(|column| Ok(take(column, &chosen, None)?))
            .collect::<Result<Vec<_>>>()?;
        let mut ids = Vec::with_capacity(rows.len());
        self.keys.intern(&columns, rows.len(), &mut ids)?;
        let positions: Vec<Position> = (rows.iter())
            .map(|&row| batch.positions[row as usize])
            .collect();
        self.note_rows(&ids, &positions, |row| arrived + u64::from(rows[row]));
        self.accumulators.resize(self.firsts.len());
        self.accumulators.update(specs, batch, Some(&chosen), &ids)
    }

    /// Adds all groups of `other`, which keeps them.
    pub(super) fn merge(&mut self, other: &Grouped) -> Result<()> {
        let mut ids = Vec::with_capacity(other.len());
        self.keys.intern_from(&other.keys, &mut ids);
        for (&id, &first) in ids.iter().zip(&other.firsts) {
            self.note_first(id, first);
        }
        self.newest = self.newest.max(other.newest);
        self.accumulators.resize(self.firsts.len());
        self.accumulators.merge(&other.accumulators, &ids)
    }

    /// Makes the one group of an aggregate without keys, also if there was no row.
    pub(super) fn ensure_group(&mut self) {
        if self.firsts.is_empty() {
            self.firsts.push((Position::MAX, u64::MAX));
            self.accumulators.resize(1);
        }
    }

    /// All groups in the order of their first rows.
    pub(super) fn in_order(&self) -> Vec<u32> {
        let mut ids: Vec<u32> = (0..self.len() as u32).collect();
        if !self.firsts.is_sorted() {
            ids.sort_by_key(|&id| self.firsts[id as usize]);
        }
        ids
    }

    /// The key columns of groups, then the values of the aggregates; `position` is the row that brought
    /// them out.
    pub(super) fn columns(
        &self,
        specs: &[AggregateSpec],
        ids: &[u32],
        position: Position,
        out: &mut Output,
    ) -> Result<Vec<ArrayRef>> {
        let mut columns = self.keys.columns(ids)?;
        columns.extend(self.accumulators.evaluate(specs, ids, |_| position, out)?);
        Ok(columns)
    }

    /// Bytes of state.
    pub(super) fn size_bytes(&self) -> usize {
        self.keys.size_bytes()
            + self.accumulators.size_bytes()
            + self.firsts.capacity() * size_of::<FirstRow>()
    }

    /// Notes the first rows of groups among the rows of a batch.
    fn note_rows(&mut self, ids: &[u32], positions: &[Position], arrival: impl Fn(usize) -> u64) {
        let (Some(&first), Some(&last)) = (positions.first(), positions.last()) else {
            return;
        };
        if self.newest.is_none_or(|newest| newest < first) && positions.is_sorted() {
            // Rows in order: the first row of a group is the one that makes it.
            for (row, &id) in ids.iter().enumerate() {
                if id as usize == self.firsts.len() {
                    self.firsts.push((positions[row], arrival(row)));
                }
            }
            self.newest = Some(last);
            return;
        }
        for (row, (&id, &position)) in ids.iter().zip(positions).enumerate() {
            self.note_first(id, (position, arrival(row)));
        }
        self.newest = self.newest.max(positions.iter().max().copied());
    }

    fn note_first(&mut self, id: u32, row: FirstRow) {
        match self.firsts.get_mut(id as usize) {
            Some(first) => *first = row.min(*first),
            // Ids are given in order: the next unknown one is the next entry.
            None => self.firsts.push(row),
        }
    }
}
