//! Who owns which partition: membership in a consumer group whose members consume nothing.
//!
//! The group shares the topic's partitions among its members, leaves them where they are as far as it can
//! (cooperative, sticky), and takes them from a member that was not heard of for as long as a [`session`] lasts. The
//! partitions are paused, so that no record is fetched: an owner reads and appends by its log.
//!
//! Membership is a hint that is right most of the time, no lock: a member that was thrown out may believe for a moment
//! that it owns what another one has got. What keeps that harmless is the log, which tells who was
//! overtaken, and the epoch in the history.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver as Answer, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use frontdesk_storage::LogError;
use parking_lot::Mutex;
use rdkafka::client::ClientContext;
use rdkafka::config::{FromClientConfigAndContext, RDKafkaLogLevel};
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError as ClientError, KafkaResult};
use rdkafka::types::RDKafkaRespErr;
use rdkafka::{Offset, Statistics, TopicPartitionList};
use tokio::sync::mpsc::{Receiver, Sender, WeakSender, channel};

use super::{KafkaOptions, Reports, close, session};

/// So many signs of life are due before a member counts as dead; by each it also hears that the group shares anew.
const HEARTBEATS: u32 = 3;
/// How long an owner may take to hand over.
const HANDOVER_TIMEOUT: Duration = Duration::from_secs(20);
/// A member whose thread stands still for so long leaves: more than a handover takes.
const STALL_MAX: Duration = Duration::from_mins(1);
/// How soon it is noticed that a member wants to leave.
const POLL_INTERVAL: Duration = Duration::from_millis(100);
/// Events that wait for the owner.
const EVENTS_MAX: usize = 16;

/// What the group decided for this member.
#[derive(Debug)]
pub enum GroupEvent {
    /// It owns these from now on, beside those it has.
    Assigned(Vec<u16>),
    /// It shall hand these over; the group waits until the handover is done or dropped, at most 20 s.
    Revoked(Vec<u16>, Handover),
    /// The group threw it out and gave these to others; there is nothing left to hand over.
    Lost(Vec<u16>),
}

/// Tells the group that a member has let go what was revoked, also by being dropped.
#[derive(Debug)]
pub struct Handover {
    _done: SyncSender<()>,
}

impl Handover {
    fn new() -> (Self, Answer<()>) {
        let (sender, answer) = sync_channel(1);
        (Self { _done: sender }, answer)
    }

    /// The partitions are free.
    pub fn done(self) {}
}

/// Membership of a node. It ends by [`KafkaGroup::leave`], or when it or its receiver is dropped.
pub struct KafkaGroup {
    is_leaving: Arc<AtomicBool>,
    fetched: Arc<AtomicU64>,
    held: Arc<Mutex<Held>>,
}

impl fmt::Debug for KafkaGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KafkaGroup")
            .field("is_leaving", &self.is_leaving.load(Ordering::Relaxed))
            .finish_non_exhaustive()
    }
}

impl KafkaGroup {
    /// Joins the group of the topic's owners. The receiver tells what this member owns; when it ends the member
    /// has left and owns nothing. Events are to be taken without delay: the group waits for a member
    /// whose events wait.
    ///
    /// While Kafka is away a member keeps what it has. Once it is back the group says what changed. Blocks while it
    /// asks the brokers how soon a member may count as dead.
    pub fn join(options: &KafkaOptions) -> Result<(Self, Receiver<GroupEvent>), LogError> {
        let failed = |source| options.topic_failed("join the owners of", source);
        let (events, receiver) = channel(EVENTS_MAX);
        let membership = Membership {
            config: config(options, session::timeout(options)),
            topic: options.topic.clone(),
            events,
            held: Arc::default(),
            is_leaving: Arc::default(),
            fetched: Arc::default(),
        };
        let group = Self {
            is_leaving: Arc::clone(&membership.is_leaving),
            fetched: Arc::clone(&membership.fetched),
            held: Arc::clone(&membership.held),
        };
        let consumer = membership.consumer().map_err(failed)?;
        thread::Builder::new()
            .name("kafka-group".to_owned())
            .spawn(move || membership.run(consumer))
            .expect("the system has a thread left");
        Ok((group, receiver))
    }

    /// Leaves. All partitions are revoked, then the receiver ends. Does not wait.
    pub fn leave(&self) {
        self.is_leaving.store(true, Ordering::Release);
    }

    /// Whether this member and the group have not heard of each other for so long that others may have got its
    /// partitions. It keeps them until the group has said what is still its own.
    pub fn is_in_doubt(&self) -> bool {
        self.held.lock().is_in_doubt
    }

    /// How many records were fetched. Nobody reads them, so it is 0.
    pub fn fetched_records(&self) -> u64 {
        self.fetched.load(Ordering::Relaxed)
    }
}

impl Drop for KafkaGroup {
    fn drop(&mut self) {
        self.leave();
    }
}

fn config(options: &KafkaOptions, session_timeout: Duration) -> rdkafka::ClientConfig {
    let mut config = options.client("group");
    let ms = |duration: Duration| duration.as_millis().to_string();
    config
        .set("group.id", format!("{}-owners", options.topic))
        .set("partition.assignment.strategy", "cooperative-sticky")
        .set("session.timeout.ms", ms(session_timeout))
        .set("heartbeat.interval.ms", ms(session_timeout / HEARTBEATS))
        .set("max.poll.interval.ms", ms(STALL_MAX))
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false");
    config
}

/// What outlives the consumer by which this node is a member.
struct Membership {
    config: rdkafka::ClientConfig,
    topic: String,
    events: Sender<GroupEvent>,
    held: Arc<Mutex<Held>>,
    is_leaving: Arc<AtomicBool>,
    fetched: Arc<AtomicU64>,
}

impl Membership {
    fn consumer(&self) -> KafkaResult<BaseConsumer<Member>> {
        let member = Member {
            events: self.events.downgrade(),
            held: Arc::clone(&self.held),
            is_replaced: AtomicBool::new(false),
            reports: Reports::default(),
        };
        let consumer = BaseConsumer::from_config_and_context(&self.config, member)?;
        consumer.subscribe(&[&self.topic])?;
        Ok(consumer)
    }

    /// Serves the group's events until the member leaves.
    fn run(self, mut consumer: BaseConsumer<Member>) {
        while !self.is_leaving.load(Ordering::Acquire) && !self.events.is_closed() {
            match consumer.poll(POLL_INTERVAL) {
                None => {}
                Some(Ok(_)) => {
                    self.fetched.fetch_add(1, Ordering::Relaxed);
                }
                Some(Err(error)) => tracing::warn!(%error, "the group of owners has trouble"),
            }
            if consumer.context().reports.take_stranded() {
                self.join_anew(&mut consumer);
            }
        }
        // It revokes what the member has, and tells the group.
        drop(consumer);
    }

    /// Joins by another consumer. The node keeps what it has until the group gives that one something.
    fn join_anew(&self, consumer: &mut BaseConsumer<Member>) {
        match self.consumer() {
            Ok(new) => {
                consumer.context().is_replaced.store(true, Ordering::Relaxed);
                self.held.lock().is_in_doubt = true;
                close(std::mem::replace(consumer, new));
            }
            Err(error) => tracing::error!(%error, "could not join the group of owners anew"),
        }
    }
}

/// The member behind one consumer, as the group's callbacks see it.
struct Member {
    events: WeakSender<GroupEvent>,
    held: Arc<Mutex<Held>>,
    /// Another one is the member now: what this one is told counts no more.
    is_replaced: AtomicBool,
    reports: Reports,
}

/// What the owner believes to own.
#[derive(Default)]
struct Held {
    partitions: BTreeSet<u16>,
    /// The group gave up this member, or the member the group. What it still owns the next assignment tells.
    is_in_doubt: bool,
}

impl Held {
    /// What is new for the owner, and what it has no longer.
    fn assign(&mut self, assigned: BTreeSet<u16>) -> (Vec<u16>, Vec<u16>) {
        let new = assigned.difference(&self.partitions).copied().collect();
        let mut lost = Vec::new();
        if std::mem::take(&mut self.is_in_doubt) {
            lost = self.partitions.difference(&assigned).copied().collect();
            self.partitions = assigned;
        } else {
            self.partitions.extend(assigned);
        }
        (new, lost)
    }

    /// Which of these the owner has to hand over.
    fn revoke(&mut self, revoked: &BTreeSet<u16>) -> Vec<u16> {
        let own: Vec<u16> = self.partitions.intersection(revoked).copied().collect();
        self.partitions.retain(|partition| !revoked.contains(partition));
        own
    }
}

impl Member {
    fn assigned(
        &self,
        consumer: &BaseConsumer<Self>,
        list: &mut TopicPartitionList,
    ) -> KafkaResult<()> {
        // Nothing is fetched before it is paused either: there is nothing behind the end.
        list.set_all_offsets(Offset::End)?;
        consumer.incremental_assign(list)?;
        consumer.pause(list)?;
        if self.is_replaced.load(Ordering::Relaxed) {
            return Ok(());
        }
        let (new, lost) = self.held.lock().assign(partitions(list));
        self.tell(lost, GroupEvent::Lost);
        self.tell(new, GroupEvent::Assigned);
        Ok(())
    }

    fn revoked(&self, consumer: &BaseConsumer<Self>, list: &TopicPartitionList) -> KafkaResult<()> {
        if self.is_replaced.load(Ordering::Relaxed) {
            // The owner hears what the other member is told.
        } else if consumer.assignment_lost() {
            self.held.lock().is_in_doubt = true;
        } else {
            let own = self.held.lock().revoke(&partitions(list));
            let (handover, done) = Handover::new();
            self.tell(own, |own| GroupEvent::Revoked(own, handover));
            // An error means that it was dropped: done as well.
            if done.recv_timeout(HANDOVER_TIMEOUT)
                == Err(std::sync::mpsc::RecvTimeoutError::Timeout)
            {
                tracing::error!("partitions were not handed over in time");
            }
        }
        consumer.incremental_unassign(list)
    }

    fn tell(&self, partitions: Vec<u16>, event: impl FnOnce(Vec<u16>) -> GroupEvent) {
        if partitions.is_empty() {
            return;
        }
        let told = self.events.upgrade().map(|events| events.blocking_send(event(partitions)));
        if !matches!(told, Some(Ok(()))) {
            tracing::debug!("nobody listens to the group of owners any more");
        }
    }
}

impl ConsumerContext for Member {
    fn rebalance(
        &self,
        consumer: &BaseConsumer<Self>,
        code: RDKafkaRespErr,
        list: &mut TopicPartitionList,
    ) {
        let result = match code {
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS => self.assigned(consumer, list),
            _ => self.revoked(consumer, list),
        };
        if let Err(error) = result {
            tracing::error!(%error, "the group of owners could not change hands");
        }
    }
}

impl ClientContext for Member {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, line: &str) {
        self.reports.log(level, facility, line);
    }

    fn error(&self, error: ClientError, reason: &str) {
        self.reports.error(error, reason);
    }

    fn stats(&self, statistics: Statistics) {
        self.reports.stats(statistics);
    }
}

fn partitions(list: &TopicPartitionList) -> BTreeSet<u16> {
    let number = |partition: i32| u16::try_from(partition).expect("a topic of ours has so many");
    list.elements().iter().map(|element| number(element.partition())).collect()
}

#[cfg(test)]
mod tests {
    use super::{BTreeSet, Held};

    #[test]
    fn an_assignment_in_doubt_tells_what_changed_only() {
        let mut held = Held::default();
        assert_eq!(held.assign(BTreeSet::from([1, 2, 3])), (vec![1, 2, 3], vec![]));
        // Beside what it has.
        assert_eq!(held.assign(BTreeSet::from([4])), (vec![4], vec![]));
        held.is_in_doubt = true;
        // Instead of what it had.
        assert_eq!(held.assign(BTreeSet::from([2, 4, 5])), (vec![5], vec![1, 3]));
        assert_eq!(held.assign(BTreeSet::new()), (vec![], vec![]));
        held.is_in_doubt = true;
        assert_eq!(held.assign(BTreeSet::new()), (vec![], vec![2, 4, 5]));
    }

    #[test]
    fn only_what_it_has_is_revoked() {
        let mut held = Held::default();
        held.assign(BTreeSet::from([1, 2]));
        assert_eq!(held.revoke(&BTreeSet::from([2, 3])), [2]);
        assert_eq!(held.revoke(&BTreeSet::from([2])), [] as [u16; 0]);
    }
}
