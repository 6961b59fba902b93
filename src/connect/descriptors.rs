//! Which of the standard streams were there when the process was started.
//!
//! ```text
//!   tumble … >&-      fd 1 is closed ─► [looked at here] ─► Rust opens /dev/null in its place ─► main
//! ```
//!
//! Rust's runtime puts `/dev/null` in the place of a stream that is closed, and afterwards nothing tells it from a
//! `/dev/null` that the parent gave (Python's `DEVNULL` and Node's `ignore` open it for reading and writing, too). So
//! it is looked at before: by a function that the loader calls ahead of `main`, as coreutils in Rust do.
//!
//! Invariants: that function asks the system three things and calls nothing of Rust's runtime, which is not there
//! yet; a system that lists no descriptors in `/proc` has closed none.

use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::lstat;
use rustix::io::Errno;

static STDIN_IS_CLOSED: AtomicBool = AtomicBool::new(false);
static STDOUT_IS_CLOSED: AtomicBool = AtomicBool::new(false);

/// The loader calls what stands in this section: the one thing that is said of it without the compiler's knowing.
#[used]
#[cfg_attr(
    target_vendor = "apple",
    unsafe(link_section = "__DATA,__mod_init_func")
)]
#[cfg_attr(not(target_vendor = "apple"), unsafe(link_section = ".init_array"))]
static BEFORE_MAIN: extern "C" fn() = look;

extern "C" fn look() {
    let is_listed = lstat("/proc/self/fd").is_ok();
    let is_closed = |descriptor: &str| is_listed && lstat(descriptor).err() == Some(Errno::NOENT);
    STDIN_IS_CLOSED.store(is_closed("/proc/self/fd/0"), Ordering::Relaxed);
    STDOUT_IS_CLOSED.store(is_closed("/proc/self/fd/1"), Ordering::Relaxed);
}

/// True if the process was started without a standard input.
pub(super) fn stdin_is_closed() -> bool {
    STDIN_IS_CLOSED.load(Ordering::Relaxed)
}

/// True if the process was started without a standard output.
pub(super) fn stdout_is_closed() -> bool {
    STDOUT_IS_CLOSED.load(Ordering::Relaxed)
}
