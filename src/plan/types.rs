//! SQL types to column types: `STRING`, `TIMESTAMP(3)`, `TIMESTAMP_LTZ`, `DECIMAL(10, 2)`, ….

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Fields, IntervalUnit, TimeUnit};
use sqlparser::ast::{
    ArrayElemTypeDef, DataType as SqlType, ExactNumberInfo, Spanned, StructField, TimezoneInfo,
};

use crate::error::{Error, Result};
use crate::sql::span_of;
use crate::time::{Unit, Zone};

/// The column type of a SQL type; instants are shown in `zone`.
///
/// # Errors
/// A type that does not exist here, with the nearest that does.
pub fn data_type(sql_type: &SqlType, zone: Zone) -> Result<DataType> {
    Ok(match sql_type {
        SqlType::Boolean | SqlType::Bool => DataType::Boolean,
        SqlType::TinyInt(_) => DataType::Int8,
        SqlType::SmallInt(_) | SqlType::Int2(_) | SqlType::Int16 => DataType::Int16,
        SqlType::Int(_) | SqlType::Integer(_) | SqlType::Int4(_) | SqlType::Int32 => {
            DataType::Int32
        }
        SqlType::BigInt(_) | SqlType::Int8(_) | SqlType::Int64 => DataType::Int64,
        SqlType::TinyIntUnsigned(_) | SqlType::UInt8 => DataType::UInt8,
        SqlType::SmallIntUnsigned(_) | SqlType::UInt16 => DataType::UInt16,
        SqlType::IntUnsigned(_) | SqlType::IntegerUnsigned(_) | SqlType::UInt32 => DataType::UInt32,
        SqlType::BigIntUnsigned(_) | SqlType::UInt64 => DataType::UInt64,
        SqlType::Real | SqlType::Float4 | SqlType::Float32 => DataType::Float32,
        SqlType::Float(_) => DataType::Float32,
        SqlType::Double(_) | SqlType::DoublePrecision | SqlType::Float8 | SqlType::Float64 => {
            DataType::Float64
        }
        SqlType::Decimal(info) | SqlType::Numeric(info) | SqlType::Dec(info) => decimal(info)?,
        SqlType::String(_)
        | SqlType::Text
        | SqlType::Varchar(_)
        | SqlType::Char(_)
        | SqlType::Character(_)
        | SqlType::CharacterVarying(_)
        | SqlType::CharVarying(_)
        | SqlType::Nvarchar(_) => DataType::Utf8View,
        SqlType::Bytes(_)
        | SqlType::Bytea
        | SqlType::Binary(_)
        | SqlType::Varbinary(_)
        | SqlType::Blob(_) => DataType::Binary,
        SqlType::Date => DataType::Date32,
        SqlType::Time(..) => DataType::Time64(TimeUnit::Microsecond),
        SqlType::Timestamp(precision, info) => {
            let local = matches!(info, TimezoneInfo::WithTimeZone | TimezoneInfo::Tz);
            timestamp(*precision, local.then_some(zone))
        }
        SqlType::TimestampNtz(precision) => timestamp(*precision, None),
        SqlType::Datetime(precision) => timestamp(*precision, None),
        SqlType::Interval { .. } => DataType::Interval(IntervalUnit::MonthDayNano),
        SqlType::Array(
            ArrayElemTypeDef::AngleBracket(element)
            | ArrayElemTypeDef::SquareBracket(element, _)
            | ArrayElemTypeDef::Parenthesis(element),
        ) => DataType::List(Arc::new(Field::new_list_field(
            data_type(element, zone)?,
            true,
        ))),
        SqlType::Struct(fields, _) => row_of(fields, zone)?,
        SqlType::Map(key, value) => map_of(key, value, zone)?,
        SqlType::Custom(name, modifiers) => custom(&name.to_string(), modifiers, zone)
            .map_err(|error| error.at_least(span_of(name.span())))?,
        other => return Err(unknown(&other.to_string())),
    })
}

fn row_of(fields: &[StructField], zone: Zone) -> Result<DataType> {
    let field = |field: &StructField| {
        let name = field.field_name.as_ref().ok_or_else(|| {
            Error::plan("a field of ROW has a name and a type")
                .help("write ROW<name STRING, n BIGINT>")
        })?;
        let data_type = data_type(&field.field_type, zone)?;
        Ok(Field::new(&name.value, data_type, true))
    };
    let fields = fields.iter().map(field).collect::<Result<Vec<_>>>()?;
    Ok(DataType::Struct(Fields::from(fields)))
}

fn map_of(key: &SqlType, value: &SqlType, zone: Zone) -> Result<DataType> {
    if data_type(key, zone)? != DataType::Utf8View {
        return Err(Error::plan("the keys of a MAP are STRING")
            .help("write MAP<STRING, …>: the keys of a JSON object are text"));
    }
    let pair = Fields::from(vec![
        Field::new("key", DataType::Utf8View, false),
        Field::new("value", data_type(value, zone)?, true),
    ]);
    let entries = Field::new("entries", DataType::Struct(pair), false);
    Ok(DataType::Map(Arc::new(entries), false))
}

fn custom(name: &str, modifiers: &[String], zone: Zone) -> Result<DataType> {
    let precision = modifiers.first().and_then(|digits| digits.parse().ok());
    match name.to_ascii_uppercase().as_str() {
        "TIMESTAMP_LTZ" | "TIMESTAMPTZ" => Ok(timestamp(precision, Some(zone))),
        "STRING" => Ok(DataType::Utf8View),
        "BYTES" => Ok(DataType::Binary),
        _ => Err(unknown(name)),
    }
}

fn timestamp(precision: Option<u64>, zone: Option<Zone>) -> DataType {
    let unit = precision.map_or(Unit::Microsecond, Unit::of_precision);
    DataType::Timestamp(unit.arrow(), zone.map(|zone| zone.name().into()))
}

fn decimal(info: &ExactNumberInfo) -> Result<DataType> {
    let (precision, scale) = match info {
        ExactNumberInfo::None => (38, 10),
        ExactNumberInfo::Precision(precision) => (*precision, 0),
        ExactNumberInfo::PrecisionAndScale(precision, scale) => (*precision, *scale),
    };
    match (u8::try_from(precision), i8::try_from(scale)) {
        (Ok(precision @ 1..=38), Ok(scale)) if (0..=precision as i8).contains(&scale) => {
            Ok(DataType::Decimal128(precision, scale))
        }
        _ => Err(
            Error::plan(format!("DECIMAL({precision}, {scale}) does not exist"))
                .help("DECIMAL(p, s) has 1 to 38 digits, s of them behind the point"),
        ),
    }
}

const NAMES: [&str; 19] = [
    "BOOLEAN",
    "TINYINT",
    "SMALLINT",
    "INT",
    "BIGINT",
    "FLOAT",
    "DOUBLE",
    "DECIMAL",
    "STRING",
    "VARCHAR",
    "BYTES",
    "DATE",
    "TIME",
    "TIMESTAMP",
    "TIMESTAMP_LTZ",
    "INTERVAL",
    "ARRAY",
    "ROW",
    "MAP",
];

fn unknown(name: &str) -> Error {
    let error = Error::plan(format!("type `{name}` does not exist"))
        .help(format!("types: {}", NAMES.join(", ")));
    error.suggest(name, NAMES.iter().copied())
}
