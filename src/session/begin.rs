//! Where following begins, as `--from` says it.
//!
//! ```text
//!   start · end             with the first byte, behind the last one
//!   1h · 2d · 1h30m         so long ago: a length of time as everywhere else, back from when the session began
//!   2026-01-01 12:00        a time of --tz, or of the zone that it names: 2026-01-01T12:00:00Z
//! ```

use crate::connect::Begin;
use crate::error::{Error, Result};
use crate::time::{TimeFormat, TimeReader, Unit, Zone, parse_interval, read_iso};

/// The place that `text` names, if it is `now_seconds` since 1970. Messages call the setting `shown`.
///
/// # Errors
/// It names none, with how one is written.
pub(super) fn begin(shown: &str, text: &str, zone: Zone, now_seconds: i64) -> Result<Begin> {
    let text = text.trim();
    for (name, begin) in [("start", Begin::Start), ("end", Begin::End)] {
        if text.eq_ignore_ascii_case(name) {
            return Ok(begin);
        }
    }
    if read_iso(text.as_bytes()).is_some() {
        let reader = TimeReader::new(&TimeFormat::Auto, Unit::Microsecond, zone, true)?;
        let time = reader.read(text.as_bytes());
        let time = time.ok_or_else(|| {
            Error::usage(format!("{shown}: `{text}` is out of range"))
                .help("write a time of the years 1 to 9999; start is the first byte there is")
        });
        return Ok(Begin::Since(time?));
    }
    let refused = || {
        Error::usage(format!("`{text}` is no value of {shown}"))
            .note("values: start, end, a time, or how long ago")
    };
    if let Some(length) = length_in(text) {
        let how = "a length of time is taken back from now";
        return Err(refused().help(format!("write {length}: {how}")));
    }
    let microseconds = parse_interval(text)
        .ok()
        .and_then(|length| i64::try_from(length.fixed_nanoseconds()? / 1_000).ok())
        .filter(|back| *back >= 0);
    match microseconds {
        Some(back) => {
            let now = now_seconds.saturating_mul(1_000_000);
            Ok(Begin::Since(now.saturating_sub(back)))
        }
        None => Err(refused().help("write 1h, 2d, '2026-01-01 12:00' or 2026-01-01T12:00:00Z")),
    }
}

/// The length of time within what `journalctl --since` takes: `-1h`, `1 hour ago`.
fn length_in(text: &str) -> Option<&str> {
    let length = match text.strip_prefix('-') {
        Some(length) => length,
        None => text.strip_suffix(" ago")?,
    };
    let length = length.trim();
    parse_interval(length).is_ok().then_some(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_SECONDS: i64 = 1_767_268_800;

    fn since(text: &str, zone: Zone) -> Option<i64> {
        match begin("--from", text, zone, NOW_SECONDS) {
            Ok(Begin::Since(time)) => Some(time / 1_000_000 - NOW_SECONDS),
            _ => None,
        }
    }

    #[test]
    fn times_and_lengths_of_time() {
        let berlin: Zone = "Europe/Berlin".parse().unwrap();
        for (text, zone, from_now_seconds) in [
            ("2026-01-01 12:00", Zone::UTC, 0),
            ("2026-01-01 12:00", berlin, -3_600),
            ("2026-01-01T12:00:00Z", berlin, 0),
            ("2026-01-01T12:00:00+02:00", Zone::UTC, -7_200),
            ("2026-01-01", Zone::UTC, -43_200),
            ("1h", berlin, -3_600),
            ("1h30m", Zone::UTC, -5_400),
            ("2 days", Zone::UTC, -172_800),
        ] {
            assert_eq!(since(text, zone), Some(from_now_seconds), "{text}");
        }
    }

    #[test]
    fn other_spellings_are_refused_with_ours() {
        let refused = |text: &str| {
            let error = begin("--from", text, Zone::UTC, NOW_SECONDS).unwrap_err();
            error.helps().join("\n")
        };
        assert!(refused("-1h").contains("write 1h:"));
        assert!(refused("5 minutes ago").contains("write 5 minutes:"));
        for text in ["middle", "yesterday", "1mo", "12:00", "3600", "", "-v"] {
            assert!(refused(text).contains("write 1h, 2d"), "{text}");
        }
    }
}
