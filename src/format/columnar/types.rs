//! The types of columnar files as those of SQL.
//!
//! ```text
//!   Int32 ─► INT     Timestamp(s, "+02:00") ─► TIMESTAMP_LTZ(3)     Dictionary(Int8, Utf8) ─► STRING
//!   LargeList<Int8> ─► ARRAY<TINYINT>     Map<Int32, Utf8> ─► STRING, its JSON text     Union ─► none
//! ```

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, Fields, TimeUnit};

use crate::time::Zone;

/// The type of a column of SQL that holds all values of a type of a file; `None` if there is none. An instant
/// is shown in `zone`.
pub fn column_type(data_type: &DataType, zone: Zone) -> Option<DataType> {
    use DataType as T;
    Some(match data_type {
        T::Boolean
        | T::Int8
        | T::Int16
        | T::Int32
        | T::Int64
        | T::UInt8
        | T::UInt16
        | T::UInt32
        | T::UInt64
        | T::Float32
        | T::Float64
        | T::Decimal128(..)
        | T::Date32 => data_type.clone(),
        T::Date64 => T::Date32,
        T::Float16 => T::Float32,
        T::Decimal32(precision, scale) | T::Decimal64(precision, scale) => {
            T::Decimal128(*precision, *scale)
        }
        T::Time32(_) | T::Time64(TimeUnit::Microsecond) => T::Time64(TimeUnit::Microsecond),
        T::Time64(_) => T::Time64(TimeUnit::Nanosecond),
        T::Timestamp(unit, of_zone) => {
            let unit = match unit {
                TimeUnit::Second => TimeUnit::Millisecond,
                finer => *finer,
            };
            T::Timestamp(unit, of_zone.as_ref().map(|_| zone.name().into()))
        }
        T::Binary | T::LargeBinary | T::BinaryView | T::FixedSizeBinary(_) => T::Binary,
        T::Utf8 | T::LargeUtf8 | T::Utf8View => T::Utf8View,
        // As texts: NULLs, lengths of time, and numbers of more digits than ours have.
        T::Null | T::Duration(_) | T::Interval(_) | T::Decimal256(..) => T::Utf8View,
        T::List(item) | T::LargeList(item) | T::FixedSizeList(item, _) => {
            let item = column_type(item.data_type(), zone)?;
            T::List(Arc::new(Field::new_list_field(item, true)))
        }
        T::Struct(fields) if !fields.is_empty() => {
            let field = |field: &FieldRef| {
                let data_type = column_type(field.data_type(), zone)?;
                Some(Field::new(field.name(), data_type, true))
            };
            T::Struct(fields.iter().map(field).collect::<Option<Fields>>()?)
        }
        T::Map(entries, _) => match entries.data_type() {
            T::Struct(pair) if pair.len() == 2 && pair[0].data_type().is_string() => {
                let value = column_type(pair[1].data_type(), zone)?;
                let key = Field::new("key", T::Utf8View, false);
                let pair = Fields::from(vec![key, Field::new("value", value, true)]);
                T::Map(
                    Arc::new(Field::new("entries", T::Struct(pair), false)),
                    false,
                )
            }
            _ if is_shown(data_type) => T::Utf8View,
            _ => return None,
        },
        T::Struct(_) => T::Utf8View,
        T::Dictionary(_, value) => column_type(value, zone)?,
        T::RunEndEncoded(_, value) => column_type(value.data_type(), zone)?,
        _ => return None,
    })
}

/// True if values of the type can be shown as text, with all that is in them.
fn is_shown(data_type: &DataType) -> bool {
    use DataType as T;
    match data_type {
        T::List(inner) | T::LargeList(inner) | T::FixedSizeList(inner, _) | T::Map(inner, _) => {
            is_shown(inner.data_type())
        }
        T::Struct(fields) => fields.iter().all(|field| is_shown(field.data_type())),
        T::Dictionary(_, value) => is_shown(value),
        T::Union(..) | T::ListView(_) | T::LargeListView(_) | T::RunEndEncoded(..) | T::Float16 => {
            false
        }
        _ => true,
    }
}
