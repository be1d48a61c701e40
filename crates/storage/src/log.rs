//! The message log: where a proposal becomes durable, before anybody is acked.
//!
//! One log has one writer, the edge loop that owns its partitions. Offsets belong to the log, are
//! dense and start at 1; order within a log is the order of appends, and with it the order within
//! every partition of that log.

use std::ops::ControlFlow;

use crate::LogError;

/// Position of a record in one log: dense, from 1.
pub type Offset = u64;

/// One record to append: an encoded proposal and the partition of its conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record<'a> {
    /// The bucket the conversation belongs to.
    pub partition: u16,
    /// The encoded proposal; the log does not look into it.
    pub payload: &'a [u8],
}

/// Sees records one by one: offset, partition, payload.
pub type Visit<'a> = &'a mut dyn FnMut(Offset, u16, &[u8]) -> ControlFlow<()>;

/// How far an append has come when [`MessageLog::begin`] returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begun {
    /// As far as [`MessageLog::append`]: the records are durable, the first lies here.
    Durable(Offset),
    /// Under way; [`MessageLog::ended`] will tell.
    Pending,
}

/// An ordered, durable log of proposals with one writer.
pub trait MessageLog: Send {
    /// Appends all records, in order, and makes them durable with one sync; returns the offset of
    /// the first. They get consecutive offsets.
    ///
    /// - Durable: once this returns `Ok`, the records survive a kill and a power loss (unless the
    ///   back end was opened with asynchronous durability).
    /// - [`LogError::Full`] and [`LogError::TooLarge`]: nothing was written, the log is as before
    ///   and a later append may succeed.
    /// - Any other error: none of these records may be acked, though some may come back after a
    ///   restart; the log is poisoned and every later append fails with [`LogError::Poisoned`].
    /// - An empty slice does nothing and returns [`MessageLog::next_offset`].
    fn append(&mut self, records: &[Record<'_>]) -> Result<Offset, LogError>;

    /// Begins an append without waiting for another machine; otherwise as [`MessageLog::append`]. While
    /// one is pending no other may begin. Whoever opened the log is told when the end can be asked for.
    fn begin(&mut self, records: &[Record<'_>]) -> Result<Begun, LogError> {
        self.append(records).map(Begun::Durable)
    }

    /// The end of the append that is pending, with the offset of its first record; `None` as long as it
    /// has none, and when nothing is pending.
    fn ended(&mut self) -> Option<Result<Offset, LogError>> {
        None
    }

    /// The offset the next appended record gets.
    fn next_offset(&self) -> Offset;

    /// The offset of the oldest record still kept; equals [`MessageLog::next_offset`] if none is.
    fn first_offset(&self) -> Offset;

    /// Calls `visit` with offset, partition and payload of every record at or after `from`, in
    /// order and without gap, until it breaks. Fails with [`LogError::Trimmed`] if `from` lies
    /// before the oldest record kept, and with [`LogError::Corrupt`] rather than skip anything.
    fn read(&self, from: Offset, visit: Visit<'_>) -> Result<(), LogError>;

    /// Allows the log to forget records before `before`. It may keep more (whole segments go),
    /// never less; offsets of later records stay as they are.
    fn trim(&mut self, before: Offset) -> Result<(), LogError>;
}
