//! The plan of a query: a closed set of streaming operators with every name, type and time decided.
//!
//! ```text
//!   sources:  0: stdin (ts, status) ─ watermark ts - 5s      1: …
//!   root:     Sort ─ Project ─ WindowAggregate(TUMBLE 1m) ─ Filter ─ Read(0: ts, status)
//! ```
//!
//! It is plain data and can be printed, compared in tests and lowered any number of times. Whoever walks
//! it (explain, check, lower) is told by the compiler of a new operator.
//!
//! Invariants: a source is read once, however often it is named; its watermark stands before every
//! filter; column numbers of an operator are those of its input's schema.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{FieldRef, Schema, SchemaRef};

use crate::catalog::Table;
use crate::data::Metadata;
use crate::exec::expression::Expression;
use crate::exec::group::GroupSpec;
use crate::exec::limit::{LimitBySpec, LimitSpec};
use crate::exec::sort::SortSpec;
use crate::exec::union::UnionOrder;
use crate::exec::watermark::WatermarkSpec;
use crate::exec::window::{
    CountWindowSpec, SessionRowsSpec, SessionSpec, WindowAggregateSpec, WindowAssignSpec,
};
use crate::time::Interval;

/// A query ready to run.
#[derive(Debug, Clone)]
pub struct StreamQuery {
    /// What it reads.
    pub sources: Vec<SourcePlan>,
    /// What it does with it.
    pub root: StreamPlan,
    /// Name and type of each result column.
    pub schema: SchemaRef,
}

/// A table that is read, once.
#[derive(Debug, Clone)]
pub struct SourcePlan {
    /// The table.
    pub table: Arc<Table>,
    /// Its columns that are read from the records, by number, ascending.
    pub read: Vec<usize>,
    /// What is known of its records besides their fields, as columns behind those of `read`.
    pub metadata: Vec<Metadata>,
    /// Computed columns: expressions over all columns before them, in the order of `schema` behind `metadata`.
    pub computed: Vec<Expression>,
    /// What the operators see: the columns of `read`, of `metadata`, then the computed ones.
    pub schema: SchemaRef,
    /// How event time advances; `None` if the query does not use it. Its column counts in `schema`.
    pub watermark: Option<WatermarkSpec>,
    /// After how long without a row event time goes on with the clock; `None` if it waits for rows.
    pub idle_timeout: Option<Interval>,
}

impl SourcePlan {
    /// True if event time is the time at which rows were read: it advances with the clock.
    pub fn reads_clock_as_time(&self) -> bool {
        let time = self
            .watermark
            .as_ref()
            .map(|watermark| watermark.time_column);
        let metadata = time.and_then(|time| time.checked_sub(self.read.len()));
        metadata.and_then(|place| self.metadata.get(place)) == Some(&Metadata::Arrival)
    }

    /// A column of the table as an expression over those of `read`; `None` if it needs others.
    pub fn decoded(&self, column: usize) -> Option<Expression> {
        let place = self
            .schema
            .index_of(&self.table.columns[column].name)
            .ok()?;
        let given = self.read.len() + self.metadata.len();
        let fields = self.schema.fields().iter().take(given).enumerate();
        let mut all: Vec<Expression> = fields
            .map(|(place, field)| Expression::Column(place, field.name().clone()))
            .collect();
        for computed in &self.computed {
            all.push(computed.substitute(&all));
        }
        let expression = all.into_iter().nth(place)?;
        let is_decoded = |column: &usize| *column < self.read.len();
        expression
            .columns()
            .iter()
            .all(is_decoded)
            .then_some(expression)
    }
}

/// An operator with its inputs.
#[derive(Debug, Clone)]
pub enum StreamPlan {
    /// Some columns of a source.
    Read {
        /// The number of the source.
        source: usize,
        /// Its columns, by number in its schema.
        columns: Vec<usize>,
        /// What comes out.
        schema: SchemaRef,
    },
    /// Rows that stand in the query itself (`SELECT 1`, `VALUES …`).
    Rows(RecordBatch),
    /// WHERE, HAVING.
    Filter {
        /// Where rows come from.
        input: Box<StreamPlan>,
        /// Keeps the rows for which it is true.
        predicate: Expression,
    },
    /// SELECT.
    Project {
        /// Where rows come from.
        input: Box<StreamPlan>,
        /// The new columns.
        expressions: Vec<Expression>,
        /// Their names and types.
        schema: SchemaRef,
    },
    /// UNION ALL.
    Union {
        /// The branches, all of the same types.
        inputs: Vec<StreamPlan>,
        /// In what order rows of several branches come.
        order: UnionOrder,
        /// What comes out.
        schema: SchemaRef,
    },
    /// Rows with the bounds of their windows, one for each window.
    Assign(Box<StreamPlan>, WindowAssignSpec),
    /// GROUP BY TUMBLE, HOP or CUMULATE windows, or the windows of a relation that has them.
    WindowAggregate(Box<StreamPlan>, WindowAggregateSpec),
    /// GROUP BY sessions.
    SessionAggregate(Box<StreamPlan>, SessionSpec),
    /// Rows with the bounds of their sessions, when those close.
    SessionRows(Box<StreamPlan>, SessionRowsSpec),
    /// GROUP BY count windows.
    CountAggregate(Box<StreamPlan>, CountWindowSpec),
    /// GROUP BY without a window, at the end of input.
    Group(Box<StreamPlan>, GroupSpec),
    /// ORDER BY.
    Sort(Box<StreamPlan>, SortSpec),
    /// LIMIT and OFFSET.
    Limit(Box<StreamPlan>, LimitSpec),
    /// LIMIT n BY.
    LimitBy(Box<StreamPlan>, LimitBySpec),
}

impl StreamPlan {
    /// A plan without rows and columns, to stand in while another is moved.
    pub fn nothing() -> Self {
        StreamPlan::Rows(RecordBatch::new_empty(Arc::new(Schema::empty())))
    }

    /// What comes out.
    pub fn schema(&self) -> SchemaRef {
        match self {
            StreamPlan::Read { schema, .. }
            | StreamPlan::Project { schema, .. }
            | StreamPlan::Union { schema, .. } => Arc::clone(schema),
            StreamPlan::Rows(rows) => rows.schema(),
            StreamPlan::Filter { input, .. }
            | StreamPlan::Sort(input, _)
            | StreamPlan::Limit(input, _)
            | StreamPlan::LimitBy(input, _) => input.schema(),
            StreamPlan::Assign(_, spec) => Arc::clone(&spec.schema),
            StreamPlan::WindowAggregate(_, spec) => Arc::clone(&spec.schema),
            StreamPlan::SessionAggregate(_, spec) => Arc::clone(&spec.schema),
            StreamPlan::SessionRows(_, spec) => Arc::clone(&spec.schema),
            StreamPlan::CountAggregate(_, spec) => Arc::clone(&spec.schema),
            StreamPlan::Group(_, spec) => Arc::clone(&spec.schema),
        }
    }

    /// The operators that it reads from, in order.
    pub fn inputs(&self) -> Vec<&StreamPlan> {
        match self {
            StreamPlan::Read { .. } | StreamPlan::Rows(_) => Vec::new(),
            StreamPlan::Filter { input, .. }
            | StreamPlan::Project { input, .. }
            | StreamPlan::Assign(input, _)
            | StreamPlan::WindowAggregate(input, _)
            | StreamPlan::SessionAggregate(input, _)
            | StreamPlan::SessionRows(input, _)
            | StreamPlan::CountAggregate(input, _)
            | StreamPlan::Group(input, _)
            | StreamPlan::Sort(input, _)
            | StreamPlan::Limit(input, _)
            | StreamPlan::LimitBy(input, _) => vec![input],
            StreamPlan::Union { inputs, .. } => inputs.iter().collect(),
        }
    }

    /// The operators that it reads from, in order, to be changed.
    pub fn inputs_mut(&mut self) -> Vec<&mut StreamPlan> {
        match self {
            StreamPlan::Read { .. } | StreamPlan::Rows(_) => Vec::new(),
            StreamPlan::Filter { input, .. }
            | StreamPlan::Project { input, .. }
            | StreamPlan::Assign(input, _)
            | StreamPlan::WindowAggregate(input, _)
            | StreamPlan::SessionAggregate(input, _)
            | StreamPlan::SessionRows(input, _)
            | StreamPlan::CountAggregate(input, _)
            | StreamPlan::Group(input, _)
            | StreamPlan::Sort(input, _)
            | StreamPlan::Limit(input, _)
            | StreamPlan::LimitBy(input, _) => vec![input],
            StreamPlan::Union { inputs, .. } => inputs.iter_mut().collect(),
        }
    }

    /// A field of what comes out.
    pub fn field(&self, index: usize) -> FieldRef {
        Arc::clone(&self.schema().fields()[index])
    }
}
