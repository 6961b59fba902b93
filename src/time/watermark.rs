//! How the watermark follows the rows: newest time minus delay, with jumps into the future held back.
//!
//! ```text
//!  delay 5 s, max jump 1 day            newest m   held h     watermark before the row
//!  12:00:03                             12:00:03   -          -infinity
//!  12:00:09                             12:00:09   -          11:59:58
//!  2038-01-19 (a broken clock)          12:00:09   2038-…     12:00:04     reported as a jump
//!  12:00:10                             12:00:10   2038-…     12:00:04
//! ```
//!
//! One row from the future must not close every window, so a row more than the largest jump ahead is held
//! until a second one agrees with it. The first row has nothing to be compared with: if the second is more
//! than a jump *older*, the two change places and the first is the one that is held.
//!
//! Invariants: depends on the order of the rows alone. The watermark never goes back but for that one
//! exchange, which can happen only at the second row. Plain data of a few words: it is handed from block
//! to block by copying.

/// The watermark of one input between two rows. Times are in the unit of the time column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WatermarkState {
    delay: i64,
    max_jump: Option<i64>,
    newest: Option<i64>,
    held: Option<i64>,
    first: First,
    mover: u64,
    /// Where the clock has brought the watermark while nothing came.
    floor: i64,
}

/// How far the input is; the exchange is possible at its second row only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum First {
    /// No row yet.
    Awaited,
    /// One row, at this position.
    Alone(u64),
    /// Two rows or more.
    Past,
}

/// What a row did to the watermark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Observed {
    /// The watermark that the row is tested against: that of the rows before it.
    pub before: i64,
    /// The row that is held back because of it, if any: its position and time.
    pub jump: Option<(u64, i64)>,
    /// True if the row is the second and took the place of the first: `before` is lower than the watermark
    /// after the first row was.
    pub exchanged: bool,
}

impl WatermarkState {
    /// The state before the first row. `max_jump` of `None` lets every row move the watermark.
    pub fn new(delay: i64, max_jump: Option<i64>) -> Self {
        WatermarkState {
            delay,
            max_jump,
            newest: None,
            held: None,
            first: First::Awaited,
            mover: 0,
            floor: i64::MIN,
        }
    }

    /// The watermark now; `i64::MIN` before the first row, never `i64::MAX` (that is the end of input).
    pub fn watermark(&self) -> i64 {
        self.newest
            .map_or(i64::MIN, |newest| self.watermark_behind(newest))
            .max(self.floor)
    }

    /// Moves the watermark to the newest time and `passed` beyond, though no row came; nothing before the first
    /// row. That may be the only one: it is believed then.
    pub fn go_on(&mut self, passed: i64) {
        if let Some(newest) = self.newest {
            let to = newest.saturating_add(passed).min(i64::MAX - 1);
            self.floor = self.floor.max(to);
            self.first = First::Past;
        }
    }

    fn watermark_behind(&self, newest: i64) -> i64 {
        newest.saturating_sub(self.delay).min(i64::MAX - 1)
    }

    /// The newest accepted time, `None` before the first row.
    pub fn newest(&self) -> Option<i64> {
        self.newest
    }

    /// The time that is held back, if any.
    pub fn held(&self) -> Option<i64> {
        self.held
    }

    /// The position of the row that moved the watermark to where it is; 0 before the first row.
    pub fn mover(&self) -> u64 {
        self.mover
    }

    /// True while the next row may still lower the watermark by changing places with the first.
    pub fn may_exchange(&self) -> bool {
        self.max_jump.is_some() && !matches!(self.first, First::Past)
    }

    /// Takes the time of the next timed row, which stands at `position`.
    pub fn observe(&mut self, time: i64, position: u64) -> Observed {
        let mut observed = Observed {
            before: self.watermark(),
            jump: None,
            exchanged: false,
        };
        let Some(newest) = self.newest else {
            self.newest = Some(time);
            self.mover = position;
            self.first = First::Alone(position);
            return observed;
        };
        let first = std::mem::replace(&mut self.first, First::Past);
        let Some(max_jump) = self.max_jump else {
            self.accept(newest.max(time), position);
            return observed;
        };
        if let First::Alone(first) = first
            && newest > time.saturating_add(max_jump)
        {
            self.newest = Some(time);
            self.mover = position;
            self.held = Some(newest);
            observed.before = self.watermark();
            observed.jump = Some((first, newest));
            observed.exchanged = true;
            return observed;
        }
        if time <= newest.saturating_add(max_jump) {
            self.accept(newest.max(time), position);
        } else if let Some(held) = self.held {
            self.held = Some(held.max(time));
            self.accept(held.min(time), position);
            if self.held == Some(time) && held != time {
                observed.jump = Some((position, time));
            }
        } else {
            self.held = Some(time);
            observed.jump = Some((position, time));
        }
        observed
    }

    /// Takes the times and positions of timed rows as long as nothing is out of the ordinary, and returns how
    /// many that are: the row behind them must go to [`observe`](Self::observe). `before` gets the watermark
    /// before each row, `trail` each watermark that a row moves it to, with the row's position.
    pub fn observe_run(
        &mut self,
        times: &[i64],
        positions: &[u64],
        before: &mut Vec<i64>,
        trail: &mut Vec<(i64, u64)>,
    ) -> usize {
        let (Some(mut newest), First::Past, None) = (self.newest, self.first, self.held) else {
            return 0;
        };
        let limit = |newest: i64| match self.max_jump {
            Some(max_jump) => newest.saturating_add(max_jump),
            None => i64::MAX,
        };
        let (mut highest, mut now) = (limit(newest), self.watermark());
        let (mut taken, mut mover) = (0, self.mover);
        for (&time, &position) in times.iter().zip(positions) {
            if time > highest {
                break;
            }
            before.push(now);
            if time > newest {
                newest = time;
                highest = limit(newest);
                let behind = self.watermark_behind(newest);
                // The newest may move and the watermark stay: at the ends of time, and where the clock went on.
                if behind > now {
                    trail.push((behind, position));
                    mover = position;
                    now = behind;
                }
            }
            taken += 1;
        }
        (self.newest, self.mover) = (Some(newest), mover);
        taken
    }

    /// Moves the newest time, and on to the held one where that is no longer a jump.
    fn accept(&mut self, time: i64, position: u64) {
        let mut newest = time;
        if let (Some(held), Some(max_jump)) = (self.held, self.max_jump)
            && held <= newest.saturating_add(max_jump)
        {
            newest = newest.max(held);
            self.held = None;
        }
        if self.newest.is_none_or(|before| newest > before) {
            let before = self.watermark();
            self.newest = Some(newest);
            if self.watermark() > before {
                self.mover = position;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows of `time=watermark before it`, `!` behind a row that is held, `!0` where row 0 is.
    #[track_caller]
    fn check(delay: i64, max_jump: Option<i64>, rows: &str, last: i64) {
        let mut state = WatermarkState::new(delay, max_jump);
        for (position, row) in rows.split_whitespace().enumerate() {
            let (time, expected) = row.split_once('=').expect("time=watermark");
            let (expected, jump) = match expected.split_once('!') {
                None => (expected, None),
                Some((expected, "")) => (expected, Some(position as u64)),
                Some((expected, held)) => (expected, Some(held.parse().expect("a position"))),
            };
            let before = match expected {
                "-" => i64::MIN,
                number => number.parse().expect("a watermark"),
            };
            let observed = state.observe(time.parse().expect("a time"), position as u64);
            assert_eq!(observed.before, before, "before row {position} of {rows}");
            assert_eq!(
                observed.jump.map(|(held, _)| held),
                jump,
                "{position} of {rows}"
            );
        }
        assert_eq!(state.watermark(), last, "after {rows}");
    }

    #[test]
    fn follows_the_newest_row() {
        check(5, None, "10=- 8=5 20=5 1000000=15", 999_995);
        check(0, None, "-5=- 3=-5", 3);
        check(5, None, "", i64::MIN);
    }

    #[test]
    fn holds_jumps() {
        // One jump is held and stays so.
        check(5, Some(100), "10=- 500=5! 20=5 12=15", 15);
        // A second agrees: the older of the two counts at once, the newer where it is near.
        check(5, Some(100), "10=- 500=5! 550=5", 545);
        check(5, Some(100), "10=- 500=5! 450=5", 495);
        check(5, Some(100), "10=- 500=5! 700=5! 20=495", 495);
        check(5, Some(100), "10=- 500=5! 300=5 310=295", 305);
        check(5, Some(100), "10=- 500=5! 300=5 400=295", 495);
        check(5, Some(100), "10=- 500=5! 500=5", 495);
        // Exactly the largest jump is none.
        check(5, Some(100), "10=- 110=5 211=105! 110=105", 105);
        // Time that passes catches up with what is held.
        check(5, Some(100), "10=- 130=5! 29=5 30=24", 125);
    }

    #[test]
    fn exchanges_the_first_row() {
        check(5, Some(100), "500=- 10=5!0 20=5", 15);
        check(5, Some(100), "500=- 10=5!0 450=5", 495);
        check(5, Some(100), "500=- 400=495 10=495", 495);
        check(5, Some(100), "500=- 500=495 10=495", 495);
        check(5, None, "500=- 10=495", 495);
    }

    #[test]
    fn goes_on_without_rows() {
        let mut state = WatermarkState::new(5, Some(100));
        state.go_on(3);
        assert_eq!(state.watermark(), i64::MIN);
        state.observe(10, 0);
        state.go_on(0);
        assert_eq!((state.watermark(), state.newest()), (10, Some(10)));
        state.go_on(20);
        state.go_on(7);
        assert_eq!(state.watermark(), 30);
        // Rows are judged by it, and move it again once they have come further; one by one and in runs.
        let mut runs = state;
        assert_eq!(state.observe(12, 1).before, 30);
        assert_eq!(state.observe(36, 2).before, 30);
        assert_eq!((state.watermark(), state.mover()), (31, 2));
        let (mut before, mut trail) = (Vec::new(), Vec::new());
        runs.observe_run(&[12, 36], &[1, 2], &mut before, &mut trail);
        assert_eq!((before, trail), (vec![30, 30], vec![(31, 2)]));
        assert_eq!(runs, state);
    }

    #[test]
    fn saturates() {
        let (min, max) = (i64::MIN, i64::MAX);
        check(5, None, &format!("{min}=- {max}=-"), max - 5);
        check(0, None, &format!("{max}=-"), max - 1);
        check(-5, None, &format!("{max}=-"), max - 1);
        check(max, Some(max), &format!("{min}=- {max}=-!"), min);
    }
}
