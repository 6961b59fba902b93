//! Inputs that come and go before the run: the first whole record that any of them sends is the table's sample.
//!
//! ```text
//!   connection 1   {"n"                 goes on in the run
//!   connection 2   \xff\xff⏎            no record of the table: passed over, and a reject of the run
//!   connection 3   {"n":1}⏎{"n":2}⏎     ─► sample {"n":1}⏎
//!   datagrams      \xff │ {"n":3}        the first one is put aside: an input of its own in the run, and a reject
//! ```
//!
//! Invariants: what was read is not lost; nobody waits for one input while another has something; what is kept of
//! inputs that show nothing is bounded, however many come, and so is what they have begun.

use std::io::ErrorKind::InvalidData;

use super::arrived::{Arrived, MostBegun};
use super::reader::{Opened, Sample};
use super::wait::{Idle, Waiter, Woken};
use crate::connect::{
    Arrivals, ByteSource, Compression, Ending, LONGEST_MESSAGE_BYTES, Notice, Reason,
};
use crate::error::Result;
use crate::format::DEFAULT_MAX_RECORD_BYTES;
use crate::time;

/// How many inputs that have shown nothing are kept for the run, to be counted there.
const MOST_KEPT: usize = 100;

/// How much is kept of what an input had begun when there was no more room for it, to show what it was.
const KEPT_BYTES: usize = 1 << 10;

/// What comes and goes, before the run.
pub struct Live {
    pub(super) arrived: Arrived,
    /// Those that are there, with what was read for the sample.
    pub(super) open: Vec<Sampled>,
    /// What was read of all of them may be so long together.
    most_begun: MostBegun,
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
        write!(f, "Live({}, {})", self.arrived.name(), self.open.len())
    }
}

impl Live {
    /// What `arrivals` gives.
    pub fn new(arrivals: Box<dyn Arrivals>, compression: Compression) -> Self {
        Live {
            arrived: Arrived::new(arrivals, compression),
            open: Vec::new(),
            most_begun: MostBegun::of_records(DEFAULT_MAX_RECORD_BYTES),
        }
    }

    /// Records may be so long.
    pub fn expect_records(&mut self, max_record_bytes: usize) {
        self.most_begun = MostBegun::of_records(max_record_bytes);
    }

    /// Hands on what the connector has to say.
    ///
    /// # Errors
    /// Those of `idle`.
    pub fn tell(&mut self, idle: &mut dyn FnMut(Idle) -> Result<()>) -> Result<()> {
        self.arrived.tell(idle)
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
            while let Some(opened) = self.arrived.next()? {
                self.open.push(Sampled::new(opened));
            }
            self.arrived.tell(idle)?;
            let mut refused = None;
            let found = self.find(length_of, refusal, &mut refused);
            // Others decide how many they are; all are counted as rejects.
            if let Some(refused) = refused
                && !std::mem::replace(&mut is_told, true)
            {
                let text = format!("{refused}: waiting for others");
                idle(Idle::Said(Notice::warning(text)))?;
            }
            if let Some(sample) = found {
                return Ok(sample);
            }
            self.limit_begun();
            self.arrived.tell(idle)?;
            if self.limit_kept() && !std::mem::replace(&mut is_limit_told, true) {
                let name = self.arrived.name();
                let text = format!(
                    "{name}: more than {MOST_KEPT} inputs began with no record of the table: further ones are \
                     left out and count as no rejects"
                );
                idle(Idle::Said(Notice::warning(text)))?;
            }
            let is_reading = self.open.iter().any(Sampled::is_reading);
            if (self.arrived.is_over && !is_reading) || !self.read_more(waiter, idle)? {
                return Ok(Sample {
                    bytes: Vec::new(),
                    at_end: true,
                    source: self.arrived.name().to_owned(),
                });
            }
        }
    }

    /// The first sample that one of them shows; the first that `refusal` has something against goes to `refused`.
    fn find(
        &mut self,
        length_of: &dyn Fn(&[u8], bool) -> Option<usize>,
        refusal: &dyn Fn(&Sample) -> Option<String>,
        refused: &mut Option<String>,
    ) -> Option<Sample> {
        let (mut found, mut aside) = (None, Vec::new());
        'all: for one in &mut self.open {
            while let Some(sample) = one.sample(length_of) {
                let Some(reason) = refusal(&sample) else {
                    found = Some(sample);
                    break 'all;
                };
                refused.get_or_insert_with(|| format!("{}: {reason}", sample.source));
                match one.put_aside(sample.bytes.len()) {
                    Some(message) => aside.push(message),
                    None => one.is_passed = true,
                }
            }
        }
        self.open.extend(aside);
        found
    }

    /// Gives up the longest of what was begun while all of it is too long.
    fn limit_begun(&mut self) {
        let begun_bytes = self.open.iter().map(|one| one.opened.bytes.len());
        for place in self.most_begun.too_long(begun_bytes) {
            let longest = &mut self.open[place];
            let reason = self.most_begun.reason();
            longest.give_up(reason.clone());
            if !std::mem::replace(&mut longest.is_told, true) {
                let name = longest.opened.source.name();
                self.arrived.closed(name, &Ending::Broken(reason));
            }
        }
    }

    /// Ends those that are kept for the run alone and are too many; true if there were any.
    fn limit_kept(&mut self) -> bool {
        let (arrived, before) = (&mut self.arrived, self.open.len());
        let mut kept = 0;
        self.open.retain(|one| {
            kept += usize::from(!one.is_reading());
            let stays = one.is_reading() || kept <= MOST_KEPT;
            if !stays && !one.is_told {
                arrived.closed(one.opened.source.name(), &Ending::Whole);
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
        self.arrived.quiet_until = untils.min();
        let reading = (self.open.iter()).filter(|sampled| sampled.is_reading());
        let fds = reading.filter_map(|sampled| sampled.opened.source.wait_for());
        let woken = waiter.wait_any(&self.arrived.awaited(fds.collect()), idle)?;
        let (has_arrived, ready) = match woken {
            Woken::Stop(_) => return Ok(false),
            Woken::Ready(ready) => (ready.arrivals, ready.inputs),
            Woken::Time | Woken::Alarm => (true, Vec::new()),
        };
        self.arrived.to_ask |= has_arrived;
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
                self.arrived.closed(name, ending);
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
    fn new(opened: Opened) -> Self {
        Sampled {
            opened,
            ending: None,
            is_told: false,
            is_passed: false,
            is_damaged: false,
        }
    }

    /// The first messages, this many bytes, as an input of their own; `None` where bytes are no messages.
    fn put_aside(&mut self, length: usize) -> Option<Sampled> {
        if length == 0 || !self.opened.source.gives_messages() {
            return None;
        }
        // No message is cut.
        let end = memchr::memrchr(b'\n', &self.opened.bytes[..length]);
        let rest = self
            .opened
            .bytes
            .split_off(end.map_or(length, |end| end + 1));
        let opened = Opened {
            source: Box::new(Spent::of(self.opened.source.as_ref(), None)),
            bytes: std::mem::replace(&mut self.opened.bytes, rest),
            at_end: true,
        };
        Some(Sampled {
            ending: Some(Ending::Whole),
            is_told: true,
            is_passed: true,
            ..Sampled::new(opened)
        })
    }

    /// Ends it; its beginning is a reject of the run.
    fn give_up(&mut self, reason: String) {
        let opened = &mut self.opened;
        opened.bytes.truncate(KEPT_BYTES);
        opened.bytes.shrink_to_fit();
        opened.at_end = false;
        opened.source = Box::new(Spent::of(opened.source.as_ref(), Some(reason.clone())));
        self.ending = Some(Ending::Broken(reason));
    }

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

    /// Reads what is there: several messages of plain text, for each look at them costs as much as all that have come.
    fn read(&mut self) {
        let before = self.opened.bytes.len();
        loop {
            let length = self.opened.bytes.len();
            let may_go_on = self.read_once() && self.opened.source.gives_messages();
            // What a quote leaves open ends with its message, and no text is a look of its own.
            let is_plain =
                |byte: &u8| *byte != b'"' && matches!(byte, b'\t' | b'\n' | b'\r' | b' '..=b'~');
            let bytes = &self.opened.bytes;
            let is_full = bytes.len() - before >= LONGEST_MESSAGE_BYTES;
            if !may_go_on || is_full || !bytes[length..].iter().all(is_plain) {
                return;
            }
        }
    }

    /// Reads once; false if there is nothing more for now.
    fn read_once(&mut self) -> bool {
        match self.opened.read_some(LONGEST_MESSAGE_BYTES) {
            Ok(Some(0)) => self.ending = Some(Ending::Whole),
            Ok(Some(_)) => return true,
            Ok(None) => {}
            Err(error) => {
                self.is_damaged = error.kind() == InvalidData;
                self.ending = Some(Ending::Broken(Reason(&error).to_string()));
            }
        }
        false
    }
}

/// What is left of an input whose bytes are all here, or that was given up.
struct Spent {
    name: String,
    gives_messages: bool,
    /// Why it was given up.
    reason: Option<String>,
}

impl Spent {
    fn of(source: &dyn ByteSource, reason: Option<String>) -> Self {
        Spent {
            name: source.name().to_owned(),
            gives_messages: source.gives_messages(),
            reason,
        }
    }
}

impl ByteSource for Spent {
    fn name(&self) -> &str {
        &self.name
    }

    fn read(&mut self, _buffer: &mut [u8]) -> std::io::Result<usize> {
        match &self.reason {
            None => Ok(0),
            Some(reason) => Err(std::io::Error::other(reason.clone())),
        }
    }

    fn gives_messages(&self) -> bool {
        self.gives_messages
    }
}
