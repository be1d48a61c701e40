//! What was folded, on its way to the history: packed over several turns into a batch that holds every
//! conversation as it was at one offset, handed to the writer, and forgotten when the history has it.

use std::time::{Duration, Instant};

use bytes::Bytes;
use frontdesk_core::id::ConversationId;
use frontdesk_storage::{Batch, ConversationWrite};

use super::Dispatcher;
use crate::{
    error::DispatchError,
    live::{Live, Shipped},
};

/// While records are replayed: bytes that wait for the history (enough to keep it busy), conversations
/// changed by one batch, and conversations in memory.
const REPLAY_LAG_BYTES: usize = 16 << 20;
const REPLAY_DIRTY_MAX: usize = 2_048;
const REPLAY_LIVE_MAX: usize = 4_096;

/// How long a replay waits for the history to take a batch. Whoever replays has others to open, and tries again.
const REPLAY_WAIT: Duration = Duration::from_secs(30);

/// How long a turn waits for a history that falls behind. Long enough to let it catch up, so that a
/// peak is slowed down before it is refused, and no stall that anybody would notice.
const HOLD_BACK: Duration = Duration::from_millis(10);

/// How long the end of a dispatcher waits for its log, and how often it looks.
const APPEND_WAIT: Duration = Duration::from_secs(5);
const APPEND_LOOK: Duration = Duration::from_millis(1);

/// Conversations a turn packs for the history, or forgets of what the history took: 0.2 ms of work.
const PACKED_PER_TURN: usize = 64;
const SETTLED_PER_TURN: usize = 512;

/// A batch the writer has but the history may not.
#[derive(Debug)]
pub(super) struct InFlight {
    offset: u64,
    conversations: Vec<(ConversationId, Shipped)>,
}

/// A batch for the history that is being put together. It holds what was folded up to its offset and
/// nothing later: whoever is changed again meanwhile is packed before that.
#[derive(Debug)]
pub(super) struct Packing {
    offset: u64,
    /// Bytes folded since the batch before it.
    bytes: usize,
    /// Conversations that may be left to pack.
    left: Vec<ConversationId>,
    packed: Vec<ConversationWrite>,
    taken: Vec<(ConversationId, Shipped)>,
}

impl Dispatcher {
    /// Gives a history that falls behind some of this turn's time.
    pub(super) fn hold_back(&mut self) {
        if self.lag_bytes > self.options.lag_bytes_max / 2 && !self.in_flight.is_empty() {
            self.writer.wait_beyond(self.writer.applied(), HOLD_BACK);
            self.settle(usize::MAX);
        }
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
        self.writer.begin_closing();
        let now_ms = self.flushed_at_ms;
        self.end_append(now_ms);
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

    /// Waits a moment for an append that is under way. Whoever made its proposals is gone; what it made
    /// durable is folded here or by the next owner.
    fn end_append(&mut self, now_ms: i64) {
        let until = Instant::now() + APPEND_WAIT;
        let mut unheard = Vec::new();
        while self.has_work() && Instant::now() < until {
            self.commit(now_ms, &mut unheard);
            if self.has_work() {
                std::thread::park_timeout(APPEND_LOOK);
            }
        }
    }

    /// Forgets what the history has taken since last time, of so many conversations at most; whether
    /// more is left.
    pub(super) fn settle(&mut self, mut conversations_max: usize) -> bool {
        self.writer.work();
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
    pub(super) fn begin_packing(&mut self, now_ms: i64) {
        let conversations = self.dirty.len();
        self.packing = Some(Packing {
            offset: self.folded,
            bytes: std::mem::take(&mut self.unshipped_bytes),
            left: std::mem::take(&mut self.dirty),
            packed: Vec::with_capacity(conversations),
            taken: Vec::with_capacity(conversations),
        });
        self.flushed_at_ms = self.last_flush_ms(now_ms);
    }

    /// When this partition's flush was due last. Each has a moment of its own within the interval: a node that owns
    /// many would else hand over all of them at once, and have its cores and its databases busy for a tenth of a
    /// second, every second.
    fn last_flush_ms(&self, now_ms: i64) -> i64 {
        let interval_ms = self.options.flush_interval_ms.max(1);
        let moment_ms = moment_thousandths(self.number) * interval_ms / 1_000;
        now_ms - (now_ms - moment_ms).rem_euclid(interval_ms)
    }

    /// Packs so many conversations at most; whether more are left.
    pub(super) fn pack(&mut self, conversations_max: usize) -> bool {
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
    pub(super) fn hand_over(&mut self, wait: bool) {
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
    pub(super) fn ship(&mut self, now_ms: i64) {
        if self.writer.failed() {
            return;
        }
        self.begin_packing(now_ms);
        self.pack(usize::MAX);
        self.hand_over(true);
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
            let applied = self.writer.applied();
            self.writer.wait_beyond(applied, REPLAY_WAIT);
            if self.writer.applied() == applied {
                return Err(DispatchError::HistoryFailed { log: self.number });
            }
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

/// A place in the interval. Steps of the golden ratio lie apart for any neighbours, however many they are.
fn moment_thousandths(partition: u16) -> i64 {
    i64::from(partition) * 618 % 1_000
}

impl Packing {
    /// Packs a conversation, unless it is packed already or was changed only after the batch began.
    pub(super) fn pack(&mut self, conversation: ConversationId, live: &mut Live) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions_side_by_side_are_flushed_apart() {
        for first in [0, 17, 200] {
            let mut moments: Vec<i64> = (first..first + 20).map(moment_thousandths).collect();
            moments.sort_unstable();
            let nearest = moments.windows(2).map(|pair| pair[1] - pair[0]).min();
            assert!(nearest >= Some(18), "from {first}: {moments:?}");
        }
    }
}
