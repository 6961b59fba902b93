//! `tumble man`: the manual page, made from the definition of the flags.
//!
//! ```text
//!  NAME  SYNOPSIS  DESCRIPTION        texts
//!  ARGUMENTS  WHAT TO RUN  INPUT  …   the flags, by their headings
//!  COMMANDS  EXIT STATUS  …           texts, and the names of variables
//! ```

use std::ffi::OsString;
use std::io;

use clap::{ArgAction, Command, CommandFactory, Parser};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use super::super::args::{Args, EXAMPLES};
use super::super::exit;
use super::super::generate::GenerateArgs;
use crate::error::{Error, Result};

/// Print the manual page, in the language of man.
#[derive(Debug, Parser)]
#[command(
    name = "tumble man",
    disable_help_flag = true,
    max_term_width = 100,
    after_help = "To read it:\n  tumble man | man -l -\nTo install it:\n  tumble man > ~/.local/share/man/man1/tumble.1"
)]
pub(super) struct ManArgs {
    /// Show this help
    #[arg(short, long, action = ArgAction::HelpShort)]
    help: Option<bool>,
}

const DESCRIPTION: &str = "\
tumble runs SQL over data that is still arriving: log lines, sensor readings, orders, anything that a shell can pipe. \
It cuts the rows into windows of time and prints each window the moment it is complete.

The first argument is SQL, the others are files. They are the table `input`; without files, `stdin` is what is piped \
in. A path or an address in quotes is a table, too. Format, columns, types and the column that holds the time are \
guessed from the first records; --describe shows the guess as the CREATE TABLE that says it.

A row counts in the window of the time that stands in it, not of the moment it was read. A window is printed when a \
row has come that is --delay past its end; what comes for it afterwards is late: left out, counted and told, and kept \
in a file with --late. The end of input closes all windows.

Rows go to standard output, everything else to standard error. What comes out is a function of the query, the flags \
and the bytes that came in: neither the speed of the input nor the number of threads changes it.";

const COMMANDS: [(&str, &str); 4] = [
    (
        "tumble generate NAME",
        "Make sample data: access-log, sensors or orders; the same bytes on every machine.",
    ),
    (
        "tumble examples [RECIPE]",
        "Print the cookbook, or the recipe of that name or number; `list` names them all.",
    ),
    ("tumble man", "Print this page."),
    (
        "tumble completions SHELL",
        "Print a script with which bash, zsh, fish, powershell or elvish complete flags and their values.",
    ),
];

/// The page.
///
/// # Errors
/// Of the kind `Usage` for further words.
pub(super) fn print(words: Vec<OsString>) -> Result<String> {
    super::read(words, |_: &ManArgs| {
        let mut page = Vec::new();
        write_page(&mut page).map_err(|error| Error::outside("cannot make the page", error))?;
        Ok(String::from_utf8_lossy(&page).into_owned())
    })
}

fn write_page(page: &mut Vec<u8>) -> io::Result<()> {
    let command = Args::command();
    let variables = variables(&command);
    let man = Man::new(command.long_about(DESCRIPTION)).manual("User Commands");
    man.render_title(page)?;
    man.render_name_section(page)?;
    man.render_synopsis_section(page)?;
    man.render_description_section(page)?;
    man.render_options_section(page)?;
    let mut words = Roff::new();
    section(
        &mut words,
        "COMMANDS",
        "These stand in front of everything else.",
    );
    items(&mut words, &COMMANDS);
    words.to_writer(page)?;
    let generate = GenerateArgs::command().mut_args(|arg| arg.help_heading("Options of generate"));
    Man::new(generate).render_options_section(page)?;
    rest(&variables).to_writer(page)
}

/// What stands behind the flags.
fn rest(variables: &str) -> Roff {
    let mut page = Roff::new();
    section(
        &mut page,
        "EXIT STATUS",
        "A script learns from it how the run ended.",
    );
    items(&mut page, &exit::MEANINGS);
    section(
        &mut page,
        "ENVIRONMENT",
        "These count as the flags of their names, which come before them. Yes and no are 1 and 0.",
    );
    page.control("PP", []);
    page.text([roman(variables)]);
    section(&mut page, "FILES", "");
    let config = "Formats of logs of your own, each a regular expression with a name; left out with -X. $XDG_CONFIG_HOME \
                  takes the place of ~/.config.";
    items(&mut page, &[("~/.config/tumble/config.toml", config)]);
    section(&mut page, "EXAMPLES", "");
    page.control("nf", []);
    for line in EXAMPLES.lines().skip(1) {
        page.text([roman(line.trim_start())]);
    }
    page.control("fi", []);
    page.control("PP", []);
    page.text([bold("tumble examples"), roman(" prints many more.")]);
    page
}

fn section(page: &mut Roff, heading: &str, text: &str) {
    page.control("SH", [heading]);
    if !text.is_empty() {
        page.text([roman(text)]);
    }
}

fn items(page: &mut Roff, items: &[(&str, &str)]) {
    for (term, meaning) in items {
        page.control("TP", []);
        page.text([bold(*term)]);
        page.text([roman(*meaning)]);
    }
}

fn variables(command: &Command) -> String {
    let names = command.get_arguments().filter_map(|arg| arg.get_env());
    let names: Vec<String> = names
        .map(|name| name.to_string_lossy().into_owned())
        .collect();
    names.join(", ")
}
