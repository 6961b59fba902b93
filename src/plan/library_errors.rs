//! Errors of the library that plans as ours: what the user did, in words of a user where they are known.
//!
//! ```text
//!   what our functions complain of   ─►  as it is
//!   what the library says of types   ─►  without its prefixes; `blame` finds the place and better words
//!   internal errors                  ─►  a mistake of ours, with the request to report it
//! ```
//!
//! Invariant: texts of the library are looked at here alone.

use datafusion_common::DataFusionError;

use crate::error::Error;
use crate::functions::complained;

/// Why a query cannot be planned.
#[derive(Debug)]
pub(super) struct Refusal {
    /// What is said of it.
    pub error: Error,
    /// True if the library found the words, which are of its own types.
    pub is_of_library: bool,
}

/// DataFusion's errors as ours: what the user did is a plan error, the rest a mistake of ours.
pub(super) fn explain(error: DataFusionError) -> Error {
    refusal(error).error
}

/// The same, with whose words they are.
pub(super) fn refusal(error: DataFusionError) -> Refusal {
    let ours = |error| Refusal {
        error,
        is_of_library: false,
    };
    let error = match error {
        DataFusionError::External(inner) => match inner.downcast::<Error>() {
            Ok(error) => return ours(*error),
            Err(other) => DataFusionError::External(other),
        },
        other => other,
    };
    if let Some(words) = complained(&error.strip_backtrace()) {
        return ours(Error::plan(words));
    }
    Refusal {
        error: in_our_words(&error),
        is_of_library: true,
    }
}

fn in_our_words(error: &DataFusionError) -> Error {
    match error.find_root() {
        DataFusionError::NotImplemented(message) if message.contains("FieldAccess") => {
            Error::unsupported("a subscript is one element or key")
                .help("what works: a[1], a['b'], a.b, also chained")
        }
        DataFusionError::NotImplemented(message) => {
            Error::unsupported(first_sentence(message)).help("README.md lists the SQL that works")
        }
        DataFusionError::Plan(message) if message.contains("non-boolean predicate") => {
            Error::plan("a condition must be true or false, and this one is a value")
                .help("compare it: WHERE status >= 500, WHERE host = 'web1', WHERE x IS NOT NULL")
        }
        DataFusionError::Internal(message) => {
            Error::internal("the query cannot be planned").cause(first_sentence(message))
        }
        other => Error::plan(first_sentence(&other.strip_backtrace())),
    }
}

/// The message without names that only we know and prefixes that say where in the library it arose.
fn first_sentence(message: &str) -> String {
    let message = message.lines().next().unwrap_or_default();
    let message = message.trim_start_matches("Execution error: ");
    let message = message
        .split(". No function matches")
        .next()
        .unwrap_or(message);
    let message = [
        "Error during planning: ",
        "Schema error: ",
        "Arrow error: ",
        "type_coercion\ncaused by\n",
    ]
    .iter()
    .fold(message, |message, prefix| {
        message.trim_start_matches(prefix)
    });
    let message = message.replace("\" window\".", "").replace(" window.", "");
    let mut chars = message.chars();
    match chars.next() {
        // `HAVING` stays what it is.
        Some(_) if chars.as_str().starts_with(char::is_uppercase) => message,
        Some(first) => first.to_lowercase().chain(chars).collect(),
        None => String::from("the query cannot be planned"),
    }
}
