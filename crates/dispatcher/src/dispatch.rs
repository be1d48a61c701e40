//! The dispatcher of one edge loop: stages a turn's proposals, appends them with one sync, folds
//! each in log order and keeps the conversations in use in memory.
//!
//! ```text
//! stage(proposal) ... stage(proposal) -> commit -> [Committed] -> acks, deliveries
//!                                          |-> flush: batches to the history writer
//! ```
//! Only what [`Dispatcher::commit`] gave back may be acked (I7). A log on this machine gives back the turn
//! it was called in; one on other machines is waited for: what is staged meanwhile is the next append, and
//! a later call of `commit` gives back both in order. Reads through
//! [`Dispatcher::since`] and [`Dispatcher::page`] answer from memory where they can.
//!
//! The way to the history stands in [`ship`], what a dispatcher answers in [`read`], what it gives out while the
//! log is away in [`overdue`].

mod overdue;
mod read;
mod ship;

use std::{collections::VecDeque, ops::Range, sync::Arc};

use bytes::Bytes;
use frontdesk_core::{
    arena::Arena,
    chat,
    fold::{self, Ask, Earlier, Folded},
    id::ConversationId,
    partition_of, store,
};
use frontdesk_storage::{Begun, EntryWrite, History, LogError, MessageLog, Offset, Record};
use hashbrown::HashMap;
use prost::Message as _;
use smallvec::SmallVec;

pub use self::overdue::Overdue;
use self::{
    read::read_range,
    ship::{InFlight, Packing},
};
use crate::{
    error::DispatchError,
    live::Live,
    writer::{HistoryWriter, HistoryWrites},
};

/// How a dispatcher behaves; the defaults suit one edge loop of a server.
#[derive(Debug, Clone, Copy)]
pub struct DispatcherOptions {
    /// Partitions of the installation, fixed at its creation.
    pub partitions: u16,
    /// Longest time folded items wait in memory before they are handed to the history, ms.
    pub flush_interval_ms: i64,
    /// Folded bytes that trigger an earlier hand-over.
    pub flush_bytes: usize,
    /// Folded bytes in memory beyond which proposals are refused until the history catches up. From
    /// half of it on every turn waits a moment for the history.
    pub lag_bytes_max: usize,
    /// A settled conversation unused for this long leaves memory, ms.
    pub evict_after_ms: i64,
    /// Who writes to the history.
    pub writes: HistoryWrites,
}

impl Default for DispatcherOptions {
    fn default() -> Self {
        Self {
            partitions: 64,
            // The rarer, the more entries of a conversation share a row of the history, and the fewer
            // times its state is written. Reads do not wait for it, and a restart folds it again.
            flush_interval_ms: 1_000,
            flush_bytes: 4 << 20,
            lag_bytes_max: 64 << 20,
            evict_after_ms: 30_000,
            writes: HistoryWrites::OwnThread,
        }
    }
}

/// A proposal in this turn, waiting for the commit.
#[derive(Debug)]
struct Staged {
    tag: u64,
    conversation: ConversationId,
    proposal: store::Proposal,
    /// Where its encoding lies in the turn's buffer.
    encoded: Range<usize>,
    /// Given out as overdue.
    is_given_out: bool,
}

/// What was found out for a proposal before its turn became durable.
#[derive(Debug)]
struct Probe {
    earlier: Option<Earlier>,
    /// How often the conversation had been folded: after the next time the answer is stale.
    folds: u64,
}

/// An append that has begun: what is in it, in its order.
#[derive(Debug, Default)]
struct Appending {
    staged: Vec<Staged>,
    probes: Vec<Result<Probe, DispatchError>>,
    /// When it began, UTC in ms.
    since_ms: i64,
}

/// What became of one staged proposal.
#[derive(Debug)]
pub struct Committed {
    /// What the caller gave to [`Dispatcher::stage`].
    pub tag: u64,
    /// The conversation it was for.
    pub conversation: ConversationId,
    /// What the fold made of it, or why the turn failed before it.
    pub result: Result<Folded, DispatchError>,
    /// Its new entries as the history gets them.
    pub stored: Stored,
}

/// Encoded entries of one proposal, in the order of [`Folded::entries`].
pub type Stored = SmallVec<[Arc<EntryWrite>; 1]>;

/// What came of a record that was folded again.
#[derive(Debug)]
pub(crate) struct Replayed {
    pub(crate) conversation: ConversationId,
    /// Files nobody may have any more.
    pub(crate) files: Vec<String>,
}

/// Why an append was refused: a function because every proposal of it needs an error of its own.
type Refusal = Box<dyn Fn() -> DispatchError>;

/// Owner of one message log and of the conversations of its partitions.
pub struct Dispatcher {
    number: u16,
    options: DispatcherOptions,
    log: Box<dyn MessageLog>,
    history: Arc<dyn History>,
    writer: HistoryWriter,
    /// Boxed: a state is large, and a map keeps its room when conversations leave.
    live: HashMap<ConversationId, Box<Live>>,
    staged: Vec<Staged>,
    encoded: Vec<u8>,
    /// The append that the log has not ended yet.
    appending: Option<Appending>,
    /// Where entries are encoded for the history.
    arena: Arena,
    /// Conversations with something to ship that is in no batch yet.
    dirty: Vec<ConversationId>,
    packing: Option<Packing>,
    /// Bytes folded and not settled, and those of them not shipped.
    lag_bytes: usize,
    unshipped_bytes: usize,
    /// Sizes of shipped batches, to take them off `lag_bytes` when they settle.
    in_flight: VecDeque<(InFlight, usize)>,
    flushed_at_ms: i64,
    swept_at_ms: i64,
    /// Offset of the newest folded record.
    folded: u64,
    /// Offset of the newest record in a shipped batch.
    shipped: u64,
    /// A durable record could not be folded: nothing may be numbered behind it.
    stopped: bool,
    /// The log takes nothing more.
    closed: bool,
}

impl std::fmt::Debug for Dispatcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dispatcher")
            .field("number", &self.number)
            .field("folded", &self.folded)
            .field("live", &self.live.len())
            .finish_non_exhaustive()
    }
}

impl Dispatcher {
    /// Takes over a log whose every record the history holds already (see [`crate::recover`]).
    ///
    /// # Errors
    /// When the history cannot be asked or the writer thread cannot start.
    pub fn new(
        number: u16,
        log: Box<dyn MessageLog>,
        history: Arc<dyn History>,
        options: DispatcherOptions,
    ) -> Result<Self, DispatchError> {
        let applied = history
            .applied(number)
            .map_err(|source| DispatchError::History { log: number, source })?;
        let folded = log.next_offset().saturating_sub(1);
        let writer = HistoryWriter::start(Arc::clone(&history), number, applied, options.writes)
            .map_err(|source| DispatchError::Thread { log: number, source })?;
        Ok(Self {
            number,
            options,
            log,
            history,
            writer,
            live: HashMap::new(),
            staged: Vec::new(),
            encoded: Vec::new(),
            appending: None,
            arena: Arena::default(),
            dirty: Vec::new(),
            packing: None,
            lag_bytes: 0,
            unshipped_bytes: 0,
            in_flight: VecDeque::new(),
            flushed_at_ms: 0,
            swept_at_ms: 0,
            folded,
            shipped: applied,
            stopped: false,
            closed: false,
        })
    }

    /// Adds a proposal to this turn; `tag` comes back with its result.
    pub fn stage(&mut self, tag: u64, conversation: ConversationId, proposal: store::Proposal) {
        let start = self.encoded.len();
        // Encoding into a growing Vec cannot fail.
        proposal.encode_raw(&mut self.encoded);
        let encoded = start..self.encoded.len();
        self.staged.push(Staged { tag, conversation, proposal, encoded, is_given_out: false });
    }

    /// Whether there is anything to commit, or an append that has not ended.
    pub fn has_work(&self) -> bool {
        !self.staged.is_empty() || self.appending.is_some()
    }

    /// Proposals staged or being appended: what has no answer yet.
    pub fn unanswered(&self) -> usize {
        self.staged.len() + self.appending.as_ref().map_or(0, |appending| appending.staged.len())
    }

    /// Ends the append that is under way, if the log has ended it, and begins one of everything staged:
    /// a log on this machine has ended it when this returns. Results come in the order of staging.
    ///
    /// What the fold has to know is read before the append, so that a conversation that cannot be
    /// read is refused alone and no durable record stays without its place.
    pub fn commit(&mut self, now_ms: i64, results: &mut Vec<Committed>) {
        if let Some(appending) = self.appending.take() {
            let Some(outcome) = self.log.ended() else {
                self.appending = Some(appending);
                return;
            };
            self.pin(&appending.staged, false);
            let outcome = outcome.map_err(|error| self.append_error(error));
            self.conclude(appending, outcome, now_ms, results);
        }
        if self.staged.is_empty() {
            return;
        }
        self.hold_back();
        let staged = std::mem::take(&mut self.staged);
        let probes: Vec<Result<Probe, DispatchError>> = staged
            .iter()
            .map(|staged| {
                check_kind(&staged.proposal)
                    .map_err(|reason| DispatchError::Malformed { reason })?;
                self.probe(staged.conversation, &staged.proposal, None, now_ms)
            })
            .collect();
        let begun = self.append(&staged, &probes);
        self.encoded.clear();
        let appending = Appending { staged, probes, since_ms: now_ms };
        let outcome = match begun {
            Ok(Begun::Durable(first)) => Ok(first),
            Ok(Begun::Pending) => {
                self.pin(&appending.staged, true);
                self.appending = Some(appending);
                return;
            }
            Err(refusal) => Err(refusal),
        };
        self.conclude(appending, outcome, now_ms, results);
    }

    /// Keeps the conversations of an append in memory until it has ended.
    fn pin(&mut self, staged: &[Staged], pinned: bool) {
        for Staged { conversation, .. } in staged {
            if let Some(live) = self.live.get_mut(conversation) {
                live.pins = if pinned { live.pins + 1 } else { live.pins.saturating_sub(1) };
            }
        }
    }

    /// Folds what an append made durable, or refuses all of it.
    fn conclude(
        &mut self,
        appending: Appending,
        outcome: Result<Offset, Refusal>,
        now_ms: i64,
        results: &mut Vec<Committed>,
    ) {
        let Appending { mut staged, mut probes, .. } = appending;
        match outcome {
            Ok(first) => debug_assert_eq!(first, self.folded + 1, "offsets are dense"),
            Err(refusal) => {
                for probe in probes.iter_mut().filter(|probe| probe.is_ok()) {
                    *probe = Err(refusal());
                }
            }
        }
        for (Staged { tag, conversation, proposal, .. }, probe) in staged.drain(..).zip(probes) {
            let mut stored = Stored::new();
            let result = probe.and_then(|probe| {
                if self.stopped {
                    return Err(DispatchError::Stopped {
                        log: self.number,
                        offset: self.folded + 1,
                    });
                }
                let offset = self.folded + 1;
                let folded = self.fold(offset, conversation, proposal, probe, now_ms, &mut stored);
                match &folded {
                    Ok(_) => self.folded = offset,
                    Err(error) => self.stop(error),
                }
                folded
            });
            results.push(Committed { tag, conversation, result, stored });
        }
        // Its room is kept for the next turn.
        if self.staged.capacity() == 0 {
            self.staged = staged;
        }
    }

    /// Begins one append of everything staged that can be folded.
    fn append(
        &mut self,
        staged: &[Staged],
        probes: &[Result<Probe, DispatchError>],
    ) -> Result<Begun, Refusal> {
        let (log, lag, next) = (self.number, self.lag_bytes, self.folded + 1);
        if self.stopped {
            return Err(Box::new(move || DispatchError::Stopped { log, offset: next }));
        }
        if self.writer.failed() {
            return Err(Box::new(move || DispatchError::HistoryFailed { log }));
        }
        if lag > self.options.lag_bytes_max {
            return Err(Box::new(move || DispatchError::Lagging { bytes: lag }));
        }
        let records: Vec<Record<'_>> = staged
            .iter()
            .zip(probes)
            .filter(|(_, probe)| probe.is_ok())
            .map(|(staged, _)| Record {
                partition: partition_of(&staged.conversation, self.options.partitions),
                payload: &self.encoded[staged.encoded.clone()],
            })
            .collect();
        if records.is_empty() {
            return Ok(Begun::Durable(next));
        }
        let begun = self.log.begin(&records);
        begun.map_err(|error| self.append_error(error))
    }

    /// Every proposal of an append gets the same error.
    fn append_error(&mut self, error: LogError) -> Refusal {
        self.closed |= !matches!(error, LogError::Full { .. } | LogError::TooLarge { .. });
        let (log, source) = (self.number, Arc::new(error));
        Box::new(move || DispatchError::Append { log, source: Arc::clone(&source) })
    }

    /// A durable record has no place: whatever came behind it would get other numbers on a restart.
    fn stop(&mut self, error: &DispatchError) {
        self.stopped = true;
        tracing::error!(
            log.number = self.number,
            log.offset = self.folded + 1,
            error = error as &dyn std::error::Error,
            "a durable record cannot be folded; this log takes nothing more until a restart"
        );
    }

    /// Folds one durable proposal and keeps what it made for the history; `stored` gets its entries.
    fn fold(
        &mut self,
        offset: u64,
        conversation: ConversationId,
        proposal: store::Proposal,
        probe: Probe,
        now_ms: i64,
        stored: &mut Stored,
    ) -> Result<Folded, DispatchError> {
        let fresh = self.live.get(&conversation).is_some_and(|live| live.folds == probe.folds);
        let Probe { earlier, .. } =
            if fresh { probe } else { self.probe(conversation, &proposal, probe.earlier, now_ms)? };
        let live = self.live.get_mut(&conversation).expect("loaded by probe()");
        if let Some(packing) = &mut self.packing {
            packing.pack(conversation, live);
        }
        live.folds += 1;
        let folded = fold::fold(conversation, &mut live.state, proposal, earlier);
        let mut bytes = 0;
        for entry in &folded.entries {
            let write = entry_write(entry, folded.content_hash, &mut self.arena);
            bytes += write.entry.len() + 128;
            let write = Arc::new(write);
            stored.push(Arc::clone(&write));
            live.entries.push_back(write);
        }
        for event in &folded.events {
            let encoded = Bytes::from(event.encode_to_vec());
            bytes += encoded.len() + 64;
            live.events.push_back((event.number, encoded));
        }
        for entry in &folded.replaced {
            let encoded = Bytes::from(entry.encode_to_vec());
            bytes += encoded.len() + 64;
            live.replaced.push_back((entry.seq, encoded));
        }
        if (bytes > 0 || folded.cursor.is_some()) && live.dirty_since.is_none() {
            live.dirty_since = Some(offset);
            self.dirty.push(conversation);
        }
        self.lag_bytes += bytes;
        self.unshipped_bytes += bytes;
        Ok(folded)
    }

    /// Loads the conversation and answers what the fold has to know of earlier entries, so that the
    /// fold itself stays pure. `known` is what was answered before the append, if that is stale by now.
    fn probe(
        &mut self,
        conversation: ConversationId,
        proposal: &store::Proposal,
        known: Option<Earlier>,
        now_ms: i64,
    ) -> Result<Probe, DispatchError> {
        let history = Arc::clone(&self.history);
        let live = self.load(conversation, now_ms)?;
        let earlier = earlier(&*history, live, conversation, proposal, known)?;
        Ok(Probe { earlier, folds: live.folds })
    }

    /// Number of the log this dispatcher owns.
    pub fn number(&self) -> u16 {
        self.number
    }

    /// Offset of the newest folded record.
    pub fn folded(&self) -> u64 {
        self.folded
    }

    /// Whether nothing more can be stored through it: its log is closed, a record has no place, or the
    /// history cannot be written.
    pub fn is_broken(&self) -> bool {
        self.closed || self.stopped || self.writer.failed()
    }

    /// The conversations in memory: all whose newest state the history may not have.
    pub fn in_memory(&self) -> impl Iterator<Item = ConversationId> + '_ {
        self.live.iter().filter(|(_, live)| live.state.is_some()).map(|(id, _)| *id)
    }

    /// Folds a record that lies in the log already (replay). The caller reads in order.
    pub(crate) fn replay(
        &mut self,
        offset: u64,
        partition: u16,
        payload: &[u8],
    ) -> Result<Replayed, DispatchError> {
        let (conversation, proposal) = decode_record(self.number, offset, partition, payload)?;
        let probe = self.probe(conversation, &proposal, None, 0)?;
        let folded = self.fold(offset, conversation, proposal, probe, 0, &mut Stored::new())?;
        self.folded = offset;
        Ok(Replayed { conversation, files: folded.files })
    }
}

/// Reads a log record. An unknown kind stops the partition, named, rather than being skipped.
pub(crate) fn decode_record(
    log: u16,
    offset: u64,
    partition: u16,
    payload: &[u8],
) -> Result<(ConversationId, store::Proposal), DispatchError> {
    let unreadable = |reason: String| DispatchError::Record { log, offset, partition, reason };
    let proposal = store::Proposal::decode(payload).map_err(|e| unreadable(e.to_string()))?;
    check_kind(&proposal).map_err(|reason| unreadable(reason.to_owned()))?;
    let conversation = ConversationId::from_slice(&proposal.conversation)
        .map_err(|e| unreadable(e.to_string()))?;
    Ok((conversation, proposal))
}

/// A kind of record, change or content that a newer version wrote decodes to nothing here.
fn check_kind(proposal: &store::Proposal) -> Result<(), &'static str> {
    use store::proposal::Body;
    match &proposal.body {
        None => Err("unknown kind of record"),
        Some(Body::Change(change)) if change.change.is_none() => Err("unknown kind of change"),
        Some(Body::Send(send)) if send.content.as_ref().is_none_or(|c| c.kind.is_none()) => {
            Err("unknown kind of content")
        }
        Some(_) => Ok(()),
    }
}

/// What the history keeps of an entry. Only a message has an id under which it is found again.
fn entry_write(entry: &chat::Entry, content_hash: u64, arena: &mut Arena) -> EntryWrite {
    EntryWrite {
        seq: entry.seq,
        sender: entry.actor.as_ref().map(|actor| actor.id.clone()).unwrap_or_default(),
        client_msg_id: entry.client_msg_id.clone(),
        content_hash,
        entry: arena.write(entry.encoded_len(), |out| entry.encode_raw(out)),
    }
}

/// Answers what the fold has to know of earlier entries: of those that were folded here. If another owner took the
/// partition while an append was under way, the history may hold already what that append is folded to.
fn earlier(
    history: &dyn History,
    live: &Live,
    conversation: ConversationId,
    proposal: &store::Proposal,
    known: Option<Earlier>,
) -> Result<Option<Earlier>, DispatchError> {
    match fold::ask(live.state.as_ref(), proposal) {
        Ask::Nothing => Ok(None),
        Ask::Sent { sender, client_msg_id } => {
            let (seq, content_hash) = match live.find(sender, client_msg_id) {
                Some(found) => found,
                None => match history
                    .find(&conversation, sender, client_msg_id)
                    .map_err(|source| DispatchError::Read { conversation, source })?
                {
                    Some(sent) if sent.seq <= live.last_seq() => (sent.seq, sent.content_hash),
                    _ => return Ok(None),
                },
            };
            let stored = read_range(history, live, conversation, seq..=seq, Vec::new())?;
            let sent = stored.into_iter().next().and_then(|entry| {
                let id = entry.id.parse().ok()?;
                Some(Earlier::Sent { seq, content_hash, at_ms: entry.at_ms, id })
            });
            Ok(sent)
        }
        Ask::Entries { from_seq, to_seq } => {
            let known = match known {
                Some(Earlier::Entries(known)) => known,
                _ => Vec::new(),
            };
            let stored = read_range(history, live, conversation, from_seq..=to_seq, known)?;
            Ok(Some(Earlier::Entries(stored)))
        }
    }
}
