//! Plain lines: the one column `line` is all of it.

use super::walk::{Fields, Walk, Walked};

/// Takes every line as it is.
#[derive(Debug)]
pub(super) struct PlainWalk {
    pub(super) columns: usize,
}

impl Walk for PlainWalk {
    fn walk(&mut self, line: &[u8], fields: &mut Fields) -> Walked {
        for column in 0..self.columns {
            fields.put_text(column, (0, line.len()));
        }
        Walked::Record
    }
}
