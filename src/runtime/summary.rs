//! What a run left out, counted: the runtime fills it, the end of the run prints it.
//!
//! Invariants: plain counters; the parts of a run merge in any order but for the first reject, which is the
//! one of the part that comes first.

use std::collections::BTreeMap;

use crate::format::LeftOut;

/// Keys that are named: more are data.
const MOST_NEW_KEYS: usize = 5;

/// The first record that was rejected, or whose time could not be read, to be shown as an example.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirstReject {
    /// Where it came from: a path, or `stdin`.
    pub source: String,
    /// The line it begins on, from 1.
    pub line: u64,
    /// What is wrong with it.
    pub reason: String,
    /// What would take it.
    pub help: Option<String>,
}

/// What happened to the rows of a run besides being counted in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// Records that were read, good and bad.
    pub rows_read: u64,
    /// Rows that were left out because all their windows were closed.
    pub late: u64,
    /// How far the latest of them was behind the newest accepted time.
    pub late_worst_nanoseconds: i128,
    /// The least delay that keeps all of them.
    pub suggested_delay_nanoseconds: i128,
    /// Rows that count in some of their windows while others were closed.
    pub partly_late: u64,
    /// Records that are older than what is wanted: `--from TIME`.
    pub older: u64,
    /// Rows without a readable time that a query over event time left out.
    pub untimed: u64,
    /// Rows that stood in count windows which were not full at the end, and in no other.
    pub unfilled_rows: u64,
    /// These windows.
    pub unfilled_windows: u64,
    /// The first time that could not be read.
    pub first_untimed: Option<FirstReject>,
    /// How often a source went quiet for so long that its event time went on with the clock.
    pub pauses: u64,
    /// Records that could not be decoded.
    pub rejected: u64,
    /// The first of them.
    pub first_reject: Option<FirstReject>,
    /// Values that became NULL because an expression failed, by what failed.
    pub expression_errors: BTreeMap<String, u64>,
    /// Rows whose time was held back because it was too far ahead.
    pub jumps: u64,
    /// Records whose bytes were not UTF-8.
    pub mended: u64,
    /// Rows with keys that a guessed ROW does not name, by its column.
    pub left_out: BTreeMap<String, u64>,
    /// Rows with keys for which no column stands, and the first of these keys.
    pub new_keys: u64,
    pub first_new_keys: Vec<String>,
    /// Windows (or totals) that were open when a signal ended the run and were not printed.
    pub open_windows: u64,
    /// Rows that the query gave.
    pub rows_out: u64,
    /// Records of the statements before the one that runs.
    pub rows_before: u64,
    /// Records that the running statement has read, by source.
    pub records_of_sources: Vec<u64>,
}

impl Summary {
    /// A further statement begins: its sources are others.
    pub fn next_statement(&mut self) {
        self.rows_before = self.rows_read;
        self.records_of_sources.clear();
    }

    /// Counts `times` failures of an expression.
    pub fn expression_error(&mut self, what: &str, times: u64) {
        match self.expression_errors.get_mut(what) {
            Some(count) => *count += times,
            None => {
                self.expression_errors.insert(what.to_owned(), times);
            }
        }
    }

    /// Counts a row that was left out, `lateness` behind the newest accepted time.
    /// One step of the time column is `unit_nanoseconds`.
    pub fn late_row(&mut self, lateness_nanoseconds: i128, unit_nanoseconds: i64) {
        self.late += 1;
        self.lateness(lateness_nanoseconds, unit_nanoseconds);
    }

    /// Counts a row that counts in some of its windows only.
    pub fn partly_late_row(&mut self, lateness_nanoseconds: i128, unit_nanoseconds: i64) {
        self.partly_late += 1;
        self.lateness(lateness_nanoseconds, unit_nanoseconds);
    }

    fn lateness(&mut self, nanoseconds: i128, unit_nanoseconds: i64) {
        const SECOND: i128 = 1_000_000_000;
        self.late_worst_nanoseconds = self.late_worst_nanoseconds.max(nanoseconds);
        let least = nanoseconds.saturating_add(i128::from(unit_nanoseconds));
        let seconds = least.div_euclid(SECOND) + i128::from(least.rem_euclid(SECOND) != 0);
        self.suggested_delay_nanoseconds = self.suggested_delay_nanoseconds.max(seconds * SECOND);
    }

    /// Adds what a later part of the run counted.
    pub fn merge(&mut self, later: Summary) {
        self.rows_read += later.rows_read;
        self.late += later.late;
        self.older += later.older;
        self.pauses += later.pauses;
        self.late_worst_nanoseconds = self
            .late_worst_nanoseconds
            .max(later.late_worst_nanoseconds);
        self.suggested_delay_nanoseconds = self
            .suggested_delay_nanoseconds
            .max(later.suggested_delay_nanoseconds);
        self.partly_late += later.partly_late;
        self.untimed += later.untimed;
        self.unfilled_rows += later.unfilled_rows;
        self.unfilled_windows += later.unfilled_windows;
        self.first_untimed = self.first_untimed.take().or(later.first_untimed);
        self.rejected += later.rejected;
        self.first_reject = self.first_reject.take().or(later.first_reject);
        for (what, times) in later.expression_errors {
            self.expression_error(&what, times);
        }
        self.jumps += later.jumps;
        self.mended += later.mended;
        for (column, count) in later.left_out {
            *self.left_out.entry(column).or_default() += count;
        }
        self.new_keys += later.new_keys;
        for key in later.first_new_keys {
            self.new_key(&key);
        }
        self.open_windows += later.open_windows;
        self.rows_out += later.rows_out;
    }

    /// A row came without some of its keys.
    pub fn keys_left_out(&mut self, what: &LeftOut) {
        match what {
            LeftOut::Inside(column) => {
                *self.left_out.entry(column.to_string()).or_default() += 1;
            }
            LeftOut::Key(key) => {
                self.new_keys += 1;
                self.new_key(key);
            }
        }
    }

    fn new_key(&mut self, key: &str) {
        let is_new = !self.first_new_keys.iter().any(|known| known == key);
        if is_new && self.first_new_keys.len() < MOST_NEW_KEYS {
            self.first_new_keys.push(key.to_owned());
        }
    }

    /// How many rows were left out or values lost: what `--max-errors` and `--strict` count.
    /// Partly late rows and mended texts were kept, held jumps count in their windows.
    pub fn bad(&self) -> u64 {
        self.late + self.untimed + self.rejected + self.failed_expressions()
    }

    /// How many values became NULL because an expression failed.
    pub fn failed_expressions(&self) -> u64 {
        self.expression_errors.values().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_delay_that_keeps_all_is_rounded_up_to_a_second() {
        const MS: i128 = 1_000_000;
        for (lateness_ms, expected_s) in [(45_200, 46), (999, 1), (1_000, 2), (0, 1)] {
            let mut summary = Summary::default();
            summary.late_row(lateness_ms * MS, 1_000_000);
            summary.late_row(0, 1_000_000);
            assert_eq!(summary.suggested_delay_nanoseconds, expected_s * 1_000 * MS);
        }
    }

    #[test]
    fn parts_merge() {
        let reject = |line| FirstReject {
            source: "a".into(),
            line,
            reason: "x".into(),
            help: None,
        };
        let mut first = Summary {
            rejected: 1,
            first_reject: Some(reject(1)),
            ..Summary::default()
        };
        first.expression_error("division by zero", 2);
        let mut second = Summary {
            rejected: 2,
            first_reject: Some(reject(9)),
            late: 4,
            ..Summary::default()
        };
        second.expression_error("division by zero", 3);
        first.merge(second);
        assert_eq!((first.rejected, first.late, first.bad()), (3, 4, 12));
        assert_eq!(first.first_reject, Some(reject(1)));
    }
}
