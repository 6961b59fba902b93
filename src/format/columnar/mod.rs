//! Inputs that hold columns already: Arrow IPC and Parquet. They have batches of rows in the place of records.
//!
//! ```text
//!   Arrow    magic? │ schema │ batch │ batch │ … │ end │ index?     read as it comes, also from a pipe
//!   Parquet  magic │ pages of columns … │ index of them │ magic     read once all of it is there
//!
//!   batch in the types of the file ─► ColumnarDecoder ─► the columns that the query reads, rejects
//! ```
//!
//! Invariants: whatever the bytes are, reading ends with rows or an error; what a length in them claims is not
//! reserved before that many bytes have come.

mod arrow_messages;
mod decoder;
mod guard;
mod parquet_file;
mod parquet_footer;
mod row_texts;
#[cfg(test)]
mod tests;
mod types;

pub use arrow_messages::{ArrowBatch, ArrowMessages};
pub use decoder::ColumnarDecoder;
pub use parquet_file::{ParquetFile, ParquetRows, WholeFile};
pub use row_texts::RowTexts;
pub use types::column_type;

use arrow::datatypes::SchemaRef;

/// How columns are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnarKind {
    /// Arrow IPC, as a stream or as a file.
    Arrow,
    /// Parquet.
    Parquet,
}

/// An input of columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnarFormat {
    /// How they are written.
    pub kind: ColumnarKind,
    /// What they are in it.
    pub schema: SchemaRef,
}

impl ColumnarKind {
    /// Bytes that show which kind it is.
    pub const MAGIC_BYTES: usize = 8;

    /// Its name, as flags have it.
    pub fn name(self) -> &'static str {
        match self {
            ColumnarKind::Arrow => "arrow",
            ColumnarKind::Parquet => "parquet",
        }
    }

    /// The kind of that name.
    pub fn of_name(name: &str) -> Option<Self> {
        let kinds = [ColumnarKind::Arrow, ColumnarKind::Parquet];
        kinds.into_iter().find(|kind| kind.name() == name)
    }

    /// What begins with these bytes, if it is columns. No text does.
    pub fn of_bytes(bytes: &[u8]) -> Option<Self> {
        match bytes {
            // A text may begin with these letters, but no line has such a character.
            [b'P', b'A', b'R', b'1', next, ..] if !is_text(*next) => Some(ColumnarKind::Parquet),
            _ if bytes.starts_with(b"ARROW1\0\0") => Some(ColumnarKind::Arrow),
            _ if bytes.starts_with(&[0xFF; 4]) => Some(ColumnarKind::Arrow),
            _ => None,
        }
    }
}

fn is_text(byte: u8) -> bool {
    byte >= b' ' || matches!(byte, b'\t' | b'\r' | b'\n')
}
