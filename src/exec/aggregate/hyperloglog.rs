//! `approx_distinct`: about how many different values, in at most 16 KiB for a group.
//!
//! ```text
//!   hash 64 bits:  [ register: 14 ][ 0 0 0 1 … ]       rank 4: a rank r shows about once in 2^r values
//!   few values:    the hashes themselves (exact)  ──more than 1,024──►  2^14 registers of the greatest rank
//! ```
//!
//! Invariants: the state is a pure function of the set of hashes, and so merges in any order; the hash is
//! the same on every machine. The estimate is Ertl's improved one: no bias, no tables, about 0.8 % off.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Int64Array};
use arrow::datatypes::DataType;
use arrow::row::{RowConverter, SortField};

use super::groups::{Kind, Rows};
use crate::error::Result;
use crate::exec::keys::canonical;

const REGISTER_BITS: u32 = 14;
const REGISTERS: usize = 1 << REGISTER_BITS;
/// Ranks go from 0 (empty) to this.
const GREATEST_RANK: usize = 64 - REGISTER_BITS as usize + 1;
const EXACT: usize = 1024;

/// Counts different values by their hashes.
pub(super) struct ApproxDistinct {
    converter: RowConverter,
}

/// The hashes of a group.
#[derive(Clone)]
pub(super) enum Hashes {
    /// All of them.
    Few(BTreeSet<u64>),
    /// The greatest rank of each register.
    Many(Box<[u8]>),
}

impl Default for Hashes {
    fn default() -> Self {
        Hashes::Few(BTreeSet::new())
    }
}

impl Hashes {
    fn add(&mut self, hash: u64) {
        match self {
            Hashes::Few(hashes) => {
                hashes.insert(hash);
                if hashes.len() > EXACT {
                    let mut registers = vec![0; REGISTERS].into_boxed_slice();
                    hashes
                        .iter()
                        .for_each(|&hash| register(&mut registers, hash));
                    *self = Hashes::Many(registers);
                }
            }
            Hashes::Many(registers) => register(registers, hash),
        }
    }

    fn estimate(&self) -> i64 {
        match self {
            Hashes::Few(hashes) => hashes.len() as i64,
            Hashes::Many(registers) => estimate(registers).round() as i64,
        }
    }
}

fn register(registers: &mut [u8], hash: u64) {
    let index = (hash >> (64 - REGISTER_BITS)) as usize;
    let rank = ((hash << REGISTER_BITS).leading_zeros() + 1).min(GREATEST_RANK as u32) as u8;
    registers[index] = registers[index].max(rank);
}

fn estimate(registers: &[u8]) -> f64 {
    let mut histogram = [0u32; GREATEST_RANK + 1];
    for &rank in registers {
        histogram[usize::from(rank)] += 1;
    }
    let all = REGISTERS as f64;
    let mut sum = all * tail(1.0 - f64::from(histogram[GREATEST_RANK]) / all);
    for &count in histogram[1..GREATEST_RANK].iter().rev() {
        sum = 0.5 * (sum + f64::from(count));
    }
    sum += all * head(f64::from(histogram[0]) / all);
    all * all / (2.0 * std::f64::consts::LN_2 * sum)
}

/// Corrects for empty registers: `x + Σ x^(2^k) 2^(k-1)`.
fn head(mut x: f64) -> f64 {
    let (mut factor, mut sum) = (1.0, x);
    if x == 1.0 {
        return f64::INFINITY;
    }
    loop {
        x *= x;
        let before = sum;
        sum += x * factor;
        factor += factor;
        if sum == before {
            return sum;
        }
    }
}

/// Corrects for full registers: `(1 - x - Σ (1 - x^(2^-k))² 2^-k) / 3`.
fn tail(mut x: f64) -> f64 {
    if x == 0.0 || x == 1.0 {
        return 0.0;
    }
    let (mut factor, mut sum) = (1.0, 1.0 - x);
    loop {
        x = x.sqrt();
        let before = sum;
        factor *= 0.5;
        sum -= (1.0 - x) * (1.0 - x) * factor;
        if sum == before {
            return sum / 3.0;
        }
    }
}

/// The same on every machine and in every version: it decides results.
fn hash(bytes: &[u8]) -> u64 {
    fn fold(a: u64, b: u64) -> u64 {
        let product = u128::from(a) * u128::from(b);
        (product as u64) ^ ((product >> 64) as u64)
    }
    const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut state = fold(bytes.len() as u64 ^ 0x243f_6a88_85a3_08d3, MULTIPLIER);
    for chunk in bytes.chunks(8) {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        state = fold(state ^ u64::from_le_bytes(word), MULTIPLIER) ^ state.rotate_left(29);
    }
    // All bits of the state shall decide the upper ones.
    state = (state ^ (state >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
    state = (state ^ (state >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
    state ^ (state >> 32)
}

impl ApproxDistinct {
    /// For values of this type.
    pub(super) fn new(data_type: &DataType) -> Result<Self> {
        Ok(ApproxDistinct {
            converter: RowConverter::new(vec![SortField::new(data_type.clone())])?,
        })
    }
}

impl Kind for ApproxDistinct {
    type State = Hashes;
    const NO_HEAP: bool = false;

    fn update(&self, rows: &Rows<'_>, states: &mut [Hashes]) -> Result<()> {
        let column = canonical(&rows.arguments[0]);
        let encoded = self
            .converter
            .convert_columns(std::slice::from_ref(&column))?;
        rows.each(column.logical_nulls().as_ref(), |row, group| {
            states[group].add(hash(encoded.row(row).data()));
        });
        Ok(())
    }

    fn merge(&self, from: &Hashes, into: &mut Hashes) {
        match (from, &mut *into) {
            (Hashes::Few(hashes), _) => hashes.iter().for_each(|&hash| into.add(hash)),
            (Hashes::Many(from), Hashes::Few(hashes)) => {
                let mut registers = from.clone();
                hashes
                    .iter()
                    .for_each(|&hash| register(&mut registers, hash));
                *into = Hashes::Many(registers);
            }
            (Hashes::Many(from), Hashes::Many(into)) => {
                for (kept, rank) in into.iter_mut().zip(from) {
                    *kept = (*kept).max(*rank);
                }
            }
        }
    }

    fn evaluate(&self, states: &[&Hashes]) -> Result<ArrayRef> {
        let counts = states.iter().map(|state| state.estimate());
        Ok(Arc::new(Int64Array::from_iter_values(counts)))
    }

    fn heap_bytes(&self, state: &Hashes) -> usize {
        match state {
            Hashes::Few(hashes) => hashes.len() * 2 * size_of::<u64>(),
            Hashes::Many(registers) => registers.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn estimates_are_close() {
        for count in [0u64, 1, 1000, 1024, 1025, 5000, 50_000, 300_000] {
            let mut hashes = Hashes::default();
            for value in 0..count {
                hashes.add(hash(&value.to_be_bytes()));
                hashes.add(hash(&value.to_be_bytes()));
            }
            let off = (hashes.estimate() - count as i64).unsigned_abs();
            assert!(off * 100 <= count * 3, "{count}: {}", hashes.estimate());
            assert!(count > 1024 || off == 0, "{count}: {}", hashes.estimate());
        }
    }
}
