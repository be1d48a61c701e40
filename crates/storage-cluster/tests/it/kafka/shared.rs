//! Logs that share a node's producer: what happens to one of them stays with it.

use std::sync::Arc;
use std::sync::mpsc::channel;

use frontdesk_storage::conformance::log::{append, read_all};
use frontdesk_storage::{Begun, LogError, MessageLog, Offset, Record};
use frontdesk_storage_cluster::{KafkaLog, KafkaProducer, ensure_topic};
use rustix::process::Signal;

use super::services::{OwnKafka, TestTopic};
use super::{PATIENCE, open, record};

/// Every partition has begun before the first end is asked for, and each is told once.
#[test]
fn appends_of_several_partitions_are_under_way_at_once() {
    const PARTITIONS: u16 = 8;
    let topic = TestTopic::with_partitions(PARTITIONS);
    let producer = topic.producer();
    let (sender, told) = channel();
    let mut logs: Vec<_> = (0..PARTITIONS)
        .map(|partition| {
            let sender = sender.clone();
            let notify = Arc::new(move |partition| sender.send(partition).expect("it listens"));
            KafkaLog::open(&producer, partition, notify).expect("kafka runs")
        })
        .collect();
    for round in 0..20 {
        for log in &mut logs {
            let begun = log.begin(&[record("one"), record("two")]).expect("it takes them");
            assert_eq!(begun, Begun::Pending);
        }
        let mut ended: Vec<u16> =
            logs.iter().map(|_| told.recv_timeout(PATIENCE).expect("an end")).collect();
        for partition in &ended {
            let first = logs[usize::from(*partition)].ended().expect("it was told");
            assert_eq!(first.expect("kafka runs"), 1 + 2 * round);
            assert!(logs[usize::from(*partition)].ended().is_none(), "it ends once");
        }
        ended.sort_unstable();
        assert_eq!(ended, (0..PARTITIONS).collect::<Vec<_>>());
    }
    for log in &logs {
        assert_eq!(read_all(log, 1).len(), 40);
    }
}

/// A writer that did not see what another one appended may not go on before it has.
#[test]
fn a_log_behind_records_of_another_writer_is_overtaken_and_opens_anew() {
    let topic = TestTopic::with_partitions(2);
    let (stale, other) = (topic.producer(), topic.producer());
    let mut log = open(&stale, 0);
    assert_eq!(append(&mut log, &[b"seen"]), 1);
    let mut neighbour = open(&stale, 1);
    assert_eq!(append(&mut open(&other, 0), &[b"not seen", b"either"]), 2);

    let error = log.append(&[record("behind")]).expect_err("it is overtaken");
    assert!(matches!(error, LogError::Overtaken { known: 1 }), "{error}");
    let error = log.append(&[record("again")]).expect_err("it is closed");
    assert!(matches!(error, LogError::Poisoned), "{error}");
    // What it had seen it still reads, and nothing else.
    assert_eq!(read_all(&log, 1).len(), 1);
    assert_eq!(append(&mut neighbour, &[b"goes on"]), 1);

    let mut log = open(&stale, 0);
    assert_eq!(read_all(&log, 1).len(), 4);
    assert_eq!(append(&mut log, &[b"next"]), 5);
}

/// The append of one log ends its producer; the others' next appends go by the new one.
#[test]
fn r18_a_record_that_is_refused_closes_its_own_log_only() {
    let topic = TestTopic::with_settings(2, &[("max.message.bytes", "2000")]);
    let producer = topic.producer();
    let (mut log, mut neighbour) = (open(&producer, 0), open(&producer, 1));
    // The leader of one partition has never heard of this producer, and so would take what comes behind a gap.
    assert_eq!(append(&mut neighbour, &[b"before"]), 1);
    for round in 0..3 {
        let large = vec![1; 300 << 10];
        let error = log
            .append(&[Record { partition: 0, payload: &large }, record("behind it")])
            .expect_err("the broker refuses it");
        assert!(matches!(error, LogError::Io { .. }), "{error}");
        assert_eq!(append(&mut neighbour, &[b"after"]), 2 + round as Offset);
        log = open(&producer, 0);
        assert_eq!(append(&mut log, &[b"small"]), 1 + round as Offset);
    }
    assert_eq!(read_all(&log, 1).len(), 3);
}

#[test]
fn r16_a_producer_says_whether_kafka_takes_records_and_why_not() {
    let kafka = OwnKafka::start(1);
    let mut options = kafka.options();
    options.partitions = 2;
    let producer = KafkaProducer::open(options.clone()).expect("a producer");
    assert_words(&producer, "the brokers do not know it: was the topic removed?");
    ensure_topic(&options).expect("kafka runs");
    producer.check().expect("it takes records");
    kafka.signal(1, Signal::STOP);
    assert_words(&producer, "no broker at");
    kafka.signal(1, Signal::CONT);
    append(&mut open(&producer, 1), &[b"it goes on"]);
    producer.check().expect("it takes records");
}

fn assert_words(producer: &KafkaProducer, expected: &str) {
    let error = producer.check().expect_err("it has trouble");
    let LogError::Io { source, .. } = &error else { panic!("{error}") };
    assert!(source.to_string().contains(expected), "{source}");
}
