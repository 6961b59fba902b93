//! What tests expect: what holds of an outcome, and what comes sooner or later.

use std::fmt::Display;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::program::{Live, Outcome};

/// Nothing that is waited for takes longer.
const PATIENCE: Duration = Duration::from_secs(60);

/// An error in words.
pub fn text<E: Display>(error: E) -> String {
    error.to_string()
}

/// Whether something holds of an outcome, which is shown where it does not.
pub fn check(what: &str, holds: bool, outcome: &Outcome) -> Result<(), String> {
    let stdout = String::from_utf8_lossy(&outcome.stdout);
    match holds {
        true => Ok(()),
        false => Err(format!(
            "{what}\nexit code {}\nstdout:\n{stdout}stderr:\n{}",
            outcome.code, outcome.stderr
        )),
    }
}

/// Waits until `find` finds something.
pub fn until<T>(what: &str, mut find: impl FnMut() -> Option<T>) -> Result<T, String> {
    let began = Instant::now();
    loop {
        if let Some(found) = find() {
            return Ok(found);
        }
        if began.elapsed() > PATIENCE {
            return Err(format!("nothing of `{what}` within {PATIENCE:?}"));
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Sends a signal to a process that the test started.
pub fn send(id: i32, signal: i32) -> Result<(), String> {
    let mut kill = Command::new("bash");
    kill.args(["-c", &format!("kill -{signal} {id}")]);
    let status = kill.status().map_err(text)?;
    match status.success() {
        true => Ok(()),
        false => Err(format!("signal {signal}: {status}")),
    }
}

/// Ends a process by SIGTERM.
pub fn terminated(live: Live) -> Result<Outcome, String> {
    send(live.id(), libc::SIGTERM)?;
    let outcome = live.finish();
    check("ended by SIGTERM", outcome.code == 143, &outcome)?;
    Ok(outcome)
}
