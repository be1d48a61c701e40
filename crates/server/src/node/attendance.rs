//! When the visitors of an inbox are told that somebody came online, or that the last one went.
//!
//! A change is told at once. Another one soon after waits, and is told only if it still holds: an agent
//! who comes and goes costs thousands of idle widgets one frame in a while.

use std::collections::{HashMap, HashSet};

use frontdesk_core::id::InboxId;

/// Least time between two announcements of one inbox, ms.
const TOLD_EVERY_MS: i64 = 3_000;

/// What was told, and what is to be told.
#[derive(Debug, Default)]
pub(super) struct Attendance {
    inboxes: HashMap<InboxId, Told>,
    pending: HashSet<InboxId>,
}

#[derive(Debug)]
struct Told {
    /// What visitors know.
    said: bool,
    now: bool,
    /// Not before.
    next_ms: i64,
}

impl Attendance {
    /// Whether somebody of the inbox is online now. The first time is told nobody: who connects hears
    /// it with the welcome.
    pub(super) fn note(&mut self, now_ms: i64, inbox: InboxId, attended: bool) {
        let told = self.inboxes.entry(inbox).or_insert(Told {
            said: attended,
            now: attended,
            next_ms: now_ms,
        });
        told.now = attended;
        if told.now == told.said {
            self.pending.remove(&inbox);
        } else {
            self.pending.insert(inbox);
        }
    }

    /// What is to be told now.
    pub(super) fn due(&mut self, now_ms: i64) -> Vec<(InboxId, bool)> {
        if self.pending.is_empty() {
            return Vec::new();
        }
        let Self { inboxes, pending } = self;
        let mut due = Vec::new();
        pending.retain(|inbox| {
            let Some(told) = inboxes.get_mut(inbox) else { return false };
            if now_ms < told.next_ms {
                return true;
            }
            (told.said, told.next_ms) = (told.now, now_ms + TOLD_EVERY_MS);
            due.push((*inbox, told.now));
            false
        });
        due
    }

    /// When to ask again.
    pub(super) fn next_ms(&self) -> Option<i64> {
        self.pending
            .iter()
            .filter_map(|inbox| self.inboxes.get(inbox))
            .map(|told| told.next_ms)
            .min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INBOX: InboxId = InboxId::from_bytes([1; 12]);

    #[test]
    fn the_first_word_is_in_the_welcome() {
        let mut attendance = Attendance::default();
        attendance.note(0, INBOX, false);
        assert_eq!((attendance.due(0), attendance.next_ms()), (Vec::new(), None));
    }

    #[test]
    fn a_change_is_told_at_once_and_the_next_one_after_a_while() {
        let mut attendance = Attendance::default();
        attendance.note(0, INBOX, false);
        attendance.note(10, INBOX, true);
        assert_eq!(attendance.next_ms(), Some(0), "at once");
        assert_eq!(attendance.due(10), vec![(INBOX, true)]);
        attendance.note(20, INBOX, false);
        assert_eq!(attendance.due(20), Vec::new());
        let next_ms = attendance.next_ms().expect("it is due later");
        assert_eq!(next_ms, 10 + TOLD_EVERY_MS);
        assert_eq!(attendance.due(next_ms), vec![(INBOX, false)]);
        assert_eq!(attendance.next_ms(), None);
    }

    #[test]
    fn what_came_and_went_meanwhile_is_not_told() {
        let mut attendance = Attendance::default();
        attendance.note(0, INBOX, false);
        attendance.note(1, INBOX, true);
        assert_eq!(attendance.due(1).len(), 1);
        attendance.note(2, INBOX, false);
        attendance.note(3, INBOX, true);
        assert_eq!(attendance.next_ms(), None);
        assert_eq!(attendance.due(1 + TOLD_EVERY_MS), Vec::new());
    }
}
