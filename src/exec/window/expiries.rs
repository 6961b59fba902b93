//! When to look at open sessions again: a wheel of short spans of time, and a heap for what is beyond it.
//!
//! ```text
//!  watermark    now
//!  spans         │ 41 │ 42 │ 43 │ 44 │ 45 │ … │ 1064 │
//!                  │    └ sessions 7, 9            later and earlier ones: heap
//!                  └ where the watermark stands: heap
//! ```
//!
//! A session is entered once, when it opens, where its end is then. It is looked at when that has passed,
//! and entered again if its end has moved: so rows that prolong a session cost nothing here.
//!
//! Invariant: an entry comes out at the first watermark that closes the end it was entered with, if not before.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::time::is_closed;

/// Numbers of sessions by end; see the module.
#[derive(Clone, Default)]
pub(super) struct Expiries {
    /// The width of a span is a power of 2, this one: sessions are entered by shifts, not by divisions.
    width_bits: u32,
    /// The span of the watermark: spans of the wheel are later, by at most [`SPANS`].
    current: Option<i64>,
    wheel: Vec<Vec<u32>>,
    heap: BinaryHeap<Reverse<(i64, u32)>>,
}

/// The first part of the wheel is for a gap behind the watermark, the rest for the time that a block spans.
const SPANS: i64 = 1024;
const SPANS_IN_REACH: i64 = 64;

impl Expiries {
    /// No entries; most ends will be at most `reach` behind the watermark.
    pub(super) fn new(reach: i64) -> Self {
        Expiries {
            width_bits: (reach / SPANS_IN_REACH).max(1).ilog2(),
            current: None,
            wheel: vec![Vec::new(); SPANS as usize],
            heap: BinaryHeap::new(),
        }
    }

    /// Enters a session that ends at `end`.
    #[inline]
    pub(super) fn push(&mut self, end: i64, number: u32) {
        let span = end >> self.width_bits;
        let current = *self.current.get_or_insert(span.saturating_sub(1));
        match span.checked_sub(current) {
            Some(ahead) if 0 < ahead && ahead <= SPANS => {
                self.wheel[span.rem_euclid(SPANS) as usize].push(number);
            }
            _ => self.heap.push(Reverse((end, number))),
        }
    }

    /// Takes out the sessions whose ends `watermark` may have closed, and calls `look` for each: it gives the
    /// end of a session that is to be entered again.
    pub(super) fn pass(&mut self, watermark: i64, mut look: impl FnMut(u32) -> Option<i64>) {
        // The last end that it closes.
        let span = watermark.saturating_add(1) >> self.width_bits;
        if let Some(current) = self.current
            && current < span
        {
            self.current = Some(span);
            // Further ones are those of the round before.
            let last = span.min(current.saturating_add(SPANS));
            for span in current + 1..=last {
                let place = span.rem_euclid(SPANS) as usize;
                let mut numbers = std::mem::take(&mut self.wheel[place]);
                for &number in &numbers {
                    if let Some(end) = look(number) {
                        self.push(end, number);
                    }
                }
                numbers.clear();
                let place = &mut self.wheel[place];
                if place.is_empty() {
                    *place = numbers;
                }
            }
        }
        while let Some(&Reverse((end, number))) = self.heap.peek()
            && is_closed(end, watermark)
        {
            self.heap.pop();
            if let Some(end) = look(number) {
                self.push(end, number);
            }
        }
    }

    /// Bytes of state.
    pub(super) fn size_bytes(&self) -> usize {
        let numbers: usize = self.wheel.iter().map(Vec::capacity).sum();
        numbers * size_of::<u32>() + self.heap.capacity() * size_of::<(i64, u32)>()
    }
}
