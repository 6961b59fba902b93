//! A column of texts while a block is read: views of 16 bytes, long texts beside them.
//!
//! ```text
//!  web1                     length | w e b 1 0 0 0 0 0 0 0 0            up to 12 bytes stand in the view
//!  /api/v1/users/7          length | / a p i | buffer | offset          longer ones in a buffer
//! ```
//!
//! Invariants: every text is UTF-8; the bytes of a short view behind its text are zero.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, StringViewArray};
use arrow::buffer::{Buffer, ScalarBuffer};

use super::column_values::Nulls;
use crate::error::Result;

const LONGEST_INSIDE: usize = 12;
/// Offsets have 32 bits.
const LARGEST_BUFFER: usize = 1 << 30;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct TextColumn {
    views: Vec<u128>,
    nulls: Nulls,
    full: Vec<Buffer>,
    long: Vec<u8>,
}

impl TextColumn {
    pub(super) fn with_capacity(rows: usize) -> Self {
        TextColumn {
            views: Vec::with_capacity(rows),
            ..TextColumn::default()
        }
    }

    pub(super) fn len(&self) -> usize {
        self.views.len()
    }

    pub(super) fn push_null(&mut self) {
        self.nulls.push(self.views.len());
        self.views.push(0);
    }

    /// Appends the first `length` bytes of `text`.
    #[inline]
    pub(super) fn push(&mut self, text: &[u8], length: usize) {
        if length > LONGEST_INSIDE {
            return self.push_long(&text[..length.min(text.len())]);
        }
        let view = match text.first_chunk::<16>() {
            Some(bytes) => u128::from_le_bytes(*bytes),
            None => {
                let mut bytes = [0; 16];
                let length = length.min(text.len());
                bytes[..length].copy_from_slice(&text[..length]);
                u128::from_le_bytes(bytes)
            }
        };
        let kept = view & ((1 << (8 * length)) - 1);
        self.views.push(kept << 32 | length as u128);
    }

    fn push_long(&mut self, text: &[u8]) {
        if self.long.len() + text.len() > LARGEST_BUFFER && !self.long.is_empty() {
            self.full.push(std::mem::take(&mut self.long).into());
        }
        let offset = self.long.len() as u128;
        self.long.extend_from_slice(text);
        let prefix = u32::from_le_bytes([text[0], text[1], text[2], text[3]]);
        let buffer = self.full.len() as u128;
        let view = offset << 96 | buffer << 64 | u128::from(prefix) << 32 | text.len() as u128;
        self.views.push(view);
    }

    /// The column.
    pub(super) fn finish(mut self) -> Result<ArrayRef> {
        let validity = self.nulls.validity(self.views.len());
        if !self.long.is_empty() {
            self.full.push(self.long.into());
        }
        let array = StringViewArray::try_new(ScalarBuffer::from(self.views), self.full, validity)?;
        debug_assert_eq!(array.null_count(), array.logical_null_count());
        Ok(Arc::new(array))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::AsArray;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn agrees_with_the_builder_of_arrow(
            texts in proptest::collection::vec(proptest::option::of("[a-zäß€]{0,30}"), 0..20),
            behind in "[a-z]{0,20}",
        ) {
            let mut column = TextColumn::default();
            for text in &texts {
                match text {
                    Some(text) => column.push(format!("{text}{behind}").as_bytes(), text.len()),
                    None => column.push_null(),
                }
            }
            let got = column.finish().unwrap();
            let expected: StringViewArray = texts.into_iter().collect();
            prop_assert_eq!(got.as_string_view(), &expected);
        }
    }
}
