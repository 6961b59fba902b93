//! Small pictures of what a group had in the windows before: `▁▃▇▅`.
//!
//! Invariants: of each group the newest [`PLACES`] values are kept, of at most [`MOST_GROUPS`] groups; all are
//! drawn against the greatest value of their own group.

use std::collections::{HashMap, VecDeque};

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, SchemaRef};

use crate::cli::display::{Roles, columns, writers};
use crate::data::print::{Style, ValueWriter};
use crate::error::Result;
use crate::session::ResultInfo;

const PLACES: usize = 16;
const MOST_GROUPS: usize = 10_000;
const EIGHTHS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// What groups had.
pub(super) struct Sparks {
    roles: Roles,
    writers: Vec<ValueWriter>,
    histories: HashMap<String, VecDeque<f64>>,
}

impl Sparks {
    /// Those of a result with these columns.
    ///
    /// # Errors
    /// For columns that cannot be shown.
    pub(super) fn new(schema: &SchemaRef, info: &ResultInfo) -> Result<Self> {
        Ok(Sparks {
            roles: Roles::of(schema, info),
            writers: writers(schema, Style::Table, None)?,
            histories: HashMap::new(),
        })
    }

    /// Takes rows that are out.
    ///
    /// # Errors
    /// For columns of another type.
    pub(super) fn add(&mut self, rows: &RecordBatch) -> Result<()> {
        for (label, value) in self.values(rows)? {
            let is_full = self.histories.len() >= MOST_GROUPS;
            let Some(value) = value else { continue };
            if is_full && !self.histories.contains_key(&label) {
                continue;
            }
            let history = self.histories.entry(label).or_default();
            if history.len() == PLACES {
                history.pop_front();
            }
            history.push_back(value);
        }
        Ok(())
    }

    /// The picture of each row's group, that row at its end.
    ///
    /// # Errors
    /// For columns of another type.
    pub(super) fn of(&self, rows: &RecordBatch) -> Result<Vec<String>> {
        let picture = |(label, newest): (String, Option<f64>)| {
            let before = self.histories.get(&label).into_iter().flatten().copied();
            let values: Vec<f64> = before.chain(newest).collect();
            // One value is no history.
            if values.len() < 2 {
                String::new()
            } else {
                picture(&values)
            }
        };
        Ok(self.values(rows)?.into_iter().map(picture).collect())
    }

    /// The group of each row and its value.
    fn values(&self, rows: &RecordBatch) -> Result<Vec<(String, Option<f64>)>> {
        let Some(measure) = self.roles.measure() else {
            return Ok(Vec::new());
        };
        let texts = columns(&self.writers, rows)?;
        let values = cast(rows.column(measure), &DataType::Float64)?;
        let values = values.as_primitive::<Float64Type>();
        let value = |row: usize| {
            let value = (!values.is_null(row)).then(|| values.value(row));
            value.filter(|value| value.is_finite())
        };
        let rows = 0..rows.num_rows();
        Ok(rows
            .map(|row| (self.roles.label(&texts, row), value(row)))
            .collect())
    }
}

fn picture(values: &[f64]) -> String {
    let most = values.iter().copied().fold(0.0, f64::max);
    let least = values.iter().copied().fold(0.0, f64::min);
    let width = most - least;
    let letter = |value: &f64| {
        let part = if width > 0.0 {
            (value - least) / width
        } else {
            0.0
        };
        EIGHTHS[((part * 7.0).round() as usize).min(7)]
    };
    values.iter().map(letter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_drawn_from_zero() {
        assert_eq!(picture(&[0.0, 5.0, 10.0]), "▁▅█");
        assert_eq!(picture(&[10.0, 10.0]), "██");
        assert_eq!(picture(&[0.0, 0.0]), "▁▁");
        assert_eq!(picture(&[-7.0, 0.0]), "▁█");
        assert_eq!(picture(&[f64::MIN, f64::MAX]).chars().count(), 2);
    }
}
