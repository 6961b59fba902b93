//! Short waits for a descriptor or for nothing, for those who look between them whether the user wants to stop.

use std::os::fd::AsFd;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// True if something of this kind happens at a descriptor within so long.
pub(super) fn happens(fd: &impl AsFd, what: PollFlags, within: Duration) -> bool {
    let mut fds = [PollFd::new(fd, what)];
    matches!(poll(&mut fds, Some(&timespec(within))), Ok(1..))
}

/// Waits for so long.
pub(super) fn pause(time: Duration) {
    let timeout = timespec(time);
    // A signal ends it early, and is heard by whoever asks next.
    let _ = poll(&mut [], Some(&timeout));
}

fn timespec(time: Duration) -> Timespec {
    Timespec {
        tv_sec: i64::try_from(time.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: i64::from(time.subsec_nanos()),
    }
}
