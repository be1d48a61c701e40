//! The history: every conversation's entries, session events and state, behind the log.
//!
//! It is written by the history thread of each edge loop in folded batches, off the way of acks,
//! and read by whoever shows a timeline. What it has applied but not persisted is folded again
//! from the log after a crash.

use std::{ops::ControlFlow, sync::Arc};

use bytes::Bytes;
use frontdesk_core::id::ConversationId;

use crate::{HistoryError, Offset};

/// What one flush of the dispatcher writes: all of it or nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// The number of the log this was folded from.
    pub log: u16,
    /// The offset of the last record folded into this batch.
    pub offset: Offset,
    /// What changed, one item per conversation.
    pub conversations: Vec<ConversationWrite>,
}

/// The new state of one conversation with what was added to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConversationWrite {
    /// Whose.
    pub conversation: ConversationId,
    /// The encoded state after the last record of the batch; replaces the former.
    pub state: Bytes,
    /// New entries, seq ascending; shared with whoever answers for them until they are applied.
    pub entries: Vec<Arc<EntryWrite>>,
    /// Entries whose stored content is replaced (retracted, erased): seq and the tombstone.
    pub replaced: Vec<(u64, Bytes)>,
    /// New session events: their number in the conversation, ascending, and the event.
    pub events: Vec<(u64, Bytes)>,
}

impl ConversationWrite {
    /// Bytes of what is written, without keys.
    pub fn bytes(&self) -> usize {
        let entries: usize = self.entries.iter().map(|entry| entry.entry.len()).sum();
        let rest = self.replaced.iter().chain(&self.events).map(|(_, bytes)| bytes.len());
        self.state.len() + entries + rest.sum::<usize>()
    }
}

/// One new entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryWrite {
    /// Its place in the conversation, dense from 1.
    pub seq: u64,
    /// Who sent it, as the fold names senders.
    pub sender: String,
    /// The sender's id for it; empty for entries nobody sends twice.
    pub client_msg_id: Bytes,
    /// Hash of audience and content: tells a repeat from a reused id.
    pub content_hash: u64,
    /// The encoded entry.
    pub entry: Bytes,
}

/// Where a `client_msg_id` was stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sent {
    /// The seq it got.
    pub seq: u64,
    /// The hash of its audience and content.
    pub content_hash: u64,
}

/// What tells a message from all others, as its sender knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MessageKey<'a> {
    /// Where it was sent.
    pub conversation: ConversationId,
    /// Who sent it, as the fold names senders.
    pub sender: &'a str,
    /// The sender's id for it.
    pub client_msg_id: &'a [u8],
}

/// The store of everything that happened in conversations.
pub trait History: Send + Sync {
    /// Applies the batch together with its offset, atomically: after a crash either both are there
    /// or neither. Visible to reads when it returns; durable after [`History::persist`].
    ///
    /// Idempotent by offset: a batch whose offset is not above [`History::applied`] of its log
    /// changes nothing. Each log is applied by one caller at a time, in the order of offsets. In a
    /// cluster a log is a partition, and holds the conversations of that partition only.
    fn apply(&self, batch: &Batch) -> Result<(), HistoryError>;

    /// The offset of the last batch applied from this log; 0 if none was.
    fn applied(&self, log: u16) -> Result<Offset, HistoryError>;

    /// Makes everything applied before this call survive power loss. Only after it may the log be
    /// trimmed. After an error the history is poisoned and every later write fails.
    fn persist(&self) -> Result<(), HistoryError>;

    /// The stored state of a conversation.
    fn state(&self, conversation: &ConversationId) -> Result<Option<Bytes>, HistoryError>;

    /// The newest `limit` entries with a seq below `before` (all if `None`), seq ascending.
    fn page(
        &self,
        conversation: &ConversationId,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<(u64, Bytes)>, HistoryError>;

    /// The oldest `limit` entries with a seq above `after`, seq ascending.
    fn since(
        &self,
        conversation: &ConversationId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<(u64, Bytes)>, HistoryError>;

    /// Where the sender's message with this id was stored; an answer is never wrong, and `None`
    /// means it never was.
    fn find(
        &self,
        conversation: &ConversationId,
        sender: &str,
        client_msg_id: &[u8],
    ) -> Result<Option<Sent>, HistoryError>;

    /// As [`History::find`], for several messages at once, for one question to a back end on another machine.
    fn find_many(&self, messages: &[MessageKey<'_>]) -> Result<Vec<Option<Sent>>, HistoryError> {
        let find =
            |key: &MessageKey<'_>| self.find(&key.conversation, key.sender, key.client_msg_id);
        messages.iter().map(find).collect()
    }

    /// The oldest `limit` session events with a number above `after`, ascending.
    fn events(
        &self,
        conversation: &ConversationId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<(u64, Bytes)>, HistoryError>;

    /// Calls `visit` with every conversation's id and state, ids ascending, until it breaks: for
    /// rebuilding projections and for the doctor.
    fn conversations(
        &self,
        visit: &mut dyn FnMut(ConversationId, Bytes) -> ControlFlow<()>,
    ) -> Result<(), HistoryError>;
}
