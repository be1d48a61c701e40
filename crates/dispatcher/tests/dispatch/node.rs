//! A dispatcher with its log and history in a directory that outlives it, and the ways to end it.

use std::{ops::ControlFlow, path::Path, sync::Arc};

use bytes::Bytes;
use frontdesk_core::{id::ConversationId, store};
use frontdesk_dispatcher::{
    Committed, DispatchError, Dispatcher, DispatcherOptions, Recovered, recover,
};
use frontdesk_storage::{Batch, History, HistoryError, MessageLog, Offset, Sent};
use frontdesk_storage_embedded::{
    Durability, EmbeddedHistory, HistoryOptions, LogOptions, Reserve, SegmentLog,
};
use parking_lot::{Condvar, Mutex};
use tempfile::TempDir;

pub(crate) const LOG: u16 = 3;

pub(crate) fn log_options(durability: Durability) -> LogOptions {
    LogOptions {
        segment_bytes: 64 << 10,
        durability,
        reserve: Reserve { percent: 0, bytes_min: 0, bytes_max: 0 },
    }
}

/// The real history; what is applied may be held up, or end, at a batch of the test's choice.
pub(crate) struct Held {
    inner: EmbeddedHistory,
    gate: Mutex<Gate>,
    opened: Condvar,
}

struct Gate {
    /// Batches that may still pass; `None` for any number.
    permits: Option<u64>,
    /// What has no permit fails instead of waiting.
    dead: bool,
    /// As a database that nobody reaches.
    away: bool,
}

impl Held {
    /// Lets `more` further batches pass.
    pub(crate) fn permit(&self, more: u64) {
        let mut gate = self.gate.lock();
        gate.permits = gate.permits.map(|permits| permits + more);
        self.opened.notify_all();
    }

    /// From now on it takes nothing, and may be tried again.
    pub(crate) fn go_away(&self) {
        self.gate.lock().away = true;
    }

    fn die(&self) {
        self.gate.lock().dead = true;
        self.opened.notify_all();
    }
}

impl History for Held {
    fn apply(&self, batch: &Batch) -> Result<(), HistoryError> {
        let mut gate = self.gate.lock();
        if gate.away {
            let (place, source) = ("the history".to_owned(), "it is away".into());
            return Err(HistoryError::Unavailable { operation: "apply", place, source });
        }
        while gate.permits == Some(0) {
            if gate.dead {
                return Err(HistoryError::Poisoned);
            }
            self.opened.wait(&mut gate);
        }
        gate.permits = gate.permits.map(|permits| permits - 1);
        drop(gate);
        self.inner.apply(batch)
    }

    fn applied(&self, log: u16) -> Result<Offset, HistoryError> {
        self.inner.applied(log)
    }

    fn persist(&self) -> Result<(), HistoryError> {
        self.inner.persist()
    }

    fn state(&self, conversation: &ConversationId) -> Result<Option<Bytes>, HistoryError> {
        self.inner.state(conversation)
    }

    fn page(
        &self,
        conversation: &ConversationId,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<(u64, Bytes)>, HistoryError> {
        self.inner.page(conversation, before, limit)
    }

    fn since(
        &self,
        conversation: &ConversationId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<(u64, Bytes)>, HistoryError> {
        self.inner.since(conversation, after, limit)
    }

    fn find(
        &self,
        conversation: &ConversationId,
        sender: &str,
        client_msg_id: &[u8],
    ) -> Result<Option<Sent>, HistoryError> {
        self.inner.find(conversation, sender, client_msg_id)
    }

    fn events(
        &self,
        conversation: &ConversationId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<(u64, Bytes)>, HistoryError> {
        self.inner.events(conversation, after, limit)
    }

    fn conversations(
        &self,
        visit: &mut dyn FnMut(ConversationId, Bytes) -> ControlFlow<()>,
    ) -> Result<(), HistoryError> {
        self.inner.conversations(visit)
    }
}

/// One edge loop's storage. Declared in the order in which it has to go.
pub(crate) struct Node {
    pub(crate) dispatcher: Option<Dispatcher>,
    /// Gone only while it is opened again.
    history: Option<Arc<Held>>,
    pub(crate) now_ms: i64,
    pub(crate) options: DispatcherOptions,
    durability: Durability,
    dir: TempDir,
}

impl Drop for Node {
    fn drop(&mut self) {
        // The writer may be waiting for a permit that nobody will give.
        if let Some(history) = &self.history {
            history.die();
        }
    }
}

fn open_history(dir: &Path, permits: Option<u64>) -> Arc<Held> {
    let inner = EmbeddedHistory::open(&dir.join("history"), HistoryOptions::default()).unwrap();
    Arc::new(Held {
        inner,
        gate: Mutex::new(Gate { permits, dead: false, away: false }),
        opened: Condvar::new(),
    })
}

impl Node {
    /// An empty one. `permits` says how many batches the history takes by itself.
    pub(crate) fn new(
        options: DispatcherOptions,
        durability: Durability,
        permits: Option<u64>,
    ) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let history = open_history(dir.path(), permits);
        let mut node = Self {
            dispatcher: None,
            history: Some(history),
            now_ms: 1_700_000_000_000,
            options,
            durability,
            dir,
        };
        let log = node.open_log();
        node.begin(Box::new(log));
        node
    }

    pub(crate) fn plain() -> Self {
        Self::new(DispatcherOptions::default(), Durability::Async, None)
    }

    pub(crate) fn history(&self) -> &Arc<Held> {
        self.history.as_ref().unwrap()
    }

    pub(crate) fn log_dir(&self) -> std::path::PathBuf {
        self.dir.path().join("log")
    }

    pub(crate) fn history_dir(&self) -> std::path::PathBuf {
        self.dir.path().join("history")
    }

    pub(crate) fn open_log(&self) -> SegmentLog {
        SegmentLog::open(&self.log_dir(), log_options(self.durability)).unwrap()
    }

    pub(crate) fn begin(&mut self, log: Box<dyn MessageLog>) {
        let history: Arc<dyn History> = Arc::clone(self.history()) as _;
        self.dispatcher = Some(Dispatcher::new(LOG, log, history, self.options).unwrap());
    }

    pub(crate) fn dispatcher(&mut self) -> &mut Dispatcher {
        self.dispatcher.as_mut().unwrap()
    }

    /// One turn with these proposals.
    pub(crate) fn turn(
        &mut self,
        proposals: impl IntoIterator<Item = (ConversationId, store::Proposal)>,
    ) -> Vec<Committed> {
        let now_ms = self.now_ms;
        let dispatcher = self.dispatcher();
        for (tag, (conversation, proposal)) in proposals.into_iter().enumerate() {
            dispatcher.stage(tag as u64, conversation, proposal);
        }
        let mut results = Vec::new();
        dispatcher.commit(now_ms, &mut results);
        assert!(!dispatcher.has_work());
        results
    }

    /// Lets time pass, then the housekeeping of one turn.
    pub(crate) fn tend(&mut self, after_ms: i64, trim_to: u64) {
        self.now_ms += after_ms;
        let now_ms = self.now_ms;
        self.dispatcher().tend(now_ms, trim_to);
    }

    /// Ships everything and waits until the history has it.
    pub(crate) fn settle(&mut self) {
        self.tend(self.options.flush_interval_ms, 0);
        while self.dispatcher().needs_tending() {
            std::thread::yield_now();
            self.tend(0, 0);
        }
    }

    /// Ends the process in the middle: what the history has not taken by now, it never gets.
    pub(crate) fn kill(&mut self) {
        self.history().die();
        self.dispatcher = None;
    }

    /// Ends it as a stop does.
    pub(crate) fn stop(&mut self) {
        self.history().permit(1 << 40);
        let folded = self.dispatcher().folded();
        let finished = self.dispatcher.take().unwrap().finish().unwrap();
        assert_eq!(finished, folded);
        assert_eq!(self.history().applied(LOG).unwrap(), folded, "nothing to replay after a stop");
    }

    /// Opens log and history again as a start does, and goes on.
    pub(crate) fn start(&mut self, projected: u64, permits: Option<u64>) -> Recovered {
        let (log, recovered) = self.recover(projected).unwrap();
        let applied = self.history().applied(LOG).unwrap();
        assert_eq!(applied, recovered.offset, "the history stands where the log ends");
        self.history().gate.lock().permits = permits;
        self.begin(log);
        recovered
    }

    pub(crate) fn recover(
        &mut self,
        projected: u64,
    ) -> Result<(Box<dyn MessageLog>, Recovered), DispatchError> {
        let dir = self.dir.path().to_owned();
        // The old one lets go of its directory first.
        self.history = None;
        self.history = Some(open_history(&dir, None));
        let history: Arc<dyn History> = Arc::clone(self.history()) as _;
        let log = Box::new(self.open_log());
        recover(LOG, log, &history, self.options, projected, &mut |_| {})
    }
}
