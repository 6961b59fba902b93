//! Expressions over the columns of a batch: `status >= 500`, `bytes / 1024`, `CASE … END`.
//!
//! ```text
//!   batch ──► evaluate ──► a column, or one value for all rows
//!                 └──────► failures: rows where an operand was there but the result has no value
//! ```
//!
//! No value stops a query: what has no result (a failed cast, a division by zero) is NULL and a failure
//! of that row. Invariants: a row's value and failures depend on that row alone, never on its neighbors
//! in the batch. So AND, OR and CASE evaluate an operand on exactly the rows that need it, and a function
//! that refuses a whole batch is asked again row by row.
//!
//! `Expression` is closed, so whoever walks it (EXPLAIN, export) is told by the compiler of a new kind.
//! To add one: a variant here, its evaluation in a file of this folder, an arm in `plan/expression.rs`.

pub mod arithmetic;
mod branch;
mod call;
mod cast;
mod compare;
mod failures;
mod logic;
mod pattern;
pub mod scaling;
mod steady_clock;

use std::fmt;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch};
use arrow::datatypes::{DataType, FieldRef};
use datafusion_common::ScalarValue;
use datafusion_expr::{ColumnarValue, Operator, ScalarUDF};

pub use arithmetic::Arithmetic;
pub use cast::{Cast, convert, convert_to_time};
pub use compare::Comparison;
pub use failures::Failures;
pub use pattern::Pattern;

use crate::error::{Error, Result};

/// An expression with all names, types and casts decided.
#[derive(Debug, Clone)]
pub enum Expression {
    /// A column of the batch by number; the name is for people.
    Column(usize, String),
    /// A constant.
    Literal(ScalarValue),
    /// A comparison of two values of one type.
    Compare(Comparison, Box<Expression>, Box<Expression>),
    /// Three-valued AND.
    And(Box<Expression>, Box<Expression>),
    /// Three-valued OR.
    Or(Box<Expression>, Box<Expression>),
    /// Three-valued NOT.
    Not(Box<Expression>),
    /// `IS NULL`, or `IS NOT NULL` if the flag is set.
    IsNull(Box<Expression>, bool),
    /// `IS [NOT] TRUE|FALSE`: the value asked for, and whether the answer is turned around.
    Is(Box<Expression>, bool, bool),
    /// `+ - * / // %` on numbers and times.
    Arithmetic(Arithmetic, Box<Expression>, Box<Expression>, FieldRef),
    /// A function.
    Call(Call),
    /// A conversion; NULL where it has no value.
    Cast(Cast),
    /// `CASE WHEN … THEN … ELSE … END`, conditions all BOOLEAN.
    Case {
        /// Conditions and results.
        branches: Vec<(Expression, Expression)>,
        /// The result where no condition holds; NULL without.
        otherwise: Option<Box<Expression>>,
        /// Type of the result.
        data_type: DataType,
    },
    /// `LIKE`, `ILIKE` and regular expressions.
    Pattern(Pattern, Box<Expression>, Box<Expression>),
    /// `x [NOT] IN (…)`.
    InList(Box<Expression>, Vec<Expression>, bool),
    /// `& | ^ << >> ||`.
    Operator(Operator, Box<Expression>, Box<Expression>),
}

/// A call of a scalar function.
#[derive(Debug, Clone)]
pub struct Call {
    /// The function.
    pub function: Arc<ScalarUDF>,
    /// Its arguments.
    pub arguments: Vec<Expression>,
    /// Their fields.
    pub argument_fields: Vec<FieldRef>,
    /// What it returns.
    pub return_field: FieldRef,
    /// The session's settings as the function wants them.
    pub options: Arc<datafusion_common::config::ConfigOptions>,
}

impl Expression {
    /// The value for each row of `batch`, or one value for all.
    ///
    /// # Errors
    /// Only what a plan should have ruled out.
    pub fn evaluate(&self, batch: &RecordBatch, failures: &mut Failures) -> Result<ColumnarValue> {
        match self {
            Expression::Column(index, _) => {
                Ok(ColumnarValue::Array(Arc::clone(batch.column(*index))))
            }
            Expression::Literal(value) => Ok(ColumnarValue::Scalar(value.clone())),
            Expression::Compare(comparison, left, right) => {
                let left = left.evaluate(batch, failures)?;
                let right = right.evaluate(batch, failures)?;
                compare::compare(*comparison, &left, &right)
            }
            Expression::And(left, right) => logic::and(left, right, batch, failures),
            Expression::Or(left, right) => logic::or(left, right, batch, failures),
            Expression::Not(input) => logic::not(&input.evaluate(batch, failures)?),
            Expression::IsNull(input, negated) => {
                logic::is_null(&input.evaluate(batch, failures)?, *negated)
            }
            Expression::Is(input, wanted, negated) => {
                logic::is(&input.evaluate(batch, failures)?, *wanted, *negated)
            }
            Expression::Arithmetic(operator, left, right, _) => {
                self.evaluate_arithmetic(*operator, left, right, batch, failures)
            }
            Expression::Call(call) => call.evaluate(batch, failures),
            Expression::Cast(cast) => cast.evaluate(batch, failures),
            Expression::Case {
                branches,
                otherwise,
                data_type,
            } => branch::case(branches, otherwise.as_deref(), data_type, batch, failures),
            Expression::Pattern(pattern, input, text) => {
                let input = input.evaluate(batch, failures)?;
                let text = text.evaluate(batch, failures)?;
                pattern::matches(*pattern, &input, &text)
            }
            Expression::InList(input, list, negated) => {
                pattern::in_list(input, list, *negated, batch, failures)
            }
            Expression::Operator(operator, left, right) => {
                call::operator(self, *operator, left, right, batch, failures)
            }
        }
    }

    /// The value for each row of `batch` as a column.
    ///
    /// # Errors
    /// As [`Expression::evaluate`].
    pub fn column(&self, batch: &RecordBatch, failures: &mut Failures) -> Result<ArrayRef> {
        to_array(&self.evaluate(batch, failures)?, batch.num_rows())
    }

    /// The value for each row of `batch` as a BOOLEAN column.
    ///
    /// # Errors
    /// As [`Expression::evaluate`].
    pub fn mask(&self, batch: &RecordBatch, failures: &mut Failures) -> Result<BooleanArray> {
        let column = self.column(batch, failures)?;
        match column.data_type() {
            DataType::Boolean => Ok(column.as_boolean().clone()),
            DataType::Null => Ok(BooleanArray::new_null(column.len())),
            other => Err(Error::internal(format!("a condition of type {other}"))),
        }
    }

    /// True if a row may have no value although its operands have one: then the rows it is evaluated on
    /// matter, because they are counted.
    pub fn can_fail(&self) -> bool {
        match self {
            Expression::Column(..) | Expression::Literal(_) => false,
            Expression::Arithmetic(..)
            | Expression::Call(_)
            | Expression::Cast(..)
            | Expression::Operator(..) => true,
            Expression::Compare(_, left, right)
            | Expression::And(left, right)
            | Expression::Or(left, right)
            | Expression::Pattern(_, left, right) => left.can_fail() || right.can_fail(),
            Expression::Not(input) | Expression::IsNull(input, _) | Expression::Is(input, ..) => {
                input.can_fail()
            }
            Expression::Case {
                branches,
                otherwise,
                ..
            } => {
                branches
                    .iter()
                    .any(|(when, then)| when.can_fail() || then.can_fail())
                    || otherwise.as_ref().is_some_and(|e| e.can_fail())
            }
            Expression::InList(input, list, _) => {
                input.can_fail() || list.iter().any(Expression::can_fail)
            }
        }
    }

    /// The operands, in order.
    fn operands_mut(&mut self) -> Vec<&mut Expression> {
        match self {
            Expression::Column(..) | Expression::Literal(_) => Vec::new(),
            Expression::Compare(_, left, right)
            | Expression::And(left, right)
            | Expression::Or(left, right)
            | Expression::Arithmetic(_, left, right, _)
            | Expression::Pattern(_, left, right)
            | Expression::Operator(_, left, right) => vec![left, right],
            Expression::Not(input) | Expression::IsNull(input, _) | Expression::Is(input, ..) => {
                vec![input]
            }
            Expression::Cast(cast) => vec![cast.input.as_mut()],
            Expression::Call(call) => call.arguments.iter_mut().collect(),
            Expression::Case {
                branches,
                otherwise,
                ..
            } => {
                let mut all = Vec::new();
                for (when, then) in branches {
                    all.extend([when, then]);
                }
                all.extend(otherwise.as_deref_mut());
                all
            }
            Expression::InList(input, list, _) => {
                std::iter::once(input.as_mut()).chain(list).collect()
            }
        }
    }

    /// The same expression over other numbers of columns.
    ///
    /// # Errors
    /// A column that `place` does not know.
    pub fn with_columns(&self, place: &dyn Fn(usize) -> Option<usize>) -> Result<Expression> {
        fn renumber(
            expression: &mut Expression,
            place: &dyn Fn(usize) -> Option<usize>,
        ) -> Result<()> {
            if let Expression::Column(index, name) = expression {
                *index = place(*index)
                    .ok_or_else(|| Error::internal(format!("column `{name}` is not at hand")))?;
            }
            for operand in expression.operands_mut() {
                renumber(operand, place)?;
            }
            Ok(())
        }
        let mut result = self.clone();
        renumber(&mut result, place)?;
        Ok(result)
    }

    /// The same expression with each column replaced by the expression of its number.
    #[must_use]
    pub fn substitute(&self, columns: &[Expression]) -> Expression {
        fn replace(expression: &mut Expression, columns: &[Expression]) {
            if let Expression::Column(index, _) = expression {
                if let Some(column) = columns.get(*index) {
                    *expression = column.clone();
                }
                return;
            }
            for operand in expression.operands_mut() {
                replace(operand, columns);
            }
        }
        let mut result = self.clone();
        replace(&mut result, columns);
        result
    }

    /// True if both are the same column.
    pub fn is_same_column(&self, other: &Expression) -> bool {
        matches!((self, other), (Expression::Column(a, _), Expression::Column(b, _)) if a == b)
    }

    /// True if some operand is evaluated for a part of the rows only.
    pub fn is_conditional(&self) -> bool {
        let here = matches!(
            self,
            Expression::And(..) | Expression::Or(..) | Expression::Case { .. }
        );
        here || self
            .clone()
            .operands_mut()
            .iter()
            .any(|operand| operand.is_conditional())
    }

    /// The columns that it reads, by number, in the order in which they stand.
    pub fn columns(&self) -> Vec<usize> {
        fn collect(expression: &mut Expression, columns: &mut Vec<usize>) {
            if let Expression::Column(index, _) = expression {
                columns.push(*index);
            }
            for operand in expression.operands_mut() {
                collect(operand, columns);
            }
        }
        let mut columns = Vec::new();
        collect(&mut self.clone(), &mut columns);
        columns
    }

    fn evaluate_arithmetic(
        &self,
        operator: Arithmetic,
        left: &Expression,
        right: &Expression,
        batch: &RecordBatch,
        failures: &mut Failures,
    ) -> Result<ColumnarValue> {
        let left = left.column(batch, failures)?;
        let right = right.column(batch, failures)?;
        let mut failed = Vec::new();
        let result = arithmetic::arithmetic(operator, &left, &right, &mut failed)?;
        failures.add_rows(&failed, || self.to_string());
        Ok(ColumnarValue::Array(result))
    }
}

/// A value as a column of `rows` rows.
fn to_array(value: &ColumnarValue, rows: usize) -> Result<ArrayRef> {
    match value {
        ColumnarValue::Array(array) => Ok(Arc::clone(array)),
        ColumnarValue::Scalar(scalar) => scalar
            .to_array_of_size(rows)
            .map_err(|error| Error::internal("a constant has no column").cause(error)),
    }
}

impl fmt::Display for Expression {
    /// The expression as EXPLAIN and the counts of failures print it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let not = |negated: bool| if negated { " NOT" } else { "" };
        match self {
            Expression::Column(_, name) => f.write_str(name),
            Expression::Literal(value) => write_literal(value, f),
            Expression::Compare(operator, left, right) => write!(f, "{left} {operator} {right}"),
            Expression::And(left, right) => write!(f, "{left} AND {right}"),
            Expression::Or(left, right) => write!(f, "({left} OR {right})"),
            Expression::Not(input) => write!(f, "NOT ({input})"),
            Expression::IsNull(input, negated) => write!(f, "{input} IS{} NULL", not(*negated)),
            Expression::Is(input, wanted, negated) => {
                let wanted = if *wanted { "TRUE" } else { "FALSE" };
                write!(f, "{input} IS{} {wanted}", not(*negated))
            }
            Expression::Arithmetic(Arithmetic::Negate, input, ..) => {
                f.write_str("-")?;
                write_operand(input, f)
            }
            Expression::Arithmetic(operator, left, right, _) => {
                write_operand(left, f)?;
                write!(f, " {} ", operator.symbol())?;
                write_operand(right, f)
            }
            Expression::Call(call) => {
                write!(f, "{}(", call.function.name())?;
                write_list(&call.arguments, f)?;
                f.write_str(")")
            }
            Expression::Cast(cast) => {
                write!(
                    f,
                    "CAST({} AS {})",
                    cast.input,
                    crate::data::type_name(&cast.to)
                )
            }
            Expression::Case {
                branches,
                otherwise,
                ..
            } => {
                f.write_str("CASE")?;
                for (when, then) in branches {
                    write!(f, " WHEN {when} THEN {then}")?;
                }
                if let Some(otherwise) = otherwise {
                    write!(f, " ELSE {otherwise}")?;
                }
                f.write_str(" END")
            }
            Expression::Pattern(pattern, input, text) => write!(f, "{input} {pattern} {text}"),
            Expression::InList(input, list, negated) => {
                write!(f, "{input}{} IN (", not(*negated))?;
                write_list(list, f)?;
                f.write_str(")")
            }
            Expression::Operator(operator, left, right) => write!(f, "{left} {operator} {right}"),
        }
    }
}

fn write_list(list: &[Expression], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for (index, item) in list.iter().enumerate() {
        let comma = if index == 0 { "" } else { ", " };
        write!(f, "{comma}{item}")?;
    }
    Ok(())
}

fn write_operand(operand: &Expression, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match operand {
        Expression::Arithmetic(..) => write!(f, "({operand})"),
        // A cast that coercion put there is not what the user wrote.
        Expression::Cast(cast) => write!(f, "{}", cast.input),
        _ => write!(f, "{operand}"),
    }
}

fn write_literal(value: &ScalarValue, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match value {
        ScalarValue::Utf8(Some(text))
        | ScalarValue::Utf8View(Some(text))
        | ScalarValue::LargeUtf8(Some(text)) => write!(f, "'{}'", text.replace('\'', "''")),
        value if value.is_null() => f.write_str("NULL"),
        value => write!(f, "{value}"),
    }
}
