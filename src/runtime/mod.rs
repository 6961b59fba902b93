//! Where bytes meet operators: reads inputs, cuts and decodes records, pushes rows, commits what happens.
//!
//! ```text
//!  connect ─► reader ─► merge ─► source ─────────────────► graph ─► results ─► output ─► sink (rows)
//!  bytes      records   files    computed columns,           └────► events  ─► commit ─► sink (late, rejects),
//!             decoded   by time  positions, watermark                                    counters, gates
//! ```
//!
//! One loop for every rate: read what is there, process it, hand on what came out, and flush when the
//! input would make us wait. No timers, no second design for slow inputs.
//!
//! Invariants: the only place where bytes, records and rows meet; how reads cut the bytes changes no byte
//! of what comes out, because everything is decided row by row and committed in the order of rows.

mod arrived;
mod block;
mod column_reader;
mod commit;
pub mod interrupt;
mod live;
mod live_sample;
mod merge;
mod metadata;
mod output;
mod pipeline;
mod progress;
mod quiet;
mod reader;
mod record_reader;
mod records;
mod room;
mod run;
mod since;
mod sink;
mod source;
mod summary;
mod texts;
mod timeline;
mod turns;
mod wait;
mod whole;
mod workers;

pub use commit::{Gates, LateRow, Mover, RejectedRow, SourceGate};
pub use live_sample::Live;
pub use metadata::{MetadataPlan, Place};
pub use output::RowWriter;
pub use progress::Progress;
pub use reader::{Input, InputFile, Inputs, Opened, Sample};
pub use room::bytes_left;
pub use run::{Outcome, RunSpec, run};
pub use sink::{NextWindow, OpenRows, Pause, Sink, Status, Waiting};
pub use summary::{FirstReject, Summary};
pub use wait::{ForSinks, Idle, Waiter, Woken};
pub use whole::Gathering;
