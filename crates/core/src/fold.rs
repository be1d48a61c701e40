//! The fold: turns the proposals of a message log, in log order, into numbered entries, session
//! events and the conversation's next state. Called by the dispatcher after the log's sync.
//!
//! The result depends on the log's order and on what earlier records led to, on nothing else, so that
//! every owner of a partition and every restart comes to the same numbers. A proposal that the state
//! forbids is refused and changes nothing.
//!
//! ```text
//! ask(state, proposal) -> what the history has to tell first (seldom anything)
//! fold(id, &mut state, proposal, earlier) -> Folded { verdict, entries, events, replaced, files, cursor }
//! ```

mod change;
mod content;
mod conversation;
mod cursor;
mod dedupe;
mod reader;
mod recent;
mod send;
mod session;
mod text;

#[cfg(test)]
mod machine;
#[cfg(test)]
mod model;
#[cfg(test)]
mod scenarios;

use smallvec::SmallVec;

pub use conversation::{Conversation, DecodeError, FORMAT};
pub use dedupe::{Dedupe, content_hash};
pub use reader::{concerns_visitor, for_reader, hide_from_visitor, session_for_visitor};
pub use recent::Recent;
pub use session::is_bots;
pub use text::TEXT_KEYS;

use crate::{
    chat,
    id::{ConversationId, MessageId},
    store,
};

/// What the state does not know and the history has to tell before a proposal can be folded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ask<'a> {
    /// Nothing: the usual case.
    Nothing,
    /// Whether this sender's message with this id was stored: answer with [`Earlier::Sent`].
    Sent {
        /// Who sends.
        sender: &'a str,
        /// The id in question.
        client_msg_id: &'a [u8],
    },
    /// The stored entries of these seqs, both included: answer with [`Earlier::Entries`].
    Entries {
        /// The first.
        from_seq: u64,
        /// The last.
        to_seq: u64,
    },
}

/// What the history answered to an [`Ask`].
#[derive(Debug, Clone, PartialEq)]
pub enum Earlier {
    /// The message was stored before.
    Sent {
        /// The place it got.
        seq: u64,
        /// What [`content_hash`] said of it then.
        content_hash: u64,
        /// The time it got.
        at_ms: i64,
        /// The id it got.
        id: MessageId,
    },
    /// The stored entries that were asked for, ascending.
    Entries(Vec<chat::Entry>),
}

/// What became of one proposal.
#[derive(Debug, Clone, PartialEq)]
pub struct Folded {
    /// The answer to whoever proposed it.
    pub verdict: Verdict,
    /// New timeline entries, numbered, ascending.
    pub entries: SmallVec<[chat::Entry; 1]>,
    /// New session events; the state's session is the one after the last of them.
    pub events: Vec<chat::SessionEvent>,
    /// What [`content_hash`] says of the message, if it is one.
    pub content_hash: u64,
    /// Earlier entries whose stored content is replaced by these tombstones.
    pub replaced: Vec<chat::Entry>,
    /// Ids of files the replaced entries carried: nobody may have them any more.
    pub files: Vec<String>,
    /// A receipt cursor that moved.
    pub cursor: Option<chat::Cursor>,
    /// This proposal created the conversation.
    pub created: bool,
}

impl Folded {
    fn nothing(verdict: Verdict) -> Self {
        Self {
            verdict,
            entries: SmallVec::new(),
            events: Vec::new(),
            content_hash: 0,
            replaced: Vec::new(),
            files: Vec::new(),
            cursor: None,
            created: false,
        }
    }
}

impl From<Refused> for Folded {
    fn from(refused: Refused) -> Self {
        Self::nothing(Verdict::Refused(refused))
    }
}

/// The answer to whoever proposed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The message (or retraction) has its place.
    Accepted {
        /// Its place.
        seq: u64,
        /// Its time.
        at_ms: i64,
        /// Its id.
        id: MessageId,
    },
    /// The message was stored before; this is the place it got then.
    Repeat {
        /// Its place.
        seq: u64,
        /// Its time.
        at_ms: i64,
        /// Its id.
        id: MessageId,
    },
    /// Carried out.
    Done,
    /// Everything is as asked for already.
    Unchanged,
    /// The state forbids it; nothing changed.
    Refused(Refused),
}

/// Why a proposal changed nothing. [`Refused::code`] names the line of the table of error codes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// No such conversation, or the actor is not of it.
    #[error("unknown conversation")]
    UnknownConversation,
    /// The router let something pass that it should not have.
    #[error("malformed proposal: {0}")]
    Malformed(&'static str),
    /// Another message of this sender has the same client_msg_id.
    #[error("client_msg_id was used for another message")]
    IdReused,
    /// The actor may not speak to this audience.
    #[error("audience not allowed")]
    Audience,
    /// The quoted entry does not exist.
    #[error("quoted entry does not exist")]
    Quote,
    /// There is no entry with this seq.
    #[error("no entry with this seq")]
    SeqUnknown,
    /// Only the author may take a message back.
    #[error("not the author")]
    NotAuthor,
    /// The entry's content is gone already.
    #[error("content is gone already")]
    Gone,
    /// The session changed meanwhile.
    #[error("the session is at version {current}")]
    Version {
        /// Where it stands.
        current: u32,
    },
    /// Somebody else has the session.
    #[error("the session is taken")]
    Taken {
        /// The owner's display name, or id without one.
        by: String,
    },
    /// Only the owner may do this.
    #[error("not the owner")]
    NotOwner,
    /// The session is closed.
    #[error("the session is closed")]
    Closed,
    /// The session is closed already.
    #[error("the session is closed already")]
    AlreadyClosed,
    /// The session is open.
    #[error("the session is open")]
    Open,
    /// Only a queued session can do this.
    #[error("the session is not queued")]
    NotQueued,
    /// Nobody served the visitor yet, so there is nothing to rate.
    #[error("there is nothing to rate")]
    NothingToRate,
    /// The session may not close by itself while the visitor waits.
    #[error("the visitor waits")]
    VisitorWaits,
    /// The reason given for requeueing no longer holds.
    #[error("the visitor does not wait")]
    NobodyWaits,
    /// A priority, rating or time is out of range.
    #[error("value out of range")]
    Value,
    /// The agent or team it should go to is missing.
    #[error("no target")]
    Target,
    /// No further participant fits in.
    #[error("too many participants")]
    Full,
}

impl Refused {
    /// The stable code of the table in the protocol crate.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::UnknownConversation => "conversation.unknown",
            Self::Malformed(_) => "request.invalid",
            Self::IdReused => "message.id_reused",
            Self::Audience => "message.audience",
            Self::Quote => "message.quote",
            Self::SeqUnknown => "message.unknown",
            Self::NotAuthor => "message.not_author",
            Self::Gone => "message.gone",
            Self::Version { .. } | Self::VisitorWaits | Self::NobodyWaits => "session.version",
            Self::Taken { .. } => "session.taken",
            Self::NotOwner => "session.not_owner",
            Self::Closed | Self::AlreadyClosed => "session.closed",
            Self::Open => "session.open",
            Self::NotQueued => "session.not_queued",
            Self::NothingToRate => "session.not_ratable",
            Self::Value | Self::Full => "session.value",
            Self::Target => "session.target",
        }
    }

    /// What the refusal adds for people: who has the session.
    pub fn detail(&self) -> String {
        match self {
            Self::Taken { by } => by.clone(),
            _ => String::new(),
        }
    }
}

/// Says what the history has to tell before this proposal can be folded.
pub fn ask<'a>(state: Option<&Conversation>, proposal: &'a store::Proposal) -> Ask<'a> {
    use store::proposal::Body;
    let Some(state) = state else { return Ask::Nothing };
    match &proposal.body {
        Some(Body::Send(send)) => {
            let sender = proposal.actor.as_ref().map_or("", |actor| actor.id.as_str());
            if state.senders.must_ask(sender, &send.client_msg_id) {
                Ask::Sent { sender, client_msg_id: &send.client_msg_id }
            } else {
                Ask::Nothing
            }
        }
        Some(Body::Retract(retract)) if (1..=state.last_seq()).contains(&retract.seq) => {
            Ask::Entries { from_seq: retract.seq, to_seq: retract.seq }
        }
        Some(Body::Erase(erase)) if content::erasable(state, erase) => {
            Ask::Entries { from_seq: erase.from_seq, to_seq: erase.to_seq }
        }
        _ => Ask::Nothing,
    }
}

/// Folds one proposal. `state` is `None` while the conversation is unknown: a send with an origin
/// creates it. `earlier` answers [`ask`]; `None` means that the history knows nothing.
///
/// The entry takes the proposal's content by value; the state is edited in place.
pub fn fold(
    id: ConversationId,
    state: &mut Option<Conversation>,
    proposal: store::Proposal,
    earlier: Option<Earlier>,
) -> Folded {
    use store::proposal::Body;
    debug_assert!(proposal.conversation.is_empty() || proposal.conversation == id.as_bytes()[..]);
    let Some(actor) = proposal.actor else { return Refused::Malformed("no actor").into() };
    let Some(body) = proposal.body else { return Refused::Malformed("unknown kind").into() };
    if state.is_none() {
        return match body {
            Body::Send(send) => send::create(state, actor, proposal.at_ms, send),
            _ => Refused::UnknownConversation.into(),
        };
    }
    let Some(state) = state else { return Refused::UnknownConversation.into() };
    let stranger = actor.kind == chat::ActorKind::Visitor as i32
        && state.state.origin.as_ref().is_some_and(|origin| origin.visitor != actor.id);
    if stranger {
        return Refused::UnknownConversation.into();
    }
    let at_ms = proposal.at_ms;
    let folded = match body {
        Body::Send(send) => send::fold(state, actor, at_ms, send, earlier.as_ref()),
        Body::Retract(retract) => content::retract(state, actor, at_ms, &retract, earlier),
        Body::Erase(erase) => content::erase(state, &erase, earlier),
        Body::Change(change) => change::fold(state, &actor, at_ms, change),
        Body::Cursor(moved) => Ok(cursor::fold(state, actor, &moved)),
    };
    folded.unwrap_or_else(Folded::from)
}
