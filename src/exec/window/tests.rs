//! Window operators as scripts, and against a naive reference over random rows and cuts.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::TimestampMillisecondArray;
use arrow::array::{Array, AsArray, Int64Array, RecordBatch, StringViewArray};
use arrow::datatypes::{
    DataType, Field, FieldRef, Int64Type, Schema, SchemaRef, TimeUnit, TimestampMillisecondType,
};
use datafusion_functions_aggregate::{count::count_udaf, sum::sum_udaf};
use proptest::prelude::*;

use super::*;
use crate::data::{Batch, Event};
use crate::exec::aggregate::{AggregateSpec, Argument};
use crate::exec::group::{GroupOperator, GroupSpec};
use crate::exec::watermark::{WatermarkOperator, WatermarkSpec};
use crate::exec::{Message, Operator, Output, Watermark};
use crate::time::{Interval, Unit, WatermarkState, WindowAssigner, WindowSpec, is_closed};

/// Time (`None` is untimed), key, value.
type Row = (Option<i64>, &'static str, i64);

const DELAY: i64 = 5;

fn time_type() -> DataType {
    DataType::Timestamp(TimeUnit::Millisecond, None)
}

fn field(name: &str, data_type: DataType) -> FieldRef {
    Arc::new(Field::new(name, data_type, true))
}

fn input() -> SchemaRef {
    let fields = [
        field("ts", time_type()),
        field("k", DataType::Utf8View),
        field("v", DataType::Int64),
    ];
    Arc::new(Schema::new(fields.to_vec()))
}

fn bounds() -> Vec<FieldRef> {
    ["window_start", "window_end", "window_time"]
        .map(|name| field(name, time_type()))
        .to_vec()
}

/// The input's fields or keys and aggregates behind the bounds.
fn grouped_output() -> SchemaRef {
    let mut fields = bounds();
    fields.push(field("k", DataType::Utf8View));
    fields.push(field("n", DataType::Int64));
    fields.push(field("sum", DataType::Int64));
    Arc::new(Schema::new(fields))
}

fn rows_output() -> SchemaRef {
    let mut fields = input().fields().to_vec();
    fields.extend(bounds());
    Arc::new(Schema::new(fields))
}

/// `count(*), sum(v)`.
fn aggregates() -> Vec<AggregateSpec> {
    let spec = |function, arguments: Vec<Argument>, output: &str| AggregateSpec {
        function,
        argument_fields: arguments
            .iter()
            .map(|_| field("v", DataType::Int64))
            .collect(),
        arguments,
        filter: None,
        distinct: false,
        ignore_nulls: false,
        order_by: Vec::new(),
        output: field(output, DataType::Int64),
        display: output.to_string(),
    };
    vec![
        spec(count_udaf(), Vec::new(), "n"),
        spec(sum_udaf(), vec![Argument::Column(2)], "sum"),
    ]
}

fn keys() -> Vec<FieldRef> {
    vec![field("k", DataType::Utf8View)]
}

fn by_window(window: &WindowSpec) -> Box<dyn Operator> {
    let spec = WindowAggregateSpec {
        source: WindowSource::Assigned {
            window: window.clone(),
            time_column: 0,
            unit: Unit::Millisecond,
            zone: None,
        },
        delay: DELAY,
        keys: vec![1],
        key_fields: keys(),
        aggregates: aggregates(),
        schema: grouped_output(),
    };
    Box::new(WindowAggregateOperator::new(spec).expect("an operator"))
}

fn by_attached_window() -> Box<dyn Operator> {
    let spec = WindowAggregateSpec {
        source: WindowSource::Attached {
            start_column: 3,
            end_column: 4,
            time_column: Some(0),
        },
        delay: DELAY,
        keys: vec![1],
        key_fields: keys(),
        aggregates: aggregates(),
        schema: grouped_output(),
    };
    Box::new(WindowAggregateOperator::new(spec).expect("an operator"))
}

fn assign(window: &WindowSpec) -> Box<dyn Operator> {
    let spec = WindowAssignSpec {
        window: window.clone(),
        time_column: 0,
        unit: Unit::Millisecond,
        zone: None,
        schema: rows_output(),
    };
    Box::new(WindowAssignOperator::new(spec).expect("an operator"))
}

fn by_session(gap: i64) -> Box<dyn Operator> {
    let spec = SessionSpec {
        gap,
        time_column: 0,
        delay: DELAY,
        partition: vec![1],
        partition_fields: keys(),
        keys: Vec::new(),
        key_fields: Vec::new(),
        aggregates: aggregates(),
        schema: grouped_output(),
    };
    Box::new(SessionOperator::new(spec).expect("an operator"))
}

/// One session for all keys, whose rows group by key within it.
fn by_common_session(gap: i64) -> Box<dyn Operator> {
    let spec = SessionSpec {
        gap,
        time_column: 0,
        delay: DELAY,
        partition: Vec::new(),
        partition_fields: Vec::new(),
        keys: vec![1],
        key_fields: keys(),
        aggregates: aggregates(),
        schema: grouped_output(),
    };
    Box::new(SessionOperator::new(spec).expect("an operator"))
}

/// Sessions by key, whose rows group by value within them: values go while sessions stay.
fn by_session_and_value(gap: i64) -> Box<dyn Operator> {
    let mut fields = grouped_output().fields().to_vec();
    fields.insert(4, field("v", DataType::Int64));
    let spec = SessionSpec {
        gap,
        time_column: 0,
        delay: DELAY,
        partition: vec![1],
        partition_fields: keys(),
        keys: vec![2],
        key_fields: vec![field("v", DataType::Int64)],
        aggregates: aggregates(),
        schema: Arc::new(Schema::new(fields)),
    };
    Box::new(SessionOperator::new(spec).expect("an operator"))
}

fn session_rows(gap: i64) -> Box<dyn Operator> {
    let spec = SessionRowsSpec {
        gap,
        time_column: 0,
        partition: vec![1],
        partition_fields: keys(),
        schema: rows_output(),
    };
    Box::new(SessionRowsOperator::new(spec).expect("an operator"))
}

fn by_count(size: u64, slide: u64) -> Box<dyn Operator> {
    let mut fields = vec![
        field("window_start", DataType::Int64),
        field("window_end", DataType::Int64),
    ];
    fields.extend_from_slice(&grouped_output().fields()[3..]);
    let spec = CountWindowSpec {
        size,
        slide,
        partition: vec![1],
        partition_fields: keys(),
        keys: Vec::new(),
        key_fields: Vec::new(),
        aggregates: aggregates(),
        schema: Arc::new(Schema::new(fields)),
    };
    Box::new(CountWindowOperator::new(spec).expect("an operator"))
}

/// What comes out of operators behind a watermark, with rows cut into batches of the sizes in turn: rows as
/// text with `@position`, and the events.
fn run(
    mut operators: Vec<Box<dyn Operator>>,
    max_jump: Option<i64>,
    rows: &[Row],
    cuts: &[usize],
) -> (Vec<String>, Vec<Event>) {
    let spec = WatermarkSpec {
        time_column: 0,
        delay: DELAY,
        max_jump,
    };
    operators.insert(0, Box::new(WatermarkOperator::new(spec)));
    let mut messages = Vec::new();
    let (mut first, mut cuts) = (0, cuts.iter().cycle());
    while first < rows.len() {
        let behind = rows.len().min(first + cuts.next().expect("a cut"));
        let part = &rows[first..behind];
        let columns = RecordBatch::try_new(
            input(),
            vec![
                Arc::new(TimestampMillisecondArray::from_iter(
                    part.iter().map(|row| row.0),
                )),
                Arc::new(StringViewArray::from_iter_values(
                    part.iter().map(|row| row.1),
                )),
                Arc::new(Int64Array::from_iter_values(part.iter().map(|row| row.2))),
            ],
        );
        let positions = (first as u64..behind as u64).collect();
        messages.push(Message::Batch(Batch::new(
            columns.expect("columns"),
            positions,
        )));
        first = behind;
    }
    messages.push(Message::Watermark(Watermark::end()));
    let mut events = Vec::new();
    for operator in &mut operators {
        let mut out = Output::default();
        for message in std::mem::take(&mut messages) {
            // A copy goes on as if nothing had happened; one that ends takes nothing from it.
            *operator = operator.copy();
            let mut ended = operator.copy();
            (ended.on_watermark(&Watermark::end(), &mut Output::default())).expect("ends");
            match message {
                Message::Batch(batch) => operator.on_batch(0, batch, &mut out),
                Message::Watermark(watermark) => operator.on_watermark(&watermark, &mut out),
            }
            .expect("runs");
        }
        messages = out.messages;
        events.extend(out.events);
    }
    let mut lines = Vec::new();
    let mut passed = i64::MIN;
    for message in &messages {
        match message {
            Message::Batch(batch) => {
                assert!(batch.num_rows() <= MAX_ROWS);
                lines.extend((0..batch.num_rows()).map(|row| line(batch, row)));
            }
            Message::Watermark(watermark) => {
                assert!(passed <= watermark.time, "a watermark went back");
                assert!(
                    watermark
                        .trail
                        .windows(2)
                        .all(|s| s[0].0 < s[1].0 && s[0].1 < s[1].1)
                );
                passed = watermark.time;
            }
        }
    }
    (lines, events)
}

fn line(batch: &Batch, row: usize) -> String {
    let mut words = Vec::new();
    for column in batch.columns.columns() {
        words.push(match column.data_type() {
            _ if column.is_null(row) => "NULL".to_string(),
            DataType::Int64 => column.as_primitive::<Int64Type>().value(row).to_string(),
            DataType::Utf8View => column.as_string_view().value(row).to_string(),
            _ => column
                .as_primitive::<TimestampMillisecondType>()
                .value(row)
                .to_string(),
        });
    }
    let position = batch.positions[row];
    let end = position == u64::MAX;
    words.push(if end {
        "@end".to_string()
    } else {
        format!("@{position}")
    });
    words.join(" ")
}

fn millis(n: i64) -> Interval {
    Interval::from_nanoseconds(i128::from(n) * 1_000_000)
}

fn tumble(size: i64) -> WindowSpec {
    WindowSpec::Tumble {
        size: millis(size),
        offset: millis(0),
    }
}

/// Rows as `key time`, one word `-` for no time; values count up from 1.
#[track_caller]
fn check(make: impl Fn() -> Vec<Box<dyn Operator>>, rows: &str, expected: &[&str], lost: &[u64]) {
    let words: Vec<&str> = rows.split_whitespace().collect();
    let rows: Vec<Row> = words
        .chunks(2)
        .zip(1..)
        .map(|(row, value)| {
            let key = ["a", "b", "c"]
                .into_iter()
                .find(|key| *key == row[0])
                .expect("a key");
            (row[1].parse().ok(), key, value)
        })
        .collect();
    for cuts in [[1], [2], [1000]] {
        let (lines, events) = run(make(), None, &rows, &cuts);
        assert_eq!(lines, expected, "batches of {cuts:?}");
        let gone: Vec<u64> = (events.iter())
            .filter(|event| !matches!(event, Event::PartlyLate { .. }))
            .map(Event::position)
            .collect();
        assert_eq!(gone, lost, "events {events:?}");
    }
}

#[test]
fn windows_close_by_watermark() {
    check(
        || vec![by_window(&tumble(10))],
        "a 1 b 9 a 3 a 14 a 8 b 15 a 2 b 31",
        &[
            "0 10 9 a 2 4 @3",
            "0 10 9 b 1 2 @3",
            "10 20 19 a 1 4 @7",
            "10 20 19 b 1 6 @7",
            "30 40 39 b 1 8 @end",
        ],
        &[4, 6],
    );
    check(|| vec![by_window(&tumble(10))], "", &[], &[]);
    // An untimed row takes no part.
    check(
        || vec![by_window(&tumble(10))],
        "a 1 a - b 2",
        &["0 10 9 a 1 1 @end", "0 10 9 b 1 3 @end"],
        &[1],
    );
}

#[test]
fn cascades_and_attached_windows_close_with_their_input() {
    let hop = || WindowSpec::Hop {
        slide: millis(5),
        size: millis(10),
        offset: millis(0),
    };
    // Rows that carry their windows group to the same rows.
    let rows = "a 1 b 9 a 3 a 14 a 8 b 15 a 2 b 31";
    let expected = [
        "-5 5 4 a 1 1 @1",
        "0 10 9 a 2 4 @3",
        "0 10 9 b 1 2 @3",
        "5 15 14 b 1 2 @7",
        "5 15 14 a 2 9 @7",
        "10 20 19 a 1 4 @7",
        "10 20 19 b 1 6 @7",
        "15 25 24 b 1 6 @7",
        "25 35 34 b 1 8 @end",
        "30 40 39 b 1 8 @end",
    ];
    check(|| vec![by_window(&hop())], rows, &expected, &[6]);
    check(
        || vec![assign(&hop()), by_attached_window()],
        rows,
        &expected,
        &[6],
    );
}

/// A window over `window_time` of the rows of another: `count(*)` and the sum of its counts.
fn over_windows(window: WindowSpec) -> Box<dyn Operator> {
    let mut aggregates = aggregates();
    aggregates[1].arguments = vec![Argument::Column(4)];
    let spec = WindowAggregateSpec {
        source: WindowSource::Assigned {
            window,
            time_column: 2,
            unit: Unit::Millisecond,
            zone: None,
        },
        delay: DELAY,
        keys: vec![3],
        key_fields: keys(),
        aggregates,
        schema: grouped_output(),
    };
    Box::new(WindowAggregateOperator::new(spec).expect("an operator"))
}

#[test]
fn rows_of_windows_are_never_late_in_the_next() {
    check(
        || vec![by_window(&tumble(5)), over_windows(tumble(10))],
        "b 1 a 2 a 7 b 16 a 40 a 41",
        &[
            "0 10 9 b 1 1 @3",
            "0 10 9 a 2 2 @3",
            "10 20 19 b 1 1 @4",
            "40 50 49 a 1 2 @end",
        ],
        &[],
    );
}

#[test]
fn groups_without_windows_come_out_at_the_end() {
    let group = |with_key: bool| -> Vec<Box<dyn Operator>> {
        let fields = grouped_output().fields()[if with_key { 3.. } else { 4.. }].to_vec();
        let spec = GroupSpec {
            keys: if with_key { vec![1] } else { Vec::new() },
            key_fields: if with_key { keys() } else { Vec::new() },
            aggregates: aggregates(),
            schema: Arc::new(Schema::new(fields)),
        };
        vec![Box::new(GroupOperator::new(spec).expect("an operator"))]
    };
    check(
        || group(true),
        "b 1 a 2 b 0",
        &["b 2 4 @end", "a 1 2 @end"],
        &[],
    );
    check(|| group(true), "", &[], &[]);
    check(|| group(false), "b 1 a 2 b 0", &["3 6 @end"], &[]);
    check(|| group(false), "", &["0 NULL @end"], &[]);
}

#[test]
fn sessions_join_what_they_touch() {
    let rows = "a 0 a 5 b 4 a 11 a 30 b 31";
    check(
        || vec![by_session(5)],
        rows,
        &[
            "4 9 8 b 1 3 @4",
            "0 10 9 a 2 3 @4",
            "11 16 15 a 1 4 @4",
            "30 35 34 a 1 5 @end",
            "31 36 35 b 1 6 @end",
        ],
        &[],
    );
    // A row older than the watermark joins an open session, and bridges two.
    check(
        || vec![by_session(5)],
        "a 0 a 8 a 4",
        &["0 13 12 a 3 6 @end"],
        &[],
    );
    // The first session is closed for the last row, whenever the news comes.
    check(
        || vec![by_session(5)],
        "a 0 b 12 a 5 b 40",
        &[
            "0 5 4 a 1 1 @1",
            "5 10 9 a 1 3 @3",
            "12 17 16 b 1 2 @3",
            "40 45 44 b 1 4 @end",
        ],
        &[],
    );
    check(
        || vec![by_session(5)],
        "a 0 b 12 a 2",
        &["0 5 4 a 1 1 @1", "12 17 16 b 1 2 @end"],
        &[2],
    );
    check(
        || vec![session_rows(5)],
        "a 0 b 12 a 2 b 11",
        &[
            "0 a 1 0 5 4 @1",
            "2 a 3 2 7 6 @2",
            "12 b 2 11 17 16 @end",
            "11 b 4 11 17 16 @end",
        ],
        &[],
    );
}

#[test]
fn windows_of_rows_come_out_when_full() {
    check(
        || vec![by_count(3, 2)],
        "a 0 a 0 b 0 a 0 a 0 a 0 b 0 b 0",
        &["0 3 a 3 7 @3", "2 5 a 3 15 @5", "0 3 b 3 18 @7"],
        &[],
    );
    check(
        || vec![by_count(2, 1)],
        "a 0 a 0 a 0",
        &["0 2 a 2 3 @1", "1 3 a 2 5 @2"],
        &[],
    );
}

/// Windows by definition: every row is judged alone, every window is summed from its rows.
fn naive(window: &WindowSpec, max_jump: Option<i64>, rows: &[Row]) -> (Vec<String>, Vec<u64>) {
    let assigner = WindowAssigner::new(window, Unit::Millisecond, None).expect("windows");
    let mut state = WatermarkState::new(DELAY, max_jump);
    let mut steps = Vec::new();
    let mut late = Vec::new();
    let mut kept: BTreeMap<(i64, i64), Vec<(usize, Row)>> = BTreeMap::new();
    for (position, &row) in rows.iter().enumerate() {
        let Some(time) = row.0 else { continue };
        let before = state.observe(time, position as u64).before;
        steps.push((state.watermark(), position));
        let mut windows = Vec::new();
        assigner.windows_of(time, &mut windows);
        windows.retain(|&(_, end)| !is_closed(end, before));
        if windows.is_empty() {
            late.push(position as u64);
        }
        for (start, end) in windows {
            kept.entry((end, start)).or_default().push((position, row));
        }
    }
    let mut lines = Vec::new();
    for ((end, start), rows) in kept {
        // After an exchange the watermark of the first row alone never counted.
        let moved = steps.iter().enumerate().find(|(at, step)| {
            step.0 >= end - 1 && steps[*at..].iter().all(|later| later.0 >= end - 1)
        });
        let cause = moved.map_or("@end".to_string(), |(_, step)| format!("@{}", step.1));
        let mut seen: Vec<&str> = Vec::new();
        for (_, (_, key, _)) in &rows {
            if !seen.contains(key) {
                seen.push(key);
            }
        }
        for key in seen {
            let of_key: Vec<i64> = rows
                .iter()
                .filter(|(_, row)| row.1 == key)
                .map(|(_, row)| row.2)
                .collect();
            let (count, sum) = (of_key.len(), of_key.iter().sum::<i64>());
            lines.push(format!(
                "{start} {end} {} {key} {count} {sum} {cause}",
                end - 1
            ));
        }
    }
    (lines, late)
}

/// Sessions by definition: a list of open sessions, gone through for every row.
fn naive_sessions(
    gap: i64,
    max_jump: Option<i64>,
    rows: &[Row],
    common: bool,
) -> (Vec<String>, Vec<u64>) {
    let mut state = WatermarkState::new(DELAY, max_jump);
    let mut late = Vec::new();
    let mut sessions: Vec<Vec<(usize, Row)>> = Vec::new();
    let times = |session: &[(usize, Row)]| -> Vec<i64> {
        session.iter().filter_map(|(_, row)| row.0).collect()
    };
    let start_of = |session: &[(usize, Row)]| times(session).into_iter().min().expect("a row");
    let end_of = |session: &[(usize, Row)]| times(session).into_iter().max().expect("a row") + gap;
    for (position, &row) in rows.iter().enumerate() {
        let Some(time) = row.0 else { continue };
        let before = state.observe(time, position as u64).before;
        let mut merged = vec![(position, row)];
        let mut others = Vec::new();
        for session in std::mem::take(&mut sessions) {
            let same_key = common || session[0].1.1 == row.1;
            let touches = time <= end_of(&session) && time + gap >= start_of(&session);
            if same_key && touches && !is_closed(end_of(&session), before) {
                merged.extend(session);
            } else {
                others.push(session);
            }
        }
        sessions = others;
        if is_closed(end_of(&merged), before) {
            late.push(position as u64);
        } else {
            sessions.push(merged);
        }
    }
    let mut lines = Vec::new();
    for session in &sessions {
        let (start, end) = (start_of(session), end_of(session));
        for key in ["a", "b", "c"] {
            let of_key: Vec<_> = session.iter().filter(|(_, row)| row.1 == key).collect();
            let Some(first) = of_key.iter().map(|(position, _)| *position).min() else {
                continue;
            };
            let sum: i64 = of_key.iter().map(|(_, row)| row.2).sum();
            let line = format!("{start} {end} {} {key} {} {sum}", end - 1, of_key.len());
            lines.push((end, start, first, line));
        }
    }
    lines.sort();
    (
        lines.into_iter().map(|(_, _, _, line)| line).collect(),
        late,
    )
}

fn any_rows() -> impl Strategy<Value = Vec<Row>> {
    let time = prop_oneof![20 => (0..12_i64).prop_map(Some), 1 => Just(None), 1 => (500..900_i64).prop_map(Some)];
    let key = prop_oneof![Just("a"), Just("b"), Just("c")];
    proptest::collection::vec((time, key, 0..100_i64), 0..60).prop_map(|rows| {
        let advance =
            |(at, (time, key, value)): (usize, Row)| (time.map(|t| t + at as i64), key, value);
        rows.into_iter().enumerate().map(advance).collect()
    })
}

fn any_window() -> impl Strategy<Value = WindowSpec> {
    // Windows of many slices are merged from spans.
    let factor = prop_oneof![2 => 1..5_i64, 1 => 15..40_i64];
    (0..3, 1..8_i64, factor, 0..4_i64, -9..9_i64).prop_map(|(kind, step, factor, rest, offset)| {
        let size = millis(step * factor + rest % step);
        let (step, offset) = (millis(step), millis(offset));
        match kind {
            0 => WindowSpec::Tumble { size, offset },
            1 => WindowSpec::Hop {
                slide: step,
                size,
                offset,
            },
            _ => WindowSpec::Cumulate { step, size, offset },
        }
    })
}

fn late_of(events: &[Event]) -> Vec<u64> {
    let late = events
        .iter()
        .filter(|event| matches!(event, Event::Late { .. }));
    late.map(Event::position).collect()
}

proptest! {
    #[test]
    fn windows_are_what_the_definition_says(
        window in any_window(),
        max_jump in prop_oneof![Just(None), (20..600_i64).prop_map(Some)],
        rows in any_rows(),
        cuts in proptest::collection::vec(1..20_usize, 1..6),
    ) {
        let (lines, late) = naive(&window, max_jump, &rows);
        let whole = run(vec![by_window(&window)], max_jump, &rows, &[1000]);
        prop_assert_eq!(&whole.0, &lines);
        prop_assert_eq!(late_of(&whole.1), late);
        prop_assert_eq!(&run(vec![by_window(&window)], max_jump, &rows, &[1]), &whole);
        prop_assert_eq!(&run(vec![by_window(&window)], max_jump, &rows, &cuts), &whole);
        let attached = run(vec![assign(&window), by_attached_window()], max_jump, &rows, &cuts);
        prop_assert_eq!(&attached.0, &whole.0);
        prop_assert_eq!(late_of(&attached.1), late_of(&whole.1));
    }

    #[test]
    fn sessions_do_not_depend_on_cuts(
        gap in 1..12_i64,
        max_jump in prop_oneof![Just(None), (20..600_i64).prop_map(Some)],
        rows in any_rows(),
        cuts in proptest::collection::vec(1..20_usize, 1..6),
    ) {
        for make in [by_session, by_common_session, by_session_and_value, session_rows] {
            let whole = run(vec![make(gap)], max_jump, &rows, &[1000]);
            prop_assert_eq!(&run(vec![make(gap)], max_jump, &rows, &[1]), &whole);
            prop_assert_eq!(&run(vec![make(gap)], max_jump, &rows, &cuts), &whole);
        }
    }

    #[test]
    fn sessions_are_what_the_definition_says(
        gap in 1..12_i64,
        max_jump in prop_oneof![Just(None), (20..600_i64).prop_map(Some)],
        rows in any_rows(),
    ) {
        for common in [false, true] {
            let operator = if common { by_common_session(gap) } else { by_session(gap) };
            let (lines, events) = run(vec![operator], max_jump, &rows, &[7]);
            let without_position: Vec<&str> =
                lines.iter().filter_map(|line| line.rsplit_once(' ')).map(|(line, _)| line).collect();
            let (expected, late) = naive_sessions(gap, max_jump, &rows, common);
            prop_assert_eq!(without_position, expected);
            prop_assert_eq!(late_of(&events), late);
        }
    }
}
