//! Signals that ask a run to stop, or how it stands: noted at once, acted on by the loop that reads the input.
//!
//! ```text
//! SIGINT, SIGTERM, SIGHUP ──► a flag and a byte in a pipe ──► poll(input, fd()) returns ──► stop in order
//! the second of them      ──► the default action: the process ends at once
//! SIGUSR1                 ──► another flag and pipe ──► the status is told, and waiting goes on
//!
//! whoever plans, sorts or is stuck in the system looks at no flag:
//! the first signal        ──► a thread that waits for it ──► 0.9 s later, if we are still there: the default action
//!
//! at the prompt: SIGINT   ──► the query stops, the prompt goes on; the third for one query ends the process
//!                SIGQUIT  ──► as SIGUSR1: Ctrl-\ is the key for it
//!                SIGTERM, SIGHUP while a line is typed ──► the thread gives the terminal back and ends the process
//! ```
//!
//! Invariants: a signal that was ignored at start stays ignored (`nohup`, `&`); the pipe is drained only between two
//! queries of a prompt, so `fd()` stays readable from the first signal on; SIGPIPE is none of ours, a closed pipe is an I/O error,
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
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGXFSZ};
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
    asker: UnixStream,
}

impl Questions {
    /// Takes the signal over, unless it is ignored.
    ///
    /// # Errors
    /// If the machine gives no pipe or no handler.
    pub fn install() -> Result<Self> {
        let (asks, asker) = UnixStream::pair().map_err(refused)?;
        asks.set_nonblocking(true).map_err(refused)?;
        let questions = Questions {
            asked: Arc::default(),
            asks,
            asker,
        };
        questions.hear(SIGUSR1)?;
        Ok(questions)
    }

    /// Takes another signal over that asks, unless it is ignored.
    fn hear(&self, number: i32) -> Result<()> {
        if !is_ignored(number) {
            flag::register(number, Arc::clone(&self.asked)).map_err(refused)?;
            let asker = self.asker.try_clone().map_err(refused)?;
            low_level::pipe::register(number, asker).map_err(refused)?;
        }
        Ok(())
    }
}

/// Waits for signals; see the module. To be installed once in a process.
#[derive(Debug)]
pub struct Interrupts {
    came: Arc<Came>,
    wakes: UnixStream,
    questions: Questions,
}

/// What came, as handlers and threads note it.
#[derive(Debug, Default)]
struct Came {
    /// SIGINT.
    interrupt: Arc<AtomicUsize>,
    /// The number of another signal that ends processes.
    end: Arc<AtomicUsize>,
    /// What a signal makes a run print is waited for, however long that takes.
    is_patient: AtomicBool,
    /// At the prompt: a line is typed, or a program runs that was started from it; no query is there to stop.
    no_query: AtomicBool,
    /// At the prompt: SIGINTs for the query that runs.
    interrupts: AtomicUsize,
}

/// Ctrl-C for one query this often: it does not stop, and the user wants to leave.
const LEAVE_AT: usize = 3;

impl Came {
    fn requested(&self) -> Option<Signal> {
        let end = Signal::numbered(self.end.load(Ordering::SeqCst));
        end.or_else(|| Signal::numbered(self.interrupt.load(Ordering::SeqCst)))
    }

    fn flag_of(&self, signal: Signal) -> &Arc<AtomicUsize> {
        match signal {
            Signal::INTERRUPT => &self.interrupt,
            _ => &self.end,
        }
    }
}

impl Interrupts {
    /// Takes the signals over, but for those that are ignored, for a run that one of them ends.
    ///
    /// # Errors
    /// If the machine gives no pipe or no handler.
    pub fn install(questions: Questions) -> Result<Self> {
        let (wakes, waker) = UnixStream::pair().map_err(refused)?;
        let came = Arc::<Came>::default();
        let leave_at_once = Arc::new(AtomicBool::new(false));
        for signal in Signal::ALL {
            if !is_ignored(signal.number()) {
                leave_the_second_time(signal, &leave_at_once)?;
                note(signal, came.flag_of(signal), &waker)?;
            }
        }
        hear_of_full_files()?;
        let watched = wakes.try_clone().map_err(refused)?;
        let seen = Arc::clone(&came);
        // Where no thread can be had, a signal is acted on when somebody looks.
        let _ = watch(move || end_in_time(&watched, &seen));
        Ok(Interrupts {
            came,
            wakes,
            questions,
        })
    }

    /// Takes the signals over, but for those that are ignored, for a prompt. `give_back` makes of the terminal what
    /// it was.
    ///
    /// # Errors
    /// If the machine gives no pipe, no handler or no thread.
    pub fn install_at_prompt(
        questions: Questions,
        give_back: impl Fn() + Send + 'static,
    ) -> Result<Self> {
        let (wakes, waker) = UnixStream::pair().map_err(refused)?;
        wakes.set_nonblocking(true).map_err(refused)?;
        let (heard, teller) = UnixStream::pair().map_err(refused)?;
        let came = Arc::<Came>::default();
        let leave_at_once = Arc::new(AtomicBool::new(false));
        for signal in Signal::ALL {
            if is_ignored(signal.number()) {
                continue;
            }
            if signal != Signal::INTERRUPT {
                leave_the_second_time(signal, &leave_at_once)?;
            }
            note(signal, came.flag_of(signal), &waker)?;
            let teller = teller.try_clone().map_err(refused)?;
            low_level::pipe::register(signal.number(), teller).map_err(refused)?;
        }
        questions.hear(SIGQUIT)?;
        hear_of_full_files()?;
        let seen = Arc::clone(&came);
        watch(move || guard(&heard, &seen, &give_back)).map_err(refused)?;
        Ok(Interrupts {
            came,
            wakes,
            questions,
        })
    }

    /// The next query of a prompt begins, and what was meant for the one before it is done. Other signals than
    /// SIGINT end the prompt, and stay.
    pub fn begin_query(&self) {
        self.came.interrupts.store(0, Ordering::SeqCst);
        self.came.interrupt.store(0, Ordering::SeqCst);
        self.take_question();
        self.came.no_query.store(false, Ordering::SeqCst);
    }

    /// A line is typed, or another program has the terminal: SIGINT is none of ours, and a signal that ends the
    /// process does so at once. Returns the one that came before.
    pub fn begin_line(&self) -> Option<Signal> {
        self.came.interrupt.store(0, Ordering::SeqCst);
        drain(&self.wakes);
        self.came.no_query.store(true, Ordering::SeqCst);
        // What came before the guard was told is found here.
        Signal::numbered(self.came.end.load(Ordering::SeqCst))
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
        drain(&self.questions.asks);
        self.questions.asked.swap(false, Ordering::SeqCst)
    }

    /// The signal that asked the run to stop.
    pub fn requested(&self) -> Option<Signal> {
        self.came.requested()
    }

    /// Whether what a signal makes a run print is waited for, however long that takes.
    pub fn set_patient(&self, is_patient: bool) {
        self.came.is_patient.store(is_patient, Ordering::SeqCst);
    }

    /// True if what a signal makes a run print is waited for.
    pub fn is_patient(&self) -> bool {
        self.came.is_patient.load(Ordering::SeqCst)
    }
}

/// Actions run in the order in which they are registered: the first signal finds the flag unset and sets it.
fn leave_the_second_time(signal: Signal, leave_at_once: &Arc<AtomicBool>) -> Result<()> {
    let number = signal.number();
    flag::register_conditional_default(number, Arc::clone(leave_at_once)).map_err(refused)?;
    flag::register(number, Arc::clone(leave_at_once)).map_err(refused)?;
    Ok(())
}

/// Notes a signal in `flag`, and wakes.
fn note(signal: Signal, flag: &Arc<AtomicUsize>, waker: &UnixStream) -> Result<()> {
    let number = signal.number();
    let value = usize::try_from(number).unwrap_or(0);
    let waker = waker.try_clone().map_err(refused)?;
    flag::register_usize(number, Arc::clone(flag), value).map_err(refused)?;
    low_level::pipe::register(number, waker).map_err(refused)?;
    Ok(())
}

/// Whoever hears of a file that may not grow need not die of it: then writing fails, and that is told with the path.
fn hear_of_full_files() -> Result<()> {
    if !is_ignored(SIGXFSZ) {
        flag::register(SIGXFSZ, Arc::default()).map_err(refused)?;
    }
    Ok(())
}

/// Takes all that lies in a pipe that does not make us wait.
fn drain(pipe: &UnixStream) {
    let mut bytes = [0; 64];
    while matches!(rustix::io::read(pipe, &mut bytes), Ok(1..)) {}
}

/// Starts the thread that waits for signals. It has all its memory when this returns, and whoever asks how much is
/// left is told the truth.
fn watch(watching: impl FnOnce() + Send + 'static) -> io::Result<()> {
    let thread = thread::Builder::new().name(String::from("signals"));
    let thread = thread.stack_size(WATCH_STACK_BYTES);
    let (begins, begun) = sync_channel(0);
    thread.spawn(move || {
        // Nobody is left to hear of it where that fails.
        let _ = begins.send(());
        watching();
    })?;
    let _ = begun.recv();
    Ok(())
}

/// Ends the process by the signal that makes `wakes` readable, if it does not end by itself in time.
fn end_in_time(wakes: &UnixStream, came: &Came) {
    while poll(&mut [PollFd::new(wakes, PollFlags::IN)], None).is_err() {}
    loop {
        thread::sleep(LONGEST_END);
        if !came.is_patient.load(Ordering::SeqCst)
            && let Some(signal) = came.requested()
        {
            signal.raise_default();
        }
    }
}

/// Ends the process of a prompt where nobody else hears of a signal: who waits for a key of a user does not, and who
/// is stuck in the system does not.
fn guard(heard: &UnixStream, came: &Came, give_back: &impl Fn()) {
    let mut bytes = [0; 16];
    loop {
        let count = match rustix::io::read(heard, &mut bytes) {
            Ok(count @ 1..) => count,
            Err(rustix::io::Errno::INTR) => continue,
            _ => return,
        };
        let no_query = came.no_query.load(Ordering::SeqCst);
        let end = Signal::numbered(came.end.load(Ordering::SeqCst));
        let signal = match end {
            Some(signal) => {
                while !came.no_query.load(Ordering::SeqCst) {
                    // The loop of the query stops it in order, if it can.
                    thread::sleep(LONGEST_END);
                    if !came.is_patient.load(Ordering::SeqCst) {
                        break;
                    }
                }
                signal
            }
            None if no_query => continue,
            None if came.interrupts.fetch_add(count, Ordering::SeqCst) + count < LEAVE_AT => {
                continue;
            }
            None => Signal::INTERRUPT,
        };
        give_back();
        signal.raise_default();
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
