//! The running of a plan: what surrounds the operators. So far signals, and the counters of a run.

pub mod interrupt;
mod summary;

pub use summary::{FirstReject, Summary};
