//! An error drawn with the place in the query that it points at, or as a JSON object.
//!
//! ```text
//! error: column `stauts` does not exist in `stdin`
//!   --> query:1:8
//!    |
//!  1 | SELECT stauts, count(*) FROM stdin
//!    |        ^^^^^^ did you mean `status`?
//!    = columns: ts, host, path, status, bytes
//! ```
//!
//! Invariants: carets stand below their text also behind tabs and wide characters; nothing from the query
//! or the data acts on the terminal; a long line is cut around the place, and lists are folded where a terminal's
//! width is known; any span is drawn without panic.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::screen;
use crate::data::print::text::visible;
use crate::error::{Error, ErrorKind, Span};

/// The text that the spans of an error count in.
#[derive(Debug, Clone, Copy)]
pub struct Script<'a> {
    /// What it is called: `query`, or the path of a file.
    pub name: &'a str,
    /// The text.
    pub text: &'a str,
}

/// How drawings look.
#[derive(Debug, Clone, Copy)]
pub struct Look {
    /// Whether escape codes may be used.
    pub color: bool,
    /// Columns of the terminal, if it is one.
    pub columns: Option<usize>,
}

impl Look {
    /// Columns that a line of the query may take, behind its number of so many digits, before it is cut.
    fn room(self, digits: usize) -> usize {
        let beside = digits + " ".len() + " | ".len();
        let fits = |columns: usize| columns.saturating_sub(beside);
        self.columns.map_or(WIDTH, fits)
    }
}

/// Columns of a line of the query where no terminal says how many fit.
const WIDTH: usize = 100;

const TAB: &str = "    ";

/// A span, as line and columns.
#[derive(Debug, PartialEq, Eq)]
struct Place<'a> {
    /// From 1.
    line: usize,
    /// The text of the line.
    text: &'a str,
    /// The bytes of the span within `text`; empty at most at its end.
    start: usize,
    end: usize,
}

impl<'a> Place<'a> {
    /// Spans beyond the text are drawn at its end, spans over several lines end with their first.
    fn new(script: &Script<'a>, span: Span) -> Self {
        let text = script.text;
        let mut start = span.start.min(text.len());
        if span.start >= text.len() {
            // The end of the query: behind its last word, not below its last newline.
            start = text.trim_end().len();
        }
        let start = text.floor_char_boundary(start);
        let end = text.ceil_char_boundary(span.end.clamp(start, text.len()));
        let line_start = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
        let rest = &text[line_start..];
        let line = rest
            .split('\n')
            .next()
            .unwrap_or(rest)
            .trim_end_matches('\r');
        let start = (start - line_start).min(line.len());
        Place {
            line: text[..line_start].matches('\n').count() + 1,
            text: line,
            start,
            end: (end - line_start).clamp(start, line.len()),
        }
    }

    /// The column of the first character, from 1.
    fn column(&self) -> usize {
        self.text[..self.start].chars().count() + 1
    }

    /// The column behind the last character.
    fn end_column(&self) -> usize {
        self.text[..self.end].chars().count() + 1
    }
}

/// Draws an error; ends with a newline.
pub fn draw(error: &Error, script: Option<Script>, look: Look) -> String {
    let paint = |codes: &str, text: &str| screen::painted(codes, text, look.color);
    let (red, blue, bold) = ("1;31", "1;34", "1");
    let mut message = lines_visible(error.message());
    let place = script
        .zip(error.span())
        .map(|(script, span)| (script.name, Place::new(&script, span)));
    if let (None, Some(label)) = (&place, error.label_text()) {
        message.push_str(&format!(" ({})", lines_visible(label)));
    }
    let mut out = format!(
        "{}{}\n",
        paint(red, "error"),
        paint(bold, &format!(": {message}"))
    );
    let mut gutter = 1;
    if let Some((name, place)) = &place {
        let number = place.line.to_string();
        gutter = number.len();
        let blank = " ".repeat(gutter + 1);
        let (line, before, carets) = lay_out(place, look.room(gutter));
        let at = format!("{}:{}:{}", visible(name), place.line, place.column());
        out.push_str(&format!("{blank}{} {at}\n", paint(blue, "-->")));
        out.push_str(&format!("{blank} {}\n", paint(blue, "|")));
        out.push_str(&format!(
            " {} {line}\n",
            paint(blue, &format!("{number} |"))
        ));
        let label = error
            .label_text()
            .map(|label| format!(" {}", lines_visible(label)));
        let marks = format!("{}{}", "^".repeat(carets), label.unwrap_or_default());
        let blanks = " ".repeat(before);
        out.push_str(&format!(
            "{blank} {} {blanks}{}\n",
            paint(blue, "|"),
            paint(red, &marks)
        ));
    }
    let blank = " ".repeat(gutter + 2);
    let mut fact = |text: String| {
        // Further lines stand below the first.
        let text = text.replace('\n', &format!("\n{blank}  "));
        out.push_str(&format!("{blank}{} {text}\n", paint(blue, "=")));
    };
    if let Some(cause) = error.cause_text() {
        fact(lines_visible(cause));
    }
    let room = look
        .columns
        .map(|columns| columns.saturating_sub(gutter + 4));
    for note in error.notes() {
        fact(folded(&lines_visible(note), room));
    }
    for help in error.helps() {
        let help = folded(&format!("help: {}", lines_visible(help)), room);
        fact(help.replacen("help", &paint(bold, "help"), 1));
    }
    if error.kind() == ErrorKind::Internal {
        let request = "this is a mistake in tumble: please report it with the query";
        fact(format!("{}: {request}", paint(bold, "help")));
    }
    out
}

/// The text without what acts on a terminal, but with its line ends.
fn lines_visible(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(visible).collect();
    lines.join("\n")
}

/// A text broken behind commas and semicolons, so that no line is wider than so many columns, if that can be.
pub(super) fn folded(text: &str, room: Option<usize>) -> String {
    let Some(room) = room else {
        return text.to_owned();
    };
    let mut out = String::new();
    let mut used = 0;
    for part in parts(text) {
        if used > 0 && used + part.trim_end().width() > room {
            out.truncate(out.trim_end().len());
            out.push('\n');
            used = 0;
        }
        out.push_str(part);
        used = match part.ends_with('\n') {
            true => 0,
            false => used + part.width(),
        };
    }
    out
}

/// The parts of a text that stay whole: names with blanks in them do, and flags with their values.
fn parts(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let ends = [", ", "; ", "\n"].map(|end| rest.find(end).map(|at| at + end.len()));
        let end = ends.into_iter().flatten().min().unwrap_or(rest.len());
        let (part, behind) = rest.split_at(end);
        rest = behind;
        (!part.is_empty()).then_some(part)
    })
}

/// The line as it is shown, the columns before the carets, and the number of carets.
fn lay_out(place: &Place, width: usize) -> (String, usize, usize) {
    let show = |text: &str| -> String {
        let parts = text.split('\t').map(visible);
        parts.collect::<Vec<_>>().join(TAB)
    };
    let (before, marked) = (
        &place.text[..place.start],
        &place.text[place.start..place.end],
    );
    let (before, marked, behind) = (show(before), show(marked), show(&place.text[place.end..]));
    if before.width() + marked.width() + behind.width() <= width {
        let carets = marked.width().max(1);
        return (format!("{before}{marked}{behind}"), before.width(), carets);
    }
    // A third of the room stands before the place, unless there is less.
    let marked = keep_beginning(&marked, width / 2);
    let before = keep_end(&before, width / 3);
    let room = width.saturating_sub(before.width() + marked.width());
    let behind = keep_beginning(&behind, room.max(1));
    let carets = marked.width().max(1);
    (format!("{before}{marked}{behind}"), before.width(), carets)
}

fn keep_beginning(text: &str, width: usize) -> String {
    match text.width() <= width {
        true => text.to_owned(),
        false => format!("{}…", fitting(text.chars(), width)),
    }
}

fn keep_end(text: &str, width: usize) -> String {
    match text.width() <= width {
        true => text.to_owned(),
        false => {
            let end: String = fitting(text.chars().rev(), width).chars().rev().collect();
            format!("…{end}")
        }
    }
}

/// The first characters, one column less than `width`.
fn fitting(characters: impl Iterator<Item = char>, width: usize) -> String {
    let mut used = 1;
    let fits = |character: &char| {
        used += character.width().unwrap_or(0);
        used <= width
    };
    characters.take_while(fits).collect()
}

/// The error as one line of JSON, for `--error-format json`; ends with a newline.
pub fn json(error: &Error, script: Option<Script>) -> String {
    let place = script
        .zip(error.span())
        .map(|(script, span)| (script.name, Place::new(&script, span)));
    let notes: Vec<&str> = error
        .cause_text()
        .into_iter()
        .chain(error.notes().iter().map(String::as_str))
        .collect();
    let object = serde_json::json!({
        "level": "error",
        "kind": kind_name(error.kind()),
        "message": error.message(),
        "script": place.as_ref().map(|(name, _)| name),
        "line": place.as_ref().map(|(_, place)| place.line),
        "column": place.as_ref().map(|(_, place)| place.column()),
        "end_column": place.as_ref().map(|(_, place)| place.end_column()),
        "label": error.label_text(),
        "notes": notes,
        "helps": error.helps(),
    });
    format!("{object}\n")
}

fn kind_name(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Usage => "usage",
        ErrorKind::Syntax => "syntax",
        ErrorKind::Plan => "plan",
        ErrorKind::Unsupported => "unsupported",
        ErrorKind::Data => "data",
        ErrorKind::Outside => "outside",
        ErrorKind::Gate => "gate",
        ErrorKind::Limit => "limit",
        ErrorKind::Expectation => "expectation",
        ErrorKind::Closed => "closed",
        ErrorKind::Stopped => "stopped",
        ErrorKind::Internal => "internal",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOOK: Look = Look {
        color: false,
        columns: Some(45),
    };

    fn check(text: &str, span: (usize, usize), expected: &str) {
        let error = Error::plan("wrong")
            .at(Span::new(span.0, span.1))
            .label("here");
        let drawn = draw(
            &error,
            Some(Script {
                name: "query",
                text,
            }),
            LOOK,
        );
        assert_eq!(drawn, format!("error: wrong\n{expected}"), "{drawn}");
    }

    #[test]
    fn places_are_pointed_at() {
        check(
            "SELECT x",
            (7, 8),
            "  --> query:1:8\n   |\n 1 | SELECT x\n   |        ^ here\n",
        );
        check(
            "SELECT\n\tx, 漢, ab\r\nFROM t",
            (16, 18),
            "  --> query:2:8\n   |\n 2 |     x, 漢, ab\n   |            ^^ here\n",
        );
        check(
            "a\u{1b}b",
            (1, 2),
            "  --> query:1:2\n   |\n 1 | a\\u{1b}b\n   |  ^^^^^^ here\n",
        );
        // The end of the text, behind it, inside a character, over several lines.
        check(
            "SELECT\n\n",
            (8, 8),
            "  --> query:1:7\n   |\n 1 | SELECT\n   |       ^ here\n",
        );
        check(
            "a",
            (50, 90),
            "  --> query:1:2\n   |\n 1 | a\n   |  ^ here\n",
        );
        check("é", (1, 1), "  --> query:1:1\n   |\n 1 | é\n   | ^ here\n");
        check("", (0, 0), "  --> query:1:1\n   |\n 1 | \n   | ^ here\n");
        check(
            "ab c\nd",
            (3, 6),
            "  --> query:1:4\n   |\n 1 | ab c\n   |    ^ here\n",
        );
        let tenth = format!("{}x", "\n".repeat(9));
        check(
            &tenth,
            (9, 10),
            "   --> query:10:1\n    |\n 10 | x\n    | ^ here\n",
        );
    }

    #[test]
    fn long_lines_are_cut_around_the_place() {
        let text = format!("{}WRONG{}", "a ".repeat(50), " b".repeat(50));
        check(
            &text,
            (100, 105),
            "  --> query:1:101\n   |\n 1 | …a a a a a a WRONG b b b b b b b b b b …\n   |              ^^^^^ here\n",
        );
    }

    #[test]
    fn facts_and_remedies_follow() {
        let error = Error::usage("no")
            .label("did you mean `x`?")
            .note("one\ntwo")
            .help("do it")
            .cause("because");
        let expected =
            "error: no (did you mean `x`?)\n   = because\n   = one\n     two\n   = help: do it\n";
        assert_eq!(draw(&error, None, LOOK), expected);
        assert!(draw(&Error::internal("x"), None, LOOK).contains("report"));
        assert!(
            draw(
                &error,
                None,
                Look {
                    color: true,
                    ..LOOK
                }
            )
            .contains("\u{1b}[1;31merror")
        );
    }

    #[test]
    fn lists_are_folded() {
        let fold = |text: &str, room| folded(text, Some(room));
        assert_eq!(fold("columns: a, bb, ccc", 12), "columns: a,\nbb, ccc");
        assert_eq!(fold("one, 2\ntwo, three", 7), "one, 2\ntwo,\nthree");
        assert_eq!(fold("a_long_word, b", 4), "a_long_word,\nb");
        assert_eq!(fold("漢字, 漢字", 8), "漢字,\n漢字");
        assert_eq!(fold("late (1s); --delay 2s", 20), "late (1s);\n--delay 2s");
        assert_eq!(fold("a, b", 0), "a,\nb");
        assert_eq!(folded("a, b", None), "a, b");
    }

    #[test]
    fn json_holds_the_same() {
        let error = Error::syntax("no \"x\"")
            .at(Span::new(7, 8))
            .label("l")
            .note("n")
            .help("h");
        let script = Script {
            name: "a.sql",
            text: "SELECT x",
        };
        let line = json(&error, Some(script));
        let object: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(
            object,
            serde_json::json!({
                "level": "error", "kind": "syntax", "message": "no \"x\"", "script": "a.sql", "line": 1,
                "column": 8, "end_column": 9, "label": "l", "notes": ["n"], "helps": ["h"],
            })
        );
        assert_eq!(line.matches('\n').count(), 1);
    }

    proptest::proptest! {
        #[test]
        fn any_span_is_drawn(text in ".{0,60}", start in 0usize..80, end in 0usize..80, width in 0usize..50) {
            let error = Error::plan("x").at(Span::new(start, end));
            let script = Some(Script { name: "query", text: &text });
            draw(&error, script, Look { color: false, columns: Some(width) });
            json(&error, script);
        }
    }
}
