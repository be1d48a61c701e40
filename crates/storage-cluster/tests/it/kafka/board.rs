//! The notice board: every node reads what every node writes, in one order, with the broker's time.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use frontdesk_storage_cluster::{KafkaBoard, Notice};
use tokio::sync::mpsc::Receiver;
use tokio::time::timeout;

use super::PATIENCE;
use super::services::{OwnKafka, TestTopic};
use rustix::process::Signal;

async fn next(receiver: &mut Receiver<Notice>) -> Notice {
    timeout(PATIENCE, receiver.recv()).await.expect("it comes").expect("the board is open")
}

fn now_ms() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    i64::try_from(now.as_millis()).expect("a long time")
}

#[tokio::test]
async fn all_nodes_read_all_notices_in_one_order_with_the_brokers_time() {
    let topic = TestTopic::new();
    let (left, mut left_notices) = KafkaBoard::open(&topic.options).expect("kafka runs");
    let (right, mut right_notices) = KafkaBoard::open(&topic.options).expect("kafka runs");
    let began = now_ms();
    for number in 0..50 {
        left.publish(format!("left {number}").as_bytes());
        right.publish(format!("right {number}").as_bytes());
    }
    let mut seen = Vec::new();
    for _ in 0..100 {
        let notice = next(&mut left_notices).await;
        assert_eq!(next(&mut right_notices).await, notice);
        // The broker runs on this machine.
        assert!((began..=now_ms()).contains(&notice.written_ms), "{notice:?}");
        seen.push(String::from_utf8(notice.payload.to_vec()).expect("text"));
    }
    for name in ["left", "right"] {
        let own: Vec<_> = seen.iter().filter(|text| text.starts_with(name)).cloned().collect();
        assert_eq!(own, (0..50).map(|number| format!("{name} {number}")).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn a_new_node_begins_with_what_was_written_just_before() {
    let topic = TestTopic::new();
    let (early, mut early_notices) = KafkaBoard::open(&topic.options).expect("kafka runs");
    early.publish(b"long ago");
    let written_ms = next(&mut early_notices).await.written_ms;
    // Later by the broker's clock, which the notices tell.
    loop {
        early.publish(b"lately");
        if next(&mut early_notices).await.written_ms > written_ms + 6_000 {
            break;
        }
    }
    let (_late, mut late_notices) = KafkaBoard::open(&topic.options).expect("kafka runs");
    let first = next(&mut late_notices).await;
    assert_eq!(first.payload, "lately");
    let newest_ms = now_ms();
    assert!(first.written_ms > written_ms + 500, "{first:?}");
    assert!(newest_ms - first.written_ms < 30_000, "{first:?}");
}

/// Notices do not wait for a Kafka that is away: nobody is held up, and later ones arrive.
#[tokio::test(flavor = "multi_thread")]
async fn r16_writing_does_not_wait_and_goes_on_when_kafka_is_back() {
    let kafka = OwnKafka::start(1);
    let options = kafka.options();
    let (board, mut notices) = KafkaBoard::open(&options).expect("kafka runs");
    kafka.signal(1, Signal::STOP);
    let began = std::time::Instant::now();
    for _ in 0..100_000 {
        board.publish(b"lost");
    }
    // Far less than a broker that stands still would cost.
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    kafka.signal(1, Signal::CONT);
    let read = async {
        loop {
            board.publish(b"again");
            let notice = timeout(Duration::from_millis(100), notices.recv()).await;
            if notice.is_ok_and(|notice| notice.expect("it is open").payload == "again") {
                break;
            }
        }
    };
    timeout(PATIENCE, read).await.expect("it goes on");
}
