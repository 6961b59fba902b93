//! What comes only once is kept in a file that has no name, to be read at any place.
//!
//! ```text
//!   pipe ─► bytes ─► Spool ─► a source of the same bytes, which lies there whole
//! ```

use std::env::temp_dir;
use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::os::fd::AsFd;
use std::sync::Arc;

use super::file::WholeFile;
use super::{ByteSource, Reason, WholeBytes};
use crate::error::{Error, Result};

/// A file that is gone when nobody has it any more.
#[derive(Debug)]
pub struct Spool(File);

impl Spool {
    /// An empty one.
    ///
    /// # Errors
    /// The system's folder for such files takes none.
    pub fn new() -> Result<Self> {
        tempfile::tempfile()
            .map(Spool)
            .map_err(|error| refused(&error))
    }

    /// Keeps bytes behind those that are there.
    ///
    /// # Errors
    /// They cannot be written.
    pub fn keep(&mut self, bytes: &[u8]) -> Result<()> {
        self.0.write_all(bytes).map_err(|error| refused(&error))
    }

    /// The bytes as an input of this name.
    ///
    /// # Errors
    /// They cannot be read.
    pub fn into_source(mut self, name: &str) -> Result<Box<dyn ByteSource>> {
        self.0.rewind().map_err(|error| refused(&error))?;
        Ok(Box::new(SpooledSource {
            file: self.0,
            name: name.to_owned(),
        }))
    }
}

fn refused(error: &io::Error) -> Error {
    let folder = temp_dir();
    let what = format!("cannot keep what comes in a file in {}", folder.display());
    Error::outside(what, Reason(error)).help("TMPDIR names another folder")
}

struct SpooledSource {
    file: File,
    name: String,
}

impl ByteSource for SpooledSource {
    fn name(&self) -> &str {
        &self.name
    }

    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.file.read(buffer)
    }

    fn whole(&self) -> Option<Arc<dyn WholeBytes>> {
        WholeFile::of(self.file.as_fd(), 0)
    }
}
