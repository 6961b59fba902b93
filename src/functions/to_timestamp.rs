//! `to_timestamp(value)` and its siblings: times of numbers, texts, dates and other times.
//!
//! ```text
//!                                               --tz Europe/Berlin
//! to_timestamp(1782907200)                      TIMESTAMP_LTZ  2026-07-01T14:00+02:00    a number is an instant
//! to_timestamp('2026-07-01 12:00')              TIMESTAMP      2026-07-01T12:00          a text a wall clock
//! to_timestamp('2026-07-01T12:00Z')             TIMESTAMP      2026-07-01T14:00
//! to_timestamp('12:00 +0000', '%H:%M %z')       TIMESTAMP_LTZ                            a format that says the offset
//! to_timestamp_ltz('2026-07-01T12:00Z')         TIMESTAMP_LTZ  2026-07-01T14:00+02:00    always an instant
//! ```
//!
//! A number counts what the name says, `to_timestamp` and `from_unixtime` seconds, with or without a fraction;
//! `to_timestamp_ltz(n, 3)` milliseconds. Invariant: what a call gives depends on the types, the formats and the zone,
//! never on other rows.

use std::sync::Arc;

use arrow::array::Array;
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion_common::config::ConfigOptions;
use datafusion_common::{DataFusionError, Result, ScalarValue, exec_err};
use datafusion_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    Volatility,
};

use super::complaint::complain;
use super::{type_name, zone_of};
use crate::exec::expression::convert_to_time;
use crate::time::{EpochUnit, TimeFormat, Unit, Zone, strftime_names_instants};

/// One of the functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Kind {
    name: &'static str,
    /// What numbers count.
    counts: EpochUnit,
    /// The unit of the result.
    unit: Unit,
    second: Second,
}

/// What a second argument says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Second {
    /// How the text is written, as further ones do.
    Format,
    /// The same of a text; of a number what it counts, as the digits of a fraction of a second.
    FormatOrPrecision,
    /// The zone that the result is shown in.
    Zone,
}

const KINDS: [Kind; 7] = {
    use EpochUnit::{Microsecond, Millisecond, Nanosecond, Second as Seconds};
    const fn kind(name: &'static str, counts: EpochUnit, unit: Unit, second: Second) -> Kind {
        Kind {
            name,
            counts,
            unit,
            second,
        }
    }
    [
        kind("to_timestamp", Seconds, Unit::Microsecond, Second::Format),
        kind(
            "to_timestamp_seconds",
            Seconds,
            Unit::Millisecond,
            Second::Format,
        ),
        kind(
            "to_timestamp_millis",
            Millisecond,
            Unit::Millisecond,
            Second::Format,
        ),
        kind(
            "to_timestamp_micros",
            Microsecond,
            Unit::Microsecond,
            Second::Format,
        ),
        kind(
            "to_timestamp_nanos",
            Nanosecond,
            Unit::Nanosecond,
            Second::Format,
        ),
        kind(
            "to_timestamp_ltz",
            Seconds,
            Unit::Microsecond,
            Second::FormatOrPrecision,
        ),
        kind("from_unixtime", Seconds, Unit::Microsecond, Second::Zone),
    ]
};

#[derive(Debug, PartialEq, Eq, Hash)]
struct ToTimestamp {
    kind: Kind,
    zone: Zone,
    signature: Signature,
}

/// The functions, of the zone that the session has.
pub fn functions() -> Vec<Arc<ScalarUDF>> {
    let functions = KINDS.map(|kind| Arc::new(in_zone(kind, Zone::UTC)));
    functions.into()
}

fn in_zone(kind: Kind, zone: Zone) -> ScalarUDF {
    let signature = Signature::user_defined(Volatility::Immutable);
    ScalarUDF::from(ToTimestamp {
        kind,
        zone,
        signature,
    })
}

impl ScalarUDFImpl for ToTimestamp {
    fn name(&self) -> &str {
        self.kind.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn with_updated_config(&self, options: &ConfigOptions) -> Option<ScalarUDF> {
        Some(in_zone(self.kind, zone_of(options)))
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let name = self.kind.name;
        let Some((value, further)) = types.split_first() else {
            return complain!("{name} takes a number, a text or a time");
        };
        let is_time = matches!(
            value,
            DataType::Timestamp(..) | DataType::Date32 | DataType::Date64 | DataType::Null
        );
        let of_zone = self.kind.second == Second::Zone;
        if !(value.is_numeric() || (!of_zone && (value.is_string() || is_time)) || value.is_null())
        {
            let value = type_name(value);
            return complain!(
                "{name} takes {}, not {value}",
                match of_zone {
                    true => "a number of seconds",
                    false => "a number, a text or a time",
                }
            );
        }
        let fits = match (self.kind.second, further) {
            (_, []) => true,
            (Second::Zone, [zone]) => zone.is_string(),
            (Second::FormatOrPrecision, [digits]) if value.is_numeric() => digits.is_integer(),
            (Second::Zone, _) => false,
            (_, formats) => value.is_string() && formats.iter().all(DataType::is_string),
        };
        if !fits {
            return complain!("{}", self.further());
        }
        Ok(types.to_vec())
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        complain!("the type of {} depends on its arguments", self.kind.name)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> Result<FieldRef> {
        let value = args.arg_fields[0].data_type();
        let mut further = Vec::new();
        for argument in args.scalar_arguments.iter().skip(1) {
            let Some(constant) = argument else {
                return complain!("{}", self.further());
            };
            further.push(ColumnarValue::Scalar((*constant).clone()));
        }
        let said = self.said(value, &further)?;
        let zone = said.is_instant.then(|| said.zone.name().into());
        let data_type = DataType::Timestamp(self.kind.unit.arrow(), zone);
        Ok(Arc::new(Field::new(self.kind.name, data_type, true)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let columns = ColumnarValue::values_to_arrays(&args.args[..1])?;
        let from = &columns[0];
        let said = self.said(from.data_type(), &args.args[1..])?;
        let to = args.return_field.data_type();
        let times = convert_to_time(from, to, said.zone, &said.formats)
            .map_err(|error| DataFusionError::External(Box::new(error)))?;
        if times.null_count() > from.logical_null_count() {
            return exec_err!("a value that is no time");
        }
        Ok(match &args.args[0] {
            ColumnarValue::Scalar(_) => {
                ColumnarValue::Scalar(ScalarValue::try_from_array(&times, 0)?)
            }
            ColumnarValue::Array(_) => ColumnarValue::Array(times),
        })
    }

    fn is_strict(&self) -> bool {
        true
    }
}

/// What the arguments of a call say besides the value.
struct Said {
    formats: Vec<TimeFormat>,
    zone: Zone,
    is_instant: bool,
}

impl ToTimestamp {
    /// What further arguments are for.
    fn further(&self) -> String {
        let name = self.kind.name;
        match self.kind.second {
            Second::Format => {
                format!("behind a text {name} takes formats in quotes, such as '%Y-%m-%d %H:%M'")
            }
            Second::FormatOrPrecision => format!(
                "behind a number {name} takes 0, 3, 6 or 9, the digits of the second that it counts; \
                 behind a text formats in quotes, such as '%Y-%m-%d %H:%M'"
            ),
            Second::Zone => {
                format!("behind a number {name} takes a zone in quotes, such as 'Europe/Berlin'")
            }
        }
    }

    fn said(&self, value: &DataType, further: &[ColumnarValue]) -> Result<Said> {
        let mut said = Said {
            formats: vec![TimeFormat::Epoch(self.kind.counts)],
            zone: self.zone,
            is_instant: value.is_numeric()
                || self.kind.second != Second::Format
                || matches!(value, DataType::Timestamp(_, Some(_))),
        };
        if value.is_string() {
            said.formats = formats_of(further)?;
            said.is_instant |= !further.is_empty() && said.formats.iter().all(names_instants);
            return Ok(said);
        }
        let Some(ColumnarValue::Scalar(second)) = further.first() else {
            return Ok(said);
        };
        match self.kind.second {
            Second::Zone => {
                let zone = second.try_as_str().flatten().unwrap_or_default();
                let Ok(zone) = zone.parse() else {
                    return complain!(
                        "`{zone}` is no zone; zones have names such as Europe/Berlin"
                    );
                };
                said.zone = zone;
            }
            _ => {
                let counts = match second.cast_to(&DataType::Int64)? {
                    ScalarValue::Int64(Some(0)) => EpochUnit::Second,
                    ScalarValue::Int64(Some(3)) => EpochUnit::Millisecond,
                    ScalarValue::Int64(Some(6)) => EpochUnit::Microsecond,
                    ScalarValue::Int64(Some(9)) => EpochUnit::Nanosecond,
                    _ => return complain!("{}", self.further()),
                };
                said.formats = vec![TimeFormat::Epoch(counts)];
            }
        }
        Ok(said)
    }
}

fn names_instants(format: &TimeFormat) -> bool {
    matches!(format, TimeFormat::Strftime(text) if strftime_names_instants(text))
}

/// The formats that constants say; without any, times are written as in columns.
pub(super) fn formats_of(arguments: &[ColumnarValue]) -> Result<Vec<TimeFormat>> {
    if arguments.is_empty() {
        return Ok(vec![TimeFormat::Auto]);
    }
    let mut formats = Vec::with_capacity(arguments.len());
    for argument in arguments {
        let text = match argument {
            ColumnarValue::Scalar(text) => text.try_as_str().flatten(),
            ColumnarValue::Array(_) => None,
        };
        match text {
            Some(text) => formats.push(TimeFormat::Strftime(text.to_owned())),
            None => {
                return complain!("a time format is a text in quotes, such as '%Y-%m-%d %H:%M'");
            }
        }
    }
    Ok(formats)
}
