//! Signals that ask a run to stop, or how it stands: noted at once, acted on by the loop that reads the input.
//!
//! ```text
//! SIGINT, SIGTERM, SIGHUP ──► a flag and a byte in a pipe ──► poll(input, fd()) returns ──► stop in order
//! the second of them      ──► the default action: the process ends at once
//! SIGUSR1                 ──► another flag and pipe ──► the status is told, and waiting goes on
//!
//! whoever plans, sorts or is stuck in the system looks at no flag:
//! the first signal        ──► a thread that waits for it ──► 0.9 s later, if we are still there: the default action
//! ```
//!
//! Invariants: a signal that was ignored at start stays ignored (`nohup`, `&`); the pipe is never drained,
//! so `fd()` stays readable from the first signal on; SIGPIPE is none of ours, a closed pipe is an I/O error,
//! and so is a file that grew to the limit that `ulimit -f` sets (SIGXFSZ). Who wants what is open to be printed at
//! a signal waits for that as long as something is taken.

use std::fmt;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::sync_channel;
use std::thread;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGXFSZ};
use signal_hook::{flag, low_level};

use crate::error::{Error, Result};

/// After how long a signal ends a process that has not ended by itself.
const LONGEST_END: Duration = Duration::from_millis(900);

/// What the thread needs that waits for signals.
const WATCH_STACK_BYTES: usize = 128 << 10;

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

    /// The signal of that number, if it is one of these.
    fn numbered(number: usize) -> Option<Self> {
        let mut all = Signal::ALL.into_iter();
        all.find(|signal| usize::try_from(signal.0) == Ok(number))
    }

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

/// Hears of SIGUSR1. To be installed first of all: until then that signal ends the process.
#[derive(Debug)]
pub struct Questions {
    /// Somebody wants to know how the run stands.
    asked: Arc<AtomicBool>,
    asks: UnixStream,
}

impl Questions {
    /// Takes the signal over, unless it is ignored.
    ///
    /// # Errors
    /// If the machine gives no pipe or no handler.
    pub fn install() -> Result<Self> {
        let asked = Arc::new(AtomicBool::new(false));
        if !is_ignored(SIGUSR1) {
            flag::register(SIGUSR1, Arc::clone(&asked)).map_err(refused)?;
        }
        let (asks, asker) = UnixStream::pair().map_err(refused)?;
        asks.set_nonblocking(true).map_err(refused)?;
        if !is_ignored(SIGUSR1) {
            low_level::pipe::register(SIGUSR1, asker).map_err(refused)?;
        }
        Ok(Questions { asked, asks })
    }
}

/// Waits for signals; see the module. To be installed once in a process.
#[derive(Debug)]
pub struct Interrupts {
    requested: Arc<AtomicUsize>,
    wakes: UnixStream,
    is_patient: Arc<AtomicBool>,
    questions: Questions,
}

impl Interrupts {
    /// Takes the signals over, but for those that are ignored.
    ///
    /// # Errors
    /// If the machine gives no pipe or no handler.
    pub fn install(questions: Questions) -> Result<Self> {
        let (wakes, waker) = UnixStream::pair().map_err(refused)?;
        let requested = Arc::new(AtomicUsize::new(0));
        let leave_at_once = Arc::new(AtomicBool::new(false));
        for signal in Signal::ALL {
            let number = signal.number();
            if is_ignored(number) {
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
        if !is_ignored(SIGXFSZ) {
            // Whoever hears of it need not die of it: then writing fails, and that is told with the path.
            flag::register(SIGXFSZ, Arc::default()).map_err(refused)?;
        }
        let is_patient = Arc::new(AtomicBool::new(false));
        let watched = wakes.try_clone().map_err(refused)?;
        let (seen, patient) = (Arc::clone(&requested), Arc::clone(&is_patient));
        let watch = thread::Builder::new().name(String::from("signals"));
        let watch = watch.stack_size(WATCH_STACK_BYTES);
        let (begins, begun) = sync_channel(0);
        let watch = watch.spawn(move || {
            // Nobody is left to hear of it where that fails.
            let _ = begins.send(());
            end_in_time(&watched, &seen, &patient);
        });
        // Where no thread can be had, a signal is acted on when somebody looks. Else it has all its memory by now,
        // and whoever asks how much is left is told the truth.
        let _ = watch.map(|_| begun.recv());
        Ok(Interrupts {
            requested,
            wakes,
            is_patient,
            questions,
        })
    }

    /// Readable as soon as a signal came: poll them together with the input. Never read from them.
    pub fn fds(&self) -> [BorrowedFd<'_>; 2] {
        [self.wakes.as_fd(), self.questions.asks.as_fd()]
    }

    /// True if somebody may want to know how the run stands: costs nothing to ask.
    pub fn may_ask(&self) -> bool {
        self.questions.asked.load(Ordering::Relaxed)
    }

    /// True if somebody wants to know how the run stands; not again until they ask again.
    pub fn take_question(&self) -> bool {
        // First what wakes: a signal that comes in between is answered, and wakes once more for nothing.
        let mut bytes = [0; 64];
        while matches!(rustix::io::read(&self.questions.asks, &mut bytes), Ok(1..)) {}
        self.questions.asked.swap(false, Ordering::SeqCst)
    }

    /// The signal that asked the run to stop.
    pub fn requested(&self) -> Option<Signal> {
        Signal::numbered(self.requested.load(Ordering::SeqCst))
    }

    /// Whether what a signal makes a run print is waited for, however long that takes.
    pub fn set_patient(&self, is_patient: bool) {
        self.is_patient.store(is_patient, Ordering::SeqCst);
    }

    /// True if what a signal makes a run print is waited for.
    pub fn is_patient(&self) -> bool {
        self.is_patient.load(Ordering::SeqCst)
    }
}

/// Ends the process by the signal that makes `wakes` readable, if it does not end by itself in time.
fn end_in_time(wakes: &UnixStream, requested: &AtomicUsize, is_patient: &AtomicBool) {
    while poll(&mut [PollFd::new(wakes, PollFlags::IN)], None).is_err() {}
    loop {
        thread::sleep(LONGEST_END);
        if !is_patient.load(Ordering::SeqCst)
            && let Some(signal) = Signal::numbered(requested.load(Ordering::SeqCst))
        {
            signal.raise_default();
        }
    }
}

fn refused(cause: io::Error) -> Error {
    Error::outside("cannot wait for signals", cause)
}

/// True if the parent made us ignore the signal of that number.
fn is_ignored(number: i32) -> bool {
    ignored_signals() & (1 << (number - 1)) != 0
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
