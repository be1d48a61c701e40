//! R16 and R18: brokers die, are too few, stand still. What was acknowledged is there once; what was not
//! is an error that says why.

use std::ops::ControlFlow;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use frontdesk_storage::conformance::log::read_all;
use frontdesk_storage::{LogError, MessageLog, Offset, Record};
use frontdesk_storage_cluster::{KafkaLog, KafkaOptions, KafkaTail, ensure_topic};
use rustix::process::Signal;

use super::PATIENCE;
use super::services::{OwnKafka, leader, open};

/// How soon appends go on once it is possible.
const GOES_ON: Duration = Duration::from_secs(30);

fn append_one(log: &mut KafkaLog, payload: &str) -> Result<Offset, LogError> {
    log.append(&[Record { partition: 7, payload: payload.as_bytes() }])
}

/// The error of an append with all that led to it.
fn refused(log: &mut KafkaLog, payload: &str) -> String {
    let error = append_one(log, payload).expect_err("it cannot be kept");
    let LogError::Io { source, .. } = &error else { panic!("{error}") };
    let words = source.to_string();
    let again = append_one(log, payload).expect_err("it is poisoned");
    assert!(matches!(again, LogError::Poisoned), "{again}");
    words
}

/// Every record acknowledged is at its offset, and none is there twice.
fn assert_kept(options: &KafkaOptions, acknowledged: &[(Offset, String)]) {
    let kept = read_all(&open(options), 1);
    for (offset, payload) in acknowledged {
        let found: Vec<_> = kept
            .iter()
            .filter(|(.., kept)| kept == payload.as_bytes())
            .map(|kept| kept.0)
            .collect();
        assert_eq!(found, [*offset], "{payload}");
    }
}

/// Appends once Kafka takes records again. What had been given up may still come before it, which the log finds
/// out; then it is opened anew.
fn append_after(options: &KafkaOptions) -> (Offset, String) {
    for attempt in 0.. {
        let payload = format!("after {attempt}");
        match append_one(&mut open(options), &payload) {
            Ok(offset) => return (offset, payload),
            Err(LogError::Overtaken { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }
    unreachable!("it ends by an append or an error")
}

/// Reads on up to an offset at least. Brokers that were away are told once even if they are back: that is not the end.
fn follow(tail: &mut KafkaTail, last: Offset) -> Vec<(Offset, String)> {
    let mut seen = Vec::new();
    let mut came_at = Instant::now();
    while tail.next_offset() <= last {
        let came = tail.poll(GOES_ON, &mut |offset, _, payload| {
            seen.push((offset, String::from_utf8(payload.to_vec()).expect("text")));
            ControlFlow::Continue(())
        });
        match came {
            Ok(count) => {
                assert_ne!(count, 0, "nothing came at {}", tail.next_offset());
                came_at = Instant::now();
            }
            Err(LogError::Io { .. }) if came_at.elapsed() < GOES_ON => {}
            Err(error) => panic!("{error}"),
        }
    }
    seen
}

/// Appends numbers, one after the other, until nobody listens; tells each that is acknowledged.
fn append_numbers(mut log: KafkaLog) -> Receiver<(Offset, String)> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        for number in 0.. {
            let payload = number.to_string();
            let offset = append_one(&mut log, &payload).expect("an append survives a leader");
            if sender.send((offset, payload)).is_err() {
                break;
            }
        }
    });
    receiver
}

#[test]
fn r18_the_leader_is_killed_under_appends_nothing_is_lost_or_doubled() {
    let kafka = OwnKafka::start(3);
    let options = kafka.options();
    ensure_topic(&options).expect("kafka runs");
    let mut tail = KafkaTail::open(options.clone(), 0, 1).expect("kafka runs");
    let numbers = append_numbers(open(&options));
    let mut acknowledged: Vec<_> = numbers.iter().take(300).collect();
    let killed = leader(&options).expect("all are there");
    kafka.signal(killed, Signal::KILL);
    // What it had acknowledged just before is on its way still; then they go on with another leader.
    while leader(&options).is_none_or(|leader| leader == killed) {
        acknowledged.push(numbers.recv_timeout(GOES_ON).expect("appends go on within 30 s"));
    }
    for _ in 0..300 {
        acknowledged.push(numbers.recv_timeout(GOES_ON).expect("appends go on within 30 s"));
    }
    drop(numbers);
    assert_kept(&options, &acknowledged);
    // The reader went to the new leader by itself.
    let read: Vec<_> = follow(&mut tail, acknowledged.len() as Offset);
    assert_eq!(read[..acknowledged.len()], acknowledged);
    // One writer that never failed: each number has its place.
    for (index, (offset, payload)) in acknowledged.iter().enumerate() {
        assert_eq!((*offset, payload), (index as Offset + 1, &index.to_string()));
    }
}

#[test]
fn r18_fewer_brokers_than_min_insync_replicas_appends_fail_by_name() {
    let kafka = OwnKafka::start(3);
    let mut options = kafka.options();
    // One broker less is too few, and two still elect.
    options.min_insync_replicas = 3;
    // The brokers let one go after 9 s; from then on they say that it is missing.
    options.delivery_timeout = Duration::from_secs(15);
    ensure_topic(&options).expect("kafka runs");
    let mut log = open(&options);
    let mut acknowledged =
        vec![(append_one(&mut log, "before").expect("all are there"), "before".into())];

    let follower = (1..=3).find(|id| Some(*id) != leader(&options)).expect("three");
    kafka.signal(follower, Signal::KILL);
    let words = refused(&mut log, "while one is away");
    assert!(words.contains("NOT_ENOUGH_REPLICAS"), "{words}");
    assert!(words.contains("min.insync.replicas asks for 3: start the others"), "{words}");
    // Opening anew alone does not help, and says so as well.
    options.delivery_timeout = Duration::from_secs(2);
    let words = refused(&mut open(&options), "still away");
    assert!(words.contains("NOT_ENOUGH_REPLICAS"), "{words}");
    assert_kept(&options, &acknowledged);

    kafka.start_again(follower);
    options.delivery_timeout = PATIENCE;
    acknowledged.push(append_after(&options));
    assert_kept(&options, &acknowledged);
}

#[test]
fn r18_most_brokers_stopped_nothing_is_acknowledged_until_they_are_back() {
    let kafka = OwnKafka::start(3);
    let mut options = kafka.options();
    options.delivery_timeout = Duration::from_secs(5);
    ensure_topic(&options).expect("kafka runs");
    let mut log = open(&options);
    let mut acknowledged =
        vec![(append_one(&mut log, "before").expect("all are there"), "before".into())];

    let others: Vec<_> = (1..=3).filter(|id| Some(*id) != leader(&options)).collect();
    for broker in &others {
        kafka.signal(*broker, Signal::STOP);
    }
    refused(&mut log, "while most are away");
    for broker in &others {
        kafka.signal(*broker, Signal::CONT);
    }
    options.delivery_timeout = PATIENCE;
    acknowledged.push(append_after(&options));
    assert_kept(&options, &acknowledged);
}

#[test]
fn r16_kafka_stopped_for_10_s_gives_no_false_ack() {
    const STOPPED: Duration = Duration::from_secs(10);
    let kafka = OwnKafka::start(1);
    let mut options = kafka.options();
    ensure_topic(&options).expect("kafka runs");
    let mut log = open(&options);
    let mut tail = KafkaTail::open(options.clone(), 0, 1).expect("kafka runs");
    let mut acknowledged =
        vec![(append_one(&mut log, "before").expect("it runs"), "before".into())];

    // An append that may take longer waits, and comes when the broker goes on.
    kafka.signal(1, Signal::STOP);
    let (sender, receiver) = channel();
    thread::spawn(move || {
        let appended = append_one(&mut log, "meanwhile");
        sender.send((appended, log)).expect("the test waits");
    });
    let early = receiver.recv_timeout(STOPPED);
    assert!(matches!(early, Err(RecvTimeoutError::Timeout)), "{early:?}");
    kafka.signal(1, Signal::CONT);
    let (appended, log) = receiver.recv_timeout(GOES_ON).expect("it goes on");
    acknowledged.push((appended.expect("it had the time"), "meanwhile".into()));
    drop(log);

    // One that may not is an error, and says that nobody answers.
    options.delivery_timeout = Duration::from_secs(2);
    let mut log = open(&options);
    kafka.signal(1, Signal::STOP);
    let words = refused(&mut log, "too late");
    assert!(words.contains("no broker at"), "{words}");
    kafka.signal(1, Signal::CONT);
    options.delivery_timeout = GOES_ON;
    let (offset, payload) = append_after(&options);
    acknowledged.push((offset, payload));
    assert_kept(&options, &acknowledged);

    // The tail was there all the time.
    let seen = follow(&mut tail, offset);
    for record in acknowledged {
        assert!(seen.contains(&record), "{record:?}");
    }
}
