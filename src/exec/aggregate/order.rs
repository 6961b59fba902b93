//! The keys of an `ORDER BY` inside an aggregate call as bytes that compare as the keys do.

use std::sync::OnceLock;

use arrow::array::{Array, ArrayRef};
use arrow::compute::SortOptions;
use arrow::row::{RowConverter, Rows as EncodedRows, SortField};

use crate::error::{Error, Result};
use crate::exec::keys::canonical;

/// Encodes key columns. Their types are those of the first rows: all rows have the same.
pub(super) struct OrderKeys {
    options: Vec<SortOptions>,
    converter: OnceLock<RowConverter>,
}

/// The encoded keys of a batch.
#[derive(Clone)]
pub(super) struct Encoded(Option<EncodedRows>);

impl OrderKeys {
    /// Keys in these directions.
    pub(super) fn new(options: Vec<SortOptions>) -> Self {
        OrderKeys {
            options,
            converter: OnceLock::new(),
        }
    }

    /// The keys of each row; no columns give equal keys.
    pub(super) fn encode(&self, columns: &[ArrayRef]) -> Result<Encoded> {
        if columns.is_empty() {
            return Ok(Encoded(None));
        }
        let columns: Vec<ArrayRef> = columns.iter().map(canonical).collect();
        if self.converter.get().is_none() {
            let field = |(column, options): (&ArrayRef, &SortOptions)| {
                SortField::new_with_options(column.data_type().clone(), *options)
            };
            let fields = columns.iter().zip(&self.options).map(field).collect();
            // Somebody else can only have set the same.
            let _ = self.converter.set(RowConverter::new(fields)?);
        }
        let Some(converter) = self.converter.get() else {
            return Err(Error::internal("the keys of an aggregate have no encoding"));
        };
        Ok(Encoded(Some(converter.convert_columns(&columns)?)))
    }
}

impl Encoded {
    /// The key of a row.
    pub(super) fn key(&self, row: usize) -> &[u8] {
        match &self.0 {
            Some(rows) => rows.row(row).data(),
            None => &[],
        }
    }
}
