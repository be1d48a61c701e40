//! Conversations in memory: the fold's state and the tail that the history does not hold yet.

use std::{collections::VecDeque, sync::Arc};

use bytes::Bytes;
use frontdesk_core::fold::Conversation;
use frontdesk_storage::EntryWrite;

/// One conversation in memory.
#[derive(Debug, Default)]
pub(crate) struct Live {
    /// `None` while the conversation has no stored message.
    pub(crate) state: Option<Conversation>,
    /// Entries that are not known to lie in the history, oldest first.
    pub(crate) entries: VecDeque<Arc<EntryWrite>>,
    /// Session events likewise: number and encoded event.
    pub(crate) events: VecDeque<(u64, Bytes)>,
    /// Earlier entries whose content changed: seq and encoded tombstone.
    pub(crate) replaced: VecDeque<(u64, Bytes)>,
    /// How many at the front of each were handed to the writer already.
    pub(crate) shipped: Shipped,
    /// Batches with it that the history may not have applied: without items too, for their state.
    pub(crate) in_flight: usize,
    /// Proposals for it in an append that has not ended.
    pub(crate) pins: u32,
    /// How often it was folded since it is in memory.
    pub(crate) folds: u64,
    /// Offset of the oldest record whose outcome is in no batch yet.
    pub(crate) dirty_since: Option<u64>,
    /// UTC milliseconds of the last use, for eviction.
    pub(crate) touched_ms: i64,
}

/// Counts of tail items, entries and events and replacements apart.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shipped {
    pub(crate) entries: usize,
    pub(crate) events: usize,
    pub(crate) replaced: usize,
}

impl Live {
    /// The newest seq that was folded here; 0 for an unknown conversation.
    pub(crate) fn last_seq(&self) -> u64 {
        self.state.as_ref().map_or(0, Conversation::last_seq)
    }

    /// Whether the history holds everything, so that the conversation may leave memory.
    pub(crate) fn is_settled(&self) -> bool {
        self.in_flight == 0 && self.dirty_since.is_none() && self.pins == 0
    }

    /// Looks for a repeat among the entries the history does not hold yet.
    /// Returns its seq and content hash.
    pub(crate) fn find(&self, sender: &str, client_msg_id: &[u8]) -> Option<(u64, u64)> {
        self.entries
            .iter()
            .find(|entry| entry.client_msg_id == client_msg_id && entry.sender == sender)
            .map(|entry| (entry.seq, entry.content_hash))
    }

    /// Forgets what the history has taken.
    pub(crate) fn settle(&mut self, taken: Shipped) {
        self.in_flight -= 1;
        self.entries.drain(..taken.entries);
        self.events.drain(..taken.events);
        self.replaced.drain(..taken.replaced);
        self.shipped.entries -= taken.entries;
        self.shipped.events -= taken.events;
        self.shipped.replaced -= taken.replaced;
    }
}

/// What a reader outside the loop needs beside the history: everything newer than it.
#[derive(Debug, Clone, Default)]
pub struct Tail {
    /// The fold's state, encoded; `None` for an unknown conversation.
    pub state: Option<Bytes>,
    /// The newest seq; 0 for an unknown conversation.
    pub last_seq: u64,
    /// Encoded entries the history may not hold yet, ascending.
    pub entries: Vec<(u64, Bytes)>,
    /// Encoded tombstones of earlier entries the history may not hold yet.
    pub replaced: Vec<(u64, Bytes)>,
    /// Encoded session events the history may not hold yet.
    pub events: Vec<(u64, Bytes)>,
}
