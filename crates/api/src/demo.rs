//! What `serve --demo` shares with the routes: who may enter without a password, and the switch that
//! pauses the visitors it brings.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use tokio::sync::watch;

/// The demo of this process; cheap to clone.
#[derive(Debug, Clone)]
pub struct Demo(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// E-mail addresses of those one may enter as, in the order they are offered.
    doors: Vec<String>,
    paused: watch::Sender<bool>,
    visitors: AtomicU32,
}

impl Demo {
    /// A demo one may enter as these users.
    pub fn new(doors: Vec<String>, paused: bool) -> Self {
        let inner =
            Inner { doors, paused: watch::Sender::new(paused), visitors: AtomicU32::default() };
        Self(Arc::new(inner))
    }

    /// Where this user stands among those one may enter as.
    pub(crate) fn door(&self, email: &str) -> Option<usize> {
        self.0.doors.iter().position(|door| door == email)
    }

    /// Whether the demo's visitors are to stand still.
    pub fn paused(&self) -> watch::Receiver<bool> {
        self.0.paused.subscribe()
    }

    /// Lets the demo's visitors stand still, or go on.
    pub(crate) fn pause(&self, paused: bool) {
        self.0.paused.send_replace(paused);
    }

    /// Counts a visitor of the demo for as long as the guard lives.
    pub fn visit(&self) -> Visit {
        self.0.visitors.fetch_add(1, Ordering::Relaxed);
        Visit(self.clone())
    }

    /// Visitors of the demo who are here now.
    pub fn visitors(&self) -> u32 {
        self.0.visitors.load(Ordering::Relaxed)
    }
}

/// One visitor of the demo who is here.
#[derive(Debug)]
pub struct Visit(Demo);

impl Drop for Visit {
    fn drop(&mut self) {
        self.0.0.visitors.fetch_sub(1, Ordering::Relaxed);
    }
}
