//! Expressions over the columns of a batch.

pub mod arithmetic;
