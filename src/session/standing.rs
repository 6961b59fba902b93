//! How a run stands, in words: what it waits for, and what it has done so far.
//!
//! ```text
//! waiting: 1,204 rows read, newest 2026-01-01 12:00:46; the window that ends 2026-01-01 12:01:00 closes with the first
//!          row at or after 2026-01-01 12:01:05 (delay 5s), at the end of input, or by --idle-timeout
//! ```

use super::side_files::SideFiles;
use crate::data::print::number::thousands;
use crate::runtime::{NextWindow, Status, Waiting};

/// What a run waits for in which nothing has come in or out for a while.
pub(super) fn waiting_text(state: &Waiting, side_files: &SideFiles) -> String {
    let read = thousands(state.rows_read);
    if state.rows_read == 0 {
        return String::from("waiting for input: nothing has come yet");
    }
    match &state.next {
        Some(next) => format!("waiting: {read} rows read, {}", next_text(next, side_files)),
        None if state.rows_out > 0 => format!("waiting: {read} rows read"),
        None if state.has_windows => format!(
            "waiting: {read} rows read, and no window has closed; a window closes with the first row \
             that is later than its end by the delay, at the end of input, or by --idle-timeout"
        ),
        None => String::from(
            "waiting for the end of input: a total prints only then; for output now add a window or --live",
        ),
    }
}

fn next_text(next: &NextWindow, side_files: &SideFiles) -> String {
    let time = |time: i64| side_files.time(next.source, time).replacen('T', " ", 1);
    let delay = side_files.length(next.source, next.delay);
    format!(
        "newest {}; the window that ends {} closes with the first row at or after {} (delay {delay}), \
         at the end of input, or by --idle-timeout",
        time(next.newest),
        time(next.end),
        time(next.end.saturating_add(next.delay)),
    )
}

/// How a run stands, in a line.
pub(super) fn status_text(status: &Status, side_files: &SideFiles) -> String {
    let summary = &status.summary;
    let left_out = [
        (summary.late, "late"),
        (summary.untimed, "untimed"),
        (summary.rejected, "rejected"),
    ];
    let left_out = left_out.into_iter().filter(|(count, _)| *count > 0);
    let left_out: Vec<String> = left_out
        .map(|(count, what)| format!("{} {what}", thousands(count)))
        .collect();
    let left_out = match left_out.as_slice() {
        [] => String::new(),
        some => format!(" ({})", some.join(", ")),
    };
    let mut text = format!(
        "rows read: {}{left_out}, rows out: {}, open windows or totals: {}, state: {} KiB",
        thousands(summary.rows_read),
        thousands(summary.rows_out),
        thousands(status.open_windows as u64),
        thousands(status.state_bytes.div_ceil(1 << 10) as u64),
    );
    for (source, watermark) in status.watermarks.iter().enumerate() {
        // The end of a source is no time.
        if !matches!(*watermark, i64::MIN | i64::MAX) {
            text += &format!(", watermark: {}", side_files.time(source, *watermark));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::{DataType, TimeUnit};

    use super::*;

    const SECOND: i64 = 1_000;

    #[test]
    fn what_a_window_waits_for_is_told() {
        let times = DataType::Timestamp(TimeUnit::Millisecond, None);
        let side_files = SideFiles::of_times(vec![Some(times)]);
        let text = |state: &Waiting| waiting_text(state, &side_files);
        let mut state = Waiting {
            rows_read: 1_204,
            rows_out: 0,
            has_windows: true,
            next: Some(NextWindow {
                source: 0,
                newest: 46 * SECOND,
                end: 60 * SECOND,
                delay: 5 * SECOND,
            }),
        };
        assert_eq!(
            text(&state),
            "waiting: 1,204 rows read, newest 1970-01-01 00:00:46; the window that ends 1970-01-01 00:01:00 closes \
             with the first row at or after 1970-01-01 00:01:05 (delay 5s), at the end of input, or by --idle-timeout"
        );
        state.next = None;
        assert!(text(&state).contains("later than its end by the delay"));
        state.has_windows = false;
        assert!(text(&state).starts_with("waiting for the end of input: a total"));
        state.rows_read = 0;
        assert_eq!(text(&state), "waiting for input: nothing has come yet");
    }
}
