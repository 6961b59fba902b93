//! Windows of many slices: the merge of a few spans, each of which is the merge of neighbouring slices.
//!
//! ```text
//!  times         0       4       8       12      16
//!  slices        [a )[b )[c )[d )[e )[f )[g )[h )
//!  spans of 4    [ a b  )[ c d  )[ e f  )[ g h  )
//!  spans of 8    [ a b c d      )[ e f g h      )
//!  window [2, 14)    b     c d     e f    g           4 merges; of n slices about 2 log n
//! ```
//!
//! A slice is added to all spans that it lies in once its first window closes: from then on no row can come
//! to it, and it is in every window of its times that is still to close. Rows that came behind some of their
//! windows are partials of their own (see `aggregate`), which wait for their own first window.
//!
//! Invariant: a span holds no slice that a window around the whole span, closing now or later, does not hold.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use super::slices::PartialKey;
use crate::error::Result;
use crate::exec::grouped::Grouped;
use crate::time::WindowAssigner;

/// Merged slices; see the module.
#[derive(Clone)]
pub(super) struct Spans {
    /// Spans of the lowest level are `1 << lowest` long; each further level doubles that.
    lowest: u32,
    /// By level: by number, which is the start divided by the length.
    levels: Vec<BTreeMap<i64, Grouped>>,
    /// Partials that are in no span yet, as (end of the first window, start of the slice).
    waiting: BTreeSet<(i64, i64)>,
}

/// A piece of a window.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// A span: its level and its number.
    Span(usize, i64),
    /// The slices that begin in `[from, to)`.
    Slices(i64, i64),
}

/// Windows of fewer slices merge them one by one.
const FEW: usize = 16;

impl Spans {
    /// Spans for the windows of `assigner`, if they have many slices that they share.
    pub(super) fn new(assigner: &WindowAssigner) -> Option<Self> {
        let mut windows = Vec::new();
        assigner.windows_of(0, &mut windows);
        let &(start, end) = windows.first()?;
        if windows.len() < FEW || assigner.is_cumulative() {
            return None;
        }
        let length = end.saturating_sub(start).max(1);
        let slide = (length / windows.len() as i64).max(1);
        let lowest = slide.ilog2() + 1;
        Some(Spans {
            lowest,
            levels: (lowest..=length.ilog2()).map(|_| BTreeMap::new()).collect(),
            waiting: BTreeSet::new(),
        })
    }

    /// Notes a new partial.
    pub(super) fn note(&mut self, (slice, first_end): PartialKey) {
        self.waiting.insert((first_end, slice));
    }

    /// The next partial whose first window ends at `end` or before: it is to be added.
    pub(super) fn next_settled(&mut self, end: i64) -> Option<PartialKey> {
        let &(first_end, slice) = self.waiting.first()?;
        if first_end > end {
            return None;
        }
        self.waiting.pop_first();
        Some((slice, first_end))
    }

    /// Adds the groups of a partial of a slice to the spans around it; `new` makes empty ones.
    pub(super) fn add(
        &mut self,
        slice: i64,
        groups: &Grouped,
        new: impl Fn() -> Result<Grouped>,
    ) -> Result<()> {
        for (level, spans) in (self.lowest..).zip(&mut self.levels) {
            let span = match spans.entry(slice >> level) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(place) => place.insert(new()?),
            };
            span.merge(groups)?;
        }
        Ok(())
    }

    /// The pieces of the window `[start, end)`, in order.
    pub(super) fn pieces(&self, start: i64, end: i64) -> Vec<Piece> {
        let mut pieces = Vec::new();
        let mut at = start;
        while at < end {
            // The longest span that begins here and ends in the window.
            let fits = |level: &usize| {
                let bits = self.lowest + *level as u32;
                let ends = (at >> bits)
                    .checked_add(1)
                    .and_then(|next| next.checked_mul(1 << bits));
                at.trailing_zeros() >= bits && ends.is_some_and(|ends| ends <= end)
            };
            let level = (0..self.levels.len()).rev().find(fits);
            let bits = self.lowest + level.unwrap_or(0) as u32;
            let number = at >> bits;
            let next = (number.saturating_add(1))
                .saturating_mul(1 << bits)
                .min(end);
            pieces.push(match level {
                Some(level) => Piece::Span(level, number),
                None => Piece::Slices(at, next),
            });
            at = next;
        }
        pieces
    }

    /// The groups of a span; `None` if none of its slices has rows.
    pub(super) fn get(&self, level: usize, number: i64) -> Option<&Grouped> {
        self.levels.get(level)?.get(&number)
    }

    /// Drops the spans that end at or before `start`, where the oldest slice that is still in a window begins.
    ///
    /// Not those behind the start of the window that closed last: where a clock goes back, windows do not
    /// begin in the order of their ends.
    pub(super) fn forget_until(&mut self, start: i64) {
        for (level, spans) in (self.lowest..).zip(&mut self.levels) {
            while let Some((&number, _)) = spans.first_key_value()
                && (number.saturating_add(1)).saturating_mul(1 << level) <= start
            {
                spans.pop_first();
            }
        }
    }

    /// Bytes of state.
    pub(super) fn size_bytes(&self) -> usize {
        let spans = self.levels.iter().flat_map(BTreeMap::values);
        spans.map(Grouped::size_bytes).sum::<usize>() + self.waiting.len() * size_of::<(i64, i64)>()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn pieces_follow_each_other_and_are_few(
            lowest in 1u32..5,
            levels in 1usize..12,
            start in -100_000i64..100_000,
            length in 1i64..10_000,
        ) {
            let spans = Spans {
                lowest,
                levels: (0..levels).map(|_| BTreeMap::new()).collect(),
                waiting: BTreeSet::new(),
            };
            let end = start + length;
            let mut at = start;
            let pieces = spans.pieces(start, end);
            for piece in &pieces {
                let (from, to) = match *piece {
                    Piece::Slices(from, to) => (from, to),
                    Piece::Span(level, number) => {
                        let bits = lowest + level as u32;
                        (number << bits, (number + 1) << bits)
                    }
                };
                prop_assert_eq!(from, at);
                prop_assert!(from < to && to <= end);
                at = to;
            }
            prop_assert_eq!(at, end);
            let longest = length >> (lowest as usize + levels - 1);
            prop_assert!(pieces.len() as i64 <= 2 * levels as i64 + longest + 2);
        }
    }

    #[test]
    fn ends_of_time_have_pieces() {
        let spans = Spans {
            lowest: 2,
            levels: (0..4).map(|_| BTreeMap::new()).collect(),
            waiting: BTreeSet::new(),
        };
        for (start, end) in [(i64::MAX - 70, i64::MAX), (i64::MIN, i64::MIN + 70)] {
            assert!(spans.pieces(start, end).len() < 10);
        }
    }
}
