//! What hosts say to each other.
//!
//! A message lies in a table of the run, and what travels is its number: turmoil decides whether and when that
//! arrives, as it would for the bytes.

use std::{cell::RefCell, collections::BTreeSet, sync::Arc};

use bytes::Bytes;
use frontdesk_core::chat;
use frontdesk_storage::{Batch, Offset};

use crate::database::Refusal;

/// Bytes of a message on the network.
pub(crate) const BYTES: usize = 8;
/// Where every host listens.
pub(crate) const PORT: u16 = 9_000;
/// The hosts that are no nodes.
pub(crate) const GROUP: &str = "group";
pub(crate) const LOG: &str = "log";
pub(crate) const HISTORY: &str = "history";

/// A record: the bucket it says it is of, and the encoded proposal.
pub(crate) type Stored = (u16, Bytes);
/// The id a sender gives a message.
pub(crate) type ClientMsgId = Bytes;

/// Who takes part: a conversation's number and whether it is the agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Part {
    pub(crate) conversation: u8,
    pub(crate) is_agent: bool,
}

#[derive(Debug, Clone)]
pub(crate) enum Message {
    // A node and the group.
    Beat {
        node: usize,
        life: u64,
        seen: u64,
        holds: BTreeSet<u16>,
    },
    Assigned {
        version: u64,
        partitions: BTreeSet<u16>,
    },

    // A node and the log.
    Append {
        partition: u16,
        producer: u64,
        piece: usize,
        records: Arc<Vec<Stored>>,
    },
    Appended {
        producer: u64,
        piece: usize,
        first: Offset,
    },
    Fetch {
        call: u64,
        partition: u16,
        from: Offset,
    },
    Fetched {
        call: u64,
        records: Vec<Stored>,
    },

    // A node and the history.
    Ping,
    Pong,
    Progress {
        call: u64,
        log: u16,
    },
    Own {
        call: u64,
        log: u16,
        epoch: u64,
    },
    Owned {
        call: u64,
        owned: Result<(u64, Offset), Refusal>,
    },
    Apply {
        call: u64,
        epoch: u64,
        known: Offset,
        batch: Arc<Batch>,
    },
    Applied {
        call: u64,
        applied: Result<Offset, Refusal>,
    },

    // A client and a node.
    Hello {
        part: Part,
        held: Option<u64>,
    },
    Elsewhere,
    Welcome {
        conversation: u8,
        recovered: bool,
        entries: Vec<chat::Entry>,
    },
    Send {
        id: ClientMsgId,
        text: String,
    },
    Do(Deed),
    Ack {
        id: ClientMsgId,
        seq: u64,
    },
    Rejected {
        id: ClientMsgId,
    },
    /// No answer will come to something that was sent.
    Failed,
    Entries {
        conversation: u8,
        entries: Vec<chat::Entry>,
    },
    Alive,
}

/// What a client does beside sending; nobody does it again when no answer comes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Deed {
    Retract(u64),
    Read(u64),
    Assign,
    Close,
}

thread_local! {
    static TABLE: RefCell<Vec<Message>> = const { RefCell::new(Vec::new()) };
}

/// Begins a run.
pub(crate) fn clear() {
    TABLE.with_borrow_mut(Vec::clear);
}

pub(crate) fn post(message: Message) -> [u8; BYTES] {
    TABLE.with_borrow_mut(|table| {
        table.push(message);
        (table.len() as u64 - 1).to_be_bytes()
    })
}

pub(crate) fn open(bytes: [u8; BYTES]) -> Message {
    TABLE.with_borrow(|table| table[u64::from_be_bytes(bytes) as usize].clone())
}

/// Milliseconds since the run began; hosts agree on them.
pub(crate) fn now_ms() -> i64 {
    turmoil::sim_elapsed().map_or(0, |elapsed| elapsed.as_millis() as i64)
}
