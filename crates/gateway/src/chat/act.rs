//! What both sides do to a conversation: say something, take it back, command. Frames come here with
//! the principal already known; rights are checked against the session as it is, then the proposal is
//! staged. A frame that names a file, an agent or a team waits for the gate to confirm it.

use std::sync::Arc;

use bytes::Bytes;
use frontdesk_core::{chat, id::ConversationId, store};
use frontdesk_protocol::{
    codes::{self, ErrorCode},
    wire::{self, client_frame::Frame as In, command::Command as Verb},
};
use frontdesk_router::{
    Rejection,
    access::{self, Allowed, Deed, Principal, Subject},
    propose::{self, Around, Beside, Mentionable, Proposer},
};
use tokio::sync::oneshot;

use super::{
    Chat, Origin, frames,
    port::{Answer, ConnRef, Found, GateRequest, Lookup, LookupRequest, Reply},
};
use crate::edge::Io;

/// Who waits for the answer to a frame.
#[derive(Debug)]
pub(super) enum Asker {
    /// A connection of any loop, of somebody with an account.
    Conn(ConnRef),
    /// A visitor's connection of this loop.
    Visitor(ConnRef),
    /// An HTTP request.
    Once(oneshot::Sender<Answer>),
}

impl Asker {
    /// Who gets the answer of a proposal.
    pub(super) fn origin(self, reference: u32, client_msg_id: Bytes) -> Origin {
        match self {
            Self::Conn(to) => Origin::Conn { to, reference, client_msg_id, visitor: false },
            Self::Visitor(to) => Origin::Conn { to, reference, client_msg_id, visitor: true },
            Self::Once(reply) => Origin::Reply(Reply::Once(reply)),
        }
    }
}

/// One frame about one conversation of this loop.
#[derive(Debug)]
pub(super) struct Act {
    pub(super) asker: Asker,
    pub(super) reference: u32,
    pub(super) conversation: ConversationId,
    pub(super) principal: Arc<Principal>,
    /// What a visitor's first message creates.
    pub(super) around: Around,
}

/// A frame that waits for a lookup.
#[derive(Debug)]
pub(super) struct Waiting {
    act: Act,
    frame: In,
}

impl Chat {
    /// Whether the principal may do this in the conversation as it is now.
    pub(super) fn may(
        &mut self,
        io: &mut Io<'_>,
        conversation: ConversationId,
        principal: &Principal,
        frame: &In,
    ) -> Result<Allowed, Rejection> {
        let deed = Deed::of(frame)?;
        let state = self
            .dispatchers
            .state(conversation, io.now_ms())
            .map_err(|error| Rejection::from(frames::unreadable(conversation, &error)))?;
        // A visitor's own conversation need not be stored yet; its token says whose it is.
        let fresh = principal.conversation == Some(conversation);
        let account = match state {
            Some(state) => state.account(),
            None => fresh.then_some(principal.account),
        };
        let session = state.and_then(frontdesk_core::fold::Conversation::session);
        let subject = account.map(|account| Subject { conversation, account, session });
        access::check(principal, deed, subject.as_ref()).map_err(|rejection| {
            subject
                .filter(|_| deed == Deed::Take)
                .and_then(|subject| taken_before(principal, &subject))
                .unwrap_or(rejection)
        })
    }

    /// A message, a retraction or a command: checked, then staged or set to wait.
    pub(super) fn act(&mut self, io: &mut Io<'_>, act: Act, frame: In) {
        let allowed = match self.may(io, act.conversation, &act.principal, &frame) {
            Ok(allowed) => allowed,
            Err(rejection) => {
                self.reject(io, act, &frame, &rejection);
                return;
            }
        };
        match Self::lookup_of(&act, &frame) {
            Some(lookup) => self.look_up(io, Waiting { act, frame }, lookup),
            None => self.carry_out(io, act, frame, allowed, None),
        }
    }

    /// What the catalog has to confirm before this frame can be carried out.
    fn lookup_of(act: &Act, frame: &In) -> Option<Lookup> {
        match frame {
            In::Send(send) => {
                let file = propose::file_id(send.content.as_ref()).map(ToOwned::to_owned);
                let people = propose::mentions(send).to_vec();
                let names = file.is_some() || !people.is_empty();
                names.then(|| Lookup::Message {
                    conversation: act.conversation,
                    sender: act.principal.id.clone(),
                    file,
                    people,
                })
            }
            In::Command(wire::Command { command: Some(Verb::Transfer(transfer)), .. }) => {
                match (transfer.to_agent.as_str(), transfer.to_team.as_str()) {
                    ("", "") => None,
                    (agent, "") => Some(Lookup::Agent(agent.to_owned())),
                    ("", team) => Some(Lookup::Team(team.to_owned())),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    fn look_up(&mut self, io: &mut Io<'_>, waiting: Waiting, lookup: Lookup) {
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        let request = GateRequest::Lookup(LookupRequest {
            loop_index: self.options.loop_index,
            ticket,
            account: waiting.act.principal.account,
            lookup,
        });
        if self.ports.gate.try_send(request).is_ok() {
            self.waiting.insert(ticket, waiting);
        } else {
            let Waiting { act, frame } = waiting;
            self.reject(io, act, &frame, &Rejection::from(&codes::OVERLOADED));
        }
    }

    /// The gate has looked something up. Rights are checked again: time has passed.
    pub(super) fn found(
        &mut self,
        io: &mut Io<'_>,
        ticket: u64,
        result: Result<Found, &'static ErrorCode>,
    ) {
        let Some(Waiting { act, frame }) = self.waiting.remove(&ticket) else { return };
        let allowed = result
            .map_err(Rejection::from)
            .and_then(|found| Ok((found, self.may(io, act.conversation, &act.principal, &frame)?)));
        match allowed {
            Ok((found, allowed)) => self.carry_out(io, act, frame, allowed, Some(found)),
            Err(rejection) => self.reject(io, act, &frame, &rejection),
        }
    }

    fn carry_out(
        &mut self,
        io: &mut Io<'_>,
        act: Act,
        mut frame: In,
        allowed: Allowed,
        found: Option<Found>,
    ) {
        let Act { asker, reference, conversation, principal, mut around } = act;
        let session = self
            .dispatchers
            .state_in_memory(conversation)
            .and_then(frontdesk_core::fold::Conversation::session);
        let mut target = None;
        match found {
            Some(Found::Message { file, people }) => {
                around.file = file;
                let subject = Subject { conversation, account: principal.account, session };
                around.mentionable = Mentionable::of(&principal, &people, &subject);
            }
            Some(Found::Agent(agent)) => target = Some(agent),
            Some(Found::Team) | None => {}
        }
        let client_msg_id = match &mut frame {
            In::Send(send) => {
                // The frame's own would be allocated anew when it is cloned.
                send.client_msg_id = self.arena.copy(&send.client_msg_id);
                send.client_msg_id.clone()
            }
            _ => Bytes::new(),
        };
        let mut proposer = Proposer {
            ids: &mut self.ids,
            arena: &mut self.arena,
            screen: self.screens.of(principal.account),
            hits: &mut self.hits,
            now_ms: io.now_ms(),
        };
        // The last one carries the answer: a transfer's note goes before the transfer, who is mentioned
        // joins before the note.
        let proposals: Result<(Vec<store::Proposal>, Option<store::Proposal>), Rejection> =
            match frame {
                In::Send(send) => proposer
                    .send(&principal, conversation, send, around)
                    .map(|message| (message.joins, Some(message.proposal))),
                In::Retract(retract) => proposer
                    .retract(&principal, conversation, retract.seq)
                    .map(|one| (Vec::new(), Some(one))),
                In::Command(command) => {
                    let beside = Beside { allowed, session, target };
                    let proposals = proposer.command(&principal, conversation, command, beside);
                    proposals.map(|mut proposals| {
                        let last = proposals.pop();
                        (proposals, last)
                    })
                }
                _ => Err(Rejection::from(&codes::FRAME_UNEXPECTED)),
            };
        let origin = asker.origin(reference, client_msg_id);
        match proposals {
            Ok((before, last)) => {
                for proposal in before {
                    self.stage(Origin::Silent, conversation, proposal);
                }
                if let Some(last) = last {
                    self.stage(origin, conversation, last);
                }
            }
            Err(rejection) => {
                self.refuse_proposal(io, conversation, frames::rejected(&rejection), origin);
            }
        }
    }

    /// Tells the asker that the frame changed nothing.
    pub(super) fn reject(&mut self, io: &mut Io<'_>, act: Act, frame: &In, rejection: &Rejection) {
        let client_msg_id = match frame {
            In::Send(send) => send.client_msg_id.clone(),
            _ => Bytes::new(),
        };
        let origin = act.asker.origin(act.reference, client_msg_id);
        self.refuse_proposal(io, act.conversation, frames::rejected(rejection), origin);
    }

    /// Logs a cursor move at once, or when the last one of this participant is a second old.
    pub(super) fn move_cursor(
        &mut self,
        now_ms: i64,
        conversation: ConversationId,
        actor: chat::Actor,
        cursor: &wire::MoveCursor,
    ) {
        let key = (conversation, actor.id.clone());
        let due_ms =
            self.cursor_moved_ms.get(&key).map_or(now_ms, |moved| moved + super::CURSOR_EVERY_MS);
        let pending = self.cursors.entry(key).or_insert(super::PendingCursor {
            actor,
            delivered_seq: 0,
            read_seq: 0,
            due_ms,
        });
        pending.delivered_seq = pending.delivered_seq.max(cursor.delivered_seq);
        pending.read_seq = pending.read_seq.max(cursor.read_seq);
        if due_ms <= now_ms {
            self.flush_cursors(now_ms);
        }
    }

    /// Stages the cursor moves whose time has come.
    pub(super) fn flush_cursors(&mut self, now_ms: i64) {
        if self.cursors.is_empty() {
            return;
        }
        let due: Vec<_> = self.cursors.extract_if(|_, pending| pending.due_ms <= now_ms).collect();
        for ((conversation, actor), pending) in due {
            self.cursor_moved_ms.insert((conversation, actor), now_ms);
            let proposal = store::Proposal {
                conversation: Bytes::copy_from_slice(conversation.as_bytes()),
                actor: Some(pending.actor),
                at_ms: now_ms,
                body: Some(store::proposal::Body::Cursor(store::CursorMove {
                    delivered_seq: pending.delivered_seq.max(pending.read_seq),
                    read_seq: pending.read_seq,
                })),
            };
            self.stage(Origin::Silent, conversation, proposal);
        }
    }
}

/// Who has the session, for somebody who could have taken it as long as it was queued. Of two who take
/// at once the second has no right to read it any more, and is told who was faster all the same.
fn taken_before(principal: &Principal, subject: &Subject<'_>) -> Option<Rejection> {
    let session = subject.session?;
    let owner = session.owner.as_ref()?;
    let queued = chat::Session {
        status: chat::SessionStatus::Queued.into(),
        owner: None,
        ..session.clone()
    };
    let before = Subject { session: Some(&queued), ..*subject };
    access::check(principal, Deed::Take, Some(&before)).ok()?;
    Some(Rejection::with(&codes::SESSION_TAKEN, owner.name.clone()))
}
