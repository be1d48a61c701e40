//! The dispatcher of one edge loop: stages a turn's proposals, appends them with one sync, folds
//! each in log order and keeps the conversations in use in memory.
//!
//! ```text
//! stage(proposal) ... stage(proposal) -> commit -> [Committed] -> acks, deliveries
//!                                          |-> flush: batches to the history writer
//! ```
//! Only after [`Dispatcher::commit`] returned may anything be acked (I7). Reads through
//! [`Dispatcher::since`] and [`Dispatcher::page`] answer from memory where they can.
//!
//! A batch for the history holds every conversation as it was at one offset, and is put together over
//! several turns, so that none of them takes long ([`Packing`]).

use std::{collections::VecDeque, ops::Range, sync::Arc, time::Duration};

use bytes::Bytes;
use frontdesk_core::{
    arena::Arena,
    chat,
    fold::{self, Ask, Conversation, Earlier, Folded},
    id::ConversationId,
    partition_of, store,
};
use frontdesk_storage::{Batch, ConversationWrite, EntryWrite, History, MessageLog, Record};
use hashbrown::HashMap;
use prost::Message as _;
use smallvec::SmallVec;

use crate::{
    error::DispatchError,
    live::{Live, Shipped, Tail},
    summary::Summary,
    writer::HistoryWriter,
};

/// While records are replayed: bytes that wait for the history (enough to keep it busy), conversations
/// changed by one batch, and conversations in memory.
const REPLAY_LAG_BYTES: usize = 16 << 20;
const REPLAY_DIRTY_MAX: usize = 2_048;
const REPLAY_LIVE_MAX: usize = 4_096;

/// How long a turn waits for a history that falls behind. Long enough to let it catch up, so that a
/// peak is slowed down before it is refused, and no stall that anybody would notice.
const HOLD_BACK: Duration = Duration::from_millis(10);

/// Conversations a turn packs for the history, or forgets of what the history took: 0.2 ms of work.
const PACKED_PER_TURN: usize = 64;
const SETTLED_PER_TURN: usize = 512;

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
}

/// What was found out for a proposal before its turn became durable.
#[derive(Debug)]
struct Probe {
    earlier: Option<Earlier>,
    /// How often the conversation had been folded: after the next time the answer is stale.
    folds: u64,
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

/// A batch the writer has but the history may not.
#[derive(Debug)]
struct InFlight {
    offset: u64,
    conversations: Vec<(ConversationId, Shipped)>,
}

/// A batch for the history that is being put together. It holds what was folded up to its offset and
/// nothing later: whoever is changed again meanwhile is packed before that.
#[derive(Debug)]
struct Packing {
    offset: u64,
    /// Bytes folded since the batch before it.
    bytes: usize,
    /// Conversations that may be left to pack.
    left: Vec<ConversationId>,
    packed: Vec<ConversationWrite>,
    taken: Vec<(ConversationId, Shipped)>,
}

/// What came of a record that was folded again.
#[derive(Debug)]
pub(crate) struct Replayed {
    pub(crate) conversation: ConversationId,
    /// Files nobody may have any more.
    pub(crate) files: Vec<String>,
}

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
        let writer = HistoryWriter::start(Arc::clone(&history), number, applied)
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
        })
    }

    /// Adds a proposal to this turn; `tag` comes back with its result.
    pub fn stage(&mut self, tag: u64, conversation: ConversationId, proposal: store::Proposal) {
        let start = self.encoded.len();
        // Encoding into a growing Vec cannot fail.
        proposal.encode_raw(&mut self.encoded);
        let encoded = start..self.encoded.len();
        self.staged.push(Staged { tag, conversation, proposal, encoded });
    }

    /// Whether this turn has anything to commit.
    pub fn has_staged(&self) -> bool {
        !self.staged.is_empty()
    }

    /// Makes the turn durable with one append, then folds it. Results come in the order of staging.
    ///
    /// What the fold has to know is read before the append, so that a conversation that cannot be
    /// read is refused alone and no durable record stays without its place.
    pub fn commit(&mut self, now_ms: i64, results: &mut Vec<Committed>) {
        if self.staged.is_empty() {
            return;
        }
        self.hold_back();
        let mut staged = std::mem::take(&mut self.staged);
        let mut probes: Vec<Result<Probe, DispatchError>> = staged
            .iter()
            .map(|staged| {
                check_kind(&staged.proposal)
                    .map_err(|reason| DispatchError::Malformed { reason })?;
                self.probe(staged.conversation, &staged.proposal, now_ms)
            })
            .collect();
        if let Err(refusal) = self.append(&staged, &probes) {
            for probe in probes.iter_mut().filter(|probe| probe.is_ok()) {
                *probe = Err(refusal());
            }
        }
        self.encoded.clear();
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
        self.staged = staged;
    }

    /// Gives a history that falls behind some of this turn's time.
    fn hold_back(&mut self) {
        if self.lag_bytes > self.options.lag_bytes_max / 2 && !self.in_flight.is_empty() {
            self.writer.wait_beyond_for(self.writer.applied(), HOLD_BACK);
            self.settle(usize::MAX);
        }
    }

    /// One append of everything staged that can be folded. The error is a function because every
    /// proposal needs one.
    fn append(
        &mut self,
        staged: &[Staged],
        probes: &[Result<Probe, DispatchError>],
    ) -> Result<(), Box<dyn Fn() -> DispatchError>> {
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
            return Ok(());
        }
        match self.log.append(&records) {
            Ok(first) => {
                debug_assert_eq!(first, next, "offsets are dense");
                Ok(())
            }
            Err(error) => {
                let source = Arc::new(error);
                Err(Box::new(move || DispatchError::Append { log, source: Arc::clone(&source) }))
            }
        }
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
            if fresh { probe } else { self.probe(conversation, &proposal, now_ms)? };
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
    /// fold itself stays pure.
    fn probe(
        &mut self,
        conversation: ConversationId,
        proposal: &store::Proposal,
        now_ms: i64,
    ) -> Result<Probe, DispatchError> {
        let history = Arc::clone(&self.history);
        let live = self.load(conversation, now_ms)?;
        let earlier = earlier(&*history, live, conversation, proposal)?;
        Ok(Probe { earlier, folds: live.folds })
    }

    /// The conversation in memory, read from the history on first use.
    fn load(
        &mut self,
        conversation: ConversationId,
        now_ms: i64,
    ) -> Result<&mut Live, DispatchError> {
        use hashbrown::hash_map::Entry;
        let live = match self.live.entry(conversation) {
            Entry::Occupied(slot) => slot.into_mut(),
            Entry::Vacant(slot) => {
                let state = read_state(&*self.history, conversation)?;
                slot.insert(Box::new(Live { state, ..Live::default() }))
            }
        };
        live.touched_ms = now_ms;
        Ok(live)
    }

    /// As [`Self::load`], but nothing is kept for a conversation that has no stored message: most
    /// visitors never write.
    fn known(
        &mut self,
        conversation: ConversationId,
        now_ms: i64,
    ) -> Result<Option<&mut Live>, DispatchError> {
        use hashbrown::hash_map::Entry;
        let live = match self.live.entry(conversation) {
            Entry::Occupied(slot) => slot.into_mut(),
            Entry::Vacant(slot) => {
                let state = read_state(&*self.history, conversation)?;
                if state.is_none() {
                    return Ok(None);
                }
                slot.insert(Box::new(Live { state, ..Live::default() }))
            }
        };
        live.touched_ms = now_ms;
        Ok(Some(live))
    }

    /// The state of a conversation; `None` when nothing was ever stored for it.
    pub fn state(
        &mut self,
        conversation: ConversationId,
        now_ms: i64,
    ) -> Result<Option<&Conversation>, DispatchError> {
        Ok(self.known(conversation, now_ms)?.and_then(|live| live.state.as_ref()))
    }

    /// The state of a conversation if it is in memory, without touching anything.
    pub fn state_in_memory(&self, conversation: ConversationId) -> Option<&Conversation> {
        self.live.get(&conversation)?.state.as_ref()
    }

    /// The newest state as lists and routing see it; `None` for an unknown conversation.
    pub fn summary(
        &mut self,
        conversation: ConversationId,
        now_ms: i64,
    ) -> Result<Option<Summary>, DispatchError> {
        let (log, offset) = (self.number, self.folded);
        let state = self.load(conversation, now_ms)?.state.as_ref();
        Ok(state.map(|state| Summary::of(conversation, state, log, offset)))
    }

    /// Entries after `after`, ascending, at most `limit`; `None` when there are more than that.
    pub fn since(
        &mut self,
        conversation: ConversationId,
        after: u64,
        limit: usize,
        now_ms: i64,
    ) -> Result<Option<Vec<chat::Entry>>, DispatchError> {
        let history = Arc::clone(&self.history);
        let Some(live) = self.known(conversation, now_ms)? else { return Ok(Some(Vec::new())) };
        let last = live.state.as_ref().map_or(0, Conversation::last_seq);
        if last.saturating_sub(after) > limit as u64 {
            return Ok(None);
        }
        let first_in_tail = live.entries.front().map_or(last + 1, |entry| entry.seq);
        let mut found = Vec::new();
        if after + 1 < first_in_tail {
            found = history
                .since(&conversation, after, limit)
                .map_err(|source| DispatchError::Read { conversation, source })?;
        }
        merge_tail(&mut found, live, after);
        decode_entries(conversation, found).map(Some)
    }

    /// The newest `limit` entries below `before` (or at all), ascending.
    pub fn page(
        &mut self,
        conversation: ConversationId,
        before: Option<u64>,
        limit: usize,
        now_ms: i64,
    ) -> Result<Vec<chat::Entry>, DispatchError> {
        let history = Arc::clone(&self.history);
        let Some(live) = self.known(conversation, now_ms)? else { return Ok(Vec::new()) };
        let mut found = history
            .page(&conversation, before, limit)
            .map_err(|source| DispatchError::Read { conversation, source })?;
        merge_tail(&mut found, live, 0);
        if let Some(before) = before {
            found.retain(|(seq, _)| *seq < before);
        }
        let extra = found.len().saturating_sub(limit);
        found.drain(..extra);
        decode_entries(conversation, found)
    }

    /// What a reader outside the loop needs beside the history (I4: acked means readable).
    pub fn tail(
        &mut self,
        conversation: ConversationId,
        now_ms: i64,
    ) -> Result<Tail, DispatchError> {
        let Some(live) = self.known(conversation, now_ms)? else { return Ok(Tail::default()) };
        Ok(Tail {
            state: live.state.as_ref().map(|state| Bytes::from(state.encode())),
            last_seq: live.state.as_ref().map_or(0, Conversation::last_seq),
            entries: live.entries.iter().map(|e| (e.seq, e.entry.clone())).collect(),
            replaced: live.replaced.iter().cloned().collect(),
            events: live.events.iter().cloned().collect(),
        })
    }

    /// Housekeeping at the end of a turn: settles what the history took, ships what waited long
    /// enough, trims the log and evicts unused conversations. `trim_to` is the offset the slowest
    /// other reader of the log (the projections) has taken. Returns whether it wants to go on in a
    /// turn that follows at once.
    pub fn tend(&mut self, now_ms: i64, trim_to: u64) -> bool {
        let settling = self.settle(SETTLED_PER_TURN);
        if self.packing.is_none() {
            let waited = now_ms - self.flushed_at_ms >= self.options.flush_interval_ms;
            let due = waited || self.unshipped_bytes >= self.options.flush_bytes;
            let taken = self.writer.has_room() && !self.writer.failed();
            if !self.dirty.is_empty() && due && taken {
                self.begin_packing(now_ms);
            }
        }
        let packing = self.pack(PACKED_PER_TURN);
        if !packing {
            self.hand_over(false);
        }
        if now_ms - self.swept_at_ms >= 1_000 {
            self.swept_at_ms = now_ms;
            let unused_since = now_ms - self.options.evict_after_ms;
            self.live.retain(|_, live| !live.is_settled() || live.touched_ms > unused_since);
            let before = self.writer.persisted().min(trim_to) + 1;
            if let Err(error) = self.log.trim(before) {
                tracing::warn!(
                    log.number = self.number,
                    error = &error as &dyn std::error::Error,
                    "cannot trim the message log"
                );
            }
        }
        settling || packing
    }

    /// Whether [`Dispatcher::tend`] has something to do soon even without new messages.
    pub fn needs_tending(&self) -> bool {
        !self.dirty.is_empty() || self.packing.is_some() || !self.in_flight.is_empty()
    }

    /// Ships everything and waits until the history holds it and it survives power loss.
    ///
    /// # Errors
    /// When the history did not take it; the log holds it all the same.
    pub fn finish(mut self) -> Result<u64, DispatchError> {
        let now_ms = self.flushed_at_ms;
        self.pack(usize::MAX);
        self.hand_over(true);
        // Records that changed nothing count too: the next start has nothing to read again.
        if self.folded > self.shipped {
            self.ship(now_ms);
        }
        let log = self.number;
        if !self.writer.close() {
            return Err(DispatchError::HistoryFailed { log });
        }
        Ok(self.folded)
    }

    /// Forgets what the history has taken since last time, of so many conversations at most; whether
    /// more is left.
    fn settle(&mut self, mut conversations_max: usize) -> bool {
        let applied = self.writer.applied();
        while let Some((batch, bytes)) = self.in_flight.front_mut() {
            if batch.offset > applied {
                return false;
            }
            while let Some((conversation, taken)) = batch.conversations.pop() {
                if let Some(live) = self.live.get_mut(&conversation) {
                    live.settle(taken);
                }
                conversations_max -= 1;
                if conversations_max == 0 {
                    return true;
                }
            }
            self.lag_bytes -= *bytes;
            self.in_flight.pop_front();
        }
        false
    }

    /// Begins a batch of everything folded so far.
    fn begin_packing(&mut self, now_ms: i64) {
        let conversations = self.dirty.len();
        self.packing = Some(Packing {
            offset: self.folded,
            bytes: std::mem::take(&mut self.unshipped_bytes),
            left: std::mem::take(&mut self.dirty),
            packed: Vec::with_capacity(conversations),
            taken: Vec::with_capacity(conversations),
        });
        self.flushed_at_ms = now_ms;
    }

    /// Packs so many conversations at most; whether more are left.
    fn pack(&mut self, conversations_max: usize) -> bool {
        let Some(packing) = &mut self.packing else { return false };
        for _ in 0..conversations_max {
            let Some(conversation) = packing.left.pop() else { return false };
            // One that was changed again is packed already, and may even have left memory since.
            if let Some(live) = self.live.get_mut(&conversation) {
                packing.pack(conversation, live);
            }
        }
        !packing.left.is_empty()
    }

    /// Hands a packed batch to the writer; `wait`s for room or knows there is. What a failed writer
    /// does not take stays in memory and in the log.
    fn hand_over(&mut self, wait: bool) {
        let Some(packing) = self.packing.take() else { return };
        let Packing { offset, bytes, packed, taken, .. } = packing;
        let batch = Batch { log: self.number, offset, conversations: packed };
        let handed = if wait { self.writer.write(batch) } else { self.writer.try_write(batch) };
        if handed.is_err() {
            tracing::error!(log.number = self.number, "the history writer is gone");
        }
        self.shipped = offset;
        self.in_flight.push_back((InFlight { offset, conversations: taken }, bytes));
    }

    /// Packs everything and hands it over at once, where no turn waits for it.
    fn ship(&mut self, now_ms: i64) {
        if self.writer.failed() {
            return;
        }
        self.begin_packing(now_ms);
        self.pack(usize::MAX);
        self.hand_over(true);
    }

    /// Number of the log this dispatcher owns.
    pub fn number(&self) -> u16 {
        self.number
    }

    /// Offset of the newest folded record.
    pub fn folded(&self) -> u64 {
        self.folded
    }

    /// Folds a record that lies in the log already (replay). The caller reads in order.
    pub(crate) fn replay(
        &mut self,
        offset: u64,
        partition: u16,
        payload: &[u8],
    ) -> Result<Replayed, DispatchError> {
        let (conversation, proposal) = decode_record(self.number, offset, partition, payload)?;
        let probe = self.probe(conversation, &proposal, 0)?;
        let folded = self.fold(offset, conversation, proposal, probe, 0, &mut Stored::new())?;
        self.folded = offset;
        Ok(Replayed { conversation, files: folded.files })
    }

    /// Keeps memory within bounds where records come faster than any clients send them: ships full
    /// batches, waits for the history where it is far behind, and lets go of conversations it holds.
    ///
    /// # Errors
    /// When the history did not take what it was given.
    pub fn keep_up(&mut self) -> Result<(), DispatchError> {
        if self.unshipped_bytes < self.options.flush_bytes && self.dirty.len() < REPLAY_DIRTY_MAX {
            return Ok(());
        }
        self.ship(0);
        self.settle(usize::MAX);
        let lag_bytes_max = self.options.lag_bytes_max.min(REPLAY_LAG_BYTES);
        while self.lag_bytes > lag_bytes_max && !self.writer.failed() {
            self.writer.wait_beyond(self.writer.applied());
            self.settle(usize::MAX);
        }
        if self.live.len() > REPLAY_LIVE_MAX {
            self.live.retain(|_, live| !live.is_settled());
        }
        if self.writer.failed() {
            return Err(DispatchError::HistoryFailed { log: self.number });
        }
        Ok(())
    }
}

impl Packing {
    /// Packs a conversation, unless it is packed already or was changed only after the batch began.
    fn pack(&mut self, conversation: ConversationId, live: &mut Live) {
        if live.dirty_since.is_none_or(|since| since > self.offset) {
            return;
        }
        live.dirty_since = None;
        let Some(state) = &live.state else { return };
        let shipped = live.shipped;
        let write = ConversationWrite {
            conversation,
            state: Bytes::from(state.encode()),
            entries: live.entries.iter().skip(shipped.entries).cloned().collect(),
            replaced: live.replaced.iter().skip(shipped.replaced).cloned().collect(),
            events: live.events.iter().skip(shipped.events).cloned().collect(),
        };
        let part = Shipped {
            entries: write.entries.len(),
            events: write.events.len(),
            replaced: write.replaced.len(),
        };
        live.in_flight += 1;
        live.shipped.entries += part.entries;
        live.shipped.events += part.events;
        live.shipped.replaced += part.replaced;
        self.taken.push((conversation, part));
        self.packed.push(write);
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

/// Adds the tail above `after` to what the history had, and applies replacements.
fn merge_tail(found: &mut Vec<(u64, Bytes)>, live: &Live, after: u64) {
    let known = found.last().map_or(after, |(seq, _)| *seq).max(after);
    let newer = live.entries.iter().filter(|entry| entry.seq > known);
    found.extend(newer.map(|entry| (entry.seq, entry.entry.clone())));
    for (seq, tombstone) in &live.replaced {
        if let Ok(at) = found.binary_search_by_key(seq, |(seq, _)| *seq) {
            found[at].1 = tombstone.clone();
        }
    }
}

/// Answers what the fold has to know of earlier entries.
fn earlier(
    history: &dyn History,
    live: &Live,
    conversation: ConversationId,
    proposal: &store::Proposal,
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
                    Some(sent) => (sent.seq, sent.content_hash),
                    None => return Ok(None),
                },
            };
            let stored = read_range(history, live, conversation, seq, seq)?;
            let sent = stored.into_iter().next().and_then(|entry| {
                let id = entry.id.parse().ok()?;
                Some(Earlier::Sent { seq, content_hash, at_ms: entry.at_ms, id })
            });
            Ok(sent)
        }
        Ask::Entries { from_seq, to_seq } => {
            let stored = read_range(history, live, conversation, from_seq, to_seq)?;
            Ok(Some(Earlier::Entries(stored)))
        }
    }
}

/// Stored entries of a range, both ends included, wherever they lie.
fn read_range(
    history: &dyn History,
    live: &Live,
    conversation: ConversationId,
    from_seq: u64,
    to_seq: u64,
) -> Result<Vec<chat::Entry>, DispatchError> {
    let limit = usize::try_from(to_seq - from_seq + 1).unwrap_or(usize::MAX);
    let mut found = history
        .since(&conversation, from_seq - 1, limit)
        .map_err(|source| DispatchError::Read { conversation, source })?;
    merge_tail(&mut found, live, from_seq - 1);
    found.retain(|(seq, _)| *seq <= to_seq);
    decode_entries(conversation, found)
}

fn read_state(
    history: &dyn History,
    conversation: ConversationId,
) -> Result<Option<Conversation>, DispatchError> {
    let stored = history
        .state(&conversation)
        .map_err(|source| DispatchError::Read { conversation, source })?;
    stored
        .map(|bytes| {
            Conversation::decode(&bytes).map_err(|error| DispatchError::Stored {
                conversation,
                what: "state",
                reason: error.to_string(),
            })
        })
        .transpose()
}

fn decode_entries(
    conversation: ConversationId,
    found: Vec<(u64, Bytes)>,
) -> Result<Vec<chat::Entry>, DispatchError> {
    found
        .into_iter()
        .map(|(_, bytes)| {
            chat::Entry::decode(bytes).map_err(|error| DispatchError::Stored {
                conversation,
                what: "entry",
                reason: error.to_string(),
            })
        })
        .collect()
}
