//! The values of a column before they are read: where they stand in the text and what they were there.
//!
//! ```text
//!  chunk   web1,"say ""hi""",200⏎         cells   web1 | aside: say "hi" | 200
//!  aside   say "hi"
//! ```
//!
//! Invariants: a cell lies within the text that it names, on borders of characters. `aside` holds what
//! does not stand in the chunk as it is: unescaped or mended copies.

/// See the module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cell {
    pub(super) start: u32,
    pub(super) length: u32,
    pub(super) kind: CellKind,
    /// True if it stands in [`Texts::aside`].
    pub(super) aside: bool,
}

/// What a value was in its source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CellKind {
    /// JSON's `null`, or nothing at all.
    Null,
    /// A field without a type of its own.
    Field,
    /// A field that stood in quotes, without them: never NULL in a column of text.
    QuotedField,
    /// A number of JSON.
    Number,
    /// A string of JSON, unescaped.
    Text,
    /// `true` or `false` of JSON.
    Boolean,
    /// An array or object of JSON.
    Nested,
}

/// What cells refer to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Texts<'a> {
    /// The text that is read.
    pub(super) chunk: &'a [u8],
    /// Copies of what does not stand there as it is.
    pub(super) aside: &'a [u8],
}

impl<'a> Texts<'a> {
    /// The text from the beginning of a cell on: at least the cell.
    #[inline]
    pub(super) fn from(&self, cell: Cell) -> &'a [u8] {
        let text = if cell.aside { self.aside } else { self.chunk };
        text.get(cell.start as usize..).unwrap_or_default()
    }

    /// The text of a cell.
    #[inline]
    pub(super) fn get(&self, cell: Cell) -> &'a [u8] {
        let text = self.from(cell);
        text.get(..cell.length as usize).unwrap_or(text)
    }
}
