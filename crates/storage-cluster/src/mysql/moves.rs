//! Moving a partition to another shard while its owner goes on.
//!
//! 1. What is there is copied, then what changed meanwhile, until little is left.
//! 2. The partition is paused: an apply is refused for now, and tried again by its owner; reads go on.
//! 3. The rest is copied, and all of it compared. The progress is copied too, marked as not here yet.
//! 4. **Its place is changed**, in the first shard. Before this the move can be taken back, after it only finished.
//! 5. The source is closed, so that nodes which still look there read the places anew; the target is opened.
//! 6. The source is cleaned.
//!
//! Each step can be done twice. What a move that was interrupted has done stands in `moves`, so that whoever starts it
//! again goes on from there.

mod copy;
mod table;

use std::ops::ControlFlow;

use frontdesk_storage::HistoryError;

use super::MySqlHistory;
use super::shard::Shard;
use table::Row;

/// Why a partition was not moved.
#[derive(Debug, thiserror::Error)]
pub enum MoveError {
    /// There is no such shard.
    #[error(
        "there is no shard {shard}, the last one is {last}: add its address to the configuration"
    )]
    UnknownShard {
        /// Which was asked for.
        shard: u16,
        /// The number of the last one.
        last: u16,
    },
    /// There is no such partition.
    #[error("there is no partition {log}, the last one is {last}")]
    UnknownPartition {
        /// Which was asked for.
        log: u16,
        /// The number of the last one.
        last: u16,
    },
    /// Somebody else moves partitions.
    #[error("another process is moving a partition: wait until it is done")]
    Busy,
    /// It is on its way to another one.
    #[error("partition {log} is being moved to shard {target}: finish that or take it back first")]
    OtherTarget {
        /// Which partition.
        log: u16,
        /// Where it is being moved.
        target: u16,
    },
    /// It is not being moved.
    #[error("partition {log} is not being moved: there is nothing to take back")]
    NotMoving {
        /// Which partition.
        log: u16,
    },
    /// It is too late to take it back.
    #[error(
        "partition {log} lies on shard {target} already: finish the move, then move it back to shard {source_shard}"
    )]
    Flipped {
        /// Which partition.
        log: u16,
        /// Where it came from.
        source_shard: u16,
        /// Where it lies.
        target: u16,
    },
    /// The copy is not what it was copied from.
    #[error(
        "the copies of {table} of partition {log} differ: {source_rows} rows, {target_rows} in the copy; \
         take the move back and check the target"
    )]
    Differs {
        /// Which partition.
        log: u16,
        /// Which table.
        table: &'static str,
        /// Rows of the original.
        source_rows: u64,
        /// Rows of the copy.
        target_rows: u64,
    },
    /// Whoever watched it wanted it to stop.
    #[error("the move was stopped: start it again, or take it back")]
    Stopped,
    /// A shard did not do what it was asked.
    #[error(
        "a shard failed while partition {log} was being moved: start the move again, or take it back"
    )]
    Shard {
        /// Which partition.
        log: u16,
        /// Why.
        #[source]
        source: HistoryError,
    },
}

/// How far a move has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MoveStep {
    /// It is known that the partition is being moved.
    Begun,
    /// So many conversations were copied, since it was started last.
    Copied {
        /// How many; those that changed meanwhile count again.
        conversations: u64,
    },
    /// Nothing is applied any more.
    Paused,
    /// The copy is complete and the same.
    Verified,
    /// The target has all of it.
    Ready,
    /// The partition lies on the target from now on.
    Flipped,
    /// Nobody reads from the source any more.
    Closed,
    /// Applies go on.
    Resumed,
    /// Nothing is left on the source.
    Cleaned,
}

/// A partition on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartitionMove {
    /// Which.
    pub log: u16,
    /// The shard it comes from.
    pub source: u16,
    /// The shard it goes to.
    pub target: u16,
    /// Whether its place is the target already.
    pub is_flipped: bool,
}

/// Told each step; a move stops where it breaks.
pub type Watch<'a> = &'a mut dyn FnMut(MoveStep) -> ControlFlow<()>;

impl MySqlHistory {
    /// Moves a partition to a shard, or goes on with a move that was interrupted. Does nothing if it lies there.
    /// Waits until all is done; other partitions are not held up.
    pub fn move_partition(&self, log: u16, to: u16, watch: Watch<'_>) -> Result<(), MoveError> {
        let failed = |source| MoveError::Shard { log, source };
        let last = self.shards.len() as u16 - 1;
        if to > last {
            return Err(MoveError::UnknownShard { shard: to, last });
        }
        let _turn = self.moving(log)?;
        let row = match self.moves(log)? {
            Some(row) if row.target != to => {
                return Err(MoveError::OtherTarget { log, target: row.target });
            }
            Some(row) => row,
            None if self.placement(log) == to => return Ok(()),
            None => Row::new(log, self.placement(log), to),
        };
        if self.shard_at(row.source).identity == self.shard_at(row.target).identity {
            // One database under two numbers: there is nothing to copy.
            self.first()
                .call("move a partition", async |c| table::flip(c, row).await)
                .map_err(failed)?;
            self.first()
                .call("end a move", async |c| table::remove(c, log).await)
                .map_err(failed)?;
            return self.reload().map_err(failed);
        }
        let job = Move { history: self, log };
        if !row.is_flipped {
            job.copy(row, watch)?;
        }
        job.finish(row, watch)
    }

    /// Takes back a move that was interrupted: the partition stays where it was, and what was copied is removed.
    pub fn take_back(&self, log: u16) -> Result<(), MoveError> {
        let failed = |source| MoveError::Shard { log, source };
        let _turn = self.moving(log)?;
        let Some(row) = self.moves(log)? else { return Err(MoveError::NotMoving { log }) };
        if row.is_flipped {
            let (source_shard, target) = (row.source, row.target);
            return Err(MoveError::Flipped { log, source_shard, target });
        }
        // First of all nobody may go on with the copy that is being removed.
        let anew = Row::new(log, row.source, row.target);
        self.first()
            .call("take back a move", async |c| table::save(c, anew).await)
            .map_err(failed)?;
        let (source, target) = (self.shard_at(row.source), self.shard_at(row.target));
        source
            .call("go on with a partition", async |c| table::unpause(c, log).await)
            .map_err(failed)?;
        copy::clean(target, log).map_err(failed)?;
        self.first().call("end a move", async |c| table::remove(c, log).await).map_err(failed)
    }

    /// The partitions that are being moved, or whose move was interrupted.
    pub fn status(&self) -> Result<Vec<PartitionMove>, HistoryError> {
        let rows = self.first().call("read the moves", async |c| table::all(c).await)?;
        let public = |row: Row| {
            let Row { log, source, target, is_flipped, .. } = row;
            PartitionMove { log, source, target, is_flipped }
        };
        Ok(rows.into_iter().map(public).collect())
    }

    /// The shard on which each partition lies, by its number.
    pub fn placements(&self) -> Result<Vec<u16>, HistoryError> {
        self.reload()?;
        Ok(self.placements.read().clone())
    }

    /// Keeps other processes from moving partitions.
    fn moving(&self, log: u16) -> Result<super::shard::Lock, MoveError> {
        let failed = |source| MoveError::Shard { log, source };
        self.reload().map_err(failed)?;
        let last = self.placements.read().len() as u16 - 1;
        if log > last {
            return Err(MoveError::UnknownPartition { log, last });
        }
        let lock = self.first().lock("frontdesk.move.").map_err(failed)?;
        let lock = lock.ok_or(MoveError::Busy)?;
        // Whoever had it may have moved this one.
        self.reload().map_err(failed)?;
        Ok(lock)
    }

    fn moves(&self, log: u16) -> Result<Option<Row>, MoveError> {
        let row = self.first().call("read the moves", async |c| table::find(c, log).await);
        row.map_err(|source| MoveError::Shard { log, source })
    }

    fn first(&self) -> &Shard {
        self.shard_at(0)
    }
}

/// A partition that is being moved.
struct Move<'a> {
    history: &'a MySqlHistory,
    log: u16,
}

impl Move<'_> {
    /// Up to the moment in which its place changes.
    fn copy(&self, mut row: Row, watch: Watch<'_>) -> Result<(), MoveError> {
        let (history, log) = (self.history, self.log);
        let (source, target) = (history.shard_at(row.source), history.shard_at(row.target));
        self.on(history.first(), "begin a move", async |c| table::save(c, row).await)?;
        self.told(watch, MoveStep::Begun)?;
        let mut conversations = 0;
        self.copy_changes(&mut row, &mut conversations, watch)?;
        self.on(source, "pause a partition", async |c| table::pause(c, log).await)?;
        self.told(watch, MoveStep::Paused)?;
        self.copy_changes(&mut row, &mut conversations, watch)?;
        self.verify(source, target)?;
        self.told(watch, MoveStep::Verified)?;
        let progress =
            self.on(source, "read the progress", async |c| table::progress(c, log).await)?;
        self.on(target, "place a partition", async |c| table::prepare(c, log, progress).await)?;
        self.told(watch, MoveStep::Ready)?;
        self.on(history.first(), "move a partition", async |c| table::flip(c, row).await)
    }

    /// What is left once its place has changed.
    fn finish(&self, row: Row, watch: Watch<'_>) -> Result<(), MoveError> {
        let (history, log) = (self.history, self.log);
        let (source, target) = (history.shard_at(row.source), history.shard_at(row.target));
        self.told(watch, MoveStep::Flipped)?;
        let epoch = self.on(source, "close a partition", async |c| table::close(c, log).await)?;
        self.told(watch, MoveStep::Closed)?;
        self.on(target, "open a partition", async |c| table::open(c, log, epoch).await)?;
        history.reload().map_err(|source| MoveError::Shard { log, source })?;
        self.told(watch, MoveStep::Resumed)?;
        copy::clean(source, log).map_err(|source| MoveError::Shard { log, source })?;
        self.on(history.first(), "end a move", async |c| table::remove(c, log).await)?;
        self.told(watch, MoveStep::Cleaned)
    }

    /// Copies what changed behind what was copied, until little is left; nothing, if it is paused.
    fn copy_changes(
        &self,
        row: &mut Row,
        conversations: &mut u64,
        watch: Watch<'_>,
    ) -> Result<(), MoveError> {
        let (history, log) = (self.history, self.log);
        let (source, target) = (history.shard_at(row.source), history.shard_at(row.target));
        loop {
            let copied = copy::copy_page(source, target, row)
                .map_err(|source| MoveError::Shard { log, source })?;
            if copied > 0 {
                let saved = *row;
                self.on(history.first(), "note a move", async |c| table::save(c, saved).await)?;
                *conversations += copied as u64;
                self.told(watch, MoveStep::Copied { conversations: *conversations })?;
            }
            if copied < copy::PAGE {
                return Ok(());
            }
        }
    }

    /// Compares both sides, some conversations after the others.
    fn verify(&self, source: &Shard, target: &Shard) -> Result<(), MoveError> {
        let log = self.log;
        let failed = |source| MoveError::Shard { log, source };
        let differs = |table, source_rows, target_rows| {
            Err(MoveError::Differs { log, table, source_rows, target_rows })
        };
        let [here, there] = [copy::count(source, log), copy::count(target, log)];
        let (here, there) = (here.map_err(failed)?, there.map_err(failed)?);
        if here != there {
            return differs("conversations", here, there);
        }
        let mut last = Vec::new();
        loop {
            let ids = copy::ids(source, log, &last).map_err(failed)?;
            let Some(id) = ids.last() else { return Ok(()) };
            last.clone_from(id);
            let [here, there] = [copy::sums(source, &ids), copy::sums(target, &ids)];
            for (here, there) in here.map_err(failed)?.into_iter().zip(there.map_err(failed)?) {
                if here != there {
                    return differs(here.table, here.rows, there.rows);
                }
            }
        }
    }

    fn on<T>(
        &self,
        shard: &Shard,
        operation: &'static str,
        work: impl AsyncFnMut(&mut sqlx::mysql::MySqlConnection) -> Result<T, super::error::Fault>,
    ) -> Result<T, MoveError> {
        shard.call(operation, work).map_err(|source| MoveError::Shard { log: self.log, source })
    }

    fn told(&self, watch: Watch<'_>, step: MoveStep) -> Result<(), MoveError> {
        tracing::info!(partition = self.log, ?step, "a partition is being moved");
        if watch(step).is_break() { Err(MoveError::Stopped) } else { Ok(()) }
    }
}
