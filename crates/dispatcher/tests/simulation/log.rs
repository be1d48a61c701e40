//! A node's way to the log: [`SimLog`] is to the dispatcher what `KafkaLog` is.
//!
//! `begin` leaves an append with the node's [`Appends`], which send its pieces over the network until all are
//! reported or it has taken too long. It counts only if its records lie right behind what the log knows;
//! otherwise, and when it was given up, the log is closed. What was given up may still arrive.

use std::{collections::VecDeque, io, ops::ControlFlow, sync::Arc};

use bytes::Bytes;
use frontdesk_storage::{Begun, LogError, MessageLog, Offset, Record, Visit};
use parking_lot::Mutex;

use crate::{
    chance::Chance,
    wire::{Message, Stored, now_ms},
    world::Defect,
};

/// When an append is given up, and when a piece is sent again.
const DELIVERY_TIMEOUT_MS: i64 = 700;
const RESEND_AFTER_MS: i64 = 60;

/// The appends of one node that are under way.
#[derive(Debug)]
pub(crate) struct Appends {
    pending: Mutex<Vec<Arc<Mutex<Append>>>>,
    chance: Mutex<Chance>,
}

#[derive(Debug)]
struct Append {
    partition: u16,
    producer: u64,
    pieces: VecDeque<Piece>,
    begun_ms: i64,
    given_up: bool,
}

#[derive(Debug)]
struct Piece {
    number: usize,
    records: Arc<Vec<Stored>>,
    sent_ms: Option<i64>,
    first: Option<Offset>,
}

impl Appends {
    pub(crate) fn new(chance: Chance) -> Self {
        Self { pending: Mutex::default(), chance: Mutex::new(chance) }
    }

    /// What has to be sent now.
    pub(crate) fn due(&self) -> Vec<Message> {
        let now = now_ms();
        let mut due = Vec::new();
        self.pending.lock().retain(|append| {
            let mut append = append.lock();
            append.given_up |= now - append.begun_ms >= DELIVERY_TIMEOUT_MS;
            if append.given_up || append.is_reported() {
                return false;
            }
            let (partition, producer) = (append.partition, append.producer);
            for piece in append.pieces.iter_mut().filter(|piece| piece.first.is_none()) {
                if piece.sent_ms.is_none_or(|sent| now - sent >= RESEND_AFTER_MS) {
                    piece.sent_ms = Some(now);
                    let (piece, records) = (piece.number, Arc::clone(&piece.records));
                    due.push(Message::Append { partition, producer, piece, records });
                }
            }
            true
        });
        due
    }

    /// The log has a piece.
    pub(crate) fn report(&self, producer: u64, piece: usize, first: Offset) {
        for append in self.pending.lock().iter() {
            let mut append = append.lock();
            if append.producer != producer {
                continue;
            }
            if let Some(found) = append.pieces.iter_mut().find(|of| of.number == piece) {
                found.first = Some(first);
            }
        }
    }
}

impl Append {
    fn is_reported(&self) -> bool {
        self.pieces.iter().all(|piece| piece.first.is_some())
    }

    /// Whether its records lie right behind each other and begin at an offset.
    fn is_dense_from(&self, offset: Offset) -> bool {
        let mut next = offset;
        self.pieces.iter().all(|piece| {
            let is_next = piece.first == Some(next);
            next += piece.records.len() as Offset;
            is_next
        })
    }

    fn records(&self) -> u64 {
        self.pieces.iter().map(|piece| piece.records.len() as u64).sum()
    }
}

#[derive(Debug)]
enum Standing {
    Open,
    Pending(Arc<Mutex<Append>>),
    Closed,
}

/// The log on one partition, as a node opened it.
#[derive(Debug)]
pub(crate) struct SimLog {
    partition: u16,
    appends: Arc<Appends>,
    /// Its number among all producers there ever were, and how many pieces it has sent.
    producer: u64,
    pieces: usize,
    standing: Standing,
    next: Offset,
    /// What it read when it was opened, and from where.
    read: (Offset, Vec<Stored>),
    defect: Option<Defect>,
}

impl SimLog {
    /// `records` are all there are from `from` on.
    pub(crate) fn open(
        partition: u16,
        appends: Arc<Appends>,
        producer: u64,
        from: Offset,
        records: Vec<Stored>,
        defect: Option<Defect>,
    ) -> Self {
        let next = from + records.len() as Offset;
        let (standing, read) = (Standing::Open, (from, records));
        Self { partition, appends, producer, pieces: 0, standing, next, read, defect }
    }

    /// Cuts an append into pieces: other writers' records may come between them, or it ends behind one.
    fn cut(&mut self, records: &[Record<'_>]) -> VecDeque<Piece> {
        let mut left = records;
        let mut pieces = VecDeque::new();
        while !left.is_empty() {
            let size = self.appends.chance.lock().within(1, left.len() as u64 + 1) as usize;
            let (piece, rest) = left.split_at(size);
            left = rest;
            let copy = |of: &Record<'_>| (of.partition, Bytes::copy_from_slice(of.payload));
            let records = Arc::new(piece.iter().map(copy).collect());
            pieces.push_back(Piece { number: self.pieces, records, sent_ms: None, first: None });
            self.pieces += 1;
        }
        pieces
    }
}

impl MessageLog for SimLog {
    fn append(&mut self, _: &[Record<'_>]) -> Result<Offset, LogError> {
        unreachable!("a dispatcher begins an append and asks for its end")
    }

    fn begin(&mut self, records: &[Record<'_>]) -> Result<Begun, LogError> {
        match &self.standing {
            Standing::Open => {}
            Standing::Pending(_) => panic!("one append at a time"),
            Standing::Closed => return Err(LogError::Poisoned),
        }
        let (partition, producer) = (self.partition, self.producer);
        let pieces = self.cut(records);
        let append = Append { partition, producer, pieces, begun_ms: now_ms(), given_up: false };
        let append = Arc::new(Mutex::new(append));
        self.appends.pending.lock().push(Arc::clone(&append));
        if self.defect == Some(Defect::EarlyAck) {
            self.next += records.len() as Offset;
            return Ok(Begun::Durable(self.next - records.len() as Offset));
        }
        self.standing = Standing::Pending(append);
        Ok(Begun::Pending)
    }

    fn ended(&mut self) -> Option<Result<Offset, LogError>> {
        let Standing::Pending(append) = &self.standing else { return None };
        let append = Arc::clone(append);
        let append = append.lock();
        if !append.is_reported() && !append.given_up {
            return None;
        }
        self.standing = Standing::Closed;
        if !append.is_reported() {
            let source = io::ErrorKind::TimedOut.into();
            return Some(Err(LogError::Io { operation: "append to", path: "log".into(), source }));
        }
        let first = self.next;
        if !append.is_dense_from(first) && self.defect != Some(Defect::NoOvertake) {
            return Some(Err(LogError::Overtaken { known: first - 1 }));
        }
        self.standing = Standing::Open;
        self.next += append.records();
        Some(Ok(first))
    }

    fn next_offset(&self) -> Offset {
        self.next
    }

    fn first_offset(&self) -> Offset {
        1
    }

    fn read(&self, from: Offset, visit: Visit<'_>) -> Result<(), LogError> {
        let (first, records) = &self.read;
        if from < *first {
            return Err(LogError::Trimmed { first: *first });
        }
        for (offset, (bucket, payload)) in (*first..).zip(records) {
            if offset >= from && visit(offset, *bucket, payload) == ControlFlow::Break(()) {
                break;
            }
        }
        Ok(())
    }

    fn trim(&mut self, _: Offset) -> Result<(), LogError> {
        Ok(())
    }
}
