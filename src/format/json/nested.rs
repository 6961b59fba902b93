//! A column of ROW, ARRAY or MAP values: the text of each value, taken apart into columns of its parts.
//!
//! ```text
//!  cells     {"id":1,"tags":["a","b"]} │ null │ {"tags":[]}
//!  id        1                         │ NULL │ NULL           each a column with a writer of its own
//!  tags      ["a","b"]                 │ NULL │ []
//!   └ items  "a" "b"                    ends: 2 2 2
//! ```
//!
//! Invariants: each cell appends one value; a value that does not fit, or with a part that does not, is NULL
//! and a misfit. Of a key that comes twice the last value counts; keys that a ROW does not name are left
//! out, as keys of a record that no column names are.

use std::sync::Arc;

use arrow::array::{ArrayRef, ListArray, MapArray, StructArray};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, FieldRef, Fields};

use super::cells::JsonCells;
use super::keys::Keys;
use super::scanner::{JsonError, Scanner};
use super::value::{JsonValue, unescape};
use crate::error::Result;
use crate::format::columns::cells::{Cell, CellKind, Texts};
use crate::format::columns::column_writer::{ColumnPlan, ColumnWriter};
use crate::format::columns::value_parsers::Misfit;
use crate::format::{Nulls, ReadColumn};
use crate::time::Zone;

/// How the values of a type are taken apart: made once for a query.
#[derive(Debug, Clone)]
pub(in crate::format) enum NestedPlan {
    /// ROW: the keys, and the slot and plan of each field; true if other keys are told.
    Row(Fields, Arc<Keys>, Vec<(usize, ColumnPlan)>, bool),
    /// ARRAY.
    Array(FieldRef, Box<ColumnPlan>),
    /// MAP of STRING: the entries, and plans of key and value.
    Map(FieldRef, Box<[ColumnPlan; 2]>),
}

/// The values so far.
pub(in crate::format) struct NestedColumn {
    parts: Vec<ColumnWriter>,
    /// Where the parts of each value end, for arrays and maps.
    ends: Vec<i32>,
    nulls: Vec<bool>,
}

impl NestedPlan {
    /// The plan of a type; `None` if it has no parts, or parts that cannot be read.
    pub(in crate::format) fn new(column: &ReadColumn, zone: Zone) -> Option<Result<Self>> {
        let part = |field: &FieldRef| {
            let mut part = ReadColumn::new(column.spelling(), Arc::clone(field));
            let may_round =
                field.data_type().is_nested() || field.data_type() == &DataType::Float64;
            part.tells_keys = column.tells_keys;
            part.exact_integers = column.exact_integers && may_round;
            ColumnPlan::new(&part, zone)
        };
        match column.field.data_type() {
            DataType::Struct(fields) => {
                let paths: Vec<_> = fields
                    .iter()
                    .map(|field| vec![field.name().as_str()])
                    .collect();
                let (keys, slots) = Keys::of(&paths);
                let plans: Result<Vec<_>> = fields.iter().map(part).collect();
                Some(plans.map(|plans| {
                    let parts = slots.into_iter().zip(plans).collect();
                    NestedPlan::Row(fields.clone(), Arc::new(keys), parts, column.tells_keys)
                }))
            }
            DataType::List(item) => {
                Some(part(item).map(|plan| NestedPlan::Array(Arc::clone(item), Box::new(plan))))
            }
            DataType::Map(entries, _) => match entries.data_type() {
                DataType::Struct(pair)
                    if pair.len() == 2 && pair[0].data_type() == &DataType::Utf8View =>
                {
                    let plans = part(&pair[0]).and_then(|key| Ok([key, part(&pair[1])?]));
                    Some(plans.map(|plans| NestedPlan::Map(Arc::clone(entries), Box::new(plans))))
                }
                _ => None,
            },
            _ => None,
        }
    }

    fn parts(&self) -> Vec<&ColumnPlan> {
        match self {
            NestedPlan::Row(_, _, parts, _) => parts.iter().map(|(_, plan)| plan).collect(),
            NestedPlan::Array(_, plan) => vec![plan],
            NestedPlan::Map(_, plans) => plans.iter().collect(),
        }
    }

    /// How many slots a value's parts are read into.
    fn slot_count(&self) -> usize {
        match self {
            NestedPlan::Row(_, _, parts, _) => {
                parts.iter().map(|(slot, _)| slot + 1).max().unwrap_or(0)
            }
            NestedPlan::Array(..) => 1,
            NestedPlan::Map(..) => 2,
        }
    }
}

/// The parts of a run of values before they are written: a slot for each, and for arrays and maps the number
/// of the value that each part belongs to.
struct Parts {
    cells: JsonCells,
    owners: Vec<usize>,
}

impl NestedColumn {
    pub(in crate::format) fn new(plan: &NestedPlan, rows: usize) -> Self {
        NestedColumn {
            parts: plan.parts().iter().map(|part| part.writer(rows)).collect(),
            ends: Vec::new(),
            nulls: Vec::with_capacity(rows),
        }
    }

    /// Values so far.
    pub(in crate::format) fn len(&self) -> usize {
        self.nulls.len()
    }

    /// Appends the values of `cells`; `misfit` gets the numbers of those that do not fit.
    pub(in crate::format) fn write_cells(
        &mut self,
        plan: &NestedPlan,
        texts: Texts<'_>,
        cells: &[Cell],
        misfit: &mut dyn FnMut(usize, Misfit),
    ) {
        let slot_count = plan.slot_count();
        let mut parts = Parts {
            cells: JsonCells::new(slot_count),
            owners: Vec::new(),
        };
        let before = self.ends.last().copied().unwrap_or(0);
        let first = self.nulls.len();
        for (number, cell) in cells.iter().enumerate() {
            let text = texts.get(*cell);
            let is_null = match cell.kind {
                CellKind::Null => true,
                CellKind::Field | CellKind::QuotedField if text.trim_ascii().is_empty() => true,
                CellKind::Nested | CellKind::Field | CellKind::QuotedField => {
                    let read = parts.read(plan, text, number);
                    match read {
                        Ok(true) => {}
                        Ok(false) => misfit(number, Misfit::Unnamed),
                        Err(_) => misfit(number, Misfit::Type),
                    }
                    read.is_err()
                }
                _ => {
                    misfit(number, Misfit::Type);
                    true
                }
            };
            self.nulls.push(is_null);
            let count = parts.cells.row_count() as i32;
            match plan {
                NestedPlan::Row(..) => parts.fill_row(slot_count, number + 1),
                _ => self.ends.push(before + count),
            }
        }
        let owner = |part: usize| match plan {
            NestedPlan::Row(..) => part,
            _ => parts.owners[part],
        };
        let slots: Vec<usize> = match plan {
            NestedPlan::Row(_, _, fields, _) => fields.iter().map(|(slot, _)| *slot).collect(),
            _ => (0..slot_count).collect(),
        };
        let texts = Texts::new(&[], parts.cells.aside(), true);
        let none = &Nulls::Words(Vec::new());
        let mut bad = Vec::new();
        for ((writer, plan), slot) in self.parts.iter_mut().zip(plan.parts()).zip(slots) {
            let mut told = |part: usize, why: Misfit| match why {
                Misfit::Unnamed => misfit(owner(part), why),
                why => bad.push((owner(part), why)),
            };
            writer.write_cells(plan, none, texts, parts.cells.column(slot), &mut told);
        }
        bad.sort_by_key(|(number, _)| *number);
        bad.dedup_by_key(|(number, _)| *number);
        for (number, why) in bad {
            self.nulls[first + number] = true;
            misfit(number, why);
        }
    }

    /// The column.
    pub(in crate::format) fn finish(self, plan: &NestedPlan) -> ArrayRef {
        let length = self.nulls.len();
        let nulls = self
            .nulls
            .contains(&true)
            .then(|| NullBuffer::from_iter(self.nulls.iter().map(|is_null| !is_null)));
        let parts: Vec<ArrayRef> = self
            .parts
            .into_iter()
            .zip(plan.parts())
            .map(|(part, plan)| part.finish(plan))
            .collect();
        let ends = std::iter::once(0).chain(self.ends);
        match plan {
            NestedPlan::Row(fields, ..) if fields.is_empty() => {
                Arc::new(StructArray::new_empty_fields(length, nulls))
            }
            NestedPlan::Row(fields, ..) => Arc::new(StructArray::new(fields.clone(), parts, nulls)),
            NestedPlan::Array(item, _) => {
                let offsets = OffsetBuffer::new(ends.collect());
                Arc::new(ListArray::new(
                    Arc::clone(item),
                    offsets,
                    Arc::clone(&parts[0]),
                    nulls,
                ))
            }
            NestedPlan::Map(entries, _) => {
                let DataType::Struct(pair) = entries.data_type() else {
                    return arrow::array::new_null_array(&DataType::Null, length);
                };
                let offsets = OffsetBuffer::new(ends.collect());
                let pairs = StructArray::new(pair.clone(), parts, None);
                Arc::new(MapArray::new(
                    Arc::clone(entries),
                    offsets,
                    pairs,
                    nulls,
                    false,
                ))
            }
        }
    }
}

const MISFIT: JsonError = JsonError {
    reason: "the value is of another kind",
    help: None,
};

/// Reads the object that `text` is into the slots of its keys; false if it has others, too.
fn read_row<'t>(
    keys: &Keys,
    text: &'t [u8],
    values: &mut [JsonValue<'t>],
) -> Result<bool, JsonError> {
    let mut scanner = Scanner::new(text);
    if !scanner.at_object() {
        return Err(MISFIT);
    }
    let (mut all_named, mut scratch) = (true, Vec::new());
    scanner.object(|scanner, key| {
        scratch.clear();
        unescape(key.inside, &mut scratch);
        let slot = keys.find(&scratch).and_then(|node| node.slot);
        let value = scanner.value()?;
        match slot {
            Some(slot) => values[slot] = value,
            None => all_named = false,
        }
        Ok(())
    })?;
    scanner.finish()?;
    Ok(all_named)
}

impl Parts {
    /// Takes one value apart; leaves nothing of one that fails. False if it has keys that are to be told.
    fn read(&mut self, plan: &NestedPlan, text: &[u8], number: usize) -> Result<bool, JsonError> {
        let mut values = Vec::new();
        match plan {
            NestedPlan::Row(_, keys, parts, tells) => {
                let slots = parts.iter().map(|(slot, _)| slot + 1).max().unwrap_or(0);
                values.resize(slots, JsonValue::Null);
                let all_named = read_row(keys, text, &mut values)?;
                for (slot, value) in values.iter().enumerate() {
                    self.cells.put_copy(slot, *value);
                }
                self.cells.end_row();
                return Ok(all_named || !tells);
            }
            NestedPlan::Array(..) => {
                let mut scanner = Scanner::new(text);
                if !scanner.at_array() {
                    return Err(MISFIT);
                }
                scanner.array(|scanner| {
                    values.push(scanner.value()?);
                    Ok(())
                })?;
                scanner.finish()?;
                for value in values {
                    self.cells.put_copy(0, value);
                    self.cells.end_row();
                    self.owners.push(number);
                }
            }
            NestedPlan::Map(..) => {
                let mut scanner = Scanner::new(text);
                if !scanner.at_object() {
                    return Err(MISFIT);
                }
                let mut keys = Vec::new();
                scanner.object(|scanner, key| {
                    keys.push(JsonValue::Text {
                        inside: key.inside,
                        escaped: key.escaped,
                    });
                    values.push(scanner.value()?);
                    Ok(())
                })?;
                scanner.finish()?;
                let mut seen = hashbrown::HashSet::new();
                let is_last = |key: &JsonValue<'_>| seen.insert(key.text(&mut Vec::new()).to_vec());
                let mut last: Vec<bool> = keys.iter().rev().map(is_last).collect();
                last.reverse();
                for ((key, value), is_last) in keys.into_iter().zip(values).zip(last) {
                    if is_last {
                        self.cells.put_copy(0, key);
                        self.cells.put_copy(1, value);
                        self.cells.end_row();
                        self.owners.push(number);
                    }
                }
            }
        }
        Ok(true)
    }

    /// A ROW that is NULL has NULL in every slot.
    fn fill_row(&mut self, slot_count: usize, wanted: usize) {
        if self.cells.row_count() < wanted {
            for slot in 0..slot_count {
                self.cells.put(slot, JsonCells::NULL);
            }
            self.cells.end_row();
        }
    }
}
