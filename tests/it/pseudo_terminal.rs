//! A program at a terminal that the test is: it sends keys, and sees what stands on the screen.
//!
//! ```text
//!  keys ─► master ═ slave ─► stdin of the program, 80 columns, 24 rows
//!  screen ◄─ vt100 ◄─ master ═ slave ◄─ stdout, stderr
//! ```
//!
//! The screen is as high as a test is long, so that nothing scrolls out of it. The terminal answers no question.

use std::fs::File;
use std::io::Write;
use std::num::NonZero;
use std::os::fd::{FromRawFd, OwnedFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use crate::program::{gather, is_empty, sleeps};

const PATIENCE: Duration = Duration::from_secs(120);
/// Keys that do not show are waited for so long.
const UNSEEN: Duration = Duration::from_secs(2);
const COLUMNS: u16 = 80;
const ROWS: u16 = 24;
/// Rows of the screen that the test sees.
const SEEN_ROWS: u16 = 4_000;

/// A program at a terminal.
pub struct PseudoTerminal {
    child: Child,
    keys: File,
    /// Kept open, so that what the program wrote is there when it has ended.
    slave: OwnedFd,
    master: OwnedFd,
    written: Arc<Mutex<Vec<u8>>>,
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
            sent_at: None,
        }
    }

    /// Types.
    pub fn send(&mut self, keys: &[u8]) {
        self.sent_at = Some(self.written().len());
        self.keys.write_all(keys).expect("a terminal takes keys");
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

    /// The lines of the screen from a row on, those that the terminal has wrapped as one, without blanks at their
    /// ends; and the row of the cursor.
    pub fn screen_from(&self, row: usize) -> (String, usize) {
        let (rows, columns) = (NonZero::new(SEEN_ROWS), NonZero::new(COLUMNS));
        let (rows, columns) = rows.zip(columns).expect("a screen has a size");
        let mut parser = vt100::Parser::new(rows, columns, 0);
        parser.process(&self.written());
        let screen = parser.screen();
        let mut text = String::new();
        let rows = screen.rows(0, COLUMNS).zip(0_u16..).skip(row);
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

/// The two ends of a new terminal, which no other program inherits.
fn open() -> (OwnedFd, OwnedFd) {
    let size = libc::winsize {
        ws_row: ROWS,
        ws_col: COLUMNS,
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
