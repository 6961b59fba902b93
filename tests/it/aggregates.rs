//! Every registered aggregate gives the same bytes however its input was cut.
//!
//! The list is the library's own: an aggregate that no template covers fails, so that new ones are tested.

use libtest_mimic::Trial;

use crate::difference::same_text;
use crate::program::{self, Case};
use crate::random::Random;

/// The arguments that an aggregate is called with; `v`, `w` numbers, `x` DOUBLE, `s` text, `b` BOOLEAN.
/// A name that ends in `*` stands for all that begin so.
const TEMPLATES: [(&str, &[&str]); 47] = [
    ("count", &["*", "v", "DISTINCT s"]),
    ("sum", &["v", "x", "b", "DISTINCT v", "DISTINCT x"]),
    ("avg", &["v", "x", "b", "DISTINCT v"]),
    ("mean", &["x"]),
    ("min", &["v", "x", "s"]),
    ("max", &["v", "x", "s"]),
    ("count_if", &["v > 3"]),
    ("bool_and", &["b"]),
    ("bool_or", &["b"]),
    ("bit_and", &["v"]),
    ("bit_or", &["v"]),
    ("bit_xor", &["v", "DISTINCT v"]),
    ("approx_distinct", &["s", "v"]),
    ("approx_count_distinct", &["s"]),
    ("median", &["v", "x", "DISTINCT x"]),
    ("quantile", &["x, 0.9", "v, 0.25"]),
    ("quantile_cont", &["x, 0.9"]),
    ("percentile_cont", &["x, 0.9"]),
    ("percentile_disc", &["x, 0.9"]),
    ("approx_quantile", &["x, 0.9"]),
    ("approx_percentile_cont", &["x, 0.9"]),
    ("approx_median", &["x"]),
    ("p50", &["x"]),
    ("p90", &["x"]),
    ("p95", &["x"]),
    ("p99", &["v"]),
    ("first_value", &["v", "v ORDER BY x", "v ORDER BY s DESC"]),
    ("last_value", &["v", "v ORDER BY x", "v ORDER BY s DESC"]),
    ("first", &["v"]),
    ("last", &["v"]),
    ("any_value", &["v"]),
    ("nth_value", &["v, 2"]),
    ("nth", &["v, 2"]),
    ("array_agg", &["v", "DISTINCT v", "v ORDER BY x"]),
    ("string_agg", &["s, ';'", "s, ';' ORDER BY v"]),
    ("listagg", &["s, ';'"]),
    ("group_concat", &["s"]),
    ("arg_min", &["s, x"]),
    ("arg_max", &["s, x"]),
    ("min_by", &["s, x"]),
    ("max_by", &["s, x"]),
    ("mode", &["v"]),
    ("var*", &["v", "x"]),
    ("std*", &["v", "x"]),
    ("corr", &["v, x"]),
    ("covar*", &["v, x"]),
    ("regr_*", &["v, x"]),
];

/// How often each call's input is cut at random.
const CUTS: u64 = 6;

/// The tests of this file: one for each aggregate.
pub fn tests() -> Vec<Trial> {
    let check =
        |name: String| Trial::test(format!("aggregates::{name}"), move || Ok(check(&name)?));
    program::aggregate_names().into_iter().map(check).collect()
}

fn template(name: &str) -> Option<&'static [&'static str]> {
    let fits = |pattern: &str| match pattern.strip_suffix('*') {
        Some(beginning) => name.starts_with(beginning),
        None => name == pattern,
    };
    TEMPLATES
        .iter()
        .find(|(pattern, _)| fits(pattern))
        .map(|(_, arguments)| *arguments)
}

fn check(name: &str) -> Result<(), String> {
    let arguments = template(name).ok_or_else(|| {
        format!("no template for `{name}`: add its arguments to tests/it/aggregates.rs")
    })?;
    let calls: Vec<String> = arguments
        .iter()
        .map(|arguments| format!("{name}({arguments})"))
        .collect();
    let table = "CREATE TABLE t (ts TIMESTAMP(3), k STRING, v BIGINT, w BIGINT, x DOUBLE, s STRING, b BOOLEAN) \
                 WITH (path = '-', format = 'csv');\n";
    let shapes = [
        (
            "TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '20' SECOND)",
            "window_end, k",
        ),
        (
            "HOP(TABLE t, DESCRIPTOR(ts), INTERVAL '5' SECOND, INTERVAL '20' SECOND)",
            "window_end",
        ),
        ("t", "k"),
    ];
    for call in &calls {
        for (relation, keys) in shapes {
            let sql =
                format!("{table}SELECT {keys}, {call} AS value FROM {relation} GROUP BY {keys}");
            same_for_all_cuts(&sql)?;
        }
    }
    Ok(())
}

fn same_for_all_cuts(sql: &str) -> Result<(), String> {
    let input = input();
    let case = |chunks: Vec<Vec<u8>>| Case {
        sql: sql.to_string(),
        flags: Vec::new(),
        chunks: Some(chunks),
        how: program::repeated(&[]),
    };
    let first = program::run(&case(vec![input.clone()]));
    if first.code != 0 {
        return Err(format!("{sql}\nexit code {}: {}", first.code, first.stderr));
    }
    for seed in 0..CUTS {
        let outcome = program::run(&case(Random::new(seed).cut(&input)));
        let what = format!("{sql}\nseed {seed}");
        same_text(&what, &first.stdout, &outcome.stdout)?;
    }
    Ok(())
}

/// Values whose sums depend on the order if they are added carelessly, with NULLs and ties.
fn input() -> Vec<u8> {
    let mut random = Random::new(7);
    let mut text = "ts,k,v,w,x,s,b\n".to_string();
    for second in 0..200 {
        let ts = format!("2026-01-01T00:{:02}:{:02}", second / 60, second % 60);
        let k = random.pick(&["a", "b", ""]);
        let v = if random.one_in(8) {
            String::new()
        } else {
            random.between(-9..10).to_string()
        };
        let w = random.between(1..5);
        let x = *random.pick(&["0.1", "1e16", "-1e16", "3.3", "-0.7", "", "1e-9", "2"]);
        let s = random.pick(&["x", "yy", "z", "\"\"", ""]);
        let b = random.pick(&["true", "false", ""]);
        text.push_str(&format!("{ts},{k},{v},{w},{x},{s},{b}\n"));
    }
    text.into_bytes()
}
