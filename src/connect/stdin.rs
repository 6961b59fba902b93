//! Standard input: a pipe, a terminal or a redirected file.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;

use rustix::fs::FileType;
use rustix::io::Errno;
use rustix::pipe;

use super::descriptors::stdin_is_closed;
use super::file::WholeFile;
use super::{ByteSource, WholeBytes};

/// Room in a pipe, in bytes: fewer switches between writer and reader than with the usual 64 KiB.
const PIPE_BYTES: usize = 1 << 20;

/// Standard input.
#[derive(Debug)]
pub struct StdinSource {
    stdin: io::Stdin,
    is_file: bool,
    /// Where in a file it began.
    start: Option<u64>,
    written_seconds: Option<i64>,
}

impl StdinSource {
    /// Standard input as it was handed to the process.
    pub fn new() -> Self {
        let stdin = io::stdin();
        let (mut is_file, mut written_seconds) = (false, None);
        if let Ok(stat) = rustix::fs::fstat(stdin.as_fd()) {
            let file_type = FileType::from_raw_mode(stat.st_mode);
            is_file = file_type == FileType::RegularFile;
            written_seconds = is_file.then_some(stat.st_mtime);
            if file_type == FileType::Fifo {
                // A larger pipe is a favor that the system may refuse.
                let _ = pipe::fcntl_setpipe_size(stdin.as_fd(), PIPE_BYTES);
            }
        }
        let start = match is_file {
            true => rustix::fs::tell(stdin.as_fd()).ok(),
            false => None,
        };
        StdinSource {
            stdin,
            is_file,
            start,
            written_seconds,
        }
    }
}

impl Default for StdinSource {
    fn default() -> Self {
        StdinSource::new()
    }
}

impl ByteSource for StdinSource {
    fn name(&self) -> &str {
        "stdin"
    }

    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if stdin_is_closed() {
            return Err(Errno::BADF.into());
        }
        // Not through the lock of io::Stdin, which has a buffer of its own.
        Ok(rustix::io::read(self.stdin.as_fd(), buffer)?)
    }

    fn wait_for(&self) -> Option<BorrowedFd<'_>> {
        (!self.is_file).then(|| self.stdin.as_fd())
    }

    fn written_seconds(&self) -> Option<i64> {
        self.written_seconds
    }

    fn whole(&self) -> Option<Arc<dyn WholeBytes>> {
        WholeFile::of(self.stdin.as_fd(), self.start?)
    }

    fn is_file(&self) -> bool {
        self.is_file
    }
}
