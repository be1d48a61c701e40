//! Messages that wait for Kafka while it is away: on this node's disk too, so that they survive it, and handed
//! to their conversations' owners once Kafka takes messages again.
//!
//! ```text
//! loops --Overdue--> keep --> Spool (disk) --> forward --Propose--> owner of the partition
//! ```
//! A message that also reaches the log by itself is found to be a double there. So nothing is taken out of here
//! when its sender has an answer, only when the owner has answered this task.

use std::{collections::HashSet, sync::Arc, time::Duration};

use anyhow::Context as _;
use frontdesk_core::{id::ConversationId, store};
use frontdesk_dispatcher::Overdue;
use frontdesk_gateway::chat::{
    loops::Loops,
    port::{Answer, Command, Reply},
};
use frontdesk_storage_cluster::{Spool, SpoolError};
use futures_util::future::join_all;
use parking_lot::Mutex;
use prost::Message as _;
use tokio::{
    sync::{mpsc, oneshot},
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

/// How often it is looked whether messages can be handed on.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How long an owner may take to answer: longer than an append.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);
/// Messages of a partition that are handed on together.
const AT_ONCE: usize = 64;
/// Messages that are known to lie here, so that one that is sent again is not kept again. Beyond it some are.
const KNOWN_MAX: usize = 1 << 16;

/// What makes a message one: its conversation, and what its sender calls it.
type Key = (ConversationId, Vec<u8>);

/// The messages of this node that wait.
pub(super) struct Waiting {
    spool: Arc<Spool>,
    loops: Arc<Loops>,
    known: Mutex<HashSet<Key>>,
}

impl Waiting {
    pub(super) fn new(spool: Arc<Spool>, loops: Arc<Loops>) -> Arc<Self> {
        let left = spool.records();
        if left > 0 {
            tracing::info!(
                messages = left,
                "messages of a former life of this node wait for Kafka"
            );
        }
        Arc::new(Self { spool, loops, known: Mutex::default() })
    }

    /// Keeps what loops give out, until the process stops.
    pub(super) async fn keep(
        self: Arc<Self>,
        mut overdue: mpsc::Receiver<Vec<Overdue>>,
        stop: CancellationToken,
    ) {
        let mut is_full = false;
        loop {
            let messages = tokio::select! {
                () = stop.cancelled() => return,
                messages = overdue.recv() => match messages {
                    Some(messages) => messages,
                    None => return,
                },
            };
            let waiting = Arc::clone(&self);
            let kept = super::blocking(move || waiting.store(&messages)).await;
            match kept {
                Ok(Ok(())) => is_full = false,
                Ok(Err(error)) => {
                    // Their senders wait on, and send again: only what is here survives without them.
                    if !std::mem::replace(&mut is_full, true) {
                        let error: &dyn std::error::Error = &error;
                        tracing::error!(error, "messages that wait for Kafka are in memory only");
                    }
                }
                Err(error) => tracing::error!(error = format!("{error:#}"), "keeping messages"),
            }
        }
    }

    fn store(&self, messages: &[Overdue]) -> Result<(), SpoolError> {
        let mut new = Vec::new();
        {
            let known = self.known.lock();
            for message in messages {
                let key = decode(&message.record).map(|message| message.key);
                if key.as_ref().is_ok_and(|key| known.contains(key)) {
                    continue;
                }
                new.push((message, key.ok()));
            }
        }
        if new.is_empty() {
            return Ok(());
        }
        let records: Vec<(u16, &[u8])> =
            new.iter().map(|(message, _)| (message.partition, &message.record[..])).collect();
        self.spool.push(&records)?;
        let mut known = self.known.lock();
        let room = KNOWN_MAX.saturating_sub(known.len());
        known.extend(new.into_iter().filter_map(|(_, key)| key).take(room));
        Ok(())
    }

    /// Hands on what can be, until the process stops.
    pub(super) async fn forward(self: Arc<Self>, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = sleep(LOOK_EVERY) => {}
            }
            let partitions = self.spool.partitions();
            let forwarded =
                join_all(partitions.into_iter().map(|(of, _)| self.forward_partition(of))).await;
            for error in forwarded.into_iter().filter_map(Result::err) {
                tracing::error!(error = format!("{error:#}"), "messages that waited for Kafka");
            }
        }
    }

    /// Hands on the oldest messages of a partition for as long as its owner takes them.
    async fn forward_partition(&self, partition: u16) -> anyhow::Result<()> {
        loop {
            let spool = Arc::clone(&self.spool);
            let records = super::blocking(move || spool.front(partition, AT_ONCE)).await??;
            if records.is_empty() {
                return Ok(());
            }
            let mut messages = Vec::with_capacity(records.len());
            for record in &records {
                messages.push(decode(record).context("a message in the spool")?);
            }
            let keys: Vec<Key> = messages.iter().map(|message| message.key.clone()).collect();
            // In their order: an owner stages them as they come.
            let answers: Vec<_> =
                messages.into_iter().map(|message| self.propose(message)).collect();
            let taken = join_all(answers.into_iter().map(is_settled)).await;
            // What is behind one that was not taken comes again with it.
            let count = taken.iter().take_while(|settled| **settled).count();
            let spool = Arc::clone(&self.spool);
            super::blocking(move || spool.drop_front(partition, count)).await??;
            let mut known = self.known.lock();
            for key in &keys[..count] {
                known.remove(key);
            }
            drop(known);
            if count > 0 {
                tracing::info!(partition, messages = count, "messages that waited were handed on");
            }
            if count < records.len() {
                return Ok(());
            }
        }
    }

    /// Asks the owner to append a message; `None` while there is none.
    fn propose(&self, message: Kept) -> Option<oneshot::Receiver<Answer>> {
        let Kept { key: (conversation, _), proposal } = message;
        let owner = self.loops.owner_of(&conversation)?;
        let (reply, answer) = oneshot::channel();
        let (proposal, reply) = (Box::new(proposal), Reply::Once(reply));
        let command = Command::Propose { conversation, proposal, reply };
        self.loops.send(owner, command).is_ok().then_some(answer)
    }
}

/// A message of the spool.
struct Kept {
    key: Key,
    proposal: store::Proposal,
}

fn decode(record: &[u8]) -> anyhow::Result<Kept> {
    let proposal = store::Proposal::decode(record)?;
    let conversation = ConversationId::from_slice(&proposal.conversation)?;
    let Some(store::proposal::Body::Send(send)) = &proposal.body else {
        anyhow::bail!("it is no message");
    };
    let key = (conversation, send.client_msg_id.to_vec());
    Ok(Kept { key, proposal })
}

/// Whether the owner has decided: it stands in the log, now or before, or can never stand there.
async fn is_settled(answer: Option<oneshot::Receiver<Answer>>) -> bool {
    let Some(answer) = answer else { return false };
    match timeout(ANSWER_TIMEOUT, answer).await {
        Ok(Ok(Answer::Done(_))) => true,
        Ok(Ok(Answer::Refused(refusal))) => {
            let is_final = refusal.retry_after_ms.is_none();
            if is_final {
                // Its sender was told the same, or will be.
                tracing::info!(code = refusal.code, "a message that waited for Kafka was refused");
            }
            is_final
        }
        Ok(Err(_)) | Err(_) => false,
    }
}
