//! What a name stands for: for now, what the first bytes of an input say about its columns.
//!
//! To add a thing that is guessed: a file beside the others, a call in `guess.rs`, a case in its tests.

mod create_table;
mod guess;
mod guess_csv;
mod guess_ndjson;
mod guess_time;
mod live_sample;

pub use crate::data::{parse_type, type_name};
pub use create_table::{create_table_text, quoted_name};
pub use guess::{Guess, GuessedColumn, Header, Hints, SAMPLE_BYTES, guess};
pub use guess_time::TIME_NAMES;
pub use live_sample::live_sample_bytes;
