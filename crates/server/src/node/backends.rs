//! What a node's data lies in, opened: on this machine, or in the engines of a cluster.

use std::sync::Arc;

use anyhow::Context as _;
use frontdesk_core::id::AccountId;
use frontdesk_dispatcher::{
    Dispatcher, DispatcherOptions, Dispatchers, Summary, projections::Projections,
};
use frontdesk_gateway::chat::port::Projected;
use frontdesk_storage::Directory;
use frontdesk_storage_embedded::{DirectoryOptions, InProcessDirectory};

use super::{
    SharedHistory,
    cluster::{self, ClusterNode},
    random,
    recovery::{Recovered, recover},
};
use crate::{
    config::{Config, Storage},
    data_dir::DataDir,
    progress::Progress,
};

/// Keys that tokens are signed with.
pub(super) struct Keys {
    /// Visitor tokens and tickets.
    pub(super) server: [u8; 32],
    /// Resume tokens.
    pub(super) resume: [u8; 32],
}

/// Open storage, and what was found in it.
pub(super) struct Backends {
    pub(super) history: SharedHistory,
    pub(super) directory: Arc<dyn Directory>,
    pub(super) keys: Keys,
    /// Life of the positions.
    pub(super) epoch: u64,
    /// One per loop.
    pub(super) dispatchers: Vec<Dispatchers>,
    /// How far the projections are with the log of each loop.
    pub(super) projected: Vec<Arc<Projected>>,
    /// Conversations with an open session.
    pub(super) open: Vec<Summary>,
    /// Files of messages that were taken back or erased shortly before the process ended.
    pub(super) removed: Vec<(AccountId, Vec<String>)>,
    /// This node among others.
    pub(super) node: Option<ClusterNode>,
}

impl Backends {
    /// Opens what the configuration names.
    pub(super) async fn open(
        config: &Config,
        data_dir: &DataDir,
        projections: &Projections,
        loops: u16,
        progress: &Progress,
    ) -> anyhow::Result<Self> {
        match &config.storage {
            Storage::Embedded { .. } => {
                Self::embedded(config, data_dir, projections, loops, progress).await
            }
            Storage::Cluster { cluster } => Self::cluster(config, cluster, data_dir, loops).await,
        }
    }

    async fn embedded(
        config: &Config,
        data_dir: &DataDir,
        projections: &Projections,
        loops: u16,
        progress: &Progress,
    ) -> anyhow::Result<Self> {
        let partitions = data_dir.installation.partitions;
        let options = DispatcherOptions { partitions, ..DispatcherOptions::default() };
        let recovered = recover(data_dir, config, projections, options, loops, progress).await?;
        let Recovered { history, logs, open, files: removed } = recovered;
        let (mut dispatchers, mut projected) = (Vec::new(), Vec::new());
        for (index, log) in (0..).zip(logs) {
            projected.push(Arc::new(Projected::at(log.next_offset() - 1)));
            let dispatcher = Dispatcher::new(index, log, Arc::clone(&history), options)
                .context("cannot start a dispatcher")?;
            dispatchers.push(Dispatchers::all(dispatcher, partitions));
        }
        Ok(Self {
            history,
            directory: Arc::new(InProcessDirectory::new(DirectoryOptions::default())),
            keys: Keys { server: data_dir.server_key, resume: random() },
            epoch: data_dir.installation.epoch,
            dispatchers,
            projected,
            open,
            removed,
            node: None,
        })
    }

    async fn cluster(
        config: &Config,
        storage: &crate::config::ClusterStorage,
        data_dir: &DataDir,
        loops: u16,
    ) -> anyhow::Result<Self> {
        let partitions = data_dir.installation.partitions;
        let cluster::Opened { history, directory, keys, epoch, node } =
            cluster::open(config, storage, data_dir).await?;
        Ok(Self {
            history,
            directory,
            keys,
            epoch,
            dispatchers: (0..loops).map(|_| Dispatchers::each(partitions)).collect(),
            projected: (0..loops).map(|_| Arc::new(Projected::at(0))).collect(),
            open: Vec::new(),
            removed: Vec::new(),
            node: Some(node),
        })
    }
}
