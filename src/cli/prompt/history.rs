//! The entries of earlier sessions, in a file that only the user reads.
//!
//! Invariants: an entry of several lines is one entry; each is written as soon as it was typed, behind what other
//! prompts have written in the meantime; where the file cannot be written, the prompt does without it and says so
//! once.

use std::ffi::OsString;
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;

use rustyline::Editor;
use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;

use super::helper::Helper;
use crate::cli::messages::Warning;
use crate::connect::Reason;

/// Where entries are kept, if anywhere.
pub struct HistoryFile(Option<PathBuf>);

impl HistoryFile {
    /// Reads the entries of earlier sessions into the editor; what cannot be read is not there.
    pub fn open(editor: &mut Editor<Helper, FileHistory>) -> Self {
        let path = path(|name| std::env::var_os(name));
        if let Some(path) = &path {
            // The first session has no file yet.
            let loaded = editor.load_history(path);
            drop(loaded);
        }
        HistoryFile(path)
    }

    /// Adds an entry. Where it cannot be written, says so, and tries no more.
    pub fn add(
        &mut self,
        editor: &mut Editor<Helper, FileHistory>,
        entry: &str,
    ) -> Option<Warning> {
        // What is in memory fails for nobody.
        let is_new = editor.add_history_entry(entry).unwrap_or(false);
        let path = self.0.as_ref().filter(|_| is_new)?;
        if let Some(folder) = path.parent() {
            let mut builder = std::fs::DirBuilder::new();
            // Whether it is there shows when the file is written.
            drop(builder.recursive(true).mode(0o700).create(folder));
        }
        let error = editor.append_history(path).err()?;
        let why = match &error {
            ReadlineError::Io(error) => Reason(error).to_string(),
            error => error.to_string(),
        };
        let what = format!(
            "the history is not kept: cannot write {}: {why}",
            path.display()
        );
        self.0 = None;
        Some(Warning::new(what))
    }
}

/// `$XDG_STATE_HOME/tumble/history`, else below `~/.local/state`.
fn path(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let folder = |name: &str| variable(name).map(PathBuf::from);
    let state = folder("XDG_STATE_HOME")
        .filter(|path| path.is_absolute())
        .or_else(|| Some(folder("HOME")?.join(".local/state")))?;
    Some(state.join("tumble/history"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_is_that_of_xdg() {
        let check = |variables: &[(&str, &str)], expected: Option<&str>| {
            let find = |name: &str| {
                let found = variables.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| OsString::from(value))
            };
            assert_eq!(path(find), expected.map(PathBuf::from));
        };
        check(&[], None);
        check(&[("HOME", "/h")], Some("/h/.local/state/tumble/history"));
        check(
            &[("HOME", "/h"), ("XDG_STATE_HOME", "/s")],
            Some("/s/tumble/history"),
        );
        check(
            &[("HOME", "/h"), ("XDG_STATE_HOME", "s")],
            Some("/h/.local/state/tumble/history"),
        );
    }
}
