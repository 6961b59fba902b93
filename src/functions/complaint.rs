//! What our functions say of their arguments, so that it can be told from what the library says around it.
//!
//! ```text
//!   Error during planning: Function 'sum' user-defined coercion failed with: ␁sum adds numbers, not STRING␁. No function …
//!                                                                            └─ ours, in marks ─────────┘
//! ```
//!
//! Invariant: the marks stand in no text of a user: what is between them is ours.

use datafusion_common::DataFusionError;

/// A character that no text is made of: of the private use area.
const MARK: char = '\u{f8f0}';

/// An error of a function in our words. They are lost as a value where the library wraps errors as text.
pub(crate) fn complaint(words: &str) -> DataFusionError {
    DataFusionError::Plan(format!("{MARK}{words}{MARK}"))
}

/// Our words in a message of the library.
pub(crate) fn complained(message: &str) -> Option<&str> {
    let (_, words) = message.split_once(MARK)?;
    words.split(MARK).next()
}

/// Refuses arguments: `complain!("{name} takes one argument")`.
macro_rules! complain {
    ($($words:tt)*) => {
        Err($crate::functions::complaint(&format!($($words)*)))
    };
}
pub(super) use complain;
