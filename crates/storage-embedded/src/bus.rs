//! The bus within one process: a bounded queue per node.
//!
//! One machine has one node, so this mostly carries nothing; tests of several nodes in one process
//! use it as the cluster uses Redis.

use async_trait::async_trait;
use bytes::Bytes;
use frontdesk_storage::{Bus, BusError, NodeId};
use hashbrown::HashMap;
use parking_lot::Mutex;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::mpsc::{Receiver, Sender, channel};

/// Queues in memory, one per node that receives.
#[derive(Debug)]
pub struct InProcessBus {
    queues: Mutex<HashMap<NodeId, Sender<Bytes>>>,
    batches_max: usize,
}

impl InProcessBus {
    /// Makes a bus that holds up to `batches_max` batches for each node.
    pub fn new(batches_max: usize) -> Self {
        Self { queues: Mutex::default(), batches_max }
    }
}

#[async_trait]
impl Bus for InProcessBus {
    async fn publish(&self, node: &NodeId, batch: Bytes) -> Result<(), BusError> {
        let mut queues = self.queues.lock();
        let unreachable = || BusError::Unreachable { node: node.clone() };
        let queue = queues.get(node).ok_or_else(unreachable)?;
        match queue.try_send(batch) {
            Ok(()) => Ok(()),
            Err(TrySendError::Full(_)) => Err(BusError::Full { node: node.clone() }),
            Err(TrySendError::Closed(_)) => {
                queues.remove(node);
                Err(unreachable())
            }
        }
    }

    async fn subscribe(&self, node: &NodeId) -> Result<Receiver<Bytes>, BusError> {
        let (sender, receiver) = channel(self.batches_max);
        self.queues.lock().insert(node.clone(), sender);
        Ok(receiver)
    }
}
