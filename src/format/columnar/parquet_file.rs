//! A Parquet file: its columns, and its rows from the first to the last.
//!
//! ```text
//!   WholeFile ─► index at its end ─► schema
//!                      └─► pages of the columns that are read ─► batches of 65,536 rows
//! ```

use std::io::{self, Read};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use bytes::Bytes;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader,
    ParquetRecordBatchReaderBuilder,
};
use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, Length};

use super::guard::guarded;
use super::parquet_footer::check_footer;
use crate::error::{Error, Result};

/// Rows that are read at once.
const BATCH_ROWS: usize = 65_536;
const MAGIC: &[u8] = b"PAR1";
/// The length of the index, and the magic.
const TAIL_BYTES: usize = 8;

/// Reads bytes of a file from a place in it.
type ReadAt = dyn Fn(u64, &mut [u8]) -> io::Result<()> + Send + Sync;

/// The bytes of a file, any of them at any time.
#[derive(Clone)]
pub enum WholeFile {
    /// They are here.
    Memory(Bytes),
    /// They are where this reads them.
    Elsewhere {
        /// How many there are.
        length: u64,
        /// Fills the buffer with those from a place on.
        read_at: Arc<ReadAt>,
    },
}

/// A file whose index has been read.
pub struct ParquetFile {
    file: WholeFile,
    metadata: ArrowReaderMetadata,
}

/// The rows of a file.
pub struct ParquetRows(ParquetRecordBatchReader);

impl WholeFile {
    /// The bytes that are here.
    pub fn kept(&self) -> Option<Bytes> {
        match self {
            WholeFile::Memory(bytes) => Some(bytes.clone()),
            WholeFile::Elsewhere { .. } => None,
        }
    }
}

impl ParquetFile {
    /// Reads the index of a file.
    ///
    /// # Errors
    /// It is no Parquet file, or is cut off.
    pub fn open(file: WholeFile) -> Result<Self> {
        check_footer(&footer(&file)?)?;
        let options = ArrowReaderOptions::new();
        let metadata = guarded(|| {
            ArrowReaderMetadata::load(&file, options).map_err(|error| unreadable(&error))
        })?;
        Ok(ParquetFile { file, metadata })
    }

    /// Its columns.
    pub fn schema(&self) -> &SchemaRef {
        self.metadata.schema()
    }

    /// Its rows, with the columns of these numbers.
    ///
    /// # Errors
    /// What the index says cannot be.
    pub fn rows(&self, columns: &[usize]) -> Result<ParquetRows> {
        guarded(|| {
            let metadata = self.metadata.clone();
            let builder =
                ParquetRecordBatchReaderBuilder::new_with_metadata(self.file.clone(), metadata);
            let mask = ProjectionMask::roots(builder.parquet_schema(), columns.iter().copied());
            let builder = builder.with_projection(mask).with_batch_size(BATCH_ROWS);
            builder
                .build()
                .map(ParquetRows)
                .map_err(|error| unreadable(&error))
        })
    }
}

impl ParquetRows {
    /// The next rows; `None` behind the last.
    ///
    /// # Errors
    /// They cannot be read.
    pub fn next_batch(&mut self) -> Result<Option<RecordBatch>> {
        guarded(|| {
            let batch = self.0.next().transpose();
            batch.map_err(|error| Error::data("its rows cannot be read").cause(error))
        })
    }
}

/// The bytes of the index of a file.
fn footer(file: &WholeFile) -> Result<Bytes> {
    let none = || Error::data("it is no Parquet file, or the end of it is missing");
    let length = file.len();
    let tail = |length: u64, bytes: usize| {
        let from = length.checked_sub(bytes as u64).ok_or_else(none)?;
        file.get_bytes(from, bytes)
            .map_err(|error| unreadable(&error))
    };
    let end = tail(length, TAIL_BYTES)?;
    let (count, magic) = end.split_at(4);
    if magic == b"PARE" {
        return Err(Error::unsupported("it is encrypted"));
    }
    if magic != MAGIC {
        return Err(none());
    }
    let count = count.try_into().map(u32::from_le_bytes).unwrap_or(0) as usize;
    tail(length - TAIL_BYTES as u64, count)
}

fn unreadable(error: &ParquetError) -> Error {
    Error::data("it cannot be read").cause(error)
}

impl Length for WholeFile {
    fn len(&self) -> u64 {
        match self {
            WholeFile::Memory(bytes) => bytes.len() as u64,
            WholeFile::Elsewhere { length, .. } => *length,
        }
    }
}

impl ChunkReader for WholeFile {
    type T = ReadFrom;

    fn get_read(&self, start: u64) -> parquet::errors::Result<ReadFrom> {
        Ok(ReadFrom {
            file: self.clone(),
            at: start,
            ahead: Bytes::new(),
        })
    }

    fn get_bytes(&self, start: u64, length: usize) -> parquet::errors::Result<Bytes> {
        let end = start.checked_add(length as u64);
        if end.is_none_or(|end| end > self.len()) {
            return Err(ParquetError::EOF(format!(
                "{length} bytes at {start} of {}",
                self.len()
            )));
        }
        match self {
            WholeFile::Memory(bytes) => Ok(bytes.slice(start as usize..start as usize + length)),
            WholeFile::Elsewhere { read_at, .. } => {
                let mut buffer = vec![0; length];
                read_at(start, &mut buffer)?;
                Ok(buffer.into())
            }
        }
    }
}

/// A file read from a place on.
pub struct ReadFrom {
    file: WholeFile,
    at: u64,
    ahead: Bytes,
}

impl Read for ReadFrom {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        const AHEAD_BYTES: u64 = 8 << 10;
        if self.ahead.is_empty() {
            let length = self.file.len().saturating_sub(self.at).min(AHEAD_BYTES);
            let ahead = self.file.get_bytes(self.at, length as usize);
            self.ahead = ahead.map_err(io::Error::other)?;
            self.at += length;
        }
        let length = self.ahead.len().min(buffer.len());
        buffer[..length].copy_from_slice(&self.ahead.split_to(length));
        Ok(length)
    }
}
