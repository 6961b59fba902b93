//! The local phase of a windowed GROUP BY: the rows of one batch gathered into partials, on any thread.
//!
//! ```text
//!   block 7 ─► {(12:00, web1) 3, (12:01, web1) 9} ─┐ in order
//!   block 8 ─► {(12:01, web1) 4, (12:02, web2) 1} ─┴► {… (12:01, web1) 13 …}      the operator merges
//! ```
//!
//! Invariant: partials depend on the rows alone and merge in any order, so that it shows nowhere which rows
//! shared a batch. Rows of a source have positions of their own: their order of arrival is not needed.

use std::sync::Arc;

use super::aggregate::WindowAggregateSpec;
use super::slices::Chooser;
use crate::data::Batch;
use crate::error::Result;
use crate::exec::Output;
use crate::exec::grouped::Grouped;
use crate::exec::parallel::{Gathered, Local, Partial, Partials};

/// Gathers batches for a `WindowAggregateOperator`.
pub(super) struct LocalWindows {
    spec: Arc<WindowAggregateSpec>,
    chooser: Arc<Chooser>,
}

impl LocalWindows {
    pub(super) fn new(spec: Arc<WindowAggregateSpec>, chooser: Arc<Chooser>) -> Self {
        LocalWindows { spec, chooser }
    }
}

impl Local for LocalWindows {
    fn gather(&self, batch: Batch, out: &mut Output) -> Result<Gathered> {
        if batch.watermarks.is_none() {
            return Ok(Gathered::Rows(batch));
        }
        let chosen = self.chooser.choose(&batch, i64::MIN, out)?;
        let mut partials = Vec::with_capacity(chosen.len());
        for chosen in chosen {
            let mut groups = Grouped::new(&self.spec.key_fields, &self.spec.aggregates)?;
            let (aggregates, keys) = (&self.spec.aggregates, &self.spec.keys);
            groups.update_rows(aggregates, keys, &batch, &chosen.rows, 0)?;
            partials.push(Partial {
                key: chosen.key,
                windows: chosen.windows,
                groups,
            });
        }
        Ok(Gathered::Partials(Partials(partials)))
    }
}
