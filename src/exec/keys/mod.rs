//! Group keys: gives every distinct row of `GROUP BY` columns a dense number, in the order of first sight.
//!
//! ```text
//!   host   status        id         columns([2, 0])
//!   web1   200       ->  0          web2  200
//!   web1   500       ->  1          web1  200
//!   web1   200       ->  0
//!   web2   200       ->  2
//! ```
//!
//! Invariants: NULL is a key like any other; −0 and 0 are one key, kept as 0; all NaNs are one key. Numbers
//! depend on the rows alone, never on hashes. A row whose key is known costs no allocation of its own.

use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Float16Array, Float32Array, Float64Array, Int64Array,
    PrimitiveArray, StringViewBuilder,
};
use arrow::compute::cast;
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, FieldRef, Float16Type, Float32Type, Float64Type, Int64Type,
    TimeUnit, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType,
};
use arrow::row::{RowConverter, SortField};
use foldhash::fast::RandomState;
use hashbrown::HashTable;

use crate::error::Result;

/// The distinct rows of some key columns, numbered from 0; see the module.
pub struct GroupKeys {
    types: Vec<DataType>,
    store: Store,
}

enum Store {
    /// No key columns: one group, once a row was seen.
    Single { seen: bool },
    /// One column that an `i64` holds.
    Integer(Integers),
    /// One column of text.
    Text { keys: ByteKeys, null: Option<u32> },
    /// Anything else, as comparable bytes.
    Rows {
        converter: RowConverter,
        keys: ByteKeys,
    },
}

impl GroupKeys {
    /// No keys yet, of columns of these types.
    ///
    /// Fails for types that cannot be compared.
    pub fn new(fields: &[FieldRef]) -> Result<Self> {
        let types: Vec<DataType> = fields.iter().map(|f| f.data_type().clone()).collect();
        let store = match types.as_slice() {
            [] => Store::Single { seen: false },
            [only] if is_integer(only) => Store::Integer(Integers::default()),
            [DataType::Utf8View] => Store::Text {
                keys: ByteKeys::default(),
                null: None,
            },
            _ => Store::Rows {
                converter: RowConverter::new(types.iter().cloned().map(SortField::new).collect())?,
                keys: ByteKeys::default(),
            },
        };
        Ok(GroupKeys { types, store })
    }

    /// Appends the number of each row's key to `ids`; rows without key columns are counted by `rows`.
    ///
    /// `columns` are as the fields said, all of `rows` entries.
    pub fn intern(&mut self, columns: &[ArrayRef], rows: usize, ids: &mut Vec<u32>) -> Result<()> {
        ids.reserve(rows);
        let columns = (columns.iter().zip(&self.types))
            .map(
                |(column, data_type)| match column.data_type() == data_type {
                    true => Ok(Arc::clone(column)),
                    false => cast(column, data_type),
                },
            )
            .collect::<Result<Vec<_>, _>>()?;
        match &mut self.store {
            Store::Single { seen } => {
                *seen |= rows > 0;
                ids.resize(ids.len() + rows, 0);
            }
            Store::Integer(keys) => {
                let values = as_integers(&columns[0])?;
                keys.intern(&values, ids);
            }
            Store::Text { keys, null } => {
                let values = columns[0].as_string_view();
                for row in 0..rows {
                    ids.push(if values.is_valid(row) {
                        keys.intern(values.value(row).as_bytes())
                    } else {
                        *null.get_or_insert_with(|| keys.push_unlisted())
                    });
                }
            }
            Store::Rows { converter, keys } => {
                let columns: Vec<ArrayRef> = columns.iter().map(canonical).collect();
                let encoded = converter.convert_columns(&columns)?;
                ids.extend(encoded.iter().map(|row| keys.intern(row.data())));
            }
        }
        Ok(())
    }

    /// Number of distinct keys.
    pub fn len(&self) -> usize {
        match &self.store {
            Store::Single { seen } => usize::from(*seen),
            Store::Integer(keys) => keys.values.len(),
            Store::Text { keys, .. } | Store::Rows { keys, .. } => keys.len(),
        }
    }

    /// True before the first row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The key columns of the keys `ids`, in that order. All of them were given out by `intern`.
    pub fn columns(&self, ids: &[u32]) -> Result<Vec<ArrayRef>> {
        match &self.store {
            Store::Single { .. } => Ok(Vec::new()),
            Store::Integer(keys) => {
                let values = ids.iter().map(|&id| keys.values[id as usize]).collect();
                Ok(vec![from_integers(&values, &self.types[0])?])
            }
            Store::Text { keys, null } => {
                let mut values = StringViewBuilder::with_capacity(ids.len());
                for &id in ids {
                    if Some(id) == *null {
                        values.append_null();
                    } else {
                        values.append_value(String::from_utf8_lossy(keys.get(id)));
                    }
                }
                Ok(vec![Arc::new(values.finish())])
            }
            Store::Rows { converter, keys } => {
                let parser = converter.parser();
                Ok(converter.convert_rows(ids.iter().map(|&id| parser.parse(keys.get(id))))?)
            }
        }
    }

    /// Forgets all keys; numbering starts again from 0.
    pub fn clear(&mut self) {
        match &mut self.store {
            Store::Single { seen } => *seen = false,
            Store::Integer(keys) => *keys = Integers::default(),
            Store::Text { keys, null } => {
                keys.clear();
                *null = None;
            }
            Store::Rows { keys, .. } => keys.clear(),
        }
    }

    /// Bytes of state.
    pub fn size_bytes(&self) -> usize {
        match &self.store {
            Store::Single { .. } => 0,
            Store::Integer(keys) => {
                keys.values.capacity() * size_of::<Option<i64>>()
                    + keys.table.capacity() * (size_of::<u32>() + 1)
            }
            Store::Text { keys, .. } | Store::Rows { keys, .. } => keys.size_bytes(),
        }
    }
}

/// Distinct integers and their numbers.
#[derive(Default)]
struct Integers {
    table: HashTable<u32>,
    values: Vec<Option<i64>>,
    null: Option<u32>,
    hasher: RandomState,
}

impl Integers {
    fn intern(&mut self, values: &Int64Array, ids: &mut Vec<u32>) {
        // Logs repeat themselves: most rows have the key of the row before.
        let mut last: Option<(Option<i64>, u32)> = None;
        for value in values {
            if let Some((known, id)) = last
                && known == value
            {
                ids.push(id);
                continue;
            }
            let id = self.id_of(value);
            last = Some((value, id));
            ids.push(id);
        }
    }

    fn id_of(&mut self, value: Option<i64>) -> u32 {
        let Some(number) = value else {
            let values = &mut self.values;
            return *self.null.get_or_insert_with(|| {
                values.push(None);
                (values.len() - 1) as u32
            });
        };
        let hash = hash_integer(&self.hasher, number);
        let values = &self.values;
        if let Some(id) = (self.table).find(hash, |&id| values[id as usize] == Some(number)) {
            return *id;
        }
        let id = self.values.len() as u32;
        self.values.push(value);
        let (values, hasher) = (&self.values, &self.hasher);
        self.table.insert_unique(hash, id, |&id| {
            hash_integer(hasher, values[id as usize].unwrap_or_default())
        });
        id
    }
}

fn hash_integer(hasher: &RandomState, value: i64) -> u64 {
    let mut state = hasher.build_hasher();
    state.write_i64(value);
    state.finish()
}

fn hash_bytes(hasher: &RandomState, bytes: &[u8]) -> u64 {
    let mut state = hasher.build_hasher();
    state.write(bytes);
    state.finish()
}

/// Distinct byte strings and their numbers, one behind the other in one buffer.
#[derive(Default)]
struct ByteKeys {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    hashes: Vec<u64>,
    table: HashTable<u32>,
    last: Option<u32>,
    hasher: RandomState,
}

impl ByteKeys {
    fn len(&self) -> usize {
        self.ends.len()
    }

    fn get(&self, id: u32) -> &[u8] {
        let id = id as usize;
        let start = if id == 0 { 0 } else { self.ends[id - 1] };
        &self.bytes[start..self.ends[id]]
    }

    fn intern(&mut self, key: &[u8]) -> u32 {
        if let Some(last) = self.last
            && self.get(last) == key
        {
            return last;
        }
        let hash = hash_bytes(&self.hasher, key);
        let same = |&id: &u32| self.hashes[id as usize] == hash && self.get(id) == key;
        let id = match self.table.find(hash, same) {
            Some(&id) => id,
            None => {
                let id = self.push(key, hash);
                let hashes = &self.hashes;
                (self.table).insert_unique(hash, id, |&id| hashes[id as usize]);
                id
            }
        };
        self.last = Some(id);
        id
    }

    /// A number that no bytes lead to: NULL.
    fn push_unlisted(&mut self) -> u32 {
        self.push(&[], 0)
    }

    fn push(&mut self, key: &[u8], hash: u64) -> u32 {
        self.bytes.extend_from_slice(key);
        self.ends.push(self.bytes.len());
        self.hashes.push(hash);
        (self.ends.len() - 1) as u32
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
        self.hashes.clear();
        self.table.clear();
        self.last = None;
    }

    fn size_bytes(&self) -> usize {
        self.bytes.capacity()
            + self.ends.capacity() * size_of::<usize>()
            + self.hashes.capacity() * size_of::<u64>()
            + self.table.capacity() * (size_of::<u32>() + 1)
    }
}

fn is_integer(data_type: &DataType) -> bool {
    matches!(
        data_type,
        DataType::Int8
            | DataType::Int16
            | DataType::Int32
            | DataType::Int64
            | DataType::Boolean
            | DataType::Timestamp(_, _)
    )
}

fn as_integers(column: &ArrayRef) -> Result<Int64Array> {
    fn plain<T: ArrowPrimitiveType<Native = i64>>(column: &ArrayRef) -> Int64Array {
        column.as_primitive::<T>().reinterpret_cast::<Int64Type>()
    }
    Ok(match column.data_type() {
        DataType::Int64 => column.as_primitive::<Int64Type>().clone(),
        DataType::Timestamp(TimeUnit::Second, _) => plain::<TimestampSecondType>(column),
        DataType::Timestamp(TimeUnit::Millisecond, _) => plain::<TimestampMillisecondType>(column),
        DataType::Timestamp(TimeUnit::Microsecond, _) => plain::<TimestampMicrosecondType>(column),
        DataType::Timestamp(TimeUnit::Nanosecond, _) => plain::<TimestampNanosecondType>(column),
        _ => cast(column, &DataType::Int64)?
            .as_primitive::<Int64Type>()
            .clone(),
    })
}

fn from_integers(values: &Int64Array, data_type: &DataType) -> Result<ArrayRef> {
    fn typed<T: ArrowPrimitiveType<Native = i64>>(
        values: &Int64Array,
        data_type: &DataType,
    ) -> ArrayRef {
        let typed: PrimitiveArray<T> = values.reinterpret_cast();
        Arc::new(typed.with_data_type(data_type.clone()))
    }
    Ok(match data_type {
        DataType::Timestamp(TimeUnit::Second, _) => typed::<TimestampSecondType>(values, data_type),
        DataType::Timestamp(TimeUnit::Millisecond, _) => {
            typed::<TimestampMillisecondType>(values, data_type)
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            typed::<TimestampMicrosecondType>(values, data_type)
        }
        DataType::Timestamp(TimeUnit::Nanosecond, _) => {
            typed::<TimestampNanosecondType>(values, data_type)
        }
        DataType::Boolean => {
            Arc::new((values.iter().map(|value| value.map(|v| v != 0))).collect::<BooleanArray>())
        }
        _ => cast(values, data_type)?,
    })
}

/// The column with −0 as 0 and every NaN as one positive NaN; other types as they are.
pub fn canonical(column: &ArrayRef) -> ArrayRef {
    match column.data_type() {
        DataType::Float64 => {
            let values = column.as_primitive::<Float64Type>();
            let odd = |v: &f64| v.is_nan() || (*v == 0.0 && v.is_sign_negative());
            if !values.values().iter().any(odd) {
                return Arc::clone(column);
            }
            Arc::new(values.unary::<_, Float64Type>(canonical_double)) as ArrayRef
        }
        DataType::Float32 => {
            let values = column.as_primitive::<Float32Type>();
            let fixed: Float32Array = values.unary(|v| if v.is_nan() { f32::NAN } else { v + 0.0 });
            Arc::new(fixed)
        }
        DataType::Float16 => {
            let doubles: Float64Array =
                (column.as_primitive::<Float16Type>()).unary(|v| canonical_double(v.to_f64()));
            let fixed: Float16Array =
                doubles.unary(<Float16Type as ArrowPrimitiveType>::Native::from_f64);
            Arc::new(fixed)
        }
        _ => Arc::clone(column),
    }
}

/// −0 as 0 and every NaN as one positive NaN.
pub fn canonical_double(value: f64) -> f64 {
    if value.is_nan() {
        f64::NAN
    } else {
        value + 0.0
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{
        Date32Array, Decimal128Array, StringViewArray, TimestampMicrosecondArray, UInt64Array,
    };
    use arrow::datatypes::Field;
    use arrow::util::display::array_value_to_string;

    use super::*;

    fn keys_of(columns: &[ArrayRef]) -> GroupKeys {
        let field = |column: &ArrayRef| Arc::new(Field::new("k", column.data_type().clone(), true));
        GroupKeys::new(&columns.iter().map(field).collect::<Vec<FieldRef>>()).expect("comparable")
    }

    /// Interns the rows, twice over, and checks numbers and the values that come back.
    fn check(columns: &[ArrayRef], rows: usize, ids: &[u32], values: &[&str]) {
        let mut keys = keys_of(columns);
        for _ in 0..2 {
            let mut found = Vec::new();
            keys.intern(columns, rows, &mut found).expect("interns");
            keys.intern(columns, rows, &mut found).expect("interns");
            assert_eq!(found, [ids, ids].concat());
            let all: Vec<u32> = (0..keys.len() as u32).rev().collect();
            let back = keys.columns(&all).expect("columns");
            for (column, original) in back.iter().zip(columns) {
                assert_eq!(column.data_type(), original.data_type());
            }
            let print = |row: usize| {
                let print = |column: &ArrayRef| match column.is_null(row) {
                    true => "NULL".to_owned(),
                    false => array_value_to_string(column, row).expect("text"),
                };
                back.iter().map(print).collect::<Vec<_>>().join(" ")
            };
            let found: Vec<String> = (0..all.len()).rev().map(print).collect();
            assert_eq!(found, values);
            keys.clear();
            assert!(keys.is_empty());
        }
    }

    #[test]
    fn rows_get_the_number_of_their_key() {
        let integers: ArrayRef = Arc::new(Int64Array::from(vec![
            Some(7),
            None,
            Some(7),
            Some(-1),
            None,
        ]));
        let texts: ArrayRef = Arc::new(StringViewArray::from(vec![
            Some(""),
            None,
            Some("a"),
            Some(""),
            None,
        ]));
        let doubles: ArrayRef = Arc::new(Float64Array::from(vec![
            -0.0,
            f64::NAN,
            0.0,
            -f64::NAN,
            1.5,
        ]));
        let flags: ArrayRef = Arc::new(BooleanArray::from(vec![
            Some(true),
            None,
            Some(false),
            Some(true),
            None,
        ]));
        let times: ArrayRef =
            Arc::new(TimestampMicrosecondArray::from(vec![0, 1, 0, -1, 1]).with_timezone("UTC"));
        let dates: ArrayRef = Arc::new(Date32Array::from(vec![0, 1, 0, 1, 0]));
        let decimals: ArrayRef = Arc::new(
            Decimal128Array::from(vec![100, 1, 100, 1, 2])
                .with_precision_and_scale(5, 2)
                .expect("fits"),
        );
        let unsigned: ArrayRef = Arc::new(UInt64Array::from(vec![u64::MAX, 0, u64::MAX, 1, 0]));
        check(&[], 5, &[0; 5], &[""]);
        check(
            std::slice::from_ref(&integers),
            5,
            &[0, 1, 0, 2, 1],
            &["7", "NULL", "-1"],
        );
        check(
            std::slice::from_ref(&texts),
            5,
            &[0, 1, 2, 0, 1],
            &["", "NULL", "a"],
        );
        check(
            std::slice::from_ref(&doubles),
            5,
            &[0, 1, 0, 1, 2],
            &["0.0", "NaN", "1.5"],
        );
        check(&[flags], 5, &[0, 1, 2, 0, 1], &["true", "NULL", "false"]);
        check(&[dates], 5, &[0, 1, 0, 1, 0], &["1970-01-01", "1970-01-02"]);
        check(&[decimals], 5, &[0, 1, 0, 1, 2], &["1.00", "0.01", "0.02"]);
        check(
            &[unsigned],
            5,
            &[0, 1, 0, 2, 1],
            &["18446744073709551615", "0", "1"],
        );
        let expected = [
            "1970-01-01T00:00:00Z",
            "1970-01-01T00:00:00.000001Z",
            "1969-12-31T23:59:59.999999Z",
        ];
        check(&[times], 5, &[0, 1, 0, 2, 1], &expected);
        let expected = [
            "7  0.0",
            "NULL NULL NaN",
            "7 a 0.0",
            "-1  NaN",
            "NULL NULL 1.5",
        ];
        check(&[integers, texts, doubles], 5, &[0, 1, 2, 3, 4], &expected);
    }
}
