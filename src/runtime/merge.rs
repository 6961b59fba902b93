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

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute;
use arrow::datatypes::{DataType, Int64Type};

use super::reader::{Chunk, Input, InputFile, Opened, Read, Reader, Rejected, Texts};
use super::wait::{Idle, Waiter};
use crate::connect::FileSource;
use crate::error::{Error, Result};

/// A run of records of one file in their final order.
pub(super) struct Run {
    /// The good ones.
    pub rows: RecordBatch,
    /// Per good one: its number behind the records before the run.
    pub offsets: Vec<u64>,
    /// The bad ones: likewise, with the file.
    pub rejects: Vec<(u64, String, Rejected)>,
    /// How many records, good and bad.
    pub record_count: u64,
    /// Those that were mended, by number behind the records before the run.
    pub mended: Vec<u64>,
    /// The texts of the chunk that the run is from, and the number of the run's first record in it.
    pub texts: Option<(Arc<Texts>, u32)>,
}

/// What the files give.
pub(super) enum Next {
    Run(Run),
    End,
    Stop,
}

/// The files of one input.
pub(super) struct Files {
    input: Input,
    /// One after the other, or those that the merge has reached.
    waiting: VecDeque<Waiting>,
    open: Vec<Cursor>,
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
    /// The files of `input`.
    ///
    /// # Errors
    /// A file that cannot be opened or read, where first times are needed.
    pub(super) fn new(mut input: Input, waiter: &mut Waiter<'_>) -> Result<Self> {
        let files = std::mem::take(&mut input.files);
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
        })
    }

    /// The next run of records.
    pub(super) fn next(
        &mut self,
        waiter: &mut Waiter<'_>,
        idle: &mut dyn FnMut(Idle) -> Result<()>,
    ) -> Result<Next> {
        loop {
            self.open_reached()?;
            let mut index = 0;
            while index < self.open.len() {
                match self.open[index].load(&self.input, waiter, idle)? {
                    Loaded::Chunk => index += 1,
                    Loaded::End => drop(self.open.remove(index)),
                    Loaded::Stop => return Ok(Next::Stop),
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

    fn must_open(&self) -> bool {
        match self.waiting.front() {
            None => false,
            Some(waiting) => match (waiting.first, self.least()) {
                (_, None) => true,
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
            self.open.push(Cursor {
                number: waiting.number,
                reader: Reader::new(waiting.file.open()?, &self.input),
                chunk: None,
            });
            if self.input.merge_by.is_none() || self.least().is_none() {
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
        let name = cursor.reader.name().to_string();
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
        let run = pending.take(from, to, &name);
        if pending.next_record == pending.chunk.record_count {
            cursor.chunk = None;
        }
        Ok(Next::Run(run))
    }
}

enum Loaded {
    Chunk,
    End,
    Stop,
}

impl Cursor {
    /// Makes sure that there is a record to look at.
    fn load(
        &mut self,
        input: &Input,
        waiter: &mut Waiter<'_>,
        idle: &mut dyn FnMut(Idle) -> Result<()>,
    ) -> Result<Loaded> {
        while self.chunk.is_none() {
            let chunk = match self.reader.next(waiter, idle)? {
                Read::Chunk(chunk) => chunk,
                Read::End => return Ok(Loaded::End),
                Read::Stop => return Ok(Loaded::Stop),
            };
            if chunk.record_count > 0 {
                self.chunk = Some(Pending::new(chunk, input.merge_by)?);
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
    fn new(chunk: Chunk, merge_by: Option<usize>) -> Result<Self> {
        let times = match merge_by {
            None => Vec::new(),
            Some(column) => times(&chunk, column)?,
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
    fn take(&mut self, from: u32, to: u32, name: &str) -> Run {
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
            rejects.push((u64::from(record - from), name.to_string(), rejected.clone()));
            self.next_reject += 1;
        }
        self.next_record = to;
        let at = |record: u32| chunk.mended.partition_point(|mended| *mended < record);
        Run {
            rows: chunk.rows.slice(first_row, self.next_row - first_row),
            offsets: chunk.records[first_row..self.next_row]
                .iter()
                .map(|record| u64::from(record - from))
                .collect(),
            rejects,
            record_count: u64::from(to - from),
            mended: chunk.mended[at(from)..at(to)]
                .iter()
                .map(|record| u64::from(record - from))
                .collect(),
            texts: chunk.texts.clone().map(|texts| (texts, from)),
        }
    }
}

/// Per record of a chunk: its time, `i64::MIN` for rejects and records without one.
fn times(chunk: &Chunk, column: usize) -> Result<Vec<i64>> {
    let mut times = vec![i64::MIN; chunk.record_count as usize];
    let values = compute::cast(chunk.rows.column(column), &DataType::Int64)?;
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
    let column = input.merge_by.unwrap_or_default();
    let path = match &file {
        InputFile::Path(path) => Some(path.clone()),
        // It was opened for the guess: what lies there whole can be opened once more.
        InputFile::Opened(opened) if opened.source.is_file() => {
            Some(opened.source.name().to_string())
        }
        InputFile::Opened(_) => None,
    };
    let Some(path) = path else {
        return Ok((file, Some(i64::MIN)));
    };
    let opened = Opened {
        source: Box::new(FileSource::open(&path)?),
        bytes: Vec::new(),
        at_end: false,
    };
    if !opened.source.is_file() {
        return Ok((InputFile::Opened(opened), Some(i64::MIN)));
    }
    let mut reader = Reader::new(opened, input);
    let mut first = None;
    while let Read::Chunk(chunk) = reader.next(waiter, &mut |_| Ok(()))? {
        if chunk.record_count > 0 {
            first = times(&chunk, column)?
                .into_iter()
                .find(|time| *time != i64::MIN);
            break;
        }
    }
    Ok((InputFile::Path(path), Some(first.unwrap_or(i64::MIN))))
}
