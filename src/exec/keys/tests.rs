//! What a key is, and that every kind of keys agrees with arrow's comparable rows.

use std::collections::HashMap;

use arrow::array::{
    BooleanArray, Date32Array, Decimal128Array, Int32Array, Int64Array, StringViewArray,
    TimestampMicrosecondArray, UInt64Array,
};
use arrow::datatypes::Field;
use arrow::row::{RowConverter, SortField};
use arrow::util::display::array_value_to_string;
use proptest::prelude::*;

use super::*;

fn keys_of(columns: &[ArrayRef]) -> GroupKeys {
    let field = |column: &ArrayRef| Arc::new(Field::new("k", column.data_type().clone(), true));
    GroupKeys::new(&columns.iter().map(field).collect::<Vec<FieldRef>>()).expect("comparable")
}

/// Interns the rows, twice over, and checks numbers and the values that come back.
fn check(columns: &[ArrayRef], rows: usize, ids: &[u32], values: &[&str]) {
    let mut keys = keys_of(columns);
    for _ in 0..2 {
        let mut found = Vec::new();
        keys.intern(columns, rows, &mut found).expect("interns");
        keys.intern(columns, rows, &mut found).expect("interns");
        assert_eq!(found, [ids, ids].concat());
        let all: Vec<u32> = (0..keys.len() as u32).rev().collect();
        let back = keys.columns(&all).expect("columns");
        for (column, original) in back.iter().zip(columns) {
            assert_eq!(column.data_type(), original.data_type());
        }
        let print = |row: usize| {
            let print = |column: &ArrayRef| match column.is_null(row) {
                true => "NULL".to_owned(),
                false => array_value_to_string(column, row).expect("text"),
            };
            back.iter().map(print).collect::<Vec<_>>().join(" ")
        };
        let found: Vec<String> = (0..all.len()).rev().map(print).collect();
        assert_eq!(found, values);
        keys.clear();
        assert!(keys.is_empty());
    }
}

#[test]
fn rows_get_the_number_of_their_key() {
    let integers: ArrayRef = Arc::new(Int64Array::from(vec![
        Some(7),
        None,
        Some(7),
        Some(-1),
        None,
    ]));
    let texts: ArrayRef = Arc::new(StringViewArray::from(vec![
        Some(""),
        None,
        Some("a"),
        Some(""),
        None,
    ]));
    let doubles: ArrayRef = Arc::new(Float64Array::from(vec![
        -0.0,
        f64::NAN,
        0.0,
        -f64::NAN,
        1.5,
    ]));
    let flags: ArrayRef = Arc::new(BooleanArray::from(vec![
        Some(true),
        None,
        Some(false),
        Some(true),
        None,
    ]));
    let times: ArrayRef =
        Arc::new(TimestampMicrosecondArray::from(vec![0, 1, 0, -1, 1]).with_timezone("UTC"));
    let dates: ArrayRef = Arc::new(Date32Array::from(vec![0, 1, 0, 1, 0]));
    let decimals: ArrayRef = Arc::new(
        Decimal128Array::from(vec![100, 1, 100, 1, 2])
            .with_precision_and_scale(5, 2)
            .expect("fits"),
    );
    let unsigned: ArrayRef = Arc::new(UInt64Array::from(vec![u64::MAX, 0, u64::MAX, 1, 0]));
    check(&[], 5, &[0; 5], &[""]);
    check(
        std::slice::from_ref(&integers),
        5,
        &[0, 1, 0, 2, 1],
        &["7", "NULL", "-1"],
    );
    check(
        std::slice::from_ref(&texts),
        5,
        &[0, 1, 2, 0, 1],
        &["", "NULL", "a"],
    );
    check(
        std::slice::from_ref(&doubles),
        5,
        &[0, 1, 0, 1, 2],
        &["0.0", "NaN", "1.5"],
    );
    check(&[flags], 5, &[0, 1, 2, 0, 1], &["true", "NULL", "false"]);
    check(&[dates], 5, &[0, 1, 0, 1, 0], &["1970-01-01", "1970-01-02"]);
    check(&[decimals], 5, &[0, 1, 0, 1, 2], &["1.00", "0.01", "0.02"]);
    check(
        &[unsigned],
        5,
        &[0, 1, 0, 2, 1],
        &["18446744073709551615", "0", "1"],
    );
    let expected = [
        "1970-01-01T00:00:00Z",
        "1970-01-01T00:00:00.000001Z",
        "1969-12-31T23:59:59.999999Z",
    ];
    check(&[times], 5, &[0, 1, 0, 2, 1], &expected);
    let expected = [
        "7  0.0",
        "NULL NULL NaN",
        "7 a 0.0",
        "-1  NaN",
        "NULL NULL 1.5",
    ];
    check(&[integers, texts, doubles], 5, &[0, 1, 2, 3, 4], &expected);
}

/// A column of one of the kinds, from small numbers: `None` is NULL.
fn column(kind: usize, numbers: &[Option<i64>]) -> ArrayRef {
    let numbers = numbers.iter().copied();
    let doubles = [0.0, -0.0, f64::NAN, -f64::NAN, 1.5, f64::INFINITY];
    let double = |n: i64| doubles[n.rem_euclid(6) as usize];
    let text = |n: i64| match n % 3 {
        0 => format!("{n}"),
        1 => format!("twelve {:05}", n % 50),
        _ => format!("much longer than twelve {n}"),
    };
    match kind {
        0 => Arc::new(numbers.collect::<Int64Array>()),
        1 => Arc::new(
            numbers
                .map(|n| n.map(|n| n * 1_000_003))
                .collect::<Int64Array>(),
        ),
        2 => Arc::new(
            numbers
                .map(|n| n.map(|n| i64::MIN + n))
                .collect::<Int64Array>(),
        ),
        3 => Arc::new(
            numbers
                .map(|n| n.map(|n| i64::MAX - n))
                .collect::<Int64Array>(),
        ),
        4 => Arc::new(
            numbers
                .map(|n| n.map(|n| n as i32 - 50))
                .collect::<Int32Array>(),
        ),
        5 => Arc::new(
            numbers
                .map(|n| n.map(|n| n % 2 == 0))
                .collect::<BooleanArray>(),
        ),
        6 => Arc::new(numbers.map(|n| n.map(double)).collect::<Float64Array>()),
        7 => Arc::new(
            numbers
                .map(|n| n.map(|n| double(n) as f32))
                .collect::<Float32Array>(),
        ),
        8 => Arc::new(
            numbers
                .map(|n| n.map(|n| u64::MAX - n as u64))
                .collect::<UInt64Array>(),
        ),
        9 => Arc::new(
            numbers
                .map(|n| n.map(i128::from))
                .collect::<Decimal128Array>(),
        ),
        _ => Arc::new(numbers.map(|n| n.map(text)).collect::<StringViewArray>()),
    }
}

/// The numbers of rows by arrow's comparable rows, and the first row of each.
fn reference(columns: &[ArrayRef]) -> (Vec<u32>, Vec<usize>) {
    let fields = (columns.iter()).map(|column| SortField::new(column.data_type().clone()));
    let converter = RowConverter::new(fields.collect()).expect("comparable");
    let columns: Vec<ArrayRef> = columns.iter().map(canonical).collect();
    let rows = converter.convert_columns(&columns).expect("rows");
    let mut known: HashMap<Vec<u8>, u32> = HashMap::new();
    let mut firsts = Vec::new();
    let ids = rows.iter().enumerate().map(|(number, row)| {
        let new = known.len() as u32;
        *known.entry(row.data().to_vec()).or_insert_with(|| {
            firsts.push(number);
            new
        })
    });
    (ids.collect(), firsts)
}

fn sliced(columns: &[ArrayRef], from: usize, to: usize) -> Vec<ArrayRef> {
    columns
        .iter()
        .map(|column| column.slice(from, to - from))
        .collect()
}

/// Rows of up to four columns: the kinds, and the numbers that the values are made of.
fn random_columns() -> impl Strategy<Value = Vec<ArrayRef>> {
    let kinds = prop::collection::vec(0usize..12, 1..=4);
    (kinds, 1usize..300, 1i64..400).prop_flat_map(|(kinds, rows, range)| {
        let number = prop::option::weighted(0.9, 0..range);
        let numbers = prop::collection::vec(prop::collection::vec(number, rows), kinds.len());
        numbers.prop_map(move |numbers| {
            let columns = kinds.iter().zip(&numbers);
            columns
                .map(|(&kind, numbers)| column(kind, numbers))
                .collect()
        })
    })
}

proptest! {
    #[test]
    fn numbers_are_those_of_comparable_rows(
        columns in random_columns(),
        cut in any::<prop::sample::Index>(),
    ) {
        let rows = columns[0].len();
        let (expected, firsts) = reference(&columns);
        let cut = cut.index(rows);
        let mut keys = keys_of(&columns);
        for _ in 0..2 {
            let mut found = Vec::new();
            keys.intern(&sliced(&columns, 0, cut), cut, &mut found).expect("interns");
            keys.intern(&sliced(&columns, cut, rows), rows - cut, &mut found).expect("interns");
            prop_assert_eq!(&found, &expected);
            prop_assert_eq!(keys.len(), firsts.len());
            let all: Vec<u32> = (0..keys.len() as u32).collect();
            let back = keys.columns(&all).expect("columns");
            let first_rows = arrow::array::UInt32Array::from_iter_values(firsts.iter().map(|&row| row as u32));
            for (back, column) in back.iter().zip(&columns) {
                let first = arrow::compute::take(&canonical(column), &first_rows, None).expect("rows");
                prop_assert_eq!(back.to_data(), first.to_data());
            }
            keys.clear();
        }
    }

    #[test]
    fn merged_keys_have_the_numbers_of_all_rows(
        columns in random_columns(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..3),
    ) {
        let rows = columns[0].len();
        let (expected, _) = reference(&columns);
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(rows)).collect();
        cuts.extend([0, rows]);
        cuts.sort_unstable();
        let mut merged = keys_of(&columns);
        for part in cuts.windows(2) {
            let mut keys = keys_of(&columns);
            let (mut own, mut numbers) = (Vec::new(), Vec::new());
            let columns = sliced(&columns, part[0], part[1]);
            keys.intern(&columns, part[1] - part[0], &mut own).expect("interns");
            merged.intern_from(&keys, &mut numbers);
            let found: Vec<u32> = own.iter().map(|&id| numbers[id as usize]).collect();
            prop_assert_eq!(&found, &expected[part[0]..part[1]]);
        }
    }
}
