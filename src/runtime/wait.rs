//! Waiting for input without missing a signal.

use std::os::fd::BorrowedFd;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::interrupt::{Interrupts, Signal};
use crate::connect::ByteSource;
use crate::error::{Error, Result};
use crate::time;

/// After how long without input the user is told what is being waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// Something to do while nothing comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Idle {
    /// The input would make us wait: hand out what is ready.
    Flush,
    /// Nothing has come for 10 s.
    Waiting,
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

/// Why waiting ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ready {
    /// Reading will not wait.
    Input,
    /// A signal asked to stop.
    Stop(Signal),
    /// The time of the alarm has come.
    Alarm,
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

    /// True if reading from `source` does not wait.
    pub fn is_ready(&self, source: &dyn ByteSource) -> bool {
        match source.wait_for() {
            None => true,
            Some(fd) => matches!(poll_input(fd, None, Some(Duration::ZERO)), Ok(true)),
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
    ) -> Result<Ready> {
        if let Some(signal) = self.stopped() {
            return Ok(Ready::Stop(signal));
        }
        let Some(fd) = source.wait_for() else {
            return Ok(Ready::Input);
        };
        if self.is_ready(source) {
            self.quiet_since = None;
            return Ok(Ready::Input);
        }
        idle(Idle::Flush)?;
        let tell_at = *self.quiet_since.get_or_insert_with(time::elapsed) + PATIENCE;
        loop {
            if self.has_rung() {
                return Ok(Ready::Alarm);
            }
            let tell_at = (!self.told).then_some(tell_at);
            let until = tell_at.into_iter().chain(self.alarm).min();
            let patience = until.map(|until| until.saturating_sub(time::elapsed()));
            let interrupt = self.interrupts.map(Interrupts::fd);
            let ready = poll_input(fd, interrupt, patience).map_err(|error| {
                Error::outside(format!("cannot wait for {}", source.name()), error)
            })?;
            if let Some(signal) = self.stopped() {
                return Ok(Ready::Stop(signal));
            }
            if ready {
                self.quiet_since = None;
                return Ok(Ready::Input);
            }
            if tell_at.is_some_and(|tell_at| time::elapsed() >= tell_at) {
                self.told = true;
                idle(Idle::Waiting)?;
            }
        }
    }
}

/// True if `fd` can be read (or has ended); false if the time is up or only the signal came.
fn poll_input(
    fd: BorrowedFd<'_>,
    interrupt: Option<BorrowedFd<'_>>,
    timeout: Option<Duration>,
) -> rustix::io::Result<bool> {
    let mut fds = vec![PollFd::from_borrowed_fd(fd, PollFlags::IN)];
    fds.extend(interrupt.map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN)));
    let timeout = timeout.map(|timeout| Timespec {
        tv_sec: timeout.as_secs() as i64,
        tv_nsec: i64::from(timeout.subsec_nanos()),
    });
    match poll(&mut fds, timeout.as_ref()) {
        Ok(_) => Ok(!fds[0].revents().is_empty()),
        Err(rustix::io::Errno::INTR) => Ok(false),
        Err(error) => Err(error),
    }
}
