//! The stack that queries are read and planned on: room for the deepest that the limits let through.
//!
//! ```text
//!   256 MiB   1,000 operators deep, 50 views in each other
//!    64 MiB     250                 12                       where `ulimit -v` leaves no room for more
//!    16 MiB      62                  3
//! ```
//!
//! The system gives the pages that are used, and only them: a large stack costs addresses. Invariant: what is let
//! through fits, in a debug build, too.

use crate::error::{Error, ErrorKind, Result};

/// Room for what is as deep as it may be.
const MOST_BYTES: usize = 256 << 20;
/// With less than this not much could be asked.
const LEAST_BYTES: usize = 16 << 20;
/// What is left for the query itself.
const OTHER_BYTES: usize = 16 << 20;

/// A stack of some size, to be taken when something is run on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stack {
    bytes: usize,
}

impl Stack {
    /// The largest stack for which there is room in the memory that is left; `None` is no limit.
    ///
    /// # Errors
    /// Of the kind `Limit`: there is room for none.
    pub fn largest(left: Option<u64>) -> Result<Self> {
        let has_room = |bytes: usize| left.is_none_or(|left| (bytes + OTHER_BYTES) as u64 <= left);
        let mut bytes = MOST_BYTES;
        while !has_room(bytes) || !is_there(bytes) {
            bytes /= 2;
            if bytes < LEAST_BYTES {
                let what = format!("no memory for a stack of {} MiB", LEAST_BYTES >> 20);
                return Err(Error::new(ErrorKind::Limit, what).help(
                    "allow it more memory: `ulimit -v` and `ulimit -d` say how much it may have",
                ));
            }
        }
        Ok(Stack { bytes })
    }

    /// Runs something on it.
    pub fn run<T>(self, act: impl FnOnce() -> T) -> T {
        stacker::grow(self.bytes, act)
    }

    /// How deep that may be on this stack which may be `most` deep on the largest.
    pub fn depth(self, most: usize) -> usize {
        most * (self.bytes / LEAST_BYTES) / (MOST_BYTES / LEAST_BYTES)
    }
}

/// Whether so much can be taken at once: it is tried, and given back.
fn is_there(bytes: usize) -> bool {
    // The stack has a guard before it and behind it.
    const GUARDS_BYTES: usize = 1 << 20;
    let mut room: Vec<u8> = Vec::new();
    let reserved = room.try_reserve_exact(bytes + GUARDS_BYTES);
    // Else the compiler may take it for granted, as nobody uses it.
    std::hint::black_box(&mut room);
    reserved.is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_decides() {
        let bytes = |left: u64| Stack::largest(Some(left << 20)).map(|stack| stack.bytes >> 20);
        assert_eq!(bytes(1_000).ok(), Some(256));
        assert_eq!(bytes(272).ok(), Some(256));
        assert_eq!(bytes(271).ok(), Some(128));
        assert_eq!(bytes(32).ok(), Some(16));
        let error = bytes(31).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Limit);
    }

    #[test]
    fn what_may_be_deep_on_a_smaller_stack_is_less_so() {
        let depths = |bytes| {
            let stack = Stack { bytes };
            (stack.depth(1_000), stack.depth(50))
        };
        assert_eq!(depths(MOST_BYTES), (1_000, 50));
        assert_eq!(depths(64 << 20), (250, 12));
        assert_eq!(depths(LEAST_BYTES), (62, 3));
    }
}
