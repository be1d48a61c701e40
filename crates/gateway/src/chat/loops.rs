//! All loops, of this node and of others, by number: whoever has something for a loop need not know where
//! it runs.

use std::{collections::HashMap, sync::Arc};

use frontdesk_core::id::{AccountId, ConversationId};
use parking_lot::RwLock;
use tokio::sync::oneshot;

use super::{
    place::{self, Owners, loop_number, node_of, place_of},
    port::{Answer, Command, TailReply},
};
use crate::{
    edge::{LoopHandle, Refused},
    peer::{self, Notice, Outbox, Replies, v1},
};

/// The loops as anybody reaches them.
#[derive(Debug)]
pub struct Loops {
    node: u8,
    local: Box<[LoopHandle<Command>]>,
    owners: Owners,
    /// Other nodes by number; empty where this node is alone.
    peers: RwLock<Vec<Option<Arc<Outbox>>>>,
    /// How often the link to each began anew.
    beginnings: RwLock<HashMap<u8, u64>>,
    replies: Replies,
}

impl Loops {
    /// Those of a node that is alone.
    pub fn alone(local: Vec<LoopHandle<Command>>, partitions: u16) -> Self {
        let owners = Owners::alone(partitions, local.len() as u16);
        Self::of(0, local, owners)
    }

    /// Those of one node of several; its loops own nothing yet, and no other node is known.
    pub fn of_node(node: u8, local: Vec<LoopHandle<Command>>, partitions: u16) -> Self {
        Self::of(node, local, Owners::nobody(partitions))
    }

    fn of(node: u8, local: Vec<LoopHandle<Command>>, owners: Owners) -> Self {
        let (peers, beginnings) = (RwLock::default(), RwLock::default());
        let replies = Replies::default();
        Self { node, local: local.into(), owners, peers, beginnings, replies }
    }

    /// The number of this node.
    pub fn node(&self) -> u8 {
        self.node
    }

    /// The loops of this node, by place.
    pub fn local(&self) -> &[LoopHandle<Command>] {
        &self.local
    }

    /// Who owns each partition.
    pub fn owners(&self) -> &Owners {
        &self.owners
    }

    /// The loop that owns a conversation; `None` while nobody does.
    pub fn owner_of(&self, conversation: &ConversationId) -> Option<u16> {
        self.owners.owner_of(conversation)
    }

    /// A loop of the node that has the account's desk: where its agents' sockets are served. `None` while
    /// there is none.
    pub fn desk_of(&self, account: AccountId) -> Option<u16> {
        self.owners.owner(place::account_partition(account, self.owners.partitions()))
    }

    /// Whether this node is the only one.
    pub fn is_alone(&self) -> bool {
        self.node == 0
    }

    /// Whether a loop is one of this node.
    pub fn is_local(&self, loop_index: u16) -> bool {
        node_of(loop_index) == self.node
    }

    /// The numbers of this node's loops.
    pub fn local_numbers(&self) -> impl Iterator<Item = u16> + use<> {
        let node = self.node;
        (0..self.local.len()).map(move |place| loop_number(node, place as u8))
    }

    /// The numbers of all loops that are known.
    pub fn numbers(&self) -> Vec<u16> {
        let mut numbers: Vec<u16> = self.local_numbers().collect();
        for (node, outbox) in self.peers.read().iter().enumerate() {
            let loops = outbox.as_ref().map_or(0, |outbox| outbox.loops);
            numbers.extend((0..loops).map(|place| loop_number(node as u8, place as u8)));
        }
        numbers
    }

    /// Sends a command to a loop; on another node it may get lost on the way, which both ends find out
    /// (`peer`).
    #[expect(clippy::result_large_err, reason = "the command goes back to whoever sent it")]
    pub fn send(&self, loop_index: u16, command: Command) -> Result<(), Refused<Command>> {
        if self.is_local(loop_index) {
            return match self.local.get(place_of(loop_index)) {
                Some(handle) => handle.send(command),
                None => Err(Refused::Stopped(command)),
            };
        }
        let Some(outbox) = self.outbox(node_of(loop_index)) else {
            return Err(Refused::Stopped(command));
        };
        // What is delivered in one turn goes out one by one, so that none is larger than a batch.
        if let Command::Deliver(deliveries) = command {
            for delivery in deliveries {
                self.push(&outbox, loop_index, Command::Deliver(vec![delivery]))?;
            }
            return Ok(());
        }
        self.push(&outbox, loop_index, command)
    }

    /// Sends a message of somebody to a loop of another node, unless the link to it began anew more often than the
    /// sender knows: what came before may be lost, and this would overtake it.
    pub(super) fn send_in_order(&self, loop_index: u16, command: Command, beginnings: u64) -> bool {
        let outbox = self.outbox(node_of(loop_index));
        let encoded = || peer::encode(loop_index, command, &self.replies).ok();
        outbox.zip(encoded()).is_some_and(|(outbox, of)| outbox.push_in_order(of, beginnings))
    }

    /// How often the link to a node began anew.
    pub(super) fn beginnings(&self, node: u8) -> u64 {
        self.beginnings.read().get(&node).copied().unwrap_or_default()
    }

    /// The link to a node begins anew, which the loops are told as well ([`Command::NodeLost`]).
    pub fn begin_anew(&self, node: u8) {
        let mut beginnings = self.beginnings.write();
        let count = beginnings.entry(node).or_default();
        *count += 1;
        if let Some(outbox) = self.outbox(node) {
            outbox.begin_anew(*count);
        }
    }

    #[expect(clippy::result_large_err, reason = "the command goes back to whoever sent it")]
    fn push(
        &self,
        outbox: &Outbox,
        loop_index: u16,
        command: Command,
    ) -> Result<(), Refused<Command>> {
        let encoded = peer::encode(loop_index, command, &self.replies).map_err(Refused::Stopped)?;
        if outbox.push(encoded) {
            Ok(())
        } else {
            // The link is dead or far behind: what it is about comes back when it is made anew.
            Err(Refused::Stopped(Command::Deliver(Vec::new())))
        }
    }

    /// Tells another node something; false if that is not possible now.
    pub fn tell(&self, node: u8, notice: Notice) -> bool {
        self.outbox(node).is_some_and(|outbox| outbox.push(peer::encode_notice(notice)))
    }

    /// Tells all other nodes something. A node that is too far behind is told when its link begins anew.
    pub fn tell_all(&self, notice: &Notice) {
        for outbox in self.peers.read().iter().flatten() {
            if !outbox.push(peer::encode_notice(notice.clone())) {
                tracing::warn!("a node is too far behind to be told something");
            }
        }
    }

    /// A node is there, with so many loops.
    pub fn join(&self, node: u8, loops: u16) -> Arc<Outbox> {
        // Held, so that none is missed between both.
        let beginnings = self.beginnings.read();
        let beginning = beginnings.get(&node).copied().unwrap_or_default();
        let outbox = Arc::new(Outbox::new(loops, beginning));
        let mut peers = self.peers.write();
        let place = usize::from(node);
        if peers.len() <= place {
            peers.resize_with(place + 1, || None);
        }
        if let Some(former) = peers[place].replace(Arc::clone(&outbox)) {
            former.close();
        }
        outbox
    }

    /// How many loops another node has; `None` if it is not there.
    pub fn loops_of(&self, node: u8) -> Option<u16> {
        self.outbox(node).map(|outbox| outbox.loops)
    }

    /// A batch for a node is due, even if there is nothing to say.
    pub fn ask_for_batch(&self, node: u8) {
        // Whoever is not there is told when it comes.
        if let Some(outbox) = self.outbox(node) {
            outbox.ask_for_batch();
        }
    }

    /// A node is gone.
    pub fn part(&self, node: u8) {
        if let Some(place) = self.peers.write().get_mut(usize::from(node))
            && let Some(former) = place.take()
        {
            former.close();
        }
    }

    fn outbox(&self, node: u8) -> Option<Arc<Outbox>> {
        self.peers.read().get(usize::from(node))?.clone()
    }

    /// Hands out what came from another node; what is for this node itself comes back. Must be called on
    /// a Tokio runtime: answers are sent by tasks.
    pub fn receive(self: &Arc<Self>, batch: v1::Batch) -> HandedOut {
        let from = batch.node as u8;
        let answering = Answerer { loops: self, from };
        let mut handed_out = HandedOut { notices: Vec::new(), is_all: true };
        for command in batch.commands {
            match peer::decode(command, &answering) {
                Ok(peer::Incoming::Loop(number, command)) => {
                    if self.is_local(number) {
                        // Clients find by themselves what is pushed and does not come.
                        let is_push = command.is_push();
                        if let Err(Refused::Full(_)) = self.send(number, command) {
                            tracing::warn!(loop.index = number, "a loop did not take a command");
                            handed_out.is_all &= is_push;
                        }
                    }
                }
                Ok(peer::Incoming::Notice(notice)) => handed_out.notices.push(notice),
                Ok(peer::Incoming::Answer(answer)) => self.replies.answer(answer),
                Err(error) => {
                    tracing::error!(node = from, error = &error as &dyn std::error::Error);
                }
            }
        }
        handed_out
    }
}

/// What became of a batch.
#[derive(Debug)]
pub struct HandedOut {
    /// What it says to the node itself.
    pub notices: Vec<Notice>,
    /// Whether all of it reached the loops. If not, the two ends of the link differ, and it has to begin anew.
    pub is_all: bool,
}

/// Sends answers back to the node that asked.
struct Answerer<'a> {
    loops: &'a Arc<Loops>,
    from: u8,
}

impl Answerer<'_> {
    fn channel<T: Send + 'static>(
        &self,
        encode: impl FnOnce(T) -> v1::Command + Send + 'static,
    ) -> oneshot::Sender<T> {
        let (reply, answer) = oneshot::channel();
        let (loops, from) = (Arc::clone(self.loops), self.from);
        tokio::spawn(async move {
            // A loop that ends drops the question; whoever asked has a timeout.
            let Ok(answer) = answer.await else { return };
            if let Some(outbox) = loops.outbox(from)
                && !outbox.push(encode(answer))
            {
                tracing::warn!(node = from, "an answer was dropped");
            }
        });
        reply
    }
}

impl peer::Answering for Answerer<'_> {
    fn answer(&self, reply: u64) -> oneshot::Sender<Answer> {
        self.channel(move |answer| peer::answer(reply, answer))
    }

    fn tail(&self, reply: u64) -> TailReply {
        self.channel(move |tail| peer::tail_answer(reply, tail))
    }
}

#[cfg(test)]
mod tests {
    use frontdesk_core::id::UserId;
    use frontdesk_protocol::{
        Encoded,
        wire::{self, server_frame::Frame as Out},
    };

    use super::{super::port::ConnRef, *};
    use crate::edge::{ConnId, EdgeLimits, EdgeLoop};

    /// A node with one loop, whose inbox is full.
    fn full() -> (Arc<Loops>, EdgeLoop<Command>) {
        let limits = EdgeLimits { inbox_max: 1, ..EdgeLimits::default() };
        let (edge, handle) = EdgeLoop::open(limits).expect("a loop");
        let loops = Arc::new(Loops::of_node(1, vec![handle], 64));
        loops.send(loop_number(1, 0), Command::Appended).expect("there is room for one");
        (loops, edge)
    }

    fn batch(loops: &Loops, command: Command) -> v1::Batch {
        let command = peer::encode(loop_number(1, 0), command, &loops.replies);
        v1::Batch { node: 2, commands: vec![command.expect("one for nodes")], ..Default::default() }
    }

    #[tokio::test]
    async fn what_a_full_loop_does_not_hear_of_connections_is_told() {
        let (loops, _edge) = full();
        let conn =
            ConnRef { loop_index: loop_number(2, 0), conn: ConnId { index: 1, generation: 1 } };
        let (account, user) = (AccountId::from_bytes([1; 12]), UserId::from_bytes([2; 12]));
        let gone = Command::UserConn { account, user, conn, present: false };
        assert!(!loops.receive(batch(&loops, gone)).is_all);
        let frame = Encoded::push(Out::Attended(wire::Attended { attended: true }));
        let pushed = Command::ToAccount { account, frame };
        assert!(loops.receive(batch(&loops, pushed)).is_all, "clients find that missing");
    }
}
