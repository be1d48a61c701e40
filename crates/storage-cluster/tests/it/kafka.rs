//! The log on Kafka: the suite every log passes, and what only a log with several writers does.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use frontdesk_storage::conformance::log::{append, read_all};
use frontdesk_storage::{LogError, MessageLog, Offset, Record};
use frontdesk_storage_cluster::{KafkaLog, KafkaProducer, KafkaTail};

mod board;
pub(crate) mod bus;
mod faults;
mod group;
mod injected;
pub(crate) mod services;
mod shared;
mod stranded;
mod topic;

use services::TestTopic;

/// Far more than anything here takes.
const PATIENCE: Duration = Duration::from_mins(1);

mod conformance {
    use super::TestTopic;

    frontdesk_storage::message_log_suite!({
        let topic = TestTopic::new();
        move || topic.open()
    });
}

/// The log of a partition, whose end of an append nobody is told.
fn open(producer: &Arc<KafkaProducer>, partition: u16) -> KafkaLog {
    KafkaLog::open(producer, partition, Arc::new(|_| {})).expect("kafka runs")
}

fn record(text: &str) -> Record<'_> {
    Record { partition: 0, payload: text.as_bytes() }
}

/// Takes `count` records from a tail.
fn take(tail: &mut KafkaTail, count: usize) -> Vec<(Offset, Vec<u8>)> {
    let mut records = Vec::new();
    let deadline = Instant::now() + PATIENCE;
    while records.len() < count {
        assert!(Instant::now() < deadline, "{} of {count} came", records.len());
        tail.poll(Duration::from_secs(1), &mut |offset, _, payload| {
            records.push((offset, payload.to_vec()));
            ControlFlow::Continue(())
        })
        .expect("kafka runs");
    }
    records
}

/// Both open anew whenever the other one was faster; all they append is there, and what was acknowledged lies
/// where they were told.
#[test]
fn a_tail_shows_what_two_writers_append_in_one_order() {
    const TURNS: usize = 200;
    let topic = TestTopic::new();
    let mut tail = KafkaTail::open(topic.options.clone(), 0, 1).expect("a new partition");
    // Where one takes long to reach its broker the other does not run ahead.
    let begun = Arc::new(Barrier::new(2));
    let writers = ["left", "right"].map(|name| {
        let (producer, begun) = (topic.producer(), Arc::clone(&begun));
        thread::spawn(move || append_turns(&producer, name, TURNS, &begun))
    });
    // Beside the writers, as the owner of a partition does.
    let seen = take(&mut tail, 2 * 3 * TURNS);
    let offsets: Vec<_> = seen.iter().map(|(offset, _)| *offset).collect();
    assert_eq!(offsets, (1..=6 * TURNS as Offset).collect::<Vec<_>>());

    let by_offset: HashMap<_, _> = seen.iter().cloned().collect();
    let mut overtaken = 0;
    for (name, writer) in ["left", "right"].into_iter().zip(writers) {
        let acknowledged = writer.join().expect("a writer");
        overtaken += TURNS - acknowledged.len();
        for (offset, turn) in acknowledged {
            for (offset, text) in (offset..).zip(turn_of(name, turn)) {
                assert_eq!(by_offset[&offset], text.into_bytes());
            }
        }
        // Each writer's records are in its order, those that were overtaken too.
        let own = seen.iter().filter(|(_, text)| text.starts_with(name.as_bytes()));
        let expected = (0..TURNS).flat_map(|turn| turn_of(name, turn)).map(String::into_bytes);
        assert!(own.map(|(_, text)| text.clone()).eq(expected));
    }
    assert_ne!(overtaken, 0, "they did not meet");

    // Another reader sees the same.
    let mut other = KafkaTail::open(topic.options.clone(), 0, 1).expect("a whole partition");
    assert_eq!(take(&mut other, seen.len()), seen);
}

fn turn_of(name: &str, turn: usize) -> [String; 3] {
    [0, 1, 2].map(|part| format!("{name} {turn} {part}"))
}

/// Appends turns, each once; returns where those that were acknowledged lie.
fn append_turns(
    producer: &Arc<KafkaProducer>,
    name: &str,
    turns: usize,
    begun: &Barrier,
) -> Vec<(Offset, usize)> {
    let mut log = open(producer, 0);
    let mut acknowledged = Vec::new();
    for turn in 0..turns {
        let texts = turn_of(name, turn);
        let records = texts.each_ref().map(|text| record(text));
        match log.append(&records) {
            Ok(offset) => acknowledged.push((offset, turn)),
            Err(LogError::Overtaken { .. }) => log = open(producer, 0),
            Err(error) => panic!("{error}"),
        }
        if turn == 0 {
            begun.wait();
        }
    }
    acknowledged
}

#[test]
fn a_tail_waits_for_what_comes_and_stops_when_told() {
    let topic = TestTopic::new();
    let mut log = topic.open();
    append(&mut log, &[b"one", b"two", b"three"]);
    let mut tail = KafkaTail::open(topic.options.clone(), 0, 2).expect("a whole partition");
    let mut first = Vec::new();
    while first.is_empty() {
        tail.poll(PATIENCE, &mut |offset, _, _| {
            first.push(offset);
            ControlFlow::Break(())
        })
        .expect("kafka runs");
    }
    assert_eq!((first, tail.next_offset()), (vec![2], 3));
    assert_eq!(take(&mut tail, 1), [(3, b"three".to_vec())]);
    // Nothing more is there.
    let nothing = tail.poll(Duration::from_millis(50), &mut |_, _, _| ControlFlow::Continue(()));
    assert_eq!(nothing.expect("kafka runs"), 0);
    append(&mut log, &[b"four"]);
    assert_eq!(take(&mut tail, 1), [(4, b"four".to_vec())]);
}

#[test]
fn a_tail_refuses_what_is_trimmed_and_what_never_was() {
    let topic = TestTopic::new();
    let mut log = topic.open();
    append(&mut log, &[b"a", b"b", b"c"]);
    log.trim(3).expect("kafka runs");
    let trimmed = KafkaTail::open(topic.options.clone(), 0, 2).expect_err("it is gone");
    assert!(matches!(trimmed, LogError::Trimmed { first: 3 }), "{trimmed}");
    KafkaTail::open(topic.options.clone(), 0, 4).expect("it is next");
    let lost = KafkaTail::open(topic.options.clone(), 0, 5).expect_err("it never was");
    assert!(matches!(lost, LogError::Corrupt { at: 4, .. }), "{lost}");
    assert_eq!(topic.open().first_offset(), 3);
}

/// A tail that was behind when records were trimmed hears of it, rather than go on where there are some.
#[test]
fn a_tail_left_behind_by_a_trim_fails() {
    let topic = TestTopic::new();
    let mut log = topic.open();
    append(&mut log, &[b"a"]);
    let mut tail = KafkaTail::open(topic.options.clone(), 0, 1).expect("a whole partition");
    // More than a reader fetches ahead.
    let payload = vec![7; 256 << 10];
    for _ in 0..40 {
        append(&mut log, &[&payload, &payload, &payload, &payload]);
    }
    log.trim(161).expect("kafka runs");
    let deadline = Instant::now() + PATIENCE;
    let error = loop {
        assert!(Instant::now() < deadline, "no error at {}", tail.next_offset());
        let before = tail.next_offset();
        let mut expected = before;
        match tail.poll(Duration::from_secs(1), &mut |offset, _, _| {
            assert_eq!(offset, expected);
            expected += 1;
            ControlFlow::Continue(())
        }) {
            Ok(_) => assert!(tail.next_offset() < 161, "it read what was trimmed"),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, LogError::Trimmed { first: 161 }), "{error}");
}

/// Something else writes into the topic: it is named, not skipped.
#[test]
fn a_record_of_another_program_is_damage() {
    let topic = TestTopic::new();
    let mut log = topic.open();
    append(&mut log, &[b"ours"]);
    topic.write_without_key(b"theirs");
    let mut seen = 0;
    let error = log.read(1, &mut |_, _, _| {
        seen += 1;
        ControlFlow::Continue(())
    });
    let error = error.expect_err("it is not ours");
    assert!(matches!(error, LogError::Corrupt { at: 2, .. }), "{error}");
    assert_eq!(seen, 1);
}

/// The broker refuses a record for good. The producer may not go on behind the gap: it is replaced at once.
#[test]
fn r18_a_fatal_producer_error_poisons_and_opening_anew_takes_less_than_5_s() {
    let topic = TestTopic::with_settings(1, &[("max.message.bytes", "2000")]);
    let producer = topic.producer();
    let mut log = open(&producer, 0);
    append(&mut log, &[b"before"]);
    // Larger than a batch, so that what is behind it goes in another one.
    let large = vec![1; 300 << 10];
    let turn = [large.as_slice(), b"behind"].map(|payload| Record { partition: 0, payload });
    let began = Instant::now();
    let error = log.append(&turn).expect_err("the broker refuses it");
    let LogError::Io { source, .. } = &error else { panic!("{error}") };
    assert!(source.to_string().contains("the producer gave up"), "{source}");
    let small = Record { partition: 0, payload: b"small" };
    let poisoned = log.append(&[small]).expect_err("it is dead");
    assert!(matches!(poisoned, LogError::Poisoned), "{poisoned}");
    // What was appended can still be read, and nothing is behind the gap.
    assert_eq!(read_all(&log, 1).len(), 1);

    drop(log);
    let mut log = open(&producer, 0);
    assert_eq!(append(&mut log, &[b"after"]), 2);
    let took = began.elapsed();
    assert!(took < Duration::from_secs(5), "{took:?}");
    assert_eq!(read_all(&log, 1).len(), 2);
}
