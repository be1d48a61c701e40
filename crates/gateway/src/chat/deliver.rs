//! What follows from a commit: the sender's ack, then everything everybody else gets.
//!
//! Each frame is built once for people with an account and once for the visitor, and encoded at most
//! once for each encoding, however many connections get it.

use std::sync::{Arc, atomic::Ordering};

use frontdesk_core::{
    chat,
    fold::{self, Folded, Verdict},
    id::{AccountId, ConversationId},
};
use frontdesk_dispatcher::{Committed, DispatchError, EntryWrite};
use frontdesk_protocol::{
    Encoded, EntryFrame, codes,
    wire::{self, server_frame::Frame as Out},
};

use smallvec::SmallVec;

use super::{
    Chat, Origin, frames,
    port::{Answer, ConnRef, DeskInput, GateRequest, Placed, Reply},
};
use crate::edge::{ConnId, Io, Kind};

impl Chat {
    /// Answers whoever proposed, then tells everybody concerned. What was folded is large, so it is
    /// used where it lies.
    pub(super) fn conclude(&mut self, io: &mut Io<'_>, committed: &mut Committed, origin: Origin) {
        let Committed { conversation, result, stored, .. } = committed;
        let conversation = *conversation;
        let folded = match result {
            Ok(folded) => folded,
            Err(error) => {
                self.failed(io, conversation, error, origin);
                return;
            }
        };
        let sender = match &origin {
            Origin::Conn { to, .. } => Some(*to),
            _ => None,
        };
        self.answer_proposal(io, conversation, &folded.verdict, origin);
        if folded.created {
            self.stored(io, conversation);
        }
        // Those of an erase are removed by whoever asked for it, before the answer goes out.
        if matches!(folded.verdict, Verdict::Accepted { .. }) {
            self.remove_files(conversation, std::mem::take(&mut folded.files));
        }
        self.deliver(io, conversation, folded, stored, sender);
    }

    /// The files of messages that are gone go as well.
    fn remove_files(&mut self, conversation: ConversationId, files: Vec<String>) {
        if files.is_empty() {
            return;
        }
        let account = self
            .dispatchers
            .state_in_memory(conversation)
            .and_then(frontdesk_core::fold::Conversation::account);
        if let Some(account) = account {
            self.to_gate.push_back(GateRequest::RemoveFiles { account, files });
        }
    }

    pub(super) fn failed(
        &mut self,
        io: &mut Io<'_>,
        conversation: ConversationId,
        error: &DispatchError,
        origin: Origin,
    ) {
        let code = codes::find(error.code()).unwrap_or(&codes::STORAGE_UNAVAILABLE);
        let full = code.code == codes::STORAGE_FULL.code;
        if full {
            self.full_ms = io.now_ms();
            self.health.storage_full.store(true, Ordering::Relaxed);
        }
        // A log of its own is opened anew by whoever owns the partition.
        if error.is_final() && self.dispatchers.single().is_some() {
            self.health.storage_failed.store(true, Ordering::Relaxed);
        }
        let refusal = frames::refusal(code);
        self.refuse_proposal(io, conversation, refusal, origin);
    }

    /// The ack, the refusal or the plain "done" of one proposal.
    fn answer_proposal(
        &mut self,
        io: &mut Io<'_>,
        conversation: ConversationId,
        verdict: &Verdict,
        origin: Origin,
    ) {
        let placed = match verdict {
            Verdict::Accepted { seq, at_ms, id } | Verdict::Repeat { seq, at_ms, id } => {
                self.health.acked.fetch_add(1, Ordering::Relaxed);
                let position = wire::Position { epoch: self.options.epoch, seq: *seq };
                Some(Placed { position, at_ms: *at_ms, id: id.to_text() })
            }
            // The desk has to hear that its proposal came to nothing.
            Verdict::Unchanged if matches!(origin, Origin::Reply(Reply::Desk { .. })) => {
                let refusal = frames::refusal(&codes::SESSION_VERSION);
                self.refuse_proposal(io, conversation, refusal, origin);
                return;
            }
            Verdict::Done | Verdict::Unchanged => None,
            Verdict::Refused(refused) => {
                let code = codes::find(refused.code()).unwrap_or(&codes::INTERNAL);
                let mut refusal = frames::refusal(code);
                refusal.detail = refused.detail();
                self.refuse_proposal(io, conversation, refusal, origin);
                return;
            }
        };
        match origin {
            Origin::Conn { to, reference, client_msg_id, visitor } => {
                let frame = match placed {
                    Some(Placed { position, at_ms, id }) if !client_msg_id.is_empty() => {
                        Out::Ack(wire::Ack {
                            client_msg_id,
                            position: Some(position),
                            at_ms,
                            conversation: if visitor {
                                String::new()
                            } else {
                                conversation.to_string()
                            },
                            id,
                        })
                    }
                    _ if reference == 0 => return,
                    _ => Out::Done(wire::Done {}),
                };
                self.answer(io, to, reference, frame);
            }
            Origin::Reply(reply) => self.reply(conversation, reply, Answer::Done(placed)),
            Origin::Silent => {}
        }
    }

    /// Tells the proposer that nothing changed.
    pub(super) fn refuse_proposal(
        &mut self,
        io: &mut Io<'_>,
        conversation: ConversationId,
        mut refusal: wire::Refusal,
        origin: Origin,
    ) {
        match origin {
            Origin::Conn { to, reference, client_msg_id, visitor } => {
                refusal.client_msg_id = client_msg_id;
                if !visitor {
                    refusal.conversation = conversation.to_string();
                }
                self.answer(io, to, reference, Out::Refusal(refusal));
            }
            Origin::Reply(reply) => self.reply(conversation, reply, Answer::Refused(refusal)),
            Origin::Silent => {}
        }
    }

    fn reply(&mut self, conversation: ConversationId, reply: Reply, answer: Answer) {
        match reply {
            Reply::Desk { account, version } => {
                let input = DeskInput::Proposed { account, conversation, version, answer };
                self.to_desk.push_back(input);
            }
            // Whoever asked may have given up meanwhile; the change stands all the same.
            Reply::Once(reply) => drop(reply.send(answer)),
        }
    }

    /// The conversation has its first message: its visitor's connections no longer carry its origin.
    fn stored(&mut self, io: &mut Io<'_>, conversation: ConversationId) {
        let Some(subscribers) = self.subscribers.get(&conversation) else { return };
        let mut account = None;
        for conn in subscribers.visitors.clone() {
            if let Some(super::conn::State::Visitor(visitor)) =
                self.conn(conn).map(|conn| &mut conn.state)
            {
                visitor.origin = None;
                account = Some(visitor.inbox.account);
            }
        }
        if let Some(account) = account {
            self.visitor_presence(io, account, conversation, true);
        }
    }

    /// Everything new in a conversation goes to its connections; lists hear of it through the desk.
    fn deliver(
        &mut self,
        io: &mut Io<'_>,
        conversation: ConversationId,
        folded: &mut Folded,
        stored: &[Arc<EntryWrite>],
        sender: Option<ConnRef>,
    ) {
        let Folded { entries, events, replaced, cursor, verdict, .. } = folded;
        if entries.is_empty() && events.is_empty() && replaced.is_empty() && cursor.is_none() {
            return;
        }
        if events.is_empty() {
            self.changed.insert(conversation);
        } else {
            self.urgent.push(conversation);
            self.check_viewers(io, conversation);
        }
        let team = self.team_of(conversation);
        let visitors: SmallVec<[ConnId; 2]> = self
            .subscribers
            .get(&conversation)
            .map(|subscribers| SmallVec::from_slice(&subscribers.visitors))
            .unwrap_or_default();
        // The sender knows its own message by the ack. A retraction is answered without a place: who
        // made it is told of its entry like everybody else.
        let acked_seq = match verdict {
            Verdict::Accepted { seq, .. } => *seq,
            _ => 0,
        };
        self.hear(conversation, entries);
        self.tell_bot_of(conversation, entries, events);
        let replaced = replaced.iter_mut().map(|entry| (entry, None));
        let new = entries.iter_mut().zip(stored.iter().map(Some));
        for (entry, stored) in replaced.chain(new) {
            let own = entry.seq == acked_seq && !entry.client_msg_id.is_empty();
            let from = sender.filter(|_| own);
            self.deliver_entry(io, conversation, (entry, stored), &team, &visitors, from);
        }
        if let Some(mut cursor) = cursor.take() {
            let update = |conversation, cursor: &chat::Cursor| {
                Out::Cursor(wire::CursorUpdate { conversation, cursor: Some(cursor.clone()) })
            };
            let frame = Encoded::push(update(conversation.to_string(), &cursor));
            self.push(io, &team, &frame, sender);
            if let Some(actor) = &mut cursor.actor {
                fold::hide_from_visitor(actor);
            }
            let frame = Encoded::push(update(String::new(), &cursor));
            for conn in self.others(&visitors, sender) {
                self.send(io, conn, &frame);
            }
        }
        if !events.is_empty() {
            let events = std::mem::take(events);
            self.deliver_session(io, conversation, events, &team, &visitors);
        }
    }

    fn deliver_entry(
        &mut self,
        io: &mut Io<'_>,
        conversation: ConversationId,
        (entry, stored): (&mut chat::Entry, Option<&Arc<EntryWrite>>),
        team: &[ConnRef],
        visitors: &[ConnId],
        sender: Option<ConnRef>,
    ) {
        let epoch = self.options.epoch;
        let client_msg_id = std::mem::take(&mut entry.client_msg_id);
        let others = self.others(visitors, sender);
        self.health.delivered.fetch_add((team.len() + visitors.len()) as u64, Ordering::Relaxed);
        if !others.is_empty() {
            // The visitor's other tabs recognise their own message by its client_msg_id.
            let entry = chat::Entry { client_msg_id, ..entry.clone() };
            let items = fold::for_reader(std::iter::once(entry), false, true);
            let frame = wire::Entries { conversation: String::new(), epoch, items };
            let frame = Encoded::push(Out::Entries(frame));
            for conn in others {
                self.send(io, conn, &frame);
            }
        }
        match (team, stored) {
            ([], _) => {}
            // The usual case: the owner's only connection.
            ([to], Some(stored)) if self.takes_binary(*to) => {
                if Some(*to) != sender {
                    self.send_stored(io, conversation, stored, to.conn);
                }
            }
            (team, _) => {
                let conversation = conversation.to_text();
                let items = vec![frames::item(std::mem::take(entry))];
                let frame = Out::Entries(wire::Entries { conversation, epoch, items });
                self.push(io, team, &Encoded::push(frame), sender);
            }
        }
    }

    /// Sends an entry of this turn to a connection of this loop, as it was encoded for the history.
    fn send_stored(
        &mut self,
        io: &mut Io<'_>,
        conversation: ConversationId,
        stored: &EntryWrite,
        conn: ConnId,
    ) {
        if let Some(conn) = self.conn(conn) {
            conn.sent_s = super::seconds(io.now_ms());
        }
        let conversation = conversation.to_text();
        let epoch = self.options.epoch;
        match EntryFrame::new(&conversation, epoch, &stored.entry) {
            Some(frame) => {
                let append = |out: &mut Vec<u8>| frame.encode(out);
                io.send_with(conn, Kind::Binary, frame.encoded_len(), append);
            }
            // The client would find the gap; nobody should ever have to.
            None => {
                let seq = stored.seq;
                tracing::error!(conversation.id = %conversation, seq, "an entry makes no frame");
            }
        }
    }

    fn deliver_session(
        &mut self,
        io: &mut Io<'_>,
        conversation: ConversationId,
        events: Vec<chat::SessionEvent>,
        team: &[ConnRef],
        visitors: &[ConnId],
    ) {
        let session = self
            .dispatchers
            .state_in_memory(conversation)
            .and_then(frontdesk_core::fold::Conversation::session)
            .cloned();
        let Some(session) = session else { return };
        // Visitors get the session after all of them, without the events: once is enough.
        if !visitors.is_empty() && events.iter().any(fold::concerns_visitor) {
            let update = wire::SessionUpdate {
                conversation: String::new(),
                session: Some(fold::session_for_visitor(&session)),
                event: None,
            };
            let frame = Encoded::push(Out::Session(Box::new(update)));
            for conn in visitors {
                self.send(io, *conn, &frame);
            }
        }
        for event in events {
            let update = wire::SessionUpdate {
                conversation: conversation.to_string(),
                session: Some(session.clone()),
                event: Some(event),
            };
            self.push(io, team, &Encoded::push(Out::Session(Box::new(update))), None);
        }
    }

    /// The visitor's connections without the sender's. A sender elsewhere may have the same number on
    /// its own loop.
    fn others(&self, visitors: &[ConnId], sender: Option<ConnRef>) -> SmallVec<[ConnId; 2]> {
        let loop_index = self.options.loop_index;
        let is_sender = |conn: ConnId| sender == Some(ConnRef { loop_index, conn });
        visitors.iter().copied().filter(|conn| !is_sender(*conn)).collect()
    }

    /// Sends a frame to people's connections, but not to the one it came from.
    pub(super) fn push(
        &mut self,
        io: &mut Io<'_>,
        to: &[ConnRef],
        frame: &Encoded,
        except: Option<ConnRef>,
    ) {
        for conn in to {
            if Some(*conn) != except {
                self.send_to(io, *conn, frame);
            }
        }
    }

    /// Connections of the people of a conversation: its owner, its participants, and who looks at it.
    pub(super) fn team_of(&self, conversation: ConversationId) -> SmallVec<[ConnRef; 4]> {
        let mut team: SmallVec<[ConnRef; 4]> = SmallVec::new();
        let state = self.dispatchers.state_in_memory(conversation);
        if let Some(state) = state
            && let Some(account) = state.account()
        {
            for user in state.people() {
                team.extend(self.users.get(&(account, *user)).into_iter().flatten().copied());
            }
        }
        if let Some(subscribers) = self.subscribers.get(&conversation) {
            team.extend(subscribers.viewers.iter().map(|viewer| viewer.conn));
        }
        if team.len() > 1 {
            team.sort_unstable();
            team.dedup();
        }
        team
    }

    /// A quiet conversation leaves memory; whoever asks for its people needs it back.
    pub(super) fn bring_in(&mut self, io: &Io<'_>, conversation: ConversationId) {
        if let Err(error) = self.dispatchers.state(conversation, io.now_ms()) {
            frames::unreadable(conversation, &error);
        }
    }

    /// Somebody's visitor came or went.
    pub(super) fn visitor_presence(
        &mut self,
        io: &mut Io<'_>,
        account: AccountId,
        conversation: ConversationId,
        online: bool,
    ) {
        self.bring_in(io, conversation);
        let presence = if online { wire::Presence::Online } else { wire::Presence::Offline };
        let visitor = self
            .dispatchers
            .state_in_memory(conversation)
            .and_then(|state| state.state().origin.as_ref())
            .map(|origin| origin.visitor.clone())
            .unwrap_or_default();
        let update = wire::PresenceUpdate {
            actor: Some(chat::Actor {
                kind: chat::ActorKind::Visitor.into(),
                id: visitor,
                name: String::new(),
            }),
            presence: presence.into(),
            conversation: conversation.to_string(),
        };
        let team = self.team_of(conversation);
        self.push(io, &team, &Encoded::push(Out::Presence(update)), None);
        self.to_desk.push_back(DeskInput::VisitorPresence { account, conversation, online });
    }
}
