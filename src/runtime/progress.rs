//! How a run goes, for somebody who watches it: when to tell, and what.
//!
//! ```text
//!   step ─ step ─ step ─ (waits) ──────── step       rows have come: told at most 20 times a second
//!           │              │      │        │         nothing comes: once a second
//!           told           told   told     told
//! ```
//!
//! Invariant: nothing that comes out depends on it; where nobody watches it costs a comparison for each step.

use std::time::Duration;

use super::sink::Status;
use super::wait::PATIENCE;
use crate::time;

/// Between two tellings while rows come, at least.
const SHORTEST: Duration = Duration::from_millis(50);
/// And while nothing comes.
const LONGEST: Duration = Duration::from_secs(1);
/// Telling may cost so small a part of the time: what takes long is told less often.
const SHARE: u32 = 10;

/// For how long nothing has come out.
pub(super) struct Silence {
    since: Duration,
    rows_out: u64,
    is_told: bool,
}

impl Silence {
    /// That of a run which begins now.
    pub(super) fn new() -> Self {
        Silence {
            since: time::elapsed(),
            rows_out: 0,
            is_told: false,
        }
    }

    /// True, once, if it is time to say what is waited for.
    pub(super) fn is_long(&mut self, rows_out: u64) -> bool {
        if self.is_told {
            return false;
        }
        let now = time::elapsed();
        if self.rows_out != rows_out {
            (self.since, self.rows_out) = (now, rows_out);
        }
        self.is_told = now >= self.since + PATIENCE;
        self.is_told
    }

    /// After how long it is.
    pub(super) fn alarm(&self) -> Option<Duration> {
        (!self.is_told).then(|| (self.since + PATIENCE).saturating_sub(time::elapsed()))
    }

    /// It has been said.
    pub(super) fn told(&mut self) {
        self.is_told = true;
    }
}

/// How a run goes.
#[derive(Debug, Clone)]
pub struct Progress {
    /// What was counted, and what is open.
    pub status: Status,
    /// Since when the run goes on.
    pub elapsed: Duration,
    /// The bytes that were read.
    pub read_bytes: u64,
    /// All that there are, if that is known.
    pub total_bytes: Option<u64>,
}

/// When to tell.
pub(super) struct Ticks {
    is_watched: bool,
    began: Duration,
    read_bytes_before: u64,
    pub(super) total_bytes: Option<u64>,
    /// Rows have come since it was told.
    has_news: bool,
    next: Duration,
}

impl Ticks {
    /// Those of a run that begins now.
    pub(super) fn new(is_watched: bool, total_bytes: Option<u64>) -> Self {
        let now = time::elapsed();
        Ticks {
            is_watched,
            began: now,
            read_bytes_before: crate::connect::read_bytes(),
            total_bytes,
            has_news: false,
            next: now + SHORTEST,
        }
    }

    /// Rows have come, or windows have closed.
    pub(super) fn news(&mut self) {
        self.has_news = true;
    }

    /// True if it is time to tell.
    pub(super) fn is_due(&self) -> bool {
        self.is_watched && time::elapsed() >= self.due()
    }

    /// After how long it is, if nothing comes.
    pub(super) fn alarm(&self) -> Option<Duration> {
        (self.is_watched).then(|| self.due().saturating_sub(time::elapsed()))
    }

    fn due(&self) -> Duration {
        match self.has_news {
            true => self.next,
            false => self.next + (LONGEST - SHORTEST),
        }
    }

    /// How the run goes.
    pub(super) fn progress(&self, status: Status) -> Progress {
        Progress {
            status,
            elapsed: time::elapsed().saturating_sub(self.began),
            read_bytes: crate::connect::read_bytes().saturating_sub(self.read_bytes_before),
            total_bytes: self.total_bytes,
        }
    }

    /// It was told, which began at `began`.
    pub(super) fn told(&mut self, began: Duration) {
        let now = time::elapsed();
        self.has_news = false;
        self.next = now + SHORTEST.max(now.saturating_sub(began) * SHARE);
    }
}
