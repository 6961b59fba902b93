//! The points of a picture: rows sorted by group, each a place on the way to the right and its values.
//!
//! ```text
//!  window_start  host │ requests  p95
//!  12:00         a    │       10   31      a ─► (12:00: 10, 31) (12:01: 12, 30)
//!  12:00         b    │        7   44      b ─► (12:00:  7, 44)
//!  12:01         a    │       12   30
//! ```
//!
//! Invariants: groups keep the order of their first rows; a group holds at most [`MOST_POINTS`] points.

use std::collections::HashMap;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Int64Type, SchemaRef};

use super::axis::number_text;
use crate::cli::display::{self, ResultInfo};
use crate::data::print::{Column, ValueWriter, text};
use crate::error::{Error, Result};
use crate::time::Unit;

/// A picture is some hundred dots wide; beyond this neighbours are put together.
const MOST_POINTS: usize = 4096;
/// More groups are counted only.
const MOST_GROUPS: usize = 1000;

/// What a place to the right means.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) enum Across {
    /// The number of the row in its group.
    #[default]
    Rows,
    /// A time of this type, and the column's name.
    Time(DataType, String),
}

/// The values of one measure at one place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Extent {
    pub low: f64,
    pub high: f64,
}

/// One place of a group.
#[derive(Debug, Clone)]
pub(super) struct Point {
    pub at: i64,
    /// By measure.
    pub values: Vec<Option<Extent>>,
}

/// The rows that share all that is neither time nor measure.
#[derive(Debug, Clone)]
pub(super) struct Group {
    pub label: String,
    pub points: Vec<Point>,
    /// How many rows became one point.
    rows_per_point: usize,
    rows: usize,
    /// The text of the newest value, by measure.
    pub newest: Vec<String>,
}

/// What each column of a result is to a picture.
#[derive(Debug, Clone, Default)]
pub(in crate::cli) struct Roles {
    /// The first column that holds times.
    time: Option<usize>,
    /// What names the group of a row.
    labels: Vec<usize>,
    /// The numbers that are no keys.
    measures: Vec<usize>,
}

impl Roles {
    /// Those of a result's columns.
    pub(in crate::cli) fn of(schema: &SchemaRef, info: &ResultInfo) -> Self {
        let fields = schema.fields();
        let is_time = |place: usize| matches!(fields[place].data_type(), DataType::Timestamp(..));
        let is_measure =
            |place: &usize| fields[*place].data_type().is_numeric() && !info.keys.contains(place);
        let measures: Vec<usize> = (0..fields.len()).filter(is_measure).collect();
        let is_label = |place: &usize| !is_time(*place) && !measures.contains(place);
        Roles {
            time: (0..fields.len()).find(|&place| is_time(place)),
            labels: (0..fields.len()).filter(is_label).collect(),
            measures,
        }
    }

    /// The first number that is no key.
    pub(in crate::cli) fn measure(&self) -> Option<usize> {
        self.measures.first().copied()
    }

    /// The name of the group of a row.
    pub(in crate::cli) fn label(&self, texts: &[Column<'_>], row: usize) -> String {
        let labels = self.labels.iter().map(|&place| text_of(&texts[place], row));
        labels.collect::<Vec<_>>().join(" · ")
    }
}

fn text_of(column: &Column<'_>, row: usize) -> String {
    let mut text = Vec::new();
    column.write(row, &mut text);
    String::from_utf8_lossy(&text).into_owned()
}

/// All points of a result.
#[derive(Debug, Clone, Default)]
pub(super) struct Series {
    pub across: Across,
    roles: Roles,
    pub names: Vec<String>,
    groups: Vec<Group>,
    places: HashMap<String, usize>,
    /// Rows of groups that are too many.
    pub left_out: usize,
}

impl Series {
    /// Decides what each column is.
    ///
    /// # Errors
    /// No column holds numbers.
    pub(super) fn new(schema: &SchemaRef, info: &ResultInfo) -> Result<Self> {
        let roles = Roles::of(schema, info);
        if roles.measures.is_empty() {
            return Err(Error::plan(
                "a chart draws numbers, and no column of the result holds any",
            )
            .help("add an aggregate such as count(*), or choose another --format"));
        }
        let field = |place: usize| &schema.fields()[place];
        Ok(Series {
            across: roles.time.map_or(Across::Rows, |place| {
                let name = text::visible(field(place).name());
                Across::Time(field(place).data_type().clone(), name)
            }),
            names: (roles.measures.iter())
                .map(|&place| text::visible(field(place).name()))
                .collect(),
            roles,
            ..Series::default()
        })
    }

    pub(super) fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// True if some group has several places, so that something is to be seen over time.
    pub(super) fn has_lines(&self) -> bool {
        let first = self.groups.first().and_then(|group| group.points.first());
        let Some(first) = first.map(|point| point.at) else {
            return false;
        };
        let others = |group: &Group| group.points.iter().any(|point| point.at != first);
        self.groups.iter().any(others)
    }

    /// Adds rows, whose values `writers` write.
    pub(super) fn add(&mut self, writers: &[ValueWriter], rows: &RecordBatch) -> Result<()> {
        let texts = display::columns(writers, rows)?;
        let times = (self.roles.time)
            .map(|place| micro(rows.column(place)))
            .transpose()?;
        let measures = self.roles.measures.clone();
        let double = |&place: &usize| Ok(cast(rows.column(place), &DataType::Float64)?);
        let columns: Vec<ArrayRef> = measures.iter().map(double).collect::<Result<_>>()?;
        for row in 0..rows.num_rows() {
            let label = self.roles.label(&texts, row);
            let Some(group) = self.group(label) else {
                self.left_out += 1;
                continue;
            };
            let group = &mut self.groups[group];
            let at = match &times {
                None => i64::try_from(group.rows).unwrap_or(i64::MAX),
                // A row without a time has no place.
                Some(times) if times.is_null(row) => continue,
                Some(times) => times.as_primitive::<Int64Type>().value(row),
            };
            let value = |column: &ArrayRef| {
                let column = column.as_primitive::<Float64Type>();
                let value = (!column.is_null(row)).then(|| column.value(row))?;
                let extent = Extent {
                    low: value,
                    high: value,
                };
                value.is_finite().then_some(extent)
            };
            let values = columns.iter().map(value).collect();
            group.add(Point { at, values });
            let is_exact = |place: usize| !rows.column(place).data_type().is_floating();
            let newest = |(&place, value): (&usize, &ArrayRef)| {
                let value = value.as_primitive::<Float64Type>();
                match is_exact(place) || value.is_null(row) {
                    true => text_of(&texts[place], row),
                    false => number_text(value.value(row)),
                }
            };
            group.newest = measures.iter().zip(&columns).map(newest).collect();
        }
        Ok(())
    }

    /// The number of a group; `None` if there are too many.
    fn group(&mut self, label: String) -> Option<usize> {
        if let Some(&place) = self.places.get(&label) {
            return Some(place);
        }
        if self.groups.len() == MOST_GROUPS {
            return None;
        }
        let place = self.groups.len();
        self.places.insert(label.clone(), place);
        self.groups.push(Group {
            label,
            points: Vec::new(),
            rows_per_point: 1,
            rows: 0,
            newest: Vec::new(),
        });
        Some(place)
    }
}

impl Group {
    fn add(&mut self, point: Point) {
        let begins = self.rows.is_multiple_of(self.rows_per_point);
        self.rows += 1;
        match self.points.last_mut() {
            Some(last) if !begins => last.take(&point),
            _ => self.points.push(point),
        }
        if self.points.len() == MOST_POINTS {
            self.rows_per_point *= 2;
            let pairs = self.points.chunks(2);
            let together = pairs.map(|pair| {
                let mut first = pair[0].clone();
                pair[1..].iter().for_each(|point| first.take(point));
                first
            });
            self.points = together.collect();
        }
    }
}

impl Point {
    /// Takes another point into its place.
    fn take(&mut self, other: &Point) {
        for (mine, other) in self.values.iter_mut().zip(&other.values) {
            *mine = match (*mine, *other) {
                (Some(mine), Some(other)) => Some(Extent {
                    low: mine.low.min(other.low),
                    high: mine.high.max(other.high),
                }),
                (mine, other) => mine.or(other),
            };
        }
    }
}

/// Times in microseconds, as a picture is never finer than that.
fn micro(times: &ArrayRef) -> Result<ArrayRef> {
    let unit = Unit::of(times.data_type()).unwrap_or(Unit::Microsecond);
    let numbers = cast(times, &DataType::Int64)?;
    let per_second = unit.per_second();
    let numbers = numbers.as_primitive::<Int64Type>();
    let micro = numbers.unary::<_, Int64Type>(|value| {
        let micro = i128::from(value) * 1_000_000 / i128::from(per_second);
        i64::try_from(micro).unwrap_or(if micro < 0 { i64::MIN } else { i64::MAX })
    });
    Ok(std::sync::Arc::new(micro))
}
