//! What the tests fold with: builders of proposals and a history that answers the fold's questions.

use std::collections::HashMap;

use bytes::Bytes;

use super::{Ask, Conversation, Earlier, Folded, Verdict, ask, content_hash, fold};
use crate::{
    chat::{self, Actor, ActorKind, Audience, Participant, ParticipantKind},
    id::{ConversationId, IdSource, MessageId, SessionId},
    store::{self, change::Change, proposal::Body},
};

pub(super) const CONVERSATION: ConversationId = ConversationId::from_bytes(*b"conversation");
pub(super) const VISITOR: &str = "visitor";

pub(super) fn actor(kind: ActorKind, id: &str) -> Actor {
    Actor { kind: kind as i32, id: id.to_owned(), name: id.to_uppercase() }
}

pub(super) fn visitor() -> Actor {
    actor(ActorKind::Visitor, VISITOR)
}

pub(super) fn agent(id: &str) -> Actor {
    actor(ActorKind::Agent, id)
}

pub(super) fn system() -> Actor {
    Actor { kind: ActorKind::System as i32, ..Actor::default() }
}

pub(super) fn person(id: &str) -> Participant {
    Participant { kind: ParticipantKind::Agent as i32, id: id.to_owned(), name: id.to_uppercase() }
}

pub(super) fn assigned(owner: &str) -> Change {
    Change::Assigned(chat::Assigned { owner: Some(person(owner)), ..chat::Assigned::default() })
}

pub(super) fn closed(reason: chat::CloseReason) -> Change {
    Change::Closed(chat::Closed { reason: reason as i32 })
}

/// A conversation, what was stored of it, and a clock.
#[derive(Debug)]
pub(super) struct Model {
    pub(super) state: Option<Conversation>,
    pub(super) entries: Vec<chat::Entry>,
    pub(super) events: Vec<chat::SessionEvent>,
    pub(super) stored: HashMap<(String, Bytes), (u64, u64)>,
    pub(super) now_ms: i64,
    pub(super) ids: IdSource,
}

impl Model {
    pub(super) fn new() -> Self {
        Self {
            state: None,
            entries: Vec::new(),
            events: Vec::new(),
            stored: HashMap::new(),
            now_ms: 1_700_000_000_000,
            ids: IdSource::new([1, 2, 3], 4, 5),
        }
    }

    /// With a session that this agent owns.
    pub(super) fn served_by(owner: &str) -> Self {
        let mut model = Self::new();
        model.say(visitor(), "hello");
        model.change(system(), assigned(owner));
        model
    }

    pub(super) fn proposal(&self, actor: Actor, body: Body) -> store::Proposal {
        store::Proposal {
            conversation: Bytes::copy_from_slice(CONVERSATION.as_bytes()),
            actor: Some(actor),
            at_ms: self.now_ms,
            body: Some(body),
        }
    }

    pub(super) fn send(&mut self, client_msg_id: &[u8], text: &str, audience: Audience) -> Body {
        let message: MessageId = self.ids.next(self.now_ms);
        let session: SessionId = self.ids.next(self.now_ms);
        Body::Send(store::Send {
            id: Bytes::copy_from_slice(message.as_bytes()),
            client_msg_id: Bytes::copy_from_slice(client_msg_id),
            audience: audience as i32,
            content: Some(chat::Content {
                kind: Some(chat::content::Kind::Text(chat::Text { body: text.to_owned() })),
                quote_seq: 0,
                ..Default::default()
            }),
            origin: Some(Box::new(store::Origin {
                account: "account".to_owned(),
                inbox: "inbox".to_owned(),
                visitor: VISITOR.to_owned(),
                ..store::Origin::default()
            })),
            new_session: Bytes::copy_from_slice(session.as_bytes()),
            new_session_team: "sales".to_owned(),
        })
    }

    pub(super) fn change_body(&mut self, expected_version: u32, change: Change) -> store::Change {
        let entry: MessageId = self.ids.next(self.now_ms);
        store::Change {
            expected_version,
            cause: chat::Cause::Manual as i32,
            entry_id: Bytes::copy_from_slice(entry.as_bytes()),
            new_session: Bytes::new(),
            overrides_owner: false,
            change: Some(change),
        }
    }

    /// What the history says to the fold's question.
    pub(super) fn answer(&self, ask: Ask<'_>) -> Option<Earlier> {
        match ask {
            Ask::Nothing => None,
            Ask::Sent { sender, client_msg_id } => {
                let key = (sender.to_owned(), Bytes::copy_from_slice(client_msg_id));
                let (seq, content_hash) = *self.stored.get(&key)?;
                let entry = self.entry(seq);
                let id = entry.id.parse().expect("the fold writes ids");
                Some(Earlier::Sent { seq, content_hash, at_ms: entry.at_ms, id })
            }
            Ask::Entries { from_seq, to_seq } => {
                Some(Earlier::Entries((from_seq..=to_seq).map(|s| self.entry(s).clone()).collect()))
            }
        }
    }

    pub(super) fn entry(&self, seq: u64) -> &chat::Entry {
        &self.entries[seq as usize - 1]
    }

    /// Folds, and stores what came of it.
    pub(super) fn apply(&mut self, proposal: store::Proposal) -> Folded {
        let earlier = self.answer(ask(self.state.as_ref(), &proposal));
        let folded = fold(CONVERSATION, &mut self.state, proposal, earlier);
        self.store(&folded);
        folded
    }

    pub(super) fn store(&mut self, folded: &Folded) {
        for entry in &folded.replaced {
            self.entries[entry.seq as usize - 1] = entry.clone();
        }
        for entry in &folded.entries {
            if let (Some(actor), Some(chat::entry::Body::Content(content))) =
                (&entry.actor, &entry.body)
                && !entry.client_msg_id.is_empty()
            {
                let key = (actor.id.clone(), entry.client_msg_id.clone());
                let before =
                    self.stored.insert(key, (entry.seq, content_hash(entry.audience, content)));
                assert_eq!(before, None, "an id is stored once");
            }
            self.entries.push(entry.clone());
        }
        self.events.extend(folded.events.iter().cloned());
    }

    pub(super) fn propose(&mut self, actor: Actor, body: Body) -> Folded {
        let proposal = self.proposal(actor, body);
        self.apply(proposal)
    }

    /// A message with a fresh, rising id, a second later.
    pub(super) fn say(&mut self, actor: Actor, text: &str) -> Folded {
        self.now_ms += 1_000;
        let id = u128::from(self.now_ms.unsigned_abs()) << 64 | self.entries.len() as u128;
        let body = self.send(&id.to_be_bytes(), text, Audience::Everyone);
        self.propose(actor, body)
    }

    pub(super) fn note(&mut self, actor: Actor, text: &str) -> Folded {
        let body = self.send(&[], text, Audience::Team);
        self.propose(actor, body)
    }

    /// A change, a second later.
    pub(super) fn change(&mut self, actor: Actor, change: Change) -> Folded {
        self.change_at(0, actor, change)
    }

    pub(super) fn change_at(&mut self, version: u32, actor: Actor, change: Change) -> Folded {
        self.now_ms += 1_000;
        let body = self.change_body(version, change);
        self.propose(actor, Body::Change(body))
    }

    pub(super) fn session(&self) -> &chat::Session {
        self.state.as_ref().and_then(Conversation::session).expect("a session was opened")
    }

    /// The keys of all system texts so far.
    pub(super) fn texts(&self) -> Vec<&str> {
        let key = |entry| match entry {
            &chat::Entry { body: Some(chat::entry::Body::Content(ref content)), .. } => {
                match &content.kind {
                    Some(chat::content::Kind::System(system)) => Some(system.key.as_str()),
                    _ => None,
                }
            }
            _ => None,
        };
        self.entries.iter().filter_map(key).collect()
    }
}

pub(super) fn refused(folded: &Folded) -> Option<&'static str> {
    match &folded.verdict {
        Verdict::Refused(refused) => Some(refused.code()),
        _ => None,
    }
}

pub(super) fn seq(folded: &Folded) -> u64 {
    match folded.verdict {
        Verdict::Accepted { seq, .. } => seq,
        ref other => panic!("expected a place, got {other:?}"),
    }
}
