//! What several nodes have to agree on: who owns a partition next, how far each one is, which
//! installation this is.

use frontdesk_storage::{HistoryError, Offset};

use super::{MySqlHistory, apply};

/// How it stands with a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Which.
    pub log: u16,
    /// Of whoever owns it: a former owner has a lower one.
    pub epoch: u64,
    /// Every record of its log up to here is applied.
    pub applied: Offset,
}

impl MySqlHistory {
    /// A random id that the first shard keeps: the installation's.
    pub fn installation(&self) -> [u8; 16] {
        self.shards[0].identity
    }

    /// Takes a partition for this node with the next epoch; whoever had it is fenced from now on. Returns the
    /// epoch.
    pub fn take(&self, log: u16) -> Result<u64, HistoryError> {
        loop {
            let epoch = self.at("read the progress", log, async |connection, _| {
                Ok(apply::progress(connection, log).await?.map(|(epoch, _)| epoch))
            })?;
            match self.own(&[log], epoch + 1) {
                Ok(()) => return Ok(epoch + 1),
                // Another node was faster: whoever is asked last to own it, owns it.
                Err(HistoryError::Fenced { .. }) => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// How it stands with every partition: those of shards that answer.
    pub fn progress(&self) -> Vec<Progress> {
        let mut all = Vec::new();
        for shard in &self.shards {
            let progress = shard.call("read the progress", async |connection| {
                Ok(apply::progress_of_all(connection).await?)
            });
            match progress {
                Ok(progress) => all.extend(progress),
                Err(error) => {
                    tracing::debug!(error = &error as &dyn std::error::Error, "a shard is away");
                }
            }
        }
        all
    }

    /// What does not work of each shard, in words; nothing where it does.
    pub fn check(&self) -> Vec<(String, Result<(), HistoryError>)> {
        let check = |shard: &super::Shard| {
            shard.call("reach the database", async |connection| {
                sqlx::query("SELECT 1").execute(connection).await?;
                Ok(())
            })
        };
        self.shards.iter().map(|shard| (shard.address().to_owned(), check(shard))).collect()
    }
}
