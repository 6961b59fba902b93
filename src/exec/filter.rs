//! WHERE and HAVING: lets the rows through for which a condition is true.

use std::sync::Arc;

use super::expression::{Expression, Failures};
use super::parallel::{Parallel, Stateless};
use super::{Operator, Output};
use crate::data::{Batch, Event};
use crate::error::Result;

/// Keeps the rows for which `predicate` is true.
#[derive(Debug, Clone)]
pub struct Filter {
    predicate: Expression,
}

impl Filter {
    /// A filter by a BOOLEAN expression over the columns of its input.
    pub fn new(predicate: Expression) -> Self {
        Filter { predicate }
    }
}

impl Stateless for Filter {
    fn apply(&self, batch: Batch, out: &mut Output) -> Result<()> {
        let mut failures = Failures::new();
        let keep = self.predicate.mask(&batch.columns, &mut failures)?;
        report(failures, &batch, out);
        out.batch(batch.filter(&keep)?);
        Ok(())
    }
}

impl Operator for Filter {
    fn on_batch(&mut self, _input: usize, batch: Batch, out: &mut Output) -> Result<()> {
        self.apply(batch, out)
    }

    fn parallel(&mut self) -> Parallel<'_> {
        Parallel::Whole(Arc::new(self.clone()))
    }

    fn copy(&self) -> Box<dyn Operator> {
        Box::new(self.clone())
    }
}

/// Reports the rows that an expression had no value for.
pub(super) fn report(mut failures: Failures, batch: &Batch, out: &mut Output) {
    for (row, what) in failures.take() {
        out.event(Event::ExpressionError {
            position: batch.positions[row as usize],
            what,
        });
    }
}
