//! A panel for each group and measure: its values from left to right.
//!
//! ```text
//! requests  web-000: newest 558, least 470, greatest 558
//! 600 ┤   ⢀⡠⠤⠒⠊⠉⠑⢄
//! 300 ┤⡠⠔⠊⠁       ⠑
//!   0 ┼─────┬──────┬──
//!         12:00  12:05
//!          window_start, 2026-01-01
//! ```
//!
//! Panels of one measure share their scale, so that groups can be compared.

use unicode_width::UnicodeWidthStr;

use super::axis::{Scale, day_text, number_text, time_marks};
use super::bars::below;
use super::canvas::{Canvas, DOTS_ACROSS, DOTS_UP};
use super::series::{Across, Extent, Group, Series};
use super::{Look, cut};
use crate::data::print::number::thousands;

/// Lines of a panel alone, of one of few, and of one of many.
const LINES: [(usize, usize); 3] = [(1, 12), (4, 5), (usize::MAX, 3)];
/// More panels are counted only.
const MOST_PANELS: usize = 24;

/// All measures of all groups, one below the other.
pub(super) fn draw(series: &Series, look: Look) -> String {
    let shown = (MOST_PANELS / series.names.len())
        .max(1)
        .min(series.groups().len());
    let groups = &series.groups()[..shown];
    let panels = groups.len() * series.names.len();
    let fits = |(most, _): &&(usize, usize)| panels <= *most;
    let lines = LINES.iter().find(fits).map_or(3, |(_, lines)| *lines);
    let mut out = String::new();
    for measure in 0..series.names.len() {
        if measure > 0 {
            out.push('\n');
        }
        panels_of(series, groups, measure, lines, look, &mut out);
    }
    let more = series.groups().len() - shown;
    if more > 0 || series.left_out > 0 {
        let more = thousands((more + series.left_out) as u64);
        out.push_str(&format!(
            "… {more} more groups; WHERE chooses which are shown\n"
        ));
    }
    out
}

/// What is the same for all panels of a measure.
struct Panel<'a> {
    series: &'a Series,
    measure: usize,
    lines: usize,
    scale: Scale,
    first: i64,
    last: i64,
    margin: usize,
    room: usize,
    look: Look,
}

fn panels_of(
    series: &Series,
    groups: &[Group],
    measure: usize,
    lines: usize,
    look: Look,
    out: &mut String,
) {
    let points = groups.iter().flat_map(|group| &group.points);
    let values = points.clone().filter_map(|point| point.values[measure]);
    let low = values
        .clone()
        .map(|value| value.low)
        .fold(f64::INFINITY, f64::min);
    let high = values
        .clone()
        .map(|value| value.high)
        .fold(f64::NEG_INFINITY, f64::max);
    let whole = |value: Extent| value.low.fract() == 0.0 && value.high.fract() == 0.0;
    let are_whole = values.clone().all(whole);
    let name = look.title(&series.names[measure]);
    if low > high {
        out.push_str(&format!("{name}  no values\n"));
        return;
    }
    let scale = Scale::of(low, high, (lines / 3).clamp(2, 4), are_whole).to_marks();
    let lines = scale
        .whole_steps()
        .map_or(lines, |steps| even(lines, steps));
    let widest = scale.marks().iter().map(|(_, text)| text.width()).max();
    let margin = widest.unwrap_or(0);
    let panel = Panel {
        series,
        measure,
        lines,
        scale,
        first: points.clone().map(|point| point.at).min().unwrap_or(0),
        last: points.map(|point| point.at).max().unwrap_or(0),
        margin,
        room: look.width.saturating_sub(margin + 2).max(10),
        look,
    };
    for group in groups {
        let label = cut(&group.label, look.width / 3);
        let label = if label.is_empty() {
            label
        } else {
            format!("  {label}")
        };
        out.push_str(&format!("{name}{label}{}\n", panel.facts(group)));
        panel.draw(group, out);
    }
    panel.scale_below(out);
}

/// About so many lines, so that there are as many between any two marks of so many steps.
fn even(lines: usize, steps: usize) -> usize {
    let steps = steps.max(1);
    let between = (lines.saturating_sub(1) + steps / 2) / steps;
    between.max(1) * steps + 1
}

impl Panel<'_> {
    /// The numbers that one would look for in the picture.
    fn facts(&self, group: &Group) -> String {
        let values = group
            .points
            .iter()
            .filter_map(|point| point.values[self.measure]);
        let low = values
            .clone()
            .map(|value| value.low)
            .fold(f64::INFINITY, f64::min);
        let high = values
            .map(|value| value.high)
            .fold(f64::NEG_INFINITY, f64::max);
        if low > high {
            return String::from("  no values");
        }
        let newest = &group.newest[self.measure];
        format!(
            "  newest {newest}, least {}, greatest {}",
            number_text(low),
            number_text(high)
        )
    }

    fn draw(&self, group: &Group, out: &mut String) {
        let mut canvas = Canvas::new(self.room, self.lines);
        let dots_up = self.lines * DOTS_UP - 1;
        let dots_across = (self.room * DOTS_ACROSS - 1) as f64;
        let width = (self.last as f64 - self.first as f64).max(1.0);
        let across =
            |at: i64| ((at as f64 - self.first as f64) / width * dots_across).round() as usize;
        let up = |value: f64| ((1.0 - self.scale.part(value)) * dots_up as f64).round() as usize;
        let mut before: Option<(usize, usize)> = None;
        let mut points: Vec<_> = group.points.iter().collect();
        points.sort_by_key(|point| point.at);
        for point in points {
            let Some(value) = point.values[self.measure] else {
                // Where there is no value there is no line.
                before = None;
                continue;
            };
            let x = across(point.at);
            let (top, bottom) = (up(value.high), up(value.low));
            canvas.line((x, top), (x, bottom));
            if let Some((from, y)) = before {
                let to = if y.abs_diff(top) < y.abs_diff(bottom) {
                    top
                } else {
                    bottom
                };
                canvas.line((from, y), (x, to));
            }
            before = Some((x, (top + bottom) / 2));
        }
        let marks = self.scale.marks();
        let line_of = |value: f64| up(value) / DOTS_UP;
        for (number, line) in canvas.lines().iter().enumerate() {
            let mark = marks.iter().find(|(value, _)| line_of(*value) == number);
            let text = mark.map_or("", |(_, text)| text.as_str());
            let letter = if mark.is_some() { '┤' } else { '│' };
            let blanks = " ".repeat(self.margin - text.width());
            let line = self.look.picture(line);
            out.push_str(&format!("{blanks}{text} {letter}{line}\n"));
        }
    }

    /// The line below the panels with its times, and what they are.
    fn scale_below(&self, out: &mut String) {
        let width = (i128::from(self.last) - i128::from(self.first)).max(1) as f64;
        let place = |at: i64| {
            let part = (i128::from(at) - i128::from(self.first)) as f64 / width;
            (part * (self.room - 1) as f64).round() as usize
        };
        let (marks, caption) = match &self.series.across {
            Across::Time(data_type, name) => {
                let marks = time_marks(self.first, self.last, self.room / 12, data_type);
                let (begin, end) = (
                    day_text(self.first, data_type),
                    day_text(self.last, data_type),
                );
                let days = if begin == end {
                    begin
                } else {
                    format!("{begin} to {end}")
                };
                (marks, format!("{name}, {days}"))
            }
            Across::Rows => {
                let marks = [self.first, self.last].map(|at| (at, (at + 1).to_string()));
                (marks.to_vec(), String::from("rows"))
            }
        };
        let marks: Vec<(usize, String)> = marks
            .into_iter()
            .map(|(at, text)| (place(at), text))
            .collect();
        let letter = |at: usize| match marks.iter().any(|(mark, _)| *mark == at) {
            true => '┬',
            false => '─',
        };
        let line: String = (0..self.room).map(letter).collect();
        let blanks = " ".repeat(self.margin + 2);
        let corner = " ".repeat(self.margin + 1);
        out.push_str(&format!(
            "{corner}└{line}\n{blanks}{}\n",
            below(&marks, self.room - 1)
        ));
        out.push_str(&format!("{blanks}{caption}\n"));
    }
}
