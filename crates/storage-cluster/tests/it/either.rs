//! R19: Redis stops, is flushed, is slow, while batches go to another node. The bus that stands on two loses none of
//! them, gives none twice, and never pauses for long.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use frontdesk_storage::{Bus, NodeId};
use frontdesk_storage_cluster::{BusOptions, EitherBus, KafkaOptions, RedisBus, RedisOptions};
use frontdesk_testkit::ChaosProxy;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use rustix::process::Signal;
use tokio::sync::mpsc::Receiver;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};

use crate::kafka::bus::open as open_kafka;
use crate::kafka::services::TestTopic;
use crate::services::{OwnRedis, redis_address};

/// Far more than anything here takes.
const PATIENCE: Duration = Duration::from_mins(1);
/// 500 batches a second.
const PERIOD: Duration = Duration::from_millis(2);
const PHASE: Duration = Duration::from_secs(3);
/// The longest pause between two batches that is allowed.
const PAUSE_MAX: Duration = Duration::from_secs(1);
/// What a flush may take with it: batches that lie in Redis in that moment.
const FLUSHED_MAX: u32 = 4;

async fn either(redis: &RedisOptions, kafka: &KafkaOptions) -> EitherBus {
    let options = BusOptions::default();
    let first = RedisBus::connect(redis.clone(), options).await.expect("redis runs");
    let second = open_kafka(kafka, options.batches_max).await;
    EitherBus::new(Arc::new(first), Arc::new(second))
}

/// Two nodes, one of which publishes, and what lies between them.
struct Nodes {
    redis: OwnRedis,
    network: ChaosProxy,
    _receiver: EitherBus,
    publisher: tokio::task::JoinHandle<u32>,
    publishes: tokio_util::sync::CancellationToken,
    inbox: Receiver<Bytes>,
    arrived: Vec<(u32, Instant)>,
}

impl Nodes {
    async fn start(topic: &TestTopic) -> Self {
        let redis = OwnRedis::start();
        let mut options = redis.options();
        let server = redis_address(&options).parse().expect("an address");
        let network = ChaosProxy::before(server).await;
        let address = redis_address(&options);
        options.url = options.url.replace(&address, &network.address().to_string());
        let receiver = either(&options, &topic.options).await;
        let node = NodeId::new("a");
        let inbox = receiver.subscribe(&node).await.expect("both run");
        let sender = either(&options, &topic.options).await;
        // The subscription has answered the question whether it is there.
        while sender.publish(&node, Bytes::new()).await.is_err() {
            tokio::task::yield_now().await;
        }
        let publishes = tokio_util::sync::CancellationToken::new();
        let publisher = tokio::spawn(publish(sender, node, publishes.clone()));
        let arrived = Vec::new();
        Self { redis, network, _receiver: receiver, publisher, publishes, inbox, arrived }
    }

    /// Takes what arrives for a while.
    async fn receive(&mut self, lasts: Duration) {
        let until = sleep(lasts);
        tokio::pin!(until);
        loop {
            tokio::select! {
                () = &mut until => return,
                batch = self.inbox.recv() => self.take(batch),
            }
        }
    }

    fn take(&mut self, batch: Option<Bytes>) {
        let batch = batch.expect("nobody else subscribes");
        // Those by which it was found out that the node receives are empty.
        if let Ok(number) = batch[..].try_into().map(u32::from_be_bytes) {
            self.arrived.push((number, Instant::now()));
        }
    }

    /// Ends the publisher, takes what is still on its way, and checks all of it.
    async fn end(mut self, lost_max: u32) {
        self.publishes.cancel();
        let published = self.publisher.await.expect("every batch is taken");
        let rest = published - u32::try_from(self.arrived.len()).expect("few");
        for _ in lost_max.min(rest)..rest {
            let batch = timeout(PATIENCE, self.inbox.recv()).await.expect("it comes");
            self.arrived.push((
                u32::from_be_bytes(batch.expect("open")[..].try_into().expect("a number")),
                Instant::now(),
            ));
        }
        let mut numbers: Vec<_> = self.arrived.iter().map(|(number, _)| *number).collect();
        let pause = self.arrived.windows(2).map(|pair| pair[1].1 - pair[0].1).max();
        let pause = pause.expect("many");
        assert!(pause < PAUSE_MAX, "nothing came for {pause:?}");
        let back = numbers.windows(2).filter(|pair| pair[1] < pair[0]).count();
        let switches = 8;
        assert!(back <= switches * 50, "{back} of {published} came out of order");
        numbers.sort_unstable();
        let arrived = numbers.len();
        numbers.dedup();
        assert_eq!(numbers.len(), arrived, "one came twice");
        let lost = published - u32::try_from(arrived).expect("few");
        assert!(lost <= lost_max, "{lost} of {published} are lost");
    }
}

/// Publishes numbers, 500 a second, whatever becomes of those before; returns how many.
async fn publish(
    bus: EitherBus,
    node: NodeId,
    publishes: tokio_util::sync::CancellationToken,
) -> u32 {
    let mut due = interval(PERIOD);
    due.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut under_way = FuturesUnordered::new();
    let mut number = 0_u32;
    while !publishes.is_cancelled() {
        tokio::select! {
            biased;
            _ = due.tick() => {
                let batch = Bytes::copy_from_slice(&number.to_be_bytes());
                under_way.push(bus.publish(&node, batch));
                number += 1;
            }
            Some(taken) = under_way.next() => {
                let taken: Result<(), _> = taken;
                taken.expect("one of the two takes it");
            }
        }
    }
    while let Some(taken) = under_way.next().await {
        taken.expect("one of the two takes it");
    }
    number
}

async fn topic() -> TestTopic {
    tokio::task::spawn_blocking(TestTopic::not_made).await.expect("no panic")
}

#[tokio::test(flavor = "multi_thread")]
async fn r19_redis_stands_still_and_goes_on_and_every_batch_arrives_once() {
    let topic = topic().await;
    let mut nodes = Nodes::start(&topic).await;
    nodes.receive(PHASE).await;
    nodes.redis.signal(Signal::STOP);
    nodes.receive(PHASE).await;
    nodes.redis.signal(Signal::CONT);
    nodes.receive(2 * PHASE).await;
    nodes.end(0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r19_redis_is_flushed_and_killed_and_every_batch_arrives_once() {
    let topic = topic().await;
    let mut nodes = Nodes::start(&topic).await;
    nodes.receive(PHASE).await;
    let _ok: String = nodes.redis.command(&["FLUSHALL"]).await;
    nodes.receive(PHASE).await;
    nodes.redis.signal(Signal::KILL);
    nodes.receive(PHASE).await;
    nodes.redis.start_again();
    nodes.receive(2 * PHASE).await;
    nodes.end(2 * FLUSHED_MAX).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r19_redis_is_slow_for_a_while_and_every_batch_arrives_once() {
    let topic = topic().await;
    let mut nodes = Nodes::start(&topic).await;
    nodes.receive(PHASE).await;
    nodes.network.change(|weather| weather.latency = Duration::from_millis(500));
    nodes.receive(PHASE).await;
    nodes.network.change(|weather| weather.latency = Duration::ZERO);
    nodes.receive(2 * PHASE).await;
    nodes.end(0).await;
}
