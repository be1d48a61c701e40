//! Finding a partition: where it lay when that was read last, and elsewhere if it was moved since.
//!
//! A shard knows by its progress which partitions lie there. An answer from one where the partition does not lie is none:
//! the places are read anew, and it is asked again.

use std::time::Duration;

use frontdesk_storage::HistoryError;
use sqlx::mysql::MySqlConnection;

use super::error::Fault;
use super::shard::Shard;
use super::{MySqlHistory, placement, read};

/// How often a partition is looked for that was moved.
pub(super) const PLACES_MAX: usize = 3;

/// What a shard answers.
pub(super) trait Answer {
    /// Whether something was found, which is there only while the partition lies on the shard.
    fn is_proof(&self) -> bool;
}

impl<T> Answer for Option<T> {
    fn is_proof(&self) -> bool {
        self.is_some()
    }
}

impl<T> Answer for Vec<T> {
    fn is_proof(&self) -> bool {
        !self.is_empty()
    }
}

impl MySqlHistory {
    pub(super) fn placement(&self, log: u16) -> u16 {
        let placement = self.placements.read().get(usize::from(log)).copied();
        placement.unwrap_or_else(|| panic!("there is no partition {log}"))
    }

    pub(super) fn shard_at(&self, shard: u16) -> &Shard {
        &self.shards[usize::from(shard)]
    }

    /// Reads anew where the partitions lie.
    pub(super) fn reload(&self) -> Result<(), HistoryError> {
        let placements = self.shard_at(0).call("read the placements", async |connection| {
            Ok(placement::placements(connection).await?)
        })?;
        let last = self.shards.len() - 1;
        if let Some(shard) = placements.iter().find(|shard| usize::from(**shard) > last) {
            return Err(HistoryError::Unavailable {
                operation: "read the placements",
                place: self.shard_at(0).address().to_owned(),
                source: format!(
                    "a partition lies on shard {shard}, of which this node has no address: add it to \
                     the configuration and start anew"
                )
                .into(),
            });
        }
        *self.placements.write() = placements;
        Ok(())
    }

    /// Does some work where a partition lies; again, if it turns out that it lies elsewhere (`None`).
    pub(super) fn at<T>(
        &self,
        operation: &'static str,
        log: u16,
        work: impl AsyncFnMut(&mut MySqlConnection, &Shard) -> Result<Option<T>, Fault>,
    ) -> Result<T, HistoryError> {
        self.at_within(Duration::ZERO, operation, log, work)
    }

    /// As [`Self::at`], with so much more time than a call has anyway.
    pub(super) fn at_within<T>(
        &self,
        extra: Duration,
        operation: &'static str,
        log: u16,
        mut work: impl AsyncFnMut(&mut MySqlConnection, &Shard) -> Result<Option<T>, Fault>,
    ) -> Result<T, HistoryError> {
        for _ in 0..PLACES_MAX {
            let shard = self.shard_at(self.placement(log));
            let work = async |connection: &mut _| work(connection, shard).await;
            let done = shard.call_within(extra, operation, work)?;
            if let Some(done) = done {
                return Ok(done);
            }
            self.reload()?;
        }
        Err(between(operation, log))
    }

    /// Reads where a partition lies. An answer that is no proof by itself, such as that there is nothing, counts only
    /// if the partition lies there.
    pub(super) fn read<T: Answer>(
        &self,
        operation: &'static str,
        log: u16,
        mut work: impl AsyncFnMut(&mut MySqlConnection) -> Result<T, Fault>,
    ) -> Result<T, HistoryError> {
        self.at(operation, log, async |connection, _| {
            let answer = work(connection).await?;
            let counts = answer.is_proof() || read::is_here(connection, log).await?;
            Ok(counts.then_some(answer))
        })
    }
}

/// A partition that is nowhere, or moved on again and again.
pub(super) fn between(operation: &'static str, log: u16) -> HistoryError {
    HistoryError::Unavailable {
        operation,
        place: format!("partition {log}"),
        source: "it is on its way to another shard; try again in a moment".into(),
    }
}
