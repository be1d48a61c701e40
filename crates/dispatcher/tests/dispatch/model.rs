//! What the dispatcher has to be equal to: the fold alone, over everything that was committed, kept
//! in memory for ever. Also the builders of proposals.

use std::collections::{BTreeMap, HashMap};

use bytes::Bytes;
use frontdesk_core::{
    chat::{self, Actor, ActorKind, Participant, ParticipantKind},
    fold::{self, Ask, Conversation, Earlier, Folded},
    id::ConversationId,
    store::{self, change::Change, proposal::Body},
};

pub(crate) fn conversation(number: u8) -> ConversationId {
    ConversationId::from_bytes([number; 12])
}

pub(crate) fn visitor(number: u8) -> Actor {
    Actor { kind: ActorKind::Visitor.into(), id: format!("visitor{number}"), name: String::new() }
}

pub(crate) fn agent() -> Actor {
    Actor { kind: ActorKind::Agent.into(), id: "agent".to_owned(), name: "Ann".to_owned() }
}

pub(crate) fn client_msg_id(number: u8) -> Bytes {
    Bytes::copy_from_slice(&[number; 16])
}

pub(crate) fn proposal(number: u8, actor: Actor, at_ms: i64, body: Body) -> store::Proposal {
    let conversation = conversation(number);
    store::Proposal {
        conversation: Bytes::copy_from_slice(conversation.as_bytes()),
        actor: Some(actor),
        at_ms,
        body: Some(body),
    }
}

/// A message. Its ids follow from `unique`, so a repeat is another message with the same
/// `client_msg_id`, as a client would send it again.
pub(crate) fn send(
    number: u8,
    actor: Actor,
    id: Bytes,
    unique: u32,
    body: &str,
) -> store::Proposal {
    let mut xid = [7; 12];
    xid[..4].copy_from_slice(&unique.to_be_bytes());
    let content = chat::Content {
        kind: Some(chat::content::Kind::Text(chat::Text { body: body.to_owned() })),
        quote_seq: 0,
        ..Default::default()
    };
    let send = store::Send {
        id: Bytes::copy_from_slice(&xid),
        client_msg_id: id,
        audience: chat::Audience::Everyone.into(),
        content: Some(content),
        origin: Some(Box::new(store::Origin {
            account: "account".to_owned(),
            visitor: visitor(number).id,
            ..store::Origin::default()
        })),
        new_session: Bytes::copy_from_slice(&xid),
        new_session_team: String::new(),
    };
    proposal(number, actor, i64::from(unique), Body::Send(send))
}

pub(crate) fn say(number: u8, unique: u32) -> (ConversationId, store::Proposal) {
    let id = Bytes::copy_from_slice(&u128::from(unique).to_be_bytes());
    (conversation(number), send(number, visitor(number), id, unique, &format!("text {unique}")))
}

pub(crate) fn retract(number: u8, actor: Actor, seq: u64, unique: u32) -> store::Proposal {
    let mut xid = [8; 12];
    xid[..4].copy_from_slice(&unique.to_be_bytes());
    let retract = store::Retract { seq, id: Bytes::copy_from_slice(&xid) };
    proposal(number, actor, 0, Body::Retract(retract))
}

pub(crate) fn erase(number: u8, from_seq: u64, to_seq: u64) -> store::Proposal {
    let system = Actor { kind: ActorKind::System.into(), ..Actor::default() };
    proposal(number, system, 0, Body::Erase(store::Erase { from_seq, to_seq }))
}

pub(crate) fn cursor(number: u8, actor: Actor, read_seq: u64) -> store::Proposal {
    let moved = store::CursorMove { delivered_seq: read_seq, read_seq };
    proposal(number, actor, 0, Body::Cursor(moved))
}

pub(crate) fn change(number: u8, actor: Actor, unique: u32, change: Change) -> store::Proposal {
    let mut xid = [9; 12];
    xid[..4].copy_from_slice(&unique.to_be_bytes());
    let xid = Bytes::copy_from_slice(&xid);
    let change = store::Change {
        entry_id: xid.clone(),
        new_session: xid,
        overrides_owner: true,
        change: Some(change),
        ..store::Change::default()
    };
    proposal(number, actor, 0, Body::Change(change))
}

pub(crate) fn assigned() -> Change {
    let owner =
        Participant { kind: ParticipantKind::Agent.into(), id: agent().id, name: agent().name };
    Change::Assigned(chat::Assigned { owner: Some(owner), ..chat::Assigned::default() })
}

pub(crate) fn closed() -> Change {
    Change::Closed(chat::Closed { reason: chat::CloseReason::Agent.into() })
}

/// One conversation as it has to be.
#[derive(Default)]
pub(crate) struct Kept {
    pub(crate) state: Option<Conversation>,
    pub(crate) entries: BTreeMap<u64, chat::Entry>,
    pub(crate) events: BTreeMap<u64, chat::SessionEvent>,
    sent: HashMap<(String, Bytes), (u64, u64)>,
}

/// All conversations.
#[derive(Default)]
pub(crate) struct Model {
    pub(crate) kept: HashMap<ConversationId, Kept>,
}

impl Model {
    pub(crate) fn fold(&mut self, id: ConversationId, proposal: store::Proposal) -> Folded {
        let kept = self.kept.entry(id).or_default();
        let earlier = match fold::ask(kept.state.as_ref(), &proposal) {
            Ask::Nothing => None,
            Ask::Sent { sender, client_msg_id } => {
                let key = (sender.to_owned(), Bytes::copy_from_slice(client_msg_id));
                kept.sent.get(&key).map(|(seq, content_hash)| {
                    let entry = &kept.entries[seq];
                    Earlier::Sent {
                        seq: *seq,
                        content_hash: *content_hash,
                        at_ms: entry.at_ms,
                        id: entry.id.parse().unwrap(),
                    }
                })
            }
            Ask::Entries { from_seq, to_seq } => Some(Earlier::Entries(
                kept.entries.range(from_seq..=to_seq).map(|(_, entry)| entry.clone()).collect(),
            )),
        };
        let folded = fold::fold(id, &mut kept.state, proposal, earlier);
        for entry in folded.entries.iter().chain(&folded.replaced) {
            if let Some(chat::entry::Body::Content(content)) = &entry.body
                && let Some(actor) = &entry.actor
            {
                let hash = fold::content_hash(entry.audience, content);
                let key = (actor.id.clone(), entry.client_msg_id.clone());
                kept.sent.insert(key, (entry.seq, hash));
            }
            kept.entries.insert(entry.seq, entry.clone());
        }
        for event in &folded.events {
            kept.events.insert(event.number, event.clone());
        }
        folded
    }

    pub(crate) fn last_seq(&self, id: ConversationId) -> u64 {
        self.kept.get(&id).and_then(|kept| kept.state.as_ref()).map_or(0, Conversation::last_seq)
    }
}
