//! The keys of the history: one table of key spaces, each with its exact layout, and the order they lie in.
//!
//! All key spaces share one keyspace of the engine. This is what makes a batch atomic for good: with a
//! keyspace each, one could be flushed to tables and another lose its share with a damaged journal, and
//! the offset would tell of entries that are gone. With one, whatever survives is everything up to some
//! batch.
//!
//! ```text
//! ByConversation   0x50 | conversation | tag | rest     what a conversation gathers
//!                  0x60 | tag | rest                    states of conversations, and rows of every batch
//! ByKind           tag | conversation | rest            how histories were made at first
//! ```
//!
//! Tables of an engine cover ranges of keys, and a merge writes anew whatever lies within the range of
//! what comes. Conversations that are new have the highest ids, so by conversation what is written lies at
//! the end, and years of older ones are left alone. By kind every table reaches from the first kind to the last.

use frontdesk_core::id::ConversationId;
use sha2::{Digest, Sha256};
use smallvec::SmallVec;

/// A key. The longest has 30 bytes.
pub(crate) type Key = SmallVec<[u8; 32]>;

/// The order in which keys lie. A history keeps the one it was made with; its mark tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// One kind of row behind the other.
    ByKind,
    /// One conversation behind the other, and behind all of them what is overwritten all the time.
    ByConversation,
}

/// First byte of what conversations gather, by conversation.
const GATHERED: u8 = 0x50;
/// First byte of the other rows, by conversation.
const OVERWRITTEN: u8 = 0x60;

/// One kind of key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct KeySpace {
    /// Tells it from the others.
    pub(crate) tag: u8,
    /// For reports.
    pub(crate) name: &'static str,
    /// What its keys tell.
    pub(crate) key: &'static str,
    /// What is stored.
    pub(crate) value: &'static str,
    /// Whether a conversation gathers many of them.
    is_gathered: bool,
    /// Length of the key without its tag and what tells the order.
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
    is_gathered: false,
    key_bytes: 0,
    value_bytes: Some(16),
};
/// How far each log was applied.
pub(crate) const APPLIED: KeySpace = KeySpace {
    tag: 0x02,
    name: "applied",
    key: "log u16 BE",
    value: "offset u64 LE",
    is_gathered: false,
    key_bytes: 2,
    value_bytes: Some(8),
};
/// Conversation states.
pub(crate) const STATE: KeySpace = KeySpace {
    tag: 0x10,
    name: "state",
    key: "conversation 12 bytes",
    value: "store.v1.ConversationState",
    is_gathered: false,
    key_bytes: 12,
    value_bytes: None,
};
/// Timelines.
pub(crate) const ENTRY: KeySpace = KeySpace {
    tag: 0x20,
    name: "entry",
    key: "conversation 12 bytes, seq u64 BE of its first entry",
    value: "a row of entries, see `run.rs`",
    is_gathered: true,
    key_bytes: 20,
    value_bytes: None,
};
/// Which `client_msg_id` became which entry.
pub(crate) const SENT: KeySpace = KeySpace {
    tag: 0x30,
    name: "sent",
    key: "conversation 12 bytes, first 16 bytes of SHA-256(sender bytes u32 LE, sender, id)",
    value: "seq u64 LE, content hash u64 LE",
    is_gathered: true,
    key_bytes: 28,
    value_bytes: Some(16),
};
/// The same for entries that came many at once: found by looking through a conversation's rows.
pub(crate) const SENT_RUN: KeySpace = KeySpace {
    tag: 0x31,
    name: "sent run",
    key: "conversation 12 bytes, seq u64 BE of its first id",
    value: "ids of a run, see `run.rs`",
    is_gathered: true,
    key_bytes: 20,
    value_bytes: None,
};
/// Session events.
pub(crate) const EVENT: KeySpace = KeySpace {
    tag: 0x40,
    name: "event",
    key: "conversation 12 bytes, number u64 BE",
    value: "chat.v1.SessionEvent",
    is_gathered: true,
    key_bytes: 20,
    value_bytes: None,
};

/// Behind every key of either order.
pub(crate) const AFTER_ALL: [u8; 1] = [0xff];
/// Every key space there is.
pub(crate) const CATALOG: [KeySpace; 7] = [BATCH, APPLIED, STATE, ENTRY, SENT, SENT_RUN, EVENT];

impl KeySpace {
    /// Whether a value can be one of this space.
    pub(crate) fn fits(&self, value: &[u8]) -> bool {
        self.value_bytes.is_none_or(|bytes| bytes == value.len())
    }
}

/// What a stored key tells.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Parsed {
    pub(crate) space: KeySpace,
    /// Of the spaces that have one.
    pub(crate) conversation: Option<ConversationId>,
    /// The seq or number, of the spaces that have one.
    pub(crate) number: Option<u64>,
}

impl Order {
    /// Every order, for what is not known yet.
    pub(crate) const ALL: [Self; 2] = [Self::ByKind, Self::ByConversation];

    /// The key of the newest batch's number.
    pub(crate) fn batch(self) -> Key {
        self.overwritten(BATCH, &[])
    }

    /// The key of a log's applied offset.
    pub(crate) fn applied(self, log: u16) -> Key {
        self.overwritten(APPLIED, &log.to_be_bytes())
    }

    /// The key of a conversation's state.
    pub(crate) fn state(self, conversation: &ConversationId) -> Key {
        self.overwritten(STATE, conversation.as_bytes())
    }

    /// The key of entries, ids or a session event.
    pub(crate) fn numbered(
        self,
        space: KeySpace,
        conversation: &ConversationId,
        number: u64,
    ) -> Key {
        self.gathered(space, conversation, &number.to_be_bytes())
    }

    /// The key under which a sender's id is found again.
    pub(crate) fn sent(
        self,
        conversation: &ConversationId,
        sender: &str,
        client_msg_id: &[u8],
    ) -> Key {
        self.gathered(SENT, conversation, &sent_hash(sender, client_msg_id))
    }

    fn overwritten(self, space: KeySpace, rest: &[u8]) -> Key {
        let mut key = Key::new();
        if self == Self::ByConversation {
            key.push(OVERWRITTEN);
        }
        key.push(space.tag);
        key.extend_from_slice(rest);
        key
    }

    fn gathered(self, space: KeySpace, conversation: &ConversationId, rest: &[u8]) -> Key {
        let mut key = Key::new();
        let (before, behind) = match self {
            Self::ByKind => (space.tag, None),
            Self::ByConversation => (GATHERED, Some(space.tag)),
        };
        key.push(before);
        key.extend_from_slice(conversation.as_bytes());
        key.extend(behind);
        key.extend_from_slice(rest);
        key
    }

    /// What a stored key tells; `None` if there is no such key in this order.
    pub(crate) fn parse(self, key: &[u8]) -> Option<Parsed> {
        const ID: usize = size_of::<ConversationId>();
        let (first, behind) = key.split_first()?;
        let (tag, rest) = match (self, *first) {
            (Self::ByKind, tag) => (tag, Key::from_slice(behind)),
            (Self::ByConversation, GATHERED) => {
                let tag = *behind.get(ID)?;
                (tag, [&behind[..ID], &behind[ID + 1..]].concat().into())
            }
            (Self::ByConversation, OVERWRITTEN) => {
                let (tag, rest) = behind.split_first()?;
                (*tag, Key::from_slice(rest))
            }
            (Self::ByConversation, _) => return None,
        };
        let space = CATALOG.into_iter().find(|space| {
            let lies_there = self == Self::ByKind || space.is_gathered == (*first == GATHERED);
            space.tag == tag && space.key_bytes == rest.len() && lies_there
        })?;
        let conversation = rest.first_chunk().map(|id| ConversationId::from_bytes(*id));
        let number = if rest.len() == ID + 8 { number_of(&rest) } else { None };
        Some(Parsed { space, conversation, number })
    }
}

/// The seq or number at the end of a key of entries, ids or an event.
pub(crate) fn number_of(key: &[u8]) -> Option<u64> {
    Some(u64::from_be_bytes(*key.last_chunk()?))
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

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: ConversationId = ConversationId::from_bytes([7; 12]);
    const NEW: ConversationId = ConversationId::from_bytes([8; 12]);

    fn of_all_spaces(order: Order, conversation: &ConversationId) -> [(KeySpace, Key); 7] {
        [
            (BATCH, order.batch()),
            (APPLIED, order.applied(3)),
            (STATE, order.state(conversation)),
            (ENTRY, order.numbered(ENTRY, conversation, 1)),
            (SENT, order.sent(conversation, "a", b"b")),
            (SENT_RUN, order.numbered(SENT_RUN, conversation, 1)),
            (EVENT, order.numbered(EVENT, conversation, 1)),
        ]
    }

    #[test]
    fn keys_tell_what_they_are() {
        for order in Order::ALL {
            for (space, key) in of_all_spaces(order, &OLD) {
                assert!(!key.spilled() && key[..] < AFTER_ALL[..]);
                let conversation = (![BATCH, APPLIED].contains(&space)).then_some(OLD);
                let number = [ENTRY, SENT_RUN, EVENT].contains(&space).then_some(1);
                assert_eq!(order.parse(&key), Some(Parsed { space, conversation, number }));
                assert_eq!(order.parse(&key[..key.len() - 1]), None, "too short");
                let other = Order::ALL.into_iter().find(|other| *other != order);
                assert_eq!(other.and_then(|other| other.parse(&key)), None, "of the other order");
            }
            assert_eq!(order.parse(&[]), None);
        }
    }

    #[test]
    fn entries_of_a_conversation_sort_by_seq() {
        for order in Order::ALL {
            assert!(order.numbered(ENTRY, &OLD, 255) < order.numbered(ENTRY, &OLD, 256));
            assert!(order.numbered(ENTRY, &OLD, u64::MAX) < order.numbered(ENTRY, &NEW, 0));
        }
    }

    #[test]
    fn what_a_new_conversation_writes_lies_behind_what_older_ones_gathered() {
        let old = of_all_spaces(Order::ByConversation, &OLD);
        let gathered = old.iter().filter(|(space, _)| space.is_gathered);
        let newest = gathered.map(|(_, key)| key).max();
        let new = of_all_spaces(Order::ByConversation, &NEW);
        assert!(new.iter().all(|(_, key)| Some(key) > newest));
    }

    #[test]
    fn sender_and_id_do_not_run_into_each_other() {
        let sent = |sender, id| Order::ByConversation.sent(&OLD, sender, id);
        assert_ne!(sent("ab", b"c"), sent("a", b"bc"));
    }
}
