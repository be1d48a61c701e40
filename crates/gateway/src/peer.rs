//! What the nodes of a cluster tell each other (`proto/peer/v1`): commands for loops and notices for nodes,
//! many in one batch on the bus.
//!
//! ```text
//! loop, gate, desk --Command--> Loops::send --other node--> Outbox --Batch--> bus
//! bus --Batch--> Loops::receive --Command--> loops of this node
//!                               '--Notice--> this node
//! ```
//! Batches may be lost. Then both ends forget what reached over the link between them and begin it anew
//! ([`Links`]): connections that are led over it end, clients come back and catch up, and each end tells the
//! other again who is connected, who looks at what, and how conversations are.

mod decode;
mod encode;
mod link;
mod outbox;
mod replies;

pub use decode::Malformed;
pub(crate) use decode::{Answering, Incoming, command as decode};
pub(crate) use encode::{command as encode, notice as encode_notice};
pub use link::{Links, Received};
pub use outbox::{Outbox, Waited};
pub use replies::Replies;

/// The answer to a request, for the node that asked.
pub(crate) fn answer(reply: u64, answer: crate::chat::port::Answer) -> v1::Command {
    encode::answer(replies::answered(reply, answer))
}

/// The same of a question for a tail.
pub(crate) fn tail_answer(
    reply: u64,
    tail: Result<frontdesk_dispatcher::Tail, &'static frontdesk_protocol::codes::ErrorCode>,
) -> v1::Command {
    encode::answer(replies::tail_answered(reply, tail))
}

use bytes::Bytes;
use frontdesk_core::id::{AccountId, ConversationId, InboxId};
use frontdesk_protocol::wire::Refusal;

/// The messages.
#[expect(missing_docs, reason = "generated; the proto file documents it")]
pub mod v1 {
    include!(concat!(env!("OUT_DIR"), "/frontdesk.peer.v1.rs"));
}

/// Number of no loop: the command is for the node.
const NODE: u32 = 0xffff;

/// What a node tells another one, beside commands for loops.
#[derive(Debug, Clone)]
pub enum Notice {
    /// Newest states of conversations, for the desks of their accounts.
    States(Vec<State>),
    /// A visitor's connection came or the last one went, for the desk of the account.
    VisitorPresence {
        /// The account.
        account: AccountId,
        /// The conversation.
        conversation: ConversationId,
        /// Came or went.
        online: bool,
    },
    /// What became of a proposal, for the desk of the account.
    Proposed {
        /// Whose desk.
        account: AccountId,
        /// The conversation it was for.
        conversation: ConversationId,
        /// The session version it expected.
        version: u32,
        /// Why it came to nothing; none if it was carried out.
        refused: Option<Refusal>,
    },
    /// Somebody of an inbox is online now, or nobody any more.
    Attended {
        /// The inbox.
        inbox: InboxId,
        /// Which of the two.
        attended: bool,
    },
}

/// A conversation as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// Which.
    pub conversation: ConversationId,
    /// The fold's state, encoded.
    pub state: Bytes,
    /// The log it comes from.
    pub log: u16,
    /// Every record of that log up to here is contained.
    pub offset: u64,
}
