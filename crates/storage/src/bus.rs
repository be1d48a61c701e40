//! The bus: batches addressed to a node.
//!
//! Deliveries, acks and ephemeral frames between nodes. Loss is repaired by gaps in seq and by the
//! position check of clients, so the bus promises little and never waits.

use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::mpsc::Receiver;

use crate::{BusError, NodeId};

/// Carries batches to nodes, at most once.
#[async_trait]
pub trait Bus: Send + Sync {
    /// Sends a batch to a node. At most once: `Ok` means it was taken, not that it arrived; after an
    /// error nobody counts on it, though one that was not answered in time may still arrive, late.
    /// Batches of one sender to one node that were taken arrive in the order of their calls. Never waits
    /// for a slow receiver: its queue is bounded, what does not fit is dropped.
    async fn publish(&self, node: &NodeId, batch: Bytes) -> Result<(), BusError>;

    /// Receives the batches addressed to this node from now on. A node has one receiver: a second
    /// subscription ends the first.
    async fn subscribe(&self, node: &NodeId) -> Result<Receiver<Bytes>, BusError>;
}
