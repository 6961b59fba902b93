//! Inputs that come and go before the run: the first whole record that any of them sends is the table's sample.
//!
//! ```text
//!   connection 1   {"n"                 goes on in the run
//!   connection 2   \xff\xff⏎            no record of the table: passed over, and a reject of the run
//!   connection 3   {"n":1}⏎{"n":2}⏎     ─► sample {"n":1}⏎
//! ```
//!
//! Invariants: what was read is not lost; nobody waits for one input while another has something; what is kept of
//! inputs that show nothing is bounded, however many come.

use std::io::ErrorKind::{Interrupted, InvalidData, WouldBlock};

use super::arrived::Arrived;
use super::reader::{Opened, Sample};
use super::wait::{Idle, Waiter, Woken};
use crate::connect::{Arrivals, Compression, Ending, LONGEST_MESSAGE_BYTES, Notice, Reason};
use crate::error::Result;
use crate::time;

/// How many inputs that have shown nothing are kept for the run, to be counted there.
const MOST_KEPT: usize = 100;

/// What comes and goes, before the run.
pub struct Live {
    pub(super) arrivals: Arrived,
    /// Those that are there, with what was read for the sample.
    pub(super) open: Vec<Sampled>,
}

pub(super) struct Sampled {
    pub(super) opened: Opened,
    /// How it ended, if it has. Where it broke the run reads it again, is told the same, and counts what it
    /// broke within.
    ending: Option<Ending>,
    /// Whoever gave it has been told.
    pub(super) is_told: bool,
    /// What it sends is no sample of the table.
    is_passed: bool,
    /// Its bytes cannot be had for what they are: damage of their compression.
    is_damaged: bool,
}

impl std::fmt::Debug for Live {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Live({}, {})",
            self.arrivals.arrivals.name(),
            self.open.len()
        )
    }
}

impl Live {
    /// What `arrivals` gives.
    pub fn new(arrivals: Box<dyn Arrivals>, compression: Compression) -> Self {
        Live {
            arrivals: Arrived::new(arrivals, compression),
            open: Vec::new(),
        }
    }

    /// Hands on what the connector has to say.
    ///
    /// # Errors
    /// Those of `idle`.
    pub fn tell(&mut self, idle: &mut dyn FnMut(Idle) -> Result<()>) -> Result<()> {
        self.arrivals.tell(idle)
    }

    /// Waits for the first sample that an input gives whole, as `length_of` finds its length in the bytes
    /// at hand; of nothing if a signal comes first. What was read is not lost. One that `refusal` has something
    /// against is passed over.
    ///
    /// # Errors
    /// No input can come; those of `idle`.
    pub fn sample(
        &mut self,
        waiter: &mut Waiter<'_>,
        idle: &mut dyn FnMut(Idle) -> Result<()>,
        length_of: &dyn Fn(&[u8], bool) -> Option<usize>,
        refusal: &dyn Fn(&Sample) -> Option<String>,
    ) -> Result<Sample> {
        let (mut is_told, mut is_limit_told) = (false, false);
        loop {
            while let Some(opened) = self.arrivals.next()? {
                self.open.push(Sampled {
                    opened,
                    ending: None,
                    is_told: false,
                    is_passed: false,
                    is_damaged: false,
                });
            }
            self.arrivals.tell(idle)?;
            for one in &mut self.open {
                let Some(sample) = one.sample(length_of) else {
                    continue;
                };
                let Some(reason) = refusal(&sample) else {
                    return Ok(sample);
                };
                one.is_passed = true;
                // Others decide how many they are; all are counted as rejects.
                if !std::mem::replace(&mut is_told, true) {
                    let text = format!("{}: {reason}: waiting for others", sample.source);
                    idle(Idle::Said(Notice::warning(text)))?;
                }
            }
            if self.limit_kept() && !std::mem::replace(&mut is_limit_told, true) {
                let name = self.arrivals.arrivals.name();
                let text = format!(
                    "{name}: more than {MOST_KEPT} inputs began with no record of the table: further ones are \
                     ended and count as no rejects"
                );
                idle(Idle::Said(Notice::warning(text)))?;
            }
            let is_reading = self.open.iter().any(Sampled::is_reading);
            if (self.arrivals.is_over && !is_reading) || !self.read_more(waiter, idle)? {
                return Ok(Sample {
                    bytes: Vec::new(),
                    at_end: true,
                    source: self.arrivals.arrivals.name().to_owned(),
                });
            }
        }
    }

    /// Ends those that are kept for the run alone and are too many; true if there were any.
    fn limit_kept(&mut self) -> bool {
        let (arrivals, before) = (&mut self.arrivals, self.open.len());
        let mut kept = 0;
        self.open.retain(|one| {
            kept += usize::from(!one.is_reading());
            let stays = one.is_reading() || kept <= MOST_KEPT;
            if !stays && !one.is_told {
                arrivals.closed(one.opened.source.name(), &Ending::Whole);
            }
            stays
        });
        self.open.len() < before
    }

    /// Waits for inputs or their bytes, and reads what is there; false if a signal came.
    fn read_more(
        &mut self,
        waiter: &mut Waiter<'_>,
        idle: &mut dyn FnMut(Idle) -> Result<()>,
    ) -> Result<bool> {
        let now = time::elapsed();
        let reading = (self.open.iter_mut()).filter(|sampled| sampled.is_reading());
        let untils = reading.filter_map(|sampled| sampled.opened.source.quiet_until(now));
        self.arrivals.quiet_until = untils.min();
        let reading = (self.open.iter()).filter(|sampled| sampled.is_reading());
        let fds = reading.filter_map(|sampled| sampled.opened.source.wait_for());
        let woken = waiter.wait_any(&self.arrivals.awaited(fds.collect()), idle)?;
        let (arrived, ready) = match woken {
            Woken::Stop(_) => return Ok(false),
            Woken::Ready(ready) => (ready.arrivals, ready.inputs),
            Woken::Time | Woken::Alarm => (true, Vec::new()),
        };
        self.arrivals.to_ask |= arrived;
        let mut ready = ready.into_iter();
        for sampled in &mut self.open {
            if sampled.is_reading() {
                let always = sampled.opened.source.wait_for().is_none();
                if always || ready.next() == Some(true) {
                    sampled.read();
                }
            }
            if let (Some(ending), false) = (&sampled.ending, sampled.is_told) {
                sampled.is_told = true;
                let name = sampled.opened.source.name();
                self.arrivals.closed(name, ending);
            }
        }
        // What has ended and has only blanks shows nothing, and leaves nothing to be read.
        self.open.retain(|one| {
            let is_blank = one.opened.bytes.trim_ascii().is_empty();
            one.ending.is_none() || one.is_damaged || !is_blank
        });
        Ok(true)
    }
}

impl Sampled {
    /// True if more of it may come that shows what the table is.
    fn is_reading(&self) -> bool {
        self.ending.is_none() && !self.is_passed
    }

    /// The sample that its bytes are, if they are one.
    fn sample(&self, length_of: &dyn Fn(&[u8], bool) -> Option<usize>) -> Option<Sample> {
        let Opened {
            source,
            bytes,
            at_end,
        } = &self.opened;
        if self.is_passed || *at_end && bytes.trim_ascii().is_empty() {
            return None;
        }
        let length = length_of(bytes, *at_end)?.min(bytes.len());
        Some(Sample {
            bytes: bytes[..length].to_vec(),
            at_end: *at_end && length == bytes.len(),
            source: source.name().to_owned(),
        })
    }

    /// Reads what is there.
    fn read(&mut self) {
        let opened = &mut self.opened;
        let length = opened.bytes.len();
        opened.bytes.resize(length + LONGEST_MESSAGE_BYTES, 0);
        let read = opened.source.read(&mut opened.bytes[length..]);
        opened.bytes.truncate(length + *read.as_ref().unwrap_or(&0));
        match read {
            Ok(0) => {
                opened.at_end = true;
                self.ending = Some(Ending::Whole);
            }
            Ok(_) => {}
            Err(error) if matches!(error.kind(), Interrupted | WouldBlock) => {}
            Err(error) => {
                self.is_damaged = error.kind() == InvalidData;
                self.ending = Some(Ending::Broken(Reason(&error).to_string()));
            }
        }
    }
}
