//! Where inputs come from that come and go: asked when there may be one, and waited for together with those there.
//!
//! Invariants: the connector is told the time, and is asked again at the latest when it said; whoever waits comes
//! back when the first of the inputs that are there has been quiet for too long; what all inputs of a table have begun
//! is bounded.

use std::os::fd::BorrowedFd;
use std::time::Duration;

use super::reader::Opened;
use super::wait::{Awaited, Idle};
use crate::connect::{Arrival, Arrivals, Compression, Ending, decompressed};
use crate::error::Result;
use crate::time;

/// How often to ask for inputs, and to look at all of them, while one always has something.
const ASK_EVERY: Duration = Duration::from_millis(100);

/// How many of the longest records may have been begun and not ended by all inputs of a table together.
const MOST_BEGUN: usize = 16;

/// How many bytes may have been begun of records that may be so long.
pub(super) fn most_begun_bytes(max_record_bytes: usize) -> usize {
    max_record_bytes.saturating_mul(MOST_BEGUN)
}

/// Why the input that has begun the longest record is given up when there are more bytes than those.
pub(super) fn too_much_begun(most_bytes: usize) -> String {
    let most = match most_bytes >> 20 {
        0 => format!("{most_bytes} bytes"),
        most => format!("{most} MiB"),
    };
    format!(
        "records that had not ended were longer than {most} together ({MOST_BEGUN} times --max-record), and it was the longest"
    )
}

/// Where inputs come from, and what it last said.
pub(super) struct Arrived {
    pub(super) arrivals: Box<dyn Arrivals>,
    /// How the bytes of inputs are compressed.
    compression: Compression,
    /// No more will come.
    pub(super) is_over: bool,
    /// There may be one.
    pub(super) to_ask: bool,
    /// When to ask again at the latest.
    until: Option<Duration>,
    /// When the first of the inputs that are there has been quiet for too long.
    pub(super) quiet_until: Option<Duration>,
    /// When it was asked last.
    asked: Duration,
}

impl Arrived {
    /// What `arrivals` gives.
    pub(super) fn new(arrivals: Box<dyn Arrivals>, compression: Compression) -> Self {
        Arrived {
            arrivals,
            compression,
            is_over: false,
            to_ask: true,
            until: None,
            quiet_until: None,
            asked: Duration::ZERO,
        }
    }

    /// The next input that is there.
    pub(super) fn next(&mut self) -> Result<Option<Opened>> {
        if self.is_over || !self.to_ask {
            return Ok(None);
        }
        self.asked = time::elapsed();
        match self.arrivals.ask(self.asked)? {
            Arrival::Input(source) => Ok(Some(Opened {
                source: match source.gives_messages() {
                    true => source,
                    false => decompressed(source, self.compression),
                },
                bytes: Vec::new(),
                at_end: false,
            })),
            Arrival::Later(until) => {
                (self.to_ask, self.until) = (false, until);
                Ok(None)
            }
            Arrival::End => {
                (self.is_over, self.until) = (true, None);
                Ok(None)
            }
        }
    }

    pub(super) fn closed(&mut self, name: &str, ending: &Ending) {
        self.arrivals.closed(name, ending, time::elapsed());
        self.to_ask = true;
    }

    /// Asks again although there is much to be read: what has come may be gone when that is done. True if it is
    /// time to look at all inputs, too.
    pub(super) fn hurry(&mut self) -> bool {
        let now = time::elapsed();
        let is_due = now.saturating_sub(self.asked) >= ASK_EVERY;
        if is_due {
            (self.asked, self.to_ask) = (now, true);
        }
        is_due
    }

    /// What to wait for before asking: a file, and a time.
    pub(super) fn await_too<'a>(&'a self, all: &mut Awaited<'a>) {
        if !self.is_over {
            all.arrivals.extend(self.arrivals.wait_for());
        }
        let untils = all.until.into_iter().chain(self.until);
        all.until = untils.chain(self.quiet_until).min();
    }

    /// That, and `inputs`.
    pub(super) fn awaited<'a>(&'a self, inputs: Vec<BorrowedFd<'a>>) -> Awaited<'a> {
        let mut awaited = Awaited {
            inputs,
            ..Awaited::default()
        };
        self.await_too(&mut awaited);
        awaited
    }

    /// Hands on what the connector has to say.
    pub(super) fn tell(&mut self, idle: &mut dyn FnMut(Idle) -> Result<()>) -> Result<()> {
        while let Some(notice) = self.arrivals.notice() {
            idle(Idle::Said(notice))?;
        }
        Ok(())
    }
}
