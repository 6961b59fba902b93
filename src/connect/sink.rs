//! A file that is written line by line: what `--late` and `--rejects` keep.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::Reason;
use crate::error::{Error, Result};

/// A file that is written anew.
#[derive(Debug)]
pub struct FileSink {
    path: PathBuf,
    out: BufWriter<File>,
}

impl FileSink {
    /// Creates the file at `path`, or empties it.
    ///
    /// # Errors
    /// It cannot be created.
    pub fn create(path: &Path) -> Result<Self> {
        let file = File::create(path).map_err(|error| cannot_write(path, &error))?;
        Ok(FileSink {
            path: path.to_path_buf(),
            out: BufWriter::new(file),
        })
    }

    /// Whether the file at `path` can be written: it is created if it is not there, and else left as it is.
    ///
    /// # Errors
    /// It cannot.
    pub fn check(path: &Path) -> Result<()> {
        let opened = File::options().append(true).create(true).open(path);
        opened.map(drop).map_err(|error| cannot_write(path, &error))
    }

    /// Writes a line; it may wait in memory until [`FileSink::flush`].
    ///
    /// # Errors
    /// It cannot be written.
    pub fn line(&mut self, line: &str) -> Result<()> {
        writeln!(self.out, "{line}").map_err(|error| cannot_write(&self.path, &error))
    }

    /// Writes out what waits in memory.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn flush(&mut self) -> Result<()> {
        self.out
            .flush()
            .map_err(|error| cannot_write(&self.path, &error))
    }
}

fn cannot_write(path: &Path, error: &io::Error) -> Error {
    Error::outside(format!("cannot write {}", path.display()), Reason(error))
}
