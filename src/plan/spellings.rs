//! Functions of other dialects, and how the same is written here.
//!
//! ```text
//!   time_bucket('5 minutes', ts)   TimescaleDB, DuckDB   ─►  GROUP BY TUMBLE(ts, 5m)
//! ```

/// What to write in the place of a function that does not exist here.
pub(super) fn instead_of(name: &str) -> Option<&'static str> {
    let (_, instead) = SPELLINGS.iter().find(|(names, _)| names.contains(&name))?;
    Some(instead)
}

const SPELLINGS: &[(&[&str], &str)] = &[
    (&["cnt", "num", "number", "rows"], "write count(*)"),
    (
        &[
            "time_bucket",
            "time_bucket_gapfill",
            "time_slice",
            "tostartofinterval",
        ],
        "a window groups by time: GROUP BY TUMBLE(ts, 5m); for single rows date_bin(INTERVAL '5 minutes', ts)",
    ),
    (
        &[
            "tostartofminute",
            "tostartofhour",
            "tostartofday",
            "trunc_time",
        ],
        "write date_trunc('minute', ts), or a window: GROUP BY TUMBLE(ts, 1m)",
    ),
    (
        &[
            "strftime",
            "format_datetime",
            "dateformat",
            "formatdatetime",
        ],
        "write to_char(ts, '%H:%M')",
    ),
    (
        &[
            "strptime",
            "str_to_date",
            "parse_timestamp",
            "parse_datetime",
            "to_date_format",
        ],
        "write to_timestamp(text, '%d/%b/%Y:%H:%M:%S %z'), or --ts-format for the time column",
    ),
    (&["iif", "if"], "write CASE WHEN … THEN … ELSE … END"),
    (&["isnull"], "write x IS NULL, or coalesce(x, other)"),
    (
        &[
            "json_extract",
            "json_extract_string",
            "json_extract_scalar",
            "json_value",
            "get_json_object",
            "json_extract_path_text",
            "jsonextractstring",
            "extractjsonfield",
        ],
        "the keys of JSON records are columns, and keys inside them a.b, a['b'], a[1]",
    ),
    (
        &["first", "any", "anylast", "earliest_by_offset"],
        "write first_value(x)",
    ),
    (&["last", "latest_by_offset"], "write last_value(x)"),
    (&["argmin"], "write arg_min(x, by)"),
    (&["argmax"], "write arg_max(x, by)"),
    (
        &["date_diff", "datediff", "timestampdiff", "timediff", "age"],
        "subtract: b - a is an INTERVAL, epoch(b) - epoch(a) are seconds",
    ),
    (
        &["date_add", "dateadd", "timestampadd", "date_sub", "datesub"],
        "add: ts + INTERVAL '5' MINUTE",
    ),
    (
        &["unix_timestamp", "tounixtimestamp", "to_epoch"],
        "write epoch(ts)",
    ),
    (&["len", "strlen", "datalength"], "write length(x)"),
    (
        &["ucase", "tolower", "lcase", "toupper"],
        "write upper(x), lower(x)",
    ),
    (
        &["group_concat", "grouparray", "collect_list"],
        "write string_agg(x, ', ')",
    ),
    (
        &[
            "uniq",
            "uniqexact",
            "countdistinct",
            "count_distinct",
            "approx_count_distinct",
            "ndv",
            "dcount",
            "distinct_count",
        ],
        "write count(DISTINCT x), or approx_distinct(x) in little memory",
    ),
    (
        &["sumif", "avgif", "sum_if", "avg_if"],
        "write sum(x) FILTER (WHERE condition)",
    ),
    (&["average"], "write avg(x)"),
    (
        &[
            "percentile",
            "pct",
            "perc",
            "percentile_disc",
            "approx_percentile",
            "quantiles",
        ],
        "write quantile(x, 0.95), p95(x), or approx_quantile(x, 0.95) in little memory",
    ),
    (
        &["charindex", "locate", "indexof", "find"],
        "write strpos(text, part)",
    ),
    (&["splitbychar", "split"], "write split_part(text, ',', 1)"),
    (
        &["regexp_extract", "regexp_substr", "regex_extract"],
        "write regexp_match(text, pattern)[1]",
    ),
    (
        &[
            "regexp_matches",
            "regex_match",
            "match",
            "rlike",
            "regexp_contains",
        ],
        "write text ~ pattern, or regexp_like(text, pattern)",
    ),
    (
        &["tostring", "to_string", "str", "convert"],
        "write CAST(x AS STRING)",
    ),
    (
        &[
            "toint",
            "to_int",
            "tofloat",
            "to_number",
            "toint64",
            "tofloat64",
        ],
        "write CAST(x AS BIGINT), CAST(x AS DOUBLE)",
    ),
    (
        &["getdate", "sysdate", "current_datetime", "now64"],
        "write now()",
    ),
    (
        &[
            "rate",
            "irate",
            "increase",
            "count_over_time",
            "sum_over_time",
        ],
        "aggregate in a window: SELECT count(*) / 60.0 … GROUP BY TUMBLE(ts, 1m)",
    ),
    (
        &[
            "read_csv",
            "read_csv_auto",
            "read_json",
            "read_json_auto",
            "read_parquet",
        ],
        "a path in quotes is read: FROM 'app.log'",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Registry;
    use crate::plan::names::Functions;

    #[test]
    fn what_exists_needs_no_other_spelling() {
        let registry = Registry::new();
        let names = || SPELLINGS.iter().flat_map(|(names, _)| *names);
        let known: Vec<_> = names().filter(|name| registry.exists(name)).collect();
        assert!(known.is_empty(), "{known:?}");
        assert!(names().all(|name| *name == name.to_lowercase()));
    }
}
