//! Shows on start that log and history meet: no record is missing between them.
//!
//! The log is trimmed only behind what the history has persisted. So what the history applied
//! must reach the log's first record, and must not lie behind its last: otherwise one of them came
//! back shorter than it was, and start is refused rather than a shorter history served.

use frontdesk_storage::{History, HistoryError, MessageLog};

use crate::SegmentLog;

/// Checks that log number `log` and the history meet.
pub fn check_continuity(
    history: &dyn History,
    log: &SegmentLog,
    number: u16,
) -> Result<(), HistoryError> {
    let applied = history.applied(number)?;
    let (first, next) = (log.first_offset(), log.next_offset());
    if applied + 1 < first || applied >= next {
        return Err(HistoryError::Gap { log: log.dir().to_owned(), applied, first, next });
    }
    Ok(())
}
