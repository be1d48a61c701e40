//! One append on its way: the producer's thread reports its records one by one, the log asks for the end.

use std::sync::Arc;
use std::time::Instant;

use frontdesk_storage::{Offset, Record};
use parking_lot::{Condvar, Mutex, MutexGuard};
use rdkafka::error::KafkaError as ClientError;

/// Told the number of a partition whose append can be asked for its end.
pub type Notify = Arc<dyn Fn(u16) + Send + Sync>;

/// A record that waits: bucket and payload.
pub(super) type HeldRecord = (u16, Box<[u8]>);

/// Why the records of an append are not all known to be durable.
#[derive(Debug, Clone, thiserror::Error)]
pub(super) enum AppendError {
    #[error("{0}")]
    Failed(ClientError),
    #[error("the producer does not take record {index}: {source}")]
    NotTaken { index: usize, source: ClientError },
    #[error("record {index} was acknowledged without an offset")]
    NoOffset { index: usize },
    #[error("record {index} was acknowledged out of order")]
    Disorder { index: usize },
}

/// Where the records of an append lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Places {
    pub(super) first: Offset,
    pub(super) last: Offset,
    pub(super) count: usize,
}

impl Places {
    /// Whether they lie right behind each other and begin at an offset.
    pub(super) fn are_dense_from(&self, offset: Offset) -> bool {
        self.first == offset && self.last + 1 - self.first == self.count as u64
    }
}

/// What a report means for its append.
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    /// Others are to come, or its end has been told.
    GoesOn,
    /// All records are reported and some were given up: [`Turn::end`] shall say why.
    GivenUp,
}

/// What may become of records that are held, once the first has been reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Held {
    /// It is durable.
    Free,
    /// It is not, so that they may not be either.
    InVain,
}

/// One append. It ends when each of its records has been reported, so that nothing of it is on its way any more.
pub(super) struct Turn {
    partition: u16,
    notify: Notify,
    /// Records behind the first, while they wait for its report.
    held: Mutex<Option<Vec<HeldRecord>>>,
    reports: Mutex<Reported>,
    ended: Condvar,
}

#[derive(Default)]
struct Reported {
    expected: usize,
    count: usize,
    first: Offset,
    last: Offset,
    error: Option<AppendError>,
    is_complete: bool,
    end: Option<Result<Places, String>>,
}

impl Turn {
    pub(super) fn new(partition: u16, expected: usize, notify: Notify) -> Self {
        let reports = Reported { expected, ..Reported::default() };
        let held = Mutex::new(None);
        Self { partition, notify, held, reports: Mutex::new(reports), ended: Condvar::new() }
    }

    /// Keeps records until the first has been reported.
    pub(super) fn hold(&self, records: &[Record<'_>]) {
        let copy = |record: &Record<'_>| (record.partition, record.payload.into());
        *self.held.lock() = Some(records.iter().map(copy).collect());
    }

    pub(super) fn take_held(&self) -> Option<Vec<HeldRecord>> {
        self.held.lock().take()
    }

    /// Whether records are held that may be sent now, or that have to be given up.
    pub(super) fn held(&self) -> Option<Held> {
        self.held.lock().as_ref()?;
        Some(if self.reports.lock().error.is_none() { Held::Free } else { Held::InVain })
    }

    pub(super) fn partition(&self) -> u16 {
        self.partition
    }

    /// A record is durable at an offset, or at one that nobody said, or is given up.
    pub(super) fn report(
        &self,
        index: usize,
        result: Result<Option<Offset>, ClientError>,
    ) -> Progress {
        let mut reports = self.reports.lock();
        let error = match result {
            Err(error) => Some(AppendError::Failed(error)),
            Ok(None) => Some(AppendError::NoOffset { index }),
            Ok(Some(offset)) if index != reports.count || offset <= reports.last => {
                Some(AppendError::Disorder { index })
            }
            Ok(Some(offset)) => {
                if index == 0 {
                    reports.first = offset;
                }
                reports.last = offset;
                None
            }
        };
        reports.count += 1;
        if let Some(error) = error {
            reports.error.get_or_insert(error);
        }
        self.progress(reports)
    }

    /// The producer took the records before `index` only.
    pub(super) fn cut(&self, index: usize, source: ClientError) -> Progress {
        let mut reports = self.reports.lock();
        reports.expected = index;
        reports.error.get_or_insert(AppendError::NotTaken { index, source });
        self.progress(reports)
    }

    /// Records that are held are given up.
    pub(super) fn give_up_held(&self, error: ClientError) -> Progress {
        self.held.lock().take();
        let mut reports = self.reports.lock();
        reports.expected = reports.count;
        reports.error.get_or_insert(AppendError::Failed(error));
        self.progress(reports)
    }

    fn progress(&self, mut reports: MutexGuard<'_, Reported>) -> Progress {
        if reports.count < reports.expected || reports.is_complete {
            return Progress::GoesOn;
        }
        reports.is_complete = true;
        let end = match &reports.error {
            Some(AppendError::Failed(_)) => return Progress::GivenUp,
            Some(error) => Err(error.to_string()),
            None => Ok(Places { first: reports.first, last: reports.last, count: reports.count }),
        };
        drop(reports);
        self.tell(end);
        Progress::GoesOn
    }

    /// Ends an append that was given up; `why` goes behind its error.
    pub(super) fn give_up(&self, why: &str) {
        let error = self.reports.lock().error.as_ref().map(ToString::to_string);
        let words = error.unwrap_or_else(|| "it was given up".to_owned());
        self.tell(Err(format!("{words}: {why}")));
    }

    fn tell(&self, end: Result<Places, String>) {
        self.reports.lock().end = Some(end);
        self.ended.notify_all();
        (self.notify)(self.partition);
    }

    /// The end, once there is one.
    pub(super) fn end(&self) -> Option<Result<Places, String>> {
        self.reports.lock().end.clone()
    }

    /// Waits for the end.
    pub(super) fn wait(&self, deadline: Instant) {
        let mut reports = self.reports.lock();
        self.ended.wait_while_until(&mut reports, |reports| reports.end.is_none(), deadline);
    }
}
