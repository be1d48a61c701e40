//! One line on a terminal that says how far a run is; nothing in a pipe.

use std::{
    io::{IsTerminal as _, Write as _, stderr},
    time::{Duration, Instant},
};

/// How often the line is written: it must not cost the generator anything.
const EVERY: Duration = Duration::from_secs(1);

/// Says that a step of a long run is done, on a terminal.
pub(crate) fn say(line: &str) {
    if stderr().is_terminal() {
        // A terminal that went away is no reason to stop measuring.
        drop(writeln!(stderr(), "{line}"));
    }
}

/// The line.
#[derive(Debug)]
pub(crate) struct Progress {
    shown: bool,
    next: Instant,
    written: bool,
}

impl Progress {
    pub(crate) fn new() -> Self {
        Self { shown: stderr().is_terminal(), next: Instant::now(), written: false }
    }

    /// Writes the line, if a second has passed since the last time.
    pub(crate) fn tell(&mut self, line: impl FnOnce() -> String) {
        if !self.shown {
            return;
        }
        let now = Instant::now();
        if now < self.next {
            return;
        }
        self.next = now + EVERY;
        self.written = true;
        // A terminal that went away is no reason to stop measuring.
        drop(write!(stderr(), "\r\x1b[K{}", line()));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.written {
            drop(write!(stderr(), "\r\x1b[K"));
        }
    }
}
