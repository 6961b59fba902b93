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

use super::backoff::{Attempts, MOST_ATTEMPTS};
use super::connection::ConnectionSource;
use super::target::Target;
use super::{Address, GOOD, Reconnect, SocketOptions};
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
    attempts: Attempts,
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
            attempts: Attempts::new(options.reconnect),
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
        self.attempts.made();
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
        if self.pauses(reason, now) {
            return Ok(());
        }
        let error = Error::outside(format!("cannot connect to `{}`", self.name), reason);
        Err(match self.attempts.was_there() {
            false => error.help(
                "to wait until somebody is there: CREATE TABLE … WITH (address = '…', reconnect = 'always')",
            ),
            true => error.note(format!("it broke, and {MOST_ATTEMPTS} attempts to connect again failed")),
        })
    }

    /// Waits for the next attempt; false if there is to be none.
    fn pauses(&mut self, reason: &str, now: Duration) -> bool {
        let Some(pause) = self.attempts.failed() else {
            return false;
        };
        self.state = State::Due(now + pause);
        if self.attempts.is_first_failure() {
            let text = format!("{}: {reason}; connecting again", self.name);
            self.notice = Some(Notice::warning(text));
        }
        true
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
            self.attempts.begin_anew();
        }
        let reason = match (ending, self.reconnect) {
            (Ending::Whole, Reconnect::Always) => "the connection ended",
            (Ending::Whole, _) => {
                self.state = State::Over;
                return;
            }
            (Ending::Broken(reason), _) => reason,
        };
        if !self.pauses(reason, now) {
            self.state = State::Failed(reason.to_owned());
        }
    }

    fn notice(&mut self) -> Option<Notice> {
        self.notice.take()
    }
}
