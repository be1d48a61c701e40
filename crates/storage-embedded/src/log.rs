//! The segment log of one edge loop: the commit point of every message.
//!
//! A turn's proposals become one dense write and one `fdatasync`, on the loop's own thread; after
//! it their length goes to the [`mark`]. The layout of the files stands in [`segment`] and
//! [`mark`]; how a log is checked when it is opened, in [`open`].
//!
//! An append finds its segment already written full of zeros ([`prepare`]), so it needs no space,
//! allocates nothing per record, and its sync carries no metadata. An append never spans two
//! segments: it is written whole or, if there is no room for it, not at all.
//!
//! The first failed write or sync poisons the log for good. A sync is never tried again: after a
//! failed one the kernel may have dropped the pages and would report success for nothing.

mod mark;
mod open;
mod prepare;
pub(crate) mod segment;

use std::collections::VecDeque;
use std::fs::File;
use std::ops::ControlFlow;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use frontdesk_storage::{LogError, MessageLog, Offset, Record, Visit};

pub(crate) use self::mark::FILE as MARK_FILE;
use self::mark::{Mark, MarkFile};
pub(crate) use self::open::{Access, inspect};
use self::prepare::{Helper, Plan, Prepared, SEGMENT_BYTES_FLOOR, grow};
use self::segment::{
    HEADER_BYTES, Header, PAYLOAD_BYTES_MAX, RECORD_HEADER_BYTES, SegmentReader, Step, corrupt,
    io_error,
};
use crate::failpoint::{self, Point};
use crate::space::{DiskSpace, Reserve};

/// How often the free space is asked for while appends come; one cheap system call.
const SPACE_CHECK_INTERVAL: Duration = Duration::from_millis(200);
/// And after how many bytes at the latest: well below the smallest reserve, however fast the disk.
const SPACE_CHECK_BYTES: u64 = 1 << 20;
/// A log begins small and grows: an idle one should not take 64 MiB of disk.
const FIRST_SEGMENT_BYTES: u64 = 4 << 20;
/// A buffer grown by one large turn is given back.
const BUFFER_BYTES_KEPT: usize = 1 << 20;

/// When an append counts as durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// After `fdatasync`: survives power loss.
    #[default]
    Sync,
    /// After the write: survives a kill of the process, not of the machine.
    Async,
}

/// How a segment log is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogOptions {
    /// The size segments grow to.
    pub segment_bytes: u64,
    /// When an append counts as durable.
    pub durability: Durability,
    /// Free space below which appends are refused.
    pub reserve: Reserve,
}

impl Default for LogOptions {
    fn default() -> Self {
        Self { segment_bytes: 64 << 20, durability: Durability::Sync, reserve: Reserve::default() }
    }
}

impl LogOptions {
    fn first_segment_bytes(&self) -> u64 {
        self.segment_bytes.min(FIRST_SEGMENT_BYTES)
    }

    fn plan(&self, dir: &Path, index: u64, file_bytes: u64, file_bytes_min: u64) -> Plan {
        Plan { dir: dir.to_owned(), index, file_bytes, file_bytes_min, reserve: self.reserve }
    }

    fn segment_bytes_min(&self) -> u64 {
        self.segment_bytes.min(SEGMENT_BYTES_FLOOR)
    }
}

/// A segment that is full.
#[derive(Debug)]
struct Sealed {
    path: PathBuf,
    header: Header,
}

/// The segment appends go to.
#[derive(Debug)]
struct Active {
    index: u64,
    path: PathBuf,
    file: File,
    header: Header,
    /// Where the next append goes; 0 while the header is not yet written.
    at: u64,
    records: u32,
}

impl Active {
    fn of(prepared: Prepared, base: Offset, durability: Durability) -> Self {
        let mut salt = [0; 8];
        getrandom::fill(&mut salt).expect("the operating system has randomness");
        Self {
            index: prepared.index,
            path: prepared.path,
            header: Header {
                base,
                file_bytes: prepared.file_bytes,
                asynchronous: durability == Durability::Async,
                salt: u64::from_le_bytes(salt),
            },
            file: prepared.file,
            at: 0,
            records: 0,
        }
    }

    fn next(&self) -> Offset {
        self.header.base + u64::from(self.records)
    }

    fn room(&self) -> u64 {
        self.header.file_bytes - self.at.max(HEADER_BYTES)
    }

    fn mark(&self) -> Mark {
        Mark { segment: self.index, bytes: self.at, next: self.next() }
    }
}

/// The message log of one edge loop, in segments in one directory.
#[derive(Debug)]
pub struct SegmentLog {
    dir: PathBuf,
    options: LogOptions,
    sealed: VecDeque<Sealed>,
    active: Active,
    spare: Option<Prepared>,
    helper: Helper,
    mark: MarkFile,
    buffer: Vec<u8>,
    poisoned: bool,
    space: DiskSpace,
    space_checked: Instant,
    /// Appended since free space was asked for.
    appended_bytes: u64,
}

impl SegmentLog {
    /// Opens the log in `dir`, or creates an empty one there. Only a torn tail past the mark is
    /// cut off; anything else that is not whole fails with the file named.
    ///
    /// Whoever opens a log must hold the data directory's lock: there is one writer.
    pub fn open(dir: &Path, options: LogOptions) -> Result<Self, LogError> {
        open::open(dir, options)
    }

    /// The directory of this log.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Free space as last asked for, against the reserve.
    pub fn space(&self) -> DiskSpace {
        self.space
    }

    /// Whether an earlier failure closed this log.
    pub fn is_poisoned(&self) -> bool {
        self.poisoned
    }

    /// Lets the log go on behind what the history has applied, after a power loss took records of
    /// a log opened with [`Durability::Async`]. What the log holds is already applied and dropped.
    /// A log that keeps its promise to sync never needs this.
    pub fn skip_to(&mut self, next: Offset) -> Result<(), LogError> {
        assert!(self.options.durability == Durability::Async, "only an asynchronous log may skip");
        if next <= self.next_offset() {
            return Ok(());
        }
        let mut old: Vec<PathBuf> = self.sealed.drain(..).map(|sealed| sealed.path).collect();
        old.push(self.active.path.clone());
        let prepared = self.next_prepared(0)?;
        self.active = Active::of(prepared, next, self.options.durability);
        self.write_and_sync(&[])?;
        self.active.file.sync_data().map_err(|error| self.poison("sync", error))?;
        self.write_mark()?;
        self.helper.remove(old);
        Ok(())
    }

    /// The largest append, in bytes with its record headers, that is sure to fit a segment.
    fn append_bytes_max(&self) -> u64 {
        self.options.segment_bytes.max(SEGMENT_BYTES_FLOOR) - HEADER_BYTES
    }

    fn check_size(&self, records: &[Record<'_>]) -> Result<u64, LogError> {
        let mut bytes = 0;
        for record in records {
            let payload_bytes = record.payload.len() as u64;
            if payload_bytes > PAYLOAD_BYTES_MAX {
                return Err(LogError::TooLarge {
                    bytes: payload_bytes,
                    bytes_max: PAYLOAD_BYTES_MAX,
                });
            }
            bytes += RECORD_HEADER_BYTES + payload_bytes;
        }
        let bytes_max = self.append_bytes_max();
        if bytes > bytes_max {
            return Err(LogError::TooLarge { bytes, bytes_max });
        }
        Ok(bytes)
    }

    /// Refuses appends while the reserve is touched, and notices when it no longer is.
    ///
    /// What is appended goes into a segment made before and takes no room, but the history behind
    /// the log takes as much again: a burst is looked at by its bytes, not only by the clock.
    fn check_space(&mut self, bytes: u64) -> Result<(), LogError> {
        let now = Instant::now();
        self.appended_bytes += bytes;
        let due = now.duration_since(self.space_checked) >= SPACE_CHECK_INTERVAL
            || self.appended_bytes >= SPACE_CHECK_BYTES;
        if due || self.space.is_short() {
            self.appended_bytes = 0;
            self.space = DiskSpace::of(&self.dir, self.options.reserve)
                .map_err(|error| io_error("ask for the free space of", &self.dir, error))?;
            self.space_checked = now;
        }
        if self.space.is_short() {
            return Err(LogError::Full {
                free_bytes: self.space.free_bytes,
                reserve_bytes: self.space.reserve_bytes,
            });
        }
        Ok(())
    }

    /// The size the segment after the active one should have.
    fn next_segment_bytes(&self) -> u64 {
        self.active.header.file_bytes.saturating_mul(4).min(self.options.segment_bytes)
    }

    /// The next segment, with room for `bytes` bytes of records: the spare, or one made now.
    fn next_prepared(&mut self, bytes: u64) -> Result<Prepared, LogError> {
        let need = HEADER_BYTES + bytes;
        let spare = match self.spare.take() {
            Some(spare) => Some(spare),
            None => self.helper.take().transpose().unwrap_or_else(|error| {
                tracing::warn!(%error, "no segment could be prepared ahead");
                None
            }),
        };
        if let Some(mut spare) = spare {
            if spare.file_bytes < need {
                let sizes = (spare.file_bytes, need);
                if let Err(error) = grow(&spare.file, &spare.path, sizes, self.options.reserve) {
                    self.spare = Some(spare);
                    return Err(error);
                }
                spare.file_bytes = need;
            }
            return Ok(spare);
        }
        let file_bytes = self.next_segment_bytes().max(need);
        let file_bytes_min = self.options.segment_bytes_min().max(need);
        self.options.plan(&self.dir, self.active.index + 1, file_bytes, file_bytes_min).carry_out()
    }

    /// Seals the active segment and goes on in the next.
    fn roll(&mut self, bytes: u64) -> Result<(), LogError> {
        if self.active.at == 0 {
            let active = &mut self.active;
            let sizes = (active.header.file_bytes, HEADER_BYTES + bytes);
            grow(&active.file, &active.path, sizes, self.options.reserve)?;
            active.header.file_bytes = sizes.1;
            return Ok(());
        }
        let prepared = self.next_prepared(bytes)?;
        if self.options.durability == Durability::Async {
            self.active.file.sync_data().map_err(|error| self.poison("sync", error))?;
        }
        let next = Active::of(prepared, self.active.next(), self.options.durability);
        let full = std::mem::replace(&mut self.active, next);
        self.sealed.push_back(Sealed { path: full.path, header: full.header });
        // The mark leaves a full segment at once: it must never name one that may be trimmed.
        self.write_mark()
    }

    fn write_mark(&mut self) -> Result<(), LogError> {
        self.mark.write(self.active.mark()).map_err(|error| {
            self.poisoned = true;
            io_error("write", self.mark.path(), error)
        })
    }

    /// Has the next segment prepared once half of the active one is used: an idle log keeps none.
    fn prepare_ahead(&mut self) {
        if self.spare.is_none() && self.active.room() < self.active.header.file_bytes / 2 {
            let plan = self.options.plan(
                &self.dir,
                self.active.index + 1,
                self.next_segment_bytes(),
                self.options.segment_bytes_min(),
            );
            self.helper.prepare(plan);
        }
    }

    fn poison(&mut self, operation: &'static str, source: std::io::Error) -> LogError {
        self.poisoned = true;
        io_error(operation, &self.active.path, source)
    }

    /// One write, one sync, then the mark. Any failure is final.
    fn write_and_sync(&mut self, records: &[Record<'_>]) -> Result<(), LogError> {
        let active = &mut self.active;
        self.buffer.clear();
        if active.at == 0 {
            self.buffer.extend_from_slice(&active.header.encode());
        }
        active.header.encode_records(active.records, records, &mut self.buffer);
        let written = failpoint::check(Point::LogWrite, &active.path)
            .and_then(|()| active.file.write_all_at(&self.buffer, active.at));
        if let Err(error) = written {
            return Err(self.poison("write", error));
        }
        if self.options.durability == Durability::Sync {
            let synced = failpoint::check(Point::LogSync, &self.active.path)
                .and_then(|()| self.active.file.sync_data());
            if let Err(error) = synced {
                return Err(self.poison("sync", error));
            }
        }
        self.active.at += self.buffer.len() as u64;
        self.active.records += records.len() as u32;
        // An asynchronous log has nothing to say here: the mark tells what is synced.
        if self.options.durability == Durability::Sync {
            self.write_mark()?;
        }
        if self.buffer.capacity() > BUFFER_BYTES_KEPT {
            self.buffer.clear();
            self.buffer.shrink_to(BUFFER_BYTES_KEPT);
        }
        Ok(())
    }

    fn read_segment(
        path: &Path,
        file: &File,
        header: Header,
        end: (u64, Offset),
        from: Offset,
        visit: Visit<'_>,
    ) -> Result<ControlFlow<()>, LogError> {
        let (limit, next) = end;
        let mut reader = SegmentReader::new(file, header, limit);
        while header.base + u64::from(reader.index) < next {
            let at = reader.at;
            match reader.step().map_err(|error| io_error("read", path, error))? {
                Step::Record { index, partition, payload } => {
                    let offset = header.base + u64::from(index);
                    if offset >= from && visit(offset, partition, payload).is_break() {
                        return Ok(ControlFlow::Break(()));
                    }
                }
                Step::End => return Err(corrupt(path, at, "records are missing")),
                Step::Bad(what) => return Err(corrupt(path, at, what)),
            }
        }
        Ok(ControlFlow::Continue(()))
    }
}

impl MessageLog for SegmentLog {
    fn append(&mut self, records: &[Record<'_>]) -> Result<Offset, LogError> {
        if self.poisoned {
            return Err(LogError::Poisoned);
        }
        let first = self.next_offset();
        if records.is_empty() {
            return Ok(first);
        }
        let bytes = self.check_size(records)?;
        self.check_space(bytes)?;
        if bytes > self.active.room() || u32::MAX - self.active.records < records.len() as u32 {
            self.roll(bytes)?;
        }
        self.write_and_sync(records)?;
        self.prepare_ahead();
        Ok(first)
    }

    fn next_offset(&self) -> Offset {
        self.active.next()
    }

    fn first_offset(&self) -> Offset {
        self.sealed.front().map_or(self.active.header.base, |sealed| sealed.header.base)
    }

    fn read(&self, from: Offset, visit: Visit<'_>) -> Result<(), LogError> {
        let first = self.first_offset();
        if from < first {
            return Err(LogError::Trimmed { first });
        }
        for (position, sealed) in self.sealed.iter().enumerate() {
            let next =
                self.sealed.get(position + 1).map_or(self.active.header.base, |s| s.header.base);
            if from >= next {
                continue;
            }
            let path = &sealed.path;
            let file = File::open(path).map_err(|error| io_error("open", path, error))?;
            let end = (sealed.header.file_bytes, next);
            if Self::read_segment(path, &file, sealed.header, end, from, visit)?.is_break() {
                return Ok(());
            }
        }
        let active = &self.active;
        let end = (active.at, active.next());
        Self::read_segment(&active.path, &active.file, active.header, end, from, visit).map(|_| ())
    }

    fn trim(&mut self, before: Offset) -> Result<(), LogError> {
        let mut old = Vec::new();
        while let Some(oldest) = self.sealed.front() {
            let next = self.sealed.get(1).map_or(self.active.header.base, |s| s.header.base);
            if next > before {
                break;
            }
            old.push(oldest.path.clone());
            self.sealed.pop_front();
        }
        if !old.is_empty() {
            self.helper.remove(old);
        }
        Ok(())
    }
}

impl Drop for SegmentLog {
    fn drop(&mut self) {
        // A clean end leaves nothing unsynced even in asynchronous mode. Not after a failure: what
        // is on the disk then is for the next open to find out.
        if self.options.durability == Durability::Async && !self.poisoned {
            let closed =
                self.active.file.sync_data().and_then(|()| self.mark.write(self.active.mark()));
            if let Err(error) = closed {
                tracing::error!(%error, file = %self.active.path.display(), "could not close the log");
            }
        }
    }
}
