//! Frames of people with an account.
//!
//! A frame about a conversation is handled by the loop that owns the conversation: there the rights
//! are checked against the session as it is, and there the answer is made. Frames about the agent
//! itself (presence) stay on the agent's loop.

use std::sync::Arc;

use bytes::Bytes;
use frontdesk_core::{
    chat,
    id::{ConversationId, UserId},
    limits,
};
use frontdesk_protocol::{
    Encoded,
    codes::{self, ErrorCode},
    wire::{self, client_frame::Frame as In, server_frame::Frame as Out},
};
use frontdesk_router::{
    access::{self, Principal},
    propose,
    screen::Screened,
};
use tokio::sync::oneshot;

use super::{
    Chat, Origin, Viewer,
    conn::{AgentConn, State},
    frames,
    port::{Answer, Command, ConnRef, DeskInput, Reply},
    visitor::{WaitingFile, file_id},
};
use crate::edge::{ConnId, Io};

/// Who waits for the answer to a frame.
#[derive(Debug)]
pub(super) enum Asker {
    /// A connection of any loop.
    Conn(ConnRef),
    /// An HTTP request.
    Once(oneshot::Sender<Answer>),
}

impl Chat {
    fn agent(&mut self, conn: ConnId) -> Option<&mut AgentConn> {
        match &mut self.conn(conn)?.state {
            State::Agent(agent) => Some(agent),
            _ => None,
        }
    }

    /// One frame of a live agent, on the loop of its connection.
    pub(super) fn agent_frame(&mut self, io: &mut Io<'_>, conn: ConnId, reference: u32, frame: In) {
        let message = if let In::Send(send) = &frame { Some(send) } else { None };
        if !self.admit(io, conn, reference, message) {
            return;
        }
        let to = self.own(conn);
        let conversation = match &frame {
            In::SetPresence(presence) => {
                self.set_presence(io, conn, reference, presence.presence());
                return;
            }
            In::Sync(sync) => {
                self.agent_sync(io, conn, reference, sync);
                return;
            }
            frame => conversation_of(frame),
        };
        let Some(conversation) = conversation.and_then(|id| id.parse::<ConversationId>().ok()) else {
            self.refuse(io, to, reference, &codes::CONVERSATION_UNKNOWN);
            return;
        };
        let Some(agent) = self.agent(conn) else { return };
        let principal = Arc::clone(&agent.principal);
        match &frame {
            In::Open(_) if !agent.open.contains(&conversation) => {
                if agent.open.len() >= limits::OPEN_MAX {
                    self.refuse(io, to, reference, &codes::CONVERSATION_FULL);
                    return;
                }
                agent.open.push(conversation);
            }
            In::Leave(_) => agent.open.retain(|other| *other != conversation),
            _ => {}
        }
        self.count_in_flight(io, conn);
        let frame = wire::ClientFrame { r#ref: reference, frame: Some(frame) };
        self.route(io, conversation, to, &principal, frame);
    }

    /// Gives a frame to the loop of its conversation.
    fn route(
        &mut self,
        io: &mut Io<'_>,
        conversation: ConversationId,
        from: ConnRef,
        principal: &Arc<Principal>,
        frame: wire::ClientFrame,
    ) {
        let owner = self.owner_of(&conversation);
        if owner == self.options.loop_index {
            self.agent_frame_here(io, Asker::Conn(from), principal, frame);
        } else {
            let principal = Arc::clone(principal);
            self.tell(owner, Command::Frame { from, principal, frame: Box::new(frame) });
        }
    }

    fn set_presence(
        &mut self,
        io: &mut Io<'_>,
        conn: ConnId,
        reference: u32,
        presence: wire::Presence,
    ) {
        let to = self.own(conn);
        let Some(agent) = self.agent(conn) else { return };
        let (account, user) = (agent.principal.account, agent.user);
        let (Some(user), true) = (user, presence != wire::Presence::Unspecified) else {
            self.refuse(io, to, reference, &codes::PRESENCE_INVALID);
            return;
        };
        self.to_desk.push_back(DeskInput::SetPresence { account, user, presence });
        self.answer(io, to, reference, Out::Done(wire::Done {}));
    }

    /// One position check for several conversations, each answered by its own loop; `Done` follows
    /// at once, because a check that finds nothing missing sends nothing.
    fn agent_sync(&mut self, io: &mut Io<'_>, conn: ConnId, reference: u32, sync: &wire::Sync) {
        let to = self.own(conn);
        let Some(principal) = self.agent(conn).map(|agent| Arc::clone(&agent.principal)) else {
            return;
        };
        if sync.held.len() > limits::HELD_MAX {
            self.refuse(io, to, reference, &codes::HELD_TOO_MANY);
            return;
        }
        for held in &sync.held {
            let Ok(conversation) = held.conversation.parse::<ConversationId>() else { continue };
            let one = wire::Sync { held: vec![held.clone()] };
            let frame = wire::ClientFrame { r#ref: 0, frame: Some(In::Sync(one)) };
            self.route(io, conversation, to, &principal, frame);
        }
        self.answer(io, to, reference, Out::Done(wire::Done {}));
    }

    /// A frame about a conversation of this loop.
    pub(super) fn agent_frame_here(
        &mut self,
        io: &mut Io<'_>,
        asker: Asker,
        principal: &Arc<Principal>,
        frame: wire::ClientFrame,
    ) {
        let wire::ClientFrame { r#ref: reference, frame: Some(frame) } = frame else { return };
        let named = match &frame {
            In::Sync(sync) => sync.held.first().map(|held| held.conversation.as_str()),
            frame => conversation_of(frame),
        };
        let Some(conversation) = named.and_then(|id| id.parse::<ConversationId>().ok()) else {
            self.refuse_asker(io, asker, reference, &codes::CONVERSATION_UNKNOWN);
            return;
        };
        if let Err(code) = self.may(io, conversation, principal, &frame) {
            // A position check or leaving of something out of reach needs no answer.
            if !matches!(frame, In::Sync(_) | In::Leave(_)) {
                self.refuse_message(io, asker, conversation, reference, &frame, code);
            }
            return;
        }
        let now_ms = io.now_ms();
        match frame {
            In::Send(send) => self.agent_send(io, asker, conversation, reference, principal, send),
            In::Retract(retract) => {
                let actor = principal.actor();
                let proposal =
                    propose::retract(&mut self.ids, conversation, actor, retract.seq, now_ms);
                let origin = origin_of(asker, reference, Bytes::new());
                self.stage(origin, conversation, proposal);
            }
            In::Command(command) => {
                self.agent_command(io, asker, conversation, reference, principal, command);
            }
            In::Cursor(cursor) => {
                self.move_cursor(now_ms, conversation, principal.actor(), &cursor);
                if let Asker::Once(reply) = asker {
                    drop(reply.send(Answer::Done(None)));
                }
            }
            In::Draft(draft) => self.agent_draft(io, &asker, conversation, principal, draft.typing),
            In::Open(open) => self.open(io, &asker, conversation, reference, principal, open),
            In::Leave(_) => {
                if let Asker::Conn(conn) = asker {
                    self.stop_viewing(io, conn, conversation);
                    self.answer(io, conn, reference, Out::Done(wire::Done {}));
                }
            }
            In::Sync(sync) => {
                let held = sync.held.first().and_then(|held| held.position);
                if let Asker::Conn(conn) = asker {
                    self.sync(io, conn, conversation, held, true);
                }
            }
            _ => self.refuse_asker(io, asker, reference, &codes::FRAME_UNEXPECTED),
        }
    }

    /// Whether the principal may do this in the conversation as it is now. A conversation of another
    /// account, or out of reach, is unknown: its existence is nobody's business.
    fn may(
        &mut self,
        io: &mut Io<'_>,
        conversation: ConversationId,
        principal: &Principal,
        frame: &In,
    ) -> Result<(), &'static ErrorCode> {
        let state = self
            .dispatcher
            .state(conversation, io.now_ms())
            .map_err(|_| &codes::STORAGE_UNAVAILABLE)?
            .ok_or(&codes::CONVERSATION_UNKNOWN)?;
        access::check_frame(principal, state.state(), frame)
    }

    fn agent_send(
        &mut self,
        io: &mut Io<'_>,
        asker: Asker,
        conversation: ConversationId,
        reference: u32,
        principal: &Principal,
        send: wire::Send,
    ) {
        let wire::Send { client_msg_id, content, audience, .. } = send;
        let origin = origin_of(asker, reference, client_msg_id.clone());
        let content = match propose::check_message(&client_msg_id, content, audience, true) {
            Ok(content) => content,
            Err(code) => {
                self.refuse_proposal(io, conversation, frames::refusal(code), origin);
                return;
            }
        };
        let actor = principal.actor();
        let content = match self.screen.screen(content, &actor) {
            Screened::Refuse => {
                let refusal = frames::refusal(&codes::MESSAGE_REFUSED);
                self.refuse_proposal(io, conversation, refusal, origin);
                return;
            }
            Screened::Pass(content) | Screened::Mask(content) | Screened::Flag(content, _) => content,
        };
        let file = file_id(&content);
        let now_ms = io.now_ms();
        let proposal = propose::message(
            &mut self.ids,
            conversation,
            actor,
            propose::Message { client_msg_id, audience, content },
            now_ms,
        );
        if let Some(file) = file {
            let waiting = WaitingFile { origin, conversation, proposal: Box::new(proposal) };
            self.look_up_file(io, principal.account, principal.id.clone(), file, waiting);
        } else {
            self.stage(origin, conversation, proposal);
        }
    }

    fn agent_command(
        &mut self,
        io: &mut Io<'_>,
        asker: Asker,
        conversation: ConversationId,
        reference: u32,
        principal: &Principal,
        command: wire::Command,
    ) {
        let Some(state) = self.dispatcher.state_in_memory(conversation) else { return };
        let now_ms = io.now_ms();
        match propose::agent_command(
            &mut self.ids,
            conversation,
            principal,
            state.session(),
            command,
            now_ms,
        ) {
            Ok(proposals) => {
                // The last one carries the answer: a transfer's note goes before the transfer.
                let last = proposals.len() - 1;
                let mut asker = Some(asker);
                for (place, proposal) in proposals.into_iter().enumerate() {
                    let origin = match asker.take_if(|_| place == last) {
                        Some(asker) => origin_of(asker, reference, Bytes::new()),
                        None => Origin::Silent,
                    };
                    self.stage(origin, conversation, proposal);
                }
            }
            Err(code) => self.refuse_asker(io, asker, reference, code),
        }
    }

    /// Visitors learn that somebody types, never what; colleagues who look at it likewise.
    fn agent_draft(
        &mut self,
        io: &mut Io<'_>,
        asker: &Asker,
        conversation: ConversationId,
        principal: &Principal,
        typing: bool,
    ) {
        let update = |conversation| {
            Encoded::push(Out::Draft(wire::DraftUpdate {
                conversation,
                actor: Some(principal.actor()),
                typing,
                text: String::new(),
            }))
        };
        let from = match asker {
            Asker::Conn(conn) => Some(*conn),
            Asker::Once(_) => None,
        };
        let team = self.team_of(conversation);
        self.push(io, &team, &update(conversation.to_string()), from);
        let visitors = self.subscribers.get(&conversation).map(|s| s.visitors.clone());
        let frame = update(String::new());
        for conn in visitors.unwrap_or_default() {
            self.send(io, conn, &frame);
        }
    }

    /// Somebody begins to look at a conversation.
    fn open(
        &mut self,
        io: &mut Io<'_>,
        asker: &Asker,
        conversation: ConversationId,
        reference: u32,
        principal: &Arc<Principal>,
        open: wire::Open,
    ) {
        let Asker::Conn(conn) = *asker else { return };
        let opened = self.opened(io, conversation, open.position, true);
        let subscribers = self.subscribers.entry(conversation).or_default();
        if !subscribers.viewers.iter().any(|viewer| viewer.conn == conn) {
            subscribers.viewers.push(Viewer { conn, principal: Arc::clone(principal) });
        }
        self.answer(io, conn, reference, Out::Opened(opened));
        self.push_viewers(io, conversation, conn);
    }

    /// Tells those who look at a conversation that somebody came or left.
    fn push_viewers(&mut self, io: &mut Io<'_>, conversation: ConversationId, except: ConnRef) {
        let Some(subscribers) = self.subscribers.get(&conversation) else { return };
        let conns: Vec<ConnRef> = subscribers.viewers.iter().map(|viewer| viewer.conn).collect();
        let viewers = self.viewers_of(conversation);
        let frame = Encoded::push(Out::Viewers(wire::Viewers {
            conversation: conversation.to_string(),
            viewers,
        }));
        self.push(io, &conns, &frame, Some(except));
    }

    /// Who looks at a conversation, each person once.
    pub(super) fn viewers_of(&self, conversation: ConversationId) -> Vec<chat::Participant> {
        let Some(subscribers) = self.subscribers.get(&conversation) else { return Vec::new() };
        let mut viewers: Vec<chat::Participant> = Vec::new();
        for viewer in &subscribers.viewers {
            if !viewers.iter().any(|known| known.id == viewer.principal.id) {
                viewers.push(viewer.principal.participant());
            }
        }
        viewers
    }

    pub(super) fn stop_viewing(
        &mut self,
        io: &mut Io<'_>,
        conn: ConnRef,
        conversation: ConversationId,
    ) {
        let Some(subscribers) = self.subscribers.get_mut(&conversation) else { return };
        let before = subscribers.viewers.len();
        subscribers.viewers.retain(|viewer| viewer.conn != conn);
        if subscribers.viewers.len() < before {
            self.push_viewers(io, conversation, conn);
        }
        self.forget_if_empty(conversation);
    }

    /// A session changed: whoever may no longer read it stops looking at it.
    pub(super) fn check_viewers(&mut self, io: &mut Io<'_>, conversation: ConversationId) {
        let Some(subscribers) = self.subscribers.get_mut(&conversation) else { return };
        if subscribers.viewers.is_empty() {
            return;
        }
        let Some(state) = self.dispatcher.state_in_memory(conversation) else { return };
        let mut lost = Vec::new();
        subscribers.viewers.retain(|viewer| {
            let may = access::may_read(&viewer.principal, state.state());
            if !may {
                lost.push(viewer.conn);
            }
            may
        });
        for conn in lost {
            let mut refusal = frames::refusal(&codes::CONVERSATION_UNKNOWN);
            refusal.conversation = conversation.to_string();
            self.answer(io, conn, 0, Out::Refusal(refusal));
        }
    }

    /// Keeps the replica of who is connected where. A connection that went also looks at nothing.
    pub(super) fn note_user(&mut self, user: UserId, conn: ConnRef, present: bool) {
        let conns = self.users.entry(user).or_default();
        conns.retain(|other| *other != conn);
        if present {
            conns.push(conn);
        } else {
            if conns.is_empty() {
                self.users.remove(&user);
            }
            self.drop_viewer(conn);
        }
    }

    fn drop_viewer(&mut self, conn: ConnRef) {
        self.subscribers.retain(|_, subscribers| {
            subscribers.viewers.retain(|viewer| viewer.conn != conn);
            !subscribers.viewers.is_empty() || !subscribers.visitors.is_empty()
        });
    }

    /// An agent's connection is gone.
    pub(super) fn agent_gone(&mut self, conn: ConnId, agent: &AgentConn) {
        let own = self.own(conn);
        let account = agent.principal.account;
        if let Some(conns) = self.agents.get_mut(&account) {
            conns.retain(|other| *other != conn);
            if conns.is_empty() {
                self.agents.remove(&account);
            }
        }
        if let Some(user) = agent.user {
            self.note_user(user, own, false);
            self.tell_all_others(|| Command::UserConn { user, conn: own, present: false });
            self.to_desk.push_back(DeskInput::AgentLost { account, user, conn: own });
        } else {
            self.drop_viewer(own);
        }
    }

    fn refuse_asker(
        &mut self,
        io: &mut Io<'_>,
        asker: Asker,
        reference: u32,
        code: &'static ErrorCode,
    ) {
        match asker {
            Asker::Conn(conn) => self.refuse(io, conn, reference, code),
            Asker::Once(reply) => drop(reply.send(Answer::Refused(frames::refusal(code)))),
        }
    }

    /// As `refuse_asker`, naming the conversation and the message the refusal is about.
    fn refuse_message(
        &mut self,
        io: &mut Io<'_>,
        asker: Asker,
        conversation: ConversationId,
        reference: u32,
        frame: &In,
        code: &'static ErrorCode,
    ) {
        let client_msg_id = match frame {
            In::Send(send) => send.client_msg_id.clone(),
            _ => Bytes::new(),
        };
        let origin = origin_of(asker, reference, client_msg_id);
        self.refuse_proposal(io, conversation, frames::refusal(code), origin);
    }
}

/// The conversation a frame names.
fn conversation_of(frame: &In) -> Option<&str> {
    Some(match frame {
        In::Send(frame) => &frame.conversation,
        In::Retract(frame) => &frame.conversation,
        In::Cursor(frame) => &frame.conversation,
        In::Draft(frame) => &frame.conversation,
        In::Open(frame) => &frame.conversation,
        In::Leave(frame) => &frame.conversation,
        In::Command(frame) => &frame.conversation,
        _ => return None,
    })
}

fn origin_of(asker: Asker, reference: u32, client_msg_id: Bytes) -> Origin {
    match asker {
        Asker::Conn(to) => Origin::Conn { to, reference, client_msg_id, visitor: false },
        Asker::Once(reply) => Origin::Reply(Reply::Once(reply)),
    }
}
