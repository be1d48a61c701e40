//! The states of a connection, as types: waiting for its first frame, being authenticated, then a
//! visitor's or an agent's.

use std::{net::IpAddr, sync::Arc};

use frontdesk_core::id::{ConversationId, UserId};
use frontdesk_protocol::{Encoding, wire::Hello};
use frontdesk_router::access::Principal;
use smallvec::SmallVec;

use super::{
    elsewhere::SentElsewhere,
    gcra::Gcra,
    port::{InboxFacts, VisitorIdentity},
    resume::Resuming,
};
use crate::edge::ConnId;

/// One connection as the chat service sees it. Small: an idle one holds nothing else.
#[derive(Debug)]
pub(super) struct Conn {
    pub(super) id: ConnId,
    pub(super) encoding: Encoding,
    pub(super) peer: IpAddr,
    pub(super) state: State,
    pub(super) limit: Gcra,
    /// Its client says hello again on the same connection where it is asked to (`Rejoin`).
    pub(super) can_rejoin: bool,
    /// UTC seconds, when something was last received from and sent to it.
    pub(super) heard_s: u32,
    pub(super) sent_s: u32,
    /// Proposals of one turn, and which turn.
    pub(super) in_flight: u16,
    pub(super) in_flight_turn: u32,
}

impl Conn {
    /// One that has said nothing yet, at `now_s` (UTC, seconds).
    pub(super) fn new(
        id: ConnId,
        (encoding, peer): (Encoding, IpAddr),
        origin: Option<String>,
        now_s: u32,
    ) -> Self {
        Self {
            id,
            encoding,
            peer,
            state: State::Waiting {
                origin: origin.map(String::into_boxed_str),
                is_rejoining: false,
            },
            limit: Gcra::default(),
            can_rejoin: false,
            heard_s: now_s,
            sent_s: now_s,
            in_flight: 0,
            in_flight_turn: 0,
        }
    }
}

/// How far a connection has come.
#[derive(Debug)]
pub(super) enum State {
    /// Upgraded; nothing received. Holds the `Origin` header until the gate has seen it. One that was asked to
    /// rejoin may still send what it sent before it read that.
    Waiting { origin: Option<Box<str>>, is_rejoining: bool },
    /// The gate looks at its first frame.
    Authenticating { hello: Box<Hello>, reference: u32 },
    /// Served on another node, by this loop of it, which owns the partition; once something came from there.
    Tunnel { to: u16, partition: u16, is_served: bool },
    /// A visitor, on the loop of its conversation.
    Visitor(VisitorConn),
    /// Somebody with an account.
    Agent(Box<AgentConn>),
}

/// A visitor's live connection.
#[derive(Debug)]
pub(super) struct VisitorConn {
    pub(super) inbox: Arc<InboxFacts>,
    pub(super) principal: Arc<Principal>,
    pub(super) conversation: ConversationId,
    /// The site has said who it is.
    pub(super) identified: bool,
    /// What the first message creates, encoded, because idle visitors are many; dropped once it is
    /// stored.
    pub(super) origin: Option<Box<[u8]>>,
}

/// An agent's live connection.
#[derive(Debug)]
pub(super) struct AgentConn {
    pub(super) principal: Arc<Principal>,
    pub(super) user: Option<UserId>,
    pub(super) login: Box<str>,
    /// Conversations it looks at, on whatever loop.
    pub(super) open: SmallVec<[ConversationId; 4]>,
    /// What is left of a resume; nobody has heard of the connection before it is done.
    pub(super) resuming: Option<Box<Resuming>>,
    pub(super) sent_elsewhere: SentElsewhere,
}

/// What travels with a visitor's connection to the loop of its conversation.
#[derive(Debug)]
pub struct Moved {
    pub(super) encoding: Encoding,
    pub(super) peer: IpAddr,
    pub(super) limit: Gcra,
    pub(super) hello: Box<Hello>,
    pub(super) reference: u32,
    pub(super) identity: Box<VisitorIdentity>,
}
