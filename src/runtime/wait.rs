//! Waiting for input without missing a signal.

use std::os::fd::BorrowedFd;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::interrupt::{Interrupts, Signal};
use crate::connect::ByteSource;
use crate::error::{Error, Result};

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
}

/// Why waiting ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ready {
    /// Reading will not wait.
    Input,
    /// A signal asked to stop.
    Stop(Signal),
}

impl<'a> Waiter<'a> {
    /// A waiter that hears of signals through `interrupts`.
    pub fn new(interrupts: Option<&'a Interrupts>) -> Self {
        Waiter {
            interrupts,
            told: false,
        }
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

    /// Returns when reading from `source` does not wait, or a signal came. `idle` is called once before
    /// the first wait, and once when it is long.
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
            return Ok(Ready::Input);
        }
        idle(Idle::Flush)?;
        loop {
            let patience = (!self.told).then_some(PATIENCE);
            let interrupt = self.interrupts.map(Interrupts::fd);
            let ready = poll_input(fd, interrupt, patience).map_err(|error| {
                Error::outside(format!("cannot wait for {}", source.name()), error)
            })?;
            if let Some(signal) = self.stopped() {
                return Ok(Ready::Stop(signal));
            }
            if ready {
                return Ok(Ready::Input);
            }
            if patience.is_some() {
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
