//! DataFusion's expressions to ours: everything that execution does not know is refused here.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field};
use datafusion_common::config::ConfigOptions;
use datafusion_common::{DFSchema, ScalarValue};
use datafusion_expr::expr::{Alias, Between, InList, Like, ScalarFunction};
use datafusion_expr::{Expr, ExprSchemable, Operator};

use super::library_errors::explain;
use crate::error::{Error, Result};
use crate::exec::expression::{Arithmetic, Call, Cast, Comparison, Expression, Pattern};

/// Lowers expressions over one input.
pub struct Lowering<'a> {
    /// The names and types of the input.
    pub schema: &'a DFSchema,
    /// Per column of `schema`: the column of the batch that holds it.
    pub columns: &'a dyn Fn(usize) -> Option<usize>,
    /// DataFusion's settings.
    pub options: &'a Arc<ConfigOptions>,
}

impl Lowering<'_> {
    /// The expression that `expr` means.
    ///
    /// # Errors
    /// Subqueries and other things that need a join; a column that the batch does not hold.
    pub fn lower(&self, expr: &Expr) -> Result<Expression> {
        stacker::maybe_grow(64 * 1024, 1024 * 1024, || self.lower_here(expr))
    }

    fn boxed(&self, expr: &Expr) -> Result<Box<Expression>> {
        Ok(Box::new(self.lower(expr)?))
    }

    fn lower_here(&self, expr: &Expr) -> Result<Expression> {
        Ok(match expr {
            Expr::Alias(Alias { expr, .. }) => self.lower(expr)?,
            Expr::Column(column) => {
                let index = self.schema.index_of_column(column).map_err(explain)?;
                let place = (self.columns)(index).ok_or_else(|| {
                    Error::internal(format!("column `{}` is not at hand", column.name))
                })?;
                Expression::Column(place, column.name.clone())
            }
            Expr::Literal(value, _) => Expression::Literal(value.clone()),
            Expr::BinaryExpr(binary) => self.binary(&binary.left, binary.op, &binary.right)?,
            Expr::Like(like) => self.like(like, false)?,
            Expr::SimilarTo(like) => self.like(like, true)?,
            Expr::Not(input) => Expression::Not(self.boxed(input)?),
            Expr::IsNull(input) | Expr::IsUnknown(input) => {
                Expression::IsNull(self.boxed(input)?, false)
            }
            Expr::IsNotNull(input) | Expr::IsNotUnknown(input) => {
                Expression::IsNull(self.boxed(input)?, true)
            }
            Expr::IsTrue(input) => Expression::Is(self.boxed(input)?, true, false),
            Expr::IsFalse(input) => Expression::Is(self.boxed(input)?, false, false),
            Expr::IsNotTrue(input) => Expression::Is(self.boxed(input)?, true, true),
            Expr::IsNotFalse(input) => Expression::Is(self.boxed(input)?, false, true),
            Expr::Negative(input) => self.negative(input)?,
            Expr::Between(between) => self.between(between)?,
            Expr::Case(case) => self.case(expr, case)?,
            Expr::Cast(cast) => self.cast(&cast.expr, cast.field.data_type())?,
            Expr::TryCast(cast) => self.cast(&cast.expr, cast.field.data_type())?,
            Expr::ScalarFunction(call) => self.call(expr, call)?,
            Expr::InList(InList {
                expr,
                list,
                negated,
            }) => {
                let list = list
                    .iter()
                    .map(|item| self.lower(item))
                    .collect::<Result<_>>()?;
                Expression::InList(self.boxed(expr)?, list, *negated)
            }
            Expr::Exists(_)
            | Expr::InSubquery(_)
            | Expr::ScalarSubquery(_)
            | Expr::SetComparison(_)
            | Expr::OuterReferenceColumn(..) => {
                return Err(
                    Error::unsupported("a subquery inside an expression is not built yet")
                        .help("what works now: a subquery in FROM, and WITH"),
                );
            }
            Expr::WindowFunction(_) => {
                return Err(Error::unsupported("OVER is not built yet").help(
                    "what works now: HOP windows for moving aggregates, LIMIT n BY for the first rows",
                ));
            }
            other => {
                return Err(Error::unsupported(format!("`{other}` is not built yet"))
                    .help("README.md lists the SQL that works"));
            }
        })
    }

    fn binary(&self, left: &Expr, op: Operator, right: &Expr) -> Result<Expression> {
        let comparison = match op {
            Operator::And => return Ok(Expression::And(self.boxed(left)?, self.boxed(right)?)),
            Operator::Or => return Ok(Expression::Or(self.boxed(left)?, self.boxed(right)?)),
            Operator::Eq => Comparison::Equal,
            Operator::NotEq => Comparison::NotEqual,
            Operator::Lt => Comparison::Less,
            Operator::LtEq => Comparison::LessOrEqual,
            Operator::Gt => Comparison::Greater,
            Operator::GtEq => Comparison::GreaterOrEqual,
            Operator::IsDistinctFrom => Comparison::Distinct,
            Operator::IsNotDistinctFrom => Comparison::NotDistinct,
            Operator::RegexMatch => return self.pattern(left, right, true, false, false),
            Operator::RegexIMatch => return self.pattern(left, right, true, true, false),
            Operator::RegexNotMatch => return self.pattern(left, right, true, false, true),
            Operator::RegexNotIMatch => return self.pattern(left, right, true, true, true),
            Operator::LikeMatch => return self.pattern(left, right, false, false, false),
            Operator::ILikeMatch => return self.pattern(left, right, false, true, false),
            Operator::NotLikeMatch => return self.pattern(left, right, false, false, true),
            Operator::NotILikeMatch => return self.pattern(left, right, false, true, true),
            Operator::BitwiseAnd
            | Operator::BitwiseOr
            | Operator::BitwiseXor
            | Operator::BitwiseShiftLeft
            | Operator::BitwiseShiftRight
            | Operator::StringConcat => {
                return Ok(Expression::Operator(
                    op,
                    self.boxed(left)?,
                    self.boxed(right)?,
                ));
            }
            other => {
                return Err(
                    Error::unsupported(format!("the operator `{other}` is not built"))
                        .help("README.md lists the SQL that works"),
                );
            }
        };
        Ok(Expression::Compare(
            comparison,
            self.boxed(left)?,
            self.boxed(right)?,
        ))
    }

    fn pattern(
        &self,
        left: &Expr,
        right: &Expr,
        regex: bool,
        ignore_case: bool,
        negated: bool,
    ) -> Result<Expression> {
        let pattern = Pattern {
            regex,
            ignore_case,
            negated,
        };
        Ok(Expression::Pattern(
            pattern,
            self.boxed(left)?,
            self.boxed(right)?,
        ))
    }

    fn like(&self, like: &Like, regex: bool) -> Result<Expression> {
        if like.escape_char.is_some_and(|escape| escape != '\\') {
            return Err(Error::unsupported("LIKE … ESCAPE takes a backslash only")
                .help("write \\% and \\_ for the characters themselves"));
        }
        if !regex {
            return self.pattern(
                &like.expr,
                &like.pattern,
                false,
                like.case_insensitive,
                like.negated,
            );
        }
        Err(Error::unsupported("SIMILAR TO is not built")
            .help("write a regular expression: column ~ 'pattern'"))
    }

    fn cast(&self, input: &Expr, to: &DataType) -> Result<Expression> {
        let input = self.boxed(input)?;
        let zone = crate::functions::zone_of(self.options);
        let to = to.clone();
        Ok(Expression::Cast(Cast { input, to, zone }))
    }

    fn negative(&self, input: &Expr) -> Result<Expression> {
        let data_type = input.get_type(self.schema).map_err(explain)?;
        let input = self.boxed(input)?;
        let field = Arc::new(Field::new("negative", data_type, true));
        Ok(Expression::Arithmetic(
            Arithmetic::Negate,
            input.clone(),
            input,
            field,
        ))
    }

    fn between(&self, between: &Between) -> Result<Expression> {
        let low = Expression::Compare(
            Comparison::GreaterOrEqual,
            self.boxed(&between.expr)?,
            self.boxed(&between.low)?,
        );
        let high = Expression::Compare(
            Comparison::LessOrEqual,
            self.boxed(&between.expr)?,
            self.boxed(&between.high)?,
        );
        let both = Expression::And(Box::new(low), Box::new(high));
        Ok(if between.negated {
            Expression::Not(Box::new(both))
        } else {
            both
        })
    }

    fn case(&self, whole: &Expr, case: &datafusion_expr::expr::Case) -> Result<Expression> {
        let mut branches = Vec::new();
        for (when, then) in &case.when_then_expr {
            let when = match &case.expr {
                Some(operand) => {
                    Expression::Compare(Comparison::Equal, self.boxed(operand)?, self.boxed(when)?)
                }
                None => self.lower(when)?,
            };
            branches.push((when, self.lower(then)?));
        }
        Ok(Expression::Case {
            branches,
            otherwise: case
                .else_expr
                .as_ref()
                .map(|expr| self.boxed(expr))
                .transpose()?,
            data_type: whole.get_type(self.schema).map_err(explain)?,
        })
    }

    fn call(&self, whole: &Expr, call: &ScalarFunction) -> Result<Expression> {
        if let Some((to, zone)) = crate::functions::conversion_of(&call.func)
            && let [input] = call.args.as_slice()
        {
            let (input, to) = (self.boxed(input)?, to.clone());
            return Ok(Expression::Cast(Cast { input, to, zone }));
        }
        let (_, return_field) = whole.to_field(self.schema).map_err(explain)?;
        if let Some(operator) = crate::functions::arithmetic_of(&call.func)
            && let [left, right] = call.args.as_slice()
        {
            let (left, right) = (self.boxed(left)?, self.boxed(right)?);
            return Ok(Expression::Arithmetic(operator, left, right, return_field));
        }
        if let Some(operator) = crate::functions::arithmetic_of(&call.func)
            && let [only] = call.args.as_slice()
        {
            let only = self.boxed(only)?;
            return Ok(Expression::Arithmetic(
                operator,
                only.clone(),
                only,
                return_field,
            ));
        }
        let argument_fields = call
            .args
            .iter()
            .map(|argument| argument.to_field(self.schema).map(|(_, field)| field))
            .collect::<datafusion_common::Result<Vec<_>>>()
            .map_err(explain)?;
        let arguments = call
            .args
            .iter()
            .map(|argument| self.lower(argument))
            .collect::<Result<Vec<_>>>()?;
        // Constant folding evaluates a call whose arguments are constants only if it never fails.
        if return_field.data_type() == &DataType::Null {
            return Ok(Expression::Literal(ScalarValue::Null));
        }
        Ok(Expression::Call(Call {
            function: Arc::clone(&call.func),
            arguments,
            argument_fields,
            return_field,
            options: Arc::clone(self.options),
        }))
    }
}
