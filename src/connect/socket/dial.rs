//! A connection that we make, and make again when it breaks.
//!
//! ```text
//!   Due ─► Connecting ─► Open ── ended in order ─► Over        (or Due, with reconnect = 'always')
//!    ▲         │ failed    │ broke
//!    └─ pause ─┴───────────┘   100 ms, 200 ms, … 30 s, each with jitter; ten times in a row, then an error
//! ```

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use rustix::event::PollFlags;
use socket2::{Socket, Type};

use super::backoff;
use super::connection::ConnectionSource;
use super::target::Target;
use super::{Address, GOOD, MOST_FAILURES, Reconnect, SocketOptions};
use crate::connect::waits::happens;
use crate::connect::{Arrival, Arrivals, Ending, Notice, Reason};
use crate::error::{Error, Result};

/// Connections to one address, one after the other.
pub(super) struct Dial {
    name: String,
    targets: Vec<Target>,
    /// The one that is tried next.
    target: usize,
    reconnect: Reconnect,
    timeout: Duration,
    read_timeout: Option<Duration>,
    state: State,
    /// Failures in a row.
    failures: u32,
    /// How many connections were made.
    made: u64,
    opened_at: Duration,
    notice: Option<Notice>,
}

enum State {
    /// To be made, not before this time.
    Due(Duration),
    /// Being made, until this time at the latest.
    Connecting(Socket, Duration),
    Open,
    Over,
    /// It broke, for this reason, and that is the end.
    Failed(String),
}

impl Dial {
    pub(super) fn new(address: &Address, options: &SocketOptions) -> Result<Self> {
        Ok(Dial {
            name: address.to_string(),
            targets: Target::of(address)?,
            target: 0,
            reconnect: options.reconnect,
            timeout: options.connect_timeout,
            read_timeout: options.read_timeout,
            state: State::Due(Duration::ZERO),
            failures: 0,
            made: 0,
            opened_at: Duration::ZERO,
            notice: None,
        })
    }

    fn begin(&self) -> Option<io::Result<(Socket, bool)>> {
        let target = self.targets.get(self.target)?;
        Some(target.begin(Type::STREAM))
    }

    fn opened(&mut self, socket: Socket, now: Duration) -> Arrival {
        self.state = State::Open;
        self.made += 1;
        self.target = 0;
        self.opened_at = now;
        let source = ConnectionSource::new(self.name.clone(), socket.into(), self.read_timeout);
        Arrival::Input(Box::new(match self.reconnect {
            Reconnect::Always => source.whose_end_is_a_break(),
            _ => source,
        }))
    }

    /// A connection could not be made.
    fn failed(&mut self, reason: &str, now: Duration) -> Result<()> {
        self.target += 1;
        if self.target < self.targets.len() {
            self.state = State::Due(now);
            return Ok(());
        }
        self.target = 0;
        let is_patient = match self.reconnect {
            Reconnect::Always => true,
            Reconnect::Broken => self.made > 0 && self.failures + 1 < MOST_FAILURES,
            Reconnect::Never => false,
        };
        if !is_patient {
            let error = Error::outside(format!("cannot connect to `{}`", self.name), reason);
            return Err(match self.made {
                0 => error.help(
                    "to wait until somebody is there: CREATE TABLE … WITH (address = '…', reconnect = 'always')",
                ),
                _ => error.note(format!("it broke, and {MOST_FAILURES} attempts to connect again failed")),
            });
        }
        self.pause(reason, now);
        Ok(())
    }

    fn pause(&mut self, reason: &str, now: Duration) {
        self.failures = self.failures.saturating_add(1);
        self.state = State::Due(now + backoff::pause(self.failures));
        if self.failures == 1 {
            let text = format!("{}: {reason}; connecting again", self.name);
            self.notice = Some(Notice::warning(text));
        }
    }
}

impl Arrivals for Dial {
    fn name(&self) -> &str {
        &self.name
    }

    fn ask(&mut self, now: Duration) -> Result<Arrival> {
        loop {
            match std::mem::replace(&mut self.state, State::Over) {
                State::Due(at) if at > now => {
                    self.state = State::Due(at);
                    return Ok(Arrival::Later(Some(at)));
                }
                State::Due(_) => match self.begin() {
                    Some(Ok((socket, true))) => return Ok(self.opened(socket, now)),
                    Some(Ok((socket, false))) => {
                        self.state = State::Connecting(socket, now + self.timeout);
                    }
                    Some(Err(error)) => self.failed(&Reason(&error).to_string(), now)?,
                    None => self.failed("the host has no address", now)?,
                },
                State::Connecting(socket, until) => {
                    if happens(&socket, PollFlags::OUT, Duration::ZERO) {
                        match socket.take_error() {
                            Ok(None) => return Ok(self.opened(socket, now)),
                            Ok(Some(error)) | Err(error) => {
                                self.failed(&Reason(&error).to_string(), now)?;
                            }
                        }
                    } else if now >= until {
                        let reason = format!("nobody answers within {:?}", self.timeout);
                        self.failed(&reason, now)?;
                    } else {
                        self.state = State::Connecting(socket, until);
                        return Ok(Arrival::Later(Some(until)));
                    }
                }
                State::Open => {
                    self.state = State::Open;
                    return Ok(Arrival::Later(None));
                }
                State::Over => return Ok(Arrival::End),
                State::Failed(reason) => {
                    let what = format!("the connection to `{}` broke", self.name);
                    return Err(Error::outside(what, reason));
                }
            }
        }
    }

    fn wait_for(&self) -> Option<BorrowedFd<'_>> {
        match &self.state {
            State::Connecting(socket, _) => Some(socket.as_fd()),
            _ => None,
        }
    }

    fn closed(&mut self, _name: &str, ending: &Ending, now: Duration) {
        if now.saturating_sub(self.opened_at) > GOOD {
            self.failures = 0;
        }
        match (ending, self.reconnect) {
            (Ending::Whole, Reconnect::Always) => self.pause("the connection ended", now),
            (Ending::Whole, _) => self.state = State::Over,
            (Ending::Broken(reason), Reconnect::Never) => {
                self.state = State::Failed(reason.clone())
            }
            (Ending::Broken(reason), Reconnect::Broken) if self.failures >= MOST_FAILURES => {
                self.state = State::Failed(reason.clone());
            }
            (Ending::Broken(reason), _) => self.pause(reason, now),
        }
    }

    fn notice(&mut self) -> Option<Notice> {
        self.notice.take()
    }
}
