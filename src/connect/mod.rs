//! Where bytes come from and go to: standard input and files. Knows no columns.
//!
//! To add a connector: one file, one line below, one grammar test.

mod file;
mod sink;
mod stdin;

use std::io;
use std::os::fd::BorrowedFd;

pub use file::{FileSource, Reason, expand, is_same_file};
pub use sink::FileSink;
pub use stdin::StdinSource;

/// Bytes of one input, in order.
pub trait ByteSource: Send {
    /// What messages call it: a path, or `stdin`.
    fn name(&self) -> &str;

    /// Puts what is there into `buffer` and returns how much; waits only if nothing is. 0 is the end.
    ///
    /// # Errors
    /// What the system says; `Interrupted` may be tried again.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize>;

    /// What to wait for before reading; `None` if reading never waits.
    fn wait_for(&self) -> Option<BorrowedFd<'_>> {
        None
    }

    /// When the bytes were written last, in seconds since 1970; `None` while somebody writes them.
    fn written_seconds(&self) -> Option<i64> {
        None
    }

    /// True for a file that lies there whole: its first 64 KiB may be looked at before anything is read.
    fn is_file(&self) -> bool {
        false
    }
}
