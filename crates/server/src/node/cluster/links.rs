//! The links to the other nodes: what waits for one goes over the bus as batches, and what comes is handed
//! out. When a link begins anew, the loops forget what reached over it and tell the other node again.

mod stuck;

use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use bytes::Bytes;
use frontdesk_gateway::{
    chat::{
        loops::{HandedOut, Loops},
        port::Command,
    },
    edge::Refused,
    peer::{self, Notice, Outbox, Received, Waited},
};
use frontdesk_storage::Bus;
use parking_lot::Mutex;
use tokio::{
    sync::Notify,
    time::{sleep, sleep_until, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use self::stuck::Stuck;
use super::{ClusterNode, node_id, switch::Desks};
use crate::node::desk::DeskView;

/// How long the bus is left alone after it failed, before the node it failed for is given up.
const RETRY_AFTER: Duration = Duration::from_millis(100);
/// How long a link is quiet before an empty batch shows the other end whether it has got the last one.
const QUIET: Duration = Duration::from_secs(1);
/// How soon a loop whose inbox was full is told again, and how long batches wait for it. Meanwhile the bus fills, and
/// others hear that this node is slow.
const STUCK_RETRY: Duration = Duration::from_millis(20);
const STUCK_WAIT: Duration = Duration::from_secs(1);

/// Links to all nodes that are there.
pub(super) struct Links {
    loops: Arc<Loops>,
    bus: Arc<dyn Bus>,
    view: Arc<DeskView>,
    order: Mutex<Order>,
    /// What the loops have to hear of nodes and partitions.
    stuck: Mutex<Stuck>,
    /// A node is to be forgotten, or a loop did not take something.
    wakes: Notify,
    tasks: TaskTracker,
    stop: CancellationToken,
}

/// The order of batches, and what follows from it.
struct Order {
    links: peer::Links,
    /// Nodes of whose visitors the desk forgets, before it hears of what came behind.
    forgotten: BTreeSet<u8>,
}

impl Order {
    fn begin_anew(&mut self, node: u8) {
        self.links.begin_anew(node);
        self.forgotten.insert(node);
    }

    fn take_forgotten(&mut self) -> BTreeSet<u8> {
        std::mem::take(&mut self.forgotten)
    }
}

impl Links {
    /// Listens for what others send here.
    pub(super) async fn start(
        node: &ClusterNode,
        loops: Arc<Loops>,
        desks: Arc<Desks>,
        view: Arc<DeskView>,
        (tasks, stop): (&TaskTracker, &CancellationToken),
    ) -> anyhow::Result<Arc<Self>> {
        let links = Arc::new(Self {
            loops,
            bus: Arc::clone(&node.bus),
            view,
            order: Mutex::new(Order {
                links: peer::Links::new(node.number, node.life),
                forgotten: BTreeSet::new(),
            }),
            stuck: Mutex::default(),
            wakes: Notify::new(),
            tasks: tasks.clone(),
            stop: stop.clone(),
        });
        let mut batches =
            links.bus.subscribe(&node_id(node.number)).await.context("cannot listen on the bus")?;
        let (receiving, stop) = (Arc::clone(&links), stop.clone());
        tasks.spawn(async move {
            loop {
                let due = receiving.order.lock().links.due();
                let batch = tokio::select! {
                    () = stop.cancelled() => return,
                    () = receiving.wakes.notified() => {
                        let forgotten = receiving.order.lock().take_forgotten();
                        forget(&desks, forgotten).await;
                        receiving.tell_stuck().await;
                        continue;
                    }
                    () = sleep_until(due.unwrap_or_else(Instant::now).into()), if due.is_some() => {
                        receiving.take_overdue(&desks).await;
                        continue;
                    }
                    batch = batches.recv() => batch,
                };
                let Some(batch) = batch else {
                    tracing::error!("another process listens on the bus under this node's number");
                    return;
                };
                receiving.take(batch, &desks).await;
            }
        });
        Ok(links)
    }

    async fn take(&self, bytes: Bytes, desks: &Desks) {
        let (opened, forgotten) = {
            let mut order = self.order.lock();
            (order.links.open(bytes, Instant::now()), order.take_forgotten())
        };
        forget(desks, forgotten).await;
        match opened {
            Ok((node, received)) => self.act(node, received, desks).await,
            Err(error) => tracing::error!(error = &error as &dyn std::error::Error, "on the bus"),
        }
    }

    /// Those before it did not come.
    async fn take_overdue(&self, desks: &Desks) {
        let (overdue, forgotten) = {
            let mut order = self.order.lock();
            (order.links.overdue(Instant::now()), order.take_forgotten())
        };
        forget(desks, forgotten).await;
        for (node, received) in overdue {
            self.act(node, received, desks).await;
        }
    }

    async fn act(&self, node: u8, received: Vec<Received>, desks: &Desks) {
        for Received { batch, is_anew, is_answer_due } in received {
            if is_anew {
                tracing::warn!(node, "the link to a node begins anew");
                self.loops.begin_anew(node);
                desks.forget(node).await;
                self.tell_anew(node);
            }
            if is_answer_due {
                self.loops.ask_for_batch(node);
            }
            let Some(batch) = batch else { continue };
            // What it says builds on what the loops were told before.
            if !self.tell_stuck().await {
                tracing::warn!(node, "a loop stands still: a batch is dropped");
                return self.break_off(node);
            }
            let HandedOut { notices, is_all } = self.loops.receive(batch);
            for notice in notices {
                match notice {
                    Notice::Attended { inbox, attended } => {
                        if self.view.note_attended(inbox, attended) {
                            self.tell(|| Command::Attended { inbox, attended });
                        }
                    }
                    notice => desks.take(node, notice).await,
                }
            }
            if !is_all {
                // And what came behind builds on it.
                return self.break_off(node);
            }
        }
    }

    /// A node is there, with so many loops: what waits for it goes out from now on. Another life of it than
    /// before has to be told everything, unless the link has noticed already.
    pub(super) fn join(self: &Arc<Self>, node: u8, life: u64, loops: u16) {
        match self.loops.loops_of(node) {
            Some(known) if known == loops && self.order.lock().links.is_of_life(node, life) => {
                return;
            }
            Some(_) => self.part(node),
            None => {}
        }
        let outbox = self.loops.join(node, loops);
        // So that it hears of this one, even if there is nothing to say.
        outbox.ask_for_batch();
        tell_attended(&self.loops, &self.view, node);
        let (links, stop) = (Arc::clone(self), self.stop.clone());
        self.tasks.spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = links.carry(node, &outbox) => {}
            }
        });
        self.tell(|| Command::NodeJoined { node });
    }

    /// Sends batch after batch. What the bus does not take is lost, and the link begins anew.
    async fn carry(&self, node: u8, outbox: &Arc<Outbox>) {
        let to = node_id(node);
        let mut was_empty = false;
        loop {
            let next = if was_empty {
                outbox.next().await
            } else {
                let quiet = Waited { commands: Vec::new(), is_after_spill: false };
                timeout(QUIET, outbox.next()).await.unwrap_or(Some(quiet))
            };
            let Some(Waited { commands, is_after_spill }) = next else { return };
            if is_after_spill {
                tracing::warn!(node, "a node is too far behind");
                self.begin_anew(node);
            }
            was_empty = commands.is_empty();
            let batch = self.order.lock().links.seal(node, commands);
            if let Err(error) = self.bus.publish(&to, batch).await {
                tracing::warn!(node, error = &error as &dyn std::error::Error, "the bus failed");
                self.begin_anew(node);
                was_empty = false;
                sleep(RETRY_AFTER).await;
            }
        }
    }

    /// A node is gone.
    pub(super) fn part(&self, node: u8) {
        self.loops.part(node);
        self.loops.begin_anew(node);
        self.order.lock().begin_anew(node);
        self.wakes.notify_one();
        self.tell(|| Command::NodeLost { node });
    }

    /// Nobody knows what of the last that was said arrived.
    fn begin_anew(&self, node: u8) {
        self.loops.begin_anew(node);
        self.order.lock().begin_anew(node);
        self.wakes.notify_one();
        self.tell_anew(node);
    }

    /// Something that arrived did not reach the loops.
    fn break_off(&self, node: u8) {
        self.begin_anew(node);
        self.loops.ask_for_batch(node);
    }

    fn tell_anew(&self, node: u8) {
        tell_attended(&self.loops, &self.view, node);
        let mut stuck = self.stuck.lock();
        for loop_index in self.loops.local_numbers() {
            stuck.push_anew(loop_index, node);
        }
        self.tell_now(&mut stuck);
    }

    /// Tells all loops of this node; one that is full hears it later.
    pub(super) fn tell(&self, command: impl Fn() -> Command) {
        let mut stuck = self.stuck.lock();
        for loop_index in self.loops.local_numbers() {
            stuck.push(loop_index, command());
        }
        self.tell_now(&mut stuck);
    }

    fn tell_now(&self, stuck: &mut Stuck) {
        stuck.tell(|loop_index, command| match self.loops.send(loop_index, command) {
            Err(Refused::Full(command)) => Some(command),
            // Only loops that end hear no more; their connections end with them.
            Ok(()) | Err(Refused::Stopped(_)) => None,
        });
        if !stuck.is_empty() {
            self.wakes.notify_one();
        }
    }

    /// Waits a while until the loops have taken what they have to hear; whether they have.
    async fn tell_stuck(&self) -> bool {
        let until = Instant::now() + STUCK_WAIT;
        loop {
            {
                let mut stuck = self.stuck.lock();
                self.tell_now(&mut stuck);
                if stuck.is_empty() || Instant::now() >= until {
                    return stuck.is_empty();
                }
            }
            sleep(STUCK_RETRY).await;
        }
    }
}

async fn forget(desks: &Desks, nodes: BTreeSet<u8>) {
    for node in nodes {
        desks.forget(node).await;
    }
}

/// A node to which the link begins hears where somebody is online, as desks tell it only once.
fn tell_attended(loops: &Loops, view: &DeskView, node: u8) {
    for (inbox, attended) in view.attended_here() {
        // If too much waits already the link begins anew once more.
        loops.tell(node, Notice::Attended { inbox, attended });
    }
}

#[cfg(test)]
mod tests {
    use frontdesk_core::id::{AccountId, InboxId};
    use frontdesk_gateway::peer::v1::{Attended, command::Command as Peer};

    use super::*;

    #[tokio::test]
    async fn a_node_to_which_the_link_begins_hears_where_somebody_is_online() {
        let loops = Loops::of_node(1, Vec::new(), 64);
        let view = DeskView::new(1);
        let (account, inbox) = (AccountId::from_bytes([1; 12]), InboxId::from_bytes([2; 12]));
        view.note_attended_here(account, inbox, true);
        let outbox = loops.join(2, 1);
        tell_attended(&loops, &view, 2);
        let waited = outbox.next().await.expect("it waits").commands;
        let said: Vec<Option<Peer>> = waited.into_iter().map(|of| of.command).collect();
        let inbox = inbox.as_bytes().to_vec().into();
        assert_eq!(said, [Some(Peer::Attended(Attended { inbox, attended: true }))]);
    }
}
