//! Brokers that were away for longer than their session say for a moment that there are none: every client finds them
//! again by itself, also one that has nothing to send.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use frontdesk_storage_cluster::{
    GroupEvent, KafkaBoard, KafkaGroup, KafkaOptions, KafkaProducer, Notice, ensure_topic,
};
use rustix::process::Signal;
use tokio::sync::mpsc::Receiver;

use super::PATIENCE;
use super::services::OwnKafka;

/// Longer than the 9 s for which brokers believe one another, and so long that clients connect anew afterwards.
const AWAY: Duration = Duration::from_secs(30);
/// Without help 4 to 6 of so many were not well after 30 s, in two runs of two.
const NODES: usize = 12;
/// As long as a cluster may take after an outage.
const RETURN_MAX: Duration = Duration::from_secs(30);

/// What one node has open.
struct Node {
    group: KafkaGroup,
    events: Receiver<GroupEvent>,
    board: KafkaBoard,
    notices: Receiver<Notice>,
    producer: Arc<KafkaProducer>,
}

impl Node {
    /// Alone in an installation of its own.
    fn open(mut options: KafkaOptions, number: usize) -> Self {
        options.topic = format!("installation-{number}");
        ensure_topic(&options).expect("kafka runs");
        let (group, events) = KafkaGroup::join(&options).expect("kafka runs");
        let (board, notices) = KafkaBoard::open(&options).expect("kafka runs");
        let producer = KafkaProducer::open(options).expect("it looks for brokers by itself");
        Self { group, events, board, notices, producer }
    }

    /// What is not as it was, if anything.
    fn trouble(&mut self, mark: &str) -> Option<&'static str> {
        if self.group.is_in_doubt() {
            return Some("its membership is in doubt");
        }
        if self.producer.check().is_err() {
            return Some("its producer reaches nobody");
        }
        self.board.publish(mark.as_bytes());
        let deadline = Instant::now() + Duration::from_millis(500);
        while Instant::now() < deadline {
            match self.notices.try_recv() {
                Ok(notice) if notice.payload == mark => return None,
                Ok(_) => {}
                Err(_) => thread::park_timeout(Duration::from_millis(10)),
            }
        }
        Some("it reads no notices")
    }
}

#[test]
fn r16_clients_find_brokers_again_that_said_that_there_are_none() {
    let kafka = OwnKafka::start(1);
    let open = |number| Node::open(kafka.options(), number);
    let mut nodes: Vec<Node> = (0..NODES).map(open).collect();
    for node in &mut nodes {
        let owned = node.events.blocking_recv();
        assert!(matches!(owned, Some(GroupEvent::Assigned(_))), "{owned:?}");
    }
    let all_well = |nodes: &mut Vec<Node>, mark: &str| {
        let troubles = nodes.iter_mut().enumerate();
        let troubles = troubles.filter_map(|(number, node)| Some((number, node.trouble(mark)?)));
        troubles.collect::<Vec<_>>()
    };
    let deadline = Instant::now() + PATIENCE;
    while !all_well(&mut nodes, "before").is_empty() {
        assert!(Instant::now() < deadline, "{:?}", all_well(&mut nodes, "before"));
    }
    kafka.signal(1, Signal::STOP);
    let away = Instant::now();
    while away.elapsed() < AWAY {
        thread::park_timeout(AWAY.saturating_sub(away.elapsed()));
    }
    kafka.signal(1, Signal::CONT);
    let deadline = Instant::now() + RETURN_MAX;
    loop {
        let troubles = all_well(&mut nodes, "after");
        if troubles.is_empty() {
            break;
        }
        assert!(Instant::now() < deadline, "after {RETURN_MAX:?}: {troubles:?}");
    }
}
