//! The one place that knows how the tests call the program: [`run`] for a query, [`Live`] for a process
//! that is watched while it runs.
//!
//! ```text
//!            ┌─ How::Library ─► Session::execute, input in exactly these chunks, rows printed as csv
//! run(Case) ─┤
//!            └─ How::Binary ──► a process: bytes in on stdin, stdout, stderr, exit code
//! ```

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use tumble::cli::display::{self, Display};
use tumble::cli::exit;
use tumble::connect::ByteSource;
use tumble::error::{Error, Result};
use tumble::runtime::RowWriter;
use tumble::session::{Host, Note, Options, ResultInfo, ResultSink, Session, SinkSpec};

/// Nothing that the tests run may take longer.
const PATIENCE: Duration = Duration::from_secs(120);

/// How a case is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// In this process.
    Library,
    /// In a process of its own.
    Binary,
}

/// A query and what it is given.
#[derive(Debug, Clone)]
pub struct Case {
    /// The SQL text.
    pub sql: String,
    /// The flags as on a command line, such as `--delay 5s`.
    pub flags: Vec<String>,
    /// Standard input, as the reads will see it. `None`: no standard input (`/dev/null`).
    pub chunks: Option<Vec<Vec<u8>>>,
    /// Where it runs.
    pub how: How,
}

/// What came of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// What was printed.
    pub stdout: Vec<u8>,
    /// What was said. Of the library: the error message only.
    pub stderr: String,
    /// The exit code; 128 + n for a signal, as shells count.
    pub code: i32,
    /// Rows left out, if the library ran it.
    pub left_out: Option<LeftOut>,
    /// All counters, if the library ran it.
    pub counters: Option<String>,
}

/// Rows that took no part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeftOut {
    /// Rows whose windows were all closed.
    pub late: u64,
    /// Rows without a time.
    pub untimed: u64,
}

/// The number that an environment variable gives, for the full size of a test.
pub fn size(variable: &str, default: u64) -> u64 {
    let given = std::env::var(variable).ok();
    given.and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Runs a case to its end.
pub fn run(case: &Case) -> Outcome {
    match case.how {
        How::Library => run_library(case),
        How::Binary => run_binary(case),
    }
}

/// Flags that a session knows; the others are the command line's own.
const SESSION_FLAGS: [&str; 21] = [
    "delay",
    "max-jump",
    "idle-timeout",
    "tz",
    "ts",
    "ts-format",
    "ts-unit",
    "in-order",
    "input-format",
    "delimiter",
    "input-header",
    "regex",
    "types",
    "nulls",
    "encoding",
    "on-error",
    "max-errors",
    "strict",
    "max-record",
    "threads",
    BLOCK_BYTES,
];

/// The hidden flag that makes many blocks of a short input.
pub const BLOCK_BYTES: &str = "block-bytes";

/// `--delay 5s --strict -i csv` as names and values.
pub fn named_flags(flags: &[String]) -> Vec<(String, String)> {
    let mut named = Vec::new();
    let mut rest = flags.iter().peekable();
    while let Some(flag) = rest.next() {
        let name = match flag.as_str() {
            "-i" => "input-format",
            "-d" => "delimiter",
            other => other.trim_start_matches('-'),
        };
        if let Some((name, value)) = name.split_once('=') {
            named.push((name.to_string(), value.to_string()));
            continue;
        }
        let value = rest.next_if(|next| !next.starts_with('-') || next.len() == 1);
        named.push((
            name.to_string(),
            value.map_or("true", String::as_str).to_string(),
        ));
    }
    named
}

/// How a case with these flags is best repeated: in this process if the library alone can run it.
pub fn repeated(flags: &[String]) -> How {
    let known = (named_flags(flags).iter()).all(|(name, _)| SESSION_FLAGS.contains(&name.as_str()));
    if known { How::Library } else { How::Binary }
}

/// The first number of the line of stderr that has `word` in it: `312 of 10,000 rows were late and left out`.
pub fn counted(stderr: &str, word: &str) -> u64 {
    let line = stderr
        .lines()
        .find(|line| line.contains(word))
        .unwrap_or_default();
    let digits = line.trim_start_matches(|c: char| !c.is_ascii_digit());
    let digits: String = digits
        .chars()
        .take_while(|c| c.is_ascii_digit() || *c == ',')
        .filter(|c| *c != ',')
        .collect();
    digits.parse().unwrap_or(0)
}

/// The names of all registered aggregates.
pub fn aggregate_names() -> Vec<String> {
    let functions = tumble::functions::aggregates();
    let names = functions.functions().map(|f| f.name().to_string());
    names.collect()
}

/// Standard input in the chunks of a case: each read gives what is left of one, as far as there is room.
/// Behind a chunk there is nothing to read until everything that came of it was handed out.
struct Script {
    chunks: std::vec::IntoIter<Vec<u8>>,
    rest: Vec<u8>,
    gate: Arc<Gate>,
}

/// Something to wait for that two parts of a test open and close: readable while it is open.
struct Gate {
    ends: (UnixStream, UnixStream),
    is_open: AtomicBool,
}

impl Gate {
    fn new() -> Arc<Gate> {
        let ends = UnixStream::pair().expect("a pair of sockets can be made");
        let is_open = AtomicBool::new(false);
        Arc::new(Gate { ends, is_open })
    }

    fn open(&self) -> io::Result<()> {
        if self.is_open.swap(true, Ordering::Relaxed) {
            return Ok(());
        }
        (&self.ends.0).write_all(b"x")
    }

    fn close(&self) -> io::Result<()> {
        if !self.is_open.swap(false, Ordering::Relaxed) {
            return Ok(());
        }
        (&self.ends.1).read_exact(&mut [0])
    }
}

impl ByteSource for Script {
    fn name(&self) -> &str {
        "stdin"
    }

    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // An empty chunk would be the end of the input.
        while self.rest.is_empty() {
            match self.chunks.next() {
                Some(chunk) => self.rest = chunk,
                None => return Ok(0),
            }
        }
        let length = self.rest.len().min(buffer.len());
        buffer[..length].copy_from_slice(&self.rest[..length]);
        self.rest.drain(..length);
        if self.rest.is_empty() {
            self.gate.close()?;
        }
        Ok(length)
    }

    fn wait_for(&self) -> Option<BorrowedFd<'_>> {
        Some(self.gate.ends.1.as_fd())
    }
}

/// Prints rows as csv into memory.
struct Page {
    display: Box<dyn Display>,
    text: Vec<u8>,
    chunks: Option<Vec<Vec<u8>>>,
    gate: Arc<Gate>,
}

impl Host for Page {
    fn begin(&mut self, schema: &SchemaRef, info: &ResultInfo) -> Result<()> {
        self.display.begin(schema, info, &mut self.text)
    }

    fn rows(&mut self, rows: &RecordBatch) -> Result<()> {
        self.display.rows(rows, &mut self.text)
    }

    fn row_writer(&self) -> Option<Arc<dyn RowWriter>> {
        self.display.row_writer()
    }

    fn flush(&mut self) -> Result<()> {
        let opened = self.gate.open();
        opened.map_err(|error| Error::outside("cannot open the gate", error))
    }

    fn end(&mut self) -> Result<()> {
        self.display.end(&mut self.text)
    }

    fn text(&mut self, text: &[u8]) -> Result<()> {
        self.text.extend_from_slice(text);
        Ok(())
    }

    fn stdin(&mut self) -> Option<Box<dyn ByteSource>> {
        let chunks = self.chunks.take()?.into_iter();
        Some(Box::new(Script {
            chunks,
            rest: Vec::new(),
            gate: Arc::clone(&self.gate),
        }))
    }

    fn sink(&mut self, _spec: &SinkSpec) -> Result<Box<dyn ResultSink>> {
        Err(Error::unsupported("a page has no files"))
    }

    fn note(&mut self, _note: Note) {}
}

fn run_library(case: &Case) -> Outcome {
    let csv = display::format_named("csv").expect("csv is an output format");
    let mut page = Page {
        display: (csv.display)(display::Options::default()),
        text: Vec::new(),
        chunks: case.chunks.clone(),
        gate: Gate::new(),
    };
    let mut options = Options::default();
    let set = (named_flags(&case.flags).iter()).try_for_each(|(name, value)| {
        if name == BLOCK_BYTES {
            options.block_bytes = value.parse().expect("a number of bytes");
            return Ok(());
        }
        options.set(name, value)
    });
    let strict = options.strict;
    let mut session = Session::new(options);
    let done = set.and_then(|()| session.execute(&case.sql, &mut page));
    // What the command line does after a run.
    let done = done.and_then(|summary| {
        exit::check_run(&summary, strict, None)?;
        Ok(summary)
    });
    let summary = session.summary();
    let left_out = Some(LeftOut {
        late: summary.late,
        untimed: summary.untimed,
    });
    let (stderr, code) = match done {
        Ok(_) => (String::new(), 0),
        Err(error) => (error.to_string(), i32::from(exit::of_error(&error))),
    };
    Outcome {
        stdout: page.text,
        stderr,
        code,
        left_out,
        counters: Some(format!("{summary:#?}\n")),
    }
}

/// The binary under test.
pub fn binary() -> PathBuf {
    std::env::var_os("TUMBLE_BINARY")
        .map_or_else(|| env!("CARGO_BIN_EXE_tumble").into(), PathBuf::from)
}

/// The root of the repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The binary with nothing of this machine's settings: no configuration, no `TUMBLE_…`, UTC.
pub fn command() -> Command {
    let mut command = Command::new(binary());
    clean(&mut command);
    command
}

/// Takes this machine's settings out of the environment of `command`.
pub fn clean(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("TUMBLE_") {
            command.env_remove(name);
        }
    }
    command.env_remove("NO_COLOR").env_remove("CLICOLOR_FORCE");
    command
        .env("XDG_CONFIG_HOME", "/nonexistent")
        .env("XDG_STATE_HOME", "/nonexistent");
    command
        .env("TZ", "UTC")
        .env("LC_ALL", "C.UTF-8")
        .env("TERM", "xterm")
        .env("COLUMNS", "80");
}

fn run_binary(case: &Case) -> Outcome {
    let mut command = command();
    command.current_dir(root()).args(&case.flags).arg(&case.sql);
    run_command(command, case.chunks.as_deref())
}

/// Runs a command to its end, with `chunks` on standard input, each written in one call.
pub fn run_command(mut command: Command, chunks: Option<&[Vec<u8>]>) -> Outcome {
    let mut live = Live::start(&mut command, chunks.is_some());
    let stdin = live.stdin.take();
    let chunks = chunks.map(<[_]>::to_vec).unwrap_or_default();
    let writer = thread::spawn(move || {
        let Some(mut stdin) = stdin else { return };
        for chunk in chunks {
            // A program that has enough closes its end: that is its right.
            if stdin.write_all(&chunk).is_err() {
                return;
            }
        }
    });
    let outcome = live.finish();
    // The writer ends with the program, unless a child of a shell still holds the pipe.
    drop(writer);
    outcome
}

/// A directory of its own for a test, with `samples/` in it and `tumble` on the `PATH` of its commands.
/// It is removed in the end.
pub struct Workshop(PathBuf);

impl Workshop {
    /// An empty directory with `samples` as a link to the repository's.
    pub fn new() -> Workshop {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("tumble-it-{}-{number}", std::process::id()));
        std::fs::create_dir_all(path.join("work")).expect("a temporary directory can be made");
        std::fs::create_dir_all(path.join("bin")).expect("a temporary directory can be made");
        symlink(binary(), path.join("bin/tumble")).expect("a link can be made");
        let workshop = Workshop(path);
        symlink(root().join("samples"), workshop.path().join("samples"))
            .expect("a link can be made");
        workshop
    }

    /// The working directory.
    pub fn path(&self) -> PathBuf {
        self.0.join("work")
    }

    /// A shell that runs `script` in the directory.
    pub fn shell(&self, script: &str) -> Command {
        let mut command = Command::new("bash");
        clean(&mut command);
        let path = std::env::var("PATH").unwrap_or_default();
        command.env("PATH", format!("{}:{path}", self.0.join("bin").display()));
        command.args(["-c", script]).current_dir(self.path());
        command
    }
}

impl Drop for Workshop {
    fn drop(&mut self) {
        // What is left in the temporary directory hurts nobody.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A running process, its output gathered as it comes.
pub struct Live {
    child: Child,
    /// Its standard input; dropping it is the end of input.
    pub stdin: Option<ChildStdin>,
    stdout: Arc<Mutex<Vec<u8>>>,
    stderr: Arc<Mutex<Vec<u8>>>,
    readers: Vec<thread::JoinHandle<()>>,
    /// The pipe of its stdout, to see whether something is still in it.
    stdout_pipe: Option<OwnedFd>,
    /// How much of stdout [`Live::news`] has given.
    given: usize,
}

impl Live {
    /// Starts a command; without `with_stdin` it gets `/dev/null`. Pipes for both outputs unless set.
    pub fn start(command: &mut Command, with_stdin: bool) -> Live {
        let stdin = if with_stdin {
            Stdio::piped()
        } else {
            Stdio::null()
        };
        command
            .stdin(stdin)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program starts");
        let (stdout, stderr) = (Arc::default(), Arc::default());
        let pipe = child.stdout.as_ref();
        let stdout_pipe = pipe.and_then(|pipe| pipe.as_fd().try_clone_to_owned().ok());
        let readers = vec![
            gather(child.stdout.take(), &stdout),
            gather(child.stderr.take(), &stderr),
        ];
        Live {
            stdin: child.stdin.take(),
            stdout_pipe,
            child,
            stdout,
            stderr,
            readers,
            given: 0,
        }
    }

    /// Writes to its standard input and waits until it has taken everything and sleeps.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.push(bytes);
        self.settle();
    }

    /// Writes to its standard input.
    pub fn push(&mut self, bytes: &[u8]) {
        if let Some(stdin) = &mut self.stdin {
            // A process that is gone shows in `finish`.
            let _ = stdin.write_all(bytes);
        }
    }

    /// Waits until the process has read its input and every thread of it sleeps (or it has ended).
    ///
    /// No times are guessed: the pipe is empty, and the kernel says of every thread that it waits.
    pub fn settle(&mut self) {
        let started = Instant::now();
        let mut quiet = 0;
        let mut length = 0;
        while quiet < 5 {
            assert!(
                started.elapsed() < PATIENCE,
                "the program does not come to rest"
            );
            thread::sleep(Duration::from_millis(2));
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            let rests = is_empty(self.stdin.as_ref()) && sleeps(self.child.id());
            // What has left the pipe is in the buffer: the reader takes it under the lock.
            let stdout = self.stdout.lock().expect("no reader panics");
            let now = stdout.len();
            let calm = rests && is_empty(self.stdout_pipe.as_ref()) && now == length;
            quiet = if calm { quiet + 1 } else { 0 };
            length = now;
        }
    }

    /// What came out on stdout since the last call.
    pub fn news(&mut self) -> String {
        let stdout = self.stdout.lock().expect("no reader panics");
        let news = String::from_utf8_lossy(&stdout[self.given..]).into_owned();
        self.given = stdout.len();
        news
    }

    /// What came out on stdout since the last call of either, once it ends with `end`; what there is when the
    /// process has ended, or after [`PATIENCE`].
    pub fn news_until(&mut self, end: &str) -> String {
        let started = Instant::now();
        let mut news = self.news();
        while !news.ends_with(end) && started.elapsed() < PATIENCE {
            thread::sleep(Duration::from_millis(2));
            let is_running = matches!(self.child.try_wait(), Ok(None));
            news.push_str(&self.news());
            if !is_running {
                break;
            }
        }
        news
    }

    /// What was said on stderr so far.
    pub fn said(&self) -> String {
        let stderr = self.stderr.lock().expect("no reader panics");
        String::from_utf8_lossy(&stderr).into_owned()
    }

    /// Ends the standard input.
    pub fn end_input(&mut self) {
        self.stdin = None;
    }

    /// The process id.
    pub fn id(&self) -> i32 {
        i32::try_from(self.child.id()).expect("process ids are small")
    }

    /// Waits for the end, at most for [`PATIENCE`]. Does not end the standard input.
    pub fn finish(mut self) -> Outcome {
        let status = self.wait();
        for reader in self.readers.drain(..) {
            reader.join().expect("no reader panics");
        }
        let stdout = std::mem::take(&mut *self.stdout.lock().expect("no reader panics"));
        let stderr = std::mem::take(&mut *self.stderr.lock().expect("no reader panics"));
        let stderr = String::from_utf8_lossy(&stderr).into_owned();
        let code = status
            .code()
            .or(status.signal().map(|n| 128 + n))
            .unwrap_or(-1);
        Outcome {
            stdout,
            stderr,
            code,
            left_out: None,
            counters: None,
        }
    }

    fn wait(&mut self) -> ExitStatus {
        let started = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("a child can be waited for") {
                return status;
            }
            if started.elapsed() > PATIENCE {
                // Only this child, which the test started.
                let _ = self.child.kill();
                panic!("the program did not end within {PATIENCE:?}");
            }
            thread::sleep(Duration::from_millis(2));
        }
    }
}

/// Whether nothing lies in a pipe or terminal, seen from either end.
pub fn is_empty(pipe: Option<&impl AsFd>) -> bool {
    pipe.is_none_or(|pipe| matches!(rustix::io::ioctl_fionread(pipe.as_fd()), Ok(0)))
}

/// Reads a pipe to its end. It waits without the lock, and takes what is there with it.
pub fn gather(
    pipe: Option<impl Read + AsFd + Send + 'static>,
    into: &Arc<Mutex<Vec<u8>>>,
) -> thread::JoinHandle<()> {
    let into = Arc::clone(into);
    thread::spawn(move || {
        let Some(mut pipe) = pipe else { return };
        let mut buffer = [0; 1 << 16];
        loop {
            let mut ready = [PollFd::new(&pipe, PollFlags::IN)];
            if poll(&mut ready, None).is_err_and(|error| error != Errno::INTR) {
                return;
            }
            if ready[0].revents().is_empty() {
                continue;
            }
            let mut into = into.lock().expect("no reader panics");
            match pipe.read(&mut buffer) {
                Ok(length @ 1..) => into.extend_from_slice(&buffer[..length]),
                _ => return,
            }
        }
    })
}

/// Whether every thread of a process waits for something.
pub fn sleeps(id: u32) -> bool {
    let Ok(tasks) = std::fs::read_dir(format!("/proc/{id}/task")) else {
        return true;
    };
    tasks.flatten().all(|task| {
        let stat = std::fs::read_to_string(task.path().join("stat")).unwrap_or_default();
        // The state is the first word behind the name, which stands in brackets.
        let state = stat
            .rsplit(')')
            .next()
            .and_then(|rest| rest.trim_start().chars().next());
        matches!(state, Some('S') | None)
    })
}
