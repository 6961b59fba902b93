//! The values of records of JSON, column by column, until they are written.
//!
//! ```text
//!  row        0      1     2
//!  slot 0   "ann"  null  "bob"       a run of cells for each slot, as the writer of columns takes them
//!  slot 1    1      7     2
//! ```
//!
//! Invariants: a row counts once it has ended, and every slot was put before; there is always room for one
//! row more.

use super::value::{JsonValue, unescape};
use crate::format::columns::cells::{Cell, CellKind};

/// Little, as a slow input comes in small blocks; it grows once per block.
const FIRST_CAPACITY: usize = 16;

/// See the module. Reused from chunk to chunk.
#[derive(Debug)]
pub(in crate::format) struct JsonCells {
    /// Slot by slot.
    cells: Vec<Cell>,
    slot_count: usize,
    row_count: usize,
    /// Rows that a slot has room for.
    capacity: usize,
    /// Values that do not stand in the chunk as they are.
    aside: Vec<u8>,
}

impl JsonCells {
    /// The cell of a key that a record lacks.
    pub(in crate::format) const NULL: Cell = Cell {
        start: 0,
        length: 0,
        kind: CellKind::Null,
        aside: false,
    };

    /// No rows yet.
    pub(in crate::format) fn new(slot_count: usize) -> Self {
        JsonCells {
            cells: vec![Self::NULL; slot_count * FIRST_CAPACITY],
            slot_count,
            row_count: 0,
            capacity: FIRST_CAPACITY,
            aside: Vec::new(),
        }
    }

    /// Forgets all rows.
    pub(in crate::format) fn clear(&mut self) {
        self.row_count = 0;
        self.aside.clear();
    }

    /// Rows so far.
    #[inline]
    pub(in crate::format) fn row_count(&self) -> usize {
        self.row_count
    }

    /// The cells of a slot, one for each row.
    pub(in crate::format) fn column(&self, slot: usize) -> &[Cell] {
        let start = slot * self.capacity;
        &self.cells[start..start + self.row_count]
    }

    /// What the cells refer to besides the text that the records stand in.
    pub(in crate::format) fn aside(&self) -> &[u8] {
        &self.aside
    }

    /// Sets a value of the row that comes next.
    #[inline(always)]
    pub(in crate::format) fn put(&mut self, slot: usize, cell: Cell) {
        self.cells[slot * self.capacity + self.row_count] = cell;
    }

    /// Sets a value that is part of `chunk`.
    pub(in crate::format) fn put_value(&mut self, slot: usize, value: JsonValue<'_>, chunk: &[u8]) {
        let inside = |part: &[u8], kind| Cell {
            start: offset(part.as_ptr().addr() - chunk.as_ptr().addr()),
            length: offset(part.len()),
            kind,
            aside: false,
        };
        let cell = match value {
            JsonValue::Number(text) => inside(text, CellKind::Number),
            JsonValue::Nested(text) => inside(text, CellKind::Nested),
            JsonValue::Text {
                inside: text,
                escaped: false,
            } => inside(text, CellKind::Text),
            _ => self.copied(value),
        };
        self.put(slot, cell);
    }

    /// Sets a value that is part of no chunk.
    pub(in crate::format) fn put_copy(&mut self, slot: usize, value: JsonValue<'_>) {
        let cell = self.copied(value);
        self.put(slot, cell);
    }

    /// Sets a text that is part of no chunk and has no escapes.
    pub(in crate::format) fn put_text(&mut self, slot: usize, text: &[u8]) {
        let value = JsonValue::Text {
            inside: text,
            escaped: false,
        };
        self.put_copy(slot, value);
    }

    /// A value whose text is set aside.
    fn copied(&mut self, value: JsonValue<'_>) -> Cell {
        let start = self.aside.len();
        let kind = match value {
            JsonValue::Null => return Self::NULL,
            JsonValue::Boolean(_) => CellKind::Boolean,
            JsonValue::Number(_) => CellKind::Number,
            JsonValue::Text { .. } => CellKind::Text,
            JsonValue::Nested(_) => CellKind::Nested,
        };
        match value {
            JsonValue::Text {
                inside,
                escaped: true,
            } => unescape(inside, &mut self.aside),
            _ => self.aside.extend_from_slice(value.text(&mut Vec::new())),
        }
        Cell {
            start: offset(start),
            length: offset(self.aside.len() - start),
            kind,
            aside: true,
        }
    }

    /// The row is whole.
    #[inline(always)]
    pub(in crate::format) fn end_row(&mut self) {
        self.row_count += 1;
        if self.row_count == self.capacity {
            self.grow();
        }
    }

    #[cold]
    fn grow(&mut self) {
        let capacity = self.capacity * 2;
        let mut cells = Vec::with_capacity(self.slot_count * capacity);
        for slot in self.cells.chunks(self.capacity) {
            cells.extend_from_slice(slot);
            cells.resize(cells.len() + self.capacity, Self::NULL);
        }
        self.cells = cells;
        self.capacity = capacity;
    }
}

/// Records are shorter than 4 GiB: the decoder sees to it.
fn offset(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}
