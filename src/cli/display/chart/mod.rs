//! `chart`: a picture in text, in the place of the numbers: a bar for each group, or a line over time.
//!
//! ```text
//!  one value for each group ─► bars           several for a group ─► lines over window_start, a panel for each
//!
//!  requests                                   requests
//!  web-000  ██████████████▌ 558               600 ┤⠀⢀⡠⠤⠒⠊⠉⠑⢄
//!  web-001  ████████████ 470                    0 ┼──┬──────┬───
//!           └───────┴──────┴                       12:00  12:05
//! ```
//!
//! The first column that holds times is the way to the right, numbers that are no keys of the query's groups
//! are drawn, each in panels of its own, and what is left names the groups.
//!
//! Invariants: drawn when the result is complete; what is kept of a group is bounded, neighbours share a
//! place where there are more points than a picture can show; of the values that share one, the least and the
//! greatest are drawn.

mod axis;
mod bars;
mod canvas;
mod lines;
mod series;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;

use super::table::cut;
use super::{Display, Options, Preview, ResultInfo, writers};
use crate::data::print::{Style, ValueWriter};
use crate::error::Result;
pub(in crate::cli) use series::Roles;
use series::Series;

/// The width of a picture that no terminal limits.
const WIDTH: usize = 80;
/// Narrower pictures show nothing.
const NARROWEST: usize = 40;

/// Draws a result when it is complete.
pub(super) struct Chart {
    look: Look,
    series: Series,
    writers: Vec<ValueWriter>,
    results: usize,
}

/// How pictures look.
#[derive(Debug, Clone, Copy)]
struct Look {
    width: usize,
    color: bool,
}

impl Look {
    /// A text in color, if there is any.
    fn paint(self, code: &str, text: &str) -> String {
        if self.color && !text.is_empty() {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }

    fn title(self, text: &str) -> String {
        self.paint("1", text)
    }

    fn picture(self, text: &str) -> String {
        self.paint("36", text)
    }
}

impl Chart {
    pub(super) fn new(options: &Options) -> Self {
        let width = options.width.map_or(WIDTH, usize::from);
        Chart {
            look: Look {
                width: width.max(NARROWEST),
                color: options.color,
            },
            series: Series::default(),
            writers: Vec::new(),
            results: 0,
        }
    }
}

impl Display for Chart {
    fn begin(&mut self, schema: &SchemaRef, info: &ResultInfo, out: &mut Vec<u8>) -> Result<()> {
        self.series = Series::new(schema, info)?;
        self.writers = writers(schema, Style::Table, None)?;
        if self.results > 0 {
            out.push(b'\n');
        }
        self.results += 1;
        Ok(())
    }

    fn rows(&mut self, rows: &RecordBatch, _: &mut Vec<u8>) -> Result<()> {
        self.series.add(&self.writers, rows)
    }

    fn resize(&mut self, columns: u16) {
        self.look.width = usize::from(columns).max(NARROWEST);
    }

    fn preview(&self, rows: &RecordBatch) -> Result<Preview> {
        let mut series = self.series.clone();
        series.add(&self.writers, rows)?;
        let lines = self.draw(&series).lines().map(str::to_owned).collect();
        Ok(Preview {
            head: lines,
            rows: Vec::new(),
        })
    }

    fn end(&mut self, out: &mut Vec<u8>) -> Result<()> {
        let series = std::mem::take(&mut self.series);
        out.extend_from_slice(self.draw(&series).as_bytes());
        Ok(())
    }
}

impl Chart {
    fn draw(&self, series: &Series) -> String {
        if series.groups().is_empty() {
            String::from("(no rows)\n")
        } else if series.has_lines() {
            lines::draw(series, self.look)
        } else {
            bars::draw(series, self.look)
        }
    }
}
