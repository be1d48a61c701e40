//! What clients tried, were acked and were shown; what is wrong at once is noted at once.

use std::collections::{BTreeMap, BTreeSet};

use frontdesk_core::chat;

use crate::wire::{ClientMsgId, Part};

/// A message as its sender knows it.
pub(crate) type Key = (Part, ClientMsgId);

#[derive(Debug, Default)]
pub(crate) struct Journal {
    /// Everything that was sent at least once, and its text.
    pub(crate) attempts: BTreeMap<Key, String>,
    /// The seq of each ack.
    pub(crate) acks: BTreeMap<Key, u64>,
    /// What anybody was ever shown at a place: the entry's id.
    shown: BTreeMap<(u8, u64), String>,
    /// What each is shown now.
    pub(crate) timelines: BTreeMap<Part, BTreeMap<u64, String>>,
    /// Who has sent everything and has an answer to each.
    pub(crate) done: BTreeSet<Part>,
    pub(crate) violations: BTreeSet<String>,
    pub(crate) counts: Counts,
}

/// What happened in a run, so that a run in which nothing happens is noticed.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) repeats: u64,
    pub(crate) resumed: u64,
    pub(crate) reloaded: u64,
    pub(crate) overtaken: u64,
    pub(crate) given_up: u64,
    pub(crate) broken: u64,
    pub(crate) takeovers: u64,
    pub(crate) replayed: u64,
    pub(crate) handed_over: u64,
}

impl Journal {
    pub(crate) fn violation(&mut self, words: String) {
        self.violations.insert(words);
    }

    pub(crate) fn acked(&mut self, key: &Key, seq: u64) {
        if !self.attempts.contains_key(key) {
            self.violation(format!("I5: {key:?} was acked and never sent"));
        }
        let first = *self.acks.entry(key.clone()).or_insert(seq);
        if first != seq {
            self.violation(format!("I3: {key:?} was acked at {first} and at {seq}"));
        }
    }

    /// Somebody is shown an entry, as all who are shown that place must be.
    pub(crate) fn show(&mut self, part: Part, conversation: u8, entry: &chat::Entry) {
        if conversation != part.conversation {
            self.violation(format!("I8: {part:?} was shown an entry of {conversation}"));
        }
        let before =
            self.shown.entry((conversation, entry.seq)).or_insert_with(|| entry.id.clone());
        if *before != entry.id {
            let words = format!("I3: {before} and {} at {} of {conversation}", entry.id, entry.seq);
            self.violation(words);
        }
        self.timelines.entry(part).or_default().insert(entry.seq, entry.id.clone());
    }
}

impl Counts {
    pub(crate) fn all(&self) -> [u64; 9] {
        let Self { repeats, resumed, reloaded, overtaken, given_up, .. } = *self;
        let Self { broken, takeovers, replayed, handed_over, .. } = *self;
        let [a, b, c, d] = [broken, takeovers, replayed, handed_over];
        [repeats, resumed, reloaded, overtaken, given_up, a, b, c, d]
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.repeats += other.repeats;
        self.resumed += other.resumed;
        self.reloaded += other.reloaded;
        self.overtaken += other.overtaken;
        self.given_up += other.given_up;
        self.broken += other.broken;
        self.takeovers += other.takeovers;
        self.replayed += other.replayed;
        self.handed_over += other.handed_over;
    }
}
