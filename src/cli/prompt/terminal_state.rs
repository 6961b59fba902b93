//! The terminal as it was when the program began, to be given back where a signal ends it while a line is typed.

use std::io::{self, Write};

use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};

/// Ends what rustyline tells terminals: to mark what is pasted.
const NO_MARKED_PASTE: &[u8] = b"\x1b[?2004l\r\n";

/// Makes of the terminal what it is now, whatever reads keys from it then. `is_drawn`: rustyline does.
pub fn give_back(is_drawn: bool) -> impl Fn() + Send + 'static {
    let state = tcgetattr(io::stdin()).ok();
    move || {
        // A terminal that is gone needs nothing.
        if let Some(state) = &state {
            let _ = tcsetattr(io::stdin(), OptionalActions::Now, state);
        }
        if is_drawn {
            let _ = io::stdout().lock().write_all(NO_MARKED_PASTE);
        }
    }
}
