//! The rows for which an expression had no value, kept apart from the values until they are counted.
//!
//! ```text
//!   batch rows      0 1 2 3 4 5
//!   AND needs         1   3 4          within([1, 3, 4]): its right side sees rows 0 1 2,
//!   fails there           1            and what it adds as row 1 is row 3 of the batch
//! ```
//!
//! Invariant: row numbers in the list are those of the batch that the outermost expression was given.

use std::sync::Arc;

/// Rows without a value, and what had none.
#[derive(Debug, Default)]
pub struct Failures {
    rows: Vec<(u32, Arc<str>)>,
    selection: Option<Vec<u32>>,
}

impl Failures {
    /// No failures.
    pub fn new() -> Self {
        Failures::default()
    }

    /// Adds rows of the batch that is being evaluated; `what` is asked only if there are any.
    pub fn add_rows(&mut self, rows: &[u32], what: impl FnOnce() -> String) {
        if rows.is_empty() {
            return;
        }
        let what: Arc<str> = what().into();
        for &row in rows {
            let row = match &self.selection {
                Some(selection) => selection[row as usize],
                None => row,
            };
            self.rows.push((row, Arc::clone(&what)));
        }
    }

    /// Runs `evaluate` on a selection of the batch: rows that fail in it are named as `rows` names them.
    pub fn within<T>(&mut self, rows: &[u32], evaluate: impl FnOnce(&mut Self) -> T) -> T {
        let inner = match &self.selection {
            Some(outer) => rows.iter().map(|&row| outer[row as usize]).collect(),
            None => rows.to_vec(),
        };
        let outer = self.selection.replace(inner);
        let result = evaluate(self);
        self.selection = outer;
        result
    }

    /// The failures in the order of rows; those of one row in the order in which they happened.
    pub fn take(&mut self) -> Vec<(u32, Arc<str>)> {
        let mut rows = std::mem::take(&mut self.rows);
        rows.sort_by_key(|(row, _)| *row);
        rows
    }
}
