//! Values inside of columns of ROW, ARRAY and MAP values, and NULL where there is none.
//!
//! ```text
//!   ARRAY   [4, 5] │ [] │ NULL          element 1   4 │ NULL │ NULL
//!   ROW     {a: 1} │ NULL │ {a: NULL}   field a     1 │ NULL │ NULL
//! ```

use arrow::array::{Array, ArrayRef, ListArray, MapArray, StructArray, UInt64Array};
use arrow::compute::{cast, take};
use arrow::datatypes::DataType;
use arrow::error::ArrowError;

/// The field at a place, NULL where the ROW is.
///
/// # Errors
/// None but of arrow.
pub fn field_inside(rows: &StructArray, place: usize) -> Result<ArrayRef, ArrowError> {
    let column = rows.column(place);
    let Some(nulls) = rows.nulls() else {
        return Ok(std::sync::Arc::clone(column));
    };
    let places = (0..rows.len()).map(|row| nulls.is_valid(row).then_some(row as u64));
    take(column, &places.collect::<UInt64Array>(), None)
}

/// The element of the number, from 1, that each row asks for.
///
/// # Errors
/// None but of arrow.
pub fn element_inside(
    lists: &ListArray,
    number: impl Fn(usize) -> Option<i64>,
) -> Result<ArrayRef, ArrowError> {
    let places = (0..lists.len()).map(|row| {
        let place = number(row)
            .filter(|_| lists.is_valid(row))?
            .checked_sub(1)?;
        let length = i64::from(lists.value_length(row));
        let start = i64::from(lists.value_offsets()[row]);
        (0..length).contains(&place).then(|| (start + place) as u64)
    });
    take(lists.values(), &places.collect::<UInt64Array>(), None)
}

/// The value of the key that each row asks for.
///
/// # Errors
/// The keys are no text.
pub fn value_inside<'k>(
    maps: &MapArray,
    key: impl Fn(usize) -> Option<&'k str>,
) -> Result<ArrayRef, ArrowError> {
    let keys = cast(maps.keys(), &DataType::Utf8View)?;
    let keys = arrow::array::AsArray::as_string_view(&keys);
    let places = (0..maps.len()).map(|row| {
        let wanted = key(row).filter(|_| maps.is_valid(row))?;
        let mut entries = maps.value_offsets()[row]..maps.value_offsets()[row + 1];
        let found = entries.find(|at| keys.value(*at as usize) == wanted);
        found.map(|at| at as u64)
    });
    take(maps.values(), &places.collect::<UInt64Array>(), None)
}
