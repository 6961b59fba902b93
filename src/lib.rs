//! Streaming SQL for the command line: the library behind the `tumble` binary.
//!
//! `src/README.md` draws the architecture; the modules are listed here in the order a query travels.

pub mod cli;
pub mod session;

pub mod sql;

pub mod catalog;

pub mod functions;

pub mod plan;

pub mod exec;

pub mod time;

pub mod data;

pub mod format;

pub mod connect;

pub mod runtime;

pub mod error;
