//! A bar for each group, to the right of its name.
//!
//! ```text
//! requests
//! web-000  ████████████████████████▌ 558
//! web-001  ████████████████████ 470
//!          └────────┴────────┴────────┴
//!          0       200      400      600
//! ```
//!
//! Negative values go to the left from where zero is.

use unicode_width::UnicodeWidthStr;

use super::axis::{Scale, whole_time_text};
use super::series::{Across, Group, Series};
use super::{Look, cut};

/// A name is cut beyond this part of the width.
const NAME_PART: usize = 3;
/// More bars are counted only.
const MOST_BARS: usize = 200;
const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/// All measures, one below the other.
pub(super) fn draw(series: &Series, look: Look) -> String {
    let mut out = String::new();
    let shown = &series.groups()[..series.groups().len().min(MOST_BARS)];
    for (measure, name) in series.names.iter().enumerate() {
        if measure > 0 {
            out.push('\n');
        }
        let when = match (
            &series.across,
            shown.first().and_then(|group| group.points.first()),
        ) {
            (Across::Time(data_type, time), Some(first)) => {
                format!("  {time} {}", whole_time_text(first.at, data_type))
            }
            _ => String::new(),
        };
        out.push_str(&format!("{}{when}\n", look.title(name)));
        bars(shown, measure, look, &mut out);
    }
    let more = series.groups().len() - shown.len() + series.left_out;
    if more > 0 {
        out.push_str(&format!(
            "… {more} more; ORDER BY and LIMIT choose which are shown\n"
        ));
    }
    out
}

fn bars(groups: &[Group], measure: usize, look: Look, out: &mut String) {
    let value = |group: &Group| Some(group.points.last()?.values[measure]?.high);
    let values = groups.iter().filter_map(value);
    let low = values.clone().fold(0.0, f64::min);
    let high = values.clone().fold(0.0, f64::max);
    let are_whole = values.clone().all(|value| value.fract() == 0.0);
    let names: Vec<String> = (groups.iter())
        .map(|group| cut(&group.label, look.width / NAME_PART))
        .collect();
    let name_width = names.iter().map(|name| name.width()).max().unwrap_or(0);
    let indent = if name_width == 0 { 0 } else { name_width + 2 };
    let text_width = groups
        .iter()
        .map(|group| group.newest[measure].width())
        .max();
    let room = look
        .width
        .saturating_sub(indent + text_width.unwrap_or(0) + 2)
        .max(8);
    let scale = Scale::of(low, high, (room / 12).clamp(1, 6), are_whole);
    let zero = (scale.part(0.0) * room as f64).round() as usize;
    for (group, name) in groups.iter().zip(&names) {
        let text = &group.newest[measure];
        let bar = match value(group) {
            Some(value) if value < 0.0 => {
                let begin = (scale.part(value) * room as f64).round() as usize;
                " ".repeat(begin) + &look.picture(&"█".repeat(zero.saturating_sub(begin))) + " "
            }
            Some(value) => {
                let eighths =
                    ((scale.part(value) - scale.part(0.0)) * room as f64 * 8.0).round() as usize;
                let mut bar = "█".repeat(eighths / 8);
                bar.push_str(EIGHTHS[eighths % 8]);
                if bar.is_empty() && value > 0.0 {
                    // What is there is seen.
                    bar.push_str(EIGHTHS[1]);
                }
                let gap = if bar.is_empty() { "" } else { " " };
                " ".repeat(zero) + &look.picture(&bar) + gap
            }
            None => " ".repeat(zero),
        };
        let blanks = " ".repeat(indent - name.width());
        out.push_str(&format!("{name}{blanks}{bar}{text}\n"));
    }
    scale_below(&scale, room, indent, out);
}

/// The line below the bars, and its numbers.
fn scale_below(scale: &Scale, room: usize, indent: usize, out: &mut String) {
    let place = |value: f64| (scale.part(value) * room as f64).round() as usize;
    let marks: Vec<(usize, String)> = (scale.marks().into_iter())
        .map(|(value, text)| (place(value), text))
        .collect();
    let letter = |at: usize| match marks.iter().any(|(mark, _)| *mark == at) {
        true if at == 0 => '└',
        true => '┴',
        false => '─',
    };
    let line: String = (0..=room).map(letter).collect();
    let blanks = " ".repeat(indent);
    out.push_str(&format!(
        "{blanks}{line}\n{blanks}{}\n",
        below(&marks, room)
    ));
}

/// Texts with their middles at their places, as far as they do not touch.
pub(super) fn below(marks: &[(usize, String)], room: usize) -> String {
    let mut line = String::new();
    let mut end = 0;
    for (at, text) in marks {
        let width = text.width();
        let begin = at
            .saturating_sub(width / 2)
            .min((room + 1).saturating_sub(width));
        if begin < end || (end > 0 && begin == end) {
            continue;
        }
        line.push_str(&" ".repeat(begin - end.min(begin)));
        line.push_str(text);
        end = begin + width;
    }
    line
}
