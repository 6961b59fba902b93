//! SQL's names of the column types, in both directions: `BIGINT` is `Int64`, `TIMESTAMP(3)` is milliseconds.
//!
//! Invariant: [`parse_type`] takes whatever [`type_name`] prints, and gives the same type (but for the zone
//! of an instant, which is `UTC` until the caller puts its own).

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Fields, TimeUnit};

use super::quoted_name;
use crate::error::{Error, Result};
use crate::time::Unit;

/// How deep types lie in others at most, as values do.
const DEEPEST: usize = 128;

/// The names that [`parse_type`] knows, without arguments.
const NAMES: [&str; 30] = [
    "BOOLEAN",
    "BOOL",
    "TINYINT",
    "SMALLINT",
    "INT",
    "INTEGER",
    "BIGINT",
    "FLOAT",
    "REAL",
    "DOUBLE",
    "DOUBLE PRECISION",
    "DECIMAL",
    "NUMERIC",
    "STRING",
    "VARCHAR",
    "CHAR",
    "TEXT",
    "BYTES",
    "BINARY",
    "VARBINARY",
    "DATE",
    "TIME",
    "TIMESTAMP",
    "TIMESTAMP_LTZ",
    "TIMESTAMP WITH TIME ZONE",
    "TIMESTAMPTZ",
    "TINYINT UNSIGNED",
    "SMALLINT UNSIGNED",
    "INT UNSIGNED",
    "BIGINT UNSIGNED",
];

/// The type that an SQL name such as `DECIMAL(10, 2)` stands for, ignoring case.
pub fn parse_type(text: &str) -> Result<DataType> {
    parse_at(text, 0)
}

fn parse_at(text: &str, depth: usize) -> Result<DataType> {
    if depth > DEEPEST {
        return Err(Error::usage("a type lies too deep in others")
            .help(format!("values lie at most {DEEPEST} deep in others")));
    }
    if let Some((kind, inside)) = angled(text) {
        return parse_nested(text, &kind, inside, depth + 1);
    }
    let (name, arguments) = split_arguments(text).ok_or_else(|| {
        Error::usage(format!("`{text}` is no type"))
            .help("a type is a name such as BIGINT or DECIMAL(10, 2)")
    })?;
    let takes = match name.as_str() {
        "DECIMAL" | "NUMERIC" => 2,
        "VARCHAR" | "CHAR" | "STRING" | "BINARY" | "VARBINARY" | "FLOAT" => 1,
        "TIME" | "TIMESTAMP" | "TIMESTAMP_LTZ" | "TIMESTAMPTZ" | "TIMESTAMP WITH TIME ZONE" => 1,
        _ => 0,
    };
    if arguments.len() > takes {
        return Err(Error::usage(format!("`{text}` has too many arguments")));
    }
    let first = arguments.first().copied();
    Ok(match name.as_str() {
        "BOOLEAN" | "BOOL" => DataType::Boolean,
        "TINYINT" => DataType::Int8,
        "SMALLINT" => DataType::Int16,
        "INT" | "INTEGER" => DataType::Int32,
        "BIGINT" => DataType::Int64,
        "TINYINT UNSIGNED" => DataType::UInt8,
        "SMALLINT UNSIGNED" => DataType::UInt16,
        "INT UNSIGNED" | "INTEGER UNSIGNED" => DataType::UInt32,
        "BIGINT UNSIGNED" => DataType::UInt64,
        "FLOAT" if first.is_some_and(|bits| bits > 24) => DataType::Float64,
        "FLOAT" | "REAL" => DataType::Float32,
        "DOUBLE" | "DOUBLE PRECISION" => DataType::Float64,
        "DECIMAL" | "NUMERIC" => decimal_type(text, &arguments)?,
        "STRING" | "VARCHAR" | "CHAR" | "TEXT" => DataType::Utf8View,
        "BYTES" | "BINARY" | "VARBINARY" => DataType::Binary,
        "DATE" => DataType::Date32,
        "TIME" if first.is_some_and(|digits| digits > 6) => DataType::Time64(TimeUnit::Nanosecond),
        "TIME" => DataType::Time64(TimeUnit::Microsecond),
        "TIMESTAMP" | "TIMESTAMP WITHOUT TIME ZONE" => timestamp_type(text, first, None)?,
        "TIMESTAMP_LTZ"
        | "TIMESTAMPTZ"
        | "TIMESTAMP WITH TIME ZONE"
        | "TIMESTAMP WITH LOCAL TIME ZONE" => timestamp_type(text, first, Some(Arc::from("UTC")))?,
        _ => return Err(unknown_type(text, &name)),
    })
}

/// `ARRAY<…>` as its first word in capitals and what stands in the angles.
fn angled(text: &str) -> Option<(String, &str)> {
    let (kind, rest) = text.trim().split_once('<')?;
    let inside = rest.strip_suffix('>')?;
    Some((kind.trim().to_ascii_uppercase(), inside))
}

fn parse_nested(text: &str, kind: &str, inside: &str, depth: usize) -> Result<DataType> {
    let parts = parts_of(inside);
    match (kind, parts.as_slice()) {
        ("ARRAY", [item]) => {
            let item = parse_at(item, depth)?;
            Ok(DataType::List(Arc::new(Field::new_list_field(item, true))))
        }
        ("MAP", [key, value]) if parse_at(key, depth)? == DataType::Utf8View => {
            let key = Field::new("key", DataType::Utf8View, false);
            let pair = Fields::from(vec![
                key,
                Field::new("value", parse_at(value, depth)?, true),
            ]);
            let entries = Field::new("entries", DataType::Struct(pair), false);
            Ok(DataType::Map(Arc::new(entries), false))
        }
        ("ROW" | "STRUCT", [_, ..]) => {
            let field = |part: &&str| {
                let (name, data_type) = field_of(part)
                    .ok_or_else(|| Error::usage(format!("`{part}` is no name with its type")))?;
                Ok(Field::new(name, parse_at(data_type, depth)?, true))
            };
            Ok(DataType::Struct(
                parts.iter().map(field).collect::<Result<_>>()?,
            ))
        }
        _ => Err(Error::usage(format!("`{text}` is no type"))
            .help("nested types are ROW<name TYPE, …>, ARRAY<TYPE> and MAP<STRING, TYPE>")),
    }
}

/// What commas part outside of brackets, angles and quotes.
fn parts_of(text: &str) -> Vec<&str> {
    let (mut depth, mut quoted) = (0_i64, false);
    let is_between = |character: char| {
        quoted ^= character == '"';
        match character {
            '<' | '(' if !quoted => depth += 1,
            '>' | ')' if !quoted => depth -= 1,
            _ => {}
        }
        character == ',' && depth == 0 && !quoted
    };
    text.split(is_between).map(str::trim).collect()
}

/// `name TYPE` or `"name" TYPE`.
fn field_of(text: &str) -> Option<(String, &str)> {
    let Some(rest) = text.strip_prefix('"') else {
        let (name, data_type) = text.split_once(char::is_whitespace)?;
        return Some((name.to_owned(), data_type));
    };
    let mut name = String::new();
    let mut characters = rest.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        match (character, characters.peek()) {
            ('"', Some((_, '"'))) => characters.next().map(|_| name.push('"'))?,
            ('"', _) => return Some((name, &rest[at + 1..])),
            _ => name.push(character),
        }
    }
    None
}

/// The SQL name of a type, as messages and `CREATE TABLE` show it.
pub fn type_name(data_type: &DataType) -> String {
    match data_type {
        DataType::Null => "NULL".into(),
        DataType::Boolean => "BOOLEAN".into(),
        DataType::Int8 => "TINYINT".into(),
        DataType::Int16 => "SMALLINT".into(),
        DataType::Int32 => "INT".into(),
        DataType::Int64 => "BIGINT".into(),
        DataType::UInt8 => "TINYINT UNSIGNED".into(),
        DataType::UInt16 => "SMALLINT UNSIGNED".into(),
        DataType::UInt32 => "INT UNSIGNED".into(),
        DataType::UInt64 => "BIGINT UNSIGNED".into(),
        DataType::Float16 | DataType::Float32 => "FLOAT".into(),
        DataType::Float64 => "DOUBLE".into(),
        DataType::Decimal128(precision, scale) | DataType::Decimal256(precision, scale) => {
            format!("DECIMAL({precision}, {scale})")
        }
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "STRING".into(),
        DataType::Binary
        | DataType::LargeBinary
        | DataType::BinaryView
        | DataType::FixedSizeBinary(_) => "BYTES".into(),
        DataType::Date32 | DataType::Date64 => "DATE".into(),
        DataType::Time64(TimeUnit::Nanosecond) => "TIME(9)".into(),
        DataType::Time32(_) | DataType::Time64(_) => "TIME".into(),
        DataType::Timestamp(unit, zone) => {
            let name = if zone.is_some() {
                "TIMESTAMP_LTZ"
            } else {
                "TIMESTAMP"
            };
            match unit {
                TimeUnit::Second => format!("{name}(0)"),
                TimeUnit::Millisecond => format!("{name}(3)"),
                TimeUnit::Microsecond => format!("{name}(6)"),
                TimeUnit::Nanosecond => format!("{name}(9)"),
            }
        }
        DataType::Interval(_) | DataType::Duration(_) => "INTERVAL".into(),
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::ListView(item)
        | DataType::LargeListView(item)
        | DataType::FixedSizeList(item, _) => format!("ARRAY<{}>", type_name(item.data_type())),
        DataType::Struct(fields) => {
            let fields = fields
                .iter()
                .map(|f| format!("{} {}", quoted_name(f.name()), type_name(f.data_type())));
            format!("ROW<{}>", fields.collect::<Vec<_>>().join(", "))
        }
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(pair) if pair.len() == 2 => format!(
                "MAP<{}, {}>",
                type_name(pair[0].data_type()),
                type_name(pair[1].data_type())
            ),
            other => type_name(other),
        },
        DataType::Dictionary(_, values) => type_name(values),
        other => other.to_string(),
    }
}

/// `TIMESTAMP (3) with time zone` as its name in capitals with single blanks, and its arguments.
fn split_arguments(text: &str) -> Option<(String, Vec<u64>)> {
    let (before, inside, after) = match text.split_once('(') {
        None => (text, "", ""),
        Some((before, rest)) => {
            let (inside, after) = rest.split_once(')')?;
            (before, inside, after)
        }
    };
    let words: Vec<&str> = before
        .split_whitespace()
        .chain(after.split_whitespace())
        .collect();
    let name = words.join(" ").to_ascii_uppercase();
    let numbers = inside.split(',').filter(|_| !inside.trim().is_empty());
    let numbers = numbers
        .map(|n| n.trim().parse().ok())
        .collect::<Option<Vec<u64>>>()?;
    (!name.is_empty() && (numbers.is_empty() != text.contains('('))).then_some((name, numbers))
}

fn decimal_type(text: &str, arguments: &[u64]) -> Result<DataType> {
    let precision = arguments.first().copied().unwrap_or(38);
    let scale = arguments.get(1).copied().unwrap_or(0);
    match (u8::try_from(precision), i8::try_from(scale)) {
        (Ok(precision @ 1..=38), Ok(scale)) if scale as u8 <= precision => {
            Ok(DataType::Decimal128(precision, scale))
        }
        _ => Err(Error::usage(format!("`{text}` is no type"))
            .help("DECIMAL(p, s) has 1 to 38 digits, s of them after the point")),
    }
}

fn timestamp_type(text: &str, digits: Option<u64>, zone: Option<Arc<str>>) -> Result<DataType> {
    let digits = digits.unwrap_or(6);
    if digits > 9 {
        return Err(Error::usage(format!("`{text}` is no type"))
            .help("a time has at most 9 digits after the second"));
    }
    Ok(DataType::Timestamp(
        Unit::of_precision(digits).arrow(),
        zone,
    ))
}

fn unknown_type(text: &str, name: &str) -> Error {
    Error::usage(format!("`{text}` is no type"))
        .note("types: BOOLEAN, TINYINT, SMALLINT, INT, BIGINT, FLOAT, DOUBLE, DECIMAL(p, s), STRING, BYTES, DATE, TIME, TIMESTAMP(p), TIMESTAMP_LTZ(p), ROW<name TYPE, …>, ARRAY<TYPE>, MAP<STRING, TYPE>")
        .suggest(name, NAMES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        let check = |text: &str, printed: &str| {
            let parsed = parse_type(text).unwrap();
            assert_eq!(type_name(&parsed), printed, "{text}");
            assert_eq!(parse_type(printed).unwrap(), parsed, "{printed}");
        };
        check("bigint", "BIGINT");
        check("integer", "INT");
        check("double  precision", "DOUBLE");
        check("FLOAT(53)", "DOUBLE");
        check("Decimal( 10 , 2 )", "DECIMAL(10, 2)");
        check("NUMERIC", "DECIMAL(38, 0)");
        check("varchar(20)", "STRING");
        check("text", "STRING");
        check("bytes", "BYTES");
        check("TIME", "TIME");
        check("TIME(9)", "TIME(9)");
        check("TIMESTAMP", "TIMESTAMP(6)");
        check("TIMESTAMP(2)", "TIMESTAMP(3)");
        check("TIMESTAMP_LTZ(9)", "TIMESTAMP_LTZ(9)");
        check("timestamp (3) with time zone", "TIMESTAMP_LTZ(3)");
        check("bigint unsigned", "BIGINT UNSIGNED");
        check("array < int >", "ARRAY<INT>");
        check(
            "struct<a int, \"b, \"\"<c\" map<string, decimal(4, 2)>>",
            "ROW<a INT, \"b, \"\"<c\" MAP<STRING, DECIMAL(4, 2)>>",
        );
    }

    #[test]
    fn mistakes() {
        let check = |text: &str, label: Option<&str>| {
            let error = parse_type(text).unwrap_err();
            assert_eq!(error.label_text(), label, "{text}");
        };
        check("BIGNIT", Some("did you mean `BIGINT`?"));
        check("TIMSTAMP", Some("did you mean `TIMESTAMP`?"));
        check("frobnicate", None);
        for bad in [
            "",
            "(",
            "INT(",
            "INT()",
            "INT(3)",
            "DECIMAL(39)",
            "DECIMAL(2,3)",
            "TIMESTAMP(10)",
            "DECIMAL(1,2,3)",
            "ROW<>",
            "ROW<a>",
            "ROW<\"a INT>",
            "ARRAY<INT, INT>",
            "MAP<INT, INT>",
            "ARRAY<INT",
            &format!("{}INT{}", "ARRAY<".repeat(100_000), ">".repeat(100_000)),
        ] {
            check(bad, None);
        }
    }
}
