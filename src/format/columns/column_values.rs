//! The values of a column while a block is read: one after the other, and which of them are NULL.
//!
//! Invariants: a NULL has a value, too, which nobody looks at. Numbers of NULLs rise. Where there is none,
//! the array has no validity at all.

use std::sync::Arc;

use arrow::array::{ArrayRef, ArrowPrimitiveType, BooleanArray, PrimitiveArray};
use arrow::buffer::{BooleanBuffer, NullBuffer};
use arrow::datatypes::DataType;

/// See the module.
#[derive(Debug, Default)]
pub(in crate::format) struct Column<T> {
    values: Vec<T>,
    nulls: Nulls,
}

/// Which values are NULL, by rising number.
#[derive(Debug, Default)]
pub(in crate::format) struct Nulls(Vec<usize>);

impl Nulls {
    pub(in crate::format) fn push(&mut self, number: usize) {
        self.0.push(number);
    }

    /// The validity of this many values, if one of them is NULL.
    pub(in crate::format) fn validity(&self, length: usize) -> Option<NullBuffer> {
        if self.0.is_empty() {
            return None;
        }
        let mut bits = vec![0xFF_u8; length.div_ceil(8)];
        for number in &self.0 {
            bits[number / 8] &= !(1 << (number % 8));
        }
        Some(NullBuffer::new(BooleanBuffer::new(bits.into(), 0, length)))
    }
}

impl<T: Default> Column<T> {
    pub(in crate::format) fn with_capacity(rows: usize) -> Self {
        Column {
            values: Vec::with_capacity(rows),
            nulls: Nulls::default(),
        }
    }

    pub(in crate::format) fn len(&self) -> usize {
        self.values.len()
    }

    pub(in crate::format) fn reserve(&mut self, rows: usize) {
        self.values.reserve(rows);
    }

    #[inline]
    pub(in crate::format) fn push(&mut self, value: T) {
        self.values.push(value);
    }

    pub(in crate::format) fn push_null(&mut self) {
        self.nulls.push(self.values.len());
        self.values.push(T::default());
    }

    /// The column, of a type that holds such values.
    pub(in crate::format) fn finish<P: ArrowPrimitiveType<Native = T>>(
        self,
        data_type: DataType,
    ) -> ArrayRef
    where
        T: arrow::datatypes::ArrowNativeType,
    {
        let validity = self.nulls.validity(self.values.len());
        let array = PrimitiveArray::<P>::new(self.values.into(), validity);
        Arc::new(array.with_data_type(data_type))
    }
}

impl Column<bool> {
    pub(in crate::format) fn finish_booleans(self) -> ArrayRef {
        let validity = self.nulls.validity(self.values.len());
        let values = BooleanBuffer::from_iter(self.values);
        Arc::new(BooleanArray::new(values, validity))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Array, AsArray, Int64Array};
    use arrow::datatypes::Int64Type;

    #[test]
    fn validity() {
        for length in [0, 1, 7, 8, 9, 64, 65] {
            for step in [1, 2, 7, 1000] {
                let mut column = Column::<i64>::default();
                let values = (0..length).map(|n| (n % step != step - 1).then_some(n));
                for value in values.clone() {
                    match value {
                        Some(value) => column.push(value),
                        None => column.push_null(),
                    }
                }
                let array = column.finish::<Int64Type>(DataType::Int64);
                assert_eq!(
                    *array.as_primitive::<Int64Type>(),
                    values.collect::<Int64Array>()
                );
                assert_eq!(array.nulls().is_some(), length >= step);
            }
        }
    }
}
