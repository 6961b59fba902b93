//! How functions are called, for who shows or completes them: names, arguments, what they give.
//!
//! ```text
//!  date_trunc   date_trunc(precision, expression)   Truncates a timestamp or time value to a specified precision
//! ```
//!
//! Of DataFusion's functions its documentation says it; of ours, [`OWN`] and the list of windows.

use datafusion_expr::{Documentation, ScalarUDF};

use super::library::Named;
use super::{aggregates, scalars};

/// How a function is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// Its name.
    pub name: String,
    /// Its name with its arguments.
    pub call: String,
    /// What it gives, in a sentence without its full stop.
    pub about: String,
}

/// What stands in FROM and makes windows.
const WINDOWS: &[(&str, &str)] = &[
    (
        "TUMBLE(table, time, size [, offset])",
        "Windows of a size, one after the other",
    ),
    (
        "HOP(table, time, slide, size [, offset])",
        "Windows of a size, one at every slide",
    ),
    (
        "CUMULATE(table, time, step, size [, offset])",
        "Windows that grow by a step up to a size",
    ),
    (
        "SESSION(table [PARTITION BY key], time, gap)",
        "Rows of a key at most a gap apart",
    ),
    (
        "COUNT_WINDOW(table [PARTITION BY key], n [, slide])",
        "Every n rows of a key",
    ),
];

/// What DataFusion's documentation lacks.
const OWN: &[(&str, &str)] = &[
    (
        "approx_distinct(x)",
        "How many different values there are, within 1 % in little memory",
    ),
    (
        "approx_median(x)",
        "The value in the middle, within 1 % in little memory",
    ),
    (
        "approx_percentile_cont(x, q)",
        "The value below which a part q of the values is, within 1 %",
    ),
    (
        "approx_quantile(x, q)",
        "The value below which a part q of the values is, within 1 %",
    ),
    ("arg_max(x, by)", "The x of the row with the largest by"),
    ("arg_min(x, by)", "The x of the row with the smallest by"),
    ("avg(x)", "The mean; of a condition, how often it is true"),
    ("cardinality(x)", "How many elements an ARRAY or MAP has"),
    (
        "cast(x AS type)",
        "The value as another type; what cannot be cast is counted and NULL",
    ),
    (
        "count(x)",
        "How many values there are that are not NULL; count(*) counts rows",
    ),
    ("count_if(condition)", "How often a condition is true"),
    (
        "date_part(part, time)",
        "A part of a time as a number, such as 'hour'",
    ),
    ("epoch(time)", "Seconds since 1970"),
    (
        "from_unixtime(seconds [, zone])",
        "The instant so many seconds after 1970",
    ),
    ("localtimestamp()", "The wall clock when the query began"),
    ("max(x)", "The largest value"),
    ("median(x)", "The value in the middle"),
    ("min(x)", "The smallest value"),
    ("p50(x)", "The value in the middle"),
    ("p90(x)", "The value below which 90 % of the values are"),
    ("p95(x)", "The value below which 95 % of the values are"),
    ("p99(x)", "The value below which 99 % of the values are"),
    (
        "percentile_cont(q) WITHIN GROUP (ORDER BY x)",
        "The value below which a part q of the values is",
    ),
    (
        "quantile(x, q)",
        "The value below which a part q of the values is",
    ),
    ("string_agg(x, separator)", "The texts one behind the other"),
    ("sum(x)", "The total; of a condition, how often it is true"),
    ("now()", "The instant when the query began"),
    (
        "to_timestamp(x [, format])",
        "A text as a wall clock, a number of seconds since 1970 as an instant",
    ),
    (
        "to_timestamp_ltz(x [, digits])",
        "A text or a number since 1970 as an instant; digits 3 are milliseconds",
    ),
    (
        "to_timestamp_micros(x)",
        "A text as a wall clock, a number of microseconds since 1970 as an instant",
    ),
    (
        "to_timestamp_millis(x)",
        "A text as a wall clock, a number of milliseconds since 1970 as an instant",
    ),
    (
        "to_timestamp_nanos(x)",
        "A text as a wall clock, a number of nanoseconds since 1970 as an instant",
    ),
    (
        "to_timestamp_seconds(x)",
        "A text as a wall clock, a number of seconds since 1970 as an instant",
    ),
    ("to_unixtime(time)", "Whole seconds since 1970"),
    ("try_cast(x AS type)", "The value as another type, or NULL"),
];

/// What queries write in another way: `value[index]`.
const NOT_CALLED: &[&str] = &["subscript"];

/// All functions with all their names, in no order. Fills every shelf.
pub fn signatures() -> Vec<Signature> {
    let (scalars, aggregates) = (scalars(), aggregates());
    let mut all: Vec<Signature> = WINDOWS.iter().map(own).collect();
    // What no library knows by name: the parser reads it.
    let parsed = OWN.iter().filter(|(call, _)| {
        let name = name_of(call);
        scalars.get(name).is_none() && aggregates.get(name).is_none()
    });
    all.extend(parsed.map(own));
    for function in scalars.functions() {
        let documentation = ScalarUDF::documentation(function);
        all.extend(of_function(function.as_ref(), documentation));
    }
    for function in aggregates.functions() {
        all.extend(of_function(function.as_ref(), function.documentation()));
    }
    all
}

fn own((call, about): &(&str, &str)) -> Signature {
    Signature {
        name: name_of(call).to_owned(),
        call: (*call).to_owned(),
        about: (*about).to_owned(),
    }
}

fn name_of(call: &str) -> &str {
    call.split('(').next().unwrap_or(call)
}

/// A function under each of its names; operators have none that can be called.
fn of_function(function: &dyn Named, documentation: Option<&Documentation>) -> Vec<Signature> {
    let name = function.name();
    let is_word = |name: &&str| {
        name.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    let own = OWN.iter().find(|(call, _)| name_of(call) == name);
    let (call, about) = match (own, documentation) {
        (Some((call, about)), _) => ((*call).to_owned(), (*about).to_owned()),
        (None, Some(known)) => (
            one_line(&known.syntax_example),
            first_sentence(&known.description),
        ),
        (None, None) => (format!("{name}(…)"), String::new()),
    };
    let behind = call.find('(').map_or("(…)", |at| &call[at..]).to_owned();
    let aliases = function.aliases().iter().map(String::as_str);
    let names = std::iter::once(name).chain(aliases).filter(is_word);
    let names = names.filter(|name| !NOT_CALLED.contains(name));
    let signature = |name: &str| Signature {
        name: name.to_owned(),
        call: format!("{name}{behind}"),
        about: about.clone(),
    };
    names.map(signature).collect()
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn first_sentence(text: &str) -> String {
    let line = one_line(text.trim().split("\n\n").next().unwrap_or_default());
    let end = line.find(". ").unwrap_or(line.len());
    line[..end].trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_function_says_how_it_is_called() {
        let all = signatures();
        for known in &all {
            assert!(
                known.call.starts_with(&format!("{}(", known.name)),
                "{known:?}"
            );
            assert!(!known.call.contains('…'), "{known:?}");
            assert!(
                !known.about.is_empty() && !known.about.contains('\n'),
                "{known:?}"
            );
        }
        let mut names: Vec<&str> = all.iter().map(|known| known.name.as_str()).collect();
        names.sort_unstable();
        assert!(names.windows(2).all(|pair| pair[0] != pair[1]));
        for (call, _) in OWN {
            assert!(names.contains(&name_of(call)), "{call}");
        }
    }

    #[test]
    fn aliases_are_called_likewise() {
        let all = signatures();
        let call = |name: &str| {
            all.iter()
                .find(|known| known.name == name)
                .map(|known| known.call.as_str())
        };
        assert_eq!(call("mean"), Some("mean(x)"));
        assert_eq!(
            call("date_trunc"),
            Some("date_trunc(precision, expression)")
        );
        assert_eq!(call("TUMBLE"), Some("TUMBLE(table, time, size [, offset])"));
        assert_eq!(call("+"), None);
    }
}
