//! Whether a loop is awake: so that a burst of sends costs one system call, and no send is slept over.
//!
//! Both sides exchange the flag: whoever comes second sees what the other did before. So either the loop
//! finds the item or the sender wakes it. `tests/edge` runs this file under loom and shuttle.

use super::atomic::{AtomicBool, Ordering::AcqRel};

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Awake(AtomicBool);

impl Awake {
    /// Called behind a send; says whether the sender has to wake the loop.
    pub(super) fn rouse(&self) -> bool {
        !self.0.swap(true, AcqRel)
    }

    /// Called by the loop before it takes: sends from now on wake it again. Also called by a sender whose
    /// wake-up failed.
    pub(super) fn arm(&self) {
        self.0.swap(false, AcqRel);
    }
}
