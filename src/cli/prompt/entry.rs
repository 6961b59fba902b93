//! What is typed at the prompt, or stands in a file for it: statements and dot commands, told apart line by line.
//!
//! ```text
//!  .mode csv          a command: its line
//!  SELECT count(*)    SQL: until a `;` ends its line and a command or nothing follows
//!  FROM 'a.csv';
//!  \timing            a command in the spelling of psql
//!  quit               one of the words that psql takes alone on a line
//! ```
//!
//! Invariant: a command begins where a statement could begin, so that no line of a text in quotes is taken for one.

use super::commands;
use crate::error::Span;
use crate::sql::{self, Ending, Piece};

/// A part of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Item {
    /// A dot command, without the newline.
    Command(Span),
    /// Statements.
    Sql(Span),
}

/// The parts of a text, and what the last of them still needs.
pub fn items(text: &str) -> (Vec<Item>, Ending) {
    let mut items = Vec::new();
    let mut start = 0;
    let mut needs = Ending::Nothing;
    while start < text.len() {
        let rest = &text[start..];
        let begin = start + rest.len() - rest.trim_start().len();
        if begins_command(&text[begin..]) {
            let length = text[begin..].find('\n').unwrap_or(text.len() - begin);
            items.push(Item::Command(Span::new(begin, begin + length)));
            needs = Ending::Complete;
            start = begin + length;
            continue;
        }
        let pieces = sql::pieces(&text[begin..]);
        let (ends, ending) = sql::endings(&text[begin..], &pieces);
        match next_command(&text[begin..], &pieces, &ends) {
            Some(next) => {
                items.push(Item::Sql(Span::new(begin, begin + next)));
                start = begin + next;
            }
            None => {
                if ending != Ending::Nothing {
                    items.push(Item::Sql(Span::new(begin, text.len())));
                    needs = ending;
                }
                break;
            }
        }
    }
    (items, needs)
}

/// True if a text that begins a statement begins with a command.
pub fn begins_command(text: &str) -> bool {
    let line = text.lines().next().unwrap_or_default();
    text.starts_with(['.', '\\']) || commands::without_a_dot(line).is_some()
}

/// Where a command begins on a line of its own behind the end of a statement.
fn next_command(text: &str, pieces: &[Piece], ends: &[usize]) -> Option<usize> {
    ends.iter().find_map(|&end| {
        let behind = pieces.iter().filter(|piece| piece.span.start >= end);
        let begin = behind.clone().find(|piece| piece.is_said())?.span.start;
        let is_line = text[end..begin].contains('\n');
        (is_line && begins_command(&text[begin..])).then_some(begin)
    })
}

/// What stands in front of the line that is typed next.
pub fn prompt(before: &str) -> &'static str {
    if before.trim().is_empty() {
        return "tumble> ";
    }
    match items(before).1 {
        Ending::Quote => "     '> ",
        Ending::Bracket => "     (> ",
        Ending::Comment => "     *> ",
        Ending::Nothing | Ending::Statement | Ending::Complete => "     -> ",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[&str], needs: Ending) {
        let (items, found) = items(text);
        let texts: Vec<&str> = (items.iter())
            .map(|item| match item {
                Item::Command(span) | Item::Sql(span) => &text[span.start..span.end],
            })
            .collect();
        assert_eq!(texts, expected, "{text}");
        assert_eq!(found, needs, "{text}");
        for item in items {
            let (span, is_command) = match item {
                Item::Command(span) => (span, true),
                Item::Sql(span) => (span, false),
            };
            assert_eq!(begins_command(&text[span.start..]), is_command, "{text}");
        }
    }

    #[test]
    fn statements_and_commands() {
        check("", &[], Ending::Nothing);
        check("  -- why\n", &[], Ending::Nothing);
        check(".mode csv", &[".mode csv"], Ending::Complete);
        check("  \\d\n", &["\\d"], Ending::Complete);
        check(
            ".timer on\nSELECT 1;\n.shell echo don't\nSELECT 2; SELECT 3;",
            &[
                ".timer on",
                "SELECT 1;\n",
                ".shell echo don't",
                "SELECT 2; SELECT 3;",
            ],
            Ending::Complete,
        );
        check(
            "SELECT '\n.mode csv\n;\n.x';",
            &["SELECT '\n.mode csv\n;\n.x';"],
            Ending::Complete,
        );
        check(
            "SELECT 1; .mode csv",
            &["SELECT 1; .mode csv"],
            Ending::Statement,
        );
        check(
            "SELECT 1; -- one\n  .mode csv\nSELECT (2",
            &["SELECT 1; -- one\n  ", ".mode csv", "SELECT (2"],
            Ending::Bracket,
        );
        check("quit", &["quit"], Ending::Complete);
        check(" Exit ;\n", &["Exit ;"], Ending::Complete);
        check("help;", &["help;"], Ending::Complete);
        check(
            "SELECT 1;\nquit",
            &["SELECT 1;\n", "quit"],
            Ending::Complete,
        );
        check("SELECT\nquit", &["SELECT\nquit"], Ending::Statement);
        check("quit 1", &["quit 1"], Ending::Statement);
        check("SELECT 1\n.5;", &["SELECT 1\n.5;"], Ending::Complete);
    }

    #[test]
    fn prompts_have_one_width() {
        for (before, expected) in [
            ("", "tumble> "),
            ("\n", "tumble> "),
            ("SELECT 1\n", "     -> "),
            ("SELECT 'a\n", "     '> "),
            ("SELECT \"a\n", "     '> "),
            ("SELECT (a,\n", "     (> "),
            ("SELECT (a, '\n", "     '> "),
            ("SELECT /* a\n", "     *> "),
            ("-- a\n", "     -> "),
        ] {
            assert_eq!(prompt(before), expected, "{before}");
            assert_eq!(prompt(before).len(), 8);
        }
    }
}
