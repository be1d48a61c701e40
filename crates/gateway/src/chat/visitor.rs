//! Frames of visitors: their one conversation, on the loop that owns it.

use bytes::Bytes;
use frontdesk_core::{
    chat::{self, content},
    id::{ConversationId, MessageId, SessionId},
    limits, store,
};
use frontdesk_protocol::{
    Encoded,
    codes::{self, ErrorCode},
    wire::{self, client_frame::Frame as In, command::Command as Verb, server_frame::Frame as Out},
};
use frontdesk_router::{propose, screen::Screened};

use super::{
    Chat, Origin, PendingCursor, Subscribers,
    conn::{State, VisitorConn},
    frames,
    port::{FileRequest, GateRequest},
};
use crate::edge::{ConnId, Io};

/// A message whose file is being looked up.
#[derive(Debug)]
pub(super) struct WaitingFile {
    pub(super) origin: Origin,
    pub(super) conversation: ConversationId,
    pub(super) proposal: Box<store::Proposal>,
}

impl Chat {
    /// One frame of a live visitor.
    pub(super) fn visitor_frame(
        &mut self,
        io: &mut Io<'_>,
        conn: ConnId,
        reference: u32,
        frame: In,
    ) {
        let message = if let In::Send(send) = &frame { Some(send) } else { None };
        if !self.admit(io, conn, reference, message) {
            return;
        }
        match frame {
            In::Send(send) => self.visitor_send(io, conn, reference, send),
            In::Draft(draft) => self.visitor_draft(io, conn, reference, draft),
            In::Cursor(cursor) => self.visitor_cursor(io, conn, &cursor),
            In::Retract(retract) => self.visitor_retract(io, conn, reference, &retract),
            In::Sync(sync) => {
                let held = sync.held.first().and_then(|held| held.position);
                self.visitor_sync(io, conn, reference, held);
            }
            In::Command(command) => self.visitor_command(io, conn, reference, command),
            _ => {
                let to = self.own(conn);
                self.refuse(io, to, reference, &codes::RIGHT_MISSING);
            }
        }
    }

    fn visitor(&self, conn: ConnId) -> Option<&VisitorConn> {
        match &self.conns.get(conn.index())?.as_ref()?.state {
            State::Visitor(visitor) => Some(visitor),
            _ => None,
        }
    }

    /// A message. On the hot path: no lock, no SQL, no task.
    fn visitor_send(&mut self, io: &mut Io<'_>, conn: ConnId, reference: u32, send: wire::Send) {
        let Some(visitor) = self.visitor(conn) else { return };
        let (conversation, visitor_id) = (visitor.conversation, visitor.visitor);
        let (team, origin) = (visitor.inbox.team.clone(), visitor.origin.as_deref().cloned());
        let account = visitor.inbox.account;
        let wire::Send { client_msg_id, content, audience, .. } = send;
        let origin_of_proposal = Origin::Conn {
            to: self.own(conn),
            reference,
            client_msg_id: client_msg_id.clone(),
            visitor: true,
        };
        let content = match propose::check_message(&client_msg_id, content, audience, false) {
            Ok(content) => content,
            Err(code) => {
                self.refuse_proposal(io, conversation, frames::refusal(code), origin_of_proposal);
                return;
            }
        };
        let actor = chat::Actor {
            kind: chat::ActorKind::Visitor.into(),
            id: visitor_id.to_string(),
            name: String::new(),
        };
        let content = match self.screen.screen(content, &actor) {
            Screened::Refuse => {
                let refusal = frames::refusal(&codes::MESSAGE_REFUSED);
                self.refuse_proposal(io, conversation, refusal, origin_of_proposal);
                return;
            }
            Screened::Pass(content) | Screened::Mask(content) | Screened::Flag(content, _) => content,
        };
        let now_ms = io.now_ms();
        let file = file_id(&content);
        let proposal = store::Proposal {
            conversation: Bytes::copy_from_slice(conversation.as_bytes()),
            actor: Some(actor),
            at_ms: now_ms,
            body: Some(store::proposal::Body::Send(store::Send {
                id: Bytes::copy_from_slice(self.ids.next::<MessageId>(now_ms).as_bytes()),
                client_msg_id,
                audience: chat::Audience::Everyone.into(),
                content: Some(content),
                origin,
                new_session: Bytes::copy_from_slice(self.ids.next::<SessionId>(now_ms).as_bytes()),
                new_session_team: team,
            })),
        };
        self.count_in_flight(io, conn);
        if let Some(file) = file {
            let sender = visitor_id.to_string();
            let waiting =
                WaitingFile { origin: origin_of_proposal, conversation, proposal: Box::new(proposal) };
            self.look_up_file(io, account, sender, file, waiting);
        } else {
            self.stage(origin_of_proposal, conversation, proposal);
        }
    }

    /// A message that refers to a file waits for the gate to say that the file is stored.
    pub(super) fn look_up_file(
        &mut self,
        io: &mut Io<'_>,
        account: frontdesk_core::id::AccountId,
        sender: String,
        file: String,
        waiting: WaitingFile,
    ) {
        let ticket = self.next_file;
        self.next_file += 1;
        let request = GateRequest::File(FileRequest {
            loop_index: self.options.loop_index,
            ticket,
            account,
            conversation: waiting.conversation,
            sender,
            file,
        });
        if self.ports.gate.try_send(request).is_ok() {
            self.waiting_files.insert(ticket, waiting);
        } else {
            let refusal = frames::refusal(&codes::OVERLOADED);
            self.refuse_proposal(io, waiting.conversation, refusal, waiting.origin);
        }
    }

    /// The gate has looked up a file.
    pub(super) fn file_found(
        &mut self,
        io: &mut Io<'_>,
        ticket: u64,
        result: Result<chat::File, &'static ErrorCode>,
    ) {
        let Some(WaitingFile { origin, conversation, mut proposal }) =
            self.waiting_files.remove(&ticket)
        else {
            return;
        };
        match result {
            Ok(file) => {
                if let Some(store::proposal::Body::Send(send)) = &mut proposal.body
                    && let Some(content) = &mut send.content
                {
                    content.kind = Some(content::Kind::File(file));
                }
                self.stage(origin, conversation, *proposal);
            }
            Err(code) => self.refuse_proposal(io, conversation, frames::refusal(code), origin),
        }
    }

    /// What the visitor types: agents see it where sneak peek is on, otherwise that they type.
    fn visitor_draft(&mut self, io: &mut Io<'_>, conn: ConnId, reference: u32, draft: wire::Draft) {
        let Some(visitor) = self.visitor(conn) else { return };
        let (conversation, peek) = (visitor.conversation, visitor.inbox.drafts);
        let id = visitor.visitor.to_string();
        if draft.text.len() > limits::DRAFT_BYTES_MAX {
            let to = self.own(conn);
            self.refuse(io, to, reference, &codes::DRAFT_TOO_LARGE);
            return;
        }
        let update = wire::DraftUpdate {
            conversation: conversation.to_string(),
            actor: Some(chat::Actor {
                kind: chat::ActorKind::Visitor.into(),
                id,
                name: String::new(),
            }),
            typing: draft.typing,
            text: if peek { draft.text } else { String::new() },
        };
        let team = self.team_of(conversation);
        self.push(io, &team, &Encoded::push(Out::Draft(update)), None);
    }

    fn visitor_cursor(&mut self, io: &mut Io<'_>, conn: ConnId, cursor: &wire::MoveCursor) {
        let Some(visitor) = self.visitor(conn) else { return };
        let conversation = visitor.conversation;
        let actor = chat::Actor {
            kind: chat::ActorKind::Visitor.into(),
            id: visitor.visitor.to_string(),
            name: String::new(),
        };
        self.move_cursor(io.now_ms(), conversation, actor, cursor);
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
        let pending = self.cursors.entry(key).or_insert(PendingCursor {
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
        let due: Vec<_> =
            self.cursors.extract_if(|_, pending| pending.due_ms <= now_ms).collect();
        for ((conversation, actor), pending) in due {
            self.cursor_moved_ms.insert((conversation, actor), now_ms);
            let proposal = store::Proposal {
                conversation: Bytes::copy_from_slice(conversation.as_bytes()),
                actor: Some(pending.actor),
                at_ms: now_ms,
                body: Some(store::proposal::Body::Cursor(store::CursorMove {
                    delivered_seq: pending.delivered_seq,
                    read_seq: pending.read_seq,
                })),
            };
            self.stage(Origin::Silent, conversation, proposal);
        }
    }

    fn visitor_retract(
        &mut self,
        io: &mut Io<'_>,
        conn: ConnId,
        reference: u32,
        retract: &wire::Retract,
    ) {
        let Some(visitor) = self.visitor(conn) else { return };
        let conversation = visitor.conversation;
        let actor = chat::Actor {
            kind: chat::ActorKind::Visitor.into(),
            id: visitor.visitor.to_string(),
            name: String::new(),
        };
        let origin = self.plain_origin(conn, reference, true);
        let proposal =
            propose::retract(&mut self.ids, conversation, actor, retract.seq, io.now_ms());
        self.count_in_flight(io, conn);
        self.stage(origin, conversation, proposal);
    }

    fn visitor_command(
        &mut self,
        io: &mut Io<'_>,
        conn: ConnId,
        reference: u32,
        command: wire::Command,
    ) {
        let Some(visitor) = self.visitor(conn) else { return };
        let conversation = visitor.conversation;
        let actor = chat::Actor {
            kind: chat::ActorKind::Visitor.into(),
            id: visitor.visitor.to_string(),
            name: String::new(),
        };
        let to = self.own(conn);
        if !matches!(command.command, Some(Verb::Close(_) | Verb::Rate(_))) {
            self.refuse(io, to, reference, &codes::RIGHT_MISSING);
            return;
        }
        let now_ms = io.now_ms();
        match propose::visitor_command(&mut self.ids, conversation, actor, command, now_ms) {
            Ok(proposal) => {
                let origin = self.plain_origin(conn, reference, true);
                self.count_in_flight(io, conn);
                self.stage(origin, conversation, proposal);
            }
            Err(code) => self.refuse(io, to, reference, code),
        }
    }

    /// "Is this still where it stands?" The missing items go first, then the answer.
    fn visitor_sync(
        &mut self,
        io: &mut Io<'_>,
        conn: ConnId,
        reference: u32,
        held: Option<wire::Position>,
    ) {
        let Some(visitor) = self.visitor(conn) else { return };
        let conversation = visitor.conversation;
        let to = self.own(conn);
        self.sync(io, to, conversation, held, false);
        self.answer(io, to, reference, Out::Done(wire::Done {}));
    }

    /// Sends what a connection misses; a position of another life gets a whole new page.
    pub(super) fn sync(
        &mut self,
        io: &mut Io<'_>,
        to: super::ConnRef,
        conversation: ConversationId,
        held: Option<wire::Position>,
        team: bool,
    ) {
        let now_ms = io.now_ms();
        let state = self.dispatcher.state(conversation, now_ms);
        let last_seq = match state {
            Ok(state) => state.map_or(0, frontdesk_core::fold::Conversation::last_seq),
            Err(_) => return,
        };
        let Some(held) = held else { return };
        if held.epoch == self.options.epoch && held.seq == last_seq {
            return;
        }
        let mut opened = self.opened(io, conversation, Some(held), team);
        let frame = if opened.recovered {
            let conversation = if team { opened.conversation } else { String::new() };
            Out::Entries(wire::Entries {
                conversation,
                epoch: self.options.epoch,
                items: opened.items,
            })
        } else {
            if !team {
                opened.conversation.clear();
            }
            Out::Opened(opened)
        };
        self.answer(io, to, 0, frame);
    }

    pub(super) fn plain_origin(&self, conn: ConnId, reference: u32, visitor: bool) -> Origin {
        Origin::Conn { to: self.own(conn), reference, client_msg_id: Bytes::new(), visitor }
    }

    /// A visitor's connection is gone.
    pub(super) fn visitor_gone(&mut self, io: &mut Io<'_>, conn: ConnId, visitor: &VisitorConn) {
        let conversation = visitor.conversation;
        let Some(subscribers) = self.subscribers.get_mut(&conversation) else { return };
        subscribers.visitors.retain(|other| *other != conn);
        let last = subscribers.visitors.is_empty();
        self.forget_if_empty(conversation);
        if last && visitor.origin.is_none() {
            self.visitor_presence(io, visitor.inbox.account, conversation, false);
        }
    }

    pub(super) fn forget_if_empty(&mut self, conversation: ConversationId) {
        let empty = |subscribers: &Subscribers| {
            subscribers.visitors.is_empty() && subscribers.viewers.is_empty()
        };
        if self.subscribers.get(&conversation).is_some_and(empty) {
            self.subscribers.remove(&conversation);
        }
    }
}

/// The file a message refers to, if it does.
pub(super) fn file_id(content: &chat::Content) -> Option<String> {
    match &content.kind {
        Some(content::Kind::File(file)) => Some(file.id.clone()),
        _ => None,
    }
}
