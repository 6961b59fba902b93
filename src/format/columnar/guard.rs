//! Runs what reads foreign bytes so that a panic in it becomes an error.
//!
//! The crates for Arrow and Parquet trust what a file says about itself: a type without its child, a unit that
//! does not exist and the like are assertions there, and here they are input.

use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::sync::Once;

use crate::error::{Error, Result};

thread_local! {
    /// True while this thread reads foreign bytes.
    static IS_GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Runs `read`; what panics in it is data that cannot be read. What it changes may be half-done then: nothing
/// more is read of that input.
pub(super) fn guarded<T>(read: impl FnOnce() -> Result<T>) -> Result<T> {
    static SILENCE: Once = Once::new();
    SILENCE.call_once(|| {
        let told = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !IS_GUARDED.get() {
                told(info);
            }
        }));
    });
    let before = IS_GUARDED.replace(true);
    let outcome = catch_unwind(AssertUnwindSafe(read));
    IS_GUARDED.set(before);
    outcome.unwrap_or_else(|_| Err(Error::data("it contradicts itself")))
}
