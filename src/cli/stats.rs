//! The counters of a run as JSON, for scripts: `--stats-json FILE`.
//!
//! ```text
//! {"exit_code":0,"expression_errors":{"10 / n":2},"first_reject":{"help":null,"line":5,"reason":"…","source":"a.csv"},
//!  "first_untimed":null,"jumps":0,"late":312,"late_worst_ms":45200,"mended":0,"open_windows":0,"partly_late":0,"pauses":0,"rejected":1,"rows_out":120,
//!  "rows_read":10000,"suggested_delay_ms":46000,"unfilled_rows":0,"untimed":0}
//! ```
//!
//! Invariants: whether the file can be written is tried before anything is read, so that a wrong path costs nothing,
//! and what is in it goes when the run has ended; then it holds one line, whether the run ended by an error or a
//! signal; a call that was wrong (exit code 2) leaves what is in it, which may be the input; what it says is what
//! the warnings on stderr say, and does not depend on the clock.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::connect::FileSink;
use crate::error::Result;
use crate::runtime::{FirstReject, Summary};

/// Where the counters go, if they were asked for.
#[derive(Debug)]
pub struct StatsFile(Option<PathBuf>);

impl StatsFile {
    /// The file at `path`, which is created if it is not there.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn open(path: Option<&Path>) -> Result<Self> {
        path.map_or(Ok(()), FileSink::check)?;
        Ok(StatsFile(path.map(PathBuf::from)))
    }

    /// Writes what was counted by a run that ends with `exit_code`.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(&self, summary: &Summary, exit_code: u8) -> Result<()> {
        const WRONG_CALL: u8 = 2;
        let Some(path) = self.0.as_ref().filter(|_| exit_code != WRONG_CALL) else {
            return Ok(());
        };
        let mut file = FileSink::create(path)?;
        file.line(&as_json(summary, exit_code).to_string())?;
        file.flush()
    }
}

fn as_json(summary: &Summary, exit_code: u8) -> Value {
    json!({
        "rows_read": summary.rows_read,
        "rows_out": summary.rows_out,
        "late": summary.late,
        "late_worst_ms": milliseconds(summary.late_worst_nanoseconds),
        "suggested_delay_ms": milliseconds(summary.suggested_delay_nanoseconds),
        "partly_late": summary.partly_late,
        "untimed": summary.untimed,
        "unfilled_rows": summary.unfilled_rows,
        "first_untimed": summary.first_untimed.as_ref().map(reject),
        "rejected": summary.rejected,
        "first_reject": summary.first_reject.as_ref().map(reject),
        "expression_errors": summary.expression_errors,
        "jumps": summary.jumps,
        "mended": summary.mended,
        "keys_left_out": summary.left_out,
        "rows_with_new_keys": summary.new_keys,
        "open_windows": summary.open_windows,
        "pauses": summary.pauses,
        "exit_code": exit_code,
    })
}

fn reject(first: &FirstReject) -> Value {
    json!({
        "source": first.source,
        "line": first.line,
        "reason": first.reason,
        "help": first.help,
    })
}

/// Rounded up: what is late by less than a millisecond is late.
fn milliseconds(nanoseconds: i128) -> i64 {
    const MILLISECOND: i128 = 1_000_000;
    let whole = nanoseconds.div_euclid(MILLISECOND);
    let part = i128::from(nanoseconds.rem_euclid(MILLISECOND) != 0);
    i64::try_from(whole + part).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lateness_is_rounded_up() {
        for (nanoseconds, expected_ms) in [(0, 0), (1, 1), (1_000_000, 1), (45_200_000_001, 45_201)]
        {
            assert_eq!(milliseconds(nanoseconds), expected_ms);
        }
    }

    #[test]
    fn every_counter_is_there_when_nothing_happened() {
        assert_eq!(
            as_json(&Summary::default(), 0),
            json!({
                "rows_read": 0, "rows_out": 0, "late": 0, "late_worst_ms": 0, "suggested_delay_ms": 0,
                "partly_late": 0, "untimed": 0, "first_untimed": null, "unfilled_rows": 0, "rejected": 0, "first_reject": null,
                "expression_errors": {}, "jumps": 0, "keys_left_out": {}, "rows_with_new_keys": 0, "mended": 0, "open_windows": 0,
                "pauses": 0, "exit_code": 0,
            })
        );
    }
}
