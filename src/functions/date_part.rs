//! `date_part(part, time)` and `extract(part FROM time)`: DataFusion's, but that `epoch` is [`epoch`](super::epoch)'s.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion_common::config::ConfigOptions;
use datafusion_common::{DataFusionError, Result, ScalarValue};
use datafusion_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl};

use super::theirs::as_theirs;
use super::zone_of;
use crate::exec::expression::convert;
use crate::time::Zone;

#[derive(Debug, PartialEq, Eq, Hash)]
struct DatePart {
    theirs: Arc<ScalarUDF>,
    zone: Zone,
}

/// The function, of the zone that the session has.
pub fn function() -> Arc<ScalarUDF> {
    date_part_in(Zone::UTC)
}

/// The function in a zone.
pub fn date_part_in(zone: Zone) -> Arc<ScalarUDF> {
    Arc::new(in_zone(zone))
}

fn in_zone(zone: Zone) -> ScalarUDF {
    ScalarUDF::from(DatePart {
        theirs: datafusion_functions::datetime::date_part(),
        zone,
    })
}

impl ScalarUDFImpl for DatePart {
    as_theirs!();

    fn with_updated_config(&self, options: &ConfigOptions) -> Option<ScalarUDF> {
        Some(in_zone(zone_of(options)))
    }

    fn invoke_with_args(&self, mut args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        if let [ColumnarValue::Scalar(part), time] = args.args.as_mut_slice()
            && is_epoch(part)
            && let DataType::Timestamp(unit, None) = time.data_type()
        {
            // The instant at which clocks in the zone show it.
            let is_constant = matches!(time, ColumnarValue::Scalar(_));
            let instant = DataType::Timestamp(unit, Some(self.zone.name().into()));
            let converted = convert(&time.to_array(args.number_rows)?, &instant, self.zone)
                .map_err(|error| DataFusionError::External(Box::new(error)))?;
            *time = match is_constant {
                true => ColumnarValue::Scalar(ScalarValue::try_from_array(&converted, 0)?),
                false => ColumnarValue::Array(converted),
            };
        }
        self.theirs.invoke_with_args(args)
    }

    fn is_strict(&self) -> bool {
        true
    }
}

fn is_epoch(part: &ScalarValue) -> bool {
    let part = part.try_as_str().flatten().unwrap_or_default();
    part.trim_matches(['\'', '"']).eq_ignore_ascii_case("epoch")
}
