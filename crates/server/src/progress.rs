//! Progress of long work: a bar on a terminal, silence in a pipe.

use std::{io::IsTerminal as _, sync::Arc, time::Duration};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Whether and where progress is shown.
#[derive(Debug, Clone)]
pub(crate) struct Progress {
    shown: bool,
}

/// One piece of work. Shown only when it takes longer than a moment; gone when dropped.
#[derive(Debug, Clone)]
pub(crate) struct Bar {
    bar: Arc<Shown>,
}

#[derive(Debug)]
struct Shown(ProgressBar);

impl Drop for Shown {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

impl Progress {
    /// Progress on standard error, if that is a terminal.
    pub(crate) fn on_terminal() -> Self {
        Self { shown: std::io::stderr().is_terminal() }
    }

    /// Begins a piece of work of `total` steps; 0 where that is unknown.
    pub(crate) fn begin(&self, what: &'static str, total: u64) -> Bar {
        let bar = if self.shown {
            let bar =
                ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr_with_hz(8));
            let style = ProgressStyle::with_template("{msg} {bar:30} {percent}% {eta}")
                .expect("the template is well formed");
            bar.set_style(style);
            bar.enable_steady_tick(Duration::from_millis(250));
            bar
        } else {
            ProgressBar::hidden()
        };
        bar.set_message(what);
        Bar { bar: Arc::new(Shown(bar)) }
    }
}

impl Bar {
    /// So much is done.
    pub(crate) fn set(&self, done: u64) {
        self.bar.0.set_position(done);
    }

    /// What is being done now.
    pub(crate) fn say(&self, what: &str) {
        self.bar.0.set_message(what.to_owned());
    }

    /// So much there is, now that it is known.
    pub(crate) fn set_total(&self, total: u64) {
        self.bar.0.set_length(total);
    }
}
