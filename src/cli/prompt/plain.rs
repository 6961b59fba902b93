//! Reads lines as the terminal gives them, where nothing may be drawn: `TERM=dumb`, or stdout is no terminal.
//!
//! Invariants: no escape code is written; a signal is heard while a line is waited for.

use std::io::{self, Write};
use std::sync::Arc;

use rustix::event::{PollFd, PollFlags, poll};

use super::reader::Said;
use crate::connect::Reason;
use crate::error::{Error, Result};
use crate::runtime::interrupt::{Interrupts, Signal};

/// Lines from standard input.
pub struct Plain {
    interrupts: Arc<Interrupts>,
    /// Prompts go to standard output; else to standard error.
    to_stdout: bool,
    /// What was read behind the last line.
    ahead: Vec<u8>,
}

impl Plain {
    pub fn new(interrupts: Arc<Interrupts>, to_stdout: bool) -> Self {
        Plain {
            interrupts,
            to_stdout,
            ahead: Vec::new(),
        }
    }

    /// Shows the prompt and waits for a line.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn line(&mut self, prompt: &str) -> Result<Said> {
        self.show(prompt);
        loop {
            if let Some(end) = self.ahead.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.ahead.drain(..=end).collect();
                let line = String::from_utf8_lossy(&line[..end]);
                return Ok(Said::Line(line.trim_end_matches('\r').to_owned()));
            }
            if self.interrupts.requested() == Some(Signal::INTERRUPT) {
                self.ahead.clear();
                self.interrupts.begin_line();
                self.show("\n");
                return Ok(Said::Dropped);
            }
            let mut bytes = [0; 4096];
            let stdin = io::stdin();
            let [wakes, _] = self.interrupts.fds();
            let mut fds = [
                PollFd::new(&stdin, PollFlags::IN),
                PollFd::from_borrowed_fd(wakes, PollFlags::IN),
            ];
            let read = match poll(&mut fds, None) {
                Ok(_) if fds[0].revents().is_empty() => continue,
                Ok(_) => rustix::io::read(&stdin, &mut bytes),
                Err(error) => Err(error),
            };
            match read {
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => {
                    let error = io::Error::from(error);
                    return Err(Error::outside("cannot read what is typed", Reason(&error)));
                }
                Ok(0) => {
                    self.show("\n");
                    return Ok(Said::End);
                }
                Ok(count) => self.ahead.extend_from_slice(&bytes[..count]),
            }
        }
    }

    /// If nobody sees it, nobody misses it.
    fn show(&self, text: &str) {
        let shown = match self.to_stdout {
            true => {
                let mut stdout = io::stdout().lock();
                stdout
                    .write_all(text.as_bytes())
                    .and_then(|()| stdout.flush())
            }
            false => io::stderr().lock().write_all(text.as_bytes()),
        };
        drop(shown);
    }
}
