//! The rules of windows and watermarks, as obviously as they can be written: one row after the other, every
//! window looked at again for each row, nothing kept clever. What the program prints is compared with this.
//!
//! ```text
//!  rows in arrival order ─► which are on time, in which windows ─► windows by end, start ─► csv
//!                           (watermark of the rows before)         groups by first row
//! ```

use super::query::{Call, Condition, Query, Window};
use super::table::{Row, Time, Value};

/// What a query is run with.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// How far the watermark stays behind, ms.
    pub delay: i64,
    /// The largest step into the future that is believed at once, ms; 0 = any. Off where DDL declares the watermark.
    pub max_jump: i64,
}

/// What comes out.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The rows, in order.
    pub rows: Vec<Vec<Value>>,
    /// Rows that were left out because all their windows were closed.
    pub late: u64,
    /// Rows without a time.
    pub untimed: u64,
}

/// A window with the rows in it (their numbers, in arrival order).
#[derive(Debug, Clone)]
struct Filled {
    start: i64,
    end: i64,
    rows: Vec<usize>,
}

/// Runs a query over all rows.
pub fn answer(query: &Query, settings: &Settings, rows: &[Row]) -> Answer {
    let wanted = |row: usize| {
        query
            .filter
            .as_ref()
            .is_none_or(|filter| holds(filter, &rows[row]))
    };
    let (mut windows, late, untimed) = match &query.window {
        Window::Count { keys, size, slide } => {
            let windows = count_windows(rows, keys, *size, *slide);
            return Answer {
                rows: print(query, &windows, rows),
                late: 0,
                untimed: 0,
            };
        }
        Window::Session { keys, gap } => sessions(rows, settings, keys, *gap, &wanted),
        window => fixed_windows(rows, settings, window, &wanted),
    };
    // Stable: windows with the same bounds (sessions of several keys) stay in the order of their first rows.
    windows.sort_by_key(|window| (window.end, window.start, window.rows[0]));
    Answer {
        rows: print(query, &windows, rows),
        late,
        untimed,
    }
}

/// The watermark before each row, and after the last one. Untimed rows move nothing.
pub fn watermarks(rows: &[Row], settings: &Settings) -> Vec<i64> {
    let mut newest: Option<i64> = None;
    let mut held: Option<i64> = None;
    let mut first_was_only = false;
    let mut before = Vec::new();
    for row in rows {
        before.push(newest.map_or(i64::MIN, |newest| newest - settings.delay));
        let Time::Known(time) = row.ts else { continue };
        let jump = settings.max_jump;
        let Some(m) = newest else {
            newest = Some(time);
            first_was_only = true;
            continue;
        };
        if jump == 0 {
            newest = Some(m.max(time));
            continue;
        }
        if first_was_only && time < m - jump {
            // The first row was the one from the future: it is held, and this row is not late behind it.
            newest = Some(time);
            held = Some(m);
            *before.last_mut().expect("pushed above") = time - settings.delay;
        } else if time <= m + jump {
            newest = Some(m.max(time));
        } else if let Some(h) = held {
            newest = Some(h.min(time));
            held = Some(h.max(time));
        } else {
            held = Some(time);
        }
        first_was_only = false;
        if let (Some(h), Some(m)) = (held, newest)
            && h <= m + jump
        {
            newest = Some(m.max(h));
            held = None;
        }
    }
    before.push(newest.map_or(i64::MIN, |newest| newest - settings.delay));
    before
}

/// The windows `[start, end)` that hold a time.
fn windows_of(window: &Window, time: i64) -> Vec<(i64, i64)> {
    let floor =
        |time: i64, size: i64, offset: i64| (time - offset).div_euclid(size) * size + offset;
    match window {
        Window::Tumble { size, offset } => {
            let start = floor(time, *size, *offset);
            vec![(start, start + size)]
        }
        Window::Hop {
            slide,
            size,
            offset,
        } => {
            let last = floor(time, *slide, *offset);
            let starts = (0..)
                .map(|n| last - n * slide)
                .take_while(|start| start + size > time);
            starts.map(|start| (start, start + size)).collect()
        }
        Window::Cumulate { step, size, offset } => {
            let start = floor(time, *size, *offset);
            let ends = (1..)
                .map(|n| start + n * step)
                .take_while(|end| *end <= start + size);
            ends.filter(|end| *end > time)
                .map(|end| (start, end))
                .collect()
        }
        Window::Session { .. } | Window::Count { .. } => Vec::new(),
    }
}

fn fixed_windows(
    rows: &[Row],
    settings: &Settings,
    window: &Window,
    wanted: &dyn Fn(usize) -> bool,
) -> (Vec<Filled>, u64, u64) {
    let watermarks = watermarks(rows, settings);
    let (mut filled, mut late, mut untimed): (Vec<Filled>, u64, u64) = Default::default();
    for (number, row) in rows.iter().enumerate() {
        let Time::Known(time) = row.ts else {
            untimed += 1;
            continue;
        };
        if !wanted(number) {
            continue;
        }
        let mut counted = false;
        for (start, end) in windows_of(window, time) {
            if watermarks[number] >= end - 1 {
                continue; // closed
            }
            counted = true;
            match filled.iter_mut().find(|w| (w.start, w.end) == (start, end)) {
                Some(window) => window.rows.push(number),
                None => filled.push(Filled {
                    start,
                    end,
                    rows: vec![number],
                }),
            }
        }
        late += u64::from(!counted);
    }
    (filled, late, untimed)
}

fn sessions(
    rows: &[Row],
    settings: &Settings,
    keys: &[String],
    gap: i64,
    wanted: &dyn Fn(usize) -> bool,
) -> (Vec<Filled>, u64, u64) {
    let watermarks = watermarks(rows, settings);
    let (mut closed, mut late, mut untimed): (Vec<Filled>, u64, u64) = Default::default();
    let mut open: Vec<Filled> = Vec::new();
    for (number, row) in rows.iter().enumerate() {
        let Time::Known(time) = row.ts else {
            untimed += 1;
            continue;
        };
        if !wanted(number) {
            continue;
        }
        let watermark = watermarks[number];
        closed.extend(open.extract_if(.., |session| watermark >= session.end - 1));
        // The row alone, merged with every open session of its key that it touches; bounds may meet.
        let mut merged = Filled {
            start: time,
            end: time + gap,
            rows: vec![number],
        };
        let touched = open.extract_if(.., |session| {
            key(&rows[session.rows[0]], keys) == key(row, keys)
                && session.start <= time + gap
                && time <= session.end
        });
        for session in touched {
            merged.start = merged.start.min(session.start);
            merged.end = merged.end.max(session.end);
            merged.rows.extend(session.rows);
        }
        if watermark >= merged.end - 1 {
            late += 1;
            continue;
        }
        merged.rows.sort_unstable();
        open.push(merged);
    }
    closed.extend(open);
    (closed, late, untimed)
}

/// The windows of rows, in the order of the rows that fill them.
fn count_windows(rows: &[Row], keys: &[String], size: usize, slide: usize) -> Vec<Filled> {
    let mut windows = Vec::new();
    for number in 0..rows.len() {
        let same_key =
            (0..=number).filter(|other| key(&rows[*other], keys) == key(&rows[number], keys));
        let mine: Vec<usize> = same_key.collect();
        let end = mine.len();
        if end >= size && (end - size).is_multiple_of(slide) {
            let start = end - size;
            windows.push(Filled {
                start: start as i64,
                end: end as i64,
                rows: mine[start..].to_vec(),
            });
        }
    }
    windows
}

fn key(row: &Row, columns: &[String]) -> Vec<Value> {
    columns.iter().map(|column| row.value(column)).collect()
}

fn holds(condition: &Condition, row: &Row) -> bool {
    match condition {
        Condition::Known(column) => row.value(column) != Value::Null,
        Condition::Compare(column, operator, number) => {
            let Value::Integer(value) = row.value(column) else {
                return false;
            };
            match operator.as_str() {
                "=" => value == *number,
                "<>" => value != *number,
                "<" => value < *number,
                _ => value > *number,
            }
        }
    }
}

/// One row for each group of each window, groups in the order of their first rows.
fn print(query: &Query, windows: &[Filled], rows: &[Row]) -> Vec<Vec<Value>> {
    let mut printed = Vec::new();
    let fixed = !matches!(query.window, Window::Count { .. });
    let bound = |n: i64| {
        if fixed {
            Value::Time(n)
        } else {
            Value::Integer(n)
        }
    };
    // Sessions of several keys with the same bounds are one window to GROUP BY.
    let mut windows = windows.to_vec();
    if fixed {
        windows.dedup_by(|next, window| {
            let same = (next.start, next.end) == (window.start, window.end);
            if same {
                window.rows.append(&mut next.rows);
                window.rows.sort_unstable();
            }
            same
        });
    }
    for window in &windows {
        let mut groups: Vec<(Vec<Value>, Vec<&Row>)> = Vec::new();
        for &number in &window.rows {
            let row = &rows[number];
            let name = key(row, &query.keys);
            match groups.iter_mut().find(|(other, _)| *other == name) {
                Some((_, members)) => members.push(row),
                None => groups.push((name, vec![row])),
            }
        }
        for (name, members) in groups {
            if query.having.is_some_and(|n| members.len() as u64 <= n) {
                continue;
            }
            let mut cells = vec![bound(window.start), bound(window.end)];
            cells.extend(name);
            cells.extend(query.calls.iter().map(|call| aggregate(call, &members)));
            printed.push(cells);
        }
    }
    printed
}

fn aggregate(call: &Call, rows: &[&Row]) -> Value {
    let counted = rows
        .iter()
        .filter(|row| call.filter.as_ref().is_none_or(|filter| holds(filter, row)));
    let Some(argument) = &call.argument else {
        return Value::Integer(counted.count() as i64);
    };
    let mut values: Vec<Value> = counted.map(|row| row.value(argument)).collect();
    values.retain(|value| *value != Value::Null);
    if call.distinct {
        let mut distinct: Vec<Value> = Vec::new();
        values.retain(|value| {
            let new = !distinct.contains(value);
            distinct.push(value.clone());
            new
        });
    }
    let length = values.len();
    if call.function == "count" {
        return Value::Integer(length as i64);
    }
    if length == 0 {
        return Value::Null;
    }
    let whole: i64 = values
        .iter()
        .map(|v| if let Value::Integer(n) = v { *n } else { 0 })
        .sum();
    // Exact, because the data has quarters only.
    let broken: f64 = values
        .iter()
        .map(|v| if let Value::Double(x) = v { *x } else { 0.0 })
        .sum();
    let is_double = matches!(values[0], Value::Double(_));
    match call.function.as_str() {
        "sum" if is_double => Value::Double(broken),
        "sum" => Value::Integer(whole),
        "avg" => Value::Double((whole as f64 + broken) / length as f64),
        "min" => values
            .into_iter()
            .reduce(|a, b| if b.less(&a) { b } else { a })
            .unwrap_or(Value::Null),
        "max" => values
            .into_iter()
            .reduce(|a, b| if a.less(&b) { b } else { a })
            .unwrap_or(Value::Null),
        other => unreachable!("the reference has no {other}"),
    }
}
