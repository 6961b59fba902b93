//! Where bytes come from: standard input and files. Knows no columns.
//!
//! To add a connector: one file, one line below, one grammar test.
