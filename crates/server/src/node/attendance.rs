//! When the visitors of an inbox are told that somebody came online, or that the last one went.
//!
//! A change is told at once. Another one soon after waits, and is told only if it still holds: an agent
//! who comes and goes costs thousands of idle widgets one frame in a while.
//!
//! The first word of an inbox is for the other nodes of a cluster, which may hold that of a former desk. It is said
//! after a while: as a desk moves, its agents go away and come back.

use std::collections::{BTreeSet, HashMap};

use frontdesk_core::id::InboxId;

/// Least time between two announcements of one inbox, ms.
const TOLD_EVERY_MS: i64 = 3_000;

/// What was told, and what is to be told.
#[derive(Debug, Default)]
pub(super) struct Attendance {
    inboxes: HashMap<InboxId, Told>,
    pending: BTreeSet<InboxId>,
}

#[derive(Debug)]
struct Told {
    /// What visitors of this node know.
    said: bool,
    now: bool,
    /// Whether the other nodes have heard anything.
    is_known: bool,
    /// Not before.
    next_ms: i64,
}

/// Something to tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) inbox: InboxId,
    pub(super) attended: bool,
    /// Whether visitors of this node do not know it yet.
    pub(super) is_news: bool,
}

impl Attendance {
    /// Whether somebody of the inbox is online now. The first time is told no visitor: who connects hears
    /// it with the welcome.
    pub(super) fn note(&mut self, now_ms: i64, inbox: InboxId, attended: bool) {
        let told = self.inboxes.entry(inbox).or_insert(Told {
            said: attended,
            now: attended,
            is_known: false,
            next_ms: now_ms + TOLD_EVERY_MS,
        });
        told.now = attended;
        if told.now != told.said && !told.is_known {
            told.next_ms = now_ms;
        }
        if told.now == told.said && told.is_known {
            self.pending.remove(&inbox);
        } else {
            self.pending.insert(inbox);
        }
    }

    /// What is to be told now.
    pub(super) fn due(&mut self, now_ms: i64) -> Vec<Word> {
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
            let is_news = told.said != told.now;
            *told = Told { said: told.now, is_known: true, next_ms: now_ms, ..*told };
            if is_news {
                told.next_ms += TOLD_EVERY_MS;
            }
            due.push(Word { inbox: *inbox, attended: told.now, is_news });
            false
        });
        due
    }

    /// The desks of these inboxes are on another node.
    pub(super) fn forget(&mut self, inboxes: &[InboxId]) {
        for inbox in inboxes {
            self.inboxes.remove(inbox);
            self.pending.remove(inbox);
        }
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

    fn news(attended: bool) -> Vec<Word> {
        vec![Word { inbox: INBOX, attended, is_news: true }]
    }

    /// One whose first word, that nobody is there, the other nodes have.
    fn known() -> Attendance {
        let mut attendance = Attendance::default();
        attendance.note(-TOLD_EVERY_MS, INBOX, false);
        assert_eq!(attendance.due(0).len(), 1);
        attendance
    }

    #[test]
    fn the_first_word_is_in_the_welcome_and_goes_to_other_nodes_after_a_while() {
        let mut attendance = Attendance::default();
        attendance.note(0, INBOX, false);
        assert_eq!((attendance.due(0), attendance.next_ms()), (Vec::new(), Some(TOLD_EVERY_MS)));
        let word = Word { inbox: INBOX, attended: false, is_news: false };
        assert_eq!(attendance.due(TOLD_EVERY_MS), vec![word]);
        assert_eq!(attendance.next_ms(), None);
    }

    #[test]
    fn agents_who_come_back_to_a_desk_that_moved_are_told_at_once_and_alone() {
        let mut attendance = Attendance::default();
        attendance.note(0, INBOX, false);
        attendance.note(500, INBOX, true);
        assert_eq!(attendance.due(500), news(true));
        assert_eq!(attendance.next_ms(), None);
    }

    #[test]
    fn a_desk_that_comes_back_says_its_first_word_again() {
        let mut attendance = known();
        attendance.forget(&[INBOX]);
        attendance.note(10, INBOX, false);
        assert_eq!(attendance.next_ms(), Some(10 + TOLD_EVERY_MS));
    }

    #[test]
    fn a_change_is_told_at_once_and_the_next_one_after_a_while() {
        let mut attendance = known();
        attendance.note(10, INBOX, true);
        assert_eq!(attendance.next_ms(), Some(0), "at once");
        assert_eq!(attendance.due(10), news(true));
        attendance.note(20, INBOX, false);
        assert_eq!(attendance.due(20), Vec::new());
        let next_ms = attendance.next_ms().expect("it is due later");
        assert_eq!(next_ms, 10 + TOLD_EVERY_MS);
        assert_eq!(attendance.due(next_ms), news(false));
        assert_eq!(attendance.next_ms(), None);
    }

    #[test]
    fn what_came_and_went_meanwhile_is_not_told() {
        let mut attendance = known();
        attendance.note(1, INBOX, true);
        assert_eq!(attendance.due(1).len(), 1);
        attendance.note(2, INBOX, false);
        attendance.note(3, INBOX, true);
        assert_eq!(attendance.next_ms(), None);
        assert_eq!(attendance.due(1 + TOLD_EVERY_MS), Vec::new());
    }
}
