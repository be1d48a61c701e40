//! Partitions that come and go, and other nodes that do: what a loop does when its part of the work
//! changes while it runs.

use std::sync::Arc;

use frontdesk_core::{
    fold::Conversation,
    id::{AccountId, ConversationId, UserId},
    partition_of,
};
use frontdesk_dispatcher::Dispatcher;
use frontdesk_protocol::wire::{self, client_frame::Frame as In};
use frontdesk_router::access::Principal;
use tokio::sync::oneshot;

use super::{
    Chat,
    act::Asker,
    agent::conversation_of,
    conn::State,
    place,
    port::{Command, ConnRef, DeskInput},
};
use crate::edge::{ConnId, Io};

/// A partition that is being handed over.
#[derive(Debug)]
pub(super) struct Releasing {
    partition: u16,
    reply: oneshot::Sender<Option<Box<Dispatcher>>>,
}

impl Chat {
    /// Takes a partition over.
    pub(super) fn adopt_partition(&mut self, dispatcher: Dispatcher) {
        let partition = dispatcher.number();
        // The end of the log: its last owner may have told no desk of it, and the history does not have it yet.
        self.changed.extend(dispatcher.in_memory());
        self.to_bot.took(partition, dispatcher.folded());
        self.dispatchers.adopt(Box::new(dispatcher));
        self.loops.owners().set(partition, Some(self.options.loop_index));
    }

    /// Begins to hand a partition over: nothing new is taken for it.
    pub(super) fn begin_release(
        &mut self,
        partition: u16,
        reply: oneshot::Sender<Option<Box<Dispatcher>>>,
    ) {
        if self.loops.owners().owner(partition) == Some(self.options.loop_index) {
            self.loops.owners().set(partition, None);
        }
        self.dispatchers.close(partition);
        self.releasing.push(Releasing { partition, reply });
    }

    /// Hands over what has nothing under way any more. Who is connected for it comes back to the new owner.
    pub(super) fn release_settled(&mut self, io: &mut Io<'_>) {
        if self.releasing.is_empty() {
            return;
        }
        let mut left = Vec::new();
        for releasing in std::mem::take(&mut self.releasing) {
            if self.dispatchers.unanswered(releasing.partition) > 0 {
                left.push(releasing);
                continue;
            }
            let dispatcher = self.dispatchers.release(releasing.partition);
            self.send_visitors_away(io, releasing.partition);
            // Whoever waited may have given up: the partition is closed all the same, and whoever owns it
            // next reads what is in the log.
            drop(releasing.reply.send(dispatcher));
        }
        self.releasing = left;
    }

    /// Gives partitions up whose log or history takes nothing more, once everybody who waits has an answer. The
    /// log may hold what nobody was told of: who is connected comes back and reads it.
    pub(super) fn give_up_broken(&mut self, io: &mut Io<'_>) {
        let Some(broken_port) = self.ports.broken.clone() else { return };
        let broken: Vec<u16> = self.dispatchers.broken().collect();
        for partition in broken {
            if self.dispatchers.unanswered(partition) > 0 {
                continue;
            }
            let Ok(permit) = broken_port.try_reserve() else { return };
            if let Some(dispatcher) = self.dispatchers.release(partition) {
                self.loops.owners().set(partition, None);
                permit.send(dispatcher);
                self.send_visitors_away(io, partition);
            }
        }
    }

    fn send_visitors_away(&mut self, io: &mut Io<'_>, partition: u16) {
        let partitions = self.loops.owners().partitions();
        let theirs = self.conns.iter().flatten().filter(|conn| match &conn.state {
            State::Visitor(visitor) => partition_of(&visitor.conversation, partitions) == partition,
            _ => false,
        });
        let conns: Vec<ConnId> = theirs.map(|conn| conn.id).collect();
        for conn in conns {
            self.send_on(io, conn);
        }
        self.subscribers
            .retain(|conversation, _| partition_of(conversation, partitions) != partition);
    }

    /// A partition has another owner, or none. Who was led to the one before, which may be dead, is led to the new one.
    /// Agents of this loop who look at its conversations look there now. Agents whose desk is at another node now come
    /// back and are led there, and a desk that is new is told of everything that the history may not have.
    pub(super) fn moved(&mut self, io: &mut Io<'_>, partition: u16) {
        let partitions = self.loops.owners().partitions();
        let owner = self.loops.owners().owner(partition);
        let is_desk = |account| place::account_partition(account, partitions) == partition;
        if !owner.is_some_and(|owner| self.loops.is_local(owner)) {
            let agents = self.agents.iter().filter(|(account, _)| is_desk(**account));
            let conns: Vec<ConnId> = agents.flat_map(|(_, conns)| conns.iter().copied()).collect();
            for conn in conns {
                self.send_on(io, conn);
            }
        }
        // Of the next owner this loop is told as well.
        let Some(owner) = owner else { return };
        let is_led_astray = |state: &State| match state {
            State::Tunnel { to, partition: of, .. } => *of == partition && *to != owner,
            _ => false,
        };
        let conns = self.conns.iter().flatten();
        let astray: Vec<ConnId> =
            conns.filter(|conn| is_led_astray(&conn.state)).map(|conn| conn.id).collect();
        for conn in astray {
            self.send_on(io, conn);
        }
        self.tell_desks_again(is_desk);
        self.look_again(io, |conversation| partition_of(conversation, partitions) == partition);
    }

    /// Desks of some accounts hear again of what is here: of conversations that the history may not have as
    /// they are, and of visitors who are there.
    fn tell_desks_again(&mut self, is_desk: impl Fn(AccountId) -> bool) {
        let live = self.dispatchers.live_conversations();
        let concerned = live.into_iter().filter(|conversation| {
            let state = self.dispatchers.state_in_memory(*conversation);
            state.and_then(Conversation::account).is_some_and(&is_desk)
        });
        self.changed.extend(concerned);
        for conn in self.conns.iter().flatten() {
            let State::Visitor(visitor) = &conn.state else { continue };
            let (account, conversation) = (visitor.principal.account, visitor.conversation);
            // Of one that has written nothing yet no desk has heard.
            if visitor.origin.is_none() && is_desk(account) {
                let online = true;
                self.to_desk.push_back(DeskInput::VisitorPresence {
                    account,
                    conversation,
                    online,
                });
            }
        }
    }

    /// Agents of this loop look again at those of the conversations that they look at. One that is still
    /// resuming comes back instead: what it missed begins where it says, and no other page may come before.
    fn look_again(&mut self, io: &mut Io<'_>, is_meant: impl Fn(&ConversationId) -> bool) {
        let mut open: Vec<(ConnId, ConversationId)> = Vec::new();
        let mut resuming = Vec::new();
        for conn in self.conns.iter().flatten() {
            let State::Agent(agent) = &conn.state else { continue };
            let mut meant = agent.open.iter().filter(|of| is_meant(of)).peekable();
            if agent.resuming.is_some() && meant.peek().is_some() {
                resuming.push(conn.id);
            } else {
                open.extend(meant.map(|conversation| (conn.id, *conversation)));
            }
        }
        for conn in resuming {
            self.send_on(io, conn);
        }
        for (conn, conversation) in open {
            let open = wire::Open { conversation: conversation.to_string(), position: None };
            self.agent_admitted(io, conn, 0, In::Open(open));
        }
    }

    /// Whether a frame of another loop is about a conversation of this one. It was when it was sent.
    pub(super) fn is_served_here(&self, frame: &wire::ClientFrame) -> bool {
        let conversation = match &frame.frame {
            Some(In::Sync(sync)) => sync.held.first().map(|held| held.conversation.as_str()),
            Some(frame) => conversation_of(frame),
            None => None,
        };
        let conversation = conversation.and_then(|id| id.parse::<ConversationId>().ok());
        conversation.is_none_or(|id| self.dispatchers.holds(id))
    }

    /// Answers a frame whose conversation is not here any more. What was asked for without a number is part
    /// of a resume or a look at the new owner, and must not be left out.
    pub(super) fn unserved(
        &mut self,
        io: &mut Io<'_>,
        from: ConnRef,
        principal: &Arc<Principal>,
        frame: wire::ClientFrame,
    ) {
        match frame.frame {
            Some(In::Open(_)) if frame.r#ref == 0 => {
                self.tell(from.loop_index, Command::Unserved { conn: from.conn });
            }
            Some(In::Cursor(_) | In::Draft(_) | In::Leave(_) | In::Sync(_)) | None => {}
            Some(_) => self.agent_frame_here(io, Asker::Conn(from), principal, frame),
        }
    }

    /// What agents and keys may do is not known any more: they come back and are asked again.
    pub(super) fn revoke_all(&mut self, io: &mut Io<'_>, code: u16) {
        for conn in self.conns.iter().flatten() {
            if matches!(conn.state, State::Agent(_)) {
                Self::close(io, conn.id, code);
            }
        }
    }

    /// Another node hears of everything that it has to know of this loop: who is connected here and what
    /// they look at there, and how things stand with the accounts whose desks it has.
    pub(super) fn node_joined(&mut self, io: &mut Io<'_>, node: u8) {
        let here: Vec<(AccountId, UserId, ConnRef)> = self
            .users
            .iter()
            .flat_map(|((account, user), conns)| {
                conns.iter().map(move |conn| (*account, *user, *conn))
            })
            .filter(|(_, _, conn)| conn.loop_index == self.options.loop_index)
            .collect();
        let theirs = self.loops.numbers().into_iter().filter(|of| place::node_of(*of) == node);
        for loop_index in theirs.collect::<Vec<_>>() {
            for (account, user, conn) in here.iter().copied() {
                self.tell(loop_index, Command::UserConn { account, user, conn, present: true });
            }
        }
        let loops = Arc::clone(&self.loops);
        let is_there =
            |owner: Option<u16>| owner.is_some_and(|owner| place::node_of(owner) == node);
        self.tell_desks_again(|account| is_there(loops.desk_of(account)));
        self.look_again(io, |conversation| is_there(loops.owner_of(conversation)));
    }

    /// Nobody of another node is connected any more, and nobody here is served there.
    pub(super) fn node_lost(&mut self, io: &mut Io<'_>, node: u8) {
        self.end_tunnels(io, node);
        self.close_who_may_wait_for(io, node);
        let is_theirs = |conn: &ConnRef| place::node_of(conn.loop_index) == node;
        for conns in self.users.values_mut() {
            conns.retain(|conn| !is_theirs(conn));
        }
        self.users.retain(|_, conns| !conns.is_empty());
        for subscribers in self.subscribers.values_mut() {
            subscribers.viewers.retain(|viewer| !is_theirs(&viewer.conn));
        }
        self.subscribers
            .retain(|_, around| !around.visitors.is_empty() || !around.viewers.is_empty());
        self.stuck.retain(|loop_index, _| place::node_of(*loop_index) != node);
    }
}
