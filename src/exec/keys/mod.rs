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
//! Each column has numbers of its own, by the kind of its values; several columns are pairs of those numbers:
//!
//! ```text
//!   host ── texts ────┐
//!                     pairs ──┐
//!   status ─ integers ┘       pairs ── id
//!   cached ─ integers ────────┘
//! ```
//!
//! Invariants: NULL is a key like any other; −0 and 0 are one key, kept as 0; all NaNs are one key. Numbers
//! depend on the rows alone, never on hashes. A row whose key is known costs no allocation of its own.

mod index;
mod integers;
mod pairs;
mod rows;
#[cfg(test)]
mod tests;
mod texts;
mod words;

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float16Array, Float32Array, Float64Array};
use arrow::buffer::NullBuffer;
use arrow::compute::cast;
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, FieldRef, Float16Type, Float32Type, Float64Type,
};

use crate::error::{Error, Result};
use integers::IntegerKeys;
use pairs::PairKeys;
use rows::RowKeys;
use texts::TextKeys;

/// The distinct rows of some key columns, numbered from 0; see the module.
#[derive(Clone)]
pub struct GroupKeys {
    columns: Vec<ColumnKeys>,
    /// One less than there are columns: the first pairs the first two, each further one adds a column.
    pairs: Vec<PairKeys>,
    /// Without key columns all rows are one group.
    seen: bool,
    room: Room,
}

/// Numbers of parts; kept only for its memory.
#[derive(Clone, Default)]
struct Room {
    left: Vec<u32>,
    right: Vec<u32>,
}

/// The distinct values of a column.
#[derive(Clone)]
struct ColumnKeys {
    data_type: DataType,
    store: Store,
}

#[derive(Clone)]
enum Store {
    /// What a word holds.
    Integers(IntegerKeys),
    /// Text.
    Texts(TextKeys),
    /// Anything else, as comparable bytes.
    Rows(RowKeys),
}

impl GroupKeys {
    /// No keys yet, of columns of these types.
    ///
    /// Fails for types that cannot be compared.
    pub fn new(fields: &[FieldRef]) -> Result<Self> {
        let columns = fields
            .iter()
            .map(|field| ColumnKeys::new(field.data_type()));
        let columns = columns.collect::<Result<Vec<_>>>()?;
        let pairs = columns
            .iter()
            .skip(1)
            .map(|_| PairKeys::default())
            .collect();
        Ok(GroupKeys {
            columns,
            pairs,
            seen: false,
            room: Room::default(),
        })
    }

    /// Appends the number of each row's key to `ids`; rows without key columns are counted by `rows`.
    ///
    /// `columns` are as the fields said, all of `rows` entries.
    pub fn intern(&mut self, columns: &[ArrayRef], rows: usize, ids: &mut Vec<u32>) -> Result<()> {
        ids.reserve(rows);
        let Some((first, others)) = self.columns.split_first_mut() else {
            self.seen |= rows > 0;
            ids.resize(ids.len() + rows, 0);
            return Ok(());
        };
        let Room { left, right } = &mut self.room;
        if others.is_empty() {
            return first.intern(&columns[0], ids);
        }
        left.clear();
        first.intern(&columns[0], left)?;
        let mut known = first.len();
        let last = others.len() - 1;
        for (at, (column, pairs)) in others.iter_mut().zip(&mut self.pairs).enumerate() {
            right.clear();
            column.intern(&columns[at + 1], right)?;
            if at == last {
                pairs.intern(left, right, (known, column.len()), ids);
            } else {
                let mut both = Vec::with_capacity(rows);
                pairs.intern(left, right, (known, column.len()), &mut both);
                *left = both;
            }
            known = pairs.len();
        }
        Ok(())
    }

    /// Appends the number here of each key of `other` to `ids`, in the order of its numbers. Both are of
    /// columns of the same types.
    pub fn intern_from(&mut self, other: &GroupKeys, ids: &mut Vec<u32>) {
        let mut columns = self.columns.iter_mut().zip(&other.columns);
        let Some((first, other_first)) = columns.next() else {
            self.seen |= other.seen;
            ids.resize(ids.len() + other.len(), 0);
            return;
        };
        if self.pairs.is_empty() {
            return first.intern_from(other_first, ids);
        }
        let (mut of_left, mut of_right) = (Vec::new(), Vec::new());
        first.intern_from(other_first, &mut of_left);
        let mut known = first.len();
        for ((column, other_column), (pairs, other_pairs)) in
            columns.zip(self.pairs.iter_mut().zip(&other.pairs))
        {
            of_right.clear();
            column.intern_from(other_column, &mut of_right);
            let Room { left, right } = &mut self.room;
            left.clear();
            right.clear();
            left.extend(
                other_pairs
                    .all()
                    .iter()
                    .map(|pair| of_left[pair.0 as usize]),
            );
            right.extend(
                other_pairs
                    .all()
                    .iter()
                    .map(|pair| of_right[pair.1 as usize]),
            );
            of_left.clear();
            pairs.intern(left, right, (known, column.len()), &mut of_left);
            known = pairs.len();
        }
        ids.append(&mut of_left);
    }

    /// Number of distinct keys.
    pub fn len(&self) -> usize {
        match (self.pairs.last(), self.columns.first()) {
            (Some(pairs), _) => pairs.len(),
            (None, Some(column)) => column.len(),
            (None, None) => usize::from(self.seen),
        }
    }

    /// True before the first row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The key columns of the keys `ids`, in that order. All of them were given out by `intern`.
    pub fn columns(&self, ids: &[u32]) -> Result<Vec<ArrayRef>> {
        let Some((first, others)) = self.columns.split_first() else {
            return Ok(Vec::new());
        };
        let mut columns = Vec::with_capacity(self.columns.len());
        let mut ids = ids.to_vec();
        for (column, pairs) in others.iter().zip(&self.pairs).rev() {
            let right: Vec<u32> = ids.iter().map(|&id| pairs.get(id).1).collect();
            columns.push(column.column(&right)?);
            for id in &mut ids {
                *id = pairs.get(*id).0;
            }
        }
        columns.push(first.column(&ids)?);
        columns.reverse();
        Ok(columns)
    }

    /// Forgets all keys but the `kept`, which are numbered anew in that order.
    pub fn retain(&mut self, kept: &[u32]) -> Result<()> {
        let columns = self.columns(kept)?;
        self.clear();
        self.intern(&columns, kept.len(), &mut Vec::with_capacity(kept.len()))
    }

    /// Forgets all keys; numbering starts again from 0.
    pub fn clear(&mut self) {
        self.seen = false;
        self.columns.iter_mut().for_each(ColumnKeys::clear);
        self.pairs.iter_mut().for_each(PairKeys::clear);
    }

    /// Bytes of state.
    pub fn size_bytes(&self) -> usize {
        let columns = self.columns.iter().map(ColumnKeys::size_bytes);
        let pairs = self.pairs.iter().map(PairKeys::size_bytes);
        columns.chain(pairs).sum()
    }
}

impl ColumnKeys {
    fn new(data_type: &DataType) -> Result<Self> {
        let store = match data_type {
            DataType::Utf8View => Store::Texts(TextKeys::default()),
            data_type if words::has_words(data_type) => Store::Integers(IntegerKeys::default()),
            data_type => Store::Rows(RowKeys::new(data_type)?),
        };
        Ok(ColumnKeys {
            data_type: data_type.clone(),
            store,
        })
    }

    fn len(&self) -> usize {
        match &self.store {
            Store::Integers(keys) => keys.len(),
            Store::Texts(keys) => keys.len(),
            Store::Rows(keys) => keys.len(),
        }
    }

    fn intern(&mut self, column: &ArrayRef, ids: &mut Vec<u32>) -> Result<()> {
        let column = match column.data_type() == &self.data_type {
            true => Arc::clone(column),
            false => cast(column, &self.data_type)?,
        };
        match &mut self.store {
            Store::Integers(keys) => {
                keys.intern(&words::words_of(&column).ok_or_else(wordless)?, ids)
            }
            Store::Texts(keys) => keys.intern(column.as_string_view(), ids),
            Store::Rows(keys) => keys.intern(&canonical(&column), ids)?,
        }
        Ok(())
    }

    fn intern_from(&mut self, other: &ColumnKeys, ids: &mut Vec<u32>) {
        match (&mut self.store, &other.store) {
            (Store::Integers(keys), Store::Integers(other)) => keys.intern_from(other, ids),
            (Store::Texts(keys), Store::Texts(other)) => keys.intern_from(other, ids),
            (Store::Rows(keys), Store::Rows(other)) => keys.intern_from(other, ids),
            _ => debug_assert!(false, "keys of columns of two types"),
        }
    }

    fn column(&self, ids: &[u32]) -> Result<ArrayRef> {
        match &self.store {
            Store::Texts(keys) => keys.column(ids),
            Store::Rows(keys) => keys.column(ids),
            Store::Integers(keys) => {
                let (values, null) = keys.values();
                let nulls = null.map(|null| ids.iter().map(|&id| id != null).collect());
                let nulls = nulls.filter(|nulls: &NullBuffer| nulls.null_count() > 0);
                let values = ids.iter().map(|&id| values[id as usize]);
                words::column_of(values, nulls, &self.data_type).ok_or_else(wordless)
            }
        }
    }

    fn clear(&mut self) {
        match &mut self.store {
            Store::Integers(keys) => keys.clear(),
            Store::Texts(keys) => keys.clear(),
            Store::Rows(keys) => keys.clear(),
        }
    }

    fn size_bytes(&self) -> usize {
        match &self.store {
            Store::Integers(keys) => keys.size_bytes(),
            Store::Texts(keys) => keys.size_bytes(),
            Store::Rows(keys) => keys.size_bytes(),
        }
    }
}

fn wordless() -> Error {
    Error::internal("a key column changed its type")
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
            let fixed: Float32Array = values.unary(canonical_float);
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

/// As [`canonical_double`].
fn canonical_float(value: f32) -> f32 {
    if value.is_nan() {
        f32::NAN
    } else {
        value + 0.0
    }
}
