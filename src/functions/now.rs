//! `now()`, `current_timestamp`: the moment at which the session began, an instant shown in the zone of `--tz`.
//! `localtimestamp`: what clocks in that zone show then.

use std::sync::Arc;

use arrow::datatypes::{DataType, TimeUnit};
use datafusion_common::config::ConfigOptions;
use datafusion_common::{DataFusionError, Result, ScalarValue};
use datafusion_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use super::complaint::complain;
use super::zone_of;
use crate::time::{TimeFormat, TimeReader, Unit, Zone};

#[derive(Debug, PartialEq, Eq, Hash)]
struct Now {
    /// True for `localtimestamp`.
    is_local: bool,
    zone: Zone,
    signature: Signature,
    aliases: Vec<String>,
}

/// The functions, of the zone that the session has.
pub fn functions() -> Vec<Arc<ScalarUDF>> {
    let functions = [false, true].map(|is_local| Arc::new(in_zone(is_local, Zone::UTC)));
    functions.into()
}

fn in_zone(is_local: bool, zone: Zone) -> ScalarUDF {
    let aliases: &[&str] = if is_local {
        &[]
    } else {
        &["current_timestamp"]
    };
    ScalarUDF::from(Now {
        is_local,
        zone,
        signature: Signature::nullary(Volatility::Stable),
        aliases: aliases.iter().map(|alias| (*alias).to_owned()).collect(),
    })
}

impl ScalarUDFImpl for Now {
    fn name(&self) -> &str {
        if self.is_local {
            "localtimestamp"
        } else {
            "now"
        }
    }

    fn aliases(&self) -> &[String] {
        &self.aliases
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn with_updated_config(&self, options: &ConfigOptions) -> Option<ScalarUDF> {
        Some(in_zone(self.is_local, zone_of(options)))
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        let zone = (!self.is_local).then(|| self.zone.name().into());
        Ok(DataType::Timestamp(TimeUnit::Microsecond, zone))
    }

    /// The one moment of all calls.
    fn simplify(&self, args: Vec<Expr>, context: &SimplifyContext) -> Result<ExprSimplifyResult> {
        let Some(now) = context.query_execution_start_time() else {
            return Ok(ExprSimplifyResult::Original(args));
        };
        let zone = (!self.is_local).then(|| self.zone.name().into());
        let (unit, format) = (Unit::Microsecond, TimeFormat::Auto);
        let reader = TimeReader::new(&format, unit, self.zone, !self.is_local)
            .map_err(|error| DataFusionError::External(Box::new(error)))?;
        let now = reader.read_instant(now.timestamp(), now.timestamp_subsec_nanos());
        let now = ScalarValue::TimestampMicrosecond(now, zone);
        Ok(ExprSimplifyResult::Simplified(Expr::Literal(now, None)))
    }

    fn invoke_with_args(&self, _args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        complain!("{} is known before a query runs", self.name())
    }
}
