//! Reading a windowed table without aggregating it: every row once for each of its windows.
//!
//! ```text
//!  ts        HOP slide 2, size 4      ts  window_start  window_end  window_time
//!  5                                  5   2             6           5
//!                                     5   4             8           7
//! ```
//!
//! Invariants: rows stay in input order, the windows of a row in order of their end; positions and
//! watermarks stay with the rows; nothing is late here, only untimed rows are left out.

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::SchemaRef;

use crate::data::{Batch, Event};
use crate::error::Result;
use crate::exec::time_column::{Times, time_array};
use crate::exec::{Operator, Output};
use crate::time::{Unit, WindowAssigner, WindowSpec, Zone};

/// What to run: windows that are added to rows.
#[derive(Debug, Clone)]
pub struct WindowAssignSpec {
    /// The windows.
    pub window: WindowSpec,
    /// The time column.
    pub time_column: usize,
    /// The unit of the time column.
    pub unit: Unit,
    /// The local clock of instants; `None` for wall-clock times.
    pub zone: Option<Zone>,
    /// The output: the input's columns, then `window_start`, `window_end`, `window_time`.
    pub schema: SchemaRef,
}

/// The running operator.
#[derive(Clone)]
pub struct WindowAssignOperator {
    spec: WindowAssignSpec,
    assigner: WindowAssigner,
}

impl WindowAssignOperator {
    /// An operator before its first row.
    ///
    /// # Errors
    /// Windows that cannot be had in the unit (see [`WindowAssigner::new`]).
    pub fn new(spec: WindowAssignSpec) -> Result<Self> {
        let assigner = WindowAssigner::new(&spec.window, spec.unit, spec.zone)?;
        Ok(WindowAssignOperator { spec, assigner })
    }

    /// Emits the rows named, each with its window.
    fn emit(
        &self,
        batch: &Batch,
        rows: &mut Vec<u32>,
        windows: &mut Vec<(i64, i64)>,
        out: &mut Output,
    ) -> Result<()> {
        if !rows.is_empty() {
            out.batch(with_windows(batch, rows, windows, &self.spec.schema)?);
        }
        rows.clear();
        windows.clear();
        Ok(())
    }
}

/// The rows of that number with the bounds of their windows behind their columns.
pub(super) fn with_windows(
    batch: &Batch,
    rows: &[u32],
    windows: &[(i64, i64)],
    schema: &SchemaRef,
) -> Result<Batch> {
    let taken = batch.take(rows)?;
    let mut columns: Vec<ArrayRef> = taken.columns.columns().to_vec();
    let bounds = [
        windows.iter().map(|&(start, _)| start).collect::<Vec<_>>(),
        windows.iter().map(|&(_, end)| end).collect(),
        windows
            .iter()
            .map(|&(_, end)| end.saturating_sub(1))
            .collect(),
    ];
    for bound in bounds {
        let data_type = schema.field(columns.len()).data_type();
        columns.push(time_array(bound, data_type)?);
    }
    Ok(taken.with_columns(RecordBatch::try_new(schema.clone(), columns)?))
}

impl Operator for WindowAssignOperator {
    fn on_batch(&mut self, _input: usize, batch: Batch, out: &mut Output) -> Result<()> {
        // A row may lie in thousands of windows: batches are cut between rows.
        const MANY: usize = 65_536;
        let times = Times::of(&batch.columns, self.spec.time_column)?;
        let (mut rows, mut windows) = (Vec::new(), Vec::new());
        let mut slice = (i64::MAX, i64::MAX);
        let mut of_slice = Vec::new();
        for (row, &position) in batch.positions.iter().enumerate() {
            let Some(time) = times.get(row) else {
                out.event(Event::Untimed { position });
                continue;
            };
            if !(slice.0 <= time && time < slice.1) {
                slice = self.assigner.slice_of(time);
                of_slice.clear();
                self.assigner.windows_of(time, &mut of_slice);
            }
            windows.extend_from_slice(&of_slice);
            rows.resize(windows.len(), row as u32);
            if windows.len() >= MANY {
                self.emit(&batch, &mut rows, &mut windows, out)?;
            }
        }
        self.emit(&batch, &mut rows, &mut windows, out)
    }

    fn copy(&self) -> Box<dyn Operator> {
        Box::new(self.clone())
    }
}
