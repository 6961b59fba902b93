//! Commands that reach the machine: files with statements, the editor, the shell.

use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, ExitStatus};

use super::{Call, Next, Prompt};
use crate::cli::origin::Origin;
use crate::connect::Reason;
use crate::error::{Error, Result};

/// `.read`
pub fn read(prompt: &mut Prompt<'_>, call: Call<'_>) -> Result<Next> {
    call.needs("FILE")?;
    prompt.run_file(&call.path(), Origin::File)
}

/// `.edit`: what comes out of the editor is the next line, to be looked at and sent with Enter.
pub fn edit(prompt: &mut Prompt<'_>, call: Call<'_>) -> Result<Next> {
    let refused = |what: &str, error: std::io::Error| Error::outside(what, Reason(&error));
    let edited = if call.argument.is_empty() {
        let file = tempfile::Builder::new()
            .prefix("tumble-")
            .suffix(".sql")
            .tempfile();
        let file = file.map_err(|error| refused("cannot make a file to edit", error))?;
        let written = std::fs::write(file.path(), format!("{}\n", prompt.last_entry));
        written.map_err(|error| refused("cannot write the file to edit", error))?;
        edit_file(prompt, file.path())?;
        std::fs::read_to_string(file.path())
    } else {
        edit_file(prompt, &call.path())?;
        std::fs::read_to_string(call.path())
    };
    let edited = edited.map_err(|error| refused("cannot read what was edited", error))?;
    prompt.type_next(edited.trim_end())
}

fn edit_file(prompt: &mut Prompt<'_>, path: &Path) -> Result<()> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let editor = set("VISUAL").or_else(|| set("EDITOR"));
    let editor = editor.unwrap_or_else(|| OsString::from("vi"));
    // It may be a command with arguments, as for git.
    let mut script = editor.clone();
    script.push(" \"$1\"");
    let mut command = Command::new("sh");
    command.arg("-c").arg(script).arg("sh").arg(path);
    let status = run(prompt, &mut command)?;
    if status.success() {
        return Ok(());
    }
    Err(
        Error::outside(format!("cannot edit with `{}`", editor.display()), status)
            .help("$VISUAL or $EDITOR names the editor"),
    )
}

/// `.shell`
pub fn shell(prompt: &mut Prompt<'_>, call: Call<'_>) -> Result<Next> {
    let shell = std::env::var_os("SHELL").filter(|shell| !shell.is_empty());
    let mut command = Command::new(shell.unwrap_or_else(|| OsString::from("sh")));
    if !call.argument.is_empty() {
        command.arg("-c").arg(call.argument);
    }
    let status = run(prompt, &mut command)?;
    if !status.success() && !call.argument.is_empty() {
        prompt.answer(&format!("{status}\n"))?;
    }
    Ok(Next::Go)
}

/// Runs a program that has the terminal for itself.
fn run(prompt: &mut Prompt<'_>, command: &mut Command) -> Result<ExitStatus> {
    let status = command.status().map_err(|error| {
        let program = command.get_program().display().to_string();
        Error::outside(format!("cannot run `{program}`"), Reason(&error))
    });
    // Ctrl-C there was none for us.
    prompt.interrupts.begin_line();
    status
}
