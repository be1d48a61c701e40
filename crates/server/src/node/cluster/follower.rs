//! Lists follow the history: every node reads what changed in the databases into its own
//! `projections.db`, so that each can answer for closed conversations, and a desk that comes finds the open
//! ones.

use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, Instant},
};

use frontdesk_core::{fold::Conversation, id::ConversationId, partition_of};
use frontdesk_dispatcher::{Summary, projections::Projections};
use frontdesk_storage::History as _;
use frontdesk_storage_cluster::{Changed, MySqlHistory, Progress};
use tokio::{sync::Mutex, time::sleep};
use tokio_util::sync::CancellationToken;

/// How often it is looked.
const EVERY: Duration = Duration::from_secs(1);
/// After a look that took long it rests for so many times as long: every node writes what changed on all of them, and
/// what waits is written once, however often it changes.
const REST: u32 = 30;
/// Longest rest: so old may the list of closed conversations be.
const EVERY_MAX: Duration = Duration::from_secs(10);
/// Rows read at once, and about as many written.
const ROWS_MAX: usize = 1_000;

/// What is written at once.
#[derive(Default)]
struct Batch {
    summaries: Vec<Summary>,
    /// Logs, with the offsets up to which they are contained then.
    offsets: Vec<(u16, u64)>,
}

/// Reads what changed.
pub(super) struct Follower {
    history: Arc<MySqlHistory>,
    projections: Arc<Projections>,
    partitions: u16,
    /// Held while it reads.
    reading: Mutex<()>,
}

impl Follower {
    pub(super) fn new(
        history: Arc<MySqlHistory>,
        projections: Arc<Projections>,
        partitions: u16,
    ) -> Arc<Self> {
        Arc::new(Self { history, projections, partitions, reading: Mutex::default() })
    }

    /// Reads until the process stops.
    pub(super) async fn run(self: Arc<Self>, stop: CancellationToken) {
        let mut pause = EVERY;
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = sleep(pause) => {}
            }
            let began = Instant::now();
            if let Err(error) = self.catch_up().await {
                tracing::warn!(error = format!("{error:#}"), "lists are behind");
            }
            pause = (began.elapsed() * REST).clamp(EVERY, EVERY_MAX);
        }
    }

    /// Brings lists to where the databases are now, and says of which logs: those whose databases answer.
    pub(super) async fn catch_up(&self) -> anyhow::Result<BTreeSet<u16>> {
        let _reading = self.reading.lock().await;
        let history = Arc::clone(&self.history);
        let progress = super::blocking(move || history.progress()).await?;
        let written = self.projections.applied_of_all().await?;
        let mut reached = BTreeSet::new();
        // Of many logs in one transaction: it costs more than what is in it.
        let mut batch = Batch::default();
        for Progress { log, applied, .. } in progress {
            let mut from = written.get(&log).copied().unwrap_or_default();
            while from < applied {
                let history = Arc::clone(&self.history);
                let read = move || history.changed_since(log, from, ROWS_MAX);
                let changed = match super::blocking(read).await? {
                    Ok(changed) => changed,
                    // The others go on.
                    Err(error) => {
                        let error = &error as &dyn std::error::Error;
                        tracing::warn!(log, error, "lists are behind");
                        break;
                    }
                };
                let last = changed.last().map_or(applied, |last| last.offset);
                // Records that changed nothing count too.
                from = if changed.len() < ROWS_MAX { applied.max(last) } else { last };
                batch.summaries.extend(summaries(log, &changed));
                batch.offsets.push((log, from));
                if batch.summaries.len() >= ROWS_MAX {
                    self.write(&mut batch).await?;
                }
            }
            if from >= applied {
                reached.insert(log);
            }
        }
        self.write(&mut batch).await?;
        Ok(reached)
    }

    async fn write(&self, batch: &mut Batch) -> anyhow::Result<()> {
        let Batch { summaries, offsets } = std::mem::take(batch);
        if !offsets.is_empty() {
            self.projections.write(&summaries, &offsets).await?;
        }
        Ok(())
    }

    /// The conversation as the databases have it; `None` if they have none that can be read.
    pub(super) async fn stored(
        &self,
        conversation: ConversationId,
    ) -> anyhow::Result<Option<Summary>> {
        let history = Arc::clone(&self.history);
        let state = super::blocking(move || history.state(&conversation)).await??;
        let Some(state) = state else { return Ok(None) };
        let log = partition_of(&conversation, self.partitions);
        match summary(conversation, &state, log, 0) {
            Ok(summary) => Ok(Some(summary)),
            Err(error) => {
                tracing::error!(error = format!("{error:#}"), "a conversation is left out");
                Ok(None)
            }
        }
    }
}

/// What changed as lists see it. A state that does not decode is left out: no look makes it better, and what came
/// behind it must not wait for it.
fn summaries(log: u16, changed: &[Changed]) -> Vec<Summary> {
    let of = |one: &Changed| match summary(one.conversation, &one.state, log, one.offset) {
        Ok(summary) => Some(summary),
        Err(error) => {
            tracing::error!(
                error = format!("{error:#}"),
                "a conversation is left out of the lists"
            );
            None
        }
    };
    changed.iter().filter_map(of).collect()
}

/// A state as lists see it.
pub(super) fn summary(
    conversation: ConversationId,
    state: &[u8],
    log: u16,
    offset: u64,
) -> anyhow::Result<Summary> {
    let state = Conversation::decode(state)
        .map_err(|error| anyhow::anyhow!("conversation {conversation} does not decode: {error}"))?;
    Ok(Summary::of(conversation, &state, log, offset))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[test]
    fn a_state_that_does_not_decode_keeps_none_behind_it_from_the_lists() {
        let changed = |number: u8, state: &'static [u8]| Changed {
            conversation: ConversationId::from_bytes([number; 12]),
            state: Bytes::from_static(state),
            offset: number.into(),
        };
        let found = summaries(7, &[changed(1, b""), changed(2, b"\xff\xff"), changed(3, b"")]);
        let found: Vec<(u16, u64)> = found.iter().map(|of| (of.log, of.offset)).collect();
        assert_eq!(found, [(7, 1), (7, 3)]);
    }
}
