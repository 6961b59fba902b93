//! SELECT: computes new columns for each row.

use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::SchemaRef;

use super::expression::{Expression, Failures};
use super::filter::report;
use super::parallel::{Parallel, Stateless};
use super::{Operator, Output};
use crate::data::Batch;
use crate::error::Result;

/// Replaces the columns of each row by the values of expressions over them.
#[derive(Debug, Clone)]
pub struct Project {
    expressions: Vec<Expression>,
    schema: SchemaRef,
}

impl Project {
    /// One expression for each field of `schema`, of the field's type.
    pub fn new(expressions: Vec<Expression>, schema: SchemaRef) -> Self {
        Project {
            expressions,
            schema,
        }
    }
}

impl Stateless for Project {
    fn apply(&self, batch: Batch, out: &mut Output) -> Result<()> {
        let mut failures = Failures::new();
        let columns = self
            .expressions
            .iter()
            .map(|expression| expression.column(&batch.columns, &mut failures))
            .collect::<Result<Vec<_>>>()?;
        report(failures, &batch, out);
        // A batch may have rows and no columns: then only its options know how many rows.
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        let columns = RecordBatch::try_new_with_options(self.schema.clone(), columns, &options)?;
        out.batch(batch.with_columns(columns));
        Ok(())
    }
}

impl Operator for Project {
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
