//! The table `example`: a minute of requests to a web server, there for whoever wants to try something.
//!
//! ```text
//!  SELECT … FROM example ─► made when it is first named: 3,000 rows in a file without a name
//! ```
//!
//! Invariant: a table, a view or a `--table` of that name is what the name means.

use std::ffi::OsString;
use std::fs::File;
use std::io::{Seek, SeekFrom};
use std::os::fd::AsRawFd;

use crate::cli::args::Request;
use crate::cli::generate;
use crate::connect::Reason;
use crate::error::{Error, Result};
use crate::sql;

/// What the table is called.
pub const NAME: &str = "example";

/// Its columns.
pub const COLUMNS: &[&str] = generate::ACCESS_LOG_COLUMNS;

/// How it is made, as words behind `tumble generate`.
const WORDS: &str = "access-log --rows 3000 --hosts 3 --paths 40 --users 20";

/// Whether a text of statements names the table.
pub fn is_named(text: &str) -> bool {
    sql::pieces(text)
        .iter()
        .any(|piece| piece.is_word(text, NAME))
}

/// Its records, and the path at which they are as long as the file is open.
///
/// # Errors
/// The machine gives no file.
pub fn make() -> Result<(File, String)> {
    let refused = |error| Error::outside("cannot make the table `example`", Reason(&error));
    let mut file = tempfile::tempfile().map_err(refused)?;
    let words = WORDS.split(' ').map(OsString::from).collect();
    if let Request::Generate(args) = generate::parse(words)? {
        generate::run(&args, &mut file)?;
    }
    file.seek(SeekFrom::Start(0)).map_err(refused)?;
    let path = format!("/dev/fd/{}", file.as_raw_fd());
    Ok((file, path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_for_trying() {
        let (_file, path) = make().unwrap();
        let text = std::fs::read_to_string(path).unwrap();
        assert_eq!(text.lines().next(), Some(COLUMNS.join(",").as_str()));
        assert_eq!(text.lines().count(), 3_001);
    }

    #[test]
    fn only_its_name_makes_it() {
        assert!(is_named("SELECT * FROM Example"));
        assert!(!is_named("SELECT 'example' FROM examples -- example"));
    }
}
