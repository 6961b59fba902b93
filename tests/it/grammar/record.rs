//! The text of a golden file as records, and back: what is parsed prints the same, but for expectations.

use std::fmt::Write;

/// A line that stands for an empty one, because empty lines part the records.
const BLANK: &str = "(blank)";
/// The last line of a block whose text does not end in a newline.
const NO_NEWLINE: &str = "(no newline)";

/// What a record checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// SQL and input, then stdout.
    Query,
    /// SQL, then the error on stderr.
    Reject,
    /// SQL, then input and output in turns.
    Stream,
    /// Lines of a shell, then stdout.
    Shell,
    /// SQL, then `--explain` of it.
    Plan,
    /// The same, in files about syntax.
    Parse,
}

/// One record; see `grammar-tests/README.md`.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// The line of the file that it begins on, from 1.
    pub line: usize,
    /// The `#` lines: why.
    pub comments: Vec<String>,
    /// What is checked; `None` for a paragraph of comments only.
    pub kind: Option<Kind>,
    /// The rest of the line with the kind.
    pub flags: String,
    /// The SQL or the shell lines.
    pub code: Vec<String>,
    /// The word behind `input` and the lines below it.
    pub input: Option<(String, Vec<String>)>,
    /// Input and output in turns.
    pub steps: Vec<Step>,
    /// The lines of stdout (reject: of stderr).
    pub expected: Vec<String>,
    /// The lines below `stderr`; true for `stderr contains`.
    pub stderr: Option<(bool, Vec<String>)>,
    /// The exit code, if it is not the kind's usual one.
    pub exit: Option<i32>,
}

/// A turn of a stream.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Step {
    /// The input lines; `end` is the end of input.
    pub rows: Vec<String>,
    /// What appeared after them.
    pub output: Vec<String>,
}

impl Kind {
    const ALL: [(&str, Kind); 6] = [
        ("query", Kind::Query),
        ("reject", Kind::Reject),
        ("stream", Kind::Stream),
        ("shell", Kind::Shell),
        ("plan", Kind::Plan),
        ("parse", Kind::Parse),
    ];

    fn name(self) -> &'static str {
        Kind::ALL
            .iter()
            .find(|(_, kind)| *kind == self)
            .map_or("", |(name, _)| name)
    }

    /// The exit code that needs no `exit` line.
    pub fn usual_exit(self) -> i32 {
        i32::from(self == Kind::Reject)
    }
}

/// The records of a file.
pub fn read(text: &str) -> Result<Vec<Record>, String> {
    let mut records = Vec::new();
    let mut paragraph: Vec<&str> = Vec::new();
    for (number, line) in text.lines().chain([""]).enumerate() {
        if !line.is_empty() {
            paragraph.push(line);
        } else if !paragraph.is_empty() {
            let first = number + 1 - paragraph.len();
            let record = read_record(first, &std::mem::take(&mut paragraph));
            records.push(record.map_err(|error| format!("line {first}: {error}"))?);
        }
    }
    Ok(records)
}

fn read_record(line: usize, lines: &[&str]) -> Result<Record, String> {
    let mut record = Record {
        line,
        comments: Vec::new(),
        kind: None,
        flags: String::new(),
        code: Vec::new(),
        input: None,
        steps: Vec::new(),
        expected: Vec::new(),
        stderr: None,
        exit: None,
    };
    let mut lines = lines.iter().map(ToString::to_string).peekable();
    while let Some(comment) = lines.next_if(|line| line.starts_with('#')) {
        record.comments.push(comment);
    }
    if record.comments.is_empty() {
        return Err("a record begins with a comment that says why it is there".to_string());
    }
    let Some(head) = lines.next() else {
        return Ok(record);
    };
    let (name, flags) = head.split_once(' ').unwrap_or((&head, ""));
    let kind = Kind::ALL
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, kind)| *kind);
    let kind = kind.ok_or_else(|| format!("`{name}` is no kind of record"))?;
    record.kind = Some(kind);
    record.flags = flags.to_string();
    let mut block = Block::Code;
    for line in lines {
        if let Some(next) = block.follows(&line, kind) {
            block = next;
            block.open(&line, &mut record)?;
        } else {
            block.push(line, &mut record);
        }
    }
    if record.code.is_empty() {
        return Err("there is nothing to run".to_string());
    }
    Ok(record)
}

/// The part of a record that a line belongs to.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Block {
    Code,
    Input,
    Rows,
    Expected,
    Stderr,
    Exit,
}

impl Block {
    /// The block that a line opens, if it opens one.
    fn follows(self, line: &str, kind: Kind) -> Option<Block> {
        let is_input =
            line == "input" || line.starts_with("input ") && line.split(' ').count() == 2;
        match line {
            "----" if matches!(self, Block::Code | Block::Input | Block::Rows) => {
                Some(Block::Expected)
            }
            "stderr" | "stderr contains" if self == Block::Expected => Some(Block::Stderr),
            _ if is_input && self == Block::Code && kind != Kind::Shell => Some(Block::Input),
            _ if kind == Kind::Stream && line.starts_with("> ") && self != Block::Rows => {
                Some(Block::Rows)
            }
            _ if matches!(self, Block::Expected | Block::Stderr) && exit_of(line).is_some() => {
                Some(Block::Exit)
            }
            _ => None,
        }
    }

    fn open(self, line: &str, record: &mut Record) -> Result<(), String> {
        match self {
            Block::Input => {
                let word = line.strip_prefix("input").unwrap_or_default().trim();
                record.input = Some((word.to_string(), Vec::new()));
            }
            Block::Rows => {
                record.steps.push(Step::default());
                self.push(line.to_string(), record);
            }
            Block::Stderr => record.stderr = Some((line == "stderr contains", Vec::new())),
            Block::Exit => record.exit = exit_of(line),
            Block::Code | Block::Expected => {}
        }
        Ok(())
    }

    fn push(self, line: String, record: &mut Record) {
        let lines = match (self, record.steps.last_mut()) {
            (Block::Code, _) => &mut record.code,
            (Block::Input, _) => match &mut record.input {
                Some((_, lines)) => lines,
                None => return,
            },
            (Block::Rows, Some(step)) => {
                step.rows
                    .push(line.strip_prefix("> ").unwrap_or(&line).to_string());
                return;
            }
            (Block::Expected, Some(step)) => &mut step.output,
            (Block::Stderr, _) => match &mut record.stderr {
                Some((_, lines)) => lines,
                None => return,
            },
            _ => &mut record.expected,
        };
        lines.push(line);
    }
}

fn exit_of(line: &str) -> Option<i32> {
    line.strip_prefix("exit ")?.parse().ok()
}

/// The records as the text of a file.
pub fn print(records: &[Record]) -> String {
    let mut text = String::new();
    for record in records {
        if !text.is_empty() {
            text.push('\n');
        }
        print_record(record, &mut text);
    }
    text
}

fn print_record(record: &Record, text: &mut String) {
    let mut lines = record.comments.clone();
    if let Some(kind) = record.kind {
        lines.push(
            format!("{} {}", kind.name(), record.flags)
                .trim_end()
                .to_string(),
        );
        lines.extend(record.code.iter().cloned());
        if let Some((word, input)) = &record.input {
            lines.push(format!("input {word}").trim_end().to_string());
            lines.extend(input.iter().cloned());
        }
        for step in &record.steps {
            lines.extend(step.rows.iter().map(|row| format!("> {row}")));
            lines.push("----".to_string());
            lines.extend(step.output.iter().cloned());
        }
        if record.steps.is_empty() {
            lines.push("----".to_string());
            lines.extend(record.expected.iter().cloned());
        }
        if let Some((contains, stderr)) = &record.stderr {
            lines.push(
                if *contains {
                    "stderr contains"
                } else {
                    "stderr"
                }
                .to_string(),
            );
            lines.extend(stderr.iter().cloned());
        }
        if let Some(exit) = record.exit {
            lines.push(format!("exit {exit}"));
        }
    }
    for line in lines {
        let _ = writeln!(text, "{line}");
    }
}

/// The bytes that the lines of a block stand for.
pub fn bytes_of(lines: &[String]) -> Vec<u8> {
    let (lines, newline) = match lines {
        [lines @ .., last] if last == NO_NEWLINE => (lines, ""),
        lines => (lines, "\n"),
    };
    if lines.is_empty() {
        return Vec::new();
    }
    let lines: Vec<&str> = lines
        .iter()
        .map(|line| if line == BLANK { "" } else { line })
        .collect();
    (lines.join("\n") + newline).into_bytes()
}

/// The inverse of [`bytes_of`].
pub fn lines_of(bytes: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(bytes);
    if text.is_empty() {
        return Vec::new();
    }
    let (text, ended) = match text.strip_suffix('\n') {
        Some(text) => (text, true),
        None => (text.as_ref(), false),
    };
    let line = |line: &str| if line.is_empty() { BLANK } else { line }.to_string();
    text.split('\n')
        .map(line)
        .chain((!ended).then(|| NO_NEWLINE.to_string()))
        .collect()
}

/// `--delay 5s --ts 'my column'` as words; single and double quotes keep blanks.
pub fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for character in text.chars() {
        match (character, quote) {
            ('\'' | '"', None) => {
                quote = Some(character);
                word.get_or_insert_default();
            }
            (_, Some(open)) if character == open => quote = None,
            (' ', None) => words.extend(word.take()),
            _ => word.get_or_insert_default().push(character),
        }
    }
    words.extend(word);
    words
}
