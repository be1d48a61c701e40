//! The history's host: tables as a MySQL shard keeps them. What it has committed outlives it.
//!
//! An apply is one transaction that begins by moving the partition's progress, if it still stands where this owner
//! left it and still has this owner's epoch; otherwise nothing is written and the answer says why.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use frontdesk_core::id::ConversationId;
use frontdesk_storage::{Batch, Offset};
use parking_lot::Mutex;
use turmoil::net::UdpSocket;

use crate::{
    wire::{BYTES, Message, PORT, open, post},
    world::Defect,
};

/// Why nothing was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    Fenced,
    Overtaken(Offset),
    /// A row is there already.
    Duplicate,
}

#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) sender: String,
    pub(crate) client_msg_id: Bytes,
    pub(crate) content_hash: u64,
    pub(crate) entry: Bytes,
}

#[derive(Debug, Default)]
pub(crate) struct Kept {
    pub(crate) state: Bytes,
    pub(crate) entries: BTreeMap<u64, Row>,
    pub(crate) events: BTreeMap<u64, Bytes>,
    /// Sender and id of every message, and its seq.
    pub(crate) sent: BTreeMap<(String, Bytes), u64>,
}

#[derive(Debug, Default)]
pub(crate) struct Database {
    progress: BTreeMap<u16, (u64, Offset)>,
    pub(crate) conversations: BTreeMap<ConversationId, Kept>,
    /// Batches of owners who were none any more when theirs was written: there must not be any.
    pub(crate) unfenced: u64,
    pub(crate) fenced: u64,
    defect: Option<Defect>,
}

impl Database {
    pub(crate) fn new(defect: Option<Defect>) -> Self {
        Self { defect, ..Self::default() }
    }

    /// Epoch and applied offset of a partition.
    pub(crate) fn progress(&self, log: u16) -> (u64, Offset) {
        self.progress.get(&log).copied().unwrap_or_default()
    }

    /// Takes a partition with an epoch higher than any before.
    fn own(&mut self, log: u16, epoch: u64) -> Result<(u64, Offset), Refusal> {
        let progress = self.progress.entry(log).or_default();
        if progress.0 >= epoch {
            return Err(Refusal::Fenced);
        }
        progress.0 = epoch;
        Ok(*progress)
    }

    /// Applies a batch of an owner who knows that `known` is applied.
    pub(crate) fn apply(
        &mut self,
        epoch: u64,
        known: Offset,
        batch: &Batch,
    ) -> Result<Offset, Refusal> {
        let (owner, applied) = self.progress(batch.log);
        if (owner, applied) != (epoch, known) && self.defect != Some(Defect::NoFence) {
            if owner != epoch {
                self.fenced += 1;
                return Err(Refusal::Fenced);
            }
            let is_there = applied >= batch.offset;
            return if is_there { Ok(applied) } else { Err(Refusal::Overtaken(applied)) };
        }
        self.unfenced += u64::from(owner != epoch);
        if self.defect.is_none() && self.has_rows_of(batch) {
            return Err(Refusal::Duplicate);
        }
        self.progress.insert(batch.log, (owner, batch.offset));
        for write in &batch.conversations {
            let kept = self.conversations.entry(write.conversation).or_default();
            kept.state = write.state.clone();
            for entry in &write.entries {
                if !entry.client_msg_id.is_empty() {
                    let key = (entry.sender.clone(), entry.client_msg_id.clone());
                    kept.sent.insert(key, entry.seq);
                }
                let row = Row {
                    sender: entry.sender.clone(),
                    client_msg_id: entry.client_msg_id.clone(),
                    content_hash: entry.content_hash,
                    entry: entry.entry.clone(),
                };
                kept.entries.insert(entry.seq, row);
            }
            for (seq, by) in &write.replaced {
                if let Some(row) = kept.entries.get_mut(seq) {
                    row.entry = by.clone();
                }
            }
            kept.events.extend(write.events.iter().cloned());
        }
        Ok(batch.offset)
    }

    /// Whether a row of it is there already, by any of the unique keys.
    fn has_rows_of(&self, batch: &Batch) -> bool {
        batch.conversations.iter().any(|write| {
            let Some(kept) = self.conversations.get(&write.conversation) else { return false };
            write.events.iter().any(|(number, _)| kept.events.contains_key(number))
                || write.entries.iter().any(|entry| {
                    let key = (entry.sender.clone(), entry.client_msg_id.clone());
                    kept.entries.contains_key(&entry.seq)
                        || !key.1.is_empty() && kept.sent.contains_key(&key)
                })
        })
    }
}

pub(crate) async fn serve(database: Arc<Mutex<Database>>) -> turmoil::Result {
    let socket = UdpSocket::bind(("0.0.0.0", PORT)).await?;
    let mut bytes = [0; BYTES];
    loop {
        let (_, from) = socket.recv_from(&mut bytes).await?;
        let answer = match open(bytes) {
            Message::Ping => Message::Pong,
            Message::Progress { call, log } => {
                Message::Owned { call, owned: Ok(database.lock().progress(log)) }
            }
            Message::Own { call, log, epoch } => {
                Message::Owned { call, owned: database.lock().own(log, epoch) }
            }
            Message::Apply { call, epoch, known, batch } => {
                Message::Applied { call, applied: database.lock().apply(epoch, known, &batch) }
            }
            other => panic!("the history was told {other:?}"),
        };
        socket.send_to(&post(answer), from).await?;
    }
}
