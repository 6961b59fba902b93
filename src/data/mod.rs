//! What flows between operators: batches of rows with their metadata, the events that happen to rows, and
//! how values are written as text.
//!
//! To add a thing that flows: one file here, one line below. This folder knows arrow and `time`, and no SQL.

mod batch;
mod event;
pub mod inside;
mod metadata;
pub mod print;
mod quoted_name;
mod type_name;

pub use batch::{Batch, Position, input_of_position, position, record_of_position, times};
pub use event::Event;
pub use metadata::Metadata;
pub use quoted_name::quoted_name;
pub use type_name::{parse_type, type_name};
