//! Windows against what they must be: fixed cases, properties, and naive references made with chrono.

use std::collections::HashSet;

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime};
use proptest::prelude::*;

use super::*;

const SECOND: i128 = 1_000_000_000;
const MINUTE: i64 = 60_000;

/// `5s`, `-3s`, `90m`, `12h`, `1d`, `2w`, `3mo`; `0` for none.
fn interval(text: &str) -> Interval {
    if text == "0" {
        return Interval::default();
    }
    let letters = text.find(|c: char| c.is_alphabetic()).expect("a unit");
    let n: i64 = text[..letters].parse().expect("a number");
    let seconds = match &text[letters..] {
        "ms" => return Interval::from_nanoseconds(i128::from(n) * 1_000_000),
        "ns" => return Interval::from_nanoseconds(i128::from(n)),
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        "w" => {
            return Interval {
                weeks: n,
                ..Interval::default()
            };
        }
        "mo" => {
            return Interval {
                months: n,
                ..Interval::default()
            };
        }
        other => panic!("unit {other}"),
    };
    Interval::from_seconds(n * seconds)
}

/// `tumble SIZE [OFFSET]`, `hop SLIDE SIZE [OFFSET]`, `cumulate STEP SIZE [OFFSET]`.
fn spec(text: &str) -> WindowSpec {
    let words: Vec<&str> = text.split_whitespace().collect();
    let at = |index: usize| {
        words
            .get(index)
            .map_or(Interval::default(), |w| interval(w))
    };
    match words[0] {
        "tumble" => WindowSpec::Tumble {
            size: at(1),
            offset: at(2),
        },
        "hop" => WindowSpec::Hop {
            slide: at(1),
            size: at(2),
            offset: at(3),
        },
        "cumulate" => WindowSpec::Cumulate {
            step: at(1),
            size: at(2),
            offset: at(3),
        },
        other => panic!("window {other}"),
    }
}

fn assigner(text: &str, zone: Option<Zone>) -> WindowAssigner {
    WindowAssigner::new(&spec(text), Unit::Millisecond, zone).expect("windows")
}

fn windows(assigner: &WindowAssigner, time: i64) -> Vec<(i64, i64)> {
    let mut windows = Vec::new();
    assigner.windows_of(time, &mut windows);
    windows
}

fn millis(text: &str) -> i64 {
    let format = if text.len() > 16 {
        "%Y-%m-%dT%H:%M:%S%.f"
    } else {
        "%Y-%m-%dT%H:%M"
    };
    let time = NaiveDateTime::parse_from_str(text, format).expect("a time");
    time.and_utc().timestamp_millis()
}

fn text(time: i64) -> String {
    let time = DateTime::from_timestamp_millis(time).expect("a time");
    let text = time.naive_utc().format("%Y-%m-%dT%H:%M:%S%.f").to_string();
    text.strip_suffix(":00").unwrap_or(&text).to_string()
}

/// The windows of a time, as `start end` with commas between.
#[track_caller]
fn check(window: &str, zone: &str, time: &str, expected: &str) {
    let zone = (!zone.is_empty()).then(|| zone.parse().expect("a zone"));
    let assigner = assigner(window, zone);
    let actual: Vec<String> = windows(&assigner, millis(time))
        .iter()
        .map(|&(start, end)| format!("{} {}", text(start), text(end)))
        .collect();
    assert_eq!(actual.join(", "), expected, "{window} at {time}");
}

#[test]
fn windows_of_wall_clock_times() {
    let t = "2024-02-29T23:58:01.500";
    check("tumble 5s", "", t, "2024-02-29T23:58 2024-02-29T23:58:05");
    check(
        "tumble 5s -3s",
        "",
        t,
        "2024-02-29T23:57:57 2024-02-29T23:58:02",
    );
    check(
        "tumble 5s 1002s",
        "",
        t,
        "2024-02-29T23:57:57 2024-02-29T23:58:02",
    );
    check("tumble 7d", "", t, "2024-02-29T00:00 2024-03-07T00:00");
    check("tumble 1w", "", t, "2024-02-26T00:00 2024-03-04T00:00");
    check("tumble 1w 1d", "", t, "2024-02-27T00:00 2024-03-05T00:00");
    check("tumble 1mo", "", t, "2024-02-01T00:00 2024-03-01T00:00");
    check(
        "tumble 12mo 3mo",
        "",
        t,
        "2023-04-01T00:00 2024-04-01T00:00",
    );
    check("tumble 1mo 36h", "", t, "2024-02-02T12:00 2024-03-02T12:00");
    check("tumble 1mo -1d", "", t, "2024-02-29T00:00 2024-03-31T00:00");
    check(
        "tumble 3mo",
        "",
        "1969-12-31T23:59",
        "1969-10-01T00:00 1970-01-01T00:00",
    );
    check(
        "tumble 1m",
        "",
        "1969-12-31T23:59:30",
        "1969-12-31T23:59 1970-01-01T00:00",
    );
    check(
        "hop 2s 5s",
        "",
        t,
        "2024-02-29T23:57:58 2024-02-29T23:58:03, 2024-02-29T23:58 2024-02-29T23:58:05",
    );
    check(
        "hop 1mo 3mo",
        "",
        "2024-01-15T00:00",
        "2023-11-01T00:00 2024-02-01T00:00, 2023-12-01T00:00 2024-03-01T00:00, \
         2024-01-01T00:00 2024-04-01T00:00",
    );
    check(
        "hop 1d 1w",
        "",
        "2024-01-02T12:00",
        "2023-12-27T00:00 2024-01-03T00:00, 2023-12-28T00:00 2024-01-04T00:00, \
         2023-12-29T00:00 2024-01-05T00:00, 2023-12-30T00:00 2024-01-06T00:00, \
         2023-12-31T00:00 2024-01-07T00:00, 2024-01-01T00:00 2024-01-08T00:00, \
         2024-01-02T00:00 2024-01-09T00:00",
    );
    check(
        "cumulate 2s 5s",
        "",
        t,
        "2024-02-29T23:58 2024-02-29T23:58:02, 2024-02-29T23:58 2024-02-29T23:58:04, \
         2024-02-29T23:58 2024-02-29T23:58:05",
    );
    check(
        "cumulate 20d 1mo",
        "",
        t,
        "2024-02-01T00:00 2024-03-01T00:00",
    );
    check(
        "cumulate 1mo 3mo 1d",
        "",
        t,
        "2024-01-02T00:00 2024-03-02T00:00, 2024-01-02T00:00 2024-04-02T00:00",
    );
}

#[test]
fn windows_where_clocks_are_moved() {
    let berlin = "Europe/Berlin";
    let day = "2024-03-31T10:00";
    check(
        "tumble 1d",
        berlin,
        day,
        "2024-03-30T23:00 2024-03-31T22:00",
    );
    let day = "2024-10-27T10:00";
    check(
        "tumble 1d",
        berlin,
        day,
        "2024-10-26T22:00 2024-10-27T23:00",
    );
    check(
        "tumble 1h",
        berlin,
        "2024-10-27T00:30",
        "2024-10-27T00:00 2024-10-27T01:00",
    );
    check(
        "tumble 1h",
        berlin,
        "2024-10-27T01:30",
        "2024-10-27T01:00 2024-10-27T02:00",
    );
    check(
        "tumble 2h",
        berlin,
        "2024-03-31T01:30",
        "2024-03-31T01:00 2024-03-31T02:00",
    );
    check(
        "tumble 1mo",
        berlin,
        day,
        "2024-09-30T22:00 2024-10-31T23:00",
    );
    // 2011-12-30 did not exist in Samoa.
    let apia = "Pacific/Apia";
    check(
        "tumble 1d",
        apia,
        "2011-12-30T09:59",
        "2011-12-29T10:00 2011-12-30T10:00",
    );
    check(
        "tumble 1d",
        apia,
        "2011-12-30T10:01",
        "2011-12-30T10:00 2011-12-31T10:00",
    );
}

#[test]
fn refuses_what_cannot_be() {
    let check = |window: &str, expected: &str| {
        let error = WindowAssigner::new(&spec(window), Unit::Millisecond, None);
        let message = error.expect_err(window).message().to_string();
        assert_eq!(message, expected);
    };
    check(
        "tumble 1ns",
        "1ns is finer than the time column, which counts in steps of 1ms",
    );
    check(
        "hop 1ms 1h",
        "with windows of 1h every 1ms a row lies in 3600000 windows; the limit is 10000",
    );
    check(
        "hop 1d 1mo",
        "a slide of 1d does not fit windows of 1mo: months are not all of one length",
    );
    check(
        "cumulate 1mo 60d",
        "a step of 1mo does not fit windows of 60d: months are not all of one length",
    );
    check(
        "tumble 1d 1mo",
        "an offset of 1mo does not fit windows of 1d",
    );
}

#[test]
fn extreme_times_end() {
    for window in [
        "tumble 5s",
        "tumble 1mo 1d",
        "hop 2s 5s 1s",
        "hop 1mo 3mo",
        "cumulate 2s 5s",
        "cumulate 1d 1mo",
    ] {
        for zone in [None, Some(chrono_tz::Europe::Berlin)] {
            let assigner = assigner(window, zone);
            for time in [
                i64::MIN,
                i64::MIN + 1,
                i64::MIN + 9_999,
                0,
                i64::MAX - 9_999,
                i64::MAX - 1,
                i64::MAX,
            ] {
                let all = windows(&assigner, time);
                assert!(!all.is_empty(), "{window} at {time}");
                for (start, end) in all {
                    assert!(
                        start <= time && (time < end || end == i64::MAX),
                        "{window} at {time}"
                    );
                }
                let (from, to) = assigner.slice_of(time);
                assert!(
                    from <= time && (time < to || to == i64::MAX),
                    "{window} at {time}"
                );
            }
        }
    }
}

fn any_window() -> impl Strategy<Value = WindowSpec> {
    let seconds = |n: i64| Interval::from_nanoseconds(i128::from(n) * SECOND / 10);
    (0..3, 1..200_i64, 1..12_i64, 0..50_i64, -500..500_i64).prop_map(
        move |(kind, step, factor, rest, offset)| {
            let size = seconds(step * factor + rest % step);
            let (step, offset) = (seconds(step), seconds(offset));
            match kind {
                0 => WindowSpec::Tumble { size, offset },
                1 => WindowSpec::Hop {
                    slide: step,
                    size,
                    offset,
                },
                _ => WindowSpec::Cumulate { step, size, offset },
            }
        },
    )
}

proptest! {
    #[test]
    fn windows_and_slices_fit(spec in any_window(), time in -100_000_i64..100_000) {
        let assigner = WindowAssigner::new(&spec, Unit::Millisecond, None).expect("windows");
        let all = windows(&assigner, time);
        prop_assert!(all.is_sorted_by_key(|&(start, end)| (end, start)));
        for &(start, end) in &all {
            prop_assert!(start <= time && time < end);
        }
        let units = |interval: &Interval| interval.in_units(Unit::Millisecond).expect("fixed");
        match &spec {
            WindowSpec::Tumble { size, offset } => {
                prop_assert_eq!(all.len(), 1);
                prop_assert_eq!(all[0].1 - all[0].0, units(size));
                prop_assert_eq!((all[0].0 - units(offset)).rem_euclid(units(size)), 0);
            }
            WindowSpec::Hop { slide, size, offset } => {
                let (slide, size) = (units(slide), units(size));
                let naive: Vec<(i64, i64)> = (time - size + 1..=time)
                    .filter(|start| (start - units(offset)).rem_euclid(slide) == 0)
                    .map(|start| (start, start + size))
                    .collect();
                prop_assert_eq!(&all, &naive);
                let count = all.len() as i64;
                prop_assert!(count == size / slide || count == (size + slide - 1) / slide);
            }
            WindowSpec::Cumulate { step, size, offset } => {
                let (step, size) = (units(step), units(size));
                let start = time - (time - units(offset)).rem_euclid(size);
                let naive: Vec<(i64, i64)> = (1..=(size + step - 1) / step)
                    .map(|i| (start, start + (i * step).min(size)))
                    .filter(|&(_, end)| end > time)
                    .collect();
                prop_assert_eq!(&all, &naive);
            }
        }
        let (from, to) = assigner.slice_of(time);
        prop_assert!(from <= time && time < to);
        prop_assert_eq!(windows(&assigner, from), all.clone());
        prop_assert_eq!(windows(&assigner, to - 1), all.clone());
        for &(start, end) in &all {
            prop_assert!(start <= from && to <= end, "slices nest in windows");
        }
        // Slices are no shorter than they must be: their ends are bounds of windows.
        let (before, after) = (windows(&assigner, from - 1), windows(&assigner, to));
        prop_assert!(before != all && after != all);
    }

    #[test]
    fn months_are_those_of_chrono(
        days in -400_000_i64..400_000, of_day in 0..86_400_000_i64, months in 1..30_i64,
    ) {
        let time = days * 86_400_000 + of_day;
        let assigner = assigner(&format!("tumble {months}mo"), None);
        let date = DateTime::from_timestamp_millis(time).expect("a time").date_naive();
        let month = (i64::from(date.year()) - 1970) * 12 + i64::from(date.month0());
        let first = month - month.rem_euclid(months);
        let start_of = |month: i64| {
            let year = 1970 + month.div_euclid(12) as i32;
            let date = NaiveDate::from_ymd_opt(year, month.rem_euclid(12) as u32 + 1, 1);
            let midnight = date.and_then(|date| date.and_hms_opt(0, 0, 0)).expect("a date");
            midnight.and_utc().timestamp_millis()
        };
        prop_assert_eq!(windows(&assigner, time), [(start_of(first), start_of(first + months))]);
    }
}

/// What the clock of a zone shows, in minutes.
fn shown(zone: Zone, minute: i64) -> i64 {
    let instant = DateTime::from_timestamp(minute * 60, 0).expect("an instant");
    instant
        .with_timezone(&zone)
        .naive_local()
        .and_utc()
        .timestamp()
        / 60
}

/// What a clock shows in every minute of a range.
struct Shown {
    first: i64,
    minutes: Vec<i64>,
}

impl Shown {
    fn at(&self, minute: i64) -> i64 {
        self.minutes[(minute - self.first) as usize]
    }

    /// All boundaries in a range of minutes, found by looking at the clock every minute.
    fn boundaries(&self, minutes: std::ops::Range<i64>, size: i64, origin: i64) -> Vec<i64> {
        let is_label = |local: i64| (local - origin).rem_euclid(size) == 0;
        let mut seen = HashSet::new();
        let mut boundaries = Vec::new();
        for minute in minutes {
            let (before, now) = (self.at(minute - 1), self.at(minute));
            let again = size >= 24 * 60 && seen.contains(&now);
            if (before + 1..now).any(is_label) || (is_label(now) && !again) {
                boundaries.push(minute);
            }
            if size >= 24 * 60 {
                seen.insert(now);
            }
        }
        boundaries
    }
}

#[test]
fn windows_of_zones_lie_between_what_clocks_show() {
    let transitions = [
        ("Europe/Berlin", "2024-03-31T01:00"),
        ("Europe/Berlin", "2024-10-27T01:00"),
        ("America/New_York", "2024-03-10T07:00"),
        ("America/New_York", "2024-11-03T06:00"),
        ("Australia/Lord_Howe", "2024-04-06T15:00"),
        ("Australia/Lord_Howe", "2024-10-05T15:30"),
        ("Pacific/Apia", "2011-12-30T10:00"),
        ("America/Sao_Paulo", "2018-11-04T03:00"),
        ("Atlantic/Azores", "2024-10-27T01:00"),
        ("America/Havana", "2024-11-03T05:00"),
    ];
    for (name, transition) in transitions {
        let zone: Zone = name.parse().expect("a zone");
        let middle = millis(transition) / MINUTE;
        let around = middle - 4 * 1440..middle + 4 * 1440;
        let first = middle - 7 * 1440;
        let clock = Shown {
            first,
            minutes: (first..middle + 9 * 1440)
                .map(|minute| shown(zone, minute))
                .collect(),
        };
        for (slide, size) in [
            (15, 15),
            (30, 60),
            (60, 60),
            (60, 240),
            (45, 100),
            (720, 720),
            (1440, 1440),
            (1440, 2880),
        ] {
            let tumble = assigner(&format!("tumble {slide}m"), Some(zone));
            let starts = clock.boundaries(around.clone(), slide, 0);
            let mut expected = Vec::new();
            for &start in &starts {
                // The label that the boundary stands for, which may have been skipped.
                let local = clock.at(start);
                let label = local - local.rem_euclid(slide);
                let ends = clock.boundaries(start - 1500..start + size + 1500, size, label);
                expected.push((
                    start,
                    *ends.iter().find(|&&end| end > start).expect("an end"),
                ));
            }
            let hop = assigner(&format!("hop {slide}m {size}m"), Some(zone));
            for minute in (middle - 1000..middle + 1500).step_by(7) {
                let time = minute * MINUTE;
                let at = starts.partition_point(|&start| start <= minute);
                let between = (starts[at - 1] * MINUTE, starts[at] * MINUTE);
                assert_eq!(
                    windows(&tumble, time),
                    [between],
                    "{name} {slide} at {}",
                    text(time)
                );
                let mut naive: Vec<(i64, i64)> = expected
                    .iter()
                    .filter(|&&(start, end)| start <= minute && minute < end)
                    .map(|&(start, end)| (start * MINUTE, end * MINUTE))
                    .collect();
                naive.sort_by_key(|&(start, end)| (end, start));
                let hops = windows(&hop, time);
                assert_eq!(hops, naive, "{name} {slide} {size} at {}", text(time));
                let (from, to) = hop.slice_of(time);
                assert!(from <= time && time < to);
                assert_eq!(windows(&hop, from), hops);
                assert_eq!(windows(&hop, to - 1), hops);
            }
        }
    }
}
