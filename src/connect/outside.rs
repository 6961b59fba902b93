//! What a sink is told of the world, in which it has no clock and hears no signals.

use std::time::Duration;

/// How often to look whether the user wants to stop.
pub(super) const SLICE: Duration = Duration::from_millis(50);

/// How long a sink that takes nothing more may keep somebody waiting who wants to stop.
const GRACE: Duration = Duration::from_millis(500);

/// What a sink knows of the world.
pub trait Outside: Send {
    /// The time since some fixed moment.
    fn now(&self) -> Duration;

    /// True once the user wants to stop.
    fn is_stopped(&self) -> bool;

    /// True if what is still to be written is wanted all the same, for as long as it is taken.
    fn is_patient(&self) -> bool;
}

/// How long writing goes on when the user wants to stop.
#[derive(Debug, Default)]
pub(super) struct Grace {
    stopped_at: Option<Duration>,
}

impl Grace {
    /// True if it is over.
    pub(super) fn is_over(&mut self, outside: &dyn Outside) -> bool {
        if !outside.is_stopped() {
            return false;
        }
        let stopped_at = *self.stopped_at.get_or_insert_with(|| outside.now());
        outside.now().saturating_sub(stopped_at) >= GRACE
    }

    /// Something was taken.
    pub(super) fn progressed(&mut self, outside: &dyn Outside) {
        if outside.is_patient() {
            self.stopped_at = None;
        }
    }
}
