//! A program at a terminal that the test is: it sends keys, and sees what stands on the screen.
//!
//! ```text
//!  keys ─► master ═ slave ─► stdin of the program, 80 columns, 24 rows
//!  screen ◄─ vt100 ◄─ master ═ slave ◄─ stdout, stderr
//! ```
//!
//! The screen is as high as a test is long, so that nothing scrolls out of it; [`PseudoTerminal::picture`] is what a user
//! sees of it, row by row. The terminal answers no question. With another width it breaks its lines anew, as most do.

use std::fs::File;
use std::io::Write;
use std::num::NonZero;
use std::os::fd::{FromRawFd, OwnedFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use unicode_width::UnicodeWidthStr;

use crate::program::{gather, is_empty, sleeps};

const PATIENCE: Duration = Duration::from_secs(120);
/// Keys that do not show are waited for so long.
const UNSEEN: Duration = Duration::from_secs(2);
const SIZE: Size = Size {
    columns: 80,
    rows: 24,
};
/// Rows of the screen that the test sees.
const SEEN_ROWS: u16 = 4_000;

/// Columns and rows of a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    pub columns: u16,
    pub rows: u16,
}

/// A program at a terminal.
pub struct PseudoTerminal {
    child: Child,
    keys: File,
    /// Kept open, so that what the program wrote is there when it has ended.
    slave: OwnedFd,
    master: OwnedFd,
    written: Arc<Mutex<Vec<u8>>>,
    /// The sizes that the terminal has had, each with how much the program had written before.
    sizes: Vec<(usize, Size)>,
    /// How much the program had written when keys were sent that it has not shown yet.
    sent_at: Option<usize>,
}

impl PseudoTerminal {
    /// Starts a command at a terminal of its own, which it controls.
    pub fn start(mut command: Command) -> Self {
        let (master, slave) = open();
        let end = || Stdio::from(slave.try_clone().expect("a file can be opened twice"));
        command.stdin(end()).stdout(end()).stderr(end());
        // Safety: both are single system calls, which may stand between fork and exec.
        unsafe {
            command.pre_exec(|| {
                let leads = libc::setsid() != -1 && libc::ioctl(0, libc::TIOCSCTTY, 0) == 0;
                if !leads {
                    return Err(std::io::Error::last_os_error());
                }
                Ok(())
            });
        }
        let child = command.spawn().expect("the program starts");
        let written = Arc::default();
        let reader = File::from(master.try_clone().expect("a file can be opened twice"));
        // It ends with the terminal.
        drop(gather(Some(reader), &written));
        let keys = File::from(master.try_clone().expect("a file can be opened twice"));
        PseudoTerminal {
            child,
            keys,
            slave,
            master,
            written,
            sizes: vec![(0, SIZE)],
            sent_at: None,
        }
    }

    /// Types.
    pub fn send(&mut self, keys: &[u8]) {
        self.sent_at = Some(self.written().len());
        self.keys.write_all(keys).expect("a terminal takes keys");
    }

    /// Gives the terminal another size, which it tells the program.
    pub fn resize(&mut self, size: Size) {
        self.sizes.push((self.written().len(), size));
        let told = rustix::termios::Winsize {
            ws_row: size.rows,
            ws_col: size.columns,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        rustix::termios::tcsetwinsize(&self.master, told).expect("a terminal has a size");
    }

    /// Sends a signal to the program.
    pub fn signal(&self, number: i32) {
        let id = i32::try_from(self.child.id()).expect("process ids are small");
        // Safety: it only sends a signal to the child of this test.
        let sent = unsafe { libc::kill(id, number) };
        assert_eq!(sent, 0, "the program has ended");
    }

    /// Everything that the program has written so far.
    pub fn written(&self) -> Vec<u8> {
        self.written.lock().expect("no reader panics").clone()
    }

    /// Waits until the screen has a text, or the program has ended.
    pub fn wait_for(&mut self, text: &str) {
        let started = Instant::now();
        while !self.screen().contains(text) && self.is_running() {
            assert!(
                started.elapsed() < PATIENCE,
                "`{text}` does not come:\n{}",
                self.screen()
            );
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// Waits until the program has taken the keys and waits for more, or for input, or has ended.
    pub fn settle(&mut self) {
        let started = Instant::now();
        // The system takes its time to hand keys over, and until then the program looks as if it had none: every key
        // shows on the screen, though one that does not is no mistake.
        if let Some(length) = self.sent_at.take() {
            let shown = |terminal: &Self| terminal.written().len() > length;
            while !shown(self) && self.is_running() && started.elapsed() < UNSEEN {
                thread::sleep(Duration::from_millis(2));
            }
        }
        let (mut quiet, mut length) = (0, usize::MAX);
        while quiet < 25 {
            assert!(
                started.elapsed() < PATIENCE,
                "the program does not come to rest:\n{}",
                self.screen()
            );
            thread::sleep(Duration::from_millis(2));
            let rests = !self.is_running() || self.rests();
            let now = self.written.lock().expect("no reader panics").len();
            let calm = rests && is_empty(Some(&self.master)) && now == length;
            quiet = if calm { quiet + 1 } else { 0 };
            length = now;
        }
    }

    fn rests(&self) -> bool {
        is_empty(Some(&self.slave)) && all_sleep(self.child.id())
    }

    fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// What the program has written, on a screen of so many rows, or of those that it has.
    fn drawn(&self, rows: Option<u16>) -> vt100::Parser {
        let size = |size: Size| {
            let size = (rows.unwrap_or(size.rows), size.columns);
            let (rows, columns) = (NonZero::new(size.0), NonZero::new(size.1));
            rows.zip(columns).expect("a screen has a size")
        };
        let (height, width) = size(self.sizes[0].1);
        let mut parser = vt100::Parser::new(height, width, 0);
        let written = self.written();
        for (place, (from, own)) in self.sizes.iter().enumerate() {
            if place > 0 {
                let (height, width) = size(*own);
                let lines = lines_to_cursor(parser.screen());
                parser = vt100::Parser::new(height, width, 0);
                parser.process(lines.as_bytes());
            }
            let next = self.sizes.get(place + 1).map(|(at, _)| *at);
            parser.process(&written[*from..next.unwrap_or(written.len())]);
        }
        parser
    }

    /// The lines of the screen from a row on, those that the terminal has wrapped as one, without blanks at their
    /// ends; and the row of the cursor.
    pub fn screen_from(&self, row: usize) -> (String, usize) {
        let parser = self.drawn(Some(SEEN_ROWS));
        let screen = parser.screen();
        let mut text = String::new();
        let columns = screen.size().1.get();
        let rows = screen.rows(0, columns).zip(0_u16..).skip(row);
        for (row, number) in rows {
            text.push_str(&row);
            if !screen.row_wrapped(number) {
                text.truncate(text.trim_end_matches(' ').len());
                text.push('\n');
            }
        }
        text.truncate(text.trim_end_matches('\n').len());
        if !text.is_empty() {
            text.push('\n');
        }
        (text, usize::from(screen.cursor_position().0))
    }

    /// The screen as a user sees it: each row between bars, `masked` first, behind it how its cells look.
    ///
    /// ```text
    /// |host │ count        |  bold 1-
    /// |web1 │    12        |  dim 1-4, green 8-
    /// cursor 3:1
    /// ```
    ///
    /// A range without an end goes to the end of the row's text.
    pub fn picture(&self, masked: &dyn Fn(&str) -> String) -> String {
        let parser = self.drawn(None);
        let screen = parser.screen();
        let (rows, columns) = screen.size();
        let mut text = String::new();
        for row in 0..rows.get() {
            let cells: Vec<&vt100::Cell> = (0..columns.get())
                .filter_map(|column| screen.cell(row, column))
                .collect();
            let own = cells.iter().filter(|cell| !cell.is_wide_continuation());
            let own = own.map(|cell| {
                if cell.has_contents() {
                    cell.contents()
                } else {
                    " "
                }
            });
            let own = masked(own.collect::<String>().trim_end_matches(' '));
            let blanks = usize::from(columns.get()).saturating_sub(own.width());
            let looks = looks(&cells);
            text.push_str(&format!("|{own}{}|", " ".repeat(blanks)));
            if !looks.is_empty() {
                text.push_str(&format!("  {looks}"));
            }
            text.push('\n');
        }
        let (row, column) = screen.cursor_position();
        text.push_str(&format!("cursor {}:{}\n", row + 1, column + 1));
        text
    }

    /// The lines of the whole screen.
    pub fn screen(&self) -> String {
        self.screen_from(0).0
    }

    /// Waits for the end of the program; its exit code, 128 + n for a signal.
    pub fn end(&mut self) -> i32 {
        let started = Instant::now();
        while self.is_running() {
            assert!(
                started.elapsed() < PATIENCE,
                "the program does not end:\n{}",
                self.screen()
            );
            thread::sleep(Duration::from_millis(2));
        }
        self.settle();
        let status = self.child.wait().expect("a child can be waited for");
        let of_signal = status.signal().map(|number| 128 + number);
        status.code().or(of_signal).unwrap_or(-1)
    }
}

impl Drop for PseudoTerminal {
    fn drop(&mut self) {
        if self.is_running() {
            // Only this child, which the test started.
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// The lines of a screen up to that of the cursor, each whole, as another screen takes them.
fn lines_to_cursor(screen: &vt100::Screen) -> String {
    let columns = screen.size().1.get();
    let last = screen.cursor_position().0;
    let mut text = String::new();
    for (row, number) in screen.rows_formatted(0, columns).zip(0..=last) {
        text.push_str(&row);
        text.push_str("\u{1b}[0m");
        if number < last && !screen.row_wrapped(number) {
            text.push_str("\r\n");
        }
    }
    text
}

/// How the cells of a row look, where that is not plain.
fn looks(cells: &[&vt100::Cell]) -> String {
    let text = |cell: &&vt100::Cell| cell.has_contents() && cell.contents() != " ";
    let end = cells.iter().rposition(text).map_or(0, |last| last + 1);
    let mut found: Vec<String> = Vec::new();
    let mut begin = 0;
    for run in cells.chunk_by(|one, other| look(one) == look(other)) {
        let (first, last) = (begin + 1, begin + run.len());
        begin = last;
        let look = look(run[0]);
        if look.is_empty() || first > end {
            continue;
        }
        let last = if last >= end {
            String::new()
        } else {
            last.to_string()
        };
        found.push(format!("{look} {first}-{last}"));
    }
    found.join(", ")
}

fn look(cell: &vt100::Cell) -> String {
    const COLORS: [&str; 8] = [
        "black", "red", "green", "yellow", "blue", "magenta", "cyan", "white",
    ];
    let color = |color: vt100::Color| match color {
        vt100::Color::Default => String::new(),
        vt100::Color::Idx(number) => match COLORS.get(usize::from(number)) {
            Some(name) => String::from(*name),
            None => format!("color {number}"),
        },
        vt100::Color::Rgb(red, green, blue) => format!("#{red:02x}{green:02x}{blue:02x}"),
    };
    let ground = color(cell.bgcolor());
    let words = [
        String::from(if cell.bold() { "bold" } else { "" }),
        String::from(if cell.dim() { "dim" } else { "" }),
        String::from(if cell.italic() { "italic" } else { "" }),
        String::from(if cell.underline() { "underlined" } else { "" }),
        String::from(if cell.inverse() { "inverse" } else { "" }),
        color(cell.fgcolor()),
        if ground.is_empty() {
            ground
        } else {
            format!("on {ground}")
        },
    ];
    let words: Vec<String> = words.into_iter().filter(|word| !word.is_empty()).collect();
    words.join(" ")
}

/// The two ends of a new terminal, which no other program inherits.
fn open() -> (OwnedFd, OwnedFd) {
    let size = libc::winsize {
        ws_row: SIZE.rows,
        ws_col: SIZE.columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    let (mut master, mut slave) = (-1, -1);
    let (name, settings) = (std::ptr::null_mut(), std::ptr::null_mut());
    // Safety: the numbers and the size are ours, and the call may leave out the others.
    let opened = unsafe {
        let size = std::ptr::from_ref(&size).cast_mut();
        libc::openpty(&raw mut master, &raw mut slave, name, settings, size)
    };
    assert_eq!(opened, 0, "a terminal can be made");
    // Safety: they were just opened, and nobody else has them.
    let ends = unsafe { (OwnedFd::from_raw_fd(master), OwnedFd::from_raw_fd(slave)) };
    for end in [&ends.0, &ends.1] {
        let flags = rustix::io::FdFlags::CLOEXEC;
        rustix::io::fcntl_setfd(end, flags).expect("a file has flags");
    }
    ends
}

/// Whether a process and all that it has started wait for something.
fn all_sleep(id: u32) -> bool {
    let tasks = std::fs::read_dir(format!("/proc/{id}/task"));
    let children = tasks.into_iter().flatten().flatten().flat_map(|task| {
        let children = std::fs::read_to_string(task.path().join("children")).unwrap_or_default();
        let ids = children.split_whitespace().filter_map(|id| id.parse().ok());
        ids.collect::<Vec<u32>>()
    });
    sleeps(id) && children.into_iter().all(all_sleep)
}
