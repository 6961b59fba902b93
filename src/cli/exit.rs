//! Exit codes: what a script learns of a run.
//!
//! ```text
//! 0 done   1 error   2 usage   3 gate   4 limit   5 expectation   129/130/143 signal
//! ```

use crate::error::{Error, ErrorKind};
use crate::runtime::Summary;

/// The exit codes and what they mean, for people.
pub(super) const MEANINGS: [(&str, &str); 6] = [
    ("0", "Done."),
    ("1", "An error in the query, the input or the output."),
    ("2", "Wrong usage."),
    (
        "3",
        "Done, but rows were left out and --strict is on, or more than --max-errors were bad.",
    ),
    ("5", "--expect was not met."),
    ("129, 130, 143", "Ended by a signal."),
];

/// What `--expect` demands of the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Expect {
    /// No row.
    None,
    /// At least one row.
    Rows,
}

/// The exit code for an error that ended the run.
pub fn of_error(error: &Error) -> u8 {
    match error.kind() {
        ErrorKind::Closed | ErrorKind::Stopped => 0,
        ErrorKind::Usage => 2,
        ErrorKind::Gate => 3,
        ErrorKind::Limit => 4,
        ErrorKind::Expectation => 5,
        ErrorKind::Syntax
        | ErrorKind::Plan
        | ErrorKind::Unsupported
        | ErrorKind::Data
        | ErrorKind::Outside
        | ErrorKind::Internal => 1,
    }
}

/// Whether a run that came to its end did what was demanded: under `strict` nothing was left out, and the
/// result is as `expect` says.
///
/// # Errors
/// Of the kind `Gate` or `Expectation`.
pub fn check_run(summary: &Summary, strict: bool, expect: Option<Expect>) -> Result<(), Error> {
    if strict && summary.bad() > 0 {
        let message = "the result is not of all rows, and --strict is on";
        return Err(Error::new(ErrorKind::Gate, message));
    }
    match expect {
        Some(Expect::Rows) if summary.rows_out == 0 => Err(Error::new(
            ErrorKind::Expectation,
            "the result has no rows, and --expect rows is on",
        )),
        Some(Expect::None) if summary.rows_out > 0 => Err(Error::new(
            ErrorKind::Expectation,
            "the result has rows, and --expect none is on",
        )),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_judged() {
        for (late, rows_out, strict, expect, code) in [
            (0, 0, false, None, 0),
            (1, 5, false, None, 0),
            (1, 5, true, None, 3),
            (0, 5, true, None, 0),
            (0, 0, false, Some(Expect::Rows), 5),
            (0, 1, false, Some(Expect::Rows), 0),
            (0, 1, false, Some(Expect::None), 5),
            (0, 0, false, Some(Expect::None), 0),
            (1, 0, true, Some(Expect::Rows), 3),
        ] {
            let summary = Summary {
                late,
                rows_out,
                ..Summary::default()
            };
            let outcome = check_run(&summary, strict, expect);
            assert_eq!(outcome.map_or_else(|error| of_error(&error), |()| 0), code);
        }
    }
}
