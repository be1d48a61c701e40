//! What is published, on its way to Redis: a task that takes all that waits, sends one command for each
//! node, and waits for the answers before it takes more. So the batches of a turn cost one round trip and
//! few commands, and no batch overtakes another one to its node, whatever happens to a command.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use frontdesk_storage::{BusError, NodeId};
use futures_util::future::join_all;
use hashbrown::HashMap;
use redis::Script;
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::{Instant, sleep_until};

use super::{Shared, unavailable};
use crate::link::RedisError;

/// Batches that wait for the answers to those before them. An answer takes far less than a millisecond;
/// a Redis that stands still is noticed after a few thousand of them.
const WAITING_BATCHES_MAX: usize = 8192;
/// Batches that are sent together: more of them no longer make one cheaper, and a script takes no more
/// than some thousand arguments.
const ROUND_BATCHES_MAX: usize = 1024;
/// How soon after a round the next one may begin: what comes meanwhile goes with it, and somebody who speaks after a
/// silence does not wait. A round costs both ends and Redis more than the batches in it.
const ROUND_EVERY: Duration = Duration::from_millis(1);
/// Bytes from which on no more batches are sent together, since Redis does nothing else meanwhile.
const ROUND_BYTES_MAX: usize = 4 << 20;

/// A batch on its way.
struct Job {
    node: NodeId,
    batch: Bytes,
    answer: oneshot::Sender<Result<(), BusError>>,
    /// Its share of what may wait.
    _bytes: OwnedSemaphorePermit,
}

/// Takes batches in the order in which they come, without waiting.
#[derive(Debug)]
pub(super) struct Outbox {
    jobs: Sender<Job>,
    bytes: Arc<Semaphore>,
}

impl Outbox {
    /// Begins a task that ends with the outbox.
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        let bytes_max = shared.options.bytes_max.min(Semaphore::MAX_PERMITS);
        let (jobs, waiting) = mpsc::channel(WAITING_BATCHES_MAX);
        tokio::spawn(send(shared, waiting));
        Self { jobs, bytes: Arc::new(Semaphore::new(bytes_max)) }
    }

    /// Puts a batch behind all others. The answer comes from Redis.
    pub(super) fn push(
        &self,
        node: &NodeId,
        batch: Bytes,
    ) -> Result<oneshot::Receiver<Result<(), BusError>>, BusError> {
        let full = || BusError::Full { node: node.clone() };
        let permits = u32::try_from(batch.len()).map_err(|_| full())?;
        let bytes = Arc::clone(&self.bytes).try_acquire_many_owned(permits).map_err(|_| full())?;
        let (answer, answered) = oneshot::channel();
        let job = Job { node: node.clone(), batch, answer, _bytes: bytes };
        self.jobs.try_send(job).map_err(|_| full())?;
        Ok(answered)
    }
}

async fn send(shared: Arc<Shared>, mut waiting: Receiver<Job>) {
    let publish = Script::new(include_str!("../lua/publish.lua"));
    let mut due = Instant::now();
    while let Some(first) = waiting.recv().await {
        sleep_until(due).await;
        due = Instant::now() + ROUND_EVERY;
        let nodes = round(first, &mut waiting);
        join_all(nodes.into_iter().map(|(node, jobs)| send_to(&shared, &publish, node, jobs)))
            .await;
    }
}

/// All that waits, within reason, by node.
fn round(first: Job, waiting: &mut Receiver<Job>) -> HashMap<NodeId, Vec<Job>> {
    let mut nodes: HashMap<NodeId, Vec<Job>> = HashMap::new();
    let (mut batches, mut bytes) = (0, 0);
    let mut next = Some(first);
    while let Some(job) = next {
        batches += 1;
        bytes += job.batch.len();
        nodes.entry(job.node.clone()).or_default().push(job);
        let more = batches < ROUND_BATCHES_MAX && bytes < ROUND_BYTES_MAX;
        next = if more { waiting.try_recv().ok() } else { None };
    }
    nodes
}

async fn send_to(shared: &Shared, publish: &Script, node: NodeId, jobs: Vec<Job>) {
    let options = &shared.options;
    let mut script = publish.key(shared.node_key(&node));
    script.arg(options.batches_max).arg(options.bytes_max).arg(options.lease_ms());
    script.arg(shared.queue_key(""));
    for job in &jobs {
        script.arg(&job.batch[..]);
    }
    let taken: Result<i64, RedisError> = shared.link.invoke(&script).await;
    for (position, job) in jobs.into_iter().enumerate() {
        let answer = match &taken {
            Ok(-1) => Err(BusError::Unreachable { node: node.clone() }),
            Ok(taken) if usize::try_from(*taken).is_ok_and(|taken| position < taken) => Ok(()),
            Ok(_) => Err(BusError::Full { node: node.clone() }),
            Err(error) => Err(unavailable("publish a batch", error.clone())),
        };
        // Whoever published may have stopped waiting.
        drop(job.answer.send(answer));
    }
}
