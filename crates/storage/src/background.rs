//! Threads whose work may wait: the history's, and those of its engine.
//!
//! On a machine whose cores are all busy the scheduler shares them out evenly, and an edge loop that
//! has a message to acknowledge would wait for a compaction. A lower priority lets the loop go first;
//! the dispatcher keeps the history from falling behind for good by waiting for it.

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
