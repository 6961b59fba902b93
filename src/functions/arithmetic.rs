//! The functions that the planner puts in the place of `+ - * / // %` and a sign: they give NULL where
//! SQL's operators would stop or wrap, and print as the operator that was typed.
//!
//! Their names are the operators, so no query can call them by name.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, LazyLock};

use arrow::datatypes::DataType;
use datafusion_common::{DataFusionError, Result, ScalarValue};
use datafusion_expr::binary::BinaryTypeCoercer;
use datafusion_expr::{
    ColumnarValue, Expr, Operator, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    Volatility,
};

use super::complaint::{complain, complaint};
use crate::exec::expression::arithmetic::{Arithmetic, arithmetic, result_type, takes_as_is};
use crate::exec::expression::scaling;

use super::type_name;

/// One operation as a function.
#[derive(Debug, PartialEq, Eq, Hash)]
struct ArithmeticFunction {
    operation: Arithmetic,
    signature: Signature,
}

static FUNCTIONS: LazyLock<Vec<(Arithmetic, Arc<ScalarUDF>)>> = LazyLock::new(|| {
    let function = |operation| {
        let signature = Signature::user_defined(Volatility::Immutable);
        let function = ArithmeticFunction {
            operation,
            signature,
        };
        (operation, Arc::new(ScalarUDF::from(function)))
    };
    Arithmetic::ALL.into_iter().map(function).collect()
});

/// All of them.
pub fn functions() -> Vec<Arc<ScalarUDF>> {
    FUNCTIONS
        .iter()
        .map(|(_, function)| Arc::clone(function))
        .collect()
}

/// The function of an operation.
pub fn function_of(operation: Arithmetic) -> Arc<ScalarUDF> {
    let found = FUNCTIONS.iter().find(|(known, _)| *known == operation);
    Arc::clone(&found.expect("every operation has a function").1)
}

/// The operation that a function stands for; `None` for all other functions.
pub fn arithmetic_of(function: &ScalarUDF) -> Option<Arithmetic> {
    let function = function.inner().downcast_ref::<ArithmeticFunction>()?;
    Some(function.operation)
}

impl ArithmeticFunction {
    /// Joins the printed arguments as they would be typed.
    fn print(&self, arguments: &[String], exprs: &[Expr]) -> String {
        let own = binding(self.operation);
        let wrapped = |index: usize, least: u8| {
            let text = &arguments[index];
            if binding_of(&exprs[index]) < least {
                format!("({text})")
            } else {
                text.clone()
            }
        };
        let symbol = self.operation.symbol();
        match arguments {
            [_] => format!("{symbol}{}", wrapped(0, own + 1)),
            [_, _] => format!("{} {symbol} {}", wrapped(0, own), wrapped(1, own + 1)),
            _ => format!("{symbol}({})", arguments.join(", ")),
        }
    }
}

/// How tightly an operation binds.
fn binding(operation: Arithmetic) -> u8 {
    match operation {
        Arithmetic::Add | Arithmetic::Subtract => 1,
        Arithmetic::Negate => 3,
        _ => 2,
    }
}

fn binding_of(expr: &Expr) -> u8 {
    match expr {
        Expr::ScalarFunction(call) => arithmetic_of(&call.func).map_or(u8::MAX, binding),
        Expr::Alias(alias) => binding_of(&alias.expr),
        Expr::BinaryExpr(_) | Expr::Between(_) | Expr::Like(_) | Expr::Not(_) => 0,
        _ => u8::MAX,
    }
}

impl ScalarUDFImpl for ArithmeticFunction {
    fn name(&self) -> &str {
        match self.operation {
            Arithmetic::Negate => "unary -",
            other => other.symbol(),
        }
    }

    fn display_name(&self, args: &[Expr]) -> Result<String> {
        self.schema_name(args)
    }

    fn schema_name(&self, args: &[Expr]) -> Result<String> {
        // Every operator of a chain is asked, and each answer holds those below: long ones get a number.
        if is_large(args) {
            let mut hasher = DefaultHasher::new();
            args.hash(&mut hasher);
            return Ok(format!(
                "{} {:016x}",
                self.operation.symbol(),
                hasher.finish()
            ));
        }
        let arguments: Vec<String> = args.iter().map(|a| a.schema_name().to_string()).collect();
        Ok(self.print(&arguments, args))
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let (left, right) = operands(self.operation, types)?;
        if takes_as_is(self.operation, left, right) {
            return Ok(types.to_vec());
        }
        if self.operation == Arithmetic::Negate {
            return match result_type(self.operation, left, right) {
                Some(_) => Ok(types.to_vec()),
                None => complain!("a value of type {} has no negative", type_name(left)),
            };
        }
        let operator = match self.operation {
            Arithmetic::Add => Operator::Plus,
            Arithmetic::Subtract => Operator::Minus,
            Arithmetic::Multiply => Operator::Multiply,
            Arithmetic::Modulo => Operator::Modulo,
            _ => Operator::Divide,
        };
        let refuse = |left: &DataType, right: &DataType| {
            let (left, right) = (type_name(left), type_name(right));
            let symbol = self.operation.symbol();
            complaint(&format!("there is no {left} {symbol} {right}"))
        };
        if let Some((left, right)) = scaling::operand_types(self.operation, left, right) {
            return Ok(vec![left, right]);
        }
        let is_text = |t: &DataType| t.is_string();
        let (left, right) = &in_one_zone(left, right);
        let (left, right) = match (left, right) {
            // A text that a time is subtracted from, or that is subtracted from a time, is a time.
            (time, text) | (text, time)
                if operator == Operator::Minus && is_text(text) && is_point_in_time(time) =>
            {
                (time.clone(), time.clone())
            }
            (left, right) => BinaryTypeCoercer::new(left, &operator, right)
                .get_input_types()
                .map_err(|_| refuse(left, right))?,
        };
        match result_type(self.operation, &left, &right) {
            Some(_) => Ok(vec![left, right]),
            None => Err(refuse(&left, &right)),
        }
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        let (left, right) = operands(self.operation, types)?;
        result_type(self.operation, left, right).ok_or_else(|| {
            let symbol = self.operation.symbol();
            let (left, right) = (type_name(left), type_name(right));
            complaint(&format!("there is no {left} {symbol} {right}"))
        })
    }

    /// Only for folding constants: running queries call [`arithmetic`], which tells what failed.
    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let constant = args
            .args
            .iter()
            .all(|arg| matches!(arg, ColumnarValue::Scalar(_)));
        let columns = ColumnarValue::values_to_arrays(&args.args)?;
        let (Some(left), Some(right)) = (columns.first(), columns.last()) else {
            return complain!("`{}` needs operands", self.operation.symbol());
        };
        let result = arithmetic(self.operation, left, right, &mut Vec::new())
            .map_err(|error| DataFusionError::External(Box::new(error)))?;
        Ok(if constant && result.len() == 1 {
            ColumnarValue::Scalar(ScalarValue::try_from_array(&result, 0)?)
        } else {
            ColumnarValue::Array(result)
        })
    }

    fn is_strict(&self) -> bool {
        true
    }
}

fn is_point_in_time(data_type: &DataType) -> bool {
    matches!(
        data_type,
        DataType::Timestamp(_, _) | DataType::Date32 | DataType::Date64
    )
}

/// The types of two times as instants of one zone, if one of them is a wall clock or shown in another zone.
fn in_one_zone(left: &DataType, right: &DataType) -> (DataType, DataType) {
    use DataType::Timestamp;
    match (left, right) {
        (Timestamp(from, a), Timestamp(to, b)) if a != b => {
            let zone = a.as_ref().or(b.as_ref());
            (
                Timestamp(*from, zone.cloned()),
                Timestamp(*to, zone.cloned()),
            )
        }
        _ => (left.clone(), right.clone()),
    }
}

/// The types of both sides; the one of a sign counts twice.
fn operands(operation: Arithmetic, types: &[DataType]) -> Result<(&DataType, &DataType)> {
    match (operation, types) {
        (Arithmetic::Negate, [only]) => Ok((only, only)),
        (Arithmetic::Negate, _) | (_, [] | [_] | [_, _, _, ..]) => {
            complain!(
                "`{}` does not take {} operands",
                operation.symbol(),
                types.len()
            )
        }
        (_, [left, right]) => Ok((left, right)),
    }
}
/// True for expressions of more than a few dozen calls, without looking at all of them.
fn is_large(args: &[Expr]) -> bool {
    const MANY: usize = 32;
    let mut waiting: Vec<&Expr> = args.iter().collect();
    let mut seen = 0;
    while let Some(expr) = waiting.pop() {
        seen += 1;
        if seen > MANY {
            return true;
        }
        match expr {
            Expr::ScalarFunction(call) => waiting.extend(&call.args),
            Expr::Alias(alias) => waiting.push(&alias.expr),
            Expr::Cast(cast) => waiting.push(&cast.expr),
            Expr::TryCast(cast) => waiting.push(&cast.expr),
            _ => {}
        }
    }
    false
}
