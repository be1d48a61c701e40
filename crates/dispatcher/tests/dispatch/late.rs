//! A log on other machines, as a dispatcher sees it: an append is durable before anybody is told so.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use frontdesk_storage::{Begun, LogError, MessageLog, Offset, Record, Visit};

/// Appends end when the test says so.
pub(crate) struct Late {
    inner: Box<dyn MessageLog>,
    is_away: Arc<AtomicBool>,
    pending: Option<Offset>,
}

impl Late {
    /// A log that is away, and the switch that brings it back.
    pub(crate) fn away(inner: Box<dyn MessageLog>) -> (Box<Self>, Arc<AtomicBool>) {
        let is_away = Arc::new(AtomicBool::new(true));
        let log = Self { inner, is_away: Arc::clone(&is_away), pending: None };
        (Box::new(log), is_away)
    }
}

impl MessageLog for Late {
    fn append(&mut self, records: &[Record<'_>]) -> Result<Offset, LogError> {
        self.inner.append(records)
    }

    fn begin(&mut self, records: &[Record<'_>]) -> Result<Begun, LogError> {
        assert_eq!(self.pending, None, "one append at a time");
        self.pending = Some(self.inner.append(records)?);
        Ok(Begun::Pending)
    }

    fn ended(&mut self) -> Option<Result<Offset, LogError>> {
        if self.is_away.load(Ordering::Relaxed) {
            return None;
        }
        self.pending.take().map(Ok)
    }

    fn next_offset(&self) -> Offset {
        self.pending.unwrap_or_else(|| self.inner.next_offset())
    }

    fn first_offset(&self) -> Offset {
        self.inner.first_offset()
    }

    fn read(&self, from: Offset, visit: Visit<'_>) -> Result<(), LogError> {
        self.inner.read(from, visit)
    }

    fn trim(&mut self, before: Offset) -> Result<(), LogError> {
        self.inner.trim(before)
    }
}
