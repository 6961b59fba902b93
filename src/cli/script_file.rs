//! Reads SQL from files and standard input: so much of it as a query may be long.
//!
//! Invariant: what has no end, such as `/dev/zero`, is refused behind the longest query.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::connect::Reason;
use crate::error::{Error, Result};
use crate::sql::LONGEST_TEXT_BYTES;

/// The text of a file of SQL.
///
/// # Errors
/// It cannot be read, is no UTF-8, or is longer than a query may be.
pub fn read_script(path: &Path) -> Result<String> {
    let shown = path.display().to_string();
    let file = File::open(path)
        .map_err(|error| Error::outside(format!("cannot read {shown}"), Reason(&error)))?;
    read_text(file, &shown)
}

/// The text of an open file of SQL, which messages call `shown`.
///
/// # Errors
/// As [`read_script`].
pub fn read_text(file: impl Read, shown: &str) -> Result<String> {
    let mut text = String::new();
    let read = file
        .take(LONGEST_TEXT_BYTES as u64 + 1)
        .read_to_string(&mut text);
    if text.len() > LONGEST_TEXT_BYTES {
        let error = Error::syntax(format!("{shown} is longer than a script may be: 1 MiB"));
        return Err(error.help("data is read by its path: SELECT * FROM 'file'"));
    }
    match read {
        Ok(_) => Ok(text),
        Err(error) => Err(Error::outside(
            format!("cannot read {shown}"),
            Reason(&error),
        )),
    }
}
