//! Every registered aggregate, over random rows, cuts and merges; and what single ones give.

use std::sync::Arc;

use arrow::array::{
    Array, BooleanArray, Decimal128Array, DurationMicrosecondArray, Float64Array, Int64Array,
    StringViewArray, TimestampMicrosecondArray, UInt32Array, UInt64Array,
};
use arrow::compute::take;
use arrow::datatypes::Field;
use arrow::row::{RowConverter, SortField};
use arrow::util::display::array_value_to_string;
use proptest::prelude::*;

use super::*;
use crate::functions::aggregates;

const INTEGER: usize = 0;
const DOUBLE: usize = 1;
const TEXT: usize = 2;
const CONDITION: usize = 3;

const DECIMAL: usize = 5;
const DURATION: usize = 6;
const OTHER_DOUBLE: usize = 7;
const UNSIGNED: usize = 8;

/// The columns of rows drawn from small numbers; many are equal, NULL or odd.
fn columns(seeds: &[u8]) -> Vec<ArrayRef> {
    const DOUBLES: [f64; 13] = [
        0.1,
        0.2,
        -0.3,
        1e16,
        -1e16,
        1e-300,
        0.0,
        -0.0,
        f64::NAN,
        f64::INFINITY,
        1.0 / 3.0,
        1e308,
        1e100,
    ];
    const TEXTS: [&str; 4] = ["", "a", "b", "a text of more than twelve bytes"];
    let valid = |seed: &u8, odd: u8| !(*seed).wrapping_mul(odd).is_multiple_of(7);
    let numbers = |odd: u8| -> Vec<Option<i64>> {
        let number = |seed: &u8| match seed % 16 {
            0 => i64::MAX,
            1 => i64::MIN,
            _ => i64::from(seed.wrapping_mul(odd) / 8),
        };
        (seeds
            .iter()
            .map(|seed| valid(seed, odd).then(|| number(seed))))
        .collect()
    };
    let doubles = |odd: u8| -> Float64Array {
        let double = |seed: &u8| DOUBLES[usize::from(seed.wrapping_mul(odd) / 3) % DOUBLES.len()];
        (seeds
            .iter()
            .map(|seed| valid(seed, odd).then(|| double(seed))))
        .collect()
    };
    vec![
        Arc::new(Int64Array::from(numbers(3))),
        Arc::new(doubles(5)),
        Arc::new(
            (seeds
                .iter()
                .map(|seed| valid(seed, 9).then(|| TEXTS[usize::from(seed % 4)])))
            .collect::<StringViewArray>(),
        ),
        Arc::new(
            (seeds
                .iter()
                .map(|seed| valid(seed, 11).then(|| seed % 3 == 0)))
            .collect::<BooleanArray>(),
        ),
        Arc::new(TimestampMicrosecondArray::from(numbers(13)).with_timezone("UTC")),
        Arc::new(
            (seeds
                .iter()
                .map(|seed| valid(seed, 15).then(|| i128::from(*seed) - 100)))
            .collect::<Decimal128Array>()
            .with_precision_and_scale(10, 2)
            .expect("fits"),
        ),
        Arc::new(DurationMicrosecondArray::from(numbers(17))),
        Arc::new(doubles(19)),
        Arc::new(
            (seeds
                .iter()
                .map(|seed| valid(seed, 21).then(|| u64::MAX - u64::from(seed % 3))))
            .collect::<UInt64Array>(),
        ),
    ]
}

fn column(index: usize) -> Argument {
    Argument::Column(index)
}

fn number(value: f64) -> Argument {
    Argument::Literal(ScalarValue::Float64(Some(value)))
}

fn call(name: &str, arguments: Vec<Argument>) -> AggregateSpec {
    let function =
        (aggregates().get(name).cloned()).unwrap_or_else(|| panic!("no function {name}"));
    let all = columns(&[]);
    let field = |(index, argument): (usize, &Argument)| {
        let data_type = match argument {
            Argument::Column(column) => all[*column].data_type().clone(),
            Argument::Literal(value) => value.data_type(),
        };
        Arc::new(Field::new(format!("c{index}"), data_type, true))
    };
    let argument_fields: Vec<FieldRef> = arguments.iter().enumerate().map(field).collect();
    let output = function.return_field(&argument_fields).expect(name);
    AggregateSpec {
        display: format!("{name}({arguments:?})"),
        function,
        arguments,
        argument_fields,
        filter: None,
        distinct: false,
        ignore_nulls: false,
        order_by: Vec::new(),
        output,
    }
}

/// Calls of every registered function, in several forms.
fn calls() -> Vec<AggregateSpec> {
    let half = number(0.5);
    let comma = Argument::Literal(ScalarValue::Utf8View(Some(", ".to_owned())));
    let second = Argument::Literal(ScalarValue::Int64(Some(2)));
    let mut plain = vec![
        call("count", vec![]),
        call(
            "count",
            vec![Argument::Literal(ScalarValue::Int64(Some(1)))],
        ),
        call("count", vec![column(INTEGER), column(TEXT)]),
        call("string_agg", vec![column(TEXT), comma]),
        call("nth_value", vec![column(TEXT), second]),
        call("arg_min", vec![column(TEXT), column(DOUBLE)]),
        call("arg_max", vec![column(DOUBLE), column(TEXT)]),
        call("count_if", vec![column(CONDITION)]),
        call("bool_and", vec![column(CONDITION)]),
        call("bool_or", vec![column(CONDITION)]),
    ];
    for name in ["sum", "avg"] {
        for index in [INTEGER, DOUBLE, CONDITION, DECIMAL, DURATION, UNSIGNED] {
            plain.push(call(name, vec![column(index)]));
        }
    }
    for name in ["bit_and", "bit_or", "bit_xor"] {
        plain.extend([INTEGER, UNSIGNED].map(|index| call(name, vec![column(index)])));
    }
    let any = [
        "min",
        "max",
        "first_value",
        "last_value",
        "any_value",
        "approx_distinct",
        "array_agg",
    ];
    for name in any {
        plain.extend((0..9).map(|index| call(name, vec![column(index)])));
    }
    plain.push(call("p99", vec![column(DURATION)]));
    plain.push(call("approx_median", vec![column(DURATION)]));
    for name in ["median", "p50", "p90", "p95", "p99", "approx_median"] {
        plain.push(call(name, vec![column(DOUBLE)]));
    }
    for name in [
        "quantile",
        "percentile_cont",
        "approx_quantile",
        "approx_percentile_cont",
    ] {
        plain.push(call(name, vec![column(DOUBLE), half.clone()]));
    }
    for name in ["var", "var_pop", "stddev", "stddev_pop"] {
        plain.push(call(name, vec![column(DOUBLE)]));
    }
    for name in [
        "corr",
        "covar_samp",
        "covar_pop",
        "regr_slope",
        "regr_intercept",
        "regr_count",
        "regr_r2",
        "regr_avgx",
        "regr_avgy",
        "regr_sxx",
        "regr_syy",
        "regr_sxy",
    ] {
        plain.push(call(name, vec![column(DOUBLE), column(OTHER_DOUBLE)]));
    }
    let mut calls = plain.clone();
    calls.extend(plain.iter().cloned().map(|call| AggregateSpec {
        distinct: true,
        ..call
    }));
    let ordered = [
        "first_value",
        "last_value",
        "nth_value",
        "array_agg",
        "string_agg",
        "any_value",
    ];
    let descending = SortOptions::new(true, true);
    for call in plain
        .into_iter()
        .filter(|call| ordered.contains(&call.function.name()))
    {
        let order_by = vec![(TEXT, descending), (DOUBLE, SortOptions::default())];
        calls.push(AggregateSpec {
            ignore_nulls: true,
            ..call.clone()
        });
        calls.push(AggregateSpec { order_by, ..call });
    }
    calls
}

#[test]
fn every_registered_aggregate_is_called() {
    let called: Vec<String> = calls()
        .iter()
        .map(|c| c.function.name().to_owned())
        .collect();
    for function in aggregates().functions() {
        assert!(
            called.iter().any(|name| name == function.name()),
            "{}",
            function.name()
        );
    }
    calls().iter().for_each(|call| {
        create(call).expect(&call.display);
    });
}

fn input(spec: &AggregateSpec, all: &[ArrayRef], rows: &[u32], filtered: bool) -> AggregateInput {
    let indices = UInt32Array::from(rows.to_vec());
    let pick = |index: usize| take(&all[index], &indices, None).expect("rows exist");
    let column_of = |argument: &Argument| match argument {
        Argument::Column(index) => Some(pick(*index)),
        Argument::Literal(_) => None,
    };
    let filter = pick(CONDITION);
    AggregateInput {
        rows: None,
        arguments: spec.arguments.iter().filter_map(column_of).collect(),
        order_by: spec
            .order_by
            .iter()
            .map(|(index, _)| pick(*index))
            .collect(),
        filter: filtered.then(|| {
            filter
                .as_any()
                .downcast_ref::<BooleanArray>()
                .expect("is")
                .clone()
        }),
        positions: rows.iter().map(|&row| u64::from(row)).collect(),
    }
}

fn bytes(column: &ArrayRef) -> Vec<Vec<u8>> {
    let converter =
        RowConverter::new(vec![SortField::new(column.data_type().clone())]).expect("rows");
    let rows = converter
        .convert_columns(std::slice::from_ref(column))
        .expect("rows");
    rows.iter().map(|row| row.data().to_vec()).collect()
}

const GROUPS: usize = 3;

fn group_of(row: u32) -> u32 {
    row * 7 % 5 % GROUPS as u32
}

/// The states of some rows, in batches of `batch` rows.
fn states(
    spec: &AggregateSpec,
    all: &[ArrayRef],
    rows: &[u32],
    batch: usize,
    filtered: bool,
) -> Box<dyn GroupAggregate> {
    let mut states = create(spec).expect(&spec.display);
    states.resize(GROUPS);
    for rows in rows.chunks(batch.max(1)) {
        let groups: Vec<u32> = rows.iter().map(|&row| group_of(row)).collect();
        states
            .update(&input(spec, all, rows, filtered), &groups)
            .expect(&spec.display);
    }
    states
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn cuts_and_merges_do_not_show(
        seeds in prop::collection::vec(any::<u8>(), 0..40),
        batch in 1usize..8,
        pieces in 1usize..5,
        picks in prop::collection::vec(any::<prop::sample::Index>(), 12),
        filtered in any::<bool>(),
    ) {
        let all = columns(&seeds);
        let rows: Vec<u32> = (0..seeds.len() as u32).collect();
        for spec in calls() {
            let whole = states(&spec, &all, &rows, usize::MAX, filtered);
            let expected = whole.evaluate(&[2, 0, 1]).expect(&spec.display);
            prop_assert_eq!(expected.data_type(), spec.output.data_type(), "{}", &spec.display);
            let size = rows.len().div_ceil(pieces).max(1);
            let mut parts: Vec<_> = (rows.chunks(size))
                .map(|rows| states(&spec, &all, rows, batch, filtered))
                .collect();
            if parts.is_empty() {
                parts.push(states(&spec, &all, &[], batch, filtered));
            }
            let mut picks = picks.iter().cycle();
            while parts.len() > 1 {
                let pick = picks.next().expect("endless");
                let from = parts.remove(pick.index(parts.len()));
                let into = pick.index(parts.len());
                // Through groups of their own, so that moving a group is covered too.
                parts[into].resize(2 * GROUPS);
                parts[into].merge(&*from, &[3, 4, 5]).expect(&spec.display);
                for group in 0..GROUPS as u32 {
                    parts[into].merge_group(group + 3, group).expect(&spec.display);
                }
                let smaller = states(&spec, &all, &[], batch, filtered);
                let mut fresh = smaller;
                fresh.merge(&*parts[into], &[0, 1, 2, 0, 1, 2]).expect(&spec.display);
                parts[into] = fresh;
            }
            let found = parts[0].evaluate(&[2, 0, 1]).expect(&spec.display);
            prop_assert_eq!(bytes(&expected), bytes(&found), "{} {:?} {:?}", &spec.display, expected, found);
            parts[0].reset(&[1]);
            let empty = create(&spec).map(|mut states| { states.resize(1); states }).expect(&spec.display);
            let after = parts[0].evaluate(&[1]).expect(&spec.display);
            prop_assert_eq!(bytes(&after), bytes(&empty.evaluate(&[0]).expect(&spec.display)));
        }
    }
}

/// The value of a call over all rows of one group.
fn value(spec: &AggregateSpec, all: &[ArrayRef]) -> String {
    let rows: Vec<u32> = (0..all[0].len() as u32).collect();
    let mut states = create(spec).expect(&spec.display);
    states.resize(1);
    states
        .update(&input(spec, all, &rows, false), &vec![0; rows.len()])
        .expect(&spec.display);
    let column = states.evaluate(&[0]).expect(&spec.display);
    if column.is_null(0) {
        "NULL".to_owned()
    } else {
        array_value_to_string(&column, 0).expect("text")
    }
}

#[test]
fn values() {
    let rows: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from(vec![Some(1), Some(2), None, Some(2)])),
        Arc::new(Float64Array::from(vec![
            Some(-0.0),
            Some(f64::NAN),
            None,
            Some(0.3),
        ])),
        Arc::new(StringViewArray::from(vec![
            Some("b"),
            None,
            Some("a"),
            Some("c"),
        ])),
        Arc::new(BooleanArray::from(vec![
            Some(true),
            Some(false),
            None,
            Some(true),
        ])),
        Arc::new(
            TimestampMicrosecondArray::from(vec![Some(0), None, Some(5), Some(4)])
                .with_timezone("UTC"),
        ),
        Arc::new(
            Decimal128Array::from(vec![Some(100), Some(101), None, Some(105)])
                .with_precision_and_scale(10, 2)
                .expect("fits"),
        ),
        Arc::new(DurationMicrosecondArray::from(vec![
            Some(3),
            None,
            Some(5),
            Some(4),
        ])),
        Arc::new(Float64Array::from(vec![1.0, 2.0, 3.0, 4.0])),
        Arc::new(UInt64Array::from(vec![u64::MAX, u64::MAX, 0, 0])),
    ];
    let check = |spec: AggregateSpec, expected: &str| {
        assert_eq!(
            value(&spec, &rows),
            expected,
            "{} {}",
            spec.display,
            spec.distinct
        );
    };
    let plain = |name, index| call(name, vec![column(index)]);
    let distinct = |call| AggregateSpec {
        distinct: true,
        ..call
    };
    let by = |call, index, descending| AggregateSpec {
        order_by: vec![(index, SortOptions::new(descending, false))],
        ..call
    };
    let comma = || Argument::Literal(ScalarValue::Utf8View(Some(",".to_owned())));
    check(call("count", vec![]), "4");
    check(plain("count", INTEGER), "3");
    check(call("count", vec![column(INTEGER), column(TEXT)]), "2");
    check(distinct(plain("count", INTEGER)), "2");
    check(plain("count_if", CONDITION), "2");
    check(plain("sum", INTEGER), "5");
    check(distinct(plain("sum", INTEGER)), "3");
    check(plain("avg", INTEGER), "1.6666666666666667");
    check(plain("avg", CONDITION), "0.6666666666666666");
    check(plain("sum", CONDITION), "2");
    check(plain("sum", UNSIGNED), "NULL");
    check(plain("sum", DOUBLE), "NaN");
    check(plain("avg", OTHER_DOUBLE), "2.5");
    check(plain("sum", DECIMAL), "3.06");
    check(plain("avg", DECIMAL), "1.020000");
    check(plain("min", DOUBLE), "0.0");
    check(plain("max", DOUBLE), "NaN");
    check(plain("min", TEXT), "a");
    check(plain("max", CONDITION), "true");
    check(plain("bool_and", CONDITION), "false");
    check(plain("bit_xor", INTEGER), "1");
    check(plain("first_value", TEXT), "b");
    check(plain("last_value", TEXT), "c");
    check(by(plain("first_value", INTEGER), OTHER_DOUBLE, true), "2");
    check(
        AggregateSpec {
            ignore_nulls: true,
            ..by(plain("first_value", TEXT), OTHER_DOUBLE, false)
        },
        "b",
    );
    check(call("arg_max", vec![column(TEXT), column(DECIMAL)]), "c");
    check(call("arg_min", vec![column(INTEGER), column(DOUBLE)]), "1");
    check(call("string_agg", vec![column(TEXT), comma()]), "b,a,c");
    check(
        by(call("string_agg", vec![column(TEXT), comma()]), TEXT, true),
        "c,b,a",
    );
    check(distinct(plain("array_agg", INTEGER)), "[1, 2, ]");
    check(plain("median", OTHER_DOUBLE), "2.5");
    check(plain("p90", OTHER_DOUBLE), "3.7");
    check(
        call("quantile", vec![column(OTHER_DOUBLE), number(0.25)]),
        "1.75",
    );
    check(
        by(
            call("percentile_cont", vec![column(OTHER_DOUBLE), number(0.25)]),
            OTHER_DOUBLE,
            true,
        ),
        "3.25",
    );
    check(plain("p90", DURATION), "PT0.000004S");
    check(plain("approx_median", OTHER_DOUBLE), "2.5");
    check(plain("approx_distinct", TEXT), "3");
    check(plain("var", OTHER_DOUBLE), "1.6666666666666667");
    check(
        call(
            "regr_slope",
            vec![column(OTHER_DOUBLE), column(OTHER_DOUBLE)],
        ),
        "1.0",
    );
    let overflowed = |spec: AggregateSpec, expected| {
        let mut states = create(&spec).expect(&spec.display);
        states.resize(2);
        (states.update(&input(&spec, &rows, &[0, 1], false), &[0, 0])).expect(&spec.display);
        assert_eq!(
            [states.overflowed(0), states.overflowed(1)],
            expected,
            "{}",
            spec.display
        );
    };
    overflowed(plain("sum", UNSIGNED), [true, false]);
    overflowed(plain("avg", UNSIGNED), [false, false]);
    overflowed(plain("sum", DOUBLE), [false, false]);
    overflowed(plain("sum", DECIMAL), [false, false]);
    let bad = call("quantile", vec![column(DOUBLE), number(2.0)]);
    assert!(
        create(&bad)
            .err()
            .is_some_and(|error| error.message().contains("no quantile"))
    );
}
