//! Commands and notices as they come from another node.

use std::sync::Arc;

use bytes::Bytes;
use frontdesk_core::{
    id::{ConversationId, Xid},
    rights::Right,
};
use frontdesk_protocol::{Encoded, Encoding};
use frontdesk_router::access::{Principal, PrincipalKind};
use smallvec::SmallVec;
use tokio::sync::oneshot;

use super::{
    NODE, Notice, State,
    v1::{self, command::Command as Peer},
};
use crate::{
    chat::port::{Answer, Command, Delivery, Reply, TailReply, Tunnelled},
    edge::{ConnId, ConnRef},
};

/// What came from another node cannot be read: it runs something else, or it is broken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a message of another node cannot be read: {0}")]
pub struct Malformed(pub(super) String);

impl Malformed {
    pub(super) fn of(what: &str) -> Self {
        Self(format!("it has no valid {what}"))
    }
}

/// What a command is for.
#[derive(Debug)]
pub(crate) enum Incoming {
    /// A loop of this node.
    Loop(u16, Command),
    /// This node.
    Notice(Notice),
    /// Whoever waits for the answer.
    Answer(v1::Answer),
}

/// Where the answers of requests go, by the number the other node gave them.
pub(crate) trait Answering {
    /// A channel whose answer goes to that node.
    fn answer(&self, reply: u64) -> oneshot::Sender<Answer>;
    /// The same for a tail.
    fn tail(&self, reply: u64) -> TailReply;
}

/// Takes a command apart.
pub(crate) fn command(
    command: v1::Command,
    answering: &dyn Answering,
) -> Result<Incoming, Malformed> {
    let v1::Command { r#loop: number, command } = command;
    let Some(command) = command else {
        return Err(Malformed("it is of a kind that this version does not know".to_owned()));
    };
    if number == NODE {
        return match command {
            Peer::Answer(answer) => Ok(Incoming::Answer(answer)),
            other => notice(other).map(Incoming::Notice),
        };
    }
    let loop_number = u16::try_from(number).map_err(|_| Malformed::of("loop"))?;
    let command = match command {
        Peer::Frame(v1::Frame { from, principal, frame }) => Command::Frame {
            from: conn(from)?,
            principal: self::principal(principal)?,
            frame: Box::new(frame.ok_or_else(|| Malformed::of("frame"))?),
        },
        Peer::Request(v1::Request { reply, principal, frame }) => Command::Request {
            principal: self::principal(principal)?,
            frame: Box::new(frame.ok_or_else(|| Malformed::of("frame"))?),
            reply: answering.answer(reply),
        },
        Peer::Propose(v1::Propose {
            conversation,
            proposal,
            desk_account,
            desk_version,
            reply,
        }) => Command::Propose {
            conversation: id(&conversation)?,
            proposal: Box::new(proposal.ok_or_else(|| Malformed::of("proposal"))?),
            reply: if desk_account.is_empty() {
                Reply::Once(answering.answer(reply))
            } else {
                Reply::Desk { account: id(&desk_account)?, version: desk_version }
            },
        },
        Peer::Tail(v1::TailAsked { reply, conversation }) => {
            Command::Tail { conversation: id(&conversation)?, reply: answering.tail(reply) }
        }
        Peer::Deliver(v1::Deliver { to, frame }) => Command::Deliver(vec![Delivery {
            to: to.into_iter().map(conn_id).collect::<SmallVec<_>>(),
            frame: self::frame(frame)?,
        }]),
        Peer::HeldAnswered(conn) => Command::HeldAnswered { conn: conn_id(conn) },
        Peer::UserConn(v1::UserConn { account, user, conn: of, present }) => {
            Command::UserConn { account: id(&account)?, user: id(&user)?, conn: conn(of)?, present }
        }
        Peer::Revoke(v1::Revoke { user, account, login, code }) => Command::Revoke {
            user: id(&user)?,
            account: if account.is_empty() { None } else { Some(id(&account)?) },
            login: (!login.is_empty()).then_some(login),
            code: close_code(code)?,
        },
        Peer::RevokeKey(v1::RevokeKey { account, key, code }) => {
            Command::RevokeKey { account: id(&account)?, key: id(&key)?, code: close_code(code)? }
        }
        Peer::ToVisitor(v1::ToVisitor { conversation, frame }) => {
            Command::ToVisitor { conversation: id(&conversation)?, frame: self::frame(frame)? }
        }
        Peer::ToUser(v1::ToUser { account, user, frame }) => {
            Command::ToUser { account: id(&account)?, user: id(&user)?, frame: self::frame(frame)? }
        }
        Peer::ToAccount(v1::ToAccount { account, frame }) => {
            Command::ToAccount { account: id(&account)?, frame: self::frame(frame)? }
        }
        Peer::Attended(v1::Attended { inbox, attended }) => {
            Command::Attended { inbox: id(&inbox)?, attended }
        }
        Peer::Arrive(v1::Arrive { home, encoding, peer, origin, reference, hello }) => {
            Command::Tunnel(Box::new(Tunnelled {
                home: conn(home)?,
                encoding: match encoding {
                    1 => Encoding::Proto,
                    2 => Encoding::Json,
                    _ => return Err(Malformed::of("encoding")),
                },
                peer: peer.parse().map_err(|_| Malformed::of("address"))?,
                origin,
                reference,
                hello: Box::new(hello.ok_or_else(|| Malformed::of("hello"))?),
            }))
        }
        Peer::TunnelMessage(v1::TunnelMessage { home, message }) => {
            Command::TunnelMessage { home: conn(home)?, message }
        }
        Peer::TunnelClosed(home) => Command::TunnelClosed { home: conn(Some(home))? },
        Peer::TunnelBytes(v1::TunnelBytes { home, frames }) => {
            Command::TunnelBytes { conn: conn(home)?.conn, frames }
        }
        Peer::TunnelEnd(v1::TunnelEnd { home, code, reason }) => {
            Command::TunnelEnd { conn: conn(home)?.conn, code: close_code(code)?, reason }
        }
        Peer::Unserved(of) => Command::Unserved { conn: conn_id(of) },
        Peer::Answer(_) | Peer::States(_) | Peer::VisitorPresence(_) | Peer::Proposed(_) => {
            return Err(Malformed::of("loop"));
        }
    };
    Ok(Incoming::Loop(loop_number, command))
}

fn notice(command: Peer) -> Result<Notice, Malformed> {
    Ok(match command {
        Peer::States(v1::States { states }) => Notice::States(
            states
                .into_iter()
                .map(|state| {
                    Ok(State {
                        conversation: id(&state.conversation)?,
                        state: state.state,
                        log: u16::try_from(state.log).map_err(|_| Malformed::of("log"))?,
                        offset: state.offset,
                    })
                })
                .collect::<Result<_, Malformed>>()?,
        ),
        Peer::VisitorPresence(v1::VisitorPresence { account, conversation, online }) => {
            Notice::VisitorPresence {
                account: id(&account)?,
                conversation: id::<ConversationId>(&conversation)?,
                online,
            }
        }
        Peer::Proposed(v1::Proposed { account, conversation, version, refused }) => {
            Notice::Proposed {
                account: id(&account)?,
                conversation: id(&conversation)?,
                version,
                refused,
            }
        }
        Peer::Attended(v1::Attended { inbox, attended }) => {
            Notice::Attended { inbox: id(&inbox)?, attended }
        }
        _ => return Err(Malformed::of("loop")),
    })
}

fn conn(of: Option<v1::ConnRef>) -> Result<ConnRef, Malformed> {
    let of = of.ok_or_else(|| Malformed::of("connection"))?;
    let loop_index = u16::try_from(of.r#loop).map_err(|_| Malformed::of("connection"))?;
    Ok(ConnRef { loop_index, conn: conn_id(of) })
}

fn conn_id(of: v1::ConnRef) -> ConnId {
    ConnId::from_parts(of.index, of.generation)
}

fn close_code(code: u32) -> Result<u16, Malformed> {
    u16::try_from(code).map_err(|_| Malformed::of("close code"))
}

fn frame(of: Option<frontdesk_protocol::wire::ServerFrame>) -> Result<Encoded, Malformed> {
    of.map(Encoded::new).ok_or_else(|| Malformed::of("frame"))
}

fn id<T: Xid>(bytes: &Bytes) -> Result<T, Malformed> {
    let bytes = <[u8; 12]>::try_from(&bytes[..]).map_err(|_| Malformed::of("id"))?;
    Ok(T::from_bytes(bytes))
}

fn principal(of: Option<v1::Principal>) -> Result<Arc<Principal>, Malformed> {
    let of = of.ok_or_else(|| Malformed::of("principal"))?;
    let kind = match of.kind {
        1 => PrincipalKind::Visitor,
        2 => PrincipalKind::Agent,
        3 => PrincipalKind::Bot,
        4 => PrincipalKind::Api,
        _ => return Err(Malformed::of("principal")),
    };
    let conversation = if of.conversation.is_empty() { None } else { Some(id(&of.conversation)?) };
    Ok(Arc::new(Principal {
        kind,
        account: id(&of.account)?,
        id: of.id,
        name: of.name,
        // A right that only a newer node knows stands for nothing here.
        rights: of.rights.iter().filter_map(|code| Right::parse(code)).collect(),
        teams: of.teams.iter().map(id).collect::<Result<_, _>>()?,
        conversation,
    }))
}
