//! The one error type of the crate: what went wrong with a query, where in its text, and what to do.
//!
//! ```text
//! error: column `stauts` does not exist in `stdin`          <- message
//!   --> query:1:8                                           <- span, drawn by cli/snippet
//!    |        ^^^^^^ did you mean `status`?                 <- label
//!    = columns: ts, host, path, status                      <- notes
//!    = help: write the name in double quotes                <- helps
//! ```
//!
//! Invariants: one word wide, so that `Result` stays cheap; the kind alone says who must act and which
//! exit code follows; nothing ever matches on message text; an I/O error carries the path it happened on.

mod suggest;

use std::fmt;

pub use suggest::closest;

/// A result whose error is [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Who must act on an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The call is wrong: flags or arguments (exit code 2).
    Usage,
    /// The text is not SQL (exit code 1).
    Syntax,
    /// The SQL does not fit the tables: names, types, grouping, windows (exit code 1).
    Plan,
    /// The SQL means something that is not built; the message names what works now (exit code 1).
    Unsupported,
    /// The data cannot be read as asked (exit code 1).
    Data,
    /// The machine said no: a file, a socket, a full disk (exit code 1).
    Outside,
    /// More bad rows than `--max-errors` allows, or any under `--strict` (exit code 3).
    Gate,
    /// A limit was hit (exit code 4).
    Limit,
    /// `--expect` was not met (exit code 5).
    Expectation,
    /// The reader of the output has left: no error for anybody (exit code 0).
    Closed,
    /// A signal came before there was anything to run: no error for anybody (the signal's exit code).
    Stopped,
    /// A mistake of ours (exit code 1, with a request to report it).
    Internal,
}

/// A range of bytes in the text of the query, `[start, end)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Span {
    /// Offset of the first byte.
    pub start: usize,
    /// Offset behind the last byte.
    pub end: usize,
}

impl Span {
    /// The range `[start, end)`.
    pub fn new(start: usize, end: usize) -> Self {
        Span { start, end }
    }
}

/// What went wrong; see the module for the parts.
pub struct Error(Box<Inner>);

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    message: String,
    span: Option<Span>,
    label: Option<String>,
    notes: Vec<String>,
    helps: Vec<String>,
    cause: Option<String>,
}

impl Error {
    /// An error of `kind`; the message starts in lower case and has no full stop.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Error(Box::new(Inner {
            kind,
            message: message.into(),
            span: None,
            label: None,
            notes: Vec::new(),
            helps: Vec::new(),
            cause: None,
        }))
    }

    /// Wrong flags or arguments.
    pub fn usage(message: impl Into<String>) -> Self {
        Error::new(ErrorKind::Usage, message)
    }

    /// Text that is not SQL.
    pub fn syntax(message: impl Into<String>) -> Self {
        Error::new(ErrorKind::Syntax, message)
    }

    /// SQL that does not fit its tables.
    pub fn plan(message: impl Into<String>) -> Self {
        Error::new(ErrorKind::Plan, message)
    }

    /// SQL that means something that is not built.
    pub fn unsupported(message: impl Into<String>) -> Self {
        Error::new(ErrorKind::Unsupported, message)
    }

    /// Data that cannot be read as asked.
    pub fn data(message: impl Into<String>) -> Self {
        Error::new(ErrorKind::Data, message)
    }

    /// A refusal of the machine: `what` names the path or address and the attempt.
    pub fn outside(what: impl fmt::Display, cause: impl fmt::Display) -> Self {
        Error::new(ErrorKind::Outside, format!("{what}: {cause}"))
    }

    /// A mistake of ours.
    pub fn internal(message: impl Into<String>) -> Self {
        Error::new(ErrorKind::Internal, message)
    }

    /// Points at the place in the query.
    #[must_use]
    pub fn at(mut self, span: Span) -> Self {
        self.0.span = Some(span);
        self
    }

    /// Points at the place in the query, unless a closer one is known.
    #[must_use]
    pub fn at_least(mut self, span: Option<Span>) -> Self {
        self.0.span = self.0.span.or(span);
        self
    }

    /// Counts its place from so many bytes before: what was run is a part of a longer text.
    #[must_use]
    pub fn moved(mut self, by: usize) -> Self {
        let moved = |span: Span| Span::new(span.start + by, span.end + by);
        self.0.span = self.0.span.map(moved);
        self
    }

    /// The words behind the carets, such as ``did you mean `status`?``.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.0.label = Some(label.into());
        self
    }

    /// A fact that helps to understand.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.0.notes.push(note.into());
        self
    }

    /// Something to do about it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.0.helps.push(help.into());
        self
    }

    /// What a library below said.
    #[must_use]
    pub fn cause(mut self, cause: impl fmt::Display) -> Self {
        self.0.cause = Some(cause.to_string());
        self
    }

    /// Who must act.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// What went wrong, without the place.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Where in the query.
    pub fn span(&self) -> Option<Span> {
        self.0.span
    }

    /// The words behind the carets.
    pub fn label_text(&self) -> Option<&str> {
        self.0.label.as_deref()
    }

    /// Facts that help to understand.
    pub fn notes(&self) -> &[String] {
        &self.0.notes
    }

    /// Things to do about it.
    pub fn helps(&self) -> &[String] {
        &self.0.helps
    }

    /// What a library below said.
    pub fn cause_text(&self) -> Option<&str> {
        self.0.cause.as_deref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)?;
        if let Some(label) = &self.0.label {
            write!(f, " ({label})")?;
        }
        if let Some(cause) = &self.0.cause {
            write!(f, ": {cause}")?;
        }
        for note in &self.0.notes {
            write!(f, "\n  = {note}")?;
        }
        for help in &self.0.helps {
            write!(f, "\n  = help: {help}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {self}", self.0.kind)
    }
}

impl std::error::Error for Error {}

impl From<arrow::error::ArrowError> for Error {
    /// Kernels fail only on what a plan should have ruled out.
    fn from(error: arrow::error::ArrowError) -> Self {
        Error::internal("a column kernel failed").cause(error)
    }
}

const _: () = assert!(size_of::<Error>() == size_of::<usize>());
