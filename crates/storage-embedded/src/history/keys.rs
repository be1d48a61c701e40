//! The keys of the history: one table of key spaces, each with its exact layout.
//!
//! All key spaces share one keyspace of the engine, told apart by the first byte. This is what
//! makes a batch atomic for good: with a keyspace each, one could be flushed to tables and another
//! lose its share with a damaged journal, and the offset would tell of entries that are gone. With
//! one, whatever survives is everything up to some batch.

use frontdesk_core::id::ConversationId;
use sha2::{Digest, Sha256};

/// One kind of key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct KeySpace {
    /// The first byte of its keys.
    pub(crate) tag: u8,
    /// For reports.
    pub(crate) name: &'static str,
    /// What follows the tag.
    pub(crate) key: &'static str,
    /// What is stored.
    pub(crate) value: &'static str,
    key_bytes: usize,
    /// Length of the value if it is fixed.
    value_bytes: Option<usize>,
}

/// The newest batch, for the chain of batches (`engine::Chain`).
pub(crate) const BATCH: KeySpace = KeySpace {
    tag: 0x01,
    name: "batch",
    key: "nothing",
    value: "number u64 LE, floor of the engine's sequence number u64 LE",
    key_bytes: 0,
    value_bytes: Some(16),
};
/// How far each log was applied.
pub(crate) const APPLIED: KeySpace = KeySpace {
    tag: 0x02,
    name: "applied",
    key: "log u16 BE",
    value: "offset u64 LE",
    key_bytes: 2,
    value_bytes: Some(8),
};
/// Conversation states.
pub(crate) const STATE: KeySpace = KeySpace {
    tag: 0x10,
    name: "state",
    key: "conversation 12 bytes",
    value: "store.v1.ConversationState",
    key_bytes: 12,
    value_bytes: None,
};
/// Timelines.
pub(crate) const ENTRY: KeySpace = KeySpace {
    tag: 0x20,
    name: "entry",
    key: "conversation 12 bytes, seq u64 BE of its first entry",
    value: "a row of entries, see `run.rs`",
    key_bytes: 20,
    value_bytes: None,
};
/// Which `client_msg_id` became which entry.
pub(crate) const SENT: KeySpace = KeySpace {
    tag: 0x30,
    name: "sent",
    key: "conversation 12 bytes, first 16 bytes of SHA-256(sender bytes u32 LE, sender, id)",
    value: "seq u64 LE, content hash u64 LE",
    key_bytes: 28,
    value_bytes: Some(16),
};
/// The same for entries that came many at once: found by looking through a conversation's rows.
pub(crate) const SENT_RUN: KeySpace = KeySpace {
    tag: 0x31,
    name: "sent run",
    key: "conversation 12 bytes, seq u64 BE of its first id",
    value: "ids of a run, see `run.rs`",
    key_bytes: 20,
    value_bytes: None,
};
/// Session events.
pub(crate) const EVENT: KeySpace = KeySpace {
    tag: 0x40,
    name: "event",
    key: "conversation 12 bytes, number u64 BE",
    value: "chat.v1.SessionEvent",
    key_bytes: 20,
    value_bytes: None,
};

/// Behind every key: no tag is so high.
pub(crate) const AFTER_ALL: [u8; 1] = [0xff];
/// Every key space there is.
pub(crate) const CATALOG: [KeySpace; 7] = [BATCH, APPLIED, STATE, ENTRY, SENT, SENT_RUN, EVENT];

impl KeySpace {
    /// The key space of a stored key; `None` if there is no such key.
    pub(crate) fn of(key: &[u8]) -> Option<Self> {
        let (tag, rest) = key.split_first()?;
        CATALOG.into_iter().find(|space| space.tag == *tag && space.key_bytes == rest.len())
    }

    /// Whether a value can be one of this space.
    pub(crate) fn fits(&self, value: &[u8]) -> bool {
        self.value_bytes.is_none_or(|bytes| bytes == value.len())
    }
}

/// The key of the newest batch's number.
pub(crate) fn batch() -> [u8; 1] {
    [BATCH.tag]
}

/// The key of a log's applied offset.
pub(crate) fn applied(log: u16) -> [u8; 3] {
    let [high, low] = log.to_be_bytes();
    [APPLIED.tag, high, low]
}

/// The key of a conversation's state.
pub(crate) fn state(conversation: &ConversationId) -> [u8; 13] {
    let mut key = [STATE.tag; 13];
    key[1..].copy_from_slice(conversation.as_bytes());
    key
}

/// The key of entries, ids or a session event.
pub(crate) fn numbered(space: KeySpace, conversation: &ConversationId, number: u64) -> [u8; 21] {
    let mut key = [space.tag; 21];
    key[1..13].copy_from_slice(conversation.as_bytes());
    key[13..].copy_from_slice(&number.to_be_bytes());
    key
}

/// The key under which a sender's id is found again.
pub(crate) fn sent(conversation: &ConversationId, sender: &str, client_msg_id: &[u8]) -> [u8; 29] {
    let mut key = [SENT.tag; 29];
    key[1..13].copy_from_slice(conversation.as_bytes());
    key[13..].copy_from_slice(&sent_hash(sender, client_msg_id));
    key
}

/// What stands for a sender and its id. The hash is a cryptographic one: a sender cannot choose ids
/// that are taken for each other.
pub(crate) fn sent_hash(sender: &str, client_msg_id: &[u8]) -> [u8; 16] {
    let mut hash = Sha256::new();
    hash.update((sender.len() as u32).to_le_bytes());
    hash.update(sender.as_bytes());
    hash.update(client_msg_id);
    let hash: [u8; 32] = hash.finalize().into();
    *hash.first_chunk().expect("a SHA-256 has 32 bytes")
}

/// The conversation in a key of the spaces that have one.
pub(crate) fn conversation_of(key: &[u8]) -> Option<ConversationId> {
    let bytes = key.get(1..13)?.try_into().ok()?;
    Some(ConversationId::from_bytes(bytes))
}

/// The seq or number at the end of a key.
pub(crate) fn number_of(key: &[u8]) -> Option<u64> {
    Some(u64::from_be_bytes(key.get(13..21)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_spaces_are_told_apart_by_tag_and_length() {
        let conversation = ConversationId::from_bytes([7; 12]);
        assert_eq!(KeySpace::of(&batch()), Some(BATCH));
        assert_eq!(KeySpace::of(&applied(3)), Some(APPLIED));
        assert_eq!(KeySpace::of(&state(&conversation)), Some(STATE));
        assert_eq!(KeySpace::of(&numbered(ENTRY, &conversation, 1)), Some(ENTRY));
        assert_eq!(KeySpace::of(&numbered(EVENT, &conversation, 1)), Some(EVENT));
        assert_eq!(KeySpace::of(&sent(&conversation, "a", b"b")), Some(SENT));
        assert_eq!(KeySpace::of(&numbered(SENT_RUN, &conversation, 1)), Some(SENT_RUN));
        assert_eq!(KeySpace::of(&[STATE.tag, 1]), None);
        assert_eq!(KeySpace::of(&[]), None);
        for (index, space) in CATALOG.iter().enumerate() {
            assert!(CATALOG[index + 1..].iter().all(|other| other.tag > space.tag));
        }
    }

    #[test]
    fn entries_of_a_conversation_sort_by_seq() {
        let conversation = ConversationId::from_bytes([7; 12]);
        assert!(numbered(ENTRY, &conversation, 255) < numbered(ENTRY, &conversation, 256));
        assert_eq!(number_of(&numbered(ENTRY, &conversation, 256)), Some(256));
        assert_eq!(conversation_of(&state(&conversation)), Some(conversation));
    }

    #[test]
    fn sender_and_id_do_not_run_into_each_other() {
        let conversation = ConversationId::from_bytes([7; 12]);
        assert_ne!(sent(&conversation, "ab", b"c"), sent(&conversation, "a", b"bc"));
    }
}
