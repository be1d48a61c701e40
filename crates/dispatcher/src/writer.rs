//! The thread that writes folded batches to the history, off the message's way.
//!
//! One per edge loop. Input: a bounded channel of batches, in log order. Output: the offset the
//! history has applied and the offset that survives power loss, both readable without a lock. A
//! failed write ends the thread: the loop sees it by [`HistoryWriter::failed`] and refuses sends,
//! because the history would otherwise fall behind for good.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TrySendError, bounded};
use frontdesk_storage::{Batch, History};

/// Batches waiting for the thread; each holds at most one flush interval of messages.
const QUEUE_LEN: usize = 16;
/// How often what was applied is synced, so that the log can be trimmed.
const PERSIST_EVERY: Duration = Duration::from_secs(2);

/// Handle of the writing thread; dropping it lets the thread finish its queue and end.
#[derive(Debug)]
pub struct HistoryWriter {
    queue: Option<Sender<Batch>>,
    progress: Arc<Progress>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Progress {
    applied: AtomicU64,
    persisted: AtomicU64,
    failed: AtomicBool,
}

impl HistoryWriter {
    /// Starts the thread for one log, `applied` being the offset the history holds already.
    ///
    /// # Errors
    /// When the operating system refuses a thread.
    pub fn start(history: Arc<dyn History>, log: u16, applied: u64) -> std::io::Result<Self> {
        let (queue, batches) = bounded(QUEUE_LEN);
        let progress = Arc::new(Progress::default());
        progress.applied.store(applied, Ordering::Release);
        progress.persisted.store(applied, Ordering::Release);
        let shared = Arc::clone(&progress);
        let thread = std::thread::Builder::new()
            .name(format!("history-{log}"))
            .spawn(move || run(&*history, &batches, &shared))?;
        Ok(Self { queue: Some(queue), progress, thread: Some(thread) })
    }

    /// Hands a batch over; gives it back when the queue is full.
    pub(crate) fn try_write(&self, batch: Batch) -> Result<(), Batch> {
        match &self.queue {
            Some(queue) => queue.try_send(batch).map_err(|error| match error {
                TrySendError::Full(batch) | TrySendError::Disconnected(batch) => batch,
            }),
            None => Err(batch),
        }
    }

    /// Whether a batch would be taken now.
    pub(crate) fn has_room(&self) -> bool {
        self.queue.as_ref().is_some_and(|queue| !queue.is_full())
    }

    /// The offset up to which the history answers.
    pub fn applied(&self) -> u64 {
        self.progress.applied.load(Ordering::Acquire)
    }

    /// The offset up to which the history survives power loss; the log may go up to here.
    pub fn persisted(&self) -> u64 {
        self.progress.persisted.load(Ordering::Acquire)
    }

    /// Whether a write failed; nothing is written after that.
    pub fn failed(&self) -> bool {
        self.progress.failed.load(Ordering::Acquire)
    }
}

impl Drop for HistoryWriter {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the history writer panicked");
        }
    }
}

/// Takes batches until the queue closes; syncs now and then and once at the end.
fn run(history: &dyn History, batches: &Receiver<Batch>, progress: &Progress) {
    let mut persisted_at = Instant::now();
    loop {
        match batches.recv_timeout(PERSIST_EVERY) {
            Ok(batch) => {
                if let Err(error) = history.apply(&batch) {
                    fail(progress, &error);
                    return;
                }
                progress.applied.store(batch.offset, Ordering::Release);
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => {
                persist(history, progress);
                return;
            }
        }
        if persisted_at.elapsed() >= PERSIST_EVERY {
            if !persist(history, progress) {
                return;
            }
            persisted_at = Instant::now();
        }
    }
}

fn persist(history: &dyn History, progress: &Progress) -> bool {
    let applied = progress.applied.load(Ordering::Acquire);
    if progress.persisted.load(Ordering::Acquire) == applied {
        return true;
    }
    if let Err(error) = history.persist() {
        fail(progress, &error);
        return false;
    }
    progress.persisted.store(applied, Ordering::Release);
    true
}

fn fail(progress: &Progress, error: &frontdesk_storage::HistoryError) {
    tracing::error!(error = error as &dyn std::error::Error, "the history cannot be written");
    progress.failed.store(true, Ordering::Release);
}
