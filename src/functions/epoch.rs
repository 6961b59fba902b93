//! `epoch(time)`: seconds since 1970-01-01T00:00 UTC as DOUBLE, with the fraction; of a duration its seconds.
//! `to_unixtime(time)`: the same in whole seconds, also of a text.
//!
//! ```text
//!                               --tz UTC          --tz Europe/Berlin
//! TIMESTAMP  12:00              12:00 UTC         11:00 UTC: the instant at which clocks there show it
//! TIMESTAMP_LTZ 12:00Z          12:00 UTC         12:00 UTC
//! ```
//!
//! Invariant: `to_timestamp(epoch(time)) = time`, for a wall clock as for an instant.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float64Array, Int64Array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type, TimeUnit, TimestampMillisecondType};
use datafusion_common::config::ConfigOptions;
use datafusion_common::{DataFusionError, Result, exec_err};
use datafusion_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use super::complaint::complain;
use super::to_timestamp::formats_of;
use super::{type_name, zone_of};
use crate::exec::expression::convert_to_time;
use crate::time::Zone;

#[derive(Debug, PartialEq, Eq, Hash)]
struct Epoch {
    is_whole: bool,
    zone: Zone,
    signature: Signature,
}

/// The functions, of the zone that the session has.
pub fn functions() -> Vec<Arc<ScalarUDF>> {
    let functions = [false, true].map(|is_whole| Arc::new(in_zone(is_whole, Zone::UTC)));
    functions.into()
}

fn in_zone(is_whole: bool, zone: Zone) -> ScalarUDF {
    let signature = Signature::user_defined(Volatility::Immutable);
    ScalarUDF::from(Epoch {
        is_whole,
        zone,
        signature,
    })
}

impl Epoch {
    /// Instants of the session's zone.
    fn instant(&self, unit: TimeUnit) -> DataType {
        DataType::Timestamp(unit, Some(self.zone.name().into()))
    }
}

impl ScalarUDFImpl for Epoch {
    fn name(&self) -> &str {
        if self.is_whole {
            "to_unixtime"
        } else {
            "epoch"
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn with_updated_config(&self, options: &ConfigOptions) -> Option<ScalarUDF> {
        Some(in_zone(self.is_whole, zone_of(options)))
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let name = self.name();
        Ok(match types {
            // Where clocks show UTC there is nothing to convert.
            [time @ DataType::Timestamp(_, None)] if self.zone == Zone::UTC => vec![time.clone()],
            [DataType::Timestamp(unit, None)] => vec![self.instant(*unit)],
            [time @ (DataType::Timestamp(_, _) | DataType::Duration(_))] => vec![time.clone()],
            [DataType::Date32 | DataType::Date64] => vec![self.instant(TimeUnit::Millisecond)],
            [DataType::Null] => vec![self.instant(TimeUnit::Microsecond)],
            [number] if self.is_whole && number.is_numeric() => vec![DataType::Int64],
            [text, formats @ ..]
                if self.is_whole && text.is_string() && formats.iter().all(DataType::is_string) =>
            {
                types.to_vec()
            }
            [other] => {
                let other = type_name(other);
                return complain!("{name} takes a time, not {other}; cast it to TIMESTAMP");
            }
            _ => return complain!("{name} takes one argument, a time"),
        })
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok(if self.is_whole {
            DataType::Int64
        } else {
            DataType::Float64
        })
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let columns = ColumnarValue::values_to_arrays(&args.args)?;
        let column = &columns[0];
        let result: ArrayRef = match column.data_type() {
            number if number.is_numeric() => Arc::clone(column),
            text if text.is_string() => self.seconds_of_texts(column, &args.args[1..])?,
            DataType::Timestamp(unit, _) | DataType::Duration(unit) => {
                self.seconds(column, *unit)?
            }
            other => return complain!("{} takes a time, not {other}", self.name()),
        };
        Ok(ColumnarValue::Array(result))
    }

    fn is_strict(&self) -> bool {
        true
    }
}

impl Epoch {
    fn seconds(&self, column: &ArrayRef, unit: TimeUnit) -> Result<ArrayRef> {
        let per_second: i64 = match unit {
            TimeUnit::Second => 1,
            TimeUnit::Millisecond => 1_000,
            TimeUnit::Microsecond => 1_000_000,
            TimeUnit::Nanosecond => 1_000_000_000,
        };
        let steps = cast(column, &DataType::Int64)?;
        let steps = steps.as_primitive::<Int64Type>();
        if self.is_whole {
            let seconds: Int64Array = steps.unary(|step: i64| step.div_euclid(per_second));
            return Ok(Arc::new(seconds));
        }
        let seconds: Float64Array = steps.unary(|step: i64| {
            let fraction = step.rem_euclid(per_second) as f64 / per_second as f64;
            step.div_euclid(per_second) as f64 + fraction
        });
        Ok(Arc::new(seconds))
    }

    fn seconds_of_texts(&self, texts: &ArrayRef, formats: &[ColumnarValue]) -> Result<ArrayRef> {
        let instant = self.instant(TimeUnit::Millisecond);
        let times = convert_to_time(texts, &instant, self.zone, &formats_of(formats)?)
            .map_err(|error| DataFusionError::External(Box::new(error)))?;
        if times.null_count() > texts.null_count() {
            return exec_err!("a text that is no time");
        }
        let times = times.as_primitive::<TimestampMillisecondType>();
        let seconds: Int64Array = times.unary(|step: i64| step.div_euclid(1_000));
        Ok(Arc::new(seconds))
    }
}
