//! How many bytes this process has read from its inputs, as they lie there: what a progress bar goes by.
//!
//! Invariant: nothing but what is shown of progress depends on it.

use std::sync::atomic::{AtomicU64, Ordering};

static READ_BYTES: AtomicU64 = AtomicU64::new(0);

/// The bytes that were read, compressed ones as such.
pub fn read_bytes() -> u64 {
    READ_BYTES.load(Ordering::Relaxed)
}

/// Counts bytes, and hands their number on.
pub(super) fn counted(bytes: usize) -> usize {
    READ_BYTES.fetch_add(bytes as u64, Ordering::Relaxed);
    bytes
}
