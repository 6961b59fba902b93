//! Commands that show how the session stands: its settings and where they come from, what was counted.

use super::{Call, Next, Prompt};
use crate::data::print::number::thousands;
use crate::error::{Error, Result};
use crate::runtime::Summary;

/// `.show`
pub fn show(prompt: &mut Prompt<'_>, call: Call<'_>) -> Result<Next> {
    let on = |is_on: bool| String::from(if is_on { "on" } else { "off" });
    let view = &prompt.view;
    let output = match &view.output {
        Some(path) => path.display().to_string(),
        None => String::from("stdout"),
    };
    let options = prompt.session.options().shown();
    let mut settings: Vec<(&str, String)> = options.collect();
    settings.push(("mode", view.mode_name().to_owned()));
    settings.push(("output", output));
    settings.push(("timer", on(view.timer)));
    let wanted = call.argument.to_ascii_lowercase().replace('_', "-");
    let names: Vec<&str> = settings.iter().map(|(name, _)| *name).collect();
    if !wanted.is_empty() && !names.contains(&wanted.as_str()) {
        return Err(
            Error::usage(format!("there is no setting `{}`", call.argument))
                .suggest(&wanted, names)
                .help("`.show` lists the settings"),
        );
    }
    settings.retain(|(name, _)| wanted.is_empty() || *name == wanted);
    let width = |texts: &mut dyn Iterator<Item = usize>| texts.max().unwrap_or(0);
    let names = width(&mut settings.iter().map(|(name, _)| name.len()));
    let values = width(&mut settings.iter().map(|(_, value)| value.chars().count()));
    let mut text = String::new();
    for (name, value) in &settings {
        let origin = prompt.origin_of(name);
        text += &format!("{name:names$}  {value:values$}  {origin}\n");
    }
    prompt.answer(&text)?;
    Ok(Next::Go)
}

/// `.status`
pub fn status(prompt: &mut Prompt<'_>, _: Call<'_>) -> Result<Next> {
    let text = format!("last statement: {}\n", counts(&prompt.counted));
    prompt.answer(&text)?;
    Ok(Next::Go)
}

/// What a statement has counted, what is 0 left out.
fn counts(summary: &Summary) -> String {
    let mut text = format!(
        "rows read: {}, rows out: {}",
        thousands(summary.rows_read),
        thousands(summary.rows_out)
    );
    for (what, count) in [
        ("late", summary.late),
        ("partly late", summary.partly_late),
        ("untimed", summary.untimed),
        ("rejected", summary.rejected),
        ("expression errors", summary.failed_expressions()),
        ("open windows or totals", summary.open_windows),
    ] {
        if count > 0 {
            text += &format!(", {what}: {}", thousands(count));
        }
    }
    text
}
