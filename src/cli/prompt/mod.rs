//! The prompt: statements and dot commands typed at a terminal, each run as soon as it is complete.
//!
//! ```text
//!  reader ─► lines ─► entry ─┬─► statements ─► Session ─► Terminal ─► stdout       warnings, errors ─► stderr
//!  rustyline, or plain       └─► dot commands
//! ```
//!
//! The second way to lead a session, beside [`super::one_shot`]. Invariants: an error is told and the prompt goes on;
//! Ctrl-C ends a query and nothing else; each statement is counted by itself; the prompt is there before functions
//! or tables are looked at.
//!
//! To add a dot command: one entry in [`commands::COMMANDS`].

mod commands;
mod complete;
mod entry;
mod example;
mod helper;
mod highlight;
mod history;
mod plain;
mod reader;
mod running;
mod terminal_state;

use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use super::display::Format;
use super::exit;
use super::messages::Messages;
use super::origin::{Origin, Origins};
use super::script_file::read_script;
use super::settings::{PromptSettings, Settings};
use super::stats::StatsFile;
use super::terminal::{Target, Terminal};
use crate::connect::Reason;
use crate::error::{Error, ErrorKind, Result};
use crate::runtime::Summary;
use crate::runtime::interrupt::{Interrupts, Questions};
use crate::session::Session;
use crate::sql::Ending;
use entry::{Item, items};
use reader::{Reader, Said};

/// How deep files may read files with `.read`.
const DEEPEST: usize = 16;

/// Runs the prompt until the user leaves.
pub fn run(settings: &Settings, begin: &PromptSettings, questions: Questions) -> ExitCode {
    let said = &settings.messages;
    let messages = Messages::new(said.format, said.color, said.quiet, said.verbose);
    let prompt = Prompt::new(settings, begin.origins.clone(), &messages, questions);
    match prompt.and_then(|mut prompt| prompt.talk(begin)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.kind() == ErrorKind::Closed => ExitCode::SUCCESS,
        Err(error) => {
            messages.error(&error, None);
            ExitCode::from(exit::of_error(&error))
        }
    }
}

/// Whether the prompt goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// With what comes next.
    Go,
    /// Something failed, and was told: what stands behind it in the same text is not run.
    Stop,
    /// The user leaves.
    Leave,
}

/// What the user has chosen of how results are shown.
#[derive(Debug, Default)]
struct View {
    /// `.mode`, `--format`
    mode: Option<&'static Format>,
    /// `.output`, `-o`
    output: Option<PathBuf>,
    /// `.once`
    once: Option<PathBuf>,
    /// `.timer`
    timer: bool,
}

impl View {
    /// Where results go that go to a file, or to standard output.
    ///
    /// # Errors
    /// Nothing here writes what the ending of the file asks for.
    fn target<'t>(&self, file: Option<&'t Path>) -> Result<Target<'t>> {
        let of_file = file.map_or(Ok(None), super::output_file::format_of)?;
        let fits = |mode: &&Format| file.is_some() || !mode.is_binary;
        Ok(Target {
            file,
            append: false,
            format: of_file.or(self.mode.filter(fits)),
        })
    }

    /// How results are shown on standard output.
    fn mode_name(&self) -> &'static str {
        match self.mode {
            Some(mode) => mode.name,
            None if io::stdout().is_terminal() => "table",
            None => "csv",
        }
    }
}

/// A text whose statements run, as messages name it.
#[derive(Clone, Copy)]
struct Source<'t> {
    name: &'t str,
    text: &'t str,
}

/// A conversation with a user.
pub(super) struct Prompt<'a> {
    settings: &'a Settings,
    messages: &'a Messages,
    stats: StatsFile,
    terminal: Terminal<'a>,
    session: Session,
    interrupts: Arc<Interrupts>,
    reader: Reader,
    view: View,
    /// What was typed last, for `.edit`.
    last_entry: String,
    /// What the next line begins with.
    initial: String,
    /// What the last statement counted.
    counted: Summary,
    /// The files that are being read, each within the one before it.
    files: Vec<Origin>,
    origins: Origins,
    /// The records of the table `example`, once somebody has named it.
    example: Option<File>,
}

impl<'a> Prompt<'a> {
    fn new(
        settings: &'a Settings,
        origins: Origins,
        messages: &'a Messages,
        questions: Questions,
    ) -> Result<Self> {
        let mut terminal = Terminal::new(settings, messages)?;
        let stats = StatsFile::open(settings.messages.stats.as_deref())?;
        let give_back = terminal_state::give_back(reader::draws());
        let interrupts = Arc::new(Interrupts::install_at_prompt(questions, give_back)?);
        interrupts.begin_line();
        let color = settings.messages.color.on(io::stdout().is_terminal());
        let reader = Reader::new(&interrupts, color)?;
        terminal.listen(Arc::clone(&interrupts));
        terminal.begin_prompt();
        let mut session = Session::new(settings.options.clone());
        session.listen(Arc::clone(&interrupts));
        let view = View {
            mode: settings.output.format,
            output: settings.output.file.clone(),
            ..View::default()
        };
        Ok(Prompt {
            settings,
            messages,
            stats,
            terminal,
            session,
            interrupts,
            reader,
            view,
            last_entry: String::new(),
            initial: String::new(),
            counted: Summary::default(),
            files: Vec::new(),
            origins,
            example: None,
        })
    }

    /// Reads entries and runs them.
    ///
    /// # Errors
    /// The user cannot be heard or answered any more.
    fn talk(&mut self, begin: &PromptSettings) -> Result<()> {
        let version = env!("CARGO_PKG_VERSION");
        self.messages
            .greet(&format!("tumble {version}; `.help` helps, Ctrl-D leaves"));
        if self.begin(begin)? == Next::Leave {
            return Ok(());
        }
        loop {
            let entry = match self.entry()? {
                Said::Line(entry) => entry,
                Said::Dropped | Said::Back => continue,
                Said::Unreadable => {
                    let error = Error::data("what was typed is not UTF-8, and is dropped");
                    self.messages.error(&error, None);
                    continue;
                }
                Said::End => return Ok(()),
            };
            let entry = entry.trim_end();
            if entry.trim_start().is_empty() {
                continue;
            }
            if let Some(warning) = self.reader.remember(entry) {
                self.messages.warning(&warning);
            }
            let source = Source {
                name: "query",
                text: entry,
            };
            let next = self.run_all(source)?;
            if !entry::begins_command(entry.trim_start()) {
                self.last_entry = entry.to_owned();
            }
            if next == Next::Leave {
                return Ok(());
            }
        }
    }

    /// Runs the init files. What fails in them is told, and the prompt begins.
    fn begin(&mut self, begin: &PromptSettings) -> Result<Next> {
        let own = super::config::path("init.sql").filter(|path| !begin.no_config && path.is_file());
        let files = [(own, Origin::Config), (begin.init.clone(), Origin::File)];
        for (path, origin) in files {
            let Some(path) = path else { continue };
            let run = self.run_file(&path, origin);
            if self.told(run)? == Next::Leave {
                return Ok(Next::Leave);
            }
        }
        Ok(Next::Go)
    }

    /// What comes next; an error is told, unless there is nobody left to tell.
    fn told(&self, next: Result<Next>) -> Result<Next> {
        match next {
            Err(error) if error.kind() != ErrorKind::Closed => {
                self.messages.error(&error, None);
                Ok(Next::Stop)
            }
            next => next,
        }
    }

    /// Lines until they are complete.
    fn entry(&mut self) -> Result<Said> {
        let mut entry = String::new();
        let mut initial = std::mem::take(&mut self.initial);
        loop {
            let prompt = entry::prompt(&entry);
            match self.reader.line(prompt, &entry, &initial, &self.session)? {
                Said::Line(line) => entry.push_str(&line),
                Said::Back => {
                    initial = std::mem::take(&mut entry).trim_end_matches('\n').to_owned();
                    continue;
                }
                other => return Ok(other),
            }
            initial.clear();
            if matches!(items(&entry).1, Ending::Complete | Ending::Nothing) {
                return Ok(Said::Line(entry));
            }
            entry.push('\n');
        }
    }

    /// Runs the parts of a text up to the first that fails.
    fn run_all(&mut self, source: Source<'_>) -> Result<Next> {
        for item in items(source.text).0 {
            let next = match item {
                Item::Command(span) => {
                    let done = commands::run(self, &source.text[span.start..span.end]);
                    self.told(done)?
                }
                Item::Sql(span) => {
                    let done = self.run_sql(source, span);
                    self.told(done)?
                }
            };
            if next != Next::Go {
                return Ok(next);
            }
        }
        Ok(Next::Go)
    }

    /// Runs a file as if it were typed.
    ///
    /// # Errors
    /// It cannot be read; files read each other without an end.
    fn run_file(&mut self, path: &Path, origin: Origin) -> Result<Next> {
        let shown = path.display().to_string();
        if self.files.len() == DEEPEST {
            let what = format!("cannot read {shown}: {DEEPEST} files are read within each other");
            return Err(Error::usage(what).help("a file that reads itself never ends"));
        }
        let text = read_script(path)?;
        // What a file sets that the config folder's file reads is the config's.
        let origin = self.files.first().copied().unwrap_or(origin);
        self.files.push(origin);
        let next = self.run_all(Source {
            name: &shown,
            text: &text,
        });
        self.files.pop();
        next
    }

    /// Notes that a setting has its value from a statement or command.
    fn chosen(&mut self, name: &str, origin: Origin) {
        let origin = self.files.first().copied().unwrap_or(origin);
        self.origins.insert(name.to_owned(), origin);
    }

    /// Where the value of a setting comes from.
    fn origin_of(&self, name: &str) -> Origin {
        self.origins.get(name).copied().unwrap_or(Origin::Default)
    }

    /// The next line begins with a text; where it cannot, the text is run.
    fn type_next(&mut self, text: &str) -> Result<Next> {
        if text.is_empty() {
            return Ok(Next::Go);
        }
        if self.reader.takes_initial() {
            self.initial = text.to_owned();
            return Ok(Next::Go);
        }
        self.answer(&format!("{text}\n"))?;
        self.last_entry = text.to_owned();
        self.run_all(Source {
            name: "query",
            text,
        })
    }

    /// Answers a command.
    ///
    /// # Errors
    /// Nobody reads the answer.
    fn answer(&self, text: &str) -> Result<()> {
        let mut stdout = io::stdout().lock();
        let written = stdout
            .write_all(text.as_bytes())
            .and_then(|()| stdout.flush());
        written.map_err(|error| match error.kind() {
            io::ErrorKind::BrokenPipe => Error::new(ErrorKind::Closed, "the reader has left"),
            _ => Error::outside("cannot write stdout", Reason(&error)),
        })
    }
}
