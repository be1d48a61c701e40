//! A topic under which acknowledged messages could be lost is refused, in words an operator can act on.

use std::sync::Arc;

use frontdesk_storage::conformance::log::append;
use frontdesk_storage_cluster::{KafkaLog, KafkaOptions, TopicError, ensure_topic};

use super::open;
use super::services::TestTopic;

/// What the product sets.
const GOOD: [(&str, &str); 5] = [
    ("min.insync.replicas", "1"),
    ("unclean.leader.election.enable", "false"),
    ("retention.ms", "-1"),
    ("retention.bytes", "-1"),
    ("message.timestamp.type", "LogAppendTime"),
];

/// The topic of somebody who set one thing otherwise.
fn topic_with(key: &'static str, value: &'static str) -> TestTopic {
    let others = GOOD.into_iter().filter(|(good, _)| *good != key);
    TestTopic::with_settings(1, &others.chain([(key, value)]).collect::<Vec<_>>())
}

fn refusal(options: &KafkaOptions) -> String {
    let error = ensure_topic(options).expect_err("it would lose messages");
    assert!(!matches!(error, TopicError::Failed { .. }), "{error:?}");
    error.to_string()
}

fn assert_says(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part:?} is missing: {text}");
    }
}

#[test]
fn it_is_made_once_and_taken_as_it_is_later() {
    let mut topic = TestTopic::not_made();
    topic.options.partitions = 3;
    ensure_topic(&topic.options).expect("it is made");
    let producer = topic.producer();
    let open = || open(&producer, 2);
    assert_eq!(append(&mut open(), &[b"kept"]), 1);
    ensure_topic(&topic.options).expect("it is good");
    assert_eq!(append(&mut open(), &[b"next"]), 2);
    // There is no fourth.
    let error = KafkaLog::open(&producer, 3, Arc::new(|_| {})).expect_err("no such partition");
    assert!(error.to_string().contains(&format!("{}/3", topic.options.topic)), "{error}");
}

#[test]
fn one_that_somebody_made_well_is_taken() {
    let topic = TestTopic::with_settings(1, &GOOD);
    ensure_topic(&topic.options).expect("it is good");
}

#[test]
fn another_number_of_partitions_is_refused() {
    let mut topic = TestTopic::new();
    topic.options.partitions = 2;
    assert_says(
        &refusal(&topic.options),
        &["has 1 partitions, 2 are configured", "configure 1, or name another topic"],
    );
}

#[test]
fn fewer_replicas_than_configured_are_refused() {
    let mut topic = topic_with("min.insync.replicas", "2");
    topic.options.replication = 2;
    topic.options.min_insync_replicas = 2;
    assert_says(
        &refusal(&topic.options),
        &["kept by 1 brokers, 2 are configured", "kafka-reassign-partitions.sh"],
    );
}

#[test]
fn too_low_a_min_insync_replicas_is_refused() {
    let mut topic = TestTopic::new();
    topic.options.replication = 2;
    topic.options.min_insync_replicas = 2;
    assert_says(
        &refusal(&topic.options),
        &["min.insync.replicas=1", "too few brokers", "--add-config min.insync.replicas=2"],
    );
}

#[test]
fn settings_that_lose_or_refuse_messages_are_refused() {
    for (key, value, wanted) in [
        ("unclean.leader.election.enable", "true", "false"),
        ("retention.ms", "604800000", "-1"),
        ("retention.bytes", "1073741824", "-1"),
        ("cleanup.policy", "compact", "delete"),
        ("message.timestamp.type", "CreateTime", "LogAppendTime"),
        ("max.message.bytes", "100000", "1048588"),
    ] {
        let topic = topic_with(key, value);
        assert_says(
            &refusal(&topic.options),
            &[
                &format!("topic {} has {key}={value}", topic.options.topic),
                &format!("--add-config {key}={wanted}"),
            ],
        );
    }
}

#[test]
fn options_that_contradict_each_other_are_refused() {
    let mut topic = TestTopic::new();
    topic.options.min_insync_replicas = 2;
    assert_says(&refusal(&topic.options), &["min.insync.replicas 2 of 1 replicas cannot be"]);
}

#[test]
fn brokers_that_are_not_there_are_named() {
    let topic = TestTopic::not_made();
    let options = KafkaOptions { brokers: "127.0.0.1:1".to_owned(), ..topic.options.clone() };
    let error = ensure_topic(&options).expect_err("nobody listens there");
    assert!(matches!(error, TopicError::Failed { .. }), "{error:?}");
    assert_says(&error.to_string(), &["on 127.0.0.1:1: check that the brokers run there"]);
    ensure_topic(&topic.options).expect("these are there");
}
