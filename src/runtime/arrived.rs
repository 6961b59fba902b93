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

/// How many bytes of records that have not ended all inputs of a table may have begun together.
pub(super) struct MostBegun(usize);

impl MostBegun {
    /// Where a record may be so long.
    pub(super) fn of_records(max_record_bytes: usize) -> Self {
        MostBegun(max_record_bytes.saturating_mul(MOST_BEGUN))
    }

    /// True if so many bytes are too many.
    pub(super) fn is_less_than(&self, begun_bytes: usize) -> bool {
        self.0 < begun_bytes
    }

    /// Of inputs that have begun so much each, those to give up: the longest, until the others may go on.
    pub(super) fn too_long(&self, begun_bytes: impl Iterator<Item = usize>) -> Vec<usize> {
        let begun = begun_bytes.enumerate().map(|(place, bytes)| (bytes, place));
        let mut begun: Vec<(usize, usize)> = begun.collect();
        let mut all_bytes = begun.iter().map(|(bytes, _)| bytes).sum();
        if !self.is_less_than(all_bytes) {
            return Vec::new();
        }
        begun.sort_unstable();
        let mut given_up = Vec::new();
        while let (true, Some((bytes, place))) = (self.is_less_than(all_bytes), begun.pop()) {
            all_bytes -= bytes;
            given_up.push(place);
        }
        given_up
    }

    /// Why they are given up.
    pub(super) fn reason(&self) -> String {
        let most = match self.0 >> 20 {
            0 => format!("{} bytes", self.0),
            most => format!("{most} MiB"),
        };
        format!(
            "records that had not ended were longer than {most} together ({MOST_BEGUN} times --max-record), and it was the longest"
        )
    }
}

/// Where inputs come from, and what it last said.
pub(super) struct Arrived {
    arrivals: Box<dyn Arrivals>,
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

    /// What messages call it.
    pub(super) fn name(&self) -> &str {
        self.arrivals.name()
    }

    /// The next input that is there.
    pub(super) fn next(&mut self) -> Result<Option<Opened>> {
        if self.is_over || !self.to_ask {
            return Ok(None);
        }
        self.asked = time::elapsed();
        match self.arrivals.ask(self.asked)? {
            Arrival::Input(source) => Ok(Some(Opened::new(match source.gives_messages() {
                true => source,
                false => decompressed(source, self.compression),
            }))),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_are_given_up_until_the_others_may_go_on() {
        let most = MostBegun::of_records(10);
        let too_long = |begun: &[usize]| most.too_long(begun.iter().copied());
        assert!(too_long(&[]).is_empty());
        assert!(too_long(&[100, 60]).is_empty());
        assert_eq!(too_long(&[100, 61]), [0]);
        assert_eq!(too_long(&[61, 0, 100]), [2]);
        assert_eq!(too_long(&[1, 200, 90, 161, 80]), [1, 3, 2]);
        assert_eq!(too_long(&[161]), [0]);
    }
}
