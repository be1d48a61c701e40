//! Threads whose work may wait: the history's, and those of its engine.
//!
//! On a machine whose cores are all busy the scheduler shares them out evenly, and an edge loop that
//! has a message to acknowledge would wait for a compaction. A lower priority lets the loop go first;
//! the dispatcher keeps the history from falling behind for good by waiting for it.

//!
//! A priority alone is not enough: a scheduler looks only every few milliseconds whether somebody more
//! important waits. Long work that is not behind says itself, every now and then, that others may go first.

use std::cell::Cell;

/// How much nicer than the others, of 19. Each step costs about a tenth of the share: a busy loop
/// keeps three quarters of a core it has to share.
const NICENESS: i32 = 5;

/// Lowers the priority of the calling thread and of those it will start. Where the system refuses,
/// all share alike.
pub fn lower_priority() {
    // On Linux the priority belongs to the thread, and without an id it is that of the caller.
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::setpriority_process(None, NICENESS) {
        tracing::debug!(%error, "the priority of a background thread stays as it is");
    }
}

thread_local! {
    static IS_LATE: Cell<bool> = const { Cell::new(false) };
}

/// Says whether more work waits than is being done. The calling thread then no longer lets others go first.
pub fn set_late(is_late: bool) {
    IS_LATE.set(is_late);
}

/// Lets whoever waits for this core go first, unless the calling thread is late. To be called between
/// pieces of work that take a fraction of a millisecond.
pub fn give_way() {
    if !IS_LATE.get() {
        std::thread::yield_now();
    }
}
