//! The bus in Kafka, and that which goes by Redis as long as it can.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use frontdesk_storage::{Bus, BusError, NodeId};
use frontdesk_storage_cluster::{BusOptions, EitherBus, KafkaBus, KafkaOptions, RedisBus};
use tokio::sync::mpsc::Receiver;
use tokio::time::timeout;

use super::PATIENCE;
use super::services::TestTopic;
use crate::services::shared_redis;

/// The bound of a queue in the suite.
pub(crate) const BATCHES_MAX: usize = 128;

/// Opens a bus for two nodes.
pub(crate) async fn open(options: &KafkaOptions, batches_max: usize) -> KafkaBus {
    let options = options.clone();
    let bus_options = BusOptions { batches_max, ..BusOptions::default() };
    let number = |node: &NodeId| u16::from(node.as_str() == "b");
    let open = move || KafkaBus::open(&options, 2, Arc::new(number), bus_options);
    tokio::task::spawn_blocking(open).await.expect("no panic").expect("kafka runs")
}

/// A bus with a topic of its own.
pub(crate) struct TestBus {
    bus: KafkaBus,
    topic: TestTopic,
}

impl TestBus {
    pub(crate) async fn open(batches_max: usize) -> Self {
        let topic = tokio::task::spawn_blocking(TestTopic::not_made).await.expect("no panic");
        Self { bus: open(&topic.options, batches_max).await, topic }
    }
}

impl Deref for TestBus {
    type Target = KafkaBus;

    fn deref(&self) -> &KafkaBus {
        &self.bus
    }
}

/// One on Redis and Kafka.
pub(crate) struct TestEither {
    bus: EitherBus,
    _topic: TestTopic,
}

impl TestEither {
    pub(crate) async fn open(batches_max: usize) -> Self {
        let TestBus { bus, topic } = TestBus::open(batches_max).await;
        let options = BusOptions { batches_max, ..BusOptions::default() };
        let redis = RedisBus::connect(shared_redis(), options).await.expect("redis runs");
        Self { bus: EitherBus::new(Arc::new(redis), Arc::new(bus)), _topic: topic }
    }
}

/// The suite asks for a bus.
macro_rules! is_a_bus {
    ($name:ident) => {
        #[async_trait::async_trait]
        impl Bus for $name {
            async fn publish(&self, node: &NodeId, batch: Bytes) -> Result<(), BusError> {
                self.bus.publish(node, batch).await
            }

            async fn subscribe(&self, node: &NodeId) -> Result<Receiver<Bytes>, BusError> {
                self.bus.subscribe(node).await
            }
        }
    };
}

is_a_bus!(TestBus);
is_a_bus!(TestEither);

/// Another process learns at once who is there, by asking, and when one subscription takes another's place.
#[tokio::test]
async fn a_bus_that_comes_later_reaches_those_that_are_there() {
    let here = TestBus::open(BATCHES_MAX).await;
    let node = NodeId::new("a");
    let mut first = here.subscribe(&node).await.expect("kafka runs");
    let there = open(&here.topic.options, BATCHES_MAX).await;
    let reach = async {
        while let Err(error) = there.publish(&node, Bytes::from_static(b"to the first")).await {
            assert!(matches!(error, BusError::Unreachable { .. }), "{error}");
            tokio::task::yield_now().await;
        }
    };
    // Far less than a third of a lease, after which it would say so by itself.
    timeout(Duration::from_secs(1), reach).await.expect("it answers when asked");
    assert_eq!(first.recv().await.as_deref(), Some(&b"to the first"[..]));

    let mut second = there.subscribe(&node).await.expect("kafka runs");
    let ended = timeout(PATIENCE, first.recv()).await.expect("the first hears of it");
    assert_eq!(ended, None);
    here.publish(&node, Bytes::from_static(b"to the second")).await.expect("it receives");
    assert_eq!(second.recv().await.as_deref(), Some(&b"to the second"[..]));
}

/// A node gets nothing that was published before it subscribed, also not what was meant for its predecessor.
#[tokio::test]
async fn a_subscription_begins_with_what_is_published_after_it() {
    let bus = TestBus::open(BATCHES_MAX).await;
    let node = NodeId::new("a");
    let before = bus.subscribe(&node).await.expect("kafka runs");
    for _ in 0..50 {
        bus.publish(&node, Bytes::from_static(b"before")).await.expect("it receives");
    }
    drop(before);
    let mut after = bus.subscribe(&node).await.expect("kafka runs");
    bus.publish(&node, Bytes::from_static(b"after")).await.expect("it receives");
    assert_eq!(after.recv().await.as_deref(), Some(&b"after"[..]));
}

/// What was read makes room again.
#[tokio::test]
async fn a_queue_that_was_read_takes_more() {
    let bus = TestBus::open(BATCHES_MAX).await;
    let node = NodeId::new("b");
    let mut inbox = bus.subscribe(&node).await.expect("kafka runs");
    let mut number = 0_u32;
    let mut read = 0;
    for _ in 0..3 {
        while bus.publish(&node, Bytes::copy_from_slice(&number.to_be_bytes())).await.is_ok() {
            number += 1;
        }
        while read < number {
            let batch = timeout(PATIENCE, inbox.recv()).await.expect("it was taken");
            assert_eq!(batch.as_deref(), Some(&read.to_be_bytes()[..]));
            read += 1;
        }
        let again = async {
            while bus.publish(&node, Bytes::copy_from_slice(&number.to_be_bytes())).await.is_err() {
                tokio::task::yield_now().await;
            }
            number += 1;
        };
        timeout(PATIENCE, again).await.expect("there is room");
    }
}
