//! Waiting for input without missing a signal.

use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::interrupt::{Interrupts, Signal};
use super::reader::{Patience, Read};
use crate::connect::{ByteSource, Notice, Outside};
use crate::error::{Error, Result};
use crate::time;

/// After how long without input or result the user is told what is being waited for.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// Something to do while nothing comes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Idle {
    /// The input would make us wait: hand out what is ready.
    Flush,
    /// Nothing has come for 10 s.
    Waiting,
    /// A connector has something to say.
    Said(Notice),
    /// Somebody wants to know how the run stands.
    Asked,
}

/// Waits for inputs and signals.
pub struct Waiter<'a> {
    interrupts: Option<&'a Interrupts>,
    told: bool,
    /// Since when nothing has come, as [`time::elapsed`] counts.
    quiet_since: Option<Duration>,
    /// When to end waiting though nothing came, as [`time::elapsed`] counts.
    alarm: Option<Duration>,
}

/// Tells sinks the time and whether a signal asked to stop.
pub struct ForSinks(pub Option<Arc<Interrupts>>);

impl Outside for ForSinks {
    fn now(&self) -> Duration {
        time::elapsed()
    }

    fn is_stopped(&self) -> bool {
        let interrupts = self.0.as_ref();
        interrupts.is_some_and(|interrupts| interrupts.requested().is_some())
    }

    fn is_patient(&self) -> bool {
        let interrupts = self.0.as_ref();
        interrupts.is_some_and(|interrupts| interrupts.is_patient())
    }
}

impl<'a> Waiter<'a> {
    /// A waiter that hears of signals through `interrupts`.
    pub fn new(interrupts: Option<&'a Interrupts>) -> Self {
        Waiter {
            interrupts,
            told: false,
            quiet_since: None,
            alarm: None,
        }
    }

    /// Sets the alarm, or none: waiting ends after so long though nothing came.
    pub fn set_alarm(&mut self, after: Option<Duration>) {
        self.alarm = after.map(|after| time::elapsed().saturating_add(after));
    }

    /// True if there is an alarm and its time has come.
    pub fn has_rung(&self) -> bool {
        self.alarm.is_some_and(|alarm| time::elapsed() >= alarm)
    }

    /// The signal that asked to stop, if one did.
    pub fn stopped(&self) -> Option<Signal> {
        self.interrupts.and_then(Interrupts::requested)
    }

    /// True if somebody wants to know how the run stands; not again until they ask again.
    pub fn is_asked(&self) -> bool {
        (self.interrupts)
            .is_some_and(|interrupts| interrupts.may_ask() && interrupts.take_question())
    }

    /// True if reading from `source` does not wait.
    pub fn is_ready(&self, source: &dyn ByteSource) -> bool {
        match source.wait_for() {
            None => true,
            Some(fd) => matches!(ready_ones(&Awaited::of(fd)), Ok(Some(_))),
        }
    }

    /// Returns when reading from `source` does not wait, a signal came, or it is time for the alarm. `idle` is
    /// called once before the first wait, and once when it is long.
    ///
    /// # Errors
    /// Those of `idle`, and of the system.
    pub fn wait(
        &mut self,
        source: &dyn ByteSource,
        idle: &mut dyn FnMut(Idle) -> Result<()>,
    ) -> Result<Woken<()>> {
        if let Some(signal) = self.stopped() {
            return Ok(Woken::Stop(signal));
        }
        let Some(fd) = source.wait_for() else {
            return Ok(Woken::Ready(()));
        };
        if self.is_ready(source) {
            self.quiet_since = None;
            return Ok(Woken::Ready(()));
        }
        let what = || format!("cannot wait for {}", source.name());
        Ok(match self.long(&Awaited::of(fd), &what, idle)? {
            Woken::Ready(_) => Woken::Ready(()),
            Woken::Stop(signal) => Woken::Stop(signal),
            Woken::Alarm => Woken::Alarm,
            Woken::Time => Woken::Time,
        })
    }

    /// Waits before `source` is read, if there is patience; what comes in the place of reading it, if it cannot be
    /// read now.
    ///
    /// # Errors
    /// Those of [`Waiter::wait`].
    pub(super) fn before_reading(
        &mut self,
        source: &dyn ByteSource,
        patience: &mut Patience<'_>,
    ) -> Result<Option<Read>> {
        let Some(idle) = patience else {
            return Ok((!self.is_ready(source)).then_some(Read::Later));
        };
        Ok(match self.wait(source, *idle)? {
            Woken::Ready(()) => None,
            Woken::Stop(_) => Some(Read::Stop),
            Woken::Alarm | Woken::Time => Some(Read::Later),
        })
    }

    /// As [`Waiter::wait`], for several things.
    ///
    /// # Errors
    /// Likewise.
    pub(super) fn wait_any(
        &mut self,
        awaited: &Awaited<'_>,
        idle: &mut dyn FnMut(Idle) -> Result<()>,
    ) -> Result<Woken<ReadyOnes>> {
        if let Some(signal) = self.stopped() {
            return Ok(Woken::Stop(signal));
        }
        let what = || String::from("cannot wait for inputs");
        self.long(awaited, &what, idle)
    }

    /// Waits until something is ready, or for one of the other reasons to end waiting. `what` says what failed.
    fn long(
        &mut self,
        awaited: &Awaited<'_>,
        what: &dyn Fn() -> String,
        idle: &mut dyn FnMut(Idle) -> Result<()>,
    ) -> Result<Woken<ReadyOnes>> {
        idle(Idle::Flush)?;
        let tell_at = *self.quiet_since.get_or_insert_with(time::elapsed) + PATIENCE;
        let signals = self.interrupts.map(Interrupts::fds);
        let signals = signals.as_ref().map_or(&[][..], |fds| &fds[..]);
        loop {
            // Not only if one may ask: what wakes may be left of a question that was answered, and would wake for ever.
            if (self.interrupts).is_some_and(Interrupts::take_question) {
                idle(Idle::Asked)?;
            }
            if self.has_rung() {
                return Ok(Woken::Alarm);
            }
            if awaited.until.is_some_and(|until| time::elapsed() >= until) {
                return Ok(Woken::Time);
            }
            let tell_at = (!self.told).then_some(tell_at);
            let next = tell_at.into_iter().chain(self.alarm);
            let next = next.chain(awaited.until).min();
            let patience = next.map(|next| next.saturating_sub(time::elapsed()));
            let ready = poll_any(awaited, signals, patience)
                .map_err(|error| Error::outside(what(), error))?;
            if let Some(signal) = self.stopped() {
                return Ok(Woken::Stop(signal));
            }
            if let Some(ready) = ready {
                self.quiet_since = None;
                return Ok(Woken::Ready(ready));
            }
            if tell_at.is_some_and(|tell_at| time::elapsed() >= tell_at) {
                self.told = true;
                idle(Idle::Waiting)?;
            }
        }
    }
}

/// Why waiting for something ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Woken<T> {
    /// It is there: reading will not wait.
    Ready(T),
    /// A signal asked to stop.
    Stop(Signal),
    /// The time of the alarm has come.
    Alarm,
    /// The time at which somebody wanted to come back.
    Time,
}

/// Several things to wait for at once.
#[derive(Default)]
pub(super) struct Awaited<'a> {
    /// Where inputs come from: readable or writable.
    pub arrivals: Vec<BorrowedFd<'a>>,
    /// The inputs that are there.
    pub inputs: Vec<BorrowedFd<'a>>,
    /// When to come back at the latest, as [`time::elapsed`] counts.
    pub until: Option<Duration>,
}

impl<'a> Awaited<'a> {
    /// One input.
    fn of(input: BorrowedFd<'a>) -> Self {
        Awaited {
            inputs: vec![input],
            ..Awaited::default()
        }
    }
}

/// Which of several things are ready.
pub(super) struct ReadyOnes {
    pub arrivals: bool,
    pub inputs: Vec<bool>,
}

/// Those that are ready now.
///
/// # Errors
/// What the system says.
pub(super) fn ready_ones(awaited: &Awaited<'_>) -> Result<Option<ReadyOnes>> {
    poll_any(awaited, &[], Some(Duration::ZERO))
        .map_err(|error| Error::outside("cannot wait for inputs", error))
}

/// Which of several things are ready; `None` if the time is up or only a signal came.
fn poll_any(
    awaited: &Awaited<'_>,
    signals: &[BorrowedFd<'_>],
    timeout: Option<Duration>,
) -> rustix::io::Result<Option<ReadyOnes>> {
    let any = PollFlags::IN | PollFlags::OUT;
    let arrivals = awaited.arrivals.iter();
    let mut fds: Vec<PollFd<'_>> = arrivals
        .map(|fd| PollFd::from_borrowed_fd(*fd, any))
        .collect();
    let inputs = awaited.inputs.iter().chain(signals).copied();
    fds.extend(inputs.map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN)));
    match poll(&mut fds, timeout.map(timespec).as_ref()) {
        Ok(_) => {}
        Err(rustix::io::Errno::INTR) => return Ok(None),
        Err(error) => return Err(error),
    }
    let mut ready = fds.iter().map(|fd| !fd.revents().is_empty());
    let mut arrivals = false;
    for _ in &awaited.arrivals {
        arrivals |= ready.next().unwrap_or(false);
    }
    let inputs: Vec<bool> = ready.take(awaited.inputs.len()).collect();
    let is_any = arrivals || inputs.contains(&true);
    Ok(is_any.then_some(ReadyOnes { arrivals, inputs }))
}

fn timespec(timeout: Duration) -> Timespec {
    Timespec {
        // A poll that wakes early is asked again: what is longer than an i64 never ends.
        tv_sec: i64::try_from(timeout.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: i64::from(timeout.subsec_nanos()),
    }
}
