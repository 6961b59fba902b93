//! The two operators that DataFusion's logical plan lacks: windows over a relation, and `LIMIT n BY`.

use std::cmp::Ordering;
use std::collections::HashSet;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::datatypes::{DataType, Field};
use datafusion_common::{DFSchema, DFSchemaRef, DataFusionError, Result, TableReference};
use datafusion_expr::{Expr, ExprSchemable, LogicalPlan, UserDefinedLogicalNodeCore};

use super::names::{ResolvedLimit, ResolvedWindow, WINDOW_QUALIFIER};
use crate::error::Span;
use crate::sql::WindowArguments;

/// A relation with the bounds of windows as further columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WindowNode {
    /// What it reads.
    pub input: LogicalPlan,
    /// Kind and sizes.
    pub arguments: WindowArguments,
    /// The time column; `None` for count windows.
    pub time: Option<Expr>,
    /// Keys of sessions and count windows.
    pub partition_by: Vec<Expr>,
    /// The call in the text.
    pub span: Span,
    schema: DFSchemaRef,
}

impl WindowNode {
    /// A window over `input`.
    pub fn new(
        input: LogicalPlan,
        window: &ResolvedWindow,
        time: Option<Expr>,
        partition_by: Vec<Expr>,
    ) -> Result<Self> {
        let bound_type = match &time {
            Some(time) => time.get_type(input.schema())?,
            None => DataType::Int64,
        };
        let schema = schema_with_bounds(input.schema(), &bound_type, time.is_some())?;
        Ok(WindowNode {
            input,
            arguments: window.arguments.clone(),
            time,
            partition_by,
            span: window.span,
            schema: Arc::new(schema),
        })
    }
}

fn schema_with_bounds(input: &DFSchema, bound: &DataType, timed: bool) -> Result<DFSchema> {
    let mut fields: Vec<_> = input
        .iter()
        .map(|(qualifier, field)| (qualifier.cloned(), Arc::clone(field)))
        .collect();
    let names: &[&str] = if timed {
        &["window_start", "window_end", "window_time"]
    } else {
        &["window_start", "window_end"]
    };
    for name in names {
        let field = Arc::new(Field::new(*name, bound.clone(), true));
        fields.push((Some(TableReference::bare(WINDOW_QUALIFIER)), field));
    }
    DFSchema::new_with_metadata(fields, input.metadata().clone())
}

impl Hash for WindowNode {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.input.hash(state);
        self.time.hash(state);
        self.partition_by.hash(state);
    }
}

impl PartialOrd for WindowNode {
    fn partial_cmp(&self, _other: &Self) -> Option<Ordering> {
        None
    }
}

impl UserDefinedLogicalNodeCore for WindowNode {
    fn name(&self) -> &str {
        "Window"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.input]
    }

    fn schema(&self) -> &DFSchemaRef {
        &self.schema
    }

    fn expressions(&self) -> Vec<Expr> {
        self.time
            .iter()
            .chain(&self.partition_by)
            .cloned()
            .collect()
    }

    /// Conditions on other columns choose rows before they come into windows.
    fn prevent_predicate_push_down_columns(&self) -> HashSet<String> {
        ["window_start", "window_end", "window_time"]
            .map(String::from)
            .into()
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "Window: {:?}", self.arguments)
    }

    fn with_exprs_and_inputs(&self, exprs: Vec<Expr>, inputs: Vec<LogicalPlan>) -> Result<Self> {
        let mut exprs = exprs.into_iter();
        let input = only(inputs)?;
        let time = self.time.as_ref().and_then(|_| exprs.next());
        let bound = self
            .schema
            .field(self.schema.fields().len() - 1)
            .data_type()
            .clone();
        let schema = schema_with_bounds(input.schema(), &bound, time.is_some())?;
        Ok(WindowNode {
            input,
            arguments: self.arguments.clone(),
            time,
            partition_by: exprs.collect(),
            span: self.span,
            schema: Arc::new(schema),
        })
    }

    fn necessary_children_exprs(&self, output_columns: &[usize]) -> Option<Vec<Vec<usize>>> {
        let input = self.input.schema();
        let width = input.fields().len();
        let mut columns: Vec<usize> = output_columns
            .iter()
            .copied()
            .filter(|column| *column < width)
            .collect();
        for expr in self.time.iter().chain(&self.partition_by) {
            for column in expr.column_refs() {
                columns.push(input.index_of_column(column).ok()?);
            }
        }
        columns.sort_unstable();
        columns.dedup();
        Some(vec![columns])
    }
}

/// The first rows of each key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LimitByNode {
    /// What it reads.
    pub input: LogicalPlan,
    /// Rows per key.
    pub limit: u64,
    /// Rows per key that are left out first.
    pub offset: u64,
    /// The key columns.
    pub by: Vec<Expr>,
}

impl PartialOrd for LimitByNode {
    fn partial_cmp(&self, _other: &Self) -> Option<Ordering> {
        None
    }
}

impl LimitByNode {
    /// A limit over `input`.
    pub fn new(input: LogicalPlan, limit: &ResolvedLimit) -> Result<Self> {
        let by = limit
            .by
            .iter()
            .map(|name| {
                let (qualifier, field) =
                    input.schema().qualified_field_with_unqualified_name(name)?;
                Ok(Expr::from((qualifier, field)))
            })
            .collect::<Result<Vec<_>>>()?;
        Ok(LimitByNode {
            input,
            limit: limit.limit,
            offset: limit.offset,
            by,
        })
    }
}

impl UserDefinedLogicalNodeCore for LimitByNode {
    fn name(&self) -> &str {
        "LimitBy"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.input]
    }

    fn schema(&self) -> &DFSchemaRef {
        self.input.schema()
    }

    fn expressions(&self) -> Vec<Expr> {
        self.by.clone()
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "LimitBy: {}", self.limit)
    }

    fn with_exprs_and_inputs(&self, exprs: Vec<Expr>, inputs: Vec<LogicalPlan>) -> Result<Self> {
        Ok(LimitByNode {
            input: only(inputs)?,
            limit: self.limit,
            offset: self.offset,
            by: exprs,
        })
    }

    fn necessary_children_exprs(&self, output_columns: &[usize]) -> Option<Vec<Vec<usize>>> {
        let input = self.input.schema();
        let mut columns = output_columns.to_vec();
        for expr in &self.by {
            for column in expr.column_refs() {
                columns.push(input.index_of_column(column).ok()?);
            }
        }
        columns.sort_unstable();
        columns.dedup();
        Some(vec![columns])
    }
}

fn only(inputs: Vec<LogicalPlan>) -> Result<LogicalPlan> {
    match <[LogicalPlan; 1]>::try_from(inputs) {
        Ok([input]) => Ok(input),
        Err(inputs) => Err(DataFusionError::Internal(format!(
            "{} inputs of one",
            inputs.len()
        ))),
    }
}
