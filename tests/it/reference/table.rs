//! The rows of the reference's one table, and values as the program prints them.
//!
//! `t (ts TIMESTAMP(3), k STRING, g BIGINT, v BIGINT, d DOUBLE)`; times are milliseconds since 1970.

use serde_json::{Value as Json, json};

/// A row of `t`.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// When it happened.
    pub ts: Time,
    /// A key.
    pub k: Option<String>,
    /// A small key.
    pub g: Option<i64>,
    /// A number.
    pub v: Option<i64>,
    /// A number of quarters.
    pub d: Option<f64>,
}

/// What stands in the time column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Time {
    /// A time, ms since 1970.
    Known(i64),
    /// NULL.
    Null,
    /// A text that is no time.
    Unreadable,
}

/// A value of a row or a result.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// NULL.
    Null,
    /// BIGINT.
    Integer(i64),
    /// DOUBLE.
    Double(f64),
    /// STRING.
    Text(String),
    /// TIMESTAMP(3).
    Time(i64),
}

impl Row {
    /// The value of a column.
    pub fn value(&self, column: &str) -> Value {
        match column {
            "k" => self.k.clone().map_or(Value::Null, Value::Text),
            "g" => self.g.map_or(Value::Null, Value::Integer),
            "v" => self.v.map_or(Value::Null, Value::Integer),
            _ => self.d.map_or(Value::Null, Value::Double),
        }
    }

    /// The row as a line of NDJSON.
    pub fn json(&self) -> String {
        let ts = match self.ts {
            Time::Known(time) => json!(time_text(time)),
            Time::Null => Json::Null,
            Time::Unreadable => json!("yesterday"),
        };
        json!({"ts": ts, "k": self.k, "g": self.g, "v": self.v, "d": self.d}).to_string()
    }

    /// A row from an object of JSON.
    pub fn from_json(object: &Json) -> Option<Row> {
        let ts = match &object["ts"] {
            Json::Null => Time::Null,
            text => time_of(text.as_str()?).map_or(Time::Unreadable, Time::Known),
        };
        Some(Row {
            ts,
            k: object["k"].as_str().map(str::to_string),
            g: object["g"].as_i64(),
            v: object["v"].as_i64(),
            d: object["d"].as_f64(),
        })
    }
}

impl Value {
    /// The order of `min` and `max`.
    pub fn less(&self, other: &Value) -> bool {
        match (self, other) {
            (Value::Integer(a), Value::Integer(b)) => a < b,
            (Value::Double(a), Value::Double(b)) => a < b,
            (Value::Text(a), Value::Text(b)) => a.as_bytes() < b.as_bytes(),
            _ => false,
        }
    }

    /// The value as a field of csv.
    pub fn csv(&self) -> String {
        match self {
            Value::Null => String::new(),
            Value::Integer(n) => n.to_string(),
            Value::Double(x) if *x == 0.0 => "0".to_string(),
            Value::Double(x) => x.to_string(),
            Value::Time(time) => time_text(*time),
            Value::Text(text) if text.is_empty() || text.contains([',', '"', '\n', '\r']) => {
                format!("\"{}\"", text.replace('"', "\"\""))
            }
            Value::Text(text) => text.clone(),
        }
    }
}

/// Rows with a header as csv.
pub fn csv(columns: &[&str], rows: &[Vec<Value>]) -> String {
    let mut text = columns.join(",") + "\n";
    for row in rows {
        let fields: Vec<String> = row.iter().map(Value::csv).collect();
        text.push_str(&fields.join(","));
        text.push('\n');
    }
    text
}

/// ISO 8601; a fraction only where it is not zero.
pub fn time_text(time: i64) -> String {
    let moment =
        chrono::DateTime::from_timestamp_millis(time).expect("the data is near 1970 and 2024");
    let fraction = if time.rem_euclid(1000) == 0 {
        ""
    } else {
        "%.3f"
    };
    moment
        .format(&format!("%Y-%m-%dT%H:%M:%S{fraction}"))
        .to_string()
}

/// The inverse of [`time_text`], for any number of digits.
pub fn time_of(text: &str) -> Option<i64> {
    let moment = chrono::NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f").ok()?;
    Some(moment.and_utc().timestamp_millis())
}
