//! The projection writer: rows behind the acks, in batches, with the offsets they contain.

use std::{collections::HashMap, sync::Arc};

use frontdesk_core::id::ConversationId;
use frontdesk_dispatcher::{Summary, projections::Projections};
use frontdesk_gateway::chat::port::Projected;
use tokio::sync::mpsc;

use super::desk::Rows;

/// Rows written in one transaction at most.
const ROWS_MAX: usize = 4_096;

/// Writes until the desk is gone. Of several states of one conversation only the newest is written.
pub(crate) async fn run(
    projections: Arc<Projections>,
    mut rows: mpsc::Receiver<Rows>,
    projected: Vec<Arc<Projected>>,
) {
    let mut failing = false;
    while let Some(first) = rows.recv().await {
        let mut newest: HashMap<ConversationId, Arc<Summary>> = HashMap::new();
        let mut complete: HashMap<u16, u64> = HashMap::new();
        let mut next = Some(first);
        while let Some(Rows { summaries, complete: reached }) = next {
            newest.extend(summaries.into_iter().map(|summary| (summary.conversation, summary)));
            complete.extend(reached);
            next = if newest.len() < ROWS_MAX { rows.try_recv().ok() } else { None };
        }
        let summaries: Vec<Summary> = newest.into_values().map(|s| (*s).clone()).collect();
        let offsets: Vec<(u16, u64)> = complete.into_iter().collect();
        // A failed write is made good by a rebuild: the offset stays, so the log is kept.
        match projections.write(&summaries, &offsets).await {
            Ok(()) if !failing => {
                for (log, offset) in offsets {
                    if let Some(projected) = projected.get(usize::from(log)) {
                        projected.set(offset);
                    }
                }
            }
            Ok(()) => {}
            Err(error) => {
                if !failing {
                    tracing::error!(
                        error = &error as &dyn std::error::Error,
                        "lists cannot be written; they are made good at the next start"
                    );
                }
                failing = true;
            }
        }
    }
}
