//! `.help`: the commands, or a topic with an example that runs.

use std::fmt::Write;

use super::{COMMANDS, Call, Command, Next, Prompt, command_named};
use crate::error::{Error, Result};
use crate::functions;

/// Something to read about.
pub struct Topic {
    /// What it is called.
    pub name: &'static str,
    /// What it is, in one line.
    about: &'static str,
    /// What there is to know.
    text: &'static str,
    /// Statements that run as they are.
    pub example: &'static str,
}

/// All topics, in the order of the list.
pub const TOPICS: &[Topic] = &[
    Topic {
        name: "tumble",
        about: "windows one after the other",
        text: "\
TUMBLE(table, time, size) gives each row the window that it falls into; grouped
by window_start, each window is a row, out as soon as it is complete.",
        example: "\
SELECT window_start, count(*) AS requests, avg(status >= 500) AS error_rate
FROM TUMBLE(example, ts, '15s') GROUP BY window_start;",
    },
    Topic {
        name: "hop",
        about: "windows that overlap",
        text: "\
HOP(table, time, slide, size) makes a window of a size at every slide: a row is
in several.",
        example: "\
SELECT window_end, p95(latency_ms) AS p95_ms
FROM HOP(example, ts, '10s', '30s') GROUP BY window_end LIMIT 4;",
    },
    Topic {
        name: "session",
        about: "rows that follow one another closely",
        text: "\
SESSION(table PARTITION BY key, time, gap): a window goes on as long as the next
row of its key is at most the gap away.",
        example: "\
SELECT user, window_start, count(*) AS requests
FROM SESSION(TABLE example PARTITION BY user, DESCRIPTOR(ts), '2 seconds')
GROUP BY user, window_start, window_end HAVING count(*) > 150;",
    },
    Topic {
        name: "cumulate",
        about: "windows that grow",
        text: "\
CUMULATE(table, time, step, size): at every step what has come since the window
began, up to its size.",
        example: "\
SELECT window_start, window_end, count(*) AS requests
FROM CUMULATE(example, ts, '10s', '30s')
GROUP BY window_start, window_end LIMIT 4;",
    },
    Topic {
        name: "late",
        about: "how long a window waits",
        text: "\
A window is out when a row comes that is later than its end by the delay (5 s).
Rows that come behind it are left out, counted and told. A longer delay keeps
more and waits longer.",
        example: "\
SET delay = '0s';
SELECT window_start, count(*) AS requests
FROM TUMBLE(example, ts, '20s') GROUP BY window_start;
SET delay = '5s';",
    },
    Topic {
        name: "tables",
        about: "what FROM reads",
        text: "\
A path, a pattern or an address in single quotes is a table: 'app.log',
'logs/*.csv.gz', 'tcp-listen://:9000'. FILEs behind `tumble` are the table
`input`. CREATE TABLE and CREATE VIEW give names.",
        example: "\
CREATE OR REPLACE VIEW failed AS
SELECT ts, host, path, status FROM example WHERE status >= 500;
SELECT host, count(*) AS n FROM failed GROUP BY host ORDER BY n DESC;",
    },
    Topic {
        name: "output",
        about: "where results go",
        text: "\
`.mode` chooses how results are shown. `.once FILE` and `.output FILE` write
them to a file, whose ending decides the format; so does INSERT INTO 'FILE'.",
        example: "\
.mode markdown
SELECT status, count(*) AS n FROM example
GROUP BY status ORDER BY n DESC LIMIT 3;",
    },
    Topic {
        name: "keys",
        about: "what keys do",
        text: "\
Tab             goes on with what was begun: words, tables, columns, files
Enter           runs what has its `;`, else the next line begins
Ctrl-C          drops what was typed; cancels the statement that runs
Ctrl-\\          while a statement runs: tells how it stands
Ctrl-D          leaves, on an empty line
Up, Ctrl-R      what was typed before
Up              on an empty line within a statement: edits all of its lines",
        example: "",
    },
];

/// `.help`
pub fn help(prompt: &mut Prompt<'_>, call: Call<'_>) -> Result<Next> {
    let text = match call.argument {
        "" => overview(),
        topic => about(topic)?,
    };
    prompt.answer(&text)?;
    Ok(Next::Go)
}

fn overview() -> String {
    let heads: Vec<String> = COMMANDS.iter().map(head).collect();
    let width = heads.iter().map(String::len).max().unwrap_or(0);
    let mut text = String::new();
    for (head, command) in heads.iter().zip(COMMANDS) {
        let spellings: Vec<&str> = (command.spellings.iter())
            .filter(|spelling| spelling.starts_with('\\'))
            .copied()
            .collect();
        let _ = writeln!(
            text,
            "{head:width$}  {:7}  {}",
            spellings.join(" "),
            command.help
        );
    }
    text += "\nCtrl-C cancels a statement that runs, Ctrl-\\ tells how it stands.\n";
    text += "Topics, each with an example that runs on the table `example`:\n";
    for topic in TOPICS {
        let _ = writeln!(text, "  .help {:9} {}", topic.name, topic.about);
    }
    text += "  .help NAME      a function or a command\n";
    text
}

fn head(command: &Command) -> String {
    format!("{} {}", command.name, command.arguments)
        .trim_end()
        .to_owned()
}

fn about(topic: &str) -> Result<String> {
    if let Some(found) = TOPICS
        .iter()
        .find(|known| known.name.eq_ignore_ascii_case(topic))
    {
        let example = match found.example {
            "" => String::new(),
            example => format!("\n{example}\n"),
        };
        return Ok(format!("{}\n{example}", found.text));
    }
    let command = command_named(topic).or_else(|| command_named(&format!(".{topic}")));
    if let Some(command) = command {
        let others = match command.spellings {
            [] => String::new(),
            some => format!(" (also {})", some.join(", ")),
        };
        return Ok(format!("{}{others}: {}\n", head(command), command.help));
    }
    let signatures = functions::signatures();
    let found = signatures
        .iter()
        .find(|known| known.name.eq_ignore_ascii_case(topic));
    if let Some(found) = found {
        return Ok(format!("{}\n{}.\n", found.call, found.about));
    }
    let topics = TOPICS.iter().map(|known| known.name);
    let commands = COMMANDS.iter().map(|known| known.name);
    let names = signatures.iter().map(|known| known.name.as_str());
    Err(Error::usage(format!("there is no help on `{topic}`"))
        .suggest(topic, topics.chain(commands).chain(names))
        .help("`.help` lists commands and topics"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_topic_and_command_has_its_help() {
        for topic in TOPICS {
            assert!(about(topic.name).unwrap().contains(topic.text));
            assert!(overview().contains(topic.about));
        }
        for command in COMMANDS {
            assert!(about(command.name).unwrap().contains(command.help));
            assert!(overview().contains(command.help));
        }
        assert!(about("quantile").unwrap().starts_with("quantile(x, q)\n"));
        let error = about("tmuble").unwrap_err();
        assert_eq!(error.label_text(), Some("did you mean `tumble`?"));
    }

    #[test]
    fn help_fits_a_terminal() {
        let topics = TOPICS.iter().map(|topic| about(topic.name).unwrap());
        let all = topics.chain([overview()]);
        for line in all.collect::<String>().lines() {
            assert!(line.chars().count() <= 80, "{line}");
        }
    }
}
