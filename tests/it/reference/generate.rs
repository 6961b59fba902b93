//! Random data and queries: rows out of order, doubled, without key or time, from the future and from
//! before 1970; windows whose slide does not divide their size; all of it from a seed.

use super::query::{Call, Condition, Query, Window};
use super::rules::Settings;
use super::table::{Row, Time};
use crate::random::Random;

/// A query, its settings and its data.
#[derive(Debug, Clone)]
pub struct Example {
    /// The query.
    pub query: Query,
    /// What it is run with.
    pub settings: Settings,
    /// Whether DDL declares the watermark (then jumps are believed).
    pub declared: bool,
    /// The rows in arrival order.
    pub rows: Vec<Row>,
}

/// The example of a seed.
pub fn example(seed: u64) -> Example {
    let random = &mut Random::new(seed);
    let query = query(random);
    let declared = random.one_in(3);
    let mut settings = Settings {
        delay: *random.pick(&[0, 1000, 1500, 2000, 5000, 30_000]),
        max_jump: *random.pick(&[0, 20_000, 60_000, 86_400_000, 86_400_000]),
    };
    let rows = rows(random, &settings);
    if declared {
        settings.max_jump = 0;
    }
    if settings.max_jump > 0 && settings.delay == 0 {
        // Without delay a first row from the future can close its own window before it is found out.
        settings.delay = 1000;
    }
    Example {
        query,
        settings,
        declared,
        rows,
    }
}

impl Example {
    /// The SQL script.
    pub fn sql(&self) -> String {
        let Settings { delay, .. } = self.settings;
        let watermark = if self.declared {
            format!(
                ", WATERMARK FOR ts AS ts - INTERVAL '{}' SECOND",
                delay as f64 / 1000.0
            )
        } else {
            String::new()
        };
        let columns = "ts TIMESTAMP(3), k STRING, g BIGINT, v BIGINT, d DOUBLE";
        format!(
            "CREATE TABLE t ({columns}{watermark}) WITH (path = '-', format = 'ndjson');\n{};\n",
            self.query
        )
    }

    /// The flags.
    pub fn flags(&self) -> Vec<String> {
        if self.declared {
            return Vec::new();
        }
        let Settings { delay, max_jump } = self.settings;
        let jump = if max_jump == 0 {
            "0".to_string()
        } else {
            format!("{max_jump}ms")
        };
        [
            "--delay".to_string(),
            format!("{delay}ms"),
            "--max-jump".to_string(),
            jump,
        ]
        .to_vec()
    }

    /// The rows as NDJSON.
    pub fn input(&self) -> Vec<u8> {
        self.rows
            .iter()
            .flat_map(|row| (row.json() + "\n").into_bytes())
            .collect()
    }
}

fn query(random: &mut Random) -> Query {
    let sizes = [1000, 2000, 3000, 5000, 7000, 10_000, 60_000];
    let offset = *random.pick(&[0, 0, 0, 1000, 2000, -3000, 58_000, 500]);
    let window = match random.below(6) {
        0 | 1 => Window::Tumble {
            size: *random.pick(&sizes),
            offset,
        },
        2 => {
            let size = *random.pick(&sizes);
            let slide = 1000 * random.between(1..size / 1000 + 1);
            Window::Hop {
                slide: slide.max(size / 12),
                size,
                offset,
            }
        }
        3 => {
            let step = *random.pick(&[1000, 2000, 5000]);
            Window::Cumulate {
                step,
                size: step * random.between(1..7),
                offset,
            }
        }
        4 => Window::Session {
            keys: keys(random),
            gap: *random.pick(&[500, 1000, 2000, 5000]),
        },
        _ => {
            let size = 1 + random.below(6);
            let slide = if random.one_in(2) {
                size
            } else {
                1 + random.below(size)
            };
            Window::Count {
                keys: keys(random),
                size,
                slide,
            }
        }
    };
    let mut group_keys = match &window {
        Window::Session { keys, .. } | Window::Count { keys, .. } => keys.clone(),
        _ => Vec::new(),
    };
    for key in keys(random) {
        if !group_keys.contains(&key) {
            group_keys.push(key);
        }
    }
    let counts_rows = matches!(window, Window::Count { .. });
    Query {
        window,
        // Which rows COUNT_WINDOW numbers is another question; here it numbers all.
        filter: (!counts_rows && random.one_in(2)).then(|| condition(random)),
        keys: group_keys,
        calls: (0..1 + random.below(5)).map(|n| call(random, n)).collect(),
        having: random.one_in(4).then(|| random.below(3) as u64),
    }
}

fn keys(random: &mut Random) -> Vec<String> {
    let choices: [&[&str]; 5] = [&[], &["k"], &["g"], &["k", "g"], &["g", "k"]];
    random
        .pick(&choices)
        .iter()
        .map(ToString::to_string)
        .collect()
}

fn condition(random: &mut Random) -> Condition {
    let column = random.pick(&["g", "v"]).to_string();
    match random.below(4) {
        0 => Condition::Known(random.pick(&["k", "g", "v", "d"]).to_string()),
        1 => Condition::Compare(column, "<>".to_string(), random.between(0..3)),
        2 => Condition::Compare(column, "=".to_string(), random.between(0..3)),
        _ => Condition::Compare(
            "v".to_string(),
            random.pick(&["<", ">"]).to_string(),
            random.between(-9..9),
        ),
    }
}

fn call(random: &mut Random, number: usize) -> Call {
    let (function, columns, distinct): (&str, &[&str], bool) = *random.pick(&[
        ("count", &[] as &[&str], false),
        ("count", &["k", "g", "v", "d"], false),
        ("count", &["k", "g", "v"], true),
        ("sum", &["g", "v", "d"], false),
        ("sum", &["g", "v"], true),
        ("avg", &["v", "d"], false),
        ("min", &["k", "v", "d"], false),
        ("max", &["k", "v", "d"], false),
    ]);
    let argument = (!columns.is_empty()).then(|| random.pick(columns).to_string());
    Call {
        function: function.to_string(),
        argument,
        distinct,
        filter: random.one_in(4).then(|| condition(random)),
        alias: format!("a{number}"),
    }
}

fn rows(random: &mut Random, settings: &Settings) -> Vec<Row> {
    let start = *random.pick(&[
        1_767_225_600_000,
        1_709_251_080_000,
        -20_000,
        -1_000_000_123,
        0,
    ]);
    let pace = *random.pick(&[50, 400, 1000, 4000, 20_000]);
    let disorder = *random.pick(&[0, 500, 3000, 20_000]);
    let jump = settings.max_jump.max(10_000);
    let whole_seconds = random.one_in(3);
    let length = random.below(60);
    let mut now = start;
    let mut rows: Vec<Row> = Vec::new();
    for _ in 0..length {
        now += random.between(0..pace);
        let mut time = now
            - if disorder == 0 {
                0
            } else {
                random.between(0..disorder)
            };
        if random.one_in(25) {
            // From the future: sometimes just inside what is believed, sometimes twice the same.
            time = now + *random.pick(&[jump - 1, jump, jump + 1, 2 * jump, 400 * 86_400_000]);
        }
        if random.one_in(60) {
            now = time;
        }
        if whole_seconds {
            time = time.div_euclid(1000) * 1000;
        }
        let ts = match random.below(30) {
            0 => Time::Null,
            1 if random.one_in(3) => Time::Unreadable,
            _ => Time::Known(time),
        };
        let last = rows.last().cloned();
        rows.push(match last {
            Some(last) if random.one_in(12) => last,
            _ => row(random, ts),
        });
    }
    if rows.len() > 1 && random.one_in(10) {
        // The first row is the one from the future.
        rows[0].ts = Time::Known(start + *random.pick(&[jump + 1, 3 * jump]));
    }
    rows
}

fn row(random: &mut Random, ts: Time) -> Row {
    let names = ["a", "b", "c", "d", "", "a,b", "say \"hi\"", "ä ö", " "];
    let common = names.len().min(3 + random.below(7));
    Row {
        ts,
        k: (!random.one_in(7)).then(|| random.pick(&names[..common]).to_string()),
        g: (!random.one_in(9)).then(|| random.between(0..3)),
        v: (!random.one_in(6)).then(|| {
            let wide = *random.pick(&[10, 10, 100, 1_000_000_000]);
            random.between(-wide..wide)
        }),
        d: (!random.one_in(5)).then(|| random.between(-400..400) as f64 / 4.0),
    }
}
