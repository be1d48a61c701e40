//! The history on a key-value engine: conversations behind the log.
//!
//! The history thread of each edge loop applies folded batches here; nothing on a message's way
//! waits for it. A batch is one atomic write of the engine together with the applied offset,
//! without a sync: what a power loss takes is folded again from the log, which is trimmed only
//! after [`History::persist`](frontdesk_storage::History::persist).
//!
//! The key layout stands in [`keys`], that of rows with many entries in [`run`]; the [`mark`] tells the
//! newest durable batch. All of it is the same on every engine; what differs stands in `engine`.

mod filling;
pub(crate) mod keys;
pub(crate) mod mark;
pub(crate) mod run;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::error::Error;
use std::ops::{ControlFlow, RangeInclusive};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use frontdesk_core::id::ConversationId;
use frontdesk_storage::{
    Batch, ConversationWrite, EntryWrite, History, HistoryError, Offset, Sent, background,
};
use parking_lot::Mutex;

use self::filling::Filling;
use self::keys::{Key, Order};
use self::mark::{Mark, MarkFile};
use crate::dirs;
use crate::engine::{
    self, Chain, Check, Durability, End, Engine, EngineError, Journals, Store, StoreOptions,
    WriteBatch,
};
use crate::failpoint::{self, Point};

/// The engine's name for it; all key spaces of [`keys`] lie in it.
const NAME: &str = "history";
/// Journals on disk. Fewer than of three tables in memory, and the engine flushes small ones.
const JOURNALS_BYTES_MAX: u64 = 128 << 20;
/// So many ids at once share a row. Fewer have a key each, which is found without looking through the
/// conversation.
const SENT_RUN_MIN: usize = 8;

/// How a history is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HistoryOptions {
    /// What keeps it.
    pub engine: Engine,
    /// Memory for blocks of tables that were read.
    pub cache_bytes: u64,
    /// Memory for writes until they are flushed to a table. Several times of it are used while tables come faster.
    pub memtable_bytes: u64,
    /// Where little is written, a table is begun with so much already, `early_flush_after` the one
    /// before it: memory stays flat, and a peak still writes large tables.
    pub early_flush_bytes: u64,
    /// See `early_flush_bytes`.
    pub early_flush_after: Duration,
    /// How much of the tables is compared with their checksums when the history is opened: on fjall the
    /// newest, on RocksDB all or none. The engine checks the others as they are read.
    pub verify_bytes_max: u64,
}

impl Default for HistoryOptions {
    /// A start stays below a second; only a peak fills a large table in memory. Sixteen of them are merged with
    /// half their size of the next level; with one of 8 MiB that were all of it, and one of 32 MiB keeps the disk
    /// from the message log for 20 ms when it is written (docs/benchmarks.md, "Ten million messages").
    fn default() -> Self {
        Self {
            engine: Engine::default(),
            cache_bytes: 8 << 20,
            memtable_bytes: 16 << 20,
            early_flush_bytes: 2 << 20,
            early_flush_after: Duration::from_mins(1),
            verify_bytes_max: 256 << 20,
        }
    }
}

pub(crate) fn damaged(path: &Path, what: &str) -> HistoryError {
    HistoryError::Corrupt { file: path.to_owned(), what: what.to_owned() }
}

pub(crate) fn failed(
    operation: &'static str,
    path: &Path,
    source: impl Error + Send + Sync + 'static,
) -> HistoryError {
    HistoryError::Engine { operation, path: path.to_owned(), source: Box::new(source) }
}

impl From<EngineError> for HistoryError {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Poisoned => Self::Poisoned,
            EngineError::Damaged { file, what } => Self::Corrupt { file, what },
            EngineError::Failed { operation, path, source } => {
                Self::Engine { operation, path, source }
            }
            EngineError::Other { ref dir, .. } | EngineError::NotBuilt { ref dir, .. } => {
                failed("open the history", &dir.clone(), error)
            }
        }
    }
}

/// What writing needs, and what stops it.
struct Writer {
    /// Number of the newest batch.
    batch: u64,
    mark: MarkFile,
    poisoned: bool,
    filling: Filling,
}

/// The history in one directory.
pub struct EmbeddedHistory {
    dir: PathBuf,
    options: HistoryOptions,
    order: Order,
    store: Box<dyn Store>,
    writer: Mutex<Writer>,
}

impl std::fmt::Debug for EmbeddedHistory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EmbeddedHistory").field("dir", &self.dir).finish_non_exhaustive()
    }
}

impl EmbeddedHistory {
    /// Opens the history in `dir`, or creates an empty one there. Fails with the file named if
    /// anything durable is damaged or missing.
    pub fn open(dir: &Path, options: HistoryOptions) -> Result<Self, HistoryError> {
        dirs::create(dir).map_err(|error| failed("create", dir, error))?;
        let marked = mark::read(dir)?;
        let journals = check_files(dir, options, marked, &mut |_, _| {})?;
        journals.cut_torn_end()?;
        let store = engine::open(
            options.engine,
            dir,
            &StoreOptions {
                name: NAME,
                cache_bytes: options.cache_bytes,
                memtable_bytes: options.memtable_bytes,
                journals_bytes_max: JOURNALS_BYTES_MAX,
            },
        )?;

        let order = marked.map_or(Order::ByConversation, |marked| marked.order);
        let batch_of = |order: Order| match store.get(&order.batch())? {
            Some(value) => read_u64(&value, 0).ok_or_else(|| damaged(dir, "the batch number")),
            None => Ok(0),
        };
        if marked.is_none() {
            for order in Order::ALL {
                if batch_of(order)? > 0 {
                    return Err(damaged(&mark::path_in(dir), "the mark is missing"));
                }
            }
        }
        let batch = batch_of(order)?;
        let durable = marked.map_or(0, |marked| marked.batch);
        if batch < durable || batch < journals.newest_batch.unwrap_or(0) {
            let journal = journals.active.as_deref().unwrap_or(dir);
            return Err(damaged(journal, "durable batches are missing"));
        }
        let mark = MarkFile::open(dir, Mark { batch: durable, order })
            .map_err(|error| failed("open the mark", dir, error))?;
        let filling = Filling::new();
        let writer = Mutex::new(Writer { batch, mark, poisoned: false, filling });
        Ok(Self { dir: dir.to_owned(), options, order, store, writer })
    }

    /// The directory of this history.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Whether an earlier failure closed this history for writing.
    pub fn is_poisoned(&self) -> bool {
        self.writer.lock().poisoned
    }

    /// Writes everything still in memory to a table. For tests and measurements; the engine does
    /// it by itself when `memtable_bytes` are full.
    pub fn flush(&self) -> Result<(), HistoryError> {
        Ok(self.store.flush()?)
    }

    /// How its keys lie.
    pub(crate) fn order(&self) -> Order {
        self.order
    }

    /// Calls `visit` with every stored key and value, those of states first; for the doctor.
    pub(crate) fn scan(&self, mut visit: impl FnMut(&[u8], &[u8])) -> Result<(), HistoryError> {
        let states = self.states();
        self.visit(states.start(), states.end(), End::First, |key, value| {
            visit(key, value);
            Ok(ControlFlow::Continue(()))
        })?;
        self.visit(&[], &keys::AFTER_ALL, End::First, |key, value| {
            if !(&states.start()[..]..=&states.end()[..]).contains(&key) {
                visit(key, value);
            }
            Ok(ControlFlow::Continue(()))
        })
    }

    /// The keys between which all states lie.
    fn states(&self) -> RangeInclusive<Key> {
        let key = |byte| self.order.state(&ConversationId::from_bytes([byte; 12]));
        key(0)..=key(0xff)
    }

    /// Visits rows until the visitor breaks or fails.
    fn visit(
        &self,
        first: &[u8],
        last: &[u8],
        from: End,
        mut visit: impl FnMut(&[u8], &[u8]) -> Result<ControlFlow<()>, HistoryError>,
    ) -> Result<(), HistoryError> {
        let mut visited = Ok(());
        self.store.visit(first, last, from, &mut |key, value| {
            visit(key, value).unwrap_or_else(|error| {
                visited = Err(error);
                ControlFlow::Break(())
            })
        })?;
        visited
    }

    /// Entries of a conversation within a range of seqs, at most `limit` from the end asked for;
    /// ascending.
    fn entries(
        &self,
        conversation: &ConversationId,
        seqs: RangeInclusive<u64>,
        end: End,
        limit: usize,
    ) -> Result<Vec<(u64, Bytes)>, HistoryError> {
        if seqs.is_empty() || limit == 0 {
            return Ok(Vec::new());
        }
        let first = match end {
            // The row with the oldest may begin before it.
            End::First => self.row_of(conversation, *seqs.start())?.map(|(seq, _)| seq),
            End::Last => Some(0),
        };
        let key = |seq| self.order.numbered(keys::ENTRY, conversation, seq);
        let (first, last) = (key(first.unwrap_or(*seqs.start())), key(*seqs.end()));
        let damaged = || HistoryError::Damaged { conversation: *conversation, what: "entries" };
        let mut found: Vec<(u64, Bytes)> = Vec::new();
        self.visit(&first, &last, end, |key, row| {
            let entries = keys::number_of(key)
                .and_then(|seq| run::decode(seq, row, &seqs))
                .ok_or_else(damaged)?;
            match end {
                End::First => found.extend(entries),
                End::Last => found.extend(entries.into_iter().rev()),
            }
            Ok(go_on_if(found.len() < limit))
        })?;
        found.truncate(limit);
        if end == End::Last {
            found.reverse();
        }
        Ok(found)
    }

    /// The row an entry lies in, if it is stored: the newest that does not begin behind it.
    fn row_of(
        &self,
        conversation: &ConversationId,
        seq: u64,
    ) -> Result<Option<(u64, Bytes)>, HistoryError> {
        let key = |seq| self.order.numbered(keys::ENTRY, conversation, seq);
        let mut found = None;
        self.visit(&key(0), &key(seq), End::Last, |key, row| {
            let seq = keys::number_of(key)
                .ok_or(HistoryError::Damaged { conversation: *conversation, what: "entries" })?;
            found = Some((seq, Bytes::copy_from_slice(row)));
            Ok(ControlFlow::Break(()))
        })?;
        Ok(found)
    }

    /// Writes a batch and returns its size, about what it takes in memory.
    fn write(&self, batch: &Batch, number: u64) -> Result<u64, HistoryError> {
        failpoint::check(Point::HistoryWrite, &self.dir)
            .map_err(|error| failed("write a batch", &self.dir, error))?;
        let mut rows = self.store.batch();
        let mut chain = [0; 16];
        chain[..8].copy_from_slice(&number.to_le_bytes());
        chain[8..].copy_from_slice(&self.store.position().to_le_bytes());
        rows.insert(&self.order.batch(), &chain);
        rows.insert(&self.order.applied(batch.log), &batch.offset.to_le_bytes());
        for change in &batch.conversations {
            let conversation = &change.conversation;
            rows.insert(&self.order.state(conversation), &change.state);
            let (entries, replaced) = self.replaced(change)?;
            for (seq, row) in replaced {
                rows.insert(&self.order.numbered(keys::ENTRY, conversation, seq), &row);
            }
            for run in run::split(&entries) {
                let key = self.order.numbered(keys::ENTRY, conversation, run[0].seq);
                let row = run::encode(run.iter().map(|entry| &entry.entry[..]));
                rows.insert(&key, &row);
                self.insert_ids(&mut *rows, conversation, run);
            }
            for (number, event) in &change.events {
                let key = self.order.numbered(keys::EVENT, conversation, *number);
                rows.insert(&key, event);
            }
            background::give_way();
        }
        let bytes = rows.bytes();
        rows.commit(Durability::Written)?;
        Ok(bytes)
    }

    /// Carries out the replacements of a batch: in its own entries, since one may be added and
    /// replaced in the same batch, and in rows that are stored, which are written anew.
    fn replaced<'a>(&self, change: &'a ConversationWrite) -> Result<Replaced<'a>, HistoryError> {
        let conversation = change.conversation;
        let damaged = HistoryError::Damaged { conversation, what: "entries" };
        let mut entries = Cow::Borrowed(&change.entries[..]);
        let mut rows: BTreeMap<u64, Vec<u8>> = BTreeMap::new();
        for (seq, by) in &change.replaced {
            if let Ok(at) = entries.binary_search_by_key(seq, |entry| entry.seq) {
                let replaced = EntryWrite { entry: by.clone(), ..EntryWrite::clone(&entries[at]) };
                entries.to_mut()[at] = Arc::new(replaced);
                continue;
            }
            let Some((first, stored)) = self.row_of(&conversation, *seq)? else {
                return Err(damaged);
            };
            let row = rows.get(&first).map_or(&stored[..], |row| &row[..]);
            let Some(row) = run::replace(first, row, *seq, by) else { return Err(damaged) };
            rows.insert(first, row);
        }
        Ok((entries, rows))
    }

    /// Looks for an id among those that came many at once, newest first.
    fn find_in_runs(
        &self,
        conversation: &ConversationId,
        hash: [u8; 16],
    ) -> Result<Option<Sent>, HistoryError> {
        let key = |seq| self.order.numbered(keys::SENT_RUN, conversation, seq);
        let mut sent = None;
        self.visit(&key(0), &key(u64::MAX), End::Last, |key, ids| {
            let first = keys::number_of(key)
                .ok_or(HistoryError::Damaged { conversation: *conversation, what: "sent ids" })?;
            let ids = ids.chunks_exact(run::ID_BYTES);
            if let Some((seq, id)) = (first..).zip(ids).find(|(_, id)| id[..16] == hash) {
                sent = read_u64(id, 16).map(|content_hash| Sent { seq, content_hash });
                return Ok(ControlFlow::Break(()));
            }
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(sent)
    }

    /// Where the ids of a run are found again: a key each, or one row for many.
    fn insert_ids(
        &self,
        rows: &mut dyn WriteBatch,
        conversation: &ConversationId,
        run: &[Arc<EntryWrite>],
    ) {
        if run.len() >= SENT_RUN_MIN && run.iter().any(|entry| !entry.client_msg_id.is_empty()) {
            let mut ids = vec![0; run.len() * run::ID_BYTES];
            for (entry, id) in run.iter().zip(ids.chunks_exact_mut(run::ID_BYTES)) {
                if !entry.client_msg_id.is_empty() {
                    id[..16].copy_from_slice(&keys::sent_hash(&entry.sender, &entry.client_msg_id));
                    id[16..].copy_from_slice(&entry.content_hash.to_le_bytes());
                }
            }
            let key = self.order.numbered(keys::SENT_RUN, conversation, run[0].seq);
            rows.insert(&key, &ids);
            return;
        }
        for entry in run.iter().filter(|entry| !entry.client_msg_id.is_empty()) {
            let mut value = [0; 16];
            value[..8].copy_from_slice(&entry.seq.to_le_bytes());
            value[8..].copy_from_slice(&entry.content_hash.to_le_bytes());
            let key = self.order.sent(conversation, &entry.sender, &entry.client_msg_id);
            rows.insert(&key, &value);
        }
    }
}

/// What came of the replacements of a batch: its entries, and the stored rows that are written anew, by
/// the seq of their first entry.
type Replaced<'a> = (Cow<'a, [Arc<EntryWrite>]>, BTreeMap<u64, Vec<u8>>);

fn go_on_if(condition: bool) -> ControlFlow<()> {
    if condition { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
}

/// Checks all files of a history before the engine opens it.
pub(crate) fn check_files(
    dir: &Path,
    options: HistoryOptions,
    marked: Option<Mark>,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Journals, HistoryError> {
    let order = marked.map_or(Order::ByConversation, |marked| marked.order);
    let chain = Chain { key: &order.batch(), marked: marked.map(|marked| marked.batch) };
    let check = Check { chain, tables_bytes_max: options.verify_bytes_max, progress };
    Ok(engine::check(options.engine, dir, check)?)
}

/// The number at a place of a value; `None` if the value is too short.
pub(crate) fn read_u64(value: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(value.get(at..at + 8)?.try_into().ok()?))
}

impl History for EmbeddedHistory {
    fn apply(&self, batch: &Batch) -> Result<(), HistoryError> {
        let mut writer = self.writer.lock();
        if writer.poisoned {
            return Err(HistoryError::Poisoned);
        }
        if batch.offset <= self.applied(batch.log)? {
            return Ok(());
        }
        let number = writer.batch + 1;
        let bytes = self.write(batch, number).inspect_err(|_| writer.poisoned = true)?;
        writer.batch = number;
        if writer.filling.is_early(bytes, &self.options) {
            self.store.begin_table().inspect_err(|_| writer.poisoned = true)?;
        }
        Ok(())
    }

    fn applied(&self, log: u16) -> Result<Offset, HistoryError> {
        match self.store.get(&self.order.applied(log))? {
            Some(value) => {
                read_u64(&value, 0).ok_or_else(|| damaged(&self.dir, "an applied offset"))
            }
            None => Ok(0),
        }
    }

    fn persist(&self) -> Result<(), HistoryError> {
        let batch = {
            let writer = self.writer.lock();
            if writer.poisoned {
                return Err(HistoryError::Poisoned);
            }
            writer.batch
        };
        // Not under the lock: other loops go on applying during the sync.
        let synced = failpoint::check(Point::HistorySync, &self.dir)
            .map_err(|error| failed("sync", &self.dir, error))
            .and_then(|()| Ok(self.store.sync()?));
        let mut writer = self.writer.lock();
        synced.inspect_err(|_| writer.poisoned = true)?;
        writer.mark.advance(batch).map_err(|error| {
            writer.poisoned = true;
            failed("write the mark", &self.dir, error)
        })
    }

    fn state(&self, conversation: &ConversationId) -> Result<Option<Bytes>, HistoryError> {
        Ok(self.store.get(&self.order.state(conversation))?)
    }

    fn page(
        &self,
        conversation: &ConversationId,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<(u64, Bytes)>, HistoryError> {
        let newest = match before {
            None => u64::MAX,
            Some(0) => return Ok(Vec::new()),
            Some(before) => before - 1,
        };
        self.entries(conversation, 0..=newest, End::Last, limit)
    }

    fn since(
        &self,
        conversation: &ConversationId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<(u64, Bytes)>, HistoryError> {
        let Some(oldest) = after.checked_add(1) else { return Ok(Vec::new()) };
        self.entries(conversation, oldest..=u64::MAX, End::First, limit)
    }

    fn find(
        &self,
        conversation: &ConversationId,
        sender: &str,
        client_msg_id: &[u8],
    ) -> Result<Option<Sent>, HistoryError> {
        let key = self.order.sent(conversation, sender, client_msg_id);
        let Some(value) = self.store.get(&key)? else {
            return self.find_in_runs(conversation, keys::sent_hash(sender, client_msg_id));
        };
        let sent = read_u64(&value, 0)
            .zip(read_u64(&value, 8))
            .map(|(seq, content_hash)| Sent { seq, content_hash });
        let damaged = HistoryError::Damaged { conversation: *conversation, what: "sent id" };
        sent.ok_or(damaged).map(Some)
    }

    fn events(
        &self,
        conversation: &ConversationId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<(u64, Bytes)>, HistoryError> {
        let Some(oldest) = after.checked_add(1) else { return Ok(Vec::new()) };
        let key = |number| self.order.numbered(keys::EVENT, conversation, number);
        let mut found = Vec::new();
        if limit == 0 {
            return Ok(found);
        }
        self.visit(&key(oldest), &key(u64::MAX), End::First, |key, event| {
            let number = keys::number_of(key)
                .ok_or(HistoryError::Damaged { conversation: *conversation, what: "event" })?;
            found.push((number, Bytes::copy_from_slice(event)));
            Ok(go_on_if(found.len() < limit))
        })?;
        Ok(found)
    }

    fn conversations(
        &self,
        visit: &mut dyn FnMut(ConversationId, Bytes) -> ControlFlow<()>,
    ) -> Result<(), HistoryError> {
        let states = self.states();
        self.visit(states.start(), states.end(), End::First, |key, value| {
            let conversation = self
                .order
                .parse(key)
                .and_then(|key| key.conversation)
                .ok_or_else(|| damaged(&self.dir, "the key of a state"))?;
            Ok(visit(conversation, Bytes::copy_from_slice(value)))
        })
    }
}
