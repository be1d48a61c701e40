//! What the bus on Redis promises beyond the suite.

use std::time::Duration;

use bytes::Bytes;
use frontdesk_storage::{Bus, BusError, NodeId};
use frontdesk_storage_cluster::{BusOptions, RedisBus, RedisOptions};
use futures_util::future::join_all;

use crate::services::{command, shared_redis};

/// Far more than anything here takes.
const PATIENCE: Duration = Duration::from_mins(1);

async fn bus(redis: &RedisOptions, options: BusOptions) -> RedisBus {
    RedisBus::connect(redis.clone(), options).await.expect("redis runs")
}

/// Batches that are published together, without waiting for the answer of each, keep their order.
#[tokio::test]
async fn batches_of_one_turn_keep_their_order() {
    let redis = shared_redis();
    let [sender, receiver] =
        [bus(&redis, BusOptions::default()).await, bus(&redis, BusOptions::default()).await];
    let node = NodeId::new("a");
    let mut inbox = receiver.subscribe(&node).await.expect("reachable");
    // More than are sent together.
    let batches: Vec<_> =
        (0..5_000_u32).map(|n| Bytes::copy_from_slice(&n.to_be_bytes())).collect();
    let published =
        join_all(batches.iter().map(|batch| sender.publish(&node, batch.clone()))).await;
    for (number, answer) in published.into_iter().enumerate() {
        answer.unwrap_or_else(|error| panic!("batch {number}: {error}"));
    }
    for batch in batches {
        assert_eq!(inbox.recv().await, Some(batch));
    }
}

/// The bound in bytes holds before that in batches, and what was read makes room again, to the byte.
#[tokio::test]
async fn a_queue_is_bounded_in_bytes() {
    const BYTES_MAX: usize = 1 << 20;
    let redis = shared_redis();
    let options = BusOptions { bytes_max: BYTES_MAX, ..BusOptions::default() };
    let bus = bus(&redis, options).await;
    let node = NodeId::new("a");
    let mut inbox = bus.subscribe(&node).await.expect("reachable");
    let large = Bytes::from(vec![7; BYTES_MAX]);
    let too_large = Bytes::from(vec![7; BYTES_MAX + 1]);
    let refused = bus.publish(&node, too_large).await.expect_err("it never fits");
    assert!(matches!(refused, BusError::Full { .. }), "{refused}");
    let again_and_again = async {
        for _ in 0..20 {
            // The room comes back a moment after the batch was read.
            while let Err(error) = bus.publish(&node, large.clone()).await {
                assert!(matches!(error, BusError::Full { .. }), "{error}");
            }
            assert_eq!(inbox.recv().await.as_ref(), Some(&large));
        }
    };
    tokio::time::timeout(PATIENCE, again_and_again).await.expect("there is room again");
}

/// Nothing is left in Redis of a subscription that ended.
#[tokio::test]
async fn a_subscription_that_ended_leaves_nothing() {
    let redis = shared_redis();
    let bus = bus(&redis, BusOptions::default()).await;
    let node = NodeId::new("a");
    let inbox = bus.subscribe(&node).await.expect("reachable");
    bus.publish(&node, Bytes::from_static(b"never read")).await.expect("it receives");
    drop(inbox);
    let pattern = format!("frontdesk:{}:*", redis.installation);
    let gone =
        async { while !command::<Vec<String>>(&redis, &["KEYS", &pattern]).await.is_empty() {} };
    tokio::time::timeout(PATIENCE, gone).await.expect("everything is removed");
}

/// Of two subscriptions that both lost their registration the newer one stays, whichever renews first.
#[tokio::test]
async fn an_older_subscription_gives_way_to_a_newer_registration() {
    let redis = shared_redis();
    let options = BusOptions { lease: Duration::from_secs(3), ..BusOptions::default() };
    let bus = bus(&redis, options).await;
    let node = NodeId::new("a");
    let registration = format!("frontdesk:{}:bus:node:a", redis.installation);
    let mut inbox = bus.subscribe(&node).await.expect("reachable");
    let token: String = command(&redis, &["HGET", &registration, "token"]).await;

    // One of a clock that was behind: it gives way.
    let older = ["HSET", &registration, "token", "other", "since", "1"];
    let _fields: u64 = command(&redis, &older).await;
    let taken_back = async {
        while command::<String>(&redis, &["HGET", &registration, "token"]).await != token {}
    };
    tokio::time::timeout(PATIENCE, taken_back).await.expect("it is taken back");
    bus.publish(&node, Bytes::from_static(b"batch")).await.expect("it receives");
    assert_eq!(inbox.recv().await.as_deref(), Some(&b"batch"[..]));

    let newer = ["HSET", &registration, "token", "other", "since", "9000000000000000"];
    let _fields: u64 = command(&redis, &newer).await;
    assert_eq!(inbox.recv().await, None);
    let token: String = command(&redis, &["HGET", &registration, "token"]).await;
    assert_eq!(token, "other", "the newer registration is left alone");
}
