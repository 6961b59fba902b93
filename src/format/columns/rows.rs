//! Collects the rows of one block: columns, record numbers, rejects.
//!
//! ```text
//!  a chunk    add_row · add_row · reject · add_row │ every column │ settle
//! ```
//!
//! A record whose value turns out not to fit leaves a row behind; such rows are filtered out at the end, so
//! that the good path never looks back.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, RecordBatch, RecordBatchOptions};
use arrow::compute;
use arrow::datatypes::SchemaRef;

use super::column_writer::{ColumnPlan, ColumnWriter};
use super::value_parsers::Misfit;
use crate::error::Result;
use crate::format::{DecodeSpec, Decoded, LeftOut, Reject};
use crate::time::Zone;

/// What to write, made once for a query: the columns that are read, then those that are only checked.
#[derive(Debug, Clone)]
pub(in crate::format) struct RowPlan {
    pub(in crate::format) columns: Vec<ColumnPlan>,
    pub(in crate::format) schema: SchemaRef,
}

impl RowPlan {
    pub(in crate::format) fn new(spec: &DecodeSpec) -> Result<Self> {
        RowPlan::with_years_from(spec, None)
    }

    /// The same where times may lack their year, which begin `from` there.
    pub(in crate::format) fn with_years_from(spec: &DecodeSpec, from: Option<i64>) -> Result<Self> {
        let zone: Zone = spec.zone;
        let all = spec.columns.iter().chain(&spec.checked);
        let columns = all
            .map(|column| Ok(ColumnPlan::new(column, zone)?.with_years_from(from)))
            .collect::<Result<_>>()?;
        Ok(RowPlan {
            columns,
            schema: spec.schema(),
        })
    }
}

/// The rows so far.
pub(in crate::format) struct Rows<'a> {
    plan: &'a RowPlan,
    pub(in crate::format) columns: Vec<ColumnWriter>,
    /// Rows written, with those of bad records.
    written: usize,
    /// Rows of bad records, rising.
    bad: Vec<usize>,
    records: Vec<u32>,
    rejects: Vec<Reject>,
    /// The number of the current record.
    pub(in crate::format) record: u32,
    /// Lines before the current record.
    pub(in crate::format) line: u64,
    mended: Vec<u32>,
    left_out: Vec<(u32, LeftOut)>,
    untimed: Option<Reject>,
    /// The same of rows that were added since: keys without a column.
    unread_keys: Vec<(usize, Arc<str>)>,
    /// Where the records that were added since the columns were settled begin in `records`.
    added: usize,
    /// The same in `rejects`.
    rejected: usize,
}

/// A value that did not fit in a row that was added.
pub(in crate::format) struct RowMisfit {
    /// The row, from 0 for the first since the columns were settled.
    pub(in crate::format) row: usize,
    /// The column of the plan.
    pub(in crate::format) column: usize,
    pub(in crate::format) misfit: Misfit,
    /// The value as messages show it.
    pub(in crate::format) shown: String,
}

impl<'a> Rows<'a> {
    /// No rows yet; about `expected` will come.
    pub(in crate::format) fn new(plan: &'a RowPlan, expected: usize) -> Self {
        Rows {
            plan,
            columns: plan
                .columns
                .iter()
                .map(|column| column.writer(expected))
                .collect(),
            written: 0,
            bad: Vec::new(),
            records: Vec::with_capacity(expected),
            rejects: Vec::new(),
            record: 0,
            line: 0,
            mended: Vec::new(),
            left_out: Vec::new(),
            untimed: None,
            unread_keys: Vec::new(),
            added: 0,
            rejected: 0,
        }
    }

    /// The current record is a row; its values are written with those of others before [`Rows::settle`].
    #[inline]
    pub(in crate::format) fn add_row(&mut self) {
        self.records.push(self.record);
        self.record += 1;
    }

    /// The current record and those behind it, so many, are rows.
    pub(in crate::format) fn add_rows(&mut self, count: usize) {
        let next = self.record + count as u32;
        self.records.extend(self.record..next);
        self.record = next;
    }

    /// Every column got the values of the rows that were added. Of the misfits of a row the first one is
    /// told, with the line of its record and its text.
    pub(in crate::format) fn settle<'t>(
        &mut self,
        mut misfits: Vec<RowMisfit>,
        record_of: impl Fn(usize) -> (u64, &'t [u8]),
    ) {
        let untimed = misfits.extract_if(.., |misfit| misfit.misfit == Misfit::Untimed);
        let untimed: Vec<RowMisfit> = untimed.collect();
        self.leave_keys_out(&mut misfits);
        misfits.sort_by_key(|misfit| misfit.row);
        misfits.dedup_by_key(|misfit| misfit.row);
        if self.untimed.is_none() && !untimed.is_empty() {
            self.untimed = self.first_untimed(untimed, &misfits, &record_of);
        }
        for misfit in &misfits {
            let (line, text) = record_of(misfit.row);
            let record = self.records[self.added + misfit.row];
            let told = misfit.told(self.plan, (record, line), text);
            self.rejects.push(told);
            self.bad.push(self.written + misfit.row);
        }
        self.written += self.records.len() - self.added;
        debug_assert!(
            self.columns
                .iter()
                .all(|column| column.len() == self.written)
        );
        if !misfits.is_empty() {
            self.rejects[self.rejected..].sort_by_key(|reject| reject.record);
            let mut bad = misfits.iter().map(|misfit| misfit.row).peekable();
            let rows = self.records.split_off(self.added);
            let good = rows.into_iter().enumerate();
            let good = good.filter(|(row, _)| bad.next_if_eq(row).is_none());
            self.records.extend(good.map(|(_, record)| record));
        }
        self.added = self.records.len();
        self.rejected = self.rejects.len();
    }

    /// The first row without a readable time that is none of the bad ones.
    #[cold]
    fn first_untimed<'t>(
        &self,
        untimed: Vec<RowMisfit>,
        bad: &[RowMisfit],
        record_of: &dyn Fn(usize) -> (u64, &'t [u8]),
    ) -> Option<Reject> {
        let is_good = |row| bad.binary_search_by_key(&row, |misfit| misfit.row).is_err();
        let good = untimed.into_iter().filter(|misfit| is_good(misfit.row));
        let first = good.min_by_key(|misfit| misfit.row)?;
        let place = (self.records[self.added + first.row], record_of(first.row).0);
        Some(first.told(self.plan, place, &[]))
    }

    /// A row that was added has a key without a column.
    #[cold]
    pub(in crate::format) fn tell_key(&mut self, row: usize, key: &[u8]) {
        let key = match self.unread_keys.last() {
            Some((_, last)) if last.as_bytes() == key => Arc::clone(last),
            _ => Arc::from(String::from_utf8_lossy(key)),
        };
        self.unread_keys.push((row, key));
    }

    /// Takes the values that were written without some of their keys out of the misfits.
    fn leave_keys_out(&mut self, misfits: &mut Vec<RowMisfit>) {
        let is_unnamed = |misfit: &RowMisfit| misfit.misfit == Misfit::Unnamed;
        if self.unread_keys.is_empty() && !misfits.iter().any(is_unnamed) {
            return;
        }
        let (unnamed, bad): (Vec<_>, Vec<_>) =
            std::mem::take(misfits).into_iter().partition(is_unnamed);
        *misfits = bad;
        let mut places: Vec<_> = unnamed.iter().map(|one| (one.row, one.column)).collect();
        places.sort_unstable();
        places.dedup();
        let bad: hashbrown::HashSet<usize> = misfits.iter().map(|misfit| misfit.row).collect();
        let inside = places.into_iter().map(|(row, column)| {
            let name = self.plan.columns[column].name_for_messages();
            (row, LeftOut::Inside(name))
        });
        let keys = self.unread_keys.drain(..);
        let keys = keys.map(|(row, key)| (row, LeftOut::Key(key)));
        let mut left_out: Vec<(usize, LeftOut)> = inside.chain(keys).collect();
        left_out.retain(|(row, _)| !bad.contains(row));
        left_out.sort_by_key(|(row, _)| *row);
        let records = &self.records[self.added..];
        let left_out = left_out.into_iter().map(|(row, what)| (records[row], what));
        self.left_out.extend(left_out);
    }

    /// Bytes of the current record were replaced.
    #[cold]
    pub(in crate::format) fn mend(&mut self) {
        self.mended.push(self.record);
    }

    /// The current record is bad, and no column gets a value of it.
    #[cold]
    pub(in crate::format) fn reject(&mut self, reason: String, help: Option<String>, text: &[u8]) {
        self.rejects.push(Reject {
            record: self.record,
            line: self.line,
            reason,
            help,
            text: text.to_vec(),
        });
        self.record += 1;
    }

    /// The rows of the good records.
    pub(in crate::format) fn finish(self) -> Result<Decoded> {
        let read = self.plan.schema.fields().len();
        let columns: Vec<ArrayRef> = self
            .columns
            .into_iter()
            .zip(&self.plan.columns)
            .take(read)
            .map(|(column, plan)| column.finish(plan))
            .collect();
        let options = RecordBatchOptions::new().with_row_count(Some(self.written));
        let schema = Arc::clone(&self.plan.schema);
        let mut rows = RecordBatch::try_new_with_options(schema, columns, &options)?;
        if !self.bad.is_empty() {
            let mut good = vec![true; self.written];
            for row in &self.bad {
                good[*row] = false;
            }
            rows = compute::filter_record_batch(&rows, &BooleanArray::from(good))?;
        }
        Ok(Decoded {
            rows,
            records: self.records,
            rejects: self.rejects,
            record_count: self.record,
            line_count: self.line,
            mended: self.mended,
            left_out: self.left_out,
            untimed: self.untimed,
        })
    }
}

/// A field as messages show it: quoted, shortened, control characters escaped.
pub(in crate::format) fn shown_text(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    format!("{:?}", shortened(&text))
}

/// At most 60 characters of a text, with an ellipsis if there were more.
pub(in crate::format) fn shortened(text: &str) -> String {
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
