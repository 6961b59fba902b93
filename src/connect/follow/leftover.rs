//! Tells what is written to a file that is no longer read: one that was left within a line, as another took its name.
//!
//! ```text
//!   app.log     [ 1⏎2⏎{"n": ]        rotated: its half record ends with it, and is a reject
//!                            3}⏎4⏎   the old writer goes on: not read, and told
//! ```
//!
//! Invariant: of each file it is told once.

use std::sync::Arc;
use std::time::Duration;

use super::incarnation::Incarnation;
use super::trail::LINGER;

/// The files that were left, and when.
#[derive(Debug, Default)]
pub(super) struct Leftovers(Vec<(Arc<Incarnation>, Duration)>);

impl Leftovers {
    /// Looks after a file that was left now, if its end cut a line.
    pub(super) fn add(&mut self, incarnation: &Arc<Incarnation>, now: Duration) {
        if incarnation.is_leaving() && !incarnation.ends_with_line() {
            self.0.push((Arc::clone(incarnation), now));
        }
    }

    /// What is to be said of those that have been written to since.
    pub(super) fn tell(&mut self, now: Duration) -> Vec<String> {
        let mut told = Vec::new();
        self.0.retain(|(incarnation, left)| {
            let unread_bytes = incarnation.unread_bytes();
            if unread_bytes > 0 {
                told.push(format!(
                    "`{}` was rotated within a line: what is still written to the old file is not read, {unread_bytes} B so far",
                    incarnation.path
                ));
            }
            unread_bytes == 0 && now.saturating_sub(*left) < LINGER
        });
        told
    }
}
