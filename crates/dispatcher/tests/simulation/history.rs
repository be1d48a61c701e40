//! A node's way to the history: [`SimHistory`] is to the dispatcher what `MySqlHistory` is.
//!
//! An apply behind a turn is a transaction on the network: `Unavailable` until its answer is there, or again when
//! none came in time; it may have happened all the same. Whoever waits for his answer (reads, take-over,
//! hand-over) gets it in the same moment, if the database has answered a ping lately; sometimes not, or the
//! answer of an apply that happened is lost, or an apply of another writer of the node comes first.

use std::{collections::BTreeMap, ops::ControlFlow, sync::Arc};

use bytes::Bytes;
use frontdesk_core::id::ConversationId;
use frontdesk_storage::{Batch, History, HistoryError, Offset, Sent};
use parking_lot::{Mutex, MutexGuard};

use crate::{
    chance::Chance,
    database::{Database, Kept, Refusal},
    wire::{Message, now_ms},
    world::Defect,
};

/// How long an apply is waited for, and how old the last answer to a ping may be.
const APPLY_TIMEOUT_MS: i64 = 250;
const HEARD_WITHIN_MS: i64 = 120;
/// One of so many calls is not answered, beside those a fault takes.
const UNANSWERED: u64 = 60;
/// Before one of so many calls that are waited for, the node's writers come to their applies.
const INTERRUPTED: u64 = 4;

/// A partition this node owns.
#[derive(Debug, Clone, Copy)]
struct Owned {
    epoch: u64,
    applied: Offset,
}

#[derive(Debug)]
struct Call {
    number: u64,
    epoch: u64,
    sent_ms: i64,
    batch: Arc<Batch>,
    answer: Option<Result<Offset, Refusal>>,
}

#[derive(Debug)]
pub(crate) struct SimHistory {
    database: Arc<Mutex<Database>>,
    node: Mutex<NodeSide>,
    defect: Option<Defect>,
}

/// What a node keeps of it.
#[derive(Debug)]
struct NodeSide {
    owned: BTreeMap<u16, Owned>,
    heard_ms: Option<i64>,
    /// Applies are waited for.
    is_waiting: bool,
    /// Applies under way, by partition and offset.
    calls: BTreeMap<(u16, Offset), Call>,
    /// Begins where no other life of the node has been.
    calls_made: u64,
    outbox: Vec<Message>,
    chance: Chance,
}

impl SimHistory {
    pub(crate) fn new(
        database: Arc<Mutex<Database>>,
        chance: Chance,
        calls_made: u64,
        defect: Option<Defect>,
    ) -> Self {
        let node = NodeSide {
            owned: BTreeMap::new(),
            heard_ms: None,
            is_waiting: false,
            calls: BTreeMap::new(),
            calls_made,
            outbox: Vec::new(),
            chance,
        };
        Self { database, node: Mutex::new(node), defect }
    }

    /// What has to be sent.
    pub(crate) fn due(&self) -> Vec<Message> {
        let mut due = std::mem::take(&mut self.node.lock().outbox);
        due.push(Message::Ping);
        due
    }

    /// The database answered a ping.
    pub(crate) fn heard(&self) {
        self.node.lock().heard_ms = Some(now_ms());
    }

    /// The database answered an apply.
    pub(crate) fn answered(&self, call: u64, answer: Result<Offset, Refusal>) {
        let mut node = self.node.lock();
        if let Some(found) = node.calls.values_mut().find(|of| of.number == call) {
            found.answer = Some(answer);
        }
    }

    /// This node owns a partition.
    pub(crate) fn own(&self, log: u16, epoch: u64, applied: Offset) {
        self.node.lock().owned.insert(log, Owned { epoch, applied });
    }

    /// Does something that waits for its applies.
    pub(crate) fn waiting<T>(&self, work: impl FnOnce() -> T) -> T {
        self.node.lock().is_waiting = true;
        let done = work();
        self.node.lock().is_waiting = false;
        done
    }

    /// The database, if it answers.
    fn ask(&self, operation: &'static str) -> Result<MutexGuard<'_, Database>, HistoryError> {
        let mut node = self.node.lock();
        let is_heard = node.heard_ms.is_some_and(|heard| now_ms() - heard <= HEARD_WITHIN_MS);
        if !is_heard || node.chance.one_in(UNANSWERED) {
            return Err(unavailable(operation));
        }
        let mut database = self.database.lock();
        if node.is_waiting && node.chance.one_in(INTERRUPTED) {
            node.apply_pending(&mut database);
        }
        Ok(database)
    }

    fn read<T>(
        &self,
        operation: &'static str,
        conversation: &ConversationId,
        read: impl FnOnce(&Kept) -> T,
    ) -> Result<Option<T>, HistoryError> {
        Ok(self.ask(operation)?.conversations.get(conversation).map(read))
    }

    /// One apply on the network, asked for again and again.
    fn apply_behind(&self, owned: Owned, batch: &Batch) -> Result<(), HistoryError> {
        let mut node = self.node.lock();
        let key = (batch.log, batch.offset);
        let (epoch, answer) = match node.calls.get(&key) {
            Some(call) if call.epoch == owned.epoch && !call.is_late() => (call.epoch, call.answer),
            _ => {
                node.calls_made += 1;
                let (number, epoch, known) = (node.calls_made, owned.epoch, owned.applied);
                let (sent_ms, batch) = (now_ms(), Arc::new(batch.clone()));
                let call = Call { number, epoch, sent_ms, batch: Arc::clone(&batch), answer: None };
                node.calls.insert(key, call);
                node.outbox.push(Message::Apply { call: number, epoch, known, batch });
                (epoch, None)
            }
        };
        let Some(answer) = answer else { return Err(unavailable("apply a batch")) };
        node.calls.remove(&key);
        drop(node);
        self.conclude(batch.log, epoch, answer)
    }

    fn conclude(
        &self,
        log: u16,
        epoch: u64,
        answer: Result<Offset, Refusal>,
    ) -> Result<(), HistoryError> {
        match answer {
            Ok(applied) => {
                self.seen(log, epoch, applied);
                Ok(())
            }
            Err(Refusal::Fenced) => Err(HistoryError::Fenced { log }),
            Err(Refusal::Overtaken(applied)) => Err(HistoryError::Overtaken { log, applied }),
            Err(Refusal::Duplicate) => Err(HistoryError::Engine {
                operation: "apply a batch",
                path: "history".into(),
                source: "duplicate entry".into(),
            }),
        }
    }

    /// Remembers what is applied, if the partition is still this node's.
    fn seen(&self, log: u16, epoch: u64, applied: Offset) {
        if let Some(owned) = self.node.lock().owned.get_mut(&log)
            && owned.epoch == epoch
        {
            owned.applied = applied;
        }
    }
}

impl Call {
    fn is_late(&self) -> bool {
        now_ms() - self.sent_ms >= APPLY_TIMEOUT_MS
    }
}

impl NodeSide {
    /// The writers' threads go on while another one waits. One that was dropped does not.
    fn apply_pending(&mut self, database: &mut Database) {
        for ((log, offset), call) in &mut self.calls {
            let Some(owned) = self.owned.get_mut(log) else { continue };
            let is_dropped = call.epoch != owned.epoch;
            if is_dropped || call.answer.is_some() || *offset <= owned.applied {
                continue;
            }
            let answer = database.apply(owned.epoch, owned.applied, &call.batch);
            if let Ok(applied) = answer {
                owned.applied = applied;
            }
            call.answer = Some(answer);
        }
    }
}

fn unavailable(operation: &'static str) -> HistoryError {
    let source = "no answer".into();
    HistoryError::Unavailable { operation, place: "the history".to_owned(), source }
}

fn entries(kept: &Kept, seqs: impl Iterator<Item = u64>) -> Vec<(u64, Bytes)> {
    seqs.map(|seq| (seq, kept.entries[&seq].entry.clone())).collect()
}

impl History for SimHistory {
    fn apply(&self, batch: &Batch) -> Result<(), HistoryError> {
        let log = batch.log;
        let owned = self.node.lock().owned.get(&log).copied();
        let Some(owned) = owned else { return Err(HistoryError::Fenced { log }) };
        if batch.offset <= owned.applied {
            return Ok(());
        }
        if !self.node.lock().is_waiting {
            return self.apply_behind(owned, batch);
        }
        let answer = self.ask("apply a batch")?.apply(owned.epoch, owned.applied, batch);
        if self.node.lock().chance.one_in(UNANSWERED) {
            return Err(unavailable("apply a batch"));
        }
        self.conclude(log, owned.epoch, answer)
    }

    fn applied(&self, log: u16) -> Result<Offset, HistoryError> {
        let (epoch, applied) = self.ask("read the progress")?.progress(log);
        self.seen(log, epoch, applied);
        Ok(applied)
    }

    fn persist(&self) -> Result<(), HistoryError> {
        Ok(())
    }

    fn state(&self, conversation: &ConversationId) -> Result<Option<Bytes>, HistoryError> {
        self.read("read a state", conversation, |kept| kept.state.clone())
    }

    fn page(
        &self,
        conversation: &ConversationId,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<(u64, Bytes)>, HistoryError> {
        let page = self.read("read a page", conversation, |kept| {
            let below = kept.entries.range(..before.unwrap_or(u64::MAX)).rev().take(limit);
            let mut page = entries(kept, below.map(|(seq, _)| *seq));
            page.reverse();
            page
        })?;
        Ok(page.unwrap_or_default())
    }

    fn since(
        &self,
        conversation: &ConversationId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<(u64, Bytes)>, HistoryError> {
        let since = self.read("read entries", conversation, |kept| {
            let above = kept.entries.range(after + 1..).take(limit);
            entries(kept, above.map(|(seq, _)| *seq))
        })?;
        Ok(since.unwrap_or_default())
    }

    fn find(
        &self,
        conversation: &ConversationId,
        sender: &str,
        client_msg_id: &[u8],
    ) -> Result<Option<Sent>, HistoryError> {
        let key = (sender.to_owned(), Bytes::copy_from_slice(client_msg_id));
        let sent = self.read("find a message", conversation, |kept| {
            let seq = *kept.sent.get(&key)?;
            Some(Sent { seq, content_hash: kept.entries[&seq].content_hash })
        })?;
        Ok(sent.flatten().filter(|_| self.defect != Some(Defect::NoDedupe)))
    }

    fn events(
        &self,
        conversation: &ConversationId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<(u64, Bytes)>, HistoryError> {
        let events = self.read("read events", conversation, |kept| {
            let above = kept.events.range(after + 1..).take(limit);
            above.map(|(number, event)| (*number, event.clone())).collect()
        })?;
        Ok(events.unwrap_or_default())
    }

    fn conversations(
        &self,
        _: &mut dyn FnMut(ConversationId, Bytes) -> ControlFlow<()>,
    ) -> Result<(), HistoryError> {
        unreachable!("no dispatcher lists conversations")
    }
}
