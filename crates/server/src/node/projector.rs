//! The projection writer: rows behind the acks, in batches, with the offsets they contain.
//!
//! What happens to a session is written at once. That only more was said in it can wait a moment:
//! open conversations are listed from memory, and a busy one is then written once instead of every
//! second.
//!
//! What cannot be written (a full disk) waits, newest states only, and is tried again; if even that
//! grows too large the offsets stay where they are, and the next start writes the rows anew.

use std::{collections::HashMap, sync::Arc, time::Duration};

use frontdesk_core::id::ConversationId;
use frontdesk_dispatcher::{Summary, projections::Projections};
use frontdesk_gateway::chat::port::Projected;
use tokio::{
    sync::mpsc,
    time::{Instant, timeout},
};

use super::{desk::Rows, rows::is_open};

/// Rows taken together at most, unless earlier ones wait.
const ROWS_MAX: usize = 4_096;
/// Rows that may wait for a disk that takes none.
const WAITING_MAX: usize = 100_000;
/// How long after a failed write the next one is tried.
const RETRY_AFTER: Duration = Duration::from_secs(1);
/// Least time between two writes of rows whose sessions are as they were.
const LINGER: Duration = Duration::from_secs(5);

/// What is to be written.
#[derive(Default)]
struct Pending {
    newest: HashMap<ConversationId, Arc<Summary>>,
    complete: HashMap<u16, u64>,
    /// Some session is not as it was written.
    prompt: bool,
}

/// What was written last of open sessions: version, and how many people have a mention to read.
type Known = HashMap<ConversationId, (u32, usize)>;

impl Pending {
    fn take(&mut self, rows: Rows, known: &mut Known) {
        let Rows { summaries, complete } = rows;
        for summary in &summaries {
            let version = summary.session.as_ref().map_or(0, |session| session.version);
            let now = (version, summary.mentioned.len());
            let before = known.insert(summary.conversation, now);
            self.prompt |= before != Some(now);
            if !is_open(summary) {
                known.remove(&summary.conversation);
            }
        }
        self.newest.extend(summaries.into_iter().map(|summary| (summary.conversation, summary)));
        self.complete.extend(complete);
    }

    fn is_empty(&self) -> bool {
        self.newest.is_empty() && self.complete.is_empty()
    }
}

/// Writes until the desk is gone.
pub(crate) async fn run(
    projections: Arc<Projections>,
    mut rows: mpsc::Receiver<Rows>,
    projected: Vec<Arc<Projected>>,
) {
    let mut pending = Pending::default();
    let mut known = Known::default();
    let mut failing = false;
    let mut lost = false;
    let mut written_at = Instant::now();
    loop {
        let wait = if failing { RETRY_AFTER } else { LINGER.saturating_sub(written_at.elapsed()) };
        let next = if pending.is_empty() {
            rows.recv().await.map(Some)
        } else {
            timeout(wait, rows.recv()).await.map_or(Some(None), |next| next.map(Some))
        };
        match next {
            Some(Some(next)) => pending.take(next, &mut known),
            Some(None) => {}
            None => {
                if !pending.is_empty() && !write(&projections, &mut pending, &projected, lost).await
                {
                    tracing::warn!("lists were not written; the next start makes them good");
                }
                return;
            }
        }
        while pending.newest.len() < ROWS_MAX
            && let Ok(more) = rows.try_recv()
        {
            pending.take(more, &mut known);
        }
        let due = failing || pending.prompt || written_at.elapsed() >= LINGER;
        if !due && pending.newest.len() < ROWS_MAX {
            continue;
        }
        written_at = Instant::now();
        let written = write(&projections, &mut pending, &projected, lost).await;
        if !written && !failing {
            tracing::warn!("lists cannot be written now; they are tried again every second");
        }
        failing = !written;
        if pending.newest.len() > WAITING_MAX {
            pending = Pending::default();
            lost = true;
            tracing::error!("lists lag too far behind; the next start writes them anew");
        }
    }
}

/// Writes everything pending in one transaction; keeps it where that fails.
async fn write(
    projections: &Projections,
    pending: &mut Pending,
    projected: &[Arc<Projected>],
    lost: bool,
) -> bool {
    let summaries: Vec<Summary> = pending.newest.values().map(|row| (**row).clone()).collect();
    // With rows lost on the way, an offset would promise what is not there.
    let offsets: Vec<(u16, u64)> =
        if lost { Vec::new() } else { pending.complete.iter().map(|(k, v)| (*k, *v)).collect() };
    if let Err(error) = projections.write(&summaries, &offsets).await {
        tracing::debug!(error = &error as &dyn std::error::Error, "lists cannot be written");
        return false;
    }
    for (log, offset) in offsets {
        if let Some(projected) = projected.get(usize::from(log)) {
            projected.set(offset);
        }
    }
    *pending = Pending::default();
    true
}
