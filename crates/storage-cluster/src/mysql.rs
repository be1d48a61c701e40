//! The history on several MySQL or MariaDB databases, the shards.
//!
//! A log is a partition, and a partition lies on one shard with all of its conversations and its progress, so a
//! batch is one transaction. Where it lies stands in the first shard (`placements`); the tables stand in
//! `migrations/mysql`. A node takes partitions by [`MySqlHistory::own`] with an epoch that rises; whoever had them
//! before is refused from then on. [`MySqlHistory::move_partition`] moves one to another shard.
//!
//! Every call has a deadline. A shard that is away refuses its own conversations and holds up no others.

mod apply;
mod epoch;
mod error;
mod list;
mod moves;
mod nodes;
mod open;
mod placement;
mod places;
mod read;
mod rows;
mod shard;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::ops::ControlFlow;
use std::time::Duration;

use bytes::Bytes;
use frontdesk_core::id::ConversationId;
use frontdesk_core::partition_of;
use frontdesk_storage::{Batch, History, HistoryError, MessageKey, Offset, Sent};
use parking_lot::{Mutex, RwLock};
use tokio::runtime::Runtime;

use self::apply::Owned;
pub use self::error::MySqlOpenError;
pub use self::moves::{MoveError, MoveStep, PartitionMove, Watch};
pub use self::nodes::Progress;
use self::places::{PLACES_MAX, between};
use self::shard::Shard;

/// Its threads only look which socket has data; the work is done on those of the callers.
const RUNTIME_THREADS: usize = 1;

/// Where the databases are.
#[derive(Clone)]
pub struct MySqlOptions {
    /// `mysql://USER:PASSWORD@HOST:PORT/DATABASE`, one for each shard, in the order of creation; new ones
    /// behind. Several may be the same, where the database shards by itself. They hold secrets.
    pub urls: Vec<String>,
    /// How many partitions the installation has; stays as it was at creation.
    pub partitions: u16,
    /// How long a call may take.
    pub timeout: Duration,
    /// Connections to each shard at the same time.
    pub connections_max: u32,
}

impl MySqlOptions {
    /// Options with defaults for what is no address.
    pub fn new(urls: Vec<String>, partitions: u16) -> Self {
        Self { urls, partitions, timeout: Duration::from_secs(5), connections_max: 16 }
    }
}

impl fmt::Debug for MySqlOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MySqlOptions")
            .field("shards", &self.urls.len())
            .field("partitions", &self.partitions)
            .finish_non_exhaustive()
    }
}

/// A conversation as it was changed last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// Which.
    pub conversation: ConversationId,
    /// Its state since then.
    pub state: Bytes,
    /// The offset of the batch that changed it.
    pub offset: Offset,
}

/// A history on MySQL shards. Its methods wait: they are called from threads that are no workers of a
/// Tokio runtime.
pub struct MySqlHistory {
    shards: Vec<Shard>,
    /// The shard of each partition, as it was read last. Others may move one; its shard says so.
    placements: RwLock<Vec<u16>>,
    partitions: u16,
    owned: Mutex<HashMap<u16, Owned>>,
    warnings: Vec<String>,
    runtime: Option<Runtime>,
}

impl fmt::Debug for MySqlHistory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MySqlHistory").field("shards", &self.shards.len()).finish_non_exhaustive()
    }
}

impl MySqlHistory {
    /// Connects to all shards, creates their tables or brings them up to date, and refuses settings that
    /// would lose or change data. All shards must be there.
    pub fn open(options: &MySqlOptions) -> Result<Self, MySqlOpenError> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(RUNTIME_THREADS)
            .thread_name("history-mysql")
            .on_thread_start(frontdesk_storage::background::lower_priority)
            .enable_all()
            .build()
            .map_err(|source| MySqlOpenError::Threads { source })?;
        let (databases, placements) = runtime.block_on(open::open_all(options))?;
        let mut warnings = Vec::new();
        let mut shards = Vec::new();
        for database in databases {
            let runtime = runtime.handle().clone();
            shards.push(Shard::new(runtime, database.found(), database.identity, options));
            for warning in database.database.warnings {
                tracing::warn!("{warning}");
                warnings.push(warning);
            }
        }
        let (owned, placements) = (Mutex::default(), RwLock::new(placements));
        let partitions = options.partitions;
        Ok(Self { shards, placements, partitions, owned, warnings, runtime: Some(runtime) })
    }

    /// What an operator should know about the settings of the databases.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// How often a transaction was tried again because of a deadlock or a lock.
    pub fn retried(&self) -> u64 {
        self.shards.iter().map(Shard::retried).sum()
    }

    /// Takes partitions for this node, with an epoch higher than that of any owner before; those are fenced
    /// from then on. Fails with [`HistoryError::Fenced`] if another owner has an epoch that is as high. After
    /// an error some may have been taken; to take them again needs a higher epoch.
    pub fn own(&self, logs: &[u16], epoch: u64) -> Result<(), HistoryError> {
        assert!(epoch < epoch::PAUSED, "an epoch has 62 bits");
        let mut left = logs.to_vec();
        left.sort_unstable();
        left.dedup();
        for _ in 0..PLACES_MAX {
            let mut by_shard: BTreeMap<u16, Vec<u16>> = BTreeMap::new();
            for log in left.drain(..) {
                by_shard.entry(self.placement(log)).or_default().push(log);
            }
            for (shard, logs) in by_shard {
                let taken = self.shard_at(shard).call("own partitions", async |connection| {
                    apply::own(connection, &logs, epoch).await
                })?;
                match taken {
                    Some(taken) => self.owned.lock().extend(taken),
                    None => left.extend(logs),
                }
            }
            if left.is_empty() {
                return Ok(());
            }
            self.reload()?;
        }
        Err(between("own partitions", left[0]))
    }

    /// Conversations of a partition that changed with a batch behind `after`, in the order of these batches: id,
    /// state, and the offset of the last batch that changed it. About `limit` of them, and always all of a batch;
    /// the next page begins behind the last offset. For nodes that follow a partition others own: what changes
    /// meanwhile comes later, with a higher offset.
    pub fn changed_since(
        &self,
        log: u16,
        after: Offset,
        limit: usize,
    ) -> Result<Vec<Changed>, HistoryError> {
        let page = self.read("read what changed", log, async |connection| {
            read::changed_since(connection, log, after, limit).await
        })?;
        let shard = self.shard_at(self.placement(log));
        let changed = |(id, state, offset): (Vec<u8>, Vec<u8>, Offset)| {
            Ok(Changed { conversation: shard.conversation(&id)?, state: state.into(), offset })
        };
        page.into_iter().map(changed).collect()
    }

    fn log_of(&self, conversation: &ConversationId) -> u16 {
        partition_of(conversation, self.partitions)
    }
}

impl Drop for MySqlHistory {
    fn drop(&mut self) {
        // Waits for nothing, so that it may be dropped anywhere.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl History for MySqlHistory {
    fn apply(&self, batch: &Batch) -> Result<(), HistoryError> {
        let log = batch.log;
        for change in &batch.conversations {
            let lies = self.log_of(&change.conversation);
            assert_eq!(lies, log, "conversation {} is of another partition", change.conversation);
        }
        let owned = self.owned.lock().get(&log).copied();
        let Some(owned) = owned else { return Err(HistoryError::Fenced { log }) };
        if batch.offset <= owned.applied {
            return Ok(());
        }
        let extra = apply::extra_time(batch);
        let applied = self.at_within(extra, "apply a batch", log, async |connection, shard| {
            apply::apply(connection, batch, owned, shard.packet_bytes_max).await
        })?;
        self.seen(log, owned.epoch, applied);
        Ok(())
    }

    fn applied(&self, log: u16) -> Result<Offset, HistoryError> {
        let (epoch, applied) = self.at("read the progress", log, async |connection, _| {
            Ok(apply::progress(connection, log).await?)
        })?;
        self.seen(log, epoch, applied);
        Ok(applied)
    }

    /// Does nothing: what was applied was committed. [`MySqlHistory::warnings`] tells where a commit does not
    /// survive a power loss.
    fn persist(&self) -> Result<(), HistoryError> {
        Ok(())
    }

    fn state(&self, conversation: &ConversationId) -> Result<Option<Bytes>, HistoryError> {
        let log = self.log_of(conversation);
        self.read("read a state", log, async |connection| {
            read::state(connection, log, conversation).await
        })
    }

    fn page(
        &self,
        conversation: &ConversationId,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<(u64, Bytes)>, HistoryError> {
        let newest = match before {
            None => u64::MAX,
            Some(0) => return Ok(Vec::new()),
            Some(before) => before - 1,
        };
        let log = self.log_of(conversation);
        self.read("read a page", log, async |connection| {
            read::page(connection, log, conversation, newest, limit).await
        })
    }

    fn since(
        &self,
        conversation: &ConversationId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<(u64, Bytes)>, HistoryError> {
        let log = self.log_of(conversation);
        self.read("read entries", log, async |connection| {
            read::since(connection, log, conversation, after, limit).await
        })
    }

    fn find(
        &self,
        conversation: &ConversationId,
        sender: &str,
        client_msg_id: &[u8],
    ) -> Result<Option<Sent>, HistoryError> {
        if client_msg_id.is_empty() {
            return Ok(None);
        }
        // Where a message was stored stays right, whatever becomes of the partition.
        let log = self.log_of(conversation);
        self.read("find a message", log, async |connection| {
            read::find(connection, conversation, sender, client_msg_id).await
        })
    }

    fn find_many(&self, messages: &[MessageKey<'_>]) -> Result<Vec<Option<Sent>>, HistoryError> {
        let mut sent = vec![None; messages.len()];
        let mut left: Vec<usize> =
            (0..messages.len()).filter(|at| !messages[*at].client_msg_id.is_empty()).collect();
        for _ in 0..PLACES_MAX {
            let mut by_shard: BTreeMap<u16, Vec<usize>> = BTreeMap::new();
            for at in left.drain(..) {
                let log = self.log_of(&messages[at].conversation);
                by_shard.entry(self.placement(log)).or_default().push(at);
            }
            for (shard, places) in by_shard {
                let here: Vec<_> = places.iter().map(|at| messages[*at]).collect();
                let logs: Vec<_> =
                    here.iter().map(|message| self.log_of(&message.conversation)).collect();
                let (found, away) =
                    self.shard_at(shard).call("find messages", async |connection| {
                        let found = read::find_many(connection, &here).await?;
                        let away = if found.contains(&None) {
                            read::not_here(connection, &logs).await?
                        } else {
                            BTreeSet::new()
                        };
                        Ok((found, away))
                    })?;
                for ((at, found), log) in places.into_iter().zip(found).zip(logs) {
                    sent[at] = found;
                    if found.is_none() && away.contains(&log) {
                        left.push(at);
                    }
                }
            }
            if left.is_empty() {
                return Ok(sent);
            }
            self.reload()?;
        }
        Err(between("find messages", self.log_of(&messages[left[0]].conversation)))
    }

    fn events(
        &self,
        conversation: &ConversationId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<(u64, Bytes)>, HistoryError> {
        let log = self.log_of(conversation);
        self.read("read events", log, async |connection| {
            read::events(connection, log, conversation, after, limit).await
        })
    }

    fn conversations(
        &self,
        visit: &mut dyn FnMut(ConversationId, Bytes) -> ControlFlow<()>,
    ) -> Result<(), HistoryError> {
        list::conversations(self, visit)
    }
}

impl MySqlHistory {
    /// Remembers what is applied, if the partition is still this node's.
    fn seen(&self, log: u16, epoch: u64, applied: Offset) {
        if let Some(owned) = self.owned.lock().get_mut(&log)
            && owned.epoch == epoch
        {
            owned.applied = applied;
        }
    }
}
