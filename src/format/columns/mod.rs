//! Cells of text to typed columns: what all text formats share.
//!
//! ```text
//!  a format finds cells        columns decide what they are
//!  "…,200,web1\n"              RowPlan ─► ColumnPlan per column ─► ColumnWriter ─► array
//!   └── cells: 200 | web1      value_parsers, number_text: text ─► value, or a misfit
//! ```
//!
//! A format says where the values of a record stand and what they were there ([`cells::Cell`]); types, NULLs,
//! zones and the words of a reject are decided here, once for all formats.

pub(in crate::format) mod cells;
pub(in crate::format) mod column_values;
pub(in crate::format) mod column_writer;
pub(in crate::format) mod number_text;
pub(in crate::format) mod rows;
pub(in crate::format) mod text_column;
mod told;
pub(in crate::format) mod value_parsers;
