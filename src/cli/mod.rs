//! The terminal: flags, messages, how rows are shown. The only folder that prints.

pub mod display;
pub mod exit;
pub mod messages;
pub mod snippet;
pub mod suggest;
