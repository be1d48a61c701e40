//! Opening a log: what is whole, what may be cut, what is refused.
//!
//! 1. Segments must follow each other without gap; each but the last in use holds exactly the
//!    records up to the base of the next, each with its checksum.
//! 2. The last one in use must reach the [mark](super::mark): up to there everything was acked.
//! 3. Past the mark, valid records stay (written but not yet known as synced). Behind them there
//!    are zeros, or the torn remains of one append that nobody was acked for: those are zeroed. A
//!    valid record of a later append behind them means that synced records were damaged.
//!
//! A log written asynchronously promises nothing past its mark, so there rule 3 cuts in any case
//! and says so.

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::time::Instant;

use frontdesk_storage::{LogError, Offset};

use super::mark::{self, Mark, MarkFile};
use super::prepare::{Helper, Prepared};
use super::segment::{
    HEADER_BYTES, Header, Rest, SegmentReader, Step, corrupt, examine_rest, io_error,
    last_non_zero, list, write_zeros,
};
use super::{Active, Durability, LogOptions, Sealed, SegmentLog};
use crate::dirs;
use crate::space::DiskSpace;

/// What files are opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Looking.
    Read,
    /// Going on with the log.
    Write,
}

/// A segment as found, with what it holds.
struct Found {
    index: u64,
    path: PathBuf,
    file: File,
    file_bytes: u64,
    header: Header,
    /// Behind the last valid record.
    at: u64,
    records: u32,
}

impl Found {
    fn next(&self) -> Offset {
        self.header.base + u64::from(self.records)
    }
}

/// What lies in a log directory, checked but not changed.
pub(crate) struct Inspected {
    segments: Vec<Found>,
    spare: Option<Prepared>,
    /// A torn tail to zero, in the last segment: up to this position.
    torn_until: Option<u64>,
    mark: Option<Mark>,
}

impl Inspected {
    /// The offsets held: the first, and the one after the last.
    pub(crate) fn range(&self) -> (Offset, Offset) {
        match (self.segments.first(), self.segments.last()) {
            (Some(first), Some(last)) => (first.header.base, last.next()),
            _ => {
                let next = self.mark.map_or(1, |mark| mark.next);
                (next, next)
            }
        }
    }

    /// Bytes of an append that was never acked, to be cut when the log is opened.
    pub(crate) fn torn_bytes(&self) -> u64 {
        match (self.torn_until, self.segments.last()) {
            (Some(until), Some(last)) => until - last.at,
            _ => 0,
        }
    }
}

/// Checks every record of every segment in `dir`; calls `progress` with bytes done and bytes in
/// all. Changes nothing.
pub(crate) fn inspect(
    dir: &Path,
    access: Access,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Inspected, LogError> {
    let mark = Mark::read(dir)?;
    let files = list(dir)?;
    for pair in files.windows(2) {
        if pair[1].0 != pair[0].0 + 1 {
            let missing = super::segment::path_of(dir, pair[0].0 + 1);
            return Err(corrupt(&missing, 0, "the segment is missing"));
        }
    }
    let mut inspected = Inspected { segments: Vec::new(), spare: None, torn_until: None, mark };
    let mut sizes = Vec::new();
    for (_, path) in &files {
        sizes
            .push(std::fs::metadata(path).map_err(|error| io_error("inspect", path, error))?.len());
    }
    let total = sizes.iter().sum();
    let mut done = 0;
    for ((index, path), file_bytes) in files.into_iter().zip(sizes) {
        let file = OpenOptions::new()
            .read(true)
            .write(access == Access::Write)
            .open(&path)
            .map_err(|error| io_error("open", &path, error))?;
        inspect_segment(&mut inspected, Prepared { index, path, file, file_bytes })?;
        done += file_bytes;
        progress(done, total);
    }
    check_mark(dir, &inspected)?;
    Ok(inspected)
}

fn inspect_segment(inspected: &mut Inspected, segment: Prepared) -> Result<(), LogError> {
    let Prepared { index, path, file, file_bytes } = segment;
    if let Some(spare) = &inspected.spare {
        return Err(corrupt(&spare.path, 0, "the segment is empty, but another follows"));
    }
    let Some(header) = Header::read(&file, &path)? else {
        if inspected.mark.is_some_and(|mark| mark.segment == index && mark.bytes > 0) {
            return Err(corrupt(&path, 0, "the segment is empty, but records were stored in it"));
        }
        inspected.spare = Some(Prepared { index, path, file, file_bytes });
        return Ok(());
    };
    if file_bytes > header.file_bytes {
        return Err(corrupt(&path, header.file_bytes, "it is longer than it was made"));
    }
    if let Some(before) = inspected.segments.last() {
        // The segment before was taken for the last one: what it lacks shows here.
        if before.next() < header.base {
            return Err(corrupt(&before.path, before.at, "records are missing or damaged"));
        }
        if before.next() > header.base {
            return Err(corrupt(&path, 16, "its base does not follow the segment before it"));
        }
        inspected.torn_until = None;
    }
    let mut reader = SegmentReader::new(&file, header, file_bytes);
    let mut met_mark = false;
    let mark = inspected.mark.filter(|mark| mark.segment == index && mark.bytes > 0);
    let bad = loop {
        if mark.is_some_and(|m| {
            m.bytes == reader.at && m.next == header.base + u64::from(reader.index)
        }) {
            met_mark = true;
        }
        match reader.step().map_err(|error| io_error("read", &path, error))? {
            Step::Record { .. } => {}
            Step::End => break None,
            Step::Bad(what) => break Some(what),
        }
    };
    let (at, records) = (reader.at, reader.index);
    if let Some(mark) = mark
        && !met_mark
    {
        let what = bad.unwrap_or("it ends");
        let what = format!("{what}, but {} bytes of it are known to be stored", mark.bytes);
        return Err(corrupt(&path, at, &what));
    }
    let rest = examine_rest(&file, header, records, at, file_bytes)
        .map_err(|error| io_error("read", &path, error))?;
    inspected.torn_until = match rest {
        Rest::Zeros => None,
        Rest::Torn { until } => Some(until),
        Rest::LaterAppend { at: later } if header.asynchronous => {
            tracing::warn!(
                file = %path.display(), at, later,
                "the asynchronous log lost records; what follows them is cut"
            );
            last_non_zero(&file, at, file_bytes).map_err(|error| io_error("read", &path, error))?
        }
        Rest::LaterAppend { at: later } => {
            let what = bad.unwrap_or("records are missing");
            let what = format!("{what}, but valid records follow at byte {later}");
            return Err(corrupt(&path, at, &what));
        }
    };
    inspected.segments.push(Found { index, path, file, file_bytes, header, at, records });
    Ok(())
}

/// The mark must lie within what was found.
fn check_mark(dir: &Path, inspected: &Inspected) -> Result<(), LogError> {
    let used = inspected.segments.iter().map(|segment| segment.index);
    let all = used.chain(inspected.spare.iter().map(|spare| spare.index));
    let Some(mark) = inspected.mark else {
        if inspected.segments.is_empty() {
            return Ok(());
        }
        return Err(corrupt(&dir.join(mark::FILE), 0, "the mark is missing"));
    };
    if !all.into_iter().any(|index| index == mark.segment) {
        let missing = super::segment::path_of(dir, mark.segment);
        return Err(corrupt(&missing, 0, "the segment is missing, but records were stored in it"));
    }
    Ok(())
}

/// Opens or creates the log in `dir`.
pub(super) fn open(dir: &Path, options: LogOptions) -> Result<SegmentLog, LogError> {
    dirs::create(dir).map_err(|error| io_error("create", dir, error))?;
    let mut inspected = inspect(dir, Access::Write, &mut |_, _| {})?;
    let (_, next) = inspected.range();
    let helper = Helper::start().map_err(|error| io_error("start the helper of", dir, error))?;
    let space = DiskSpace::of(dir, options.reserve)
        .map_err(|error| io_error("ask for the free space of", dir, error))?;

    let last = inspected.segments.pop();
    let spare = inspected.spare.take().map(clean_spare).transpose()?;
    let (active, spare) = match last {
        Some(last) => (resume(last, inspected.torn_until, options)?, spare),
        None => (first(dir, spare, next, options)?, None),
    };
    let sealed: VecDeque<_> = inspected
        .segments
        .into_iter()
        .map(|found| Sealed { path: found.path, header: found.header })
        .collect();
    let mark = MarkFile::open(dir, active.mark())?;
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(|error| io_error("sync", dir, error))?;
    Ok(SegmentLog {
        dir: dir.to_owned(),
        options,
        sealed,
        active,
        spare,
        helper,
        mark,
        buffer: Vec::new(),
        poisoned: false,
        space,
        space_checked: Instant::now(),
        appended_bytes: 0,
    })
}

/// A segment prepared ahead may hold remains of a first append nobody was acked for.
fn clean_spare(spare: Prepared) -> Result<Prepared, LogError> {
    let failed = |error| io_error("clean", &spare.path, error);
    if let Some(until) = last_non_zero(&spare.file, 0, spare.file_bytes).map_err(failed)? {
        write_zeros(&spare.file, 0, until).map_err(failed)?;
        spare.file.sync_data().map_err(failed)?;
    }
    Ok(spare)
}

/// Goes on in the last segment: cuts the torn tail, syncs what was found valid.
fn resume(last: Found, torn_until: Option<u64>, options: LogOptions) -> Result<Active, LogError> {
    let failed = |error| io_error("repair", &last.path, error);
    if let Some(until) = torn_until {
        tracing::warn!(
            file = %last.path.display(),
            at = last.at,
            bytes = until - last.at,
            "cut the torn end of the log; nobody was acked for it"
        );
        write_zeros(&last.file, last.at, until).map_err(failed)?;
    }
    last.file.sync_data().map_err(failed)?;
    let asynchronous = options.durability == Durability::Async;
    let mut header = last.header;
    // A shorter file goes on as it is; one of the other durability is full from here on, since
    // its flag says what may be expected of its tail.
    header.file_bytes = if header.asynchronous == asynchronous { last.file_bytes } else { last.at };
    Ok(Active {
        index: last.index,
        path: last.path,
        file: last.file,
        header,
        at: last.at,
        records: last.records,
    })
}

/// The first segment of a new log.
fn first(
    dir: &Path,
    spare: Option<Prepared>,
    next: Offset,
    options: LogOptions,
) -> Result<Active, LogError> {
    let usable = spare.filter(|spare| spare.file_bytes > HEADER_BYTES);
    let prepared = match usable {
        Some(spare) => spare,
        None => options
            .plan(dir, 1, options.first_segment_bytes(), options.segment_bytes_min())
            .carry_out()?,
    };
    Ok(Active::of(prepared, next, options.durability))
}
