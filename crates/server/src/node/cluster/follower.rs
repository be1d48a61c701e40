//! Lists follow the history: every node reads what changed in the databases into its own
//! `projections.db`, so that each can answer for closed conversations, and a desk that comes finds the open
//! ones.

use std::{sync::Arc, time::Duration};

use frontdesk_core::{fold::Conversation, id::ConversationId};
use frontdesk_dispatcher::{Summary, projections::Projections};
use frontdesk_storage_cluster::{MySqlHistory, Progress};
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
    /// Held while it reads.
    reading: Mutex<()>,
}

impl Follower {
    pub(super) fn new(history: Arc<MySqlHistory>, projections: Arc<Projections>) -> Arc<Self> {
        Arc::new(Self { history, projections, reading: Mutex::default() })
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

    /// Brings lists to where the databases are now: those that answer.
    pub(super) async fn catch_up(&self) -> anyhow::Result<()> {
        let _reading = self.reading.lock().await;
        let history = Arc::clone(&self.history);
        let progress = super::blocking(move || history.progress()).await?;
        for Progress { log, applied, .. } in progress {
            let mut from = self.projections.applied(log).await?;
            while from < applied {
                let history = Arc::clone(&self.history);
                let changed =
                    super::blocking(move || history.changed_since(log, from, ROWS_MAX)).await??;
                let reached = changed.last().map_or(applied, |last| last.offset);
                let summaries = changed
                    .iter()
                    .map(|one| summary(one.conversation, &one.state, log, one.offset))
                    .collect::<anyhow::Result<Vec<_>>>()?;
                // Records that changed nothing count too.
                from = if changed.len() < ROWS_MAX { applied.max(reached) } else { reached };
                self.projections.write(&summaries, &[(log, from)]).await?;
            }
        }
        Ok(())
    }

    /// The conversation as the databases have it.
    pub(super) async fn stored(
        &self,
        conversation: ConversationId,
    ) -> anyhow::Result<Option<Summary>> {
        let history = Arc::clone(&self.history);
        super::blocking(move || super::super::recovery::summary(&(history as _), conversation))
            .await?
    }
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
