//! How a run goes, in a line: what was read and how fast, how far event time has come, what is open or left out.
//!
//! ```text
//! 12.4M rows · 1.2M rows/s · ▕████▌     ▏ 45% 0:12 left · watermark 2026-01-01 12:05:00, 3.2s behind · 3 open · 45.0 MB/s
//! 12.4M rows · 1.2M rows/s · 3 open          in 40 columns
//! ```
//!
//! Invariant: a fact that finds no room is left out whole, and shorter ones behind it may stand: what is late is worth
//! more to whoever looks than the room that a watermark would need.

use std::time::Duration;

use unicode_width::UnicodeWidthStr;

use crate::data::print::number::thousands;
use crate::session::RunProgress;

/// What is further behind the clock is history, and how far does not matter.
const RECENT: Duration = Duration::from_secs(24 * 3600);
const BAR_COLUMNS: usize = 10;
const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/// The line, in at most so many columns.
pub(super) fn text(shown: &RunProgress, columns: usize) -> String {
    let mut line = String::new();
    for fact in facts(shown) {
        let between = if line.is_empty() { "" } else { " · " };
        if line.width() + between.width() + fact.width() > columns {
            continue;
        }
        line.push_str(between);
        line.push_str(&fact);
    }
    line
}

/// What is told of a run that has ended.
pub(super) fn closing(rows: u64, elapsed: Duration) -> String {
    let seconds = elapsed.as_secs_f64().max(0.001);
    let what = if rows == 1 { "row" } else { "rows" };
    let rows_per_second = rate(rows as f64 / seconds);
    format!(
        "{} {what} in {seconds:.3}s · {rows_per_second} rows/s",
        thousands(rows)
    )
}

/// What is most wanted first.
fn facts(shown: &RunProgress) -> Vec<String> {
    let progress = &shown.progress;
    let summary = &progress.status.summary;
    let seconds = progress.elapsed.as_secs_f64().max(0.001);
    let rows = summary.rows_read.saturating_sub(summary.rows_before);
    let mut facts = vec![
        format!(
            "{} {}",
            short(rows as f64),
            if rows == 1 { "row" } else { "rows" }
        ),
        format!("{} rows/s", rate(rows as f64 / seconds)),
    ];
    let part = progress.total_bytes.filter(|total| *total > 0);
    if let Some(total) = part {
        facts.push(bar(progress.read_bytes as f64 / total as f64, seconds));
    }
    if let Some(watermark) = &shown.watermark {
        let behind = shown.behind.filter(|behind| *behind < RECENT);
        let behind = behind.map_or_else(String::new, |behind| format!(", {} behind", time(behind)));
        facts.push(format!("watermark {}{behind}", watermark.replace('T', " ")));
    }
    let counts = [
        (progress.status.open_windows as u64, "open"),
        (summary.late, "late"),
        (summary.untimed, "untimed"),
        (summary.rejected, "rejected"),
    ];
    let counts = counts.into_iter().filter(|(count, _)| *count > 0);
    facts.extend(counts.map(|(count, what)| format!("{} {what}", thousands(count))));
    facts.push(format!(
        "{}B/s",
        short_spaced(progress.read_bytes as f64 / seconds)
    ));
    facts
}

/// The part that is done, and how long the rest takes at the pace so far.
fn bar(part: f64, seconds: f64) -> String {
    let part = part.clamp(0.0, 1.0);
    let eighths = (part * (BAR_COLUMNS * 8) as f64) as usize;
    let mut bar = "█".repeat(eighths / 8);
    bar.push_str(EIGHTHS[eighths % 8]);
    let blanks = " ".repeat(BAR_COLUMNS - bar.width());
    let left = match part {
        0.0 => String::new(),
        part => {
            let left = (seconds / part - seconds).min(359_999.0) as u64;
            match left / 3600 {
                0 => format!(" {}:{:02} left", left / 60, left % 60),
                hours => format!(" {hours}:{:02}:{:02} left", left / 60 % 60, left % 60),
            }
        }
    };
    format!("▕{bar}{blanks}▏ {:.0}%{left}", part * 100.0)
}

/// A number in three digits: `950`, `1.2k`, `310k`, `12.4M`.
fn short(number: f64) -> String {
    short_spaced(number).replace(' ', "")
}

/// The same, but a low rate has a digit behind its point.
fn rate(number: f64) -> String {
    match number {
        0.05..9.95 => format!("{number:.1}"),
        _ => short(number),
    }
}

/// A number in three digits, with a blank in front of the letter that a unit follows.
fn short_spaced(number: f64) -> String {
    let powers = [(1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")];
    let power = powers
        .into_iter()
        .find(|(power, _)| number >= *power * 0.9995);
    let (value, letter) = power.map_or((number, ""), |(power, letter)| (number / power, letter));
    let digits = if letter.is_empty() || value >= 99.95 {
        0
    } else {
        1
    };
    format!("{value:.digits$} {letter}")
}

/// A length of time in its largest unit.
fn time(length: Duration) -> String {
    match length.as_secs() {
        0..=9 => format!("{:.1}s", length.as_secs_f64()),
        seconds @ 10..=119 => format!("{seconds}s"),
        seconds @ 120..=7199 => format!("{}m", seconds / 60),
        seconds => format!("{}h", seconds / 3600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::{Progress, Status, Summary};

    fn shown() -> RunProgress {
        RunProgress {
            progress: Progress {
                status: Status {
                    summary: Summary {
                        rows_read: 12_400_000,
                        late: 1_204,
                        ..Summary::default()
                    },
                    open_windows: 3,
                    state_bytes: 0,
                    watermarks: Vec::new(),
                },
                elapsed: Duration::from_secs(10),
                read_bytes: 450_000_000,
                total_bytes: Some(1_000_000_000),
            },
            watermark: Some(String::from("2026-01-01T12:05:00")),
            behind: Some(Duration::from_millis(3_200)),
            tree: None,
        }
    }

    #[test]
    fn a_line_says_how_a_run_goes() {
        assert_eq!(
            text(&shown(), usize::MAX),
            "12.4M rows · 1.2M rows/s · ▕████▌     ▏ 45% 0:12 left · watermark 2026-01-01 12:05:00, 3.2s behind · \
             3 open · 1,204 late · 45.0 MB/s"
        );
        assert_eq!(text(&shown(), 40), "12.4M rows · 1.2M rows/s · 3 open");
        let quiet = RunProgress {
            progress: Progress {
                total_bytes: None,
                read_bytes: 0,
                status: Status {
                    summary: Summary::default(),
                    open_windows: 0,
                    state_bytes: 0,
                    watermarks: Vec::new(),
                },
                ..shown().progress
            },
            watermark: None,
            behind: None,
            tree: None,
        };
        assert_eq!(text(&quiet, 80), "0 rows · 0 rows/s · 0 B/s");
        assert_eq!(
            closing(12_400, Duration::from_millis(80)),
            "12,400 rows in 0.080s · 155k rows/s"
        );
    }

    #[test]
    fn numbers_are_short() {
        let shorts = [
            0.0,
            950.4,
            999.6,
            1_240.0,
            99_960.0,
            310_400.0,
            12_400_000.0,
        ];
        assert_eq!(
            shorts.map(short),
            ["0", "950", "1.0k", "1.2k", "100k", "310k", "12.4M"]
        );
        assert_eq!(
            [0.0, 0.4, 9.94, 9.96, 1e4].map(rate),
            ["0", "0.4", "9.9", "10", "10.0k"]
        );
        assert_eq!(time(Duration::from_secs(300)), "5m");
    }
}
