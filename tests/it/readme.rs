//! Every command that the documentation shows is run, and what it shows is what comes out.
//!
//! ````text
//! ```console
//! $ tumble "SELECT host, count(*) FROM input GROUP BY host" samples/access.csv
//! host,count(*)
//! web1,3
//! ```
//! ````
//!
//! A block marked `console` is run in a directory that holds a copy of `samples/`, with `tumble` on the
//! `PATH`; its commands share the directory. `$ ` begins a command, a `\` at the end of a line or an open
//! quote continues it; what follows is stdout and stderr as a terminal would show them. A last line
//! `# exit N` is the exit code, if it is not 0. `cargo run --release --` stands for the binary, `cargo test` and
//! other cargo commands are left out. A block marked `prompt` is a session at a terminal: its first line starts the
//! program, what stands behind a prompt is typed. `UPDATE_EXPECT=1` rewrites what is shown.
//!
//! `samples/coming-from.md` has tables instead; the queries in their last columns have to run.

use std::fs;
use std::path::Path;

use libtest_mimic::Trial;

use crate::difference::same_text;
use crate::grammar::updating;
use crate::program::{Workshop, root, run_command};
use crate::prompt::transcript;

const DOCUMENTS: [&str; 3] = ["README.md", "samples/README.md", "samples/cookbook.md"];
/// Its tables end in queries, which are run over an access log.
const PHRASES: &str = "samples/coming-from.md";

/// The tests of this file: one for each block, or one for each document when it is rewritten.
pub fn tests() -> Vec<Trial> {
    let mut tests = vec![
        Trial::test("harness::readme", || Ok(own_test()?)),
        Trial::test(format!("readme::{PHRASES}-queries"), || Ok(run_phrases()?)),
        Trial::test("readme::flags", || Ok(flags_are_listed()?)),
        Trial::test("readme::samples/live.svg", || Ok(picture()?)),
    ];
    for document in DOCUMENTS {
        let path = root().join(document);
        let Ok(text) = fs::read_to_string(&path) else {
            continue;
        };
        if updating() {
            tests.push(Trial::test(format!("readme::{document}"), move || {
                let text = rewritten(&text)?;
                fs::write(&path, text).map_err(|error| format!("{document}: {error}"))?;
                Ok(())
            }));
            continue;
        }
        for (number, block) in blocks(&text).into_iter().enumerate() {
            let name = format!("readme::{document}-block-{}", number + 1);
            tests.push(Trial::test(name, move || {
                let actual = block.run();
                let what = format!("{document}:{}", block.line);
                Ok(same_text(&what, block.text.as_bytes(), actual.as_bytes())?)
            }));
        }
    }
    tests
}

/// A block of a document that is run.
struct Block {
    /// The line of its first line, from 1.
    line: usize,
    /// The text between the fences.
    text: String,
    /// What it is marked with.
    mark: &'static str,
}

/// What blocks that are run are marked with.
const MARKS: [&str; 2] = ["console", "prompt"];

impl Block {
    /// The block with what really comes.
    fn run(&self) -> String {
        if self.mark == "console" {
            return run_block(&self.text);
        }
        let workshop = Workshop::new();
        copy_samples(&workshop.path());
        transcript(&self.text, &workshop)
    }
}

fn blocks(text: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut inside = false;
    for (number, line) in text.split_inclusive('\n').enumerate() {
        if inside && line.trim_end() == "```" {
            inside = false;
        } else if inside && let Some(block) = blocks.last_mut() {
            block.text.push_str(line);
        } else if let Some(mark) = line.trim_end().strip_prefix("```")
            && let Some(mark) = MARKS.iter().find(|known| **known == mark)
        {
            inside = true;
            blocks.push(Block {
                line: number + 2,
                text: String::new(),
                mark,
            });
        }
    }
    blocks
}

fn rewritten(text: &str) -> Result<String, String> {
    let mut new = String::new();
    let mut rest = text;
    for block in blocks(text) {
        let mark = block.mark;
        let fence = format!("```{mark}\n{}", block.text);
        let place = rest
            .find(&fence)
            .ok_or_else(|| format!("line {}: no such block", block.line))?;
        new.push_str(&rest[..place]);
        new.push_str(&format!("```{mark}\n"));
        new.push_str(&block.run());
        rest = &rest[place + fence.len()..];
    }
    Ok(new + rest)
}

/// A command of a block with the lines that are shown below it.
struct Shown<'a> {
    /// The lines as they stand in the document, with `$ `.
    lines: Vec<&'a str>,
    /// The same for a shell.
    command: String,
    /// What is shown.
    output: String,
}

fn commands(text: &str) -> Vec<Shown<'_>> {
    let mut shown: Vec<Shown<'_>> = Vec::new();
    let mut open = false;
    for line in text.split_inclusive('\n') {
        if !open && let Some(command) = line.strip_prefix("$ ") {
            shown.push(Shown {
                lines: vec![line],
                command: command.to_string(),
                output: String::new(),
            });
            open = is_open(command);
        } else if open && let Some(last) = shown.last_mut() {
            last.lines.push(line);
            last.command
                .push_str(line.strip_prefix("> ").unwrap_or(line));
            open = is_open(&last.command);
        } else if let Some(last) = shown.last_mut() {
            last.output.push_str(line);
        }
    }
    shown
}

/// Whether a command goes on with the next line.
fn is_open(command: &str) -> bool {
    let mut quote = None;
    let mut characters = command.chars();
    while let Some(character) = characters.next() {
        match (character, quote) {
            ('\\', None | Some('"')) => drop(characters.next()),
            ('\'' | '"', None) => quote = Some(character),
            (_, Some(open)) if open == character => quote = None,
            _ => {}
        }
    }
    quote.is_some() || command.trim_end_matches('\n').ends_with('\\')
}

/// The block with what its commands really print.
fn run_block(text: &str) -> String {
    let workshop = Workshop::new();
    copy_samples(&workshop.path());
    let mut new = String::new();
    for shown in commands(text) {
        new.extend(shown.lines.iter().copied());
        let command = [
            "cargo run --release --quiet -- ",
            "cargo run --release -- ",
            "target/release/tumble ",
            "./target/release/tumble ",
        ]
        .iter()
        .fold(shown.command.clone(), |command, prefix| {
            command.replace(prefix, "tumble ")
        });
        if command.starts_with("cargo ") || command.starts_with("git ") {
            new.push_str(&shown.output);
            continue;
        }
        let outcome = run_command(workshop.shell(&format!("exec 2>&1\n{command}")), None);
        let stdout = String::from_utf8_lossy(&outcome.stdout);
        new.push_str(&stdout);
        if !stdout.is_empty() && !stdout.ends_with('\n') {
            new.push('\n');
        }
        if outcome.code != 0 {
            new.push_str(&format!("# exit {}\n", outcome.code));
        }
    }
    new
}

/// The query in the last cell of a row of a table.
fn phrase(line: &str) -> Option<String> {
    let line = line.strip_prefix('|')?.replace("\\|", "\0");
    let (_, last) = line.trim_end_matches([' ', '|']).rsplit_once('|')?;
    let query = last.trim().strip_prefix('`')?.strip_suffix('`')?;
    let is_query = query.contains(' ') && query.starts_with(|c: char| c.is_ascii_uppercase());
    is_query.then(|| query.replace('\0', "|"))
}

/// Runs the queries of [`PHRASES`]: each succeeds and, if it asks for rows, gets some.
fn run_phrases() -> Result<(), String> {
    let path = root().join(PHRASES);
    let text = fs::read_to_string(path).map_err(|error| format!("{PHRASES}: {error}"))?;
    let workshop = Workshop::new();
    let mut wrong = Vec::new();
    let mut count = 0;
    for (number, line) in text.lines().enumerate() {
        let Some(query) = phrase(line) else { continue };
        count += 1;
        let mut command = workshop.shell("exec tumble --table log=samples/access.csv \"$1\"");
        command.args(["shell", &query]);
        let outcome = run_command(command, None);
        let writes = query.starts_with("INSERT") || query.starts_with("COPY");
        let rows = outcome.stdout.iter().filter(|byte| **byte == b'\n').count();
        if outcome.code != 0 || (rows < 2 && !writes) {
            let said = format!("{rows} lines, {}", outcome.stderr);
            wrong.push(format!("{PHRASES}:{}: {query}: {said}", number + 1));
        }
    }
    if count < 40 {
        wrong.push(format!("{PHRASES}: only {count} queries were found"));
    }
    match wrong.is_empty() {
        true => Ok(()),
        false => Err(wrong.join("\n")),
    }
}

/// The picture of the README is what its script draws, where there is a Python to ask.
fn picture() -> Result<(), String> {
    let script = "command -v python3 > /dev/null || exit 0
                  python3 samples/picture.py samples/live.ansi | cmp - samples/live.svg";
    let outcome = run_command(Workshop::new().shell(script), None);
    match outcome.code {
        0 => Ok(()),
        _ => Err(String::from_utf8_lossy(&outcome.stdout).into_owned() + &outcome.stderr),
    }
}

/// In the place of the link: the commands of a document may write.
fn copy_samples(workshop: &Path) {
    let target = workshop.join("samples");
    fs::remove_file(&target).expect("the workshop has a link to the samples");
    copy(&root().join("samples"), &target);
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a temporary directory can be made");
    for entry in fs::read_dir(from).into_iter().flatten().flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), &target).expect("a sample can be copied");
        }
    }
}

/// The table of flags has every flag of the help.
fn flags_are_listed() -> Result<(), String> {
    let document =
        fs::read_to_string(root().join("README.md")).map_err(|error| error.to_string())?;
    let table = document
        .split("\n## Flags\n")
        .nth(1)
        .ok_or("README.md has no flags")?;
    let table = table.split("\n## ").next().unwrap_or_default();
    let workshop = Workshop::new();
    let help = run_command(workshop.shell("tumble --help"), None);
    let help = String::from_utf8_lossy(&help.stdout);
    let words = |text: &str| -> Vec<String> {
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '-';
        let words = text.split(|c| !is_part(c));
        words.map(String::from).collect()
    };
    let listed = words(table);
    let mut flags = 0;
    for line in help.lines().map(str::trim_start) {
        if !line.starts_with('-') {
            continue;
        }
        let names: Vec<String> = words(line.split("  ").next().unwrap_or_default());
        let names: Vec<&String> = names.iter().filter(|name| name.starts_with('-')).collect();
        flags += 1;
        if !names.iter().any(|name| listed.contains(name)) {
            return Err(format!("the table of flags lacks {names:?}"));
        }
    }
    match flags {
        0..40 => Err(format!("the help shows {flags} flags only:\n{help}")),
        _ => Ok(()),
    }
}

fn own_test() -> Result<(), String> {
    let text = "Hi\n```console\n$ echo \"a\nb\" \\\n  c\na\nold\n$ cargo test\nmany\n$ ls samples | wc -l > n; false\n```\n";
    let new = "Hi\n```console\n$ echo \"a\nb\" \\\n  c\na\nb c\n$ cargo test\nmany\n$ ls samples | wc -l > n; false\n# exit 1\n```\n";
    same_text("the document", new.as_bytes(), rewritten(text)?.as_bytes())?;
    let again = rewritten(new)?;
    same_text("the document once more", new.as_bytes(), again.as_bytes())
}
