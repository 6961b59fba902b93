//! Gathers the whole of an input whose beginning says nothing without its end.
//!
//! ```text
//!   a file that lies there     read where it is
//!   a short pipe               bytes in memory
//!   a long pipe                bytes ─► file without a name, 16 MiB at a time; read there at the end
//! ```

use std::sync::Arc;

use crate::connect::{ByteSource, Spool};
use crate::error::{Error, Result};
use crate::format::WholeFile;

/// How much is kept in memory.
const MOST_KEPT_BYTES: usize = 16 << 20;

/// See the module.
#[derive(Debug)]
pub struct Gathering {
    spool: Option<Spool>,
    most_kept_bytes: usize,
}

impl Default for Gathering {
    fn default() -> Self {
        Gathering {
            spool: None,
            most_kept_bytes: MOST_KEPT_BYTES,
        }
    }
}

impl Gathering {
    /// The whole of `source`, of which `bytes` were read and are taken when they are too many, and at the end;
    /// `None` if more must be read. If they were too many, `source` is then where they are kept, with all of
    /// them still to be read.
    ///
    /// # Errors
    /// It is no Parquet; it cannot be kept.
    pub fn whole(
        &mut self,
        source: &mut Box<dyn ByteSource>,
        bytes: &mut Vec<u8>,
        at_end: bool,
    ) -> Result<Option<WholeFile>> {
        if let Some(whole) = elsewhere(source.as_ref()) {
            return Ok(Some(whole));
        }
        if bytes.len() > self.most_kept_bytes || (at_end && self.spool.is_some()) {
            self.keep(bytes)?;
        }
        if !at_end {
            return Ok(None);
        }
        let Some(spool) = self.spool.take() else {
            return Ok(Some(WholeFile::Memory(std::mem::take(bytes).into())));
        };
        *source = spool.into_source(source.name())?;
        let lost = || Error::internal("a file without a name is gone");
        elsewhere(source.as_ref()).map(Some).ok_or_else(lost)
    }

    fn keep(&mut self, bytes: &mut Vec<u8>) -> Result<()> {
        let spool = match &mut self.spool {
            Some(spool) => spool,
            // What is something else must not fill the disk.
            None if !bytes.starts_with(b"PAR") => return Err(Error::data("it is no Parquet file")),
            none => none.insert(Spool::new()?),
        };
        spool.keep(bytes)?;
        bytes.clear();
        Ok(())
    }
}

fn elsewhere(source: &dyn ByteSource) -> Option<WholeFile> {
    let whole = source.whole()?;
    Some(WholeFile::Elsewhere {
        length: whole.length(),
        read_at: Arc::new(move |place, buffer| whole.read_at(place, buffer)),
    })
}

#[cfg(test)]
mod tests {
    use std::io;

    use parquet::file::reader::ChunkReader;

    use super::*;

    struct Pipe<'a>(&'a [u8]);

    impl ByteSource for Pipe<'static> {
        fn name(&self) -> &str {
            "pipe"
        }

        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            io::Read::read(&mut self.0, buffer)
        }
    }

    /// Reads a pipe in pieces; what the whole of it is, and whether it lies in a file.
    fn gathered(bytes: &'static [u8], most_kept_bytes: usize) -> Result<(Vec<u8>, bool)> {
        let mut gathering = Gathering {
            most_kept_bytes,
            ..Gathering::default()
        };
        let mut source: Box<dyn ByteSource> = Box::new(Pipe(bytes));
        let (mut read, mut at_end) = (Vec::new(), false);
        loop {
            if let Some(whole) = gathering.whole(&mut source, &mut read, at_end)? {
                let all = whole.get_bytes(0, bytes.len()).unwrap();
                let is_elsewhere = matches!(whole, WholeFile::Elsewhere { .. });
                // Whoever looked at it leaves it to the reader.
                assert!(read.is_empty());
                let again = Gathering::default().whole(&mut source, &mut read, false)?;
                assert_eq!(again.is_some(), is_elsewhere);
                return Ok((all.to_vec(), is_elsewhere));
            }
            let mut piece = [0; 7];
            let count = source.read(&mut piece).unwrap();
            read.extend_from_slice(&piece[..count]);
            at_end = count == 0;
        }
    }

    #[test]
    fn long_pipes_go_to_a_file() {
        let bytes = b"PAR1 and what else is in it PAR1";
        for most_kept_bytes in [0, 3, 10, 31, 32, 100] {
            let (all, is_elsewhere) = gathered(bytes, most_kept_bytes).unwrap();
            assert_eq!(all, bytes);
            assert_eq!(is_elsewhere, most_kept_bytes < bytes.len());
        }
        gathered(b"y\ny\ny\ny\ny\ny\n", 4).unwrap_err();
    }
}
