//! The partitions of this node: taken when the group gives them, handed over when it wants them back.
//!
//! To take one: the next epoch in the history, which fences whoever had it; then the records of the log that
//! the history lacks are folded; then a loop adopts it. Whatever goes wrong on the way is tried again as long
//! as the group says that the partition is this node's.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use anyhow::Context as _;
use frontdesk_api::files::Files;
use frontdesk_core::id::AccountId;
use frontdesk_dispatcher::{Dispatcher, DispatcherOptions};
use frontdesk_gateway::chat::{loops::Loops, place, port::Command};
use frontdesk_storage::{History, LogError, MessageLog};
use frontdesk_storage_cluster::{
    GroupEvent, Handover, KafkaGroup, KafkaLog, KafkaProducer, MySqlHistory, Progress,
};
use futures_util::future::join_all;
use parking_lot::Mutex;
use tokio::{
    sync::{mpsc, oneshot, watch},
    time::{sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::ClusterNode;

/// How long until a partition that could not be taken is tried again.
const RETRY_AFTER: Duration = Duration::from_secs(1);
/// How soon it is noticed that the group has spoken again.
const DOUBT_INTERVAL: Duration = Duration::from_millis(100);
/// How long a loop may take to let go of a partition beside the time after which its log gives up an append.
const RELEASE_MARGIN: Duration = Duration::from_secs(15);
/// How long leaving the group may take.
pub(in crate::node) const LEAVE_TIMEOUT: Duration = Duration::from_secs(20);
/// How often Kafka forgets what the history holds.
const TRIM_EVERY: Duration = Duration::from_mins(1);
/// How often it is looked whether partitions are still this node's.
const WATCH_EVERY: Duration = Duration::from_secs(3);
/// Partitions that are taken at the same time: each folds what its log holds.
const TAKEN_AT_ONCE: usize = 4;
/// How long one of them may take before that is told and others go on, again and again.
const SLOW_AFTER: Duration = Duration::from_secs(30);
/// How long the group waits for what is handed over to be written: whoever comes next need not fold it again. The
/// log holds it in any case, and a partition whose database is away does not keep the others waiting.
const HANDOVER_GRACE: Duration = Duration::from_secs(2);
/// Bytes that may wait for databases that are away, of all partitions of a node together. Each has its share, which
/// does not become smaller than the least.
const LAG_BYTES_MAX: usize = 512 << 20;
const LAG_BYTES_MIN: usize = 8 << 20;

/// What a node owns and with which epoch, as others hear of it.
pub(super) type Owned = BTreeMap<u16, u64>;

/// Reaches the partitions of this node.
#[derive(Clone)]
pub(super) struct Handle {
    /// None where this node does not work on any.
    group: Option<Arc<KafkaGroup>>,
    owned: Arc<watch::Sender<Owned>>,
    ended: watch::Receiver<bool>,
}

impl Handle {
    /// What this node owns; tells of changes.
    pub(super) fn owned(&self) -> watch::Receiver<Owned> {
        self.owned.subscribe()
    }

    /// Gives everything back and waits until that is done.
    pub(super) async fn leave(&self) {
        let Some(group) = &self.group else { return };
        group.leave();
        let mut ended = self.ended.clone();
        let left = timeout(LEAVE_TIMEOUT, ended.wait_for(|ended| *ended)).await;
        if left.is_err() {
            tracing::warn!("not all partitions were handed over in time");
        }
    }
}

/// What taking and letting go needs.
struct Owner {
    loops: Arc<Loops>,
    history: Arc<MySqlHistory>,
    producer: Arc<KafkaProducer>,
    files: Files,
    options: DispatcherOptions,
    group: Arc<KafkaGroup>,
    /// What the group says is this node's.
    assigned: Mutex<BTreeSet<u16>>,
    /// One for each partition, held while it is taken or handed over: what was begun last is done last.
    turns: Vec<tokio::sync::Mutex<()>>,
    release_timeout: Duration,
    owned: Arc<watch::Sender<Owned>>,
    taking: tokio::sync::Semaphore,
    tasks: TaskTracker,
    stop: CancellationToken,
}

/// Partitions that have a higher epoch than that with which they are owned here.
fn overtaken(owned: &Owned, progress: &[Progress]) -> Vec<u16> {
    let is_overtaken = |of: &&Progress| owned.get(&of.log).is_some_and(|epoch| of.epoch > *epoch);
    progress.iter().filter(is_overtaken).map(|of| of.log).collect()
}

/// A partition that was taken.
struct Taken {
    epoch: u64,
    dispatcher: Dispatcher,
    /// Files that go with messages which were taken back while nobody looked.
    files: Vec<(AccountId, Vec<String>)>,
}

/// Joins the group of owners, if this node is a worker.
pub(super) fn start(
    node: &ClusterNode,
    loops: Arc<Loops>,
    files: Files,
    broken: mpsc::Receiver<Box<Dispatcher>>,
    tasks: &TaskTracker,
    stop: &CancellationToken,
) -> anyhow::Result<Handle> {
    let owned = Arc::new(watch::Sender::new(Owned::new()));
    let (ended_in, ended) = watch::channel(false);
    if !node.is_worker {
        return Ok(Handle { group: None, owned, ended });
    }
    let (group, events) = tokio::task::block_in_place(|| KafkaGroup::join(&node.kafka))
        .context("cannot join the owners")?;
    let group = Arc::new(group);
    let owner = Arc::new(Owner {
        loops,
        history: Arc::clone(&node.history),
        producer: Arc::clone(&node.producer),
        files,
        options: DispatcherOptions { partitions: node.partitions, ..DispatcherOptions::default() },
        group: Arc::clone(&group),
        assigned: Mutex::default(),
        turns: (0..node.partitions).map(|_| tokio::sync::Mutex::default()).collect(),
        release_timeout: node.kafka.delivery_timeout + RELEASE_MARGIN,
        owned: Arc::clone(&owned),
        taking: tokio::sync::Semaphore::new(TAKEN_AT_ONCE),
        tasks: tasks.clone(),
        stop: stop.clone(),
    });
    tasks.spawn(Arc::clone(&owner).run(events, ended_in));
    tasks.spawn(Arc::clone(&owner).mend(broken));
    tasks.spawn(Arc::clone(&owner).watch(stop.clone()));
    tasks.spawn(owner.trim(stop.clone()));
    Ok(Handle { group: Some(group), owned, ended })
}

impl Owner {
    /// Does what the group decides.
    async fn run(
        self: Arc<Self>,
        mut events: mpsc::Receiver<GroupEvent>,
        ended: watch::Sender<bool>,
    ) {
        while let Some(event) = events.recv().await {
            match event {
                GroupEvent::Assigned(partitions) => {
                    tracing::info!(?partitions, "partitions come");
                    for partition in partitions {
                        self.assigned.lock().insert(partition);
                        self.take_soon(partition);
                    }
                }
                GroupEvent::Revoked(partitions, handover) => {
                    tracing::info!(?partitions, "partitions go");
                    // The group waits for what is handed over, not for the next event.
                    self.tasks.spawn(Arc::clone(&self).hand_over(partitions, Some(handover)));
                }
                GroupEvent::Lost(partitions) => {
                    tracing::warn!(?partitions, "partitions were given to others");
                    self.tasks.spawn(Arc::clone(&self).hand_over(partitions, None));
                }
            }
        }
        let left: Vec<u16> = self.assigned.lock().iter().copied().collect();
        Arc::clone(&self).hand_over(left, None).await;
        ended.send_replace(true);
    }

    /// Opens partitions anew whose log or history failed.
    async fn mend(self: Arc<Self>, mut broken: mpsc::Receiver<Box<Dispatcher>>) {
        while let Some(dispatcher) = broken.recv().await {
            let partition = dispatcher.number();
            tracing::warn!(partition, "a partition is opened anew");
            self.note(partition, None);
            let owner = Arc::clone(&self);
            self.tasks.spawn(async move {
                // Its thread may wait for a database. What it writes then must not count for the next owner.
                drop(tokio::task::spawn_blocking(move || drop(dispatcher)).await);
                owner.take_soon(partition);
            });
        }
    }

    /// Opens partitions anew that somebody else has taken since. Whoever writes finds out by itself, but who only
    /// reads would go on answering with what it knew.
    async fn watch(self: Arc<Self>, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = sleep(WATCH_EVERY) => {}
            }
            let history = Arc::clone(&self.history);
            let Ok(progress) = super::blocking(move || history.progress()).await else { continue };
            for partition in overtaken(&self.owned.borrow().clone(), &progress) {
                tracing::warn!(partition, "a partition was taken by another node");
                let owner = Arc::clone(&self);
                self.tasks.spawn(async move {
                    owner.let_go(partition).await;
                    owner.take_soon(partition);
                });
            }
        }
    }

    /// Lets Kafka forget what the history holds, now and then: no loop waits for it.
    async fn trim(self: Arc<Self>, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = sleep(TRIM_EVERY) => {}
            }
            let owner = Arc::clone(&self);
            let trimmed = tokio::task::spawn_blocking(move || owner.trim_owned()).await;
            if let Ok(Err(error)) = trimmed {
                let error: &dyn std::error::Error = &error;
                tracing::warn!(error, "cannot trim the log; it is tried again");
            }
        }
    }

    /// Trims what can be trimmed; the first error of those that cannot.
    fn trim_owned(&self) -> Result<(), LogError> {
        let owned: BTreeSet<u16> = self.owned.borrow().keys().copied().collect();
        let progress = self.history.progress().into_iter();
        let trim = |Progress { log, applied, .. }| {
            let nobody = Arc::new(|_: u16| {});
            KafkaLog::open(&self.producer, log, nobody)?.trim(applied + 1)
        };
        let here = progress.filter(|of| owned.contains(&of.log) && of.applied > 0);
        here.map(trim).fold(Ok(()), Result::and)
    }

    fn take_soon(self: &Arc<Self>, partition: u16) {
        let owner = Arc::clone(self);
        self.tasks.spawn(async move {
            let stop = owner.stop.clone();
            tokio::select! {
                () = stop.cancelled() => {}
                () = owner.take(partition) => {}
            }
        });
    }

    /// Whether the partition is this node's and not taken yet.
    fn is_wanted(&self, partition: u16) -> bool {
        self.assigned.lock().contains(&partition) && !self.owned.borrow().contains_key(&partition)
    }

    /// Takes a partition, however often it has to be tried.
    async fn take(self: &Arc<Self>, partition: u16) {
        loop {
            // Meanwhile the group may have given it to somebody, who would lose it to this node again and again.
            while self.group.is_in_doubt() {
                sleep(DOUBT_INTERVAL).await;
            }
            let turn = self.turns[usize::from(partition)].lock().await;
            if !self.is_wanted(partition) {
                return;
            }
            let mut permit = self.taking.acquire().await.ok();
            let owner = Arc::clone(self);
            let mut opening = tokio::task::spawn_blocking(move || owner.open(partition));
            let opened = loop {
                tokio::select! {
                    opened = &mut opening => break opened,
                    () = sleep(SLOW_AFTER) => {
                        // Others need not wait for it.
                        permit = None;
                        tracing::warn!(partition, "a partition is still being opened");
                    }
                }
            };
            drop(permit);
            match opened {
                Ok(Ok(Taken { epoch, dispatcher, files })) => {
                    // Whoever wants it back meanwhile waits for this turn.
                    if self.adopt(partition, epoch, dispatcher).await {
                        self.remove_files(files).await;
                        return;
                    }
                }
                Ok(Err(error)) => {
                    tracing::warn!(
                        partition,
                        error = format!("{error:#}"),
                        "cannot take a partition; it is tried again"
                    );
                }
                Err(panic) => tracing::error!(partition, %panic, "taking a partition panicked"),
            }
            drop(turn);
            sleep(RETRY_AFTER).await;
        }
    }

    /// Takes the epoch and folds what the log holds beyond the history. Waits for both.
    fn open(&self, partition: u16) -> anyhow::Result<Taken> {
        let epoch = self.history.take(partition).context("cannot take its epoch")?;
        let loops = Arc::clone(&self.loops);
        let wake = self.loop_of(partition);
        let notify = Arc::new(move |_: u16| {
            // A full inbox wakes the loop as well.
            drop(loops.send(wake, Command::Appended));
        });
        let log =
            KafkaLog::open(&self.producer, partition, notify).context("cannot open its log")?;
        let history: Arc<dyn History> = self.history.clone();
        let applied = history.applied(partition).context("cannot ask the history")?;
        anyhow::ensure!(
            applied < log.next_offset(),
            "the history has applied offset {applied}, but the log ends before {}: was the topic \
             made anew?",
            log.next_offset()
        );
        let lag_bytes_max = lag_bytes_of(self.assigned.lock().len());
        let options = DispatcherOptions { lag_bytes_max, ..self.options };
        let log: Box<dyn MessageLog> = Box::new(log);
        let (log, recovered) =
            frontdesk_dispatcher::recover(partition, log, &history, options, applied, &mut |_| {})
                .context("cannot fold its log")?;
        let dispatcher = Dispatcher::new(partition, log, history, options)
            .context("cannot start its dispatcher")?;
        Ok(Taken { epoch, dispatcher, files: recovered.files })
    }

    /// Gives a partition to its loop. False if that is too busy to take it: it is opened anew later, when its log may
    /// have gone on.
    async fn adopt(&self, partition: u16, epoch: u64, dispatcher: Dispatcher) -> bool {
        let command = Command::Adopt(Box::new(Mutex::new(dispatcher)));
        if let Err(refused) = self.loops.send(self.loop_of(partition), command) {
            tracing::warn!(partition, "a loop did not take a partition; it is tried again");
            // Its thread may wait for a database.
            drop(tokio::task::spawn_blocking(move || drop(refused)).await);
            return false;
        }
        self.note(partition, Some(epoch));
        true
    }

    async fn remove_files(&self, files: Vec<(AccountId, Vec<String>)>) {
        for (account, ids) in files {
            if let Err(error) = self.files.remove(account, &ids).await {
                let error: &dyn std::error::Error = &error;
                tracing::error!(account.id = %account, error, "files stay readable");
            }
        }
    }

    /// Lets go of partitions: what is folded goes to the history first, if that takes it.
    async fn hand_over(self: Arc<Self>, partitions: Vec<u16>, handover: Option<Handover>) {
        self.assigned.lock().retain(|assigned| !partitions.contains(assigned));
        let let_go = |partition| {
            let owner = Arc::clone(&self);
            // It goes on where nobody waits for it any more.
            self.tasks.spawn(async move { owner.let_go(partition).await })
        };
        let all = join_all(partitions.into_iter().map(let_go));
        if let Some(handover) = handover {
            drop(timeout(HANDOVER_GRACE, all).await);
            handover.done();
        } else {
            all.await;
        }
    }

    async fn let_go(&self, partition: u16) {
        let _turn = self.turns[usize::from(partition)].lock().await;
        // What waits for Kafka keeps its dispatcher here for a while yet, and nobody must be led to it meanwhile.
        self.note(partition, None);
        let (reply, dispatcher) = oneshot::channel();
        let command = Command::Release { partition, reply };
        if self.loops.send(self.loop_of(partition), command).is_err() {
            return;
        }
        let finished = match timeout(self.release_timeout, dispatcher).await {
            Ok(Ok(Some(dispatcher))) => {
                tokio::task::spawn_blocking(move || dispatcher.finish()).await.ok()
            }
            Ok(_) => None,
            Err(_) => {
                tracing::error!(partition, "a loop does not let go of a partition");
                None
            }
        };
        if let Some(Err(error)) = finished {
            // The log holds it all the same; whoever owns it next folds it.
            let error: &dyn std::error::Error = &error;
            tracing::warn!(partition, error, "a partition was handed over with work to do");
        }
    }

    /// Tells what this node owns.
    fn note(&self, partition: u16, epoch: Option<u64>) {
        self.owned.send_modify(|owned| {
            owned.remove(&partition);
            owned.extend(epoch.map(|epoch| (partition, epoch)));
        });
    }

    fn loop_of(&self, partition: u16) -> u16 {
        let loops = self.loops.local().len() as u16;
        place::loop_number(self.loops.node(), (partition % loops) as u8)
    }
}

/// Bytes that may wait for the database of one of so many partitions.
fn lag_bytes_of(partitions: usize) -> usize {
    let most = DispatcherOptions::default().lag_bytes_max;
    (LAG_BYTES_MAX / partitions.max(1)).clamp(LAG_BYTES_MIN, most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_for_databases_is_bounded_for_all_partitions_of_a_node() {
        let shares = [0, 1, 8, 16, 64, 256].map(|partitions| lag_bytes_of(partitions) >> 20);
        assert_eq!(shares, [64, 64, 64, 32, 8, 8]);
    }

    #[test]
    fn a_partition_with_a_higher_epoch_is_somebody_elses() {
        let owned = Owned::from([(1, 7), (2, 3)]);
        let progress = |log, epoch| Progress { log, epoch, applied: 0 };
        // Its own, one that was taken since, and one that was never here.
        let found = [progress(1, 7), progress(2, 4), progress(3, 9)];
        assert_eq!(overtaken(&owned, &found), [2]);
    }
}
