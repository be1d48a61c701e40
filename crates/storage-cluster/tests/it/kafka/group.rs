//! Members of the owners' group: each partition has one owner, and another one soon after that one goes.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use frontdesk_storage::conformance::log::append;
use frontdesk_storage_cluster::{GroupEvent, Handover, KafkaGroup, KafkaOptions, ensure_topic};
use rustix::process::Signal;

use super::services::{OwnKafka, TestTopic};
use super::{PATIENCE, open};

const PARTITIONS: u16 = 8;
/// The child process of a test: brokers and topic of the group it joins.
const MEMBER: &str = "FRONTDESK_TEST_GROUP_MEMBER";

/// The members of a test, and what they own.
struct Members {
    options: KafkaOptions,
    groups: Vec<KafkaGroup>,
    owned: Vec<BTreeSet<u16>>,
    events: Receiver<(usize, Option<GroupEvent>)>,
    sender: Sender<(usize, Option<GroupEvent>)>,
    /// Partitions whose handover is withheld.
    withheld: Vec<Handover>,
    withholds: bool,
}

impl Members {
    fn new(options: &KafkaOptions) -> Self {
        let (sender, events) = channel();
        let (options, groups) = (options.clone(), Vec::new());
        Self {
            options,
            groups,
            owned: Vec::new(),
            events,
            sender,
            withheld: Vec::new(),
            withholds: false,
        }
    }

    fn join(&mut self) {
        let (group, mut receiver) = KafkaGroup::join(&self.options).expect("kafka runs");
        let number = self.groups.len();
        self.groups.push(group);
        self.owned.push(BTreeSet::new());
        let sender = self.sender.clone();
        thread::spawn(move || {
            loop {
                let event = receiver.blocking_recv();
                let is_end = event.is_none();
                // A test that has ended listens no more.
                if sender.send((number, event)).is_err() || is_end {
                    break;
                }
            }
        });
    }

    /// Takes the next event, if one comes in time. No partition ever has two owners.
    fn step(&mut self, deadline: Instant) -> bool {
        let left = deadline.saturating_duration_since(Instant::now());
        let Ok((member, event)) = self.events.recv_timeout(left) else { return false };
        match event {
            Some(GroupEvent::Assigned(new)) => {
                for partition in new {
                    let owner = self.owned.iter().position(|owned| owned.contains(&partition));
                    assert_eq!(owner, None, "{partition} has an owner already");
                    self.owned[member].insert(partition);
                }
            }
            Some(GroupEvent::Revoked(old, handover)) => {
                for partition in old {
                    assert!(self.owned[member].remove(&partition), "{partition} is another's");
                }
                if self.withholds {
                    self.withheld.push(handover);
                } else {
                    handover.done();
                }
            }
            Some(GroupEvent::Lost(lost)) => panic!("{member} lost {lost:?}"),
            None => assert!(self.owned[member].is_empty(), "it left with partitions"),
        }
        true
    }

    fn counts(&self) -> Vec<usize> {
        self.owned.iter().map(BTreeSet::len).collect()
    }

    /// Waits until each member has so many partitions.
    fn wait(&mut self, counts: &[usize], limit: Duration) -> Duration {
        let began = Instant::now();
        while self.counts() != counts {
            assert!(self.step(began + limit), "{:?} after {limit:?}", self.counts());
        }
        began.elapsed()
    }
}

#[test]
fn r17_members_share_all_partitions_and_one_that_leaves_hands_over_within_3_s() {
    let topic = TestTopic::with_partitions(PARTITIONS);
    let producer = topic.producer();
    let mut members = Members::new(&topic.options);
    members.join();
    members.wait(&[8], PATIENCE);
    members.join();
    members.wait(&[4, 4], PATIENCE);
    // There is something that could be fetched.
    for partition in 0..PARTITIONS {
        append(&mut open(&producer, partition), &[b"a record"]);
    }
    members.join();
    members.wait(&[3, 3, 2], PATIENCE);
    members.groups[1].leave();
    let began = Instant::now();
    while members.counts()[1] != 0 || members.counts().iter().sum::<usize>() != 8 {
        assert!(members.step(began + Duration::from_secs(3)), "{:?}", members.counts());
    }
    for group in &members.groups {
        assert_eq!(group.fetched_records(), 0);
    }
}

#[test]
fn a_new_owner_waits_until_the_former_one_has_handed_over() {
    let topic = TestTopic::with_partitions(PARTITIONS);
    let mut members = Members::new(&topic.options);
    members.join();
    members.wait(&[8], PATIENCE);
    members.withholds = true;
    members.join();
    members.wait(&[4, 0], PATIENCE);
    // Nothing happens, for longer than sharing anew takes.
    assert!(!members.step(Instant::now() + Duration::from_secs(4)), "{:?}", members.counts());
    for handover in std::mem::take(&mut members.withheld) {
        handover.done();
    }
    members.wait(&[4, 4], PATIENCE);
    members.withholds = false;
}

/// Joins and tells what it owns, until it is killed.
fn be_a_member(place: &str) {
    let (brokers, topic) = place.split_once(' ').expect("brokers and topic");
    let mut options = TestTopic::not_made_on(brokers.to_owned());
    topic.clone_into(&mut options.topic);
    options.partitions = PARTITIONS;
    let (_group, mut events) = KafkaGroup::join(&options).expect("kafka runs");
    let mut told = std::io::stdout();
    while let Some(event) = events.blocking_recv() {
        if let GroupEvent::Assigned(partitions) = event {
            for partition in partitions {
                writeln!(told, "owns {partition}").expect("the test reads");
            }
            told.flush().expect("the test reads");
        }
    }
}

#[test]
fn the_member_to_be_killed() {
    // Started by the test below; alone it has nothing to do.
    if let Ok(place) = std::env::var(MEMBER) {
        be_a_member(&place);
    }
}

#[test]
fn r17_partitions_of_a_member_that_is_killed_have_an_owner_within_10_s() {
    let topic = TestTopic::with_partitions(PARTITIONS);
    let mut members = Members::new(&topic.options);
    members.join();
    members.wait(&[8], PATIENCE);
    let mut killed = Command::new(std::env::current_exe().expect("this binary"))
        .args(["kafka::group::the_member_to_be_killed", "--exact", "--nocapture"])
        .env(MEMBER, format!("{} {}", topic.options.brokers, topic.options.topic))
        .stdout(Stdio::piped())
        .spawn()
        .expect("this binary");
    members.wait(&[4], PATIENCE);
    let lines = BufReader::new(killed.stdout.take().expect("it is piped")).lines();
    let owned: BTreeSet<u16> = lines
        .map(|line| line.expect("text"))
        .filter_map(|line| Some(line.split_once("owns ")?.1.parse().expect("a number")))
        .take(4)
        .collect();
    assert!(owned.is_disjoint(&members.owned[0]), "{owned:?} {:?}", members.owned[0]);
    killed.kill().expect("it runs");
    killed.wait().expect("it was killed");
    members.wait(&[8], Duration::from_secs(10));
}

/// The only broker stands still for longer than a session, then is killed and started: members keep what they have,
/// and hear of nothing twice.
#[test]
fn r16_members_keep_their_partitions_while_kafka_is_away() {
    let kafka = OwnKafka::start(1);
    let mut options = kafka.options();
    options.partitions = PARTITIONS;
    ensure_topic(&options).expect("kafka runs");
    let mut members = Members::new(&options);
    members.join();
    members.wait(&[8], PATIENCE);
    kafka.signal(1, Signal::STOP);
    assert!(!members.step(Instant::now() + Duration::from_secs(9)), "{:?}", members.counts());
    assert!(members.groups[0].is_in_doubt());
    kafka.signal(1, Signal::KILL);
    kafka.start_again(1);
    let deadline = Instant::now() + PATIENCE;
    while members.groups[0].is_in_doubt() {
        assert!(Instant::now() < deadline, "it does not come back");
        thread::yield_now();
    }
    // The group works again, and a partition that were assigned twice would fail here.
    members.join();
    members.wait(&[4, 4], PATIENCE);
}
