//! The queries that the reference knows, as data, as SQL, and read back from SQL.
//!
//! ```text
//! SELECT window_start, window_end, k, count(*) AS n, sum(v) FILTER (WHERE g = 1) AS sf
//! FROM TABLE(HOP(TABLE t, DESCRIPTOR(ts), INTERVAL '3' SECOND, INTERVAL '9' SECOND)) WHERE g <> 2
//! GROUP BY window_start, window_end, k HAVING count(*) > 1
//! ```
//!
//! Reading back exists for the file of Flink's results, whose queries have this shape, and proves itself
//! on every generated query: what was read prints the same.

use std::fmt;

/// A windowed aggregate over `t (ts TIMESTAMP(3), k STRING, g BIGINT, v BIGINT, d DOUBLE)`.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// The window.
    pub window: Window,
    /// `WHERE`.
    pub filter: Option<Condition>,
    /// The keys behind the window's bounds, `k` or `g`.
    pub keys: Vec<String>,
    /// The aggregates.
    pub calls: Vec<Call>,
    /// `HAVING count(*) > n`.
    pub having: Option<u64>,
}

/// A window; all lengths in milliseconds.
#[derive(Debug, Clone, PartialEq)]
pub enum Window {
    /// One after the other.
    Tumble { size: i64, offset: i64 },
    /// One every `slide`.
    Hop { slide: i64, size: i64, offset: i64 },
    /// Growing by `step` up to `size`.
    Cumulate { step: i64, size: i64, offset: i64 },
    /// Rows at most `gap` apart, per key.
    Session { keys: Vec<String>, gap: i64 },
    /// Every `size` rows per key, moved on by `slide`.
    Count {
        keys: Vec<String>,
        size: usize,
        slide: usize,
    },
}

/// An aggregate call.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// `count`, `sum`, `avg`, `min` or `max`.
    pub function: String,
    /// The column, `None` for `count(*)`.
    pub argument: Option<String>,
    /// `DISTINCT`.
    pub distinct: bool,
    /// `FILTER (WHERE …)`.
    pub filter: Option<Condition>,
    /// The name of the result.
    pub alias: String,
}

/// A condition on a row.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// `v IS NOT NULL`.
    Known(String),
    /// `v > 5`: `=`, `<>`, `<`, `>` with a whole number.
    Compare(String, String, i64),
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Condition::Known(column) => write!(f, "{column} IS NOT NULL"),
            Condition::Compare(column, operator, number) => {
                write!(f, "{column} {operator} {number}")
            }
        }
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let argument = self.argument.as_deref().unwrap_or("*");
        let distinct = if self.distinct { "DISTINCT " } else { "" };
        write!(f, "{}({distinct}{argument})", self.function)?;
        if let Some(filter) = &self.filter {
            write!(f, " FILTER (WHERE {filter})")?;
        }
        write!(f, " AS {}", self.alias)
    }
}

/// `INTERVAL '5' SECOND`, `INTERVAL '0.25' SECOND`, `INTERVAL -'3' SECOND`.
struct Interval(i64);

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let (seconds, rest) = (self.0.abs() / 1000, self.0.abs() % 1000);
        if rest == 0 {
            write!(f, "INTERVAL {sign}'{seconds}' SECOND")
        } else {
            write!(f, "INTERVAL {sign}'{seconds}.{rest:03}' SECOND")
        }
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let partition = |keys: &[String]| match keys {
            [] => String::new(),
            [key] => format!(" PARTITION BY {key}"),
            keys => format!(" PARTITION BY ({})", keys.join(", ")),
        };
        let (call, lengths, offset) = match self {
            Window::Tumble { size, offset } => ("TUMBLE", vec![*size], *offset),
            Window::Hop {
                slide,
                size,
                offset,
            } => ("HOP", vec![*slide, *size], *offset),
            Window::Cumulate { step, size, offset } => ("CUMULATE", vec![*step, *size], *offset),
            Window::Session { keys, gap } => {
                let partition = partition(keys);
                return write!(
                    f,
                    "SESSION(TABLE t{partition}, DESCRIPTOR(ts), {})",
                    Interval(*gap)
                );
            }
            Window::Count { keys, size, slide } => {
                write!(f, "COUNT_WINDOW(TABLE t{}, {size}", partition(keys))?;
                return if slide == size {
                    write!(f, ")")
                } else {
                    write!(f, ", {slide})")
                };
            }
        };
        write!(f, "{call}(TABLE t, DESCRIPTOR(ts)")?;
        for length in lengths.into_iter().chain((offset != 0).then_some(offset)) {
            write!(f, ", {}", Interval(length))?;
        }
        write!(f, ")")
    }
}

impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bounds = ["window_start".to_string(), "window_end".to_string()];
        let keys: Vec<String> = bounds
            .into_iter()
            .chain(self.keys.iter().cloned())
            .collect();
        let calls = self.calls.iter().map(|call| format!(", {call}"));
        write!(f, "SELECT {}{}", keys.join(", "), calls.collect::<String>())?;
        write!(f, " FROM TABLE({})", self.window)?;
        if let Some(filter) = &self.filter {
            write!(f, " WHERE {filter}")?;
        }
        write!(f, " GROUP BY {}", keys.join(", "))?;
        if let Some(n) = self.having {
            write!(f, " HAVING count(*) > {n}")?;
        }
        Ok(())
    }
}

impl Query {
    /// The names of the result's columns.
    pub fn columns(&self) -> Vec<&str> {
        let calls = self.calls.iter().map(|call| call.alias.as_str());
        (["window_start", "window_end"].into_iter())
            .chain(self.keys.iter().map(String::as_str))
            .chain(calls)
            .collect()
    }

    /// Reads what `Display` prints; `None` for any other SQL.
    pub fn read(sql: &str) -> Option<Query> {
        let rest = sql.strip_prefix("SELECT window_start, window_end")?;
        let (items, rest) = rest.split_once(" FROM TABLE(")?;
        let (window, rest) = rest.split_once("))")?;
        let (rest, having) = match rest.split_once(" HAVING count(*) > ") {
            Some((rest, n)) => (rest, Some(n.parse().ok()?)),
            None => (rest, None),
        };
        let (filter, keys) = rest.split_once(" GROUP BY window_start, window_end")?;
        let filter = match filter.strip_prefix(" WHERE ") {
            Some(text) => Some(read_condition(text)?),
            None => None,
        };
        let keys: Vec<String> = keys.split(", ").skip(1).map(str::to_string).collect();
        let calls = (items.split(", ").skip(1 + keys.len()))
            .map(read_call)
            .collect::<Option<_>>()?;
        let query = Query {
            window: read_window(window)?,
            filter,
            keys,
            calls,
            having,
        };
        (query.to_string() == sql).then_some(query)
    }
}

fn read_condition(text: &str) -> Option<Condition> {
    if let Some(column) = text.strip_suffix(" IS NOT NULL") {
        return Some(Condition::Known(column.to_string()));
    }
    let words: Vec<&str> = text.split(' ').collect();
    let [column, operator, number] = words[..] else {
        return None;
    };
    Some(Condition::Compare(
        column.to_string(),
        operator.to_string(),
        number.parse().ok()?,
    ))
}

fn read_call(text: &str) -> Option<Call> {
    let (text, alias) = text.split_once(" AS ")?;
    let (text, filter) = match text.split_once(" FILTER (WHERE ") {
        Some((text, filter)) => (text, Some(read_condition(filter.strip_suffix(')')?)?)),
        None => (text, None),
    };
    let (function, argument) = text.strip_suffix(')')?.split_once('(')?;
    let plain = argument.strip_prefix("DISTINCT ");
    Some(Call {
        function: function.to_string(),
        argument: (argument != "*").then(|| plain.unwrap_or(argument).to_string()),
        distinct: plain.is_some(),
        filter,
        alias: alias.to_string(),
    })
}

fn read_window(text: &str) -> Option<Window> {
    let (name, arguments) = text.split_once("(TABLE t")?;
    let (keys, arguments) = match arguments.strip_prefix(" PARTITION BY ") {
        None => (Vec::new(), arguments.strip_prefix(", ")?),
        Some(rest) => {
            let (keys, rest) = match rest.strip_prefix('(') {
                Some(rest) => rest.split_once("), ")?,
                None => rest.split_once(", ")?,
            };
            (keys.split(", ").map(str::to_string).collect(), rest)
        }
    };
    if name == "COUNT_WINDOW" {
        let numbers: Vec<usize> = (arguments.trim_end_matches(')').split(", "))
            .map(|n| n.parse().ok())
            .collect::<Option<_>>()?;
        let (size, slide) = (*numbers.first()?, *numbers.last()?);
        return Some(Window::Count { keys, size, slide });
    }
    let lengths = arguments.strip_prefix("DESCRIPTOR(ts), ")?;
    let lengths: Vec<i64> = lengths
        .split(", ")
        .map(read_interval)
        .collect::<Option<_>>()?;
    Some(match (name, &lengths[..]) {
        ("TUMBLE", &[size]) => Window::Tumble { size, offset: 0 },
        ("TUMBLE", &[size, offset]) => Window::Tumble { size, offset },
        ("HOP", &[slide, size]) => Window::Hop {
            slide,
            size,
            offset: 0,
        },
        ("HOP", &[slide, size, offset]) => Window::Hop {
            slide,
            size,
            offset,
        },
        ("CUMULATE", &[step, size]) => Window::Cumulate {
            step,
            size,
            offset: 0,
        },
        ("CUMULATE", &[step, size, offset]) => Window::Cumulate { step, size, offset },
        ("SESSION", &[gap]) => Window::Session { keys, gap },
        _ => return None,
    })
}

/// `INTERVAL -'2.5' SECOND` in milliseconds.
pub fn read_interval(text: &str) -> Option<i64> {
    let text = text.strip_prefix("INTERVAL ")?.strip_suffix("' SECOND")?;
    let (sign, text) = match text.strip_prefix('-') {
        Some(text) => (-1, text),
        None => (1, text),
    };
    let text = text.strip_prefix('\'')?;
    // Flink's own tests write the sign inside the quotes.
    let (sign, text) = text
        .strip_prefix('-')
        .map_or((sign, text), |text| (-sign, text));
    let seconds: f64 = text.parse().ok()?;
    Some(sign * (seconds * 1000.0).round() as i64)
}
