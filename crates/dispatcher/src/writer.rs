//! The thread that writes folded batches to the history, off the message's way.
//!
//! One per edge loop. Input: a bounded channel of batches, in log order. Output: the offset the
//! history has applied and the offset that survives power loss, both readable without a lock. A
//! failed write ends the thread: the loop sees it by [`HistoryWriter::failed`] and refuses sends,
//! because the history would otherwise fall behind for good.
//!
//! Where everything has to happen in one order, as in a simulation, the dispatcher's own thread does the same
//! work in its turns ([`HistoryWrites::InTurn`]).

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TrySendError, bounded};
use frontdesk_storage::{Batch, History, HistoryError, background};
use parking_lot::{Condvar, Mutex};

/// Batches waiting for the thread; each holds at most one flush interval of messages.
const QUEUE_LEN: usize = 16;
/// How long a history that is away is left alone, and how long the end waits for one.
const RETRY_AFTER: Duration = Duration::from_millis(500);
const CLOSE_WAIT: Duration = Duration::from_secs(5);
/// How often what was applied is synced, so that the log can be trimmed.
const PERSIST_EVERY: Duration = Duration::from_secs(2);

/// Who writes to the history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum HistoryWrites {
    /// A thread of its own, so that no turn waits.
    #[default]
    OwnThread,
    /// The dispatcher's thread, in its turns, so that the same calls always do the same. A history that is away
    /// is asked again in the next turn; whoever cannot wait for that fails.
    InTurn,
}

/// Handle of the writing thread. Dropping it ends the thread, once the history has answered what it was asked last:
/// the partition may be opened anew by then, and what is still queued lies in the log.
#[derive(Debug)]
pub struct HistoryWriter {
    queue: Option<Sender<Batch>>,
    progress: Arc<Progress>,
    worker: Worker,
}

#[derive(Debug)]
enum Worker {
    Thread(Option<JoinHandle<()>>),
    InTurn(Mutex<InTurn>),
}

/// What a thread of its own has on its stack.
struct InTurn {
    history: Arc<dyn History>,
    batches: Receiver<Batch>,
    /// The batch that a history which is away has not taken.
    next: Option<Batch>,
}

impl std::fmt::Debug for InTurn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InTurn").field("next", &self.next).finish_non_exhaustive()
    }
}

#[derive(Debug, Default)]
struct Progress {
    applied: AtomicU64,
    persisted: AtomicU64,
    failed: AtomicBool,
    /// Nothing more comes.
    closing: AtomicBool,
    /// Held for a moment by whoever changes `applied` or `failed`, so that no waiter misses it.
    gate: Mutex<()>,
    moved: Condvar,
}

impl Progress {
    fn change(&self, change: impl FnOnce(&Self)) {
        let guard = self.gate.lock();
        change(self);
        drop(guard);
        self.moved.notify_all();
    }

    fn fail(&self) {
        self.change(|progress| progress.failed.store(true, Ordering::Release));
    }
}

impl HistoryWriter {
    /// Starts the writer of one log, `applied` being the offset the history holds already.
    ///
    /// # Errors
    /// When the operating system refuses a thread.
    pub fn start(
        history: Arc<dyn History>,
        log: u16,
        applied: u64,
        writes: HistoryWrites,
    ) -> std::io::Result<Self> {
        let (queue, batches) = bounded(QUEUE_LEN);
        let progress = Arc::new(Progress::default());
        progress.applied.store(applied, Ordering::Release);
        progress.persisted.store(applied, Ordering::Release);
        if writes == HistoryWrites::InTurn {
            let worker = Worker::InTurn(Mutex::new(InTurn { history, batches, next: None }));
            return Ok(Self { queue: Some(queue), progress, worker });
        }
        let shared = Arc::clone(&progress);
        let thread =
            std::thread::Builder::new().name(format!("history-{log}")).spawn(move || {
                let _on_panic = FailOnPanic(&shared);
                background::lower_priority();
                run(&*history, &batches, &shared);
            })?;
        Ok(Self { queue: Some(queue), progress, worker: Worker::Thread(Some(thread)) })
    }

    /// Hands a batch over; gives it back when the queue is full or the thread has ended.
    pub(crate) fn try_write(&self, batch: Batch) -> Result<(), Batch> {
        match &self.queue {
            Some(queue) => queue.try_send(batch).map_err(|error| match error {
                TrySendError::Full(batch) | TrySendError::Disconnected(batch) => batch,
            }),
            None => Err(batch),
        }
    }

    /// Writes what the history takes now, where no thread does; whether that was everything.
    pub(crate) fn work(&self) -> bool {
        match &self.worker {
            Worker::Thread(_) => true,
            Worker::InTurn(worker) => worker.lock().work(&self.progress),
        }
    }

    /// As [`Self::work`]; nobody will do later what cannot be done now.
    fn work_or_fail(&self) {
        if !self.work() {
            self.progress.fail();
        }
    }

    /// Hands a batch over, waiting for room; gives it back when the thread has ended.
    pub(crate) fn write(&self, batch: Batch) -> Result<(), Batch> {
        if !self.has_room() {
            self.work_or_fail();
            if self.failed() {
                return Err(batch);
            }
        }
        match &self.queue {
            Some(queue) => queue.send(batch).map_err(|error| error.0),
            None => Err(batch),
        }
    }

    /// Whether a batch would be taken now.
    pub(crate) fn has_room(&self) -> bool {
        self.queue.as_ref().is_some_and(|queue| !queue.is_full())
    }

    /// Blocks until the history has applied more than `offset`, or writing failed, but no longer than `wait`.
    pub(crate) fn wait_beyond(&self, offset: u64, wait: Duration) {
        if !self.work() {
            return;
        }
        let until = Instant::now() + wait;
        let mut guard = self.progress.gate.lock();
        while self.applied() <= offset && !self.failed() {
            if self.progress.moved.wait_until(&mut guard, until).timed_out() {
                return;
            }
        }
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

    /// Says that nothing comes any more but what is on its way: a history that is away is tried for a while only,
    /// and whoever waits for room in the queue waits no longer than that.
    pub(crate) fn begin_closing(&self) {
        self.progress.closing.store(true, Ordering::Release);
    }

    /// Lets the thread finish its queue and sync; tells whether everything handed over is durable.
    pub(crate) fn close(mut self) -> bool {
        self.work_or_fail();
        self.end();
        !self.failed()
    }

    fn end(&mut self) {
        self.progress.closing.store(true, Ordering::Release);
        self.queue = None;
        if let Worker::Thread(thread) = &mut self.worker
            && let Some(thread) = thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the history writer panicked");
        }
    }
}

impl Drop for HistoryWriter {
    fn drop(&mut self) {
        self.progress.fail();
        self.end();
    }
}

impl InTurn {
    /// Writes what the history takes now; whether that was everything.
    fn work(&mut self, progress: &Progress) -> bool {
        while let Some(batch) = self.next.take().or_else(|| self.batches.try_recv().ok()) {
            if progress.failed.load(Ordering::Acquire) {
                return false;
            }
            match self.history.apply(&batch) {
                Ok(()) => progress.change(|p| p.applied.store(batch.offset, Ordering::Release)),
                Err(HistoryError::Unavailable { .. }) => {
                    self.next = Some(batch);
                    return false;
                }
                Err(error) => {
                    fail(progress, &error);
                    return false;
                }
            }
        }
        persist(&*self.history, progress)
    }
}

/// A thread that panics has failed too, and nobody may wait for it.
struct FailOnPanic<'a>(&'a Progress);

impl Drop for FailOnPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.fail();
        }
    }
}

/// Takes batches until the queue closes; syncs now and then and once at the end.
fn run(history: &dyn History, batches: &Receiver<Batch>, progress: &Progress) {
    let mut persisted_at = Instant::now();
    loop {
        match batches.recv_timeout(PERSIST_EVERY) {
            Ok(_) if progress.failed.load(Ordering::Acquire) => return,
            Ok(batch) => {
                background::set_late(!batches.is_empty());
                if let Err(error) = apply(history, &batch, progress) {
                    // Who was dropped has told why.
                    if !progress.failed.load(Ordering::Acquire) {
                        fail(progress, &error);
                    }
                    return;
                }
                progress.change(|p| p.applied.store(batch.offset, Ordering::Release));
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

/// Applies a batch, however often it has to be tried while the history is away: what is folded waits in
/// memory, within the dispatcher's bounds. Once nothing more comes it is tried for a while only.
fn apply(history: &dyn History, batch: &Batch, progress: &Progress) -> Result<(), HistoryError> {
    let mut last_at: Option<Instant> = None;
    loop {
        let error = match history.apply(batch) {
            Err(error @ HistoryError::Unavailable { .. }) => error,
            other => return other,
        };
        if progress.closing.load(Ordering::Acquire)
            && last_at.get_or_insert_with(Instant::now).elapsed() > CLOSE_WAIT
        {
            return Err(error);
        }
        tracing::warn!(
            log.number = batch.log,
            error = &error as &dyn std::error::Error,
            "the history is away; it is tried again"
        );
        std::thread::park_timeout(RETRY_AFTER);
        if progress.failed.load(Ordering::Acquire) {
            return Err(error);
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

fn fail(progress: &Progress, error: &HistoryError) {
    let shown = error as &dyn std::error::Error;
    if matches!(error, HistoryError::Fenced { .. } | HistoryError::Overtaken { .. }) {
        tracing::warn!(error = shown, "another owner writes this history");
    } else {
        tracing::error!(error = shown, "the history cannot be written");
    }
    progress.fail();
}
