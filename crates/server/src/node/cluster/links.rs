//! The links to the other nodes: what waits for one goes over the bus as batches, and what comes is handed
//! out.

use std::{sync::Arc, time::Duration};

use anyhow::Context as _;
use bytes::Bytes;
use frontdesk_gateway::{
    chat::{loops::Loops, port::Command},
    peer::{self, Notice, Outbox, Received},
};
use frontdesk_storage::Bus;
use parking_lot::Mutex;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{ClusterNode, node_id, switch::Desks};
use crate::node::desk::DeskView;

/// How long the bus is left alone after it failed, before the node it failed for is given up.
const RETRY_AFTER: Duration = Duration::from_millis(100);

/// Links to all nodes that are there.
pub(super) struct Links {
    loops: Arc<Loops>,
    bus: Arc<dyn Bus>,
    order: Mutex<peer::Links>,
    tasks: TaskTracker,
    stop: CancellationToken,
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
            order: Mutex::new(peer::Links::new(node.number, node.life)),
            tasks: tasks.clone(),
            stop: stop.clone(),
        });
        let mut batches =
            links.bus.subscribe(&node_id(node.number)).await.context("cannot listen on the bus")?;
        let (receiving, stop) = (Arc::clone(&links), stop.clone());
        tasks.spawn(async move {
            loop {
                let batch = tokio::select! {
                    () = stop.cancelled() => return,
                    batch = batches.recv() => batch,
                };
                let Some(batch) = batch else {
                    tracing::error!("another process listens on the bus under this node's number");
                    return;
                };
                receiving.take(batch, &desks, &view).await;
            }
        });
        Ok(links)
    }

    async fn take(&self, bytes: Bytes, desks: &Arc<Desks>, view: &DeskView) {
        let opened = self.order.lock().open(bytes);
        let batch = match opened {
            Ok(Received::InOrder(batch)) => batch,
            Ok(Received::AfterGap(batch)) => {
                let node = batch.node as u8;
                tracing::warn!(node, "something that a node sent got lost");
                self.reset(node);
                self.loops.tell(node, Notice::AnnounceAgain);
                batch
            }
            Ok(Received::Old) => return,
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "on the bus");
                return;
            }
        };
        let from = batch.node as u8;
        for notice in self.loops.receive(batch) {
            match notice {
                Notice::AnnounceAgain => self.tell(|| Command::NodeJoined { node: from }),
                Notice::Attended { inbox, attended } => view.note_attended(inbox, attended),
                notice => desks.take(notice).await,
            }
        }
    }

    /// A node is there: what waits for it goes out from now on.
    pub(super) fn join(self: &Arc<Self>, node: u8, loops: u16) {
        let outbox = self.loops.join(node, loops);
        let (links, stop) = (Arc::clone(self), self.stop.clone());
        self.tasks.spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = links.carry(node, &outbox) => {}
            }
        });
        self.tell(|| Command::NodeJoined { node });
    }

    /// Sends batch after batch. What the bus does not take is lost, and with it the connections that
    /// reach over to the node: they begin anew.
    async fn carry(&self, node: u8, outbox: &Arc<Outbox>) {
        let to = node_id(node);
        while let Some(commands) = outbox.next().await {
            let batch = self.order.lock().seal(node, commands);
            if let Err(error) = self.bus.publish(&to, batch).await {
                tracing::warn!(node, error = &error as &dyn std::error::Error, "the bus failed");
                self.reset(node);
                tokio::time::sleep(RETRY_AFTER).await;
            }
        }
    }

    /// A node is gone.
    pub(super) fn part(&self, node: u8) {
        self.loops.part(node);
        self.order.lock().forget(node);
        self.tell(|| Command::NodeLost { node });
    }

    /// Nobody knows what of the last that was said arrived.
    fn reset(&self, node: u8) {
        self.tell(|| Command::NodeLost { node });
        self.tell(|| Command::NodeJoined { node });
    }

    fn tell(&self, command: impl Fn() -> Command) {
        for loop_index in self.loops.local_numbers() {
            // Only loops that end hear no more; their connections end with them.
            drop(self.loops.send(loop_index, command()));
        }
    }
}
