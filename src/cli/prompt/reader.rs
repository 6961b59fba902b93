//! Gives the lines that a user types: edited with rustyline, or as the terminal gives them.
//!
//! ```text
//!  a terminal that draws ─► rustyline: keys, history, completion, colors
//!  TERM=dumb, a pipe     ─► plain lines, no escape code
//! ```
//!
//! Invariant: nothing is asked of the terminal, so that one that answers nothing is as quick as any other.

use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustyline::config::Configurer;
use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;
use rustyline::{
    Cmd, ColorMode, CompletionType, ConditionalEventHandler, Config, Editor, Event, EventContext,
    EventHandler, KeyCode, KeyEvent, Modifiers,
};

use super::helper::Helper;
use super::history::HistoryFile;
use super::plain::Plain;
use crate::cli::messages::Warning;
use crate::connect::Reason;
use crate::error::{Error, Result};
use crate::runtime::interrupt::Interrupts;
use crate::session::Session;

/// Entries that the history keeps.
const HISTORY_ENTRIES: usize = 10_000;

/// What became of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// It was typed.
    Line(String),
    /// Ctrl-C: it is dropped, and what came before it of the same entry.
    Dropped,
    /// It is no text; it is dropped, too.
    Unreadable,
    /// Up, on an empty line behind others of the same entry: all of them are to be edited together.
    Back,
    /// Ctrl-D: there will be no more.
    End,
}

/// What Up does where it is not the way to what was typed before.
#[derive(Clone, Default)]
pub struct Back {
    /// Lines stand before the one that is typed.
    is_continued: Arc<AtomicBool>,
    /// They are to come back.
    is_wanted: Arc<AtomicBool>,
}

impl ConditionalEventHandler for Back {
    fn handle(&self, _: &Event, _: u16, _: bool, context: &EventContext<'_>) -> Option<Cmd> {
        let is_wanted = self.is_continued.load(Ordering::Relaxed) && context.line().is_empty();
        self.is_wanted.store(is_wanted, Ordering::Relaxed);
        is_wanted.then_some(Cmd::AcceptLine)
    }
}

/// Where lines come from.
pub enum Reader {
    /// Edited.
    Editor(Box<Editor<Helper, FileHistory>>, HistoryFile, Back),
    /// As they are.
    Plain(Plain),
}

impl Reader {
    /// The reader that suits the terminal; `color` says whether colors may be used.
    ///
    /// # Errors
    /// The terminal cannot be used.
    pub fn new(interrupts: &Arc<Interrupts>, color: bool) -> Result<Self> {
        if !draws() {
            let to_stdout = io::stdout().is_terminal();
            return Ok(Reader::Plain(Plain::new(Arc::clone(interrupts), to_stdout)));
        }
        // What is drawn is ours to decide: `highlight` leaves colors out where they are not allowed.
        let config = Config::builder()
            .max_history_size(HISTORY_ENTRIES)
            .map_err(refused)?
            .completion_type(CompletionType::List)
            .completion_show_all_if_ambiguous(true)
            .bell_style(rustyline::config::BellStyle::None)
            .color_mode(match color {
                true => ColorMode::Forced,
                false => ColorMode::Disabled,
            })
            .build();
        let history = FileHistory::with_config(&config);
        let mut editor = Editor::with_history(config, history).map_err(refused)?;
        editor.enable_synchronized_output(false);
        editor.set_helper(Some(Helper::new(color)));
        let back = Back::default();
        for key in [KeyCode::Up, KeyCode::Char('P')] {
            let modifiers = match key {
                KeyCode::Up => Modifiers::NONE,
                _ => Modifiers::CTRL,
            };
            let handler = EventHandler::Conditional(Box::new(back.clone()));
            editor.bind_sequence(KeyEvent(key, modifiers), handler);
        }
        let file = HistoryFile::open(&mut editor);
        Ok(Reader::Editor(Box::new(editor), file, back))
    }

    /// Waits for a line. `before` are the lines before it of the same entry, `initial` is what stands in it already.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn line(
        &mut self,
        prompt: &str,
        before: &str,
        initial: &str,
        session: &Session,
    ) -> Result<Said> {
        let (editor, back) = match self {
            Reader::Plain(plain) => return plain.line(prompt),
            Reader::Editor(editor, _, back) => (editor, back),
        };
        back.is_continued
            .store(!before.is_empty(), Ordering::Relaxed);
        if let Some(helper) = editor.helper_mut() {
            helper.begin_line(before, session);
        }
        match editor.readline_with_initial(prompt, (initial, "")) {
            Ok(_) if back.is_wanted.swap(false, Ordering::Relaxed) => Ok(Said::Back),
            Ok(line) => Ok(Said::Line(line)),
            Err(ReadlineError::Interrupted) => Ok(Said::Dropped),
            Err(ReadlineError::Eof) => Ok(Said::End),
            Err(ReadlineError::Io(error)) if error.kind() == io::ErrorKind::InvalidData => {
                Ok(Said::Unreadable)
            }
            Err(error) => Err(refused(error)),
        }
    }

    /// Whether a line can have something in it before it is typed.
    pub fn takes_initial(&self) -> bool {
        matches!(self, Reader::Editor(..))
    }

    /// Keeps an entry for later lines and sessions.
    ///
    /// What is wrong with the place for it comes back once.
    pub fn remember(&mut self, entry: &str) -> Option<Warning> {
        match self {
            Reader::Editor(editor, file, _) => file.add(editor, entry),
            Reader::Plain(_) => None,
        }
    }
}

/// Whether there is a terminal that does more than print what it gets.
pub fn draws() -> bool {
    const THOSE_THAT_DO_NOT: [&str; 3] = ["dumb", "cons25", "emacs"];
    let term = std::env::var("TERM").unwrap_or_default();
    let is_dumb = term.is_empty()
        || THOSE_THAT_DO_NOT
            .iter()
            .any(|name| term.eq_ignore_ascii_case(name));
    io::stdout().is_terminal() && !is_dumb
}

fn refused(error: ReadlineError) -> Error {
    match error {
        ReadlineError::Io(error) => Error::outside("cannot read what is typed", Reason(&error)),
        error => Error::outside("cannot read what is typed", error),
    }
}
