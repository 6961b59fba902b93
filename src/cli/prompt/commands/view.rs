//! Commands that choose how and where results are shown.

use std::path::{Path, PathBuf};

use super::{Call, Next, Prompt};
use crate::cli::display::{self, FORMATS};
use crate::cli::origin::Origin;
use crate::connect::Reason;
use crate::error::{Error, Result};

/// `.mode`, and `\x`, which turns `line` on and off.
pub fn mode(prompt: &mut Prompt<'_>, call: Call<'_>) -> Result<Next> {
    if call.name == "\\x" {
        let is_line = prompt.view.mode.is_some_and(|mode| mode.name == "line");
        let on = match call.argument {
            "" => !is_line,
            argument => is_on(call, argument)?,
        };
        let line = display::format_named("line")?;
        prompt.view.mode = on.then_some(line);
        prompt.chosen("mode", Origin::Command);
        prompt.answer(&format!("mode: {}\n", prompt.view.mode_name()))?;
        return Ok(Next::Go);
    }
    if call.argument.is_empty() {
        let width = FORMATS.iter().map(|format| format.name.len()).max();
        let width = width.unwrap_or(0);
        let mut text = format!("mode: {}\n", prompt.view.mode_name());
        for format in FORMATS {
            text += &format!("  {:width$}  {}\n", format.name, format.help);
        }
        prompt.answer(&text)?;
        return Ok(Next::Go);
    }
    let format = display::format_named(call.argument)?;
    if format.is_binary && prompt.view.output.is_none() {
        let ending = format.extensions.first().unwrap_or(&format.name);
        return Err(
            Error::usage(format!("{} is not for a terminal", format.name)).help(format!(
                "`.once FILE.{ending}` writes the next result to a file"
            )),
        );
    }
    prompt.view.mode = Some(format);
    prompt.chosen("mode", Origin::Command);
    Ok(Next::Go)
}

/// `.output`
pub fn output(prompt: &mut Prompt<'_>, call: Call<'_>) -> Result<Next> {
    let is_stdout = call.argument.is_empty() || call.argument == "-";
    let file = if is_stdout {
        None
    } else {
        Some(writable(call)?)
    };
    prompt.send_to(file)?;
    prompt.chosen("output", Origin::Command);
    Ok(Next::Go)
}

/// `.once`
pub fn once(prompt: &mut Prompt<'_>, call: Call<'_>) -> Result<Next> {
    call.needs("FILE")?;
    prompt.view.once = Some(writable(call)?);
    Ok(Next::Go)
}

/// The path behind a command, whose folder is there: the file itself is made with the first result.
fn writable(call: Call<'_>) -> Result<PathBuf> {
    let path = call.path();
    let folder = path.parent().filter(|folder| *folder != Path::new(""));
    match folder.map_or(Ok(()), |folder| std::fs::metadata(folder).map(drop)) {
        Ok(()) => Ok(path),
        Err(error) => {
            let what = format!("cannot write {}", path.display());
            Err(Error::outside(what, Reason(&error)))
        }
    }
}

/// `.timer`
pub fn timer(prompt: &mut Prompt<'_>, call: Call<'_>) -> Result<Next> {
    prompt.view.timer = match call.argument {
        "" => !prompt.view.timer,
        argument => is_on(call, argument)?,
    };
    prompt.chosen("timer", Origin::Command);
    if call.argument.is_empty() {
        let now = if prompt.view.timer { "on" } else { "off" };
        prompt.answer(&format!("timer: {now}\n"))?;
    }
    Ok(Next::Go)
}

fn is_on(call: Call<'_>, argument: &str) -> Result<bool> {
    match argument.to_ascii_lowercase().as_str() {
        "on" | "true" | "yes" | "1" => Ok(true),
        "off" | "false" | "no" | "0" => Ok(false),
        _ => Err(
            Error::usage(format!("`{}` takes on or off, not `{argument}`", call.name))
                .suggest(argument, ["on", "off"])
                .help(format!(
                    "write `{name} on` or `{name} off`",
                    name = call.name
                )),
        ),
    }
}
