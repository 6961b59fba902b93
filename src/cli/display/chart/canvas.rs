//! Dots in text: a Braille letter holds 2 × 4 of them.
//!
//! ```text
//!   1 4      ⠁ = dot 1, ⡀ = dot 7;  the letters begin at U+2800, a bit for each dot
//!   2 5
//!   3 6
//!   7 8
//! ```

/// The bits of the dots of a letter, by row and column.
const DOTS: [[u8; 2]; 4] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];

/// So many dots make a letter.
pub(super) const DOTS_ACROSS: usize = 2;
pub(super) const DOTS_UP: usize = 4;

/// A picture of dots.
pub(super) struct Canvas {
    letters_across: usize,
    letters: Vec<u8>,
}

impl Canvas {
    /// An empty picture of so many letters.
    pub(super) fn new(letters_across: usize, lines: usize) -> Self {
        Canvas {
            letters_across,
            letters: vec![0; letters_across * lines],
        }
    }

    /// Sets the dot at `x` from the left and `y` from the top.
    pub(super) fn dot(&mut self, x: usize, y: usize) {
        let letter = y / DOTS_UP * self.letters_across + x / DOTS_ACROSS;
        if x / DOTS_ACROSS < self.letters_across
            && let Some(letter) = self.letters.get_mut(letter)
        {
            *letter |= DOTS[y % DOTS_UP][x % DOTS_ACROSS];
        }
    }

    /// Sets the dots of the straight line between two dots.
    pub(super) fn line(&mut self, from: (usize, usize), to: (usize, usize)) {
        let steps = from.0.abs_diff(to.0).max(from.1.abs_diff(to.1));
        let between = |a: usize, b: usize, step: usize| match steps {
            0 => a,
            _ if b >= a => a + ((b - a) * step + steps / 2) / steps,
            _ => a - ((a - b) * step + steps / 2) / steps,
        };
        for step in 0..=steps {
            self.dot(between(from.0, to.0, step), between(from.1, to.1, step));
        }
    }

    /// The lines of the picture, without blanks at their ends.
    pub(super) fn lines(&self) -> Vec<String> {
        let letter = |&bits: &u8| match bits {
            0 => ' ',
            bits => char::from_u32(0x2800 + u32::from(bits)).unwrap_or(' '),
        };
        let lines = self.letters.chunks(self.letters_across.max(1));
        lines
            .map(|line| {
                let line: String = line.iter().map(letter).collect();
                line.trim_end().to_owned()
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_join_their_ends() {
        let mut canvas = Canvas::new(4, 2);
        canvas.line((0, 7), (7, 0));
        canvas.dot(8, 0);
        assert_eq!(canvas.lines(), ["  ⡠⠊", "⡠⠊"]);
        let mut canvas = Canvas::new(2, 1);
        canvas.line((3, 2), (3, 2));
        assert_eq!(canvas.lines(), [" ⠠"]);
    }
}
