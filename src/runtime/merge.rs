//! Several files as one input, merged by time: the file whose next record is earliest goes first.
//!
//! ```text
//!   app.log.1   11:58  11:59  12:00 │
//!   app.log            12:00 12:03  │   12:00 of app.log.1 first: on a tie the order of the list decides
//! ```
//!
//! Files are opened in the order of their first times, when the merge has come that far: a folder of a
//! thousand logs that do not overlap has one or two of them open. Records without a time go at once.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute;
use arrow::datatypes::{DataType, Int64Type};

use super::block::{Block, Chunk, Rejected, Spare};
use super::metadata::{Origin, arrivals};
use super::reader::{Input, InputFile, Opened, Patience, Read, Reader};
use super::texts::Texts;
use super::wait::{Awaited, Waiter};
use crate::connect::open_file;
use crate::error::{Error, Result};
use crate::exec::expression::{Expression, Failures};
use crate::format::LeftOut;

/// A run of records of one file in their final order.
pub(super) struct Run {
    /// The good ones.
    pub rows: RecordBatch,
    /// Per good one: its number behind the records before the run.
    pub records: Vec<u32>,
    /// The bad ones: likewise.
    pub rejects: Vec<(u32, Rejected)>,
    /// How many records, good and bad.
    pub record_count: u32,
    /// Those that were mended: likewise.
    pub mended: Vec<u32>,
    /// Those of which keys were left out: likewise.
    pub left_out: Vec<(u32, LeftOut)>,
    /// The first good one of its chunk with a time that cannot be read: likewise.
    pub untimed: Option<(u32, Rejected)>,
    /// Lines of the file behind those before the run; 0 where rejects have the numbers of the file already.
    pub line_count: u64,
    /// The texts of the chunk that the run is from, and the number of the run's first record in it.
    pub texts: Option<(Arc<Texts>, u32)>,
    /// Where that chunk is from.
    pub origin: Origin,
}

impl Run {
    /// All records of a chunk.
    pub(super) fn of(chunk: Chunk) -> Self {
        Run {
            rows: chunk.rows,
            records: chunk.records,
            rejects: chunk.rejects,
            record_count: chunk.record_count,
            mended: chunk.mended,
            left_out: chunk.left_out,
            untimed: chunk.untimed,
            line_count: chunk.line_count,
            texts: chunk.texts.map(|texts| (texts, 0)),
            origin: chunk.origin,
        }
    }
}

impl Run {
    /// Writes a later time of reading into its column: files are read ahead of each other.
    pub(super) fn arrived(&mut self, column: usize, arrival: i64) -> Result<()> {
        let mut columns = self.rows.columns().to_vec();
        columns[column] = arrivals(arrival, self.rows.num_rows(), columns[column].data_type());
        self.rows = RecordBatch::try_new(self.rows.schema(), columns)?;
        Ok(())
    }
}

/// What the files give.
pub(super) enum Next {
    /// Of several files that are merged.
    Run(Run, File),
    /// Of one file after the other, as it was read.
    Block(Block, File),
    End,
    Stop,
    /// It would have to wait.
    Later,
}

/// A file of which records come: the same one for all that comes of it.
pub(super) type File = Arc<FileState>;

/// What is known of a file while its records are numbered.
pub(super) struct FileState {
    pub name: Arc<str>,
    /// Lines of its blocks that have been numbered.
    pub lines: AtomicU64,
    /// The last of its records was left out for its age.
    pub is_older: AtomicBool,
}

impl FileState {
    /// The file of a reader, before its first record.
    pub(super) fn new(reader: &Reader) -> File {
        Arc::new(FileState {
            name: reader.name(),
            lines: AtomicU64::new(0),
            is_older: AtomicBool::new(false),
        })
    }
}

/// The files of one input.
pub(super) struct Files {
    input: Input,
    /// One after the other, or those that the merge has reached.
    waiting: VecDeque<Waiting>,
    open: Vec<Cursor>,
    spare: Spare,
}

struct Waiting {
    number: usize,
    file: InputFile,
    /// Its first time; `None` where files are not merged.
    first: Option<i64>,
}

struct Cursor {
    number: usize,
    reader: Reader,
    file: File,
    lines: u64,
    chunk: Option<Pending>,
}

/// A chunk of which a part has gone.
struct Pending {
    chunk: Chunk,
    /// Per record: its time, `i64::MIN` for records without one.
    times: Vec<i64>,
    next_record: u32,
    next_row: usize,
    next_reject: usize,
}

impl Files {
    /// `files`, read as `input` says.
    ///
    /// # Errors
    /// A file that cannot be opened or read, where first times are needed.
    pub(super) fn new(
        files: Vec<InputFile>,
        mut input: Input,
        waiter: &mut Waiter<'_>,
    ) -> Result<Self> {
        let merged = input.merge_by.is_some() && files.len() > 1;
        let mut waiting: Vec<Waiting> = Vec::with_capacity(files.len());
        for (number, file) in files.into_iter().enumerate() {
            let (file, first) = match file {
                file if !merged => (file, None),
                file => first_time(file, &input, waiter)?,
            };
            waiting.push(Waiting {
                number,
                file,
                first,
            });
        }
        if merged {
            waiting.sort_by_key(|waiting| (waiting.first, waiting.number));
        } else {
            input.merge_by = None;
        }
        Ok(Files {
            input,
            waiting: waiting.into(),
            open: Vec::new(),
            spare: Spare::default(),
        })
    }

    /// The next records; waits only with `patience`.
    pub(super) fn next(
        &mut self,
        waiter: &mut Waiter<'_>,
        patience: &mut Patience<'_>,
    ) -> Result<Next> {
        loop {
            self.open_reached()?;
            if self.input.merge_by.is_none()
                && let Some(cursor) = self.open.first_mut()
            {
                match cursor.reader.next(waiter, patience)? {
                    Read::Block(block) => return Ok(Next::Block(block, Arc::clone(&cursor.file))),
                    Read::End => self.open.clear(),
                    Read::Stop => return Ok(Next::Stop),
                    Read::Later => return Ok(Next::Later),
                }
            }
            let mut index = 0;
            while index < self.open.len() {
                match self.open[index].load(&self.input, waiter, patience)? {
                    Loaded::Chunk => index += 1,
                    Loaded::End => drop(self.open.remove(index)),
                    Loaded::Stop => return Ok(Next::Stop),
                    Loaded::Later => return Ok(Next::Later),
                }
            }
            if self.open.is_empty() {
                if self.waiting.is_empty() {
                    return Ok(Next::End);
                }
                continue;
            }
            // A file that ended may have let the next one in.
            if self.must_open() {
                continue;
            }
            return self.run();
        }
    }

    /// Adds what to wait for before reading.
    pub(super) fn await_too<'a>(&'a self, all: &mut Awaited<'a>) {
        let files = self.open.iter();
        all.inputs
            .extend(files.filter_map(|file| file.reader.wait_for()));
    }

    fn must_open(&self) -> bool {
        if self.input.merge_by.is_none() {
            return self.open.is_empty() && !self.waiting.is_empty();
        }
        match self.waiting.front() {
            None => false,
            Some(waiting) => match (waiting.first, self.least()) {
                // The open ones must show their next records first, if there are any.
                (_, None) => self.open.is_empty(),
                (None, Some(_)) => false,
                (Some(first), Some((_, time, _))) => first <= time,
            },
        }
    }

    fn open_reached(&mut self) -> Result<()> {
        while self.must_open() {
            let Some(waiting) = self.waiting.pop_front() else {
                break;
            };
            let reader = Reader::new(
                waiting.file.open(self.input.compression)?,
                &self.input,
                &self.spare,
            )?;
            self.open.push(Cursor {
                number: waiting.number,
                file: FileState::new(&reader),
                reader,
                lines: 0,
                chunk: None,
            });
            if self.least().is_none() {
                break;
            }
        }
        Ok(())
    }

    /// The open file that goes next: its place, the time of its next record, its number in the list.
    fn least(&self) -> Option<(usize, i64, usize)> {
        let next = |(place, cursor): (usize, &Cursor)| Some((place, cursor.time()?, cursor.number));
        let files = self.open.iter().enumerate().filter_map(next);
        files.min_by_key(|(_, time, number)| (*time, *number))
    }

    /// Records of the file that goes next, as far as it does.
    fn run(&mut self) -> Result<Next> {
        let (place, _, number) = self
            .least()
            .ok_or_else(|| Error::internal("a merge of nothing"))?;
        let others = self
            .open
            .iter()
            .enumerate()
            .filter(|(other, _)| *other != place);
        let limit = others
            .filter_map(|(_, cursor)| Some((cursor.time()?, cursor.number)))
            .chain(
                self.waiting
                    .front()
                    .and_then(|w| Some((w.first?, w.number))),
            )
            .min();
        let cursor = &mut self.open[place];
        let file = Arc::clone(&cursor.file);
        let pending = cursor
            .chunk
            .as_mut()
            .ok_or_else(|| Error::internal("no chunk"))?;
        let goes = |time: i64| limit.is_none_or(|limit| (time, number) < limit);
        let from = pending.next_record;
        let mut to = from;
        while to < pending.chunk.record_count && goes(pending.time_of(to)) {
            to += 1;
        }
        let run = pending.take(from, to);
        if pending.next_record == pending.chunk.record_count {
            cursor.chunk = None;
        }
        Ok(Next::Run(run, file))
    }
}

enum Loaded {
    Chunk,
    End,
    Stop,
    Later,
}

impl Cursor {
    /// Makes sure that there is a record to look at.
    fn load(
        &mut self,
        input: &Input,
        waiter: &mut Waiter<'_>,
        patience: &mut Patience<'_>,
    ) -> Result<Loaded> {
        while self.chunk.is_none() {
            let mut chunk = match self.reader.next(waiter, patience)? {
                Read::Block(block) => block.decode()?,
                Read::End => return Ok(Loaded::End),
                Read::Stop => return Ok(Loaded::Stop),
                Read::Later => return Ok(Loaded::Later),
            };
            chunk.number_lines(&mut self.lines);
            if chunk.record_count > 0 {
                self.chunk = Some(Pending::new(chunk, input.merge_by.as_ref())?);
            }
        }
        Ok(Loaded::Chunk)
    }

    fn time(&self) -> Option<i64> {
        let pending = self.chunk.as_ref()?;
        Some(pending.time_of(pending.next_record))
    }
}

impl Pending {
    fn new(chunk: Chunk, merge_by: Option<&Expression>) -> Result<Self> {
        let times = match merge_by {
            None => Vec::new(),
            Some(time) => times(&chunk, time)?,
        };
        Ok(Pending {
            chunk,
            times,
            next_record: 0,
            next_row: 0,
            next_reject: 0,
        })
    }

    fn time_of(&self, record: u32) -> i64 {
        self.times.get(record as usize).copied().unwrap_or(i64::MIN)
    }

    /// The records from `from` to `to` as a run.
    fn take(&mut self, from: u32, to: u32) -> Run {
        let chunk = &self.chunk;
        let first_row = self.next_row;
        while chunk
            .records
            .get(self.next_row)
            .is_some_and(|record| *record < to)
        {
            self.next_row += 1;
        }
        let mut rejects = Vec::new();
        while let Some((record, rejected)) = chunk.rejects.get(self.next_reject) {
            if *record >= to {
                break;
            }
            rejects.push((record - from, rejected.clone()));
            self.next_reject += 1;
        }
        self.next_record = to;
        Run {
            rows: chunk.rows.slice(first_row, self.next_row - first_row),
            records: chunk.records[first_row..self.next_row]
                .iter()
                .map(|record| record - from)
                .collect(),
            rejects,
            record_count: to - from,
            mended: chunk
                .mended
                .iter()
                .filter(|record| (from..to).contains(*record))
                .map(|record| record - from)
                .collect(),
            left_out: (chunk.left_out.iter())
                .filter(|(record, _)| (from..to).contains(record))
                .map(|(record, what)| (record - from, what.clone()))
                .collect(),
            untimed: (chunk.untimed.as_ref())
                .filter(|(record, _)| (from..to).contains(record))
                .map(|(record, untimed)| (record - from, untimed.clone())),
            line_count: 0,
            texts: chunk.texts.clone().map(|texts| (texts, from)),
            origin: chunk.origin.clone(),
        }
    }
}

/// Per record of a chunk: its time, `i64::MIN` for rejects and records without one.
fn times(chunk: &Chunk, time: &Expression) -> Result<Vec<i64>> {
    let mut times = vec![i64::MIN; chunk.record_count as usize];
    // What has no value is counted when the column is computed for the rows.
    let values = time.column(&chunk.rows, &mut Failures::new())?;
    let values = compute::cast(&values, &DataType::Int64)?;
    let values = values.as_primitive::<Int64Type>();
    for (row, &record) in chunk.records.iter().enumerate() {
        if values.is_valid(row) {
            times[record as usize] = values.value(row);
        }
    }
    Ok(times)
}

/// The first time in a file, from its first block; the file is closed again if it can be opened twice.
fn first_time(
    file: InputFile,
    input: &Input,
    waiter: &mut Waiter<'_>,
) -> Result<(InputFile, Option<i64>)> {
    let Some(time) = &input.merge_by else {
        return Ok((file, None));
    };
    let path = match &file {
        InputFile::Path(path) => Some(path.clone()),
        // It was opened for the guess.
        InputFile::Opened(opened) => opened.source.path().map(String::from),
    };
    let Some(path) = path else {
        return Ok((file, Some(i64::MIN)));
    };
    let opened = Opened {
        source: open_file(&path, input.compression)?,
        bytes: Vec::new(),
        at_end: false,
    };
    if !opened.source.is_file() {
        return Ok((InputFile::Opened(opened), Some(i64::MIN)));
    }
    let mut reader = Reader::new(opened, input, &Spare::default())?;
    let mut first = None;
    // Whatever keeps us from reading on is said when the file's turn comes, behind its whole records.
    while let Ok(Read::Block(block)) = reader.next(waiter, &mut None) {
        let Ok(chunk) = block.decode() else { break };
        first = times(&chunk, time)?
            .into_iter()
            .find(|time| *time != i64::MIN);
        // However many records without one come before it: the size of blocks must not matter.
        if first.is_some() {
            break;
        }
    }
    Ok((InputFile::Path(path), Some(first.unwrap_or(i64::MIN))))
}
