//! How a query uses its columns, for those whose type no sample shows: as a number, or else as text.

use std::ops::ControlFlow;

use sqlparser::ast::{self, BinaryOperator, Expr, FunctionArg, FunctionArgExpr, Ident, Value};

/// The columns in `expr`, and whether their use wants a number.
pub(super) fn column_uses(expr: &Expr) -> Vec<(Vec<Ident>, bool)> {
    let mut uses: Vec<(Vec<Ident>, bool)> = Vec::new();
    let mut add = |expr: &Expr, numeric: bool| {
        let Some(parts) = column(expr) else {
            return;
        };
        match uses.iter_mut().find(|(known, _)| *known == parts) {
            Some((_, known)) => *known |= numeric,
            None => uses.push((parts, numeric)),
        }
    };
    let _ = ast::visit_expressions(expr, |expr| {
        add(expr, false);
        match expr {
            Expr::BinaryOp { left, op, right } => {
                let numeric = is_arithmetic(op)
                    || (is_comparison(op) && (is_number(left) || is_number(right)));
                add(left, numeric);
                add(right, numeric);
            }
            Expr::Between {
                expr, low, high, ..
            } => add(expr, is_number(low) || is_number(high)),
            Expr::InList { expr, list, .. } => add(expr, list.iter().any(is_number)),
            Expr::UnaryOp {
                op: ast::UnaryOperator::Minus,
                expr,
            } => add(expr, true),
            Expr::Function(function) if wants_number(function) => {
                if let ast::FunctionArguments::List(list) = &function.args {
                    for argument in &list.args {
                        if let FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) = argument {
                            add(expr, true);
                        }
                    }
                }
            }
            _ => {}
        }
        ControlFlow::<()>::Continue(())
    });
    uses
}

fn column(expr: &Expr) -> Option<Vec<Ident>> {
    match expr {
        Expr::Identifier(name) => Some(vec![name.clone()]),
        Expr::CompoundIdentifier(parts) => Some(parts.clone()),
        Expr::Nested(inner) => column(inner),
        _ => None,
    }
}

fn is_number(expr: &Expr) -> bool {
    match expr {
        Expr::Value(value) => matches!(value.value, Value::Number(..)),
        Expr::UnaryOp { expr, .. } | Expr::Nested(expr) => is_number(expr),
        _ => false,
    }
}

fn is_arithmetic(op: &BinaryOperator) -> bool {
    use BinaryOperator::*;
    matches!(
        op,
        Plus | Minus | Multiply | Divide | Modulo | DuckIntegerDivide | MyIntegerDivide
    )
}

fn is_comparison(op: &BinaryOperator) -> bool {
    use BinaryOperator::*;
    matches!(op, Eq | NotEq | Lt | LtEq | Gt | GtEq)
}

fn wants_number(function: &ast::Function) -> bool {
    let name = function.name.to_string().to_lowercase();
    const NUMERIC: [&str; 17] = [
        "sum",
        "avg",
        "mean",
        "p50",
        "p90",
        "p95",
        "p99",
        "quantile",
        "approx_quantile",
        "stddev",
        "var",
        "median",
        "round",
        "abs",
        "floor",
        "ceil",
        "sqrt",
    ];
    NUMERIC.contains(&name.as_str())
}
