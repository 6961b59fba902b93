//! Looks at inputs of columns: what they say about their columns, and the first rows where that is not enough.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;

use super::Sources;
use super::opening::{First, FirstOpened};
use crate::catalog::{Guess, Hints, guess, guess_columnar, shown_columns};
use crate::error::{Error, ErrorKind, Result};
use crate::format::{
    ArrowBatch, ArrowMessages, ColumnarFormat, ColumnarKind, Format, ParquetFile, parse_format_name,
};
use crate::runtime::{Gathering, Opened, Waiter};
use crate::session::Host;
use crate::session::host::Note;

/// The kind of columns that an input holds, as it is said or as its first bytes show.
pub(super) fn columnar_kind(bytes: &[u8], hints: &Hints) -> Option<ColumnarKind> {
    match hints.format.as_deref().filter(|name| *name != "auto") {
        Some(name) => ColumnarKind::of_name(parse_format_name(name).ok()?),
        None if hints.regex.is_some() || hints.delimiter.is_some() => None,
        None => ColumnarKind::of_bytes(bytes),
    }
}

impl Sources {
    /// What an input of any kind looks like; `None` if there is nothing in it.
    ///
    /// # Errors
    /// Like nothing that is known, or not like what it is said to be.
    pub(super) fn look(
        &self,
        first: &mut First,
        hints: &Hints,
        host: &mut dyn Host,
    ) -> Result<Option<Guess>> {
        let sample = &first.sample;
        if sample.bytes.trim_ascii().is_empty() && sample.at_end {
            return Ok(None);
        }
        if let Some(kind) = columnar_kind(&sample.bytes, hints) {
            return self.look_at_columns(kind, first, hints, host).map(Some);
        }
        let guess = guess(&sample.bytes, sample.at_end, hints);
        let named = |error: Error| error.note(format!("in {}", sample.source));
        let guess = guess.map_err(named)?;
        for note in &guess.notes {
            host.note(Note::Remark(note.clone()));
        }
        Ok(Some(guess))
    }

    /// The columns of an input of which the first bytes were read.
    ///
    /// # Errors
    /// They are not what their kind says; a type that cannot be read.
    fn look_at_columns(
        &self,
        kind: ColumnarKind,
        first: &mut First,
        hints: &Hints,
        host: &mut dyn Host,
    ) -> Result<Guess> {
        let looked_at = self.look_into(kind, first, hints, host);
        let guess = looked_at
            .and_then(|(schema, shown)| guess_columnar(kind, &schema, shown.as_ref(), hints));
        guess.map_err(|error| in_file(error, first))
    }

    /// Such an input, whatever the types of its columns are.
    ///
    /// # Errors
    /// It is not what its kind says.
    pub(super) fn columnar_format(
        &self,
        kind: ColumnarKind,
        first: &mut First,
        hints: &Hints,
        host: &mut dyn Host,
    ) -> Result<Format> {
        let looked_at = self.look_into(kind, first, hints, host);
        let (schema, _) = looked_at.map_err(|error| in_file(error, first))?;
        Ok(Format::Columnar(ColumnarFormat { kind, schema }))
    }

    fn look_into(
        &self,
        kind: ColumnarKind,
        first: &mut First,
        hints: &Hints,
        host: &mut dyn Host,
    ) -> Result<(SchemaRef, Option<RecordBatch>)> {
        match (&mut first.opened, kind) {
            (FirstOpened::Input(opened), ColumnarKind::Arrow) => {
                self.look_at_arrow(opened, hints, host)
            }
            (FirstOpened::Input(opened), ColumnarKind::Parquet) => {
                self.look_at_parquet(opened, hints, host)
            }
            (FirstOpened::Live(_), ColumnarKind::Arrow) => {
                look_at_sample(&first.sample.bytes, hints)
            }
            (FirstOpened::Live(_), ColumnarKind::Parquet) => {
                Err(Error::unsupported("Parquet cannot be read from a socket")
                    .note("where its rows are stands at its end")
                    .help("send Arrow, which is read as it comes"))
            }
        }
    }

    fn look_at_arrow(
        &self,
        opened: &mut Opened,
        hints: &Hints,
        host: &mut dyn Host,
    ) -> Result<(SchemaRef, Option<RecordBatch>)> {
        let mut waiter = Waiter::new(self.interrupts.as_deref());
        let mut messages = ArrowMessages::default();
        let (mut seen, mut batch): (usize, Option<ArrowBatch>) = (0, None);
        loop {
            let mut input = &opened.bytes[seen..];
            while batch.is_none() && !input.is_empty() {
                batch = messages.take(&mut input)?;
            }
            seen = opened.bytes.len() - input.len();
            if let Some(schema) = messages.schema() {
                let wanted = shown_columns(schema, hints);
                if wanted.is_empty() {
                    return Ok((schema.clone(), None));
                }
                if let Some(batch) = &batch {
                    return Ok((schema.clone(), Some(batch.read(&wanted)?)));
                }
            }
            if opened.at_end {
                messages.end()?;
                let none = || Error::data("there is no Arrow in it");
                return Ok((messages.schema().cloned().ok_or_else(none)?, None));
            }
            match (self.read_more(opened, &mut waiter, host), messages.schema()) {
                // Whoever reads on gets the error behind the whole batches.
                (Err(error), Some(schema)) if error.kind() == ErrorKind::Outside => {
                    return Ok((schema.clone(), None));
                }
                (read, _) => read?,
            }
        }
    }

    fn look_at_parquet(
        &self,
        opened: &mut Opened,
        hints: &Hints,
        host: &mut dyn Host,
    ) -> Result<(SchemaRef, Option<RecordBatch>)> {
        let mut waiter = Waiter::new(self.interrupts.as_deref());
        let mut gathering = Gathering::default();
        let whole = loop {
            let bytes = &mut opened.bytes;
            match gathering.whole(&mut opened.source, bytes, opened.at_end)? {
                Some(whole) => break whole,
                None => self.read_more(opened, &mut waiter, host)?,
            }
        };
        let kept = whole.kept();
        let file = ParquetFile::open(whole)?;
        let schema = file.schema().clone();
        let wanted = shown_columns(&schema, hints);
        let shown = match wanted.is_empty() {
            true => None,
            false => file.rows(&wanted)?.next_batch()?,
        };
        drop(file);
        if let Some(kept) = kept {
            // The reader begins with what came of a pipe: the same memory, as nobody else has it.
            opened.bytes = Vec::from(kept);
        }
        Ok((schema, shown))
    }
}

/// How much of what came shows the columns and the first rows; `None` if more must come. That is all of it, as
/// no more is looked at.
pub(super) fn columns_sample_bytes(bytes: &[u8], at_end: bool, most: usize) -> Option<usize> {
    // Whatever is wrong with it is told by whoever looks at it.
    let is_enough = at_end || bytes.len() >= most || ArrowMessages::show_rows(bytes);
    is_enough.then_some(bytes.len())
}

/// The columns of what came through a socket, and its first rows if they did.
pub(super) fn look_at_sample(
    bytes: &[u8],
    hints: &Hints,
) -> Result<(SchemaRef, Option<RecordBatch>)> {
    let (mut messages, mut input) = (ArrowMessages::default(), bytes);
    let batch = messages.take(&mut input)?;
    let none = || Error::data("the columns of its Arrow are too long, or do not come");
    let schema = messages.schema().cloned().ok_or_else(none)?;
    let wanted = shown_columns(&schema, hints);
    let shown = match batch {
        Some(batch) if !wanted.is_empty() => Some(batch.read(&wanted)?),
        _ => None,
    };
    Ok((schema, shown))
}

/// An error about the bytes of an input; that they cannot be had names it already.
fn in_file(error: Error, first: &First) -> Error {
    match error.kind() {
        ErrorKind::Outside => error,
        _ => error.note(format!("in {}", first.sample.source)),
    }
}
