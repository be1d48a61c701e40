//! Frames of people with an account.
//!
//! A frame about a conversation is handled by the loop that owns the conversation: there the rights
//! are checked against the session as it is, and there the answer is made. Frames about the agent
//! itself (presence) stay on the agent's loop.

use std::sync::Arc;

use bytes::Bytes;
use frontdesk_core::{
    chat, fold,
    id::{AccountId, ApiKeyId, ConversationId, UserId},
    limits, partition_of,
};
use frontdesk_protocol::{
    Encoded,
    codes::{self, ErrorCode},
    wire::{self, client_frame::Frame as In, server_frame::Frame as Out},
};
use frontdesk_router::{
    Rejection,
    access::{self, Principal, Subject},
    propose::Around,
};

use super::{
    Chat, Viewer,
    act::{Act, Asker},
    conn::{AgentConn, Conn, State},
    frames, place,
    port::{Answer, Command, ConnRef, DeskInput},
    seconds,
};
use crate::edge::{ConnId, Io};

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
        if self.admit(io, conn, reference, message) {
            self.agent_admitted(io, conn, reference, frame);
        }
    }

    /// The same without counting it, for what a hello holds. Says whether the frame has its answer; if
    /// not, another loop will give it.
    pub(super) fn agent_admitted(
        &mut self,
        io: &mut Io<'_>,
        conn: ConnId,
        reference: u32,
        frame: In,
    ) -> bool {
        let to = self.own(conn);
        let conversation = match &frame {
            In::Presence(presence) => {
                self.set_presence(io, conn, reference, presence.presence());
                return true;
            }
            In::Sync(sync) => {
                self.agent_sync(io, conn, reference, sync);
                return true;
            }
            frame => conversation_of(frame),
        };
        let Some(conversation) = conversation.and_then(|id| id.parse::<ConversationId>().ok())
        else {
            self.refuse(io, to, reference, &codes::CONVERSATION_UNKNOWN);
            return true;
        };
        let Some(agent) = self.agent(conn) else { return true };
        let principal = Arc::clone(&agent.principal);
        match &frame {
            In::Open(_) if !agent.open.contains(&conversation) => {
                if agent.open.len() >= limits::OPEN_MAX {
                    self.refuse(io, to, reference, &codes::CONVERSATION_FULL);
                    return true;
                }
                agent.open.push(conversation);
            }
            In::Leave(_) => agent.open.retain(|other| *other != conversation),
            _ => {}
        }
        self.count_in_flight(io, conn);
        let frame = wire::ClientFrame { r#ref: reference, frame: Some(frame) };
        self.route(io, conversation, to, &principal, frame)
    }

    /// Gives a frame to the loop of its conversation. Says whether it has been handled here.
    fn route(
        &mut self,
        io: &mut Io<'_>,
        conversation: ConversationId,
        from: ConnRef,
        principal: &Arc<Principal>,
        frame: wire::ClientFrame,
    ) -> bool {
        let is_message = matches!(frame.frame, Some(In::Send(_)));
        let now_s = seconds(io.now_ms());
        if is_message && self.has_to_come_back(from.conn, now_s) {
            return false;
        }
        let partition = partition_of(&conversation, self.loops.owners().partitions());
        let owner = self.loops.owners().owner(partition);
        if is_message
            && !self.loops.is_alone()
            && let Some(owner) = owner
            && !self.may_write_to(io, from.conn, partition, place::node_of(owner))
        {
            return false;
        }
        if owner == Some(self.options.loop_index) {
            self.agent_frame_here(io, Asker::Conn(from), principal, frame);
        } else if let Some(owner) = owner.filter(|owner| !self.is_overrun(*owner)) {
            let principal = Arc::clone(principal);
            let command = Command::Frame { from, principal, frame: Box::new(frame) };
            if !is_message || self.loops.is_local(owner) {
                self.tell(owner, command);
                return false;
            }
            let node = place::node_of(owner);
            let beginnings = self.loops.beginnings(node);
            if let Some(agent) = self.agent(from.conn) {
                let beginnings = agent.sent_elsewhere.note(node, beginnings, now_s);
                self.loops.send_in_order(owner, command, beginnings);
            }
            return false;
        } else {
            let wire::ClientFrame { r#ref: reference, frame: Some(frame) } = frame else {
                return true;
            };
            let (asker, principal) = (Asker::Conn(from), Arc::clone(principal));
            let around = Around::default();
            let act = Act { asker, reference, conversation, principal, around };
            self.reject(io, act, &frame, &Rejection::from(&codes::OVERLOADED));
        }
        true
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
        let is_person = agent.principal.kind == access::PrincipalKind::Agent;
        let user = user.filter(|_| is_person);
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
        let now_ms = io.now_ms();
        if matches!(frame, In::Send(_) | In::Retract(_) | In::Command(_)) {
            let principal = Arc::clone(principal);
            let around = Around::default();
            let act = Act { asker, reference, conversation, principal, around };
            self.act(io, act, frame);
            return;
        }
        if let Err(rejection) = self.may(io, conversation, principal, &frame) {
            // A position check of something out of reach needs no answer.
            if !matches!(frame, In::Sync(_)) {
                let origin = asker.origin(reference, Bytes::new());
                self.refuse_proposal(io, conversation, frames::rejected(&rejection), origin);
            }
            return;
        }
        match frame {
            In::Cursor(cursor) => {
                self.move_cursor(now_ms, conversation, principal.actor(), &cursor);
                if let Asker::Once(reply) = asker {
                    drop(reply.send(Answer::Done(None)));
                }
            }
            In::Draft(draft) if draft.text.len() > limits::DRAFT_BYTES_MAX => {
                self.refuse_asker(io, asker, reference, &codes::DRAFT_TOO_LARGE);
            }
            In::Draft(draft) => {
                self.agent_draft(io, &asker, conversation, principal, draft);
                if let Asker::Once(reply) = asker {
                    drop(reply.send(Answer::Done(None)));
                }
            }
            In::Open(open) => self.open(io, &asker, conversation, reference, principal, &open),
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

    /// Whether somebody may speak to the visitor: owns the open session, or takes part in it.
    fn takes_part(&self, conversation: ConversationId, id: &str) -> bool {
        let state = self.dispatchers.state_in_memory(conversation);
        let session = state.and_then(frontdesk_core::fold::Conversation::open_session);
        session.is_some_and(|session| {
            session.owner.iter().chain(&session.participants).any(|of| of.id == id)
        })
    }

    /// Visitors learn that somebody types, never what; colleagues who look at it likewise. What a bot is about to
    /// say is shown to everybody: an answer that grows.
    fn agent_draft(
        &mut self,
        io: &mut Io<'_>,
        asker: &Asker,
        conversation: ConversationId,
        principal: &Principal,
        draft: wire::Draft,
    ) {
        let typing = draft.typing;
        // Only where it may speak: nobody else's words stand beside those of whoever answers.
        let is_bot = principal.kind == access::PrincipalKind::Bot
            && self.takes_part(conversation, &principal.id);
        let text = if is_bot {
            self.screens.of(principal.account).screen_draft(draft.text, principal.kind)
        } else {
            String::new()
        };
        let update = |conversation, actor| {
            let (actor, text) = (Some(actor), text.clone());
            Encoded::push(Out::Draft(wire::DraftUpdate { conversation, actor, typing, text }))
        };
        let from = match asker {
            Asker::Conn(conn) | Asker::Visitor(conn) => Some(*conn),
            Asker::Once(_) => None,
        };
        let team = self.team_of(conversation);
        let mut actor = principal.actor();
        self.push(io, &team, &update(conversation.to_string(), actor.clone()), from);
        let visitors = self.subscribers.get(&conversation).map(|s| s.visitors.clone());
        fold::hide_from_visitor(&mut actor);
        let frame = update(String::new(), actor);
        for conn in visitors.unwrap_or_default() {
            if is_bot || self.hears_typing(conn) {
                self.send(io, conn, &frame);
            }
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
        open: &wire::Open,
    ) {
        let Asker::Conn(conn) = *asker else { return };
        let opened = match self.opened(io, conversation, open.position, true) {
            Ok(opened) => opened,
            Err(code) => {
                let origin = Asker::Conn(conn).origin(reference, Bytes::new());
                self.refuse_proposal(io, conversation, frames::refusal(code), origin);
                return;
            }
        };
        let subscribers = self.subscribers.entry(conversation).or_default();
        if !subscribers.viewers.iter().any(|viewer| viewer.conn == conn) {
            subscribers.viewers.push(Viewer { conn, principal: Arc::clone(principal) });
        }
        self.answer(io, conn, reference, Out::Opened(Box::new(opened)));
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
                viewers.push(participant(&viewer.principal));
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
        let Some(state) = self.dispatchers.state_in_memory(conversation) else { return };
        let account = state.account();
        let Some(account) = account else { return };
        let subject = Subject { conversation, account, session: state.session() };
        let mut lost = Vec::new();
        subscribers.viewers.retain(|viewer| {
            let may = access::may_read(&viewer.principal, &subject);
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
    pub(super) fn note_user(
        &mut self,
        account: AccountId,
        user: UserId,
        conn: ConnRef,
        present: bool,
    ) {
        let conns = self.users.entry((account, user)).or_default();
        conns.retain(|other| *other != conn);
        if present {
            conns.push(conn);
        } else {
            if conns.is_empty() {
                self.users.remove(&(account, user));
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

    /// Closes a user's connections of this loop: all, or those of one account or login session.
    pub(super) fn revoke(
        &mut self,
        io: &mut Io<'_>,
        user: UserId,
        account: Option<AccountId>,
        login: Option<&str>,
        code: u16,
    ) {
        for state in self.conns.iter().flatten() {
            let State::Agent(agent) = &state.state else { continue };
            let concerned = agent.user == Some(user)
                && account.is_none_or(|account| agent.principal.account == account)
                && login.is_none_or(|login| &*agent.login == login);
            if concerned {
                Self::close(io, state.id, code);
            }
        }
    }

    /// Closes the connections of a key of the API on this loop.
    pub(super) fn revoke_key(
        &mut self,
        io: &mut Io<'_>,
        account: AccountId,
        key: ApiKeyId,
        code: u16,
    ) {
        let key = key.to_string();
        for conn in self.agents.get(&account).cloned().unwrap_or_default() {
            let concerned = self.agent(conn).is_some_and(|agent| {
                agent.principal.kind != access::PrincipalKind::Agent && agent.principal.id == key
            });
            if concerned {
                Self::close(io, conn, code);
            }
        }
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
            self.note_user(account, user, own, false);
            self.tell_all_others(|| Command::UserConn { account, user, conn: own, present: false });
            // Of one that was still resuming the desk has not heard.
            if agent.resuming.is_none() {
                self.to_desk.push_back(DeskInput::AgentLost { account, user, conn: own });
            }
        } else {
            // Nobody keeps a replica of a program's connections: each loop it looks at is told.
            self.drop_viewer(own);
            for conversation in &agent.open {
                let owner = self.loops.owner_of(conversation);
                if let Some(owner) = owner.filter(|owner| *owner != self.options.loop_index) {
                    let leave = wire::Leave { conversation: conversation.to_string() };
                    let frame = wire::ClientFrame { r#ref: 0, frame: Some(In::Leave(leave)) };
                    let principal = Arc::clone(&agent.principal);
                    let command = Command::Frame { from: own, principal, frame: Box::new(frame) };
                    self.tell(owner, command);
                }
            }
        }
    }

    /// Whether a link began anew over which messages of this connection went that may be without an answer. It ends
    /// as soon as this loop is told.
    fn has_to_come_back(&mut self, conn: ConnId, now_s: u32) -> bool {
        let loops = Arc::clone(&self.loops);
        let beginnings = |node| loops.beginnings(node);
        self.agent(conn).is_some_and(|agent| agent.sent_elsewhere.may_be_lost(now_s, beginnings))
    }

    /// Whether a message about a partition may go to its owner now. What a former owner has not answered may be lost, and is
    /// sent again first: the client rejoins.
    fn may_write_to(&mut self, io: &mut Io<'_>, conn: ConnId, partition: u16, node: u8) -> bool {
        let now_s = seconds(io.now_ms());
        let Some(agent) = self.agent(conn) else { return false };
        if agent.sent_elsewhere.went_to_another(partition, node, now_s) {
            self.send_on(io, conn);
            return false;
        }
        agent.sent_elsewhere.note_owner(partition, node, now_s);
        true
    }

    /// The link to a node began anew. What went there may be lost, and who it is from does not know. Its next messages
    /// must not overtake it: they come back and send all of it again, in order (I3).
    pub(super) fn close_who_may_wait_for(&mut self, io: &mut Io<'_>, node: u8) {
        let now_s = seconds(io.now_ms());
        let may_wait = |conn: &&Conn| match &conn.state {
            State::Agent(agent) => agent.sent_elsewhere.may_wait_for(node, now_s),
            _ => false,
        };
        let conns: Vec<ConnId> =
            self.conns.iter().flatten().filter(may_wait).map(|conn| conn.id).collect();
        for conn in conns {
            self.send_on(io, conn);
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
            Asker::Conn(conn) | Asker::Visitor(conn) => self.refuse(io, conn, reference, code),
            Asker::Once(reply) => drop(reply.send(Answer::Refused(frames::refusal(code)))),
        }
    }
}

/// The conversation a frame names.
pub(super) fn conversation_of(frame: &In) -> Option<&str> {
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

/// A person as others see who looks on.
fn participant(principal: &Principal) -> chat::Participant {
    let kind = if principal.kind == access::PrincipalKind::Bot {
        chat::ParticipantKind::Bot
    } else {
        chat::ParticipantKind::Agent
    };
    chat::Participant { kind: kind.into(), id: principal.id.clone(), name: principal.name.clone() }
}
