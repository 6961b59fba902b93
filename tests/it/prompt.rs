//! What a user sees at a terminal: `grammar-tests/prompt/*.session` are sessions at the prompt, keys and what they cause;
//! `grammar-tests/screens/*.session` are screens of 80 columns and 24 rows, in colors.
//!
//! ```text
//! # Why this session is there.
//! start tumble samples/doors.csv      in a directory with `samples/`; `start NO_COLOR=1 tumble` sets a variable
//! keys SELECT 1 AS a;<Enter>          also <Tab> <Up> <C-c> <C-d> <Paste> … <PasteEnd>
//! ----
//! tumble> SELECT 1 AS a;              what stands on the screen from the line on where the cursor was
//! …
//! ```
//!
//! `shell LINE` runs in the directory, `wait TEXT` waits for a text on the screen, `signal TERM` sends a signal to the
//! program, `resize 60x24` gives the terminal another size, `end` waits for the program's end and shows the exit code.
//! `plain` says that no escape code came since the start, `colors` and `no-colors` whether colors did. A program in a
//! session ends before the next is started. `UPDATE_EXPECT=1` rewrites what is below `----`.
//!
//! `run tumble …` starts what shows no prompt. `screen` shows the whole screen as [`PseudoTerminal::picture`] says, also
//! of a program that has ended. `N` stands there, and in what is on the screen, for what depends on the clock.

use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use libtest_mimic::Trial;

use crate::difference::same_text;
use crate::grammar::updating;
use crate::program::{Workshop, root, run_command};
use crate::pseudo_terminal::{PseudoTerminal, Size};

/// The tests of this file, one for each session.
pub fn tests() -> Vec<Trial> {
    let mut tests = vec![
        Trial::test("harness::prompt", || Ok(own_test()?)),
        Trial::test("prompt::two-at-once", || Ok(two_at_once()?)),
    ];
    for folder in ["prompt", "screens"] {
        let place = root().join("grammar-tests").join(folder);
        let mut files: Vec<PathBuf> = (std::fs::read_dir(place).into_iter().flatten().flatten())
            .map(|entry| entry.path())
            .filter(|path| path.extension().is_some_and(|ending| ending == "session"))
            .collect();
        files.sort();
        tests.extend(files.into_iter().map(|path| {
            let name = path.file_stem().unwrap_or_default().to_string_lossy();
            Trial::test(format!("{folder}::{name}"), move || Ok(check_file(&path)?))
        }));
    }
    tests
}

fn check_file(path: &Path) -> Result<(), String> {
    let text =
        std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let actual = Session::new().play(&text)?;
    if updating() {
        return std::fs::write(path, actual).map_err(|error| error.to_string());
    }
    let what = path.strip_prefix(root()).unwrap_or(path);
    same_text(
        &what.display().to_string(),
        text.as_bytes(),
        actual.as_bytes(),
    )
}

/// What a user types in `text`, which begins with `$ tumble …`, and what stands on the screen then.
pub fn transcript(text: &str, workshop: &Workshop) -> String {
    let mut lines = text.lines();
    let command = lines.next().and_then(|line| line.strip_prefix("$ "));
    let mut terminal = start(workshop, command.unwrap_or("tumble"));
    let prompts = ["tumble> ", "     -> ", "     '> ", "     (> "];
    for line in lines {
        if let Some(typed) = prompts.iter().find_map(|prompt| line.strip_prefix(prompt)) {
            terminal.send(typed.as_bytes());
            terminal.send(b"\r");
            terminal.settle();
        }
    }
    let shown = terminal.screen();
    // A prompt that waits for more is not shown.
    let shown = shown.strip_suffix("tumble>\n").unwrap_or(&shown);
    format!("$ {}\n{shown}", command.unwrap_or("tumble"))
}

fn start(workshop: &Workshop, line: &str) -> PseudoTerminal {
    let mut terminal = launch(workshop, line);
    terminal.wait_for("tumble>");
    terminal.settle();
    terminal
}

fn launch(workshop: &Workshop, line: &str) -> PseudoTerminal {
    let mut command = workshop.shell(&format!("exec env {line}"));
    command
        .env("XDG_STATE_HOME", workshop.path().join("state"))
        .env("XDG_CONFIG_HOME", workshop.path().join("config"))
        .env("SHELL", "/bin/sh");
    command.env_remove("VISUAL").env_remove("EDITOR");
    PseudoTerminal::start(command)
}

/// Two prompts keep what was typed at either.
fn two_at_once() -> Result<(), String> {
    let workshop = Workshop::new();
    let mut both = [start(&workshop, "tumble"), start(&workshop, "tumble")];
    for number in 0..6 {
        let terminal = &mut both[number % 2];
        terminal.send(format!("SELECT {number};\r").as_bytes());
        terminal.settle();
    }
    for mut terminal in both {
        terminal.send(b"\x04");
        terminal.end();
    }
    let path = workshop.path().join("state/tumble/history");
    let history = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
    let expected: String = (0..6).map(|number| format!("SELECT {number};\n")).collect();
    let expected = format!("#V2\n{expected}");
    same_text("history", expected.as_bytes(), history.as_bytes())
}

/// A session that is played: the text with what really came.
struct Session {
    workshop: Workshop,
    terminal: Option<PseudoTerminal>,
    /// Its program has ended.
    has_ended: bool,
    /// The row of the screen from which on nothing was shown yet.
    row: usize,
}

/// What stands below `----`.
enum Shown {
    /// What came on the screen, and what else there is to say.
    News(String),
    /// The whole screen.
    Screen(String),
}

impl Session {
    fn new() -> Self {
        Session {
            workshop: Workshop::new(),
            terminal: None,
            has_ended: true,
            row: 0,
        }
    }

    fn play(&mut self, text: &str) -> Result<String, String> {
        let mut new = String::new();
        let mut lines = text.lines().enumerate().peekable();
        while let Some((number, line)) = lines.next() {
            if line == "----" {
                return Err(format!(
                    "line {}: nothing was done before `----`",
                    number + 1
                ));
            }
            new.push_str(line);
            new.push('\n');
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let done = self.act(line);
            let shown = done.map_err(|error| format!("line {}: {error}", number + 1))?;
            if lines.next_if(|(_, line)| *line == "----").is_some() {
                while lines.next_if(|(_, line)| !line.is_empty()).is_some() {}
                new.push_str("----\n");
                match shown {
                    Shown::News(ended) => new.push_str(&(self.news() + &ended)),
                    Shown::Screen(screen) => new.push_str(&screen),
                }
            }
        }
        match self.has_ended {
            false => Err("the last program was not ended".to_owned()),
            true => Ok(new),
        }
    }

    /// Does what a line says; gives what else is to be shown.
    fn act(&mut self, line: &str) -> Result<Shown, String> {
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        match verb {
            "start" | "run" if self.has_ended => {
                let begin = if verb == "run" { launch } else { start };
                (self.row, self.has_ended) = (0, false);
                self.terminal = Some(begin(&self.workshop, rest));
            }
            "shell" => {
                let outcome = run_command(self.workshop.shell(rest), None);
                if outcome.code != 0 {
                    return Err(format!("exit code {}: {}", outcome.code, outcome.stderr));
                }
            }
            "keys" => {
                let keys = keys(rest)?;
                let terminal = self.terminal()?;
                terminal.send(&keys);
                terminal.settle();
            }
            "wait" => self.terminal()?.wait_for(rest),
            "signal" => {
                let number = match rest {
                    "TERM" => libc::SIGTERM,
                    "HUP" => libc::SIGHUP,
                    "USR1" => libc::SIGUSR1,
                    "INT" => libc::SIGINT,
                    other => return Err(format!("no such signal: {other}")),
                };
                let terminal = self.terminal()?;
                terminal.signal(number);
                terminal.settle();
            }
            "resize" => {
                let size = rest.split_once('x').and_then(|(columns, rows)| {
                    let (columns, rows) = (columns.parse().ok()?, rows.parse().ok()?);
                    Some(Size { columns, rows })
                });
                let size = size.ok_or_else(|| format!("no such size: {rest}"))?;
                let terminal = self.terminal()?;
                terminal.resize(size);
                terminal.settle();
                self.row = terminal.screen_from(0).1;
            }
            "screen" => return self.picture().map(Shown::Screen),
            "plain" | "colors" | "no-colors" => {
                let written = self.terminal()?.written();
                check_written(verb, &String::from_utf8_lossy(&written))?;
            }
            "end" => return self.end().map(Shown::News),
            other => return Err(format!("no such verb: {other}")),
        }
        Ok(Shown::News(String::new()))
    }

    /// The screen, once it stands still but for what depends on the clock.
    fn picture(&mut self) -> Result<String, String> {
        self.terminal()?;
        let (mut same, mut before) = (0, String::new());
        while same < 10 {
            thread::sleep(Duration::from_millis(20));
            let masked = |row: &str| self.masked(row);
            let picture = self
                .terminal
                .as_ref()
                .map(|terminal| terminal.picture(&masked));
            let picture = picture.unwrap_or_default();
            same = if picture == before { same + 1 } else { 0 };
            before = picture;
        }
        self.row = self.terminal()?.screen_from(0).1;
        Ok(before)
    }

    fn terminal(&mut self) -> Result<&mut PseudoTerminal, String> {
        self.terminal
            .as_mut()
            .ok_or_else(|| "nothing was started".to_owned())
    }

    fn end(&mut self) -> Result<String, String> {
        let terminal = self.terminal()?;
        let code = terminal.end();
        let written = terminal.written();
        // What a terminal would have to answer.
        for question in [
            "\u{1b}[6n",
            "\u{1b}[5n",
            "\u{1b}[c",
            "\u{1b}[0c",
            "\u{1b}[>c",
            "\u{1b}[?u",
        ] {
            if String::from_utf8_lossy(&written).contains(question) {
                return Err(format!("the terminal was asked {question:?}"));
            }
        }
        self.has_ended = true;
        Ok(format!("exit {code}\n"))
    }

    /// What stands on the screen from where the cursor was.
    fn news(&mut self) -> String {
        let Some(terminal) = &self.terminal else {
            return String::new();
        };
        let (screen, cursor) = terminal.screen_from(self.row);
        let mut news = String::new();
        for line in screen.lines() {
            let line = self.masked(line);
            news.push_str(if line.is_empty() { "(blank)" } else { &line });
            news.push('\n');
        }
        self.row = cursor;
        news
    }

    /// Without what differs from run to run: times, rates, sizes of memory, ports, the name of the directory.
    fn masked(&self, row: &str) -> String {
        let work = self.workshop.path().display().to_string();
        let mut row = row.replace(&work, "$WORK");
        if let Some(at) = row.find("listening at tcp-listen://127.0.0.1:") {
            let colon = at + row[at..].rfind(':').unwrap_or(0);
            row.replace_range(colon + 1.., "N");
        }
        let numbers = [("time: ", " s"), ("state: ", " KiB"), ("/dev/fd/", "'")];
        for (before, behind) in numbers {
            if let Some(at) = row.find(before)
                && let Some(length) = row[at..].find(behind)
            {
                let number = row[..at + length]
                    .rfind(|c: char| !c.is_ascii_digit() && c != '.')
                    .map_or(at, |place| place + 1);
                row.replace_range(number..at + length, "N");
            }
        }
        for unit in [" rows/s", "B/s"] {
            let Some(at) = row.find(unit) else { continue };
            let is_part = |c: char| c.is_ascii_digit() || ".kMGT ".contains(c);
            let begin = row[..at].trim_end_matches(is_part).len();
            let blank = if unit.starts_with(' ') { "" } else { " " };
            row.replace_range(begin..at, &format!(" N{blank}"));
        }
        row
    }
}

fn check_written(verb: &str, written: &str) -> Result<(), String> {
    let colors = written.split("\u{1b}[").skip(1).any(|rest| {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != ';');
        end.is_some_and(|end| rest[end..].starts_with('m'))
    });
    let is_so = match verb {
        "plain" => !written.contains('\u{1b}'),
        "colors" => colors,
        _ => !colors,
    };
    match is_so {
        true => Ok(()),
        false => Err(format!("not {verb}: {written:?}")),
    }
}

/// The bytes of keys.
fn keys(text: &str) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        bytes.extend_from_slice(&rest.as_bytes()[..at]);
        let Some(end) = rest[at..]
            .find('>')
            .filter(|end| rest[at + 1..at + end].starts_with(char::is_uppercase))
        else {
            bytes.push(b'<');
            rest = &rest[at + 1..];
            continue;
        };
        let name = &rest[at + 1..at + end];
        let named: &[u8] = match name {
            "Enter" => b"\r",
            "Tab" => b"\t",
            "Up" => b"\x1b[A",
            "Down" => b"\x1b[B",
            "Left" => b"\x1b[D",
            "Right" => b"\x1b[C",
            "Home" => b"\x1b[H",
            "End" => b"\x1b[F",
            "Backspace" => b"\x7f",
            "Esc" => b"\x1b",
            "Paste" => b"\x1b[200~",
            "PasteEnd" => b"\x1b[201~",
            "C-\\" => b"\x1c",
            other => match other.strip_prefix("C-").map(str::as_bytes) {
                Some([letter @ b'a'..=b'z']) => &[*letter & 0x1f],
                _ => return Err(format!("no such key: <{other}>")),
            },
        };
        bytes.extend_from_slice(named);
        rest = &rest[at + end + 1..];
    }
    bytes.extend_from_slice(rest.as_bytes());
    Ok(bytes)
}

fn own_test() -> Result<(), String> {
    let bytes = keys("a < b<Enter><C-c><C-\\><Paste>x")?;
    same_text("keys", b"a < b\r\x03\x1c\x1b[200~x", &bytes)?;
    if keys("<Entr>").is_ok() {
        return Err("a key that is none".to_owned());
    }
    check_written("plain", "a\r\n")?;
    check_written("no-colors", "\u{1b}[K\u{1b}[2C")?;
    check_written("colors", "\u{1b}[1;31mx")?;
    for (row, expected) in [
        ("time: 3 rows, 0.012 s", "time: 3 rows, N s"),
        (
            "5 rows · 1.2k rows/s · 1 open · 310 kB/s",
            "5 rows · N rows/s · 1 open · N B/s",
        ),
        ("5 rows · 12 rows/s · 7 B/s", "5 rows · N rows/s · N B/s"),
    ] {
        let masked = Session::new().masked(row);
        same_text("masked", expected.as_bytes(), masked.as_bytes())?;
    }
    Ok(())
}
