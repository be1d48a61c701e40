//! R18, what real brokers do not do when asked: librdkafka's own mock of a cluster answers with errors and late.
//! All of it ends by itself, so no append fails and nothing is there twice.

use std::time::Duration;

use frontdesk_storage::conformance::log::{append, read_all};
use frontdesk_storage_cluster::KafkaOptions;
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;
use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};

use super::services::open;

const TOPIC: &str = "mock";

fn options(cluster: &MockCluster<'_, DefaultProducerContext>) -> KafkaOptions {
    cluster.create_topic(TOPIC, 1, 3).expect("a topic");
    KafkaOptions {
        brokers: cluster.bootstrap_servers(),
        topic: TOPIC.to_owned(),
        partitions: 1,
        replication: 3,
        min_insync_replicas: 2,
        delivery_timeout: Duration::from_secs(30),
    }
}

#[test]
fn r18_errors_that_end_by_themselves_lose_and_double_nothing() {
    let cluster = MockCluster::new(3).expect("a mock");
    let mut log = open(&options(&cluster));
    assert_eq!(append(&mut log, &[b"before"]), 1);
    for (number, error) in [
        RDKafkaRespErr::RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS,
        RDKafkaRespErr::RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT,
        RDKafkaRespErr::RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
    ]
    .into_iter()
    .enumerate()
    {
        cluster.request_errors(RDKafkaApiKey::Produce, &[error, error]);
        // The mock takes batches out of sequence, so there is one only.
        assert_eq!(append(&mut log, &[b"one"]), 2 + number as u64, "{error:?}");
    }
    assert_eq!(read_all(&log, 1).len(), 4);
}

#[test]
fn r18_brokers_2_s_away_lose_and_double_nothing() {
    let cluster = MockCluster::new(3).expect("a mock");
    let mut log = open(&options(&cluster));
    for broker in 1..=3 {
        cluster.broker_round_trip_time(broker, Duration::from_secs(2)).expect("a broker");
    }
    assert_eq!(append(&mut log, &[b"one", b"two"]), 1);
    assert_eq!(append(&mut log, &[b"three"]), 3);
    assert_eq!(read_all(&log, 1).len(), 3);
}
