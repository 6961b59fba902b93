//! Keys of one column of text: a short one is its own 16-byte view, a long one is kept once.
//!
//! ```text
//!  'web1'                       length 4, web1 and zeros
//!  '/products/list?page=2'      length 21, /pro, and where all of it stands in `long`
//! ```
//!
//! Invariants: equal texts have one number. NULL is a view that no text has. The view of a short text is one that a
//! column of texts had. So arrow need not check it once more, which would take longer than to find the key: the
//! one line that skips it is `unsafe`, and a test compares with the constructor that checks.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, StringViewArray, StringViewBuilder};
use arrow::buffer::Buffer;

use super::index::{Index, KeyHasher};
use crate::error::Result;

/// Distinct texts, numbered from 0; see the module.
#[derive(Clone, Default)]
pub(super) struct TextKeys {
    views: Vec<u128>,
    long: Vec<u8>,
    index: Index,
    hasher: KeyHasher,
}

/// The longest text that a view holds by itself.
const INLINE: u32 = 12;
/// Lengths that no text has.
const NULL: u128 = u128::MAX;
const NOTHING: u128 = u128::MAX - 1;

fn length_of(view: u128) -> u32 {
    view as u32
}

impl TextKeys {
    /// Number of keys.
    pub(super) fn len(&self) -> usize {
        self.views.len()
    }

    /// Appends the number of each text to `ids`.
    pub(super) fn intern(&mut self, texts: &StringViewArray, ids: &mut Vec<u32>) {
        let (views, nulls) = (texts.views(), texts.nulls());
        let nulls = nulls.filter(|nulls| nulls.null_count() > 0);
        // Logs repeat themselves: many rows have the key of the row before. Within a column equal views
        // are equal texts, long ones, too.
        let mut last = (NOTHING, 0);
        ids.extend(views.iter().enumerate().map(|(row, &view)| {
            let view = match nulls {
                Some(nulls) if nulls.is_null(row) => NULL,
                _ => view,
            };
            if view != last.0 {
                let id = match length_of(view) <= INLINE || view == NULL {
                    true => self.number_of_view(view),
                    false => self.number_of_long(texts.value(row).as_bytes()),
                };
                last = (view, id);
            }
            last.1
        }));
    }

    /// Appends the number here of each key of `other` to `ids`.
    pub(super) fn intern_from(&mut self, other: &TextKeys, ids: &mut Vec<u32>) {
        ids.extend(other.views.iter().map(|&view| {
            match length_of(view) <= INLINE || view == NULL {
                true => self.number_of_view(view),
                false => self.number_of_long(other.bytes_of(view)),
            }
        }));
    }

    /// The texts of these numbers.
    pub(super) fn column(&self, ids: &[u32]) -> Result<ArrayRef> {
        let views: Vec<u128> = ids.iter().map(|&id| self.views[id as usize]).collect();
        if views.iter().all(|&view| length_of(view) <= INLINE) {
            let (views, buffers) = (views.into(), Vec::<Buffer>::new());
            // SAFETY: the texts are within their views, which are those of texts; see the module.
            let texts = unsafe { StringViewArray::new_unchecked(views, buffers, None) };
            return Ok(Arc::new(texts));
        }
        let mut texts = StringViewBuilder::with_capacity(ids.len());
        for view in views {
            if view == NULL {
                texts.append_null();
            } else if length_of(view) <= INLINE {
                let bytes = (view >> 32).to_le_bytes();
                let text = &bytes[..length_of(view) as usize];
                texts.append_value(String::from_utf8_lossy(text));
            } else {
                texts.append_value(String::from_utf8_lossy(self.bytes_of(view)));
            }
        }
        Ok(Arc::new(texts.finish()))
    }

    /// Forgets all keys.
    pub(super) fn clear(&mut self) {
        self.views.clear();
        self.long.clear();
        self.index.clear();
    }

    /// Bytes of state.
    pub(super) fn size_bytes(&self) -> usize {
        self.views.capacity() * size_of::<u128>() + self.long.capacity() + self.index.size_bytes()
    }

    #[inline]
    fn number_of_view(&mut self, view: u128) -> u32 {
        let new = self.views.len() as u32;
        let views = &self.views;
        let same = |id: u32| views[id as usize] == view;
        let id = (self.index).find_or_insert(self.hasher.wide(view), new, same);
        if id == new {
            self.views.push(view);
        }
        id
    }

    #[inline(never)]
    fn number_of_long(&mut self, text: &[u8]) -> u32 {
        let new = self.views.len() as u32;
        let view = view_of_long(text, self.long.len());
        let hash = self.hasher.bytes(text);
        // The index is out for a moment: the search looks at the rest.
        let mut index = std::mem::take(&mut self.index);
        let same = |id: u32| {
            let known = self.views[id as usize];
            known as u64 == view as u64 && self.bytes_of(known) == text
        };
        let id = index.find_or_insert(hash, new, same);
        self.index = index;
        if id == new {
            self.views.push(view);
            self.long.extend_from_slice(text);
        }
        id
    }

    fn bytes_of(&self, long: u128) -> &[u8] {
        let start = (long >> 64) as usize;
        &self.long[start..start + length_of(long) as usize]
    }
}

/// Length, the first four bytes, the place of all of them.
fn view_of_long(text: &[u8], place: usize) -> u128 {
    let mut head = [0; 4];
    head.copy_from_slice(&text[..4]);
    let length = text.len() as u32;
    u128::from(length) | u128::from(u32::from_le_bytes(head)) << 32 | (place as u128) << 64
}

#[cfg(test)]
mod tests {
    use arrow::array::AsArray;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_texts_of_keys_are_those_that_arrow_checks(
            texts in prop::collection::vec(prop::option::weighted(0.9, "\\PC{0,14}"), 1..60),
            only_short in any::<bool>(),
        ) {
            let fits = |text: &Option<String>| text.as_ref().is_some_and(|text| text.len() <= 12);
            let texts: Vec<_> = texts.into_iter().filter(|text| !only_short || fits(text)).collect();
            let column: StringViewArray = texts.iter().map(Option::as_deref).collect();
            let (mut keys, mut ids) = (TextKeys::default(), Vec::new());
            keys.intern(&column, &mut ids);
            let again = keys.column(&ids).expect("texts");
            prop_assert_eq!(again.as_string_view(), &column);
            let checked = again.to_data().validate_full();
            prop_assert!(checked.is_ok(), "{:?}", checked);
        }
    }
}
