//! Lists follow the history: every node reads what changed in the databases into its own
//! `projections.db`, so that each can answer for closed conversations, and a desk that comes finds the open
//! ones.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use frontdesk_core::{fold::Conversation, id::ConversationId, partition_of};
use frontdesk_dispatcher::{Summary, projections::Projections};
use frontdesk_storage::History as _;
use frontdesk_storage_cluster::{Changed, MySqlHistory, Progress};
use tokio::{sync::Mutex, time::sleep};
use tokio_util::sync::CancellationToken;

/// How often it is looked.
const EVERY: Duration = Duration::from_secs(1);
/// Rows read at once.
const ROWS_MAX: usize = 1_000;

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
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = sleep(EVERY) => {}
            }
            if let Err(error) = self.catch_up().await {
                tracing::warn!(error = format!("{error:#}"), "lists are behind");
            }
        }
    }

    /// Brings lists to where the databases are now, and says of which logs: those whose databases answer.
    pub(super) async fn catch_up(&self) -> anyhow::Result<BTreeSet<u16>> {
        let _reading = self.reading.lock().await;
        let history = Arc::clone(&self.history);
        let progress = super::blocking(move || history.progress()).await?;
        let mut reached = BTreeSet::new();
        for Progress { log, applied, .. } in progress {
            match self.follow(log, applied).await {
                Ok(()) => drop(reached.insert(log)),
                // The others go on.
                Err(error) => {
                    tracing::warn!(log, error = format!("{error:#}"), "lists are behind");
                }
            }
        }
        Ok(reached)
    }

    async fn follow(&self, log: u16, applied: u64) -> anyhow::Result<()> {
        let mut from = self.projections.applied(log).await?;
        while from < applied {
            let history = Arc::clone(&self.history);
            let changed =
                super::blocking(move || history.changed_since(log, from, ROWS_MAX)).await??;
            let reached = changed.last().map_or(applied, |last| last.offset);
            let summaries = summaries(log, &changed);
            // Records that changed nothing count too.
            from = if changed.len() < ROWS_MAX { applied.max(reached) } else { reached };
            self.projections.write(&summaries, &[(log, from)]).await?;
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
