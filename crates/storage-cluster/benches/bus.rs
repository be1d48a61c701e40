//! How many batches of 1 KiB the bus carries from one node to another, and how long one takes.
//!
//! ```sh
//! scripts/services start redis
//! FRONTDESK_REDIS_URL=... cargo bench -p frontdesk-storage-cluster --bench bus    # the address: scripts/services env
//! ```
//! Publisher, subscriber and Redis share the machine.

#![expect(clippy::print_stdout, reason = "its result")]

use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use frontdesk_core::secret::Secret128;
use frontdesk_storage::{Bus, BusError, NodeId};
use frontdesk_storage_cluster::{BusOptions, RedisBus, RedisOptions};
use futures_util::future::join_all;
use hdrhistogram::Histogram;
use tokio::sync::mpsc::Receiver;

const BATCH_BYTES: usize = 1024;
const LASTS: Duration = Duration::from_secs(5);

#[tokio::main(worker_threads = 2)]
async fn main() {
    let url = std::env::var("FRONTDESK_REDIS_URL")
        .expect("FRONTDESK_REDIS_URL, see scripts/services env");
    let redis = RedisOptions { url, installation: Secret128::random().reveal() };
    for at_once in [1, 16, 64, 256] {
        let (sender, inbox, node) = pair(&redis).await;
        rate(&sender, inbox, &node, at_once).await;
    }
    for per_second in [100, 1_000, 5_000] {
        let (sender, inbox, node) = pair(&redis).await;
        latency(&sender, inbox, &node, per_second).await;
    }
}

/// A node that publishes, and what another one receives.
async fn pair(redis: &RedisOptions) -> (RedisBus, Receiver<Bytes>, NodeId) {
    let connect = || RedisBus::connect(redis.clone(), BusOptions::default());
    let (sender, receiver) = (connect().await.expect("redis"), connect().await.expect("redis"));
    let node = NodeId::new("node");
    let inbox = receiver.subscribe(&node).await.expect("redis");
    (sender, inbox, node)
}

/// Publishes so many at once, then as many again: a loop's turns.
async fn rate(sender: &RedisBus, mut inbox: Receiver<Bytes>, node: &NodeId, at_once: usize) {
    let received = tokio::spawn(async move {
        let mut received = 0_u64;
        while inbox.recv().await.is_some_and(|batch| !batch.is_empty()) {
            received += 1;
        }
        received
    });
    let batch = Bytes::from(vec![7; BATCH_BYTES]);
    let began = Instant::now();
    let (mut published, mut full) = (0_u64, 0_u64);
    while began.elapsed() < LASTS {
        let turn = (0..at_once).map(|_| sender.publish(node, batch.clone()));
        for answer in join_all(turn).await {
            match answer {
                Ok(()) => published += 1,
                Err(BusError::Full { .. }) => full += 1,
                Err(error) => panic!("{error}"),
            }
        }
    }
    while sender.publish(node, Bytes::new()).await.is_err() {}
    assert_eq!(received.await.expect("it received"), published, "nothing that was taken is lost");
    let seconds = began.elapsed().as_secs_f64();
    println!("{at_once:>4} at once: {:>7.0} batches/s, {full} refused", published as f64 / seconds);
}

/// Publishes one after the other on a schedule, and looks when each arrives.
async fn latency(sender: &RedisBus, mut inbox: Receiver<Bytes>, node: &NodeId, per_second: u32) {
    let began = Instant::now();
    let nanos = move || began.elapsed().as_nanos() as u64;
    let received = tokio::spawn(async move {
        let mut histogram = Histogram::<u64>::new(3).expect("three digits");
        while let Some(batch) = inbox.recv().await.filter(|batch| !batch.is_empty()) {
            let sent = u64::from_be_bytes(batch[..8].try_into().expect("eight bytes"));
            histogram.record(nanos() - sent).expect("it resizes itself");
        }
        histogram
    });
    let mut due = tokio::time::interval(Duration::from_secs(1) / per_second);
    while began.elapsed() < LASTS {
        due.tick().await;
        let mut batch = BytesMut::zeroed(BATCH_BYTES);
        batch[..8].copy_from_slice(&nanos().to_be_bytes());
        sender.publish(node, batch.freeze()).await.expect("it receives");
    }
    sender.publish(node, Bytes::new()).await.expect("it receives");
    let histogram = received.await.expect("it received");
    let ms = |quantile| histogram.value_at_quantile(quantile) as f64 / 1e6;
    println!(
        "{:>5.0} a second: p50 {:.2} ms, p99 {:.2} ms, longest {:.2} ms",
        histogram.len() as f64 / LASTS.as_secs_f64(),
        ms(0.5),
        ms(0.99),
        histogram.max() as f64 / 1e6
    );
}
