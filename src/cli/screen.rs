//! What is asked of a terminal and how it is spoken to, for all that draw on it.
//!
//! Invariant: a terminal that does not know how wide it is, as one of 0 columns, is treated as none.

use std::os::fd::AsFd;

/// The lines of a terminal that does not know how many it has.
const USUAL_LINES: usize = 24;

/// Columns and lines of a terminal, if it is one.
pub(super) fn size(terminal: impl AsFd) -> Option<(usize, usize)> {
    let size = rustix::termios::tcgetwinsize(terminal).ok()?;
    let (columns, lines) = (usize::from(size.ws_col), usize::from(size.ws_row));
    let lines = if lines == 0 { USUAL_LINES } else { lines };
    (columns > 0).then_some((columns, lines))
}

/// A text in a look, the parameters of an escape code, where there are colors.
pub(super) fn painted(codes: &str, text: &str, color: bool) -> String {
    match color {
        true => format!("\u{1b}[{codes}m{text}\u{1b}[0m"),
        false => text.to_owned(),
    }
}

/// A text that stands back, where there are colors.
pub(super) fn dim(text: &str, color: bool) -> String {
    painted("2", text, color)
}
