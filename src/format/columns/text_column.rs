//! A column of texts while a block is read: views of 16 bytes, long texts beside them.
//!
//! ```text
//!  web1                     length | w e b 1 0 0 0 0 0 0 0 0            up to 12 bytes stand in the view
//!  /api/v1/users/7          length | / a p i | buffer | offset          longer ones in a buffer
//! ```
//!
//! Invariants: every text is UTF-8, as it is cut out of a `str` between characters; the bytes of a short
//! view behind its text are zero; a long one lies in the buffer that it names. So arrow need not check
//! them once more, which would take longer than all the rest: the one line that skips it is `unsafe`, and
//! tests compare with the constructor that checks.

use std::sync::Arc;

use arrow::array::{ArrayRef, StringViewArray};
use arrow::buffer::{Buffer, NullBuffer, ScalarBuffer};

use super::column_values::Nulls;

const LONGEST_INSIDE: usize = 12;
/// Offsets have 32 bits.
const LARGEST_BUFFER: usize = 1 << 30;

/// See the module.
#[derive(Debug, Default)]
pub(in crate::format) struct TextColumn {
    views: Vec<u128>,
    nulls: Nulls,
    full: Vec<Buffer>,
    long: Vec<u8>,
}

impl TextColumn {
    pub(in crate::format) fn with_capacity(rows: usize) -> Self {
        TextColumn {
            views: Vec::with_capacity(rows),
            ..TextColumn::default()
        }
    }

    pub(in crate::format) fn len(&self) -> usize {
        self.views.len()
    }

    pub(in crate::format) fn push_null(&mut self) {
        self.nulls.push(self.views.len());
        self.views.push(0);
    }

    /// Appends the `length` bytes of `text` from `start` on; what is not text there is mended.
    #[inline]
    pub(in crate::format) fn push(&mut self, text: &str, start: usize, length: usize) {
        let end = start.saturating_add(length);
        match text.get(start..end) {
            Some(_) if length <= LONGEST_INSIDE => {
                let kept = first_sixteen(&text.as_bytes()[start..]) & ((1 << (8 * length)) - 1);
                self.views.push(kept << 32 | length as u128);
            }
            Some(long) => self.push_long(long),
            None => {
                let bytes = text.as_bytes();
                let end = end.min(bytes.len());
                self.push_mended(&bytes[start.min(end)..end]);
            }
        }
    }

    /// Appends what may be no text, mended.
    #[cold]
    pub(in crate::format) fn push_mended(&mut self, bytes: &[u8]) {
        let text = String::from_utf8_lossy(bytes);
        self.push(&text, 0, text.len());
    }

    fn push_long(&mut self, text: &str) {
        if self.long.len() + text.len() > LARGEST_BUFFER && !self.long.is_empty() {
            self.full.push(std::mem::take(&mut self.long).into());
        }
        let offset = self.long.len() as u128;
        self.long.extend_from_slice(text.as_bytes());
        let prefix = text
            .bytes()
            .take(4)
            .rev()
            .fold(0, |prefix, byte| prefix << 8 | u128::from(byte));
        let buffer = self.full.len() as u128;
        let view = offset << 96 | buffer << 64 | prefix << 32 | text.len() as u128;
        self.views.push(view);
    }

    /// The column.
    pub(in crate::format) fn finish(self) -> ArrayRef {
        let (views, buffers, validity) = self.into_parts();
        // SAFETY: see the module.
        Arc::new(unsafe { StringViewArray::new_unchecked(views, buffers, validity) })
    }

    fn into_parts(mut self) -> (ScalarBuffer<u128>, Vec<Buffer>, Option<NullBuffer>) {
        let validity = self.nulls.validity(self.views.len());
        if !self.long.is_empty() {
            self.full.push(self.long.into());
        }
        (self.views.into(), self.full, validity)
    }
}

/// The first bytes of a text, the first one lowest; zeros where it is shorter.
#[inline]
fn first_sixteen(text: &[u8]) -> u128 {
    match text.first_chunk() {
        Some(bytes) => u128::from_le_bytes(*bytes),
        None => {
            let mut bytes = [0; 16];
            bytes[..text.len()].copy_from_slice(text);
            u128::from_le_bytes(bytes)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::AsArray;
    use proptest::prelude::*;

    fn check(texts: Vec<Option<String>>, before: &str, behind: &str) {
        let (mut column, mut twin) = (TextColumn::default(), TextColumn::default());
        for text in &texts {
            for column in [&mut column, &mut twin] {
                match text {
                    Some(text) => {
                        let all = format!("{before}{text}{behind}");
                        column.push(&all, before.len(), text.len());
                    }
                    None => column.push_null(),
                }
            }
        }
        let (views, buffers, validity) = twin.into_parts();
        let twin = StringViewArray::try_new(views, buffers, validity).unwrap();
        let expected: StringViewArray = texts.into_iter().collect();
        assert_eq!(twin, expected);
        assert_eq!(column.finish().as_string_view(), &expected);
    }

    #[test]
    fn all_lengths() {
        for length in 0..40 {
            let text = "aß€😀".chars().cycle().take(length).collect::<String>();
            check(vec![Some(text.clone()), None, Some(text)], "", "");
        }
    }

    #[test]
    fn what_is_no_text() {
        let mut column = TextColumn::default();
        column.push("aß", 0, 2);
        column.push("aß", 2, 1);
        column.push("aß", 3, 5);
        column.push("ß", 7, usize::MAX);
        column.push_mended(b"a\xFFb and twelve more");
        let (views, buffers, validity) = column.into_parts();
        let array = StringViewArray::try_new(views, buffers, validity).unwrap();
        let got: Vec<_> = array.iter().flatten().collect();
        let long = "a\u{FFFD}b and twelve more";
        assert_eq!(got, ["a\u{FFFD}", "\u{FFFD}", "", "", long]);
    }

    proptest! {
        #[test]
        fn agrees_with_the_builder_of_arrow(
            texts in proptest::collection::vec(proptest::option::of("[a-zäß€😀]{0,30}"), 0..20),
            before in "[a-zß]{0,9}",
            behind in "[a-zß]{0,20}",
        ) {
            check(texts, &before, &behind);
        }
    }
}
