//! The function that stands for a conversion to another type while a query is planned: what is folded then has the
//! value that [`Cast`](crate::exec::expression::Cast) gives while it runs.
//!
//! ```text
//!   CAST(0 AS TIMESTAMP)      folded by DataFusion    1970-01-01T00:00:00
//!                             by this function        1970-01-01T01:00:00     --tz Europe/Berlin
//! ```
//!
//! Its name is no word, so no query can call it. It has no value where there is none: then it is not folded, and
//! the rows that it fails for are counted.

use std::sync::Arc;

use arrow::array::Array;
use arrow::datatypes::{DataType, TimeUnit};
use datafusion_common::{DataFusionError, Result, ScalarValue, exec_err};
use datafusion_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use super::complaint::complain;
use super::type_name;
use crate::exec::expression::convert;
use crate::time::{Unit, Zone};

/// A conversion to a type.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Conversion {
    to: DataType,
    zone: Zone,
    signature: Signature,
}

/// The conversion to a type; times without a zone are those of `zone`.
pub fn conversion_to(to: DataType, zone: Zone) -> Arc<ScalarUDF> {
    let signature = Signature::any(1, Volatility::Immutable);
    let conversion = Conversion {
        to,
        zone,
        signature,
    };
    Arc::new(ScalarUDF::from(conversion))
}

/// What a conversion converts to, and the zone; `None` for all other functions.
pub fn conversion_of(function: &ScalarUDF) -> Option<(&DataType, Zone)> {
    let conversion = function.inner().downcast_ref::<Conversion>()?;
    Some((&conversion.to, conversion.zone))
}

/// True if DataFusion would convert otherwise than we do. What it does alike is left to it: it knows how to compare
/// a column with a constant of another type.
pub fn converts_otherwise(from: &DataType, to: &DataType) -> bool {
    use DataType::{Date32, Date64, Duration, Interval, Null, Time32, Time64, Timestamp};
    let is_time =
        |t: &DataType| matches!(t, Timestamp(..) | Date32 | Date64 | Time32(_) | Time64(_));
    match (from, to) {
        (from, to) if from == to => false,
        (Null, _) => false,
        (Interval(_), Duration(_)) => true,
        (Timestamp(from, from_zone), Timestamp(to, to_zone)) => {
            from_zone.is_some() != to_zone.is_some() || is_finer(from, to)
        }
        (from, to) if is_time(from) || is_time(to) => true,
        (from, to) => {
            (from.is_string() && to.is_numeric()) || (to.is_string() && from.is_primitive())
        }
    }
}

/// True if digits are lost.
fn is_finer(from: &TimeUnit, to: &TimeUnit) -> bool {
    let steps = |unit: &TimeUnit| {
        let unit = Unit::of(&DataType::Timestamp(*unit, None));
        unit.map_or(1, Unit::per_second)
    };
    steps(from) > steps(to)
}

impl ScalarUDFImpl for Conversion {
    fn name(&self) -> &str {
        "conversion to"
    }

    fn display_name(&self, args: &[Expr]) -> Result<String> {
        self.schema_name(args)
    }

    /// As DataFusion names a cast: by what is cast.
    fn schema_name(&self, args: &[Expr]) -> Result<String> {
        Ok(args
            .first()
            .map_or_else(String::new, |only| only.schema_name().to_string()))
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok(self.to.clone())
    }

    /// Only for folding constants: running queries call [`convert`], and count what has no value.
    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let columns = ColumnarValue::values_to_arrays(&args.args)?;
        let Some(from) = columns.first() else {
            return complain!("a conversion of nothing");
        };
        let result = convert(from, &self.to, self.zone)
            .map_err(|error| DataFusionError::External(Box::new(error)))?;
        if result.null_count() > from.null_count() {
            return exec_err!("no {}", type_name(&self.to));
        }
        Ok(match args.args.first() {
            Some(ColumnarValue::Scalar(_)) => {
                ColumnarValue::Scalar(ScalarValue::try_from_array(&result, 0)?)
            }
            _ => ColumnarValue::Array(result),
        })
    }

    fn is_strict(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_datafusion_does_alike_is_left_to_it() {
        use DataType::*;
        use TimeUnit::{Microsecond, Millisecond};
        let wall = |unit| Timestamp(unit, None);
        let instant = |unit| Timestamp(unit, Some("Europe/Berlin".into()));
        for (from, to, expected) in [
            (Int32, Int64, false),
            (Int64, Float64, false),
            (Boolean, Int64, false),
            (Utf8, Utf8View, false),
            (Null, wall(Microsecond), false),
            (wall(Millisecond), wall(Microsecond), false),
            (wall(Microsecond), wall(Millisecond), true),
            (wall(Microsecond), instant(Microsecond), true),
            (instant(Millisecond), instant(Microsecond), false),
            (Int64, wall(Microsecond), true),
            (Utf8, Date32, true),
            (instant(Microsecond), Date32, true),
            (Utf8View, Float64, true),
            (Float64, Utf8View, true),
        ] {
            assert_eq!(converts_otherwise(&from, &to), expected, "{from} {to}");
        }
    }
}
