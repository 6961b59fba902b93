//! Random numbers that depend on a seed alone, so that a printed seed repeats a failure.

use std::ops::Range;

/// A generator (SplitMix64): small, and the same on every machine.
pub struct Random(u64);

impl Random {
    /// The numbers of `seed`.
    pub fn new(seed: u64) -> Self {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5bf0_3635_1b1b_0a1d)
    }

    /// Any number.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number of the range, which must not be empty.
    pub fn between(&mut self, range: Range<i64>) -> i64 {
        let width = (range.end - range.start) as u64;
        range.start + (self.next() % width) as i64
    }

    /// An index below `length`.
    pub fn below(&mut self, length: usize) -> usize {
        (self.next() % length as u64) as usize
    }

    /// True once in `n`.
    pub fn one_in(&mut self, n: u64) -> bool {
        self.next().is_multiple_of(n)
    }

    /// One of the choices.
    pub fn pick<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.below(choices.len())]
    }

    /// `bytes` in pieces: a few large ones, or many small ones, as luck has it.
    pub fn cut(&mut self, bytes: &[u8]) -> Vec<Vec<u8>> {
        let longest = *self.pick(&[2, 7, 30, 200, 1 << 16]);
        let mut pieces = Vec::new();
        let mut rest = bytes;
        while !rest.is_empty() {
            let (piece, tail) = rest.split_at((1 + self.below(longest)).min(rest.len()));
            pieces.push(piece.to_vec());
            rest = tail;
        }
        pieces
    }
}
