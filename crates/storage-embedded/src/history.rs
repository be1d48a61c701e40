//! The history on fjall: conversations behind the log.
//!
//! The history thread of each edge loop applies folded batches here; nothing on a message's way
//! waits for it. A batch is one atomic write of the engine together with the applied offset,
//! without a sync: what a power loss takes is folded again from the log, which is trimmed only
//! after [`History::persist`](frontdesk_storage::History::persist).
//!
//! The key layout stands in [`keys`]. What the engine does not notice about its own files is
//! checked before it opens them, in [`journal`] and [`tables`]; the [`mark`] tells the newest
//! durable batch.

pub(crate) mod journal;
pub(crate) mod keys;
pub(crate) mod mark;
pub(crate) mod tables;

use std::error::Error;
use std::ops::{ControlFlow, RangeInclusive};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use fjall::{Database, Keyspace, KeyspaceCreateOptions, PersistMode, Readable};
use frontdesk_core::id::ConversationId;
use frontdesk_storage::{Batch, ConversationWrite, History, HistoryError, Offset, Sent};
use parking_lot::Mutex;

use self::keys::KeySpace;
use self::mark::MarkFile;
use crate::dirs;
use crate::failpoint::{self, Point};

/// The engine's keyspace; all key spaces of [`keys`] lie in it.
const KEYSPACE: &str = "history";
/// Of the engine's files, written last when a history is created.
const ENGINE_VERSION_FILE: &str = "version";

/// How a history is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HistoryOptions {
    /// Memory for blocks of tables that were read.
    pub cache_bytes: u64,
    /// Memory for writes until they are flushed to a table. Twice of it is used while one is.
    pub memtable_bytes: u64,
    /// How much of the tables is compared with their checksums when the history is opened, newest
    /// first; the engine checks the others as they are read.
    pub verify_bytes_max: u64,
}

impl Default for HistoryOptions {
    /// Small enough for an idle process below 40 MB and a start below a second.
    fn default() -> Self {
        Self { cache_bytes: 8 << 20, memtable_bytes: 8 << 20, verify_bytes_max: 256 << 20 }
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

/// What writing needs, and what stops it.
struct Writer {
    /// Number of the newest batch.
    batch: u64,
    mark: MarkFile,
    poisoned: bool,
}

/// The history in one directory.
pub struct FjallHistory {
    dir: PathBuf,
    // Declared before the database: handles go first.
    keyspace: Keyspace,
    database: Database,
    writer: Mutex<Writer>,
}

impl std::fmt::Debug for FjallHistory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FjallHistory").field("dir", &self.dir).finish_non_exhaustive()
    }
}

impl FjallHistory {
    /// Opens the history in `dir`, or creates an empty one there. Fails with the file named if
    /// anything durable is damaged or missing.
    pub fn open(dir: &Path, options: HistoryOptions) -> Result<Self, HistoryError> {
        dirs::create(dir).map_err(|error| failed("create", dir, error))?;
        let marked = mark::read(dir)?;
        let journals = check_files(dir, marked, options.verify_bytes_max, &mut |_, _| {})?;
        journals.cut_torn_end()?;

        let database = Database::builder(dir)
            .cache_size(options.cache_bytes)
            .max_journaling_size(64 << 20)
            // One: of several the first never compacts, and spins while the others do.
            .worker_threads(1)
            .max_cached_files(Some(64))
            .open()
            .map_err(|error| match error {
                error @ fjall::Error::Storage(_) => read_error(dir, error),
                error => engine_error("open the history", dir, error),
            })?;
        let keyspace = database
            .keyspace(KEYSPACE, || {
                KeyspaceCreateOptions::default().max_memtable_size(options.memtable_bytes)
            })
            .map_err(|error| engine_error("open the keyspace", dir, error))?;

        let stored = get(&keyspace, dir, &keys::batch())?;
        let batch = match &stored {
            Some(value) => read_u64(value, 0).ok_or_else(|| damaged(dir, "the batch number"))?,
            None => 0,
        };
        let journal = journals.active.as_deref().unwrap_or(dir);
        if batch < marked.unwrap_or(0) || batch < journals.newest_batch.unwrap_or(0) {
            return Err(damaged(journal, "durable batches are missing"));
        }
        if marked.is_none() && batch > 0 {
            return Err(damaged(&mark::path_in(dir), "the mark is missing"));
        }
        let mark = MarkFile::open(dir, marked.unwrap_or(0))
            .map_err(|error| failed("open the mark", dir, error))?;
        let writer = Mutex::new(Writer { batch, mark, poisoned: false });
        Ok(Self { dir: dir.to_owned(), keyspace, database, writer })
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
        self.keyspace
            .rotate_memtable_and_wait()
            .map_err(|error| engine_error("flush", &self.dir, error))
    }

    /// Calls `visit` with every stored key and value; for the doctor.
    pub(crate) fn scan(&self, mut visit: impl FnMut(&[u8], &[u8])) -> Result<(), HistoryError> {
        for guard in self.database.snapshot().iter(&self.keyspace) {
            let (key, value) = guard.into_inner().map_err(|error| self.read_error(error))?;
            visit(&key, &value);
        }
        Ok(())
    }

    fn read_error(&self, error: fjall::Error) -> HistoryError {
        read_error(&self.dir, error)
    }

    /// Numbered values of a conversation within a range of numbers, at most `limit` from the end
    /// asked for; ascending.
    fn numbered(
        &self,
        space: KeySpace,
        conversation: &ConversationId,
        numbers: RangeInclusive<u64>,
        end: End,
        limit: usize,
    ) -> Result<Vec<(u64, Bytes)>, HistoryError> {
        if numbers.is_empty() || limit == 0 {
            return Ok(Vec::new());
        }
        let range = keys::numbered(space, conversation, *numbers.start())
            ..=keys::numbered(space, conversation, *numbers.end());
        let read = |guard: fjall::Guard| {
            let (key, value) = guard.into_inner().map_err(|error| self.read_error(error))?;
            let number = keys::number_of(&key)
                .ok_or(HistoryError::Damaged { conversation: *conversation, what: space.name })?;
            Ok((number, Bytes::copy_from_slice(&value)))
        };
        let found = self.keyspace.range(range);
        match end {
            End::Oldest => found.take(limit).map(read).collect(),
            End::Newest => {
                let mut page: Vec<_> =
                    found.rev().take(limit).map(read).collect::<Result<_, HistoryError>>()?;
                page.reverse();
                Ok(page)
            }
        }
    }

    fn write(&self, batch: &Batch, number: u64) -> Result<(), fjall::Error> {
        failpoint::check(Point::HistoryWrite, &self.dir)?;
        let keyspace = &self.keyspace;
        let mut write = self.database.batch().durability(Some(PersistMode::Buffer));
        let mut chain = [0; 16];
        chain[..8].copy_from_slice(&number.to_le_bytes());
        chain[8..].copy_from_slice(&self.database.seqno().to_le_bytes());
        write.insert(keyspace, keys::batch(), chain);
        write.insert(keyspace, keys::applied(batch.log), batch.offset.to_le_bytes());
        for ConversationWrite { conversation, state, entries, replaced, events } in
            &batch.conversations
        {
            write.insert(keyspace, keys::state(conversation), &state[..]);
            for entry in entries {
                let key = keys::numbered(keys::ENTRY, conversation, entry.seq);
                write.insert(keyspace, key, &entry.entry[..]);
                if !entry.client_msg_id.is_empty() {
                    let key = keys::sent(conversation, &entry.sender, &entry.client_msg_id);
                    let mut value = [0; 16];
                    value[..8].copy_from_slice(&entry.seq.to_le_bytes());
                    value[8..].copy_from_slice(&entry.content_hash.to_le_bytes());
                    write.insert(keyspace, key, value);
                }
            }
            // After the entries: one may be added and replaced in the same batch.
            for (seq, entry) in replaced {
                write.insert(keyspace, keys::numbered(keys::ENTRY, conversation, *seq), &entry[..]);
            }
            for (number, event) in events {
                write.insert(
                    keyspace,
                    keys::numbered(keys::EVENT, conversation, *number),
                    &event[..],
                );
            }
        }
        write.commit()
    }
}

/// From which end of a range values are taken.
#[derive(Clone, Copy)]
enum End {
    Oldest,
    Newest,
}

/// Checks all files of a history before the engine opens it.
pub(crate) fn check_files(
    dir: &Path,
    marked: Option<u64>,
    verify_bytes_max: u64,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<journal::Journals, HistoryError> {
    let version = dir.join(ENGINE_VERSION_FILE);
    if !version.exists() {
        if marked.is_some() {
            return Err(damaged(&version, "it is missing, but there is a history"));
        }
        return Ok(journal::Journals::default());
    }
    let journals = journal::check(dir, marked.unwrap_or(0))?;
    if marked.is_some() && journals.active.is_none() {
        return Err(damaged(&dir.join("*.jnl"), "the journal is missing"));
    }
    let unchecked = tables::check(dir, verify_bytes_max, progress)?;
    if unchecked > 0 {
        tracing::debug!(bytes = unchecked, "tables left to be checked as they are read");
    }
    Ok(journals)
}

fn engine_error(operation: &'static str, dir: &Path, error: fjall::Error) -> HistoryError {
    match error {
        fjall::Error::Poisoned => HistoryError::Poisoned,
        fjall::Error::InvalidVersion(_) => {
            damaged(&dir.join(ENGINE_VERSION_FILE), "it does not name the format of this version")
        }
        fjall::Error::JournalRecovery(what) => damaged(dir, &what.to_string()),
        fjall::Error::Storage(
            what @ (fjall::LsmError::ChecksumMismatch { .. }
            | fjall::LsmError::Unrecoverable
            | fjall::LsmError::InvalidTag(_)
            | fjall::LsmError::InvalidTrailer
            | fjall::LsmError::InvalidHeader(_)),
        ) => damaged(dir, &what.to_string()),
        other => failed(operation, dir, other),
    }
}

/// The engine does not say which file is damaged: look for it.
fn read_error(dir: &Path, error: fjall::Error) -> HistoryError {
    let error = engine_error("read", dir, error);
    match tables::check(dir, u64::MAX, &mut |_, _| {}) {
        // A table that is gone by now was only compacted away meanwhile.
        Err(HistoryError::Corrupt { file, what }) if file.exists() => {
            HistoryError::Corrupt { file, what }
        }
        _ => error,
    }
}

fn get(keyspace: &Keyspace, dir: &Path, key: &[u8]) -> Result<Option<Bytes>, HistoryError> {
    match keyspace.get(key) {
        Ok(value) => Ok(value.map(|value| Bytes::copy_from_slice(&value))),
        Err(error) => Err(read_error(dir, error)),
    }
}

/// The number at a place of a value; `None` if the value is too short.
pub(crate) fn read_u64(value: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(value.get(at..at + 8)?.try_into().ok()?))
}

impl History for FjallHistory {
    fn apply(&self, batch: &Batch) -> Result<(), HistoryError> {
        let mut writer = self.writer.lock();
        if writer.poisoned {
            return Err(HistoryError::Poisoned);
        }
        if batch.offset <= self.applied(batch.log)? {
            return Ok(());
        }
        let number = writer.batch + 1;
        self.write(batch, number).map_err(|error| {
            writer.poisoned = true;
            engine_error("write a batch", &self.dir, error)
        })?;
        writer.batch = number;
        Ok(())
    }

    fn applied(&self, log: u16) -> Result<Offset, HistoryError> {
        match get(&self.keyspace, &self.dir, &keys::applied(log))? {
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
            .map_err(fjall::Error::from)
            .and_then(|()| self.database.persist(PersistMode::SyncData));
        let mut writer = self.writer.lock();
        if let Err(error) = synced {
            writer.poisoned = true;
            return Err(engine_error("sync", &self.dir, error));
        }
        writer.mark.advance(batch).map_err(|error| {
            writer.poisoned = true;
            failed("write the mark", &self.dir, error)
        })
    }

    fn state(&self, conversation: &ConversationId) -> Result<Option<Bytes>, HistoryError> {
        get(&self.keyspace, &self.dir, &keys::state(conversation))
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
        self.numbered(keys::ENTRY, conversation, 0..=newest, End::Newest, limit)
    }

    fn since(
        &self,
        conversation: &ConversationId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<(u64, Bytes)>, HistoryError> {
        let Some(oldest) = after.checked_add(1) else { return Ok(Vec::new()) };
        self.numbered(keys::ENTRY, conversation, oldest..=u64::MAX, End::Oldest, limit)
    }

    fn find(
        &self,
        conversation: &ConversationId,
        sender: &str,
        client_msg_id: &[u8],
    ) -> Result<Option<Sent>, HistoryError> {
        let key = keys::sent(conversation, sender, client_msg_id);
        let Some(value) = get(&self.keyspace, &self.dir, &key)? else { return Ok(None) };
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
        self.numbered(keys::EVENT, conversation, oldest..=u64::MAX, End::Oldest, limit)
    }

    fn conversations(
        &self,
        visit: &mut dyn FnMut(ConversationId, Bytes) -> ControlFlow<()>,
    ) -> Result<(), HistoryError> {
        for guard in self.keyspace.prefix([keys::STATE.tag]) {
            let (key, value) = guard.into_inner().map_err(|error| self.read_error(error))?;
            let conversation = keys::conversation_of(&key)
                .ok_or_else(|| damaged(&self.dir, "the key of a state"))?;
            if visit(conversation, Bytes::copy_from_slice(&value)).is_break() {
                break;
            }
        }
        Ok(())
    }
}
