//! R19: Redis is flushed, restarted empty, stands still, is slow. Nothing that is lost with it may matter, so all
//! that is asked of these back ends is that they say so at once and work again by themselves.

use std::error::Error;
use std::num::NonZeroU32;
use std::time::Duration;

use bytes::Bytes;
use frontdesk_storage::{Admission, Bus, BusError, Directory, DirectoryError, NodeId, Quota};
use frontdesk_storage_cluster::{BusOptions, RedisBus, RedisDirectory};
use frontdesk_testkit::ChaosProxy;
use futures_util::future::join_all;
use rustix::process::Signal;
use tokio::sync::mpsc::Receiver;

use crate::services::{OwnRedis, redis_address, shared_redis};

/// Far more than anything here takes.
const PATIENCE: Duration = Duration::from_mins(1);
const TTL: Duration = Duration::from_mins(10);

/// A Redis of its own, a directory, and two nodes' buses: one publishes, the other receives.
struct Cluster {
    redis: OwnRedis,
    directory: RedisDirectory,
    sender: RedisBus,
    _receiver: RedisBus,
    node: NodeId,
    inbox: Receiver<Bytes>,
}

impl Cluster {
    async fn start() -> Self {
        let redis = OwnRedis::start();
        let options = redis.options();
        let directory = RedisDirectory::connect(options.clone()).await.expect("redis runs");
        let [sender, receiver] = [
            RedisBus::connect(options.clone(), BusOptions::default()).await.expect("redis runs"),
            RedisBus::connect(options, BusOptions::default()).await.expect("redis runs"),
        ];
        let node = NodeId::new("a");
        let inbox = receiver.subscribe(&node).await.expect("reachable");
        let mut cluster = Self { redis, directory, sender, _receiver: receiver, node, inbox };
        cluster.every_call_of_the_directory_works("before").await;
        cluster.the_node_receives_again(&[]).await;
        cluster
    }

    async fn every_call_of_the_directory_works(&self, key: &str) {
        every_call_works(&self.directory, key).await;
    }

    /// Publishes until a batch is taken, and waits for it. Until then only errors that are named here may come.
    async fn the_node_receives_again(&mut self, meanwhile: &[fn(&BusError) -> bool]) {
        let batch = Bytes::from_static(b"batch");
        let taken = async {
            while let Err(error) = self.sender.publish(&self.node, batch.clone()).await {
                assert!(meanwhile.iter().any(|expected| expected(&error)), "{error}");
                tokio::task::yield_now().await;
            }
            // A batch that was refused by a timeout may come late: an empty one of `it_is_noticed`.
            let arrived = loop {
                let arrived = self.inbox.recv().await.expect("nobody else subscribes");
                if !arrived.is_empty() {
                    break arrived;
                }
            };
            assert_eq!(arrived, batch);
        };
        tokio::time::timeout(PATIENCE, taken).await.expect("the node receives again");
    }

    /// Asks the directory until it answers; until then it says that it is unavailable.
    async fn the_directory_answers_again(&self) {
        let answers = async {
            while let Err(error) = self.directory.get("anything").await {
                assert!(matches!(error, DirectoryError::Unavailable { .. }), "{error}");
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, answers).await.expect("the directory answers again");
    }

    /// Far more calls than could each wait for a timeout, each of which fails and says why.
    async fn every_call_fails_at_once(&self) {
        let calls = async {
            for _ in 0..1000 {
                let error = self.directory.claim("key", TTL).await.expect_err("redis is away");
                assert!(matches!(error, DirectoryError::Unavailable { .. }), "{error}");
                let reason = error.source().expect("a reason").to_string();
                assert!(reason.contains("is away; connecting is tried again"), "{reason}");
                let batch = Bytes::from_static(b"batch");
                let error =
                    self.sender.publish(&self.node, batch).await.expect_err("redis is away");
                assert!(unavailable(&error), "{error}");
            }
        };
        tokio::time::timeout(PATIENCE, calls).await.expect("no call waits");
    }

    /// Asks until it is known that Redis is away.
    async fn it_is_noticed(&self) {
        let noticed = async {
            loop {
                match self.directory.get("anything").await {
                    Err(error) if source_says(&error, "is away") => break,
                    _not_yet => tokio::task::yield_now().await,
                }
            }
            while !matches!(
                self.sender.publish(&self.node, Bytes::new()).await,
                Err(error) if source_says(&error, "is away")
            ) {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, noticed).await.expect("it is noticed");
    }
}

/// Every method once; that it works is all that counts.
async fn every_call_works(directory: &RedisDirectory, key: &str) {
    let node = NodeId::new("a");
    assert!(directory.claim(key, TTL).await.expect("a claim"));
    directory.put(key, Bytes::from_static(b"value"), TTL).await.expect("a put");
    assert!(directory.get(key).await.expect("a get").is_some());
    assert!(directory.remove(key).await.expect("a remove").is_some());
    directory.announce(key, &node, TTL).await.expect("an announcement");
    assert_eq!(directory.locate(key).await.expect("a location"), std::slice::from_ref(&node));
    directory.withdraw(key, &node).await.expect("a withdrawal");
    let quota = Quota::per_minute(NonZeroU32::MIN, NonZeroU32::MIN);
    assert_eq!(directory.admit(key, quota).await.expect("a limit"), Admission::Admitted);
}

fn unavailable(error: &BusError) -> bool {
    matches!(error, BusError::Unavailable { .. })
}

fn unreachable(error: &BusError) -> bool {
    matches!(error, BusError::Unreachable { .. })
}

fn source_says(error: &dyn Error, words: &str) -> bool {
    error.source().is_some_and(|source| source.to_string().contains(words))
}

#[tokio::test]
async fn r19_redis_flushed_the_directory_goes_on_and_the_node_registers_anew() {
    let mut cluster = Cluster::start().await;
    let _ok: String = cluster.redis.command(&["FLUSHALL"]).await;
    cluster.every_call_of_the_directory_works("after").await;
    cluster.the_node_receives_again(&[unreachable]).await;

    // The scripts too.
    let _ok: String = cluster.redis.command(&["SCRIPT", "FLUSH"]).await;
    cluster.every_call_of_the_directory_works("without scripts").await;
    cluster.the_node_receives_again(&[]).await;
}

#[tokio::test]
async fn r19_redis_restarted_empty_everything_works_again_by_itself() {
    let mut cluster = Cluster::start().await;
    cluster.redis.signal(Signal::KILL);
    cluster.it_is_noticed().await;
    cluster.every_call_fails_at_once().await;
    cluster.redis.start_again();
    cluster.the_directory_answers_again().await;
    // The first of each kind already: a Redis that knows no script is no error.
    cluster.every_call_of_the_directory_works("after").await;
    cluster.the_node_receives_again(&[unreachable, unavailable]).await;
}

#[tokio::test]
async fn r19_redis_stopped_calls_fail_and_go_on_with_it() {
    let mut cluster = Cluster::start().await;
    cluster.redis.signal(Signal::STOP);
    // Nothing tells a connection that the other side stands still; the calls find out.
    let error = cluster.directory.get("anything").await.expect_err("nobody answers");
    assert!(matches!(error, DirectoryError::Unavailable { .. }), "{error}");
    cluster.it_is_noticed().await;
    cluster.every_call_fails_at_once().await;
    cluster.redis.signal(Signal::CONT);
    cluster.the_directory_answers_again().await;
    cluster.every_call_of_the_directory_works("after").await;
    cluster.the_node_receives_again(&[unreachable, unavailable]).await;
}

#[tokio::test]
async fn r19_redis_slow_by_half_a_second_each_way_fails_nobody() {
    let mut options = shared_redis();
    let server = redis_address(&options).parse().expect("an address");
    let network = ChaosProxy::before(server).await;
    network.change(|weather| weather.latency = Duration::from_millis(500));
    options.url = options.url.replace(&redis_address(&options), &network.address().to_string());

    let directory = RedisDirectory::connect(options.clone()).await.expect("redis runs");
    every_call_works(&directory, "key").await;

    let bus = RedisBus::connect(options, BusOptions::default()).await.expect("redis runs");
    let node = NodeId::new("a");
    let mut inbox = bus.subscribe(&node).await.expect("reachable");
    let batches: Vec<_> = (0..100_u8).map(|number| Bytes::from(vec![number])).collect();
    for answer in join_all(batches.iter().map(|batch| bus.publish(&node, batch.clone()))).await {
        answer.expect("it receives");
    }
    for batch in batches {
        assert_eq!(inbox.recv().await, Some(batch));
    }
}

/// A wrong address or password is told at the start, with what to look at, and without the password.
#[tokio::test]
async fn a_connection_that_cannot_be_made_says_what_to_check() {
    let redis = OwnRedis::start();
    let mut options = redis.options();
    options.url = options.url.replace("frontdesk", "wrong");
    let error = RedisDirectory::connect(options).await.expect_err("a wrong password");
    assert!(source_says(&error, "the password is right"), "{error:?}");
    let error = format!("{error:?}");
    assert!(!error.contains("wrong@"), "{error}");
}
