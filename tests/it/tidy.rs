//! What must stay true of the sources, and above all what must stay absent, read from their text.
//!
//! ```text
//! src/exec/window/hop.rs:12: exec must not use crate::plan (allowed: state, data, time, error)
//! ```
//!
//! Files are cut before their test module and stripped of comments and texts before they are searched.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use libtest_mimic::Trial;

use crate::program::root;

const FILE_LINES: usize = 500;
const FUNCTION_LINES: usize = 70;

/// Longer than the limits, each with its reason: (file, function or "" for the file, reason).
const EXCEPTIONS: [(&str, &str, &str); 0] = [];

/// Which folders of `src/` a folder may name, besides itself and `error`.
const DIRECTIONS: [(&str, &[&str]); 13] = [
    ("cli", EVERYTHING),
    ("session", BELOW_CLI),
    (
        "plan",
        &["sql", "catalog", "functions", "exec", "data", "time"],
    ),
    (
        "runtime",
        &["plan", "exec", "format", "connect", "data", "time"],
    ),
    (
        "catalog",
        &["sql", "functions", "format", "connect", "data", "time"],
    ),
    // A function of SQL wraps a kernel that operators call by themselves, too.
    ("functions", &["exec", "data", "time"]),
    ("exec", &["data", "time"]),
    ("format", &["data", "time"]),
    ("data", &["time"]),
    // Intervals are the one thing that SQL text and event time share.
    ("sql", &["time"]),
    ("connect", &[]),
    ("time", &[]),
    ("error", &[]),
];
const EVERYTHING: &[&str] = &[
    "session",
    "plan",
    "runtime",
    "catalog",
    "functions",
    "exec",
    "format",
    "data",
    "sql",
    "connect",
    "time",
];
const BELOW_CLI: &[&str] = &[
    "plan",
    "runtime",
    "catalog",
    "functions",
    "exec",
    "format",
    "data",
    "sql",
    "connect",
    "time",
];

/// Names that may stand only in some places: (name, places, why). A place is a prefix of the path in `src/`.
const FENCES: [(&str, &[&str], &str); 28] = [
    (
        "datafusion_",
        &["plan/", "functions/", "exec/expression", "exec/aggregate"],
        "DataFusion is fenced",
    ),
    // A catalog keeps views as they were parsed, a session hands statements on.
    (
        "sqlparser",
        &["sql/", "plan/", "catalog/", "session/"],
        "the parser is fenced",
    ),
    ("clap::", &["cli/"], "arguments belong to the terminal"),
    ("rustyline", &["cli/"], "the prompt belongs to the terminal"),
    ("comfy_table", &["cli/"], "tables are drawn by the terminal"),
    (
        "annotate_snippets",
        &["cli/"],
        "carets are drawn by the terminal",
    ),
    // The generator sleeps until a row is due.
    (
        "std::thread",
        &["runtime/", "cli/generate.rs"],
        "threads belong to the runtime",
    ),
    (
        "thread::spawn",
        &["runtime/"],
        "threads belong to the runtime",
    ),
    (
        "std::fs",
        // The system tells in a file which signals it ignores, and how much memory is taken.
        &[
            "connect/",
            "cli/",
            "runtime/interrupt.rs",
            "runtime/room.rs",
        ],
        "files belong to connectors",
    ),
    (
        "fs::File",
        &["connect/", "cli/"],
        "files belong to connectors",
    ),
    (
        ".exists()",
        &["connect/", "cli/"],
        "files belong to connectors",
    ),
    (
        ".canonicalize()",
        &["connect/", "cli/"],
        "files belong to connectors",
    ),
    (
        ".is_file()",
        // They ask what was opened, which looks for nothing.
        &[
            "connect/",
            "cli/",
            "runtime/merge.rs",
            "session/sources/opening.rs",
        ],
        "files belong to connectors",
    ),
    ("std::net", &["connect/"], "sockets belong to connectors"),
    (
        "Instant::now",
        &["time/clock.rs", "cli/generate.rs"],
        "one file reads the clock",
    ),
    (
        "SystemTime::now",
        &["time/clock.rs"],
        "one file reads the clock",
    ),
    ("Utc::now", &["time/clock.rs"], "one file reads the clock"),
    ("Local::now", &["time/clock.rs"], "one file reads the clock"),
    ("println!", &["cli/", "main.rs"], "only the terminal prints"),
    (
        "eprintln!",
        &["cli/", "main.rs"],
        "only the terminal prints",
    ),
    (" print!", &["cli/", "main.rs"], "only the terminal prints"),
    ("dbg!", &[], "left over"),
    ("todo!", &[], "what the plan lets through runs"),
    ("unimplemented!", &[], "what the plan lets through runs"),
    (".unwrap()", &[], "`expect` states the invariant"),
    // What is there has a safe twin that tests compare it with.
    (
        "unsafe {",
        &[
            "format/json/marks.rs",
            "format/csv/structure.rs",
            "format/columns/text_column.rs",
            "exec/keys/texts.rs",
        ],
        "no unsafe code",
    ),
    ("unsafe fn", &[], "no unsafe code"),
    ("mpsc::channel", &[], "every channel is bounded"),
];

/// Says what is wrong, a line each.
type Check = fn() -> Vec<String>;

/// The tests of this file.
pub fn tests() -> Vec<Trial> {
    let checks: [(&str, Check); 6] = [
        ("module-docs", || complaints(module_docs)),
        ("lengths", || complaints(lengths)),
        ("directions", || complaints(directions)),
        ("fences", || complaints(fences)),
        ("one-arrow", one_arrow),
        ("no-machine", no_machine),
    ];
    let trial = |(name, check): (&str, Check)| {
        Trial::test(format!("tidy::{name}"), move || {
            let complaints = check();
            if complaints.is_empty() {
                Ok(())
            } else {
                Err(complaints.join("\n").into())
            }
        })
    };
    let own = Trial::test("harness::tidy", || {
        let source = Source::new(
            "exec/a.rs".to_string(),
            "let a = \"b // c\"; // d\n'\"' /* x */ \"\\\"y\" z\n",
        );
        assert_eq!(source.code, ["let a = \"\"; ", "'\"'  \"\" z"]);
        assert_eq!(
            names_after(
                "use crate::{data::Batch, exec}; crate::time::Unit",
                "crate::"
            ),
            ["data", "exec", "time"]
        );
        assert_eq!(lengths(&own_sample()), own_complaints());
        Ok(())
    });
    checks.into_iter().map(trial).chain([own]).collect()
}

/// Functions that are too long or have no end, and others.
fn own_sample() -> Source {
    let long = "        step();\n".repeat(FUNCTION_LINES);
    let text = format!(
        "impl A {{\n    \
             pub(in crate::exec) fn long(\n        &self,\n    ) {{\n{long}    }}\n\n    \
             pub unsafe fn too_long() {{\n{long}    }}\n\n    \
             fn declared(\n        &self,\n    ) -> B;\n    \
             pub(super) fn none() {{}}\n    \
             const fn endless() {{\n}}\n"
    );
    Source::new("exec/a.rs".to_string(), &text)
}

/// What is wrong with [`own_sample`].
fn own_complaints() -> [String; 3] {
    let long = FUNCTION_LINES + 4;
    let place = long + 3;
    let unsafe_long = FUNCTION_LINES + 2;
    let end = place + unsafe_long + 5;
    [
        format!("src/exec/a.rs:2: `long` has {long} lines, {FUNCTION_LINES} are allowed"),
        format!(
            "src/exec/a.rs:{place}: `too_long` has {unsafe_long} lines, {FUNCTION_LINES} are allowed"
        ),
        format!("src/exec/a.rs:{end}: where `endless` ends cannot be seen"),
    ]
}

/// A file of `src/`, prepared.
struct Source {
    /// Its path in `src/`.
    name: String,
    /// Its text.
    text: String,
    /// Its lines before the test module, without comments and texts.
    code: Vec<String>,
}

impl Source {
    fn new(name: String, text: &str) -> Source {
        let is_test = |line: &&str| line.starts_with("#[cfg(test)]");
        let end = text
            .split_inclusive('\n')
            .take_while(|line| !is_test(line))
            .map(str::len)
            .sum();
        let code = stripped(&text[..end]).lines().map(str::to_string).collect();
        Source {
            name,
            text: text.to_string(),
            code,
        }
    }

    fn folder(&self) -> &str {
        self.name.split_once('/').map_or("", |(folder, _)| folder)
    }
}

/// Code without comments, and with empty texts. Newlines stay.
fn stripped(text: &str) -> String {
    let mut code = String::new();
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if rest.starts_with("'\"'") || rest.starts_with("b'\"'") {
            code.push_str("'\"'");
            if rest.starts_with('b') { 4 } else { 3 }
        } else if let Some(hashes) = raw_text(rest) {
            let close = format!("\"{}", "#".repeat(hashes));
            let start = 2 + hashes;
            code.push_str("\"\"");
            rest[start..]
                .find(&close)
                .map_or(rest.len(), |end| start + end + close.len())
        } else if character == '"' {
            code.push_str("\"\"");
            end_of_text(rest)
        } else {
            code.push(character);
            character.len_utf8()
        };
        if length > 1 {
            code.extend(rest[..length].matches('\n'));
        }
        rest = &rest[length..];
    }
    code
}

/// The number of `#` of a raw text that begins here.
fn raw_text(text: &str) -> Option<usize> {
    let rest = text.strip_prefix('r')?;
    let hashes = rest.len() - rest.trim_start_matches('#').len();
    rest[hashes..].starts_with('"').then_some(hashes)
}

/// The length of the text in quotes that begins here.
fn end_of_text(text: &str) -> usize {
    let mut escaped = false;
    for (place, character) in text.char_indices().skip(1) {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return place + 1,
            _ => {}
        }
    }
    text.len()
}

/// What `check` says of every source.
fn complaints(check: fn(&Source) -> Vec<String>) -> Vec<String> {
    let folder = root().join("src");
    let mut files = Vec::new();
    find(&folder, &mut files);
    files.sort();
    let mut all = Vec::new();
    for path in files {
        let name = path
            .strip_prefix(&folder)
            .unwrap_or(&path)
            .display()
            .to_string();
        match fs::read_to_string(&path) {
            Ok(text) => all.extend(check(&Source::new(name, &text))),
            Err(error) => all.push(format!("src/{name}: {error}")),
        }
    }
    all
}

fn find(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            find(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

fn is_tests(source: &Source) -> bool {
    source.name.ends_with("/tests.rs") || source.name.contains("/tests/")
}

fn module_docs(source: &Source) -> Vec<String> {
    if is_tests(source) {
        return Vec::new();
    }
    let doc = source
        .text
        .lines()
        .next()
        .and_then(|line| line.strip_prefix("//! "));
    let is_sentence = doc.is_some_and(|doc| doc.len() > 20);
    let complaint = format!(
        "src/{}:1: begins without a `//!` sentence that says what it is for",
        source.name
    );
    if is_sentence {
        Vec::new()
    } else {
        vec![complaint]
    }
}

fn excused(file: &str, function: &str) -> bool {
    EXCEPTIONS
        .iter()
        .any(|(path, name, _)| (*path, *name) == (file, function))
}

fn lengths(source: &Source) -> Vec<String> {
    if is_tests(source) {
        return Vec::new();
    }
    let mut complaints = Vec::new();
    let name = &source.name;
    if source.code.len() > FILE_LINES && !excused(name, "") {
        complaints.push(format!(
            "src/{name}: {} lines, {FILE_LINES} are allowed",
            source.code.len()
        ));
    }
    for (number, line) in source.code.iter().enumerate() {
        let Some(function) = function_name(line) else {
            continue;
        };
        let place = number + 1;
        match function_lines(&source.code[number..]) {
            Some(length) if length > FUNCTION_LINES && !excused(name, function) => {
                complaints.push(format!(
                    "src/{name}:{place}: `{function}` has {length} lines, {FUNCTION_LINES} are allowed"
                ));
            }
            Some(_) => {}
            None => complaints.push(format!(
                "src/{name}:{place}: where `{function}` ends cannot be seen"
            )),
        }
    }
    complaints
}

/// How many lines the function has that begins with the first of these; 0 for a mere declaration. Formatted code: it
/// ends at the first `}` in its own column.
fn function_lines(code: &[String]) -> Option<usize> {
    let column = |line: &str| line.len() - line.trim_start().len();
    let indent = column(code.first()?);
    let mut own = code.iter().enumerate();
    own.find_map(|(number, line)| {
        if column(line) != indent {
            None
        } else if line.ends_with(';') {
            Some(0)
        } else {
            let is_end = line.trim() == "}" || number == 0 && line.ends_with('}');
            is_end.then_some(number + 1)
        }
    })
}

fn function_name(line: &str) -> Option<&str> {
    let mut rest = line.trim_start();
    if let Some(inside) = rest.strip_prefix("pub(") {
        rest = inside.split_once(") ")?.1;
    }
    for word in ["pub ", "const ", "async ", "unsafe ", "extern \"\" "] {
        rest = rest.strip_prefix(word).unwrap_or(rest);
    }
    rest.strip_prefix("fn ")?.split(['(', '<']).next()
}

/// The first names behind every `prefix`, also behind `prefix{…}`.
fn names_after<'a>(code: &'a str, prefix: &str) -> Vec<&'a str> {
    let name = |text: &'a str| {
        text.split(|c: char| !c.is_alphanumeric() && c != '_')
            .next()
    };
    let mut names = Vec::new();
    for (place, _) in code.match_indices(prefix) {
        let rest = &code[place + prefix.len()..];
        let Some(group) = rest.strip_prefix('{') else {
            names.extend(name(rest));
            continue;
        };
        let mut depth = 0;
        let mut at_name = true;
        for (place, character) in group.char_indices() {
            match character {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => at_name = true,
                c if at_name && !c.is_whitespace() => {
                    names.extend(name(&group[place..]));
                    at_name = false;
                }
                _ => {}
            }
        }
    }
    names
}

fn directions(source: &Source) -> Vec<String> {
    if is_tests(source) {
        return Vec::new();
    }
    let folder = source.folder();
    let Some((_, allowed)) = DIRECTIONS.iter().find(|(name, _)| *name == folder) else {
        let known = matches!(source.name.as_str(), "lib.rs" | "main.rs");
        let complaint = format!(
            "src/{}: the folder `{folder}` is not in the table of directions",
            source.name
        );
        return if known { Vec::new() } else { vec![complaint] };
    };
    // `crate::{` may go on over several lines.
    let code = source.code.join("\n");
    let mut used = names_after(&code, "crate::");
    used.sort_unstable();
    used.dedup();
    used.retain(|name| *name != folder && *name != "error" && !allowed.contains(name));
    used.retain(|name| DIRECTIONS.iter().any(|(folder, _)| folder == name));
    let complaint = |name: &str| {
        format!(
            "src/{}: {folder} must not use crate::{name} (allowed: {}, error)",
            source.name,
            allowed.join(", ")
        )
    };
    used.into_iter().map(complaint).collect()
}

fn fences(source: &Source) -> Vec<String> {
    if is_tests(source) {
        return Vec::new();
    }
    let mut complaints = Vec::new();
    for (number, line) in source.code.iter().enumerate() {
        for (name, places, why) in FENCES {
            let inside = places.iter().any(|place| source.name.starts_with(place));
            if !inside && line.contains(name) {
                let place = number + 1;
                complaints.push(format!(
                    "src/{}:{place}: `{}`: {why}",
                    source.name,
                    name.trim()
                ));
            }
        }
    }
    complaints
}

/// Two arrows in the tree would mean columns that do not fit each other.
fn one_arrow() -> Vec<String> {
    let lock = match fs::read_to_string(root().join("Cargo.lock")) {
        Ok(lock) => lock,
        Err(error) => return vec![format!("Cargo.lock: {error}")],
    };
    let lines: Vec<&str> = lock.lines().collect();
    let mut complaints = Vec::new();
    for name in [
        "arrow",
        "arrow-array",
        "arrow-schema",
        "sqlparser",
        "datafusion-common",
    ] {
        let wanted = format!("name = \"{name}\"");
        let versions: Vec<&str> = lines
            .windows(2)
            .filter(|pair| pair[0] == wanted)
            .map(|pair| pair[1])
            .collect();
        if versions.len() != 1 {
            complaints.push(format!(
                "Cargo.lock: {name} should be there once: {versions:?}"
            ));
        }
    }
    complaints
}

/// Nothing that is checked in names the machine it was written on.
fn no_machine() -> Vec<String> {
    let listed = Command::new("git")
        .args(["ls-files", "-z"])
        .current_dir(root())
        .output();
    let files = match listed {
        Ok(output) if output.status.success() => {
            String::from_utf8_lossy(&output.stdout).into_owned()
        }
        // A source package has no history to ask.
        _ => return Vec::new(),
    };
    let homes = [
        concat!("/wo", "rk/"),
        concat!("/ro", "ot/"),
        concat!("/ho", "me/"),
    ];
    let mut complaints = Vec::new();
    for file in files.split_terminator('\0') {
        let bytes = fs::read(root().join(file)).unwrap_or_default();
        for (number, line) in String::from_utf8_lossy(&bytes).lines().enumerate() {
            if homes.iter().any(|home| line.contains(home)) {
                complaints.push(format!(
                    "{file}:{}: names a path of a machine: {}",
                    number + 1,
                    line.trim()
                ));
            }
        }
    }
    complaints
}
