//! Signals that ask a run to stop, or how it stands: noted at once, acted on by the loop that reads the input.
//!
//! ```text
//! SIGINT, SIGTERM, SIGHUP ──► a flag and a byte in a pipe ──► poll(input, fd()) returns ──► stop in order
//! the second of them      ──► the default action: the process ends at once
//! SIGUSR1                 ──► another flag and pipe ──► the status is told, and waiting goes on
//! ```
//!
//! Invariants: a signal that was ignored at start stays ignored (`nohup`, `&`); the pipe is never drained,
//! so `fd()` stays readable from the first signal on; SIGPIPE is none of ours, a closed pipe is an I/O error,
//! and so is a file that grew to the limit that `ulimit -f` sets (SIGXFSZ).

use std::fmt;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGXFSZ};
use signal_hook::{flag, low_level};

use crate::error::{Error, Result};

/// A signal that ends a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signal(i32);

impl Signal {
    /// Ctrl-C.
    pub const INTERRUPT: Signal = Signal(SIGINT);
    /// What `kill` sends.
    pub const TERMINATE: Signal = Signal(SIGTERM);
    /// The terminal is gone.
    pub const HANGUP: Signal = Signal(SIGHUP);

    const ALL: [Signal; 3] = [Signal::INTERRUPT, Signal::TERMINATE, Signal::HANGUP];

    /// The number of the signal.
    pub fn number(self) -> i32 {
        self.0
    }

    /// What a shell shows as the exit code of a process that the signal ended: 130, 143, 129.
    pub fn exit_code(self) -> u8 {
        u8::try_from(128 + self.0).unwrap_or(u8::MAX)
    }

    /// Restores the default action and raises the signal again, so that the parent sees what happened.
    /// Does not return.
    pub fn raise_default(self) -> ! {
        // Fails only for signals that do not exist.
        let _ = low_level::emulate_default_handler(self.0);
        std::process::exit(i32::from(self.exit_code()))
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(low_level::signal_name(self.0).unwrap_or("a signal"))
    }
}

/// Waits for signals; see the module. To be installed once in a process.
#[derive(Debug)]
pub struct Interrupts {
    requested: Arc<AtomicUsize>,
    wakes: UnixStream,
    /// Somebody wants to know how the run stands.
    asked: Arc<AtomicBool>,
    asks: UnixStream,
}

impl Interrupts {
    /// Takes the signals over, but for those that are ignored.
    ///
    /// # Errors
    /// If the machine gives no pipe or no handler.
    pub fn install() -> Result<Self> {
        let refused = |cause: io::Error| Error::outside("cannot wait for signals", cause);
        let (wakes, waker) = UnixStream::pair().map_err(refused)?;
        let requested = Arc::new(AtomicUsize::new(0));
        let leave_at_once = Arc::new(AtomicBool::new(false));
        let ignored = ignored_signals();
        for signal in Signal::ALL {
            let number = signal.number();
            if ignored & (1 << (number - 1)) != 0 {
                continue;
            }
            let waker = waker.try_clone().map_err(refused)?;
            let value = usize::try_from(number).unwrap_or(0);
            // Actions run in this order: the first signal finds the flag unset and sets it.
            flag::register_conditional_default(number, Arc::clone(&leave_at_once))
                .map_err(refused)?;
            flag::register(number, Arc::clone(&leave_at_once)).map_err(refused)?;
            flag::register_usize(number, Arc::clone(&requested), value).map_err(refused)?;
            low_level::pipe::register(number, waker).map_err(refused)?;
        }
        if ignored & (1 << (SIGXFSZ - 1)) == 0 {
            // Whoever hears of it need not die of it: then writing fails, and that is told with the path.
            flag::register(SIGXFSZ, Arc::default()).map_err(refused)?;
        }
        let (asks, asker) = UnixStream::pair().map_err(refused)?;
        asks.set_nonblocking(true).map_err(refused)?;
        let asked = Arc::new(AtomicBool::new(false));
        if ignored & (1 << (SIGUSR1 - 1)) == 0 {
            flag::register(SIGUSR1, Arc::clone(&asked)).map_err(refused)?;
            low_level::pipe::register(SIGUSR1, asker).map_err(refused)?;
        }
        Ok(Interrupts {
            requested,
            wakes,
            asked,
            asks,
        })
    }

    /// Readable as soon as a signal came: poll them together with the input. Never read from them.
    pub fn fds(&self) -> [BorrowedFd<'_>; 2] {
        [self.wakes.as_fd(), self.asks.as_fd()]
    }

    /// True if somebody may want to know how the run stands: costs nothing to ask.
    pub fn may_ask(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }

    /// True if somebody wants to know how the run stands; not again until they ask again.
    pub fn take_question(&self) -> bool {
        // First what wakes: a signal that comes in between is answered, and wakes once more for nothing.
        let mut bytes = [0; 64];
        while matches!(rustix::io::read(&self.asks, &mut bytes), Ok(1..)) {}
        self.asked.swap(false, Ordering::SeqCst)
    }

    /// The signal that asked the run to stop.
    pub fn requested(&self) -> Option<Signal> {
        let number = self.requested.load(Ordering::SeqCst);
        Signal::ALL
            .into_iter()
            .find(|signal| usize::try_from(signal.0) == Ok(number))
    }
}

/// The signals that the parent made us ignore, one bit each, from SIGHUP = bit 0.
///
/// Systems without `/proc` do not tell without code of theirs; there none counts as ignored.
fn ignored_signals() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_are_those_of_the_shell() {
        let codes = Signal::ALL.map(Signal::exit_code);
        assert_eq!(codes, [130, 143, 129]);
        assert_eq!(Signal::INTERRUPT.to_string(), "SIGINT");
    }
}
