//! Commands and notices as they go to another node.

use frontdesk_protocol::{Encoded, wire};
use frontdesk_router::access::{Principal, PrincipalKind};

use super::{
    NODE, Notice,
    replies::{Replies, Waiting},
    v1::{self, command::Command as Peer},
};
use crate::{
    chat::port::{Command, Reply},
    edge::ConnRef,
};

/// A command for a loop of another node; gives it back where it has no meaning there, or where too many
/// wait for answers.
#[expect(clippy::result_large_err, reason = "the command goes back to whoever sent it")]
pub(crate) fn command(
    loop_number: u16,
    command: Command,
    replies: &Replies,
) -> Result<v1::Command, Command> {
    let command = match command {
        Command::Frame { from, principal, frame } => Peer::Frame(v1::Frame {
            from: Some(conn(from)),
            principal: Some(self::principal(&principal)),
            frame: Some(*frame),
        }),
        Command::Request { principal, frame, reply } => {
            let Some(reply) = replies.wait(Waiting::Answer(reply)) else {
                // The request ends as one whose loop is gone.
                return Err(Command::Deliver(Vec::new()));
            };
            let principal = Some(self::principal(&principal));
            Peer::Request(v1::Request { reply, principal, frame: Some(*frame) })
        }
        Command::Propose { conversation, proposal, reply } => {
            let mut propose = v1::Propose {
                conversation: id(conversation.as_bytes()),
                proposal: Some(*proposal),
                ..v1::Propose::default()
            };
            match reply {
                Reply::Desk { account, version } => {
                    propose.desk_account = id(account.as_bytes());
                    propose.desk_version = version;
                }
                Reply::Once(reply) => match replies.wait(Waiting::Answer(reply)) {
                    Some(reply) => propose.reply = reply,
                    None => return Err(Command::Deliver(Vec::new())),
                },
            }
            Peer::Propose(propose)
        }
        Command::Tail { conversation, reply } => match replies.wait(Waiting::Tail(reply)) {
            Some(reply) => {
                Peer::Tail(v1::TailAsked { reply, conversation: id(conversation.as_bytes()) })
            }
            None => return Err(Command::Deliver(Vec::new())),
        },
        Command::Deliver(mut deliveries) if deliveries.len() == 1 => {
            let delivery = deliveries.remove(0);
            let to =
                delivery.to.iter().map(|to| conn(ConnRef { loop_index: loop_number, conn: *to }));
            Peer::Deliver(v1::Deliver { to: to.collect(), frame: Some(frame(&delivery.frame)) })
        }
        Command::HeldAnswered { conn: held } => {
            Peer::HeldAnswered(conn(ConnRef { loop_index: loop_number, conn: held }))
        }
        Command::UserConn { account, user, conn: of, present } => Peer::UserConn(v1::UserConn {
            account: id(account.as_bytes()),
            user: id(user.as_bytes()),
            conn: Some(conn(of)),
            present,
        }),
        Command::Revoke { user, account, login, code } => Peer::Revoke(v1::Revoke {
            user: id(user.as_bytes()),
            account: account.map(|account| id(account.as_bytes())).unwrap_or_default(),
            login: login.unwrap_or_default(),
            code: code.into(),
        }),
        Command::RevokeKey { account, key, code } => Peer::RevokeKey(v1::RevokeKey {
            account: id(account.as_bytes()),
            key: id(key.as_bytes()),
            code: code.into(),
        }),
        Command::ToVisitor { conversation, frame: to_send } => Peer::ToVisitor(v1::ToVisitor {
            conversation: id(conversation.as_bytes()),
            frame: Some(frame(&to_send)),
        }),
        Command::ToUser { account, user, frame: to_send } => Peer::ToUser(v1::ToUser {
            account: id(account.as_bytes()),
            user: id(user.as_bytes()),
            frame: Some(frame(&to_send)),
        }),
        Command::ToAccount { account, frame: to_send } => Peer::ToAccount(v1::ToAccount {
            account: id(account.as_bytes()),
            frame: Some(frame(&to_send)),
        }),
        Command::Attended { inbox, attended } => {
            Peer::Attended(v1::Attended { inbox: id(inbox.as_bytes()), attended })
        }
        Command::Tunnel(arrival) => Peer::Arrive(v1::Arrive {
            home: Some(conn(arrival.home)),
            encoding: match arrival.encoding {
                frontdesk_protocol::Encoding::Proto => 1,
                frontdesk_protocol::Encoding::Json => 2,
            },
            peer: arrival.peer.to_string(),
            origin: arrival.origin,
            reference: arrival.reference,
            hello: Some(*arrival.hello),
        }),
        Command::TunnelMessage { home, message } => {
            Peer::TunnelMessage(v1::TunnelMessage { home: Some(conn(home)), message })
        }
        Command::TunnelClosed { home } => Peer::TunnelClosed(conn(home)),
        Command::TunnelBytes { conn: to, frames } => Peer::TunnelBytes(v1::TunnelBytes {
            home: Some(conn(ConnRef { loop_index: loop_number, conn: to })),
            frames,
        }),
        Command::TunnelEnd { conn: to, code, reason } => Peer::TunnelEnd(v1::TunnelEnd {
            home: Some(conn(ConnRef { loop_index: loop_number, conn: to })),
            code: code.into(),
            reason,
        }),
        Command::Unserved { conn: of } => {
            Peer::Unserved(conn(ConnRef { loop_index: loop_number, conn: of }))
        }
        other => return Err(other),
    };
    Ok(v1::Command { r#loop: loop_number.into(), command: Some(command) })
}

/// A notice for a node.
pub(crate) fn notice(notice: Notice) -> v1::Command {
    let command = match notice {
        Notice::States(states) => Peer::States(v1::States {
            states: states
                .into_iter()
                .map(|state| v1::State {
                    conversation: id(state.conversation.as_bytes()),
                    state: state.state,
                    log: state.log.into(),
                    offset: state.offset,
                })
                .collect(),
        }),
        Notice::VisitorPresence { account, conversation, online } => {
            Peer::VisitorPresence(v1::VisitorPresence {
                account: id(account.as_bytes()),
                conversation: id(conversation.as_bytes()),
                online,
            })
        }
        Notice::Proposed { account, conversation, version, refused } => {
            Peer::Proposed(v1::Proposed {
                account: id(account.as_bytes()),
                conversation: id(conversation.as_bytes()),
                version,
                refused,
            })
        }
        Notice::Attended { inbox, attended } => {
            Peer::Attended(v1::Attended { inbox: id(inbox.as_bytes()), attended })
        }
    };
    v1::Command { r#loop: NODE, command: Some(command) }
}

/// An answer for the node that asked.
pub(super) fn answer(answer: v1::Answer) -> v1::Command {
    v1::Command { r#loop: NODE, command: Some(Peer::Answer(answer)) }
}

fn conn(of: ConnRef) -> v1::ConnRef {
    let (index, generation) = of.conn.to_parts();
    v1::ConnRef { r#loop: of.loop_index.into(), index, generation }
}

fn frame(encoded: &Encoded) -> wire::ServerFrame {
    encoded.frame().clone()
}

fn id(bytes: &[u8]) -> bytes::Bytes {
    bytes::Bytes::copy_from_slice(bytes)
}

fn principal(of: &Principal) -> v1::Principal {
    v1::Principal {
        kind: match of.kind {
            PrincipalKind::Visitor => 1,
            PrincipalKind::Agent => 2,
            PrincipalKind::Bot => 3,
            PrincipalKind::Api => 4,
        },
        account: id(of.account.as_bytes()),
        id: of.id.clone(),
        name: of.name.clone(),
        rights: of.rights.iter().map(|right| right.code().to_owned()).collect(),
        teams: of.teams.iter().map(|team| id(team.as_bytes())).collect(),
        conversation: of.conversation.map(|of| id(of.as_bytes())).unwrap_or_default(),
    }
}
