//! What kind each of the newest entries is: enough to count unread messages exactly up to the number a
//! list shows, without asking the history.

use crate::limits::UNREAD_MAX;

/// One more than is counted, so that "more than 99" can be told from 99.
const KEPT: usize = UNREAD_MAX + 1;

/// What an entry means for unread counts. The numbers are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Kind {
    /// System entries, retractions, tombstones.
    Nothing = 0,
    /// A message of the visitor.
    ByVisitor = 1,
    /// A message the visitor sees.
    ToVisitor = 2,
    /// A note for the team.
    Note = 3,
}

/// The kinds of the newest entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recent {
    last_seq: u64,
    /// The kind of seq `s` stands at `s % KEPT`.
    ring: [u8; KEPT],
}

impl Default for Recent {
    fn default() -> Self {
        Self::new()
    }
}

impl Recent {
    /// Of a new conversation.
    pub(super) const fn new() -> Self {
        Self { last_seq: 0, ring: [0; KEPT] }
    }

    /// From the stored form: the newest last.
    pub(super) fn decode(last_seq: u64, kinds: &[u8]) -> Self {
        let mut recent = Self { last_seq, ring: [0; KEPT] };
        for (seq, kind) in (1..=last_seq).rev().zip(kinds.iter().rev()).take(KEPT) {
            recent.ring[place(seq)] = *kind;
        }
        recent
    }

    /// To the stored form.
    pub(super) fn encode(&self) -> Vec<u8> {
        let first = self.last_seq.saturating_sub(KEPT as u64) + 1;
        (first..=self.last_seq).map(|seq| self.ring[place(seq)]).collect()
    }

    /// Notes the next entry.
    pub(super) fn push(&mut self, kind: Kind) {
        self.last_seq += 1;
        self.ring[place(self.last_seq)] = kind as u8;
    }

    /// The content of this entry is gone: it is nothing to read any more.
    pub(super) fn clear(&mut self, seq: u64) {
        if seq + (KEPT as u64) > self.last_seq && seq <= self.last_seq {
            self.ring[place(seq)] = Kind::Nothing as u8;
        }
    }

    /// Messages for this reader behind `read_seq`: those of the visitor for the team, those towards the
    /// visitor for the visitor. At most one more than `UNREAD_MAX`.
    pub fn unread(&self, read_seq: u64, visitor: bool) -> u32 {
        let wanted = if visitor { Kind::ToVisitor } else { Kind::ByVisitor } as u8;
        let first = self.last_seq.saturating_sub(KEPT as u64).max(read_seq) + 1;
        (first..=self.last_seq).filter(|seq| self.ring[place(*seq)] == wanted).count() as u32
    }
}

const fn place(seq: u64) -> usize {
    (seq % KEPT as u64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_side_counts_the_others_messages() {
        let mut recent = Recent::new();
        for kind in [Kind::ByVisitor, Kind::Nothing, Kind::ToVisitor, Kind::Note, Kind::ByVisitor] {
            recent.push(kind);
        }
        let cases = [(0, 2, 1), (1, 1, 1), (3, 1, 0), (5, 0, 0), (9, 0, 0)];
        for (read_seq, team, visitor) in cases {
            assert_eq!(recent.unread(read_seq, false), team, "after {read_seq}");
            assert_eq!(recent.unread(read_seq, true), visitor, "after {read_seq}");
        }
        recent.clear(5);
        assert_eq!(recent.unread(0, false), 1);
    }

    #[test]
    fn counts_saturate_and_survive_storage() {
        let mut recent = Recent::new();
        for _ in 0..250 {
            recent.push(Kind::ByVisitor);
        }
        assert_eq!(recent.unread(0, false) as usize, UNREAD_MAX + 1);
        assert_eq!(recent.unread(240, false), 10);
        let stored = recent.encode();
        assert_eq!(stored.len(), KEPT);
        assert_eq!(Recent::decode(250, &stored), recent);
        recent.clear(100);
        recent.clear(300);
        assert_eq!(recent.unread(0, false) as usize, UNREAD_MAX + 1);
    }
}
