//! Prepares the next segment and deletes trimmed ones, beside the loop's thread.
//!
//! Writing 64 MiB of zeros or unlinking them takes longer than a turn may. One helper thread per
//! log does both; the loop only ever waits for it if it fills a segment faster than the disk can
//! prepare one.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use frontdesk_storage::LogError;

use super::segment::{io_error, path_of, write_zeros};
use crate::failpoint::{self, Point};
use crate::space::{DiskSpace, Reserve};

/// The smallest segment worth making when the disk is nearly full.
pub(crate) const SEGMENT_BYTES_FLOOR: u64 = 2 << 20;
/// Jobs waiting for the helper; more than trimming ever queues.
const JOBS_MAX: usize = 16;

/// A segment file full of synced zeros.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) index: u64,
    pub(crate) path: PathBuf,
    pub(crate) file: File,
    pub(crate) file_bytes: u64,
}

/// What to create.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) dir: PathBuf,
    pub(crate) index: u64,
    /// The size wanted, and the least that will do.
    pub(crate) file_bytes: u64,
    pub(crate) file_bytes_min: u64,
    pub(crate) reserve: Reserve,
}

impl Plan {
    /// Creates the segment: smaller if the disk is short, and not at all if that would touch the
    /// reserve. Leaves nothing behind on failure.
    pub(crate) fn carry_out(&self) -> Result<Prepared, LogError> {
        let path = path_of(&self.dir, self.index);
        let space = DiskSpace::of(&self.dir, self.reserve)
            .map_err(|error| io_error("ask for the free space of", &self.dir, error))?;
        // A log takes at most an eighth of what is left, so that the history behind it and the
        // logs beside it find room too.
        let file_bytes = self.file_bytes.min(space.usable_bytes() / 8).max(self.file_bytes_min);
        let full =
            LogError::Full { free_bytes: space.free_bytes, reserve_bytes: space.reserve_bytes };
        if file_bytes > space.usable_bytes() {
            return Err(full);
        }
        create(&self.dir, &path, file_bytes)
            .map(|file| Prepared { index: self.index, path: path.clone(), file, file_bytes })
            .map_err(|error| {
                if let Err(error) = std::fs::remove_file(&path) {
                    tracing::debug!(%error, file = %path.display(), "no unfinished segment left");
                }
                match error.kind() {
                    io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => full,
                    _ => io_error("create", &path, error),
                }
            })
    }
}

/// Makes an unused segment larger, for an append that does not fit it; as before on failure.
pub(crate) fn grow(
    file: &File,
    path: &Path,
    sizes: (u64, u64),
    reserve: Reserve,
) -> Result<(), LogError> {
    let (from, to) = sizes;
    let space = DiskSpace::of(path, reserve)
        .map_err(|error| io_error("ask for the free space of", path, error))?;
    let full = LogError::Full { free_bytes: space.free_bytes, reserve_bytes: space.reserve_bytes };
    if to - from > space.usable_bytes() {
        return Err(full);
    }
    write_zeros(file, from, to).and_then(|()| file.sync_all()).map_err(|error| {
        let kind = error.kind();
        match file.set_len(from) {
            Ok(()) if kind == io::ErrorKind::StorageFull => full,
            Ok(()) => io_error("grow", path, error),
            Err(error) => io_error("shrink", path, error),
        }
    })
}

fn create(dir: &Path, path: &Path, file_bytes: u64) -> io::Result<File> {
    failpoint::check(Point::LogPrepare, path)?;
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(path)?;
    // Written, not only allocated: the first write into an allocated but unwritten extent changes
    // metadata, which every fdatasync would then have to carry.
    write_zeros(&file, 0, file_bytes)?;
    file.sync_all()?;
    File::open(dir)?.sync_all()?;
    Ok(file)
}

enum Job {
    Prepare(Plan),
    Remove(Vec<PathBuf>),
}

/// The helper thread of one log.
#[derive(Debug)]
pub(crate) struct Helper {
    jobs: Option<SyncSender<Job>>,
    results: Receiver<Result<Prepared, LogError>>,
    pending: bool,
    thread: Option<JoinHandle<()>>,
}

impl Helper {
    pub(crate) fn start() -> io::Result<Self> {
        let (jobs, inbox) = sync_channel(JOBS_MAX);
        let (outbox, results) = sync_channel(1);
        let thread = std::thread::Builder::new()
            .name("log-helper".to_owned())
            .spawn(move || run(&inbox, &outbox))?;
        Ok(Self { jobs: Some(jobs), results, pending: false, thread: Some(thread) })
    }

    fn send(&self, job: Job) {
        let jobs = self.jobs.as_ref().expect("the sender lives until drop");
        jobs.send(job).expect("the helper runs until the sender is dropped");
    }

    /// Asks for a segment, unless one is under way.
    pub(crate) fn prepare(&mut self, plan: Plan) {
        if !self.pending {
            self.pending = true;
            self.send(Job::Prepare(plan));
        }
    }

    /// The segment asked for before, if any; waits while it is being written.
    pub(crate) fn take(&mut self) -> Option<Result<Prepared, LogError>> {
        if !self.pending {
            return None;
        }
        self.pending = false;
        Some(self.results.recv().expect("the helper answers every request"))
    }

    /// Deletes files, oldest first.
    pub(crate) fn remove(&self, paths: Vec<PathBuf>) {
        self.send(Job::Remove(paths));
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the log's helper thread panicked");
        }
    }
}

fn run(jobs: &Receiver<Job>, results: &SyncSender<Result<Prepared, LogError>>) {
    for job in jobs {
        match job {
            Job::Prepare(plan) => {
                // The log is gone if nobody receives; its spare is found on the next open.
                if results.send(plan.carry_out()).is_err() {
                    return;
                }
            }
            Job::Remove(paths) => {
                for path in paths {
                    if let Err(error) = std::fs::remove_file(&path) {
                        tracing::warn!(
                            %error,
                            file = %path.display(),
                            "could not delete a trimmed segment; its space stays used"
                        );
                    }
                }
            }
        }
    }
}
