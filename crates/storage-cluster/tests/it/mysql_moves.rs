//! Partitions that are moved to another shard while nodes read and write them, and moves that are interrupted.

use std::ops::ControlFlow;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use frontdesk_storage::conformance::history::{PARTITIONS, batches, conversation, log, write};
use frontdesk_storage::{ConversationWrite, History, HistoryError, MessageKey};
use frontdesk_storage_cluster::{MoveError, MoveStep, MySqlHistory, MySqlOptions};

use crate::mysql::{Client, Databases, execute, next};

/// The child process of a test: the step at which it dies, and the databases.
const MOVER: &str = "FRONTDESK_TEST_MOVER";
/// Conversations that are moved: more than are copied at once.
const MOVED: usize = 70;

/// The partition that is moved: the one conversation 1 lies in. It begins on the shard of an even or odd number.
fn partition() -> u16 {
    log(1)
}

/// Conversations of the partition.
fn numbers() -> Vec<u32> {
    (1..).filter(|number| log(*number) == partition()).take(MOVED).collect()
}

/// A conversation with entries of its own, some replaced, and events.
fn full(number: u32, last: u64) -> ConversationWrite {
    let mut change = write(number, 1..=last);
    change.replaced = vec![(1, format!("replaced {number}").into())];
    change.events =
        (1..=3).map(|event| (event, format!("event {number} {event}").into())).collect();
    change
}

/// Two shards with a partition that has something of all.
fn filled() -> (Databases, MySqlHistory) {
    let databases = Databases::shared();
    let history = databases.open_and_own();
    for (offset, number) in (1..).zip(numbers()) {
        // One has more than is copied at once.
        let last = if offset == 2 { 2500 } else { 3 };
        history.apply(&batches(offset, vec![full(number, last)]).remove(0)).expect("the owner");
    }
    (databases, history)
}

/// All that a partition holds, as a node reads it.
fn contents(history: &MySqlHistory) -> Vec<String> {
    let read = |number: &u32| {
        let id = conversation(*number);
        let state = history.state(&id).expect("readable");
        let entries = history.since(&id, 0, usize::MAX >> 1).expect("readable");
        let events = history.events(&id, 0, 100).expect("readable");
        format!("{state:?} {entries:?} {events:?}")
    };
    numbers().iter().map(read).collect()
}

fn rows(databases: &Databases, shard: u16) -> i64 {
    let partition = partition();
    Client::connect(&databases.urls[usize::from(shard)]).number(&format!(
        "SELECT (SELECT COUNT(*) FROM conversations WHERE log = {partition}) \
         + (SELECT COUNT(*) FROM progress WHERE log = {partition}) \
         + (SELECT COUNT(*) FROM entries e WHERE NOT EXISTS \
            (SELECT 1 FROM conversations c WHERE c.id = e.conversation)) \
         + (SELECT COUNT(*) FROM moves)"
    ))
}

fn go_on(_: MoveStep) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// Between two looks. A thread that only yields takes the processor from the databases.
const LOOK_AGAIN: Duration = Duration::from_millis(1);

/// Tells threads to stop when it goes, be it by a panic.
struct StopsAtTheEnd<'a>(&'a AtomicBool);

impl Drop for StopsAtTheEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn is_retryable(error: &HistoryError) -> bool {
    matches!(error, HistoryError::Unavailable { .. })
}

/// Applies until it is taken; tells how often it was refused for now.
fn apply(history: &MySqlHistory, number: u32, seq: u64, offset: u64) -> u64 {
    let mut batch = next(number, seq);
    batch.offset = offset;
    let mut refused = 0;
    while let Err(error) = history.apply(&batch) {
        assert!(is_retryable(&error), "{error:?}");
        refused += 1;
        thread::park_timeout(LOOK_AGAIN);
    }
    refused
}

/// The owner writes all the time, another node reads, and neither sees anything but a moment's refusal of a write.
#[test]
fn a_partition_moves_while_it_is_written_and_read() {
    let (databases, owner) = filled();
    let reader = databases.open();
    let (number, home) = (numbers()[0], partition() % 2);
    let is_neighbour = |number: &u32| log(*number) % 2 == home && log(*number) != partition();
    let neighbour = (1..100).find(is_neighbour).expect("one of many");
    let (stop, written) = (AtomicBool::new(false), AtomicU64::new(3));
    thread::scope(|scope| {
        // A move that fails ends the others too, instead of waiting for them for ever.
        let _ends = StopsAtTheEnd(&stop);
        let writer = scope.spawn(|| {
            let mut offset = MOVED as u64;
            while !stop.load(Ordering::Relaxed) {
                let seq = written.load(Ordering::Relaxed) + 1;
                offset += 1;
                apply(&owner, number, seq, offset);
                written.store(seq, Ordering::Release);
            }
        });
        // I4: what was applied before is read.
        let follower = scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                let least = written.load(Ordering::Acquire);
                let page = reader.page(&conversation(number), None, 1).expect("readable");
                assert!(page[0].0 >= least, "{} was read, {least} was written", page[0].0);
                let key = write(number, least..=least).entries[0].clone();
                let sent = reader.find(&conversation(number), &key.sender, &key.client_msg_id);
                assert_eq!(sent.expect("readable").expect("it was sent").seq, least);
            }
        });
        // Another partition of the same shard goes on without an error.
        let other = scope.spawn(|| {
            for seq in 1.. {
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                owner.apply(&next(neighbour, seq)).expect("it is not moved");
            }
        });
        let goes_on = |more: u64| {
            let before = written.load(Ordering::Relaxed);
            while written.load(Ordering::Relaxed) < before + more {
                if [&writer, &follower, &other].iter().any(|thread| thread.is_finished()) {
                    return;
                }
                thread::park_timeout(LOOK_AGAIN);
            }
        };
        for target in [1 - home, home, 1 - home] {
            goes_on(20);
            owner.move_partition(partition(), target, &mut go_on).expect("both are there");
            assert_eq!(owner.placements().expect("readable")[usize::from(partition())], target);
            goes_on(20);
        }
        stop.store(true, Ordering::Relaxed);
    });
    let last = written.load(Ordering::Relaxed);
    let seqs = reader.since(&conversation(number), 0, usize::MAX >> 1).expect("readable");
    assert!(seqs.iter().map(|(seq, _)| *seq).eq(1..=last));
    // A node that begins now sees the same, and nothing is left behind.
    assert_eq!(contents(&databases.open()), contents(&reader));
    assert_eq!(rows(&databases, home), 0);
    let at = reader.applied(partition()).expect("readable");
    assert_eq!(at, MOVED as u64 + last - 3);
    let changed = reader.changed_since(partition(), 0, 1000).expect("readable");
    assert_eq!((changed.len(), changed[MOVED - 1].offset), (MOVED, at));
    assert_eq!(owner.status().expect("readable"), []);
}

/// Listing shows each conversation once, wherever a move was interrupted.
fn assert_listed_once(history: &MySqlHistory) {
    let mut listed = Vec::new();
    history
        .conversations(&mut |conversation, _| {
            listed.push(conversation);
            ControlFlow::Continue(())
        })
        .expect("readable");
    let mut expected: Vec<_> = numbers().into_iter().map(conversation).collect();
    expected.sort_unstable();
    assert_eq!(listed, expected);
}

/// Stops at every step there is; then the move is started again, or taken back as long as that can be.
#[test]
fn a_move_that_was_stopped_at_any_step_is_started_again_or_taken_back() {
    let (databases, owner) = filled();
    let reader = databases.open();
    let before = contents(&owner);
    let number = numbers()[3];
    let (mut seq, mut offset) = (3, MOVED as u64);
    let mut ended = 0;
    for (round, stop_at) in (0..40).flat_map(|step| [(0, step), (1, step)]) {
        let home = owner.placements().expect("readable")[usize::from(partition())];
        let mut steps = 0;
        let result = owner.move_partition(partition(), 1 - home, &mut |_| {
            let stops = steps == stop_at;
            steps += 1;
            if stops { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        match result {
            Ok(()) => {
                ended += 1;
                if ended == 2 {
                    break;
                }
                continue;
            }
            Err(MoveError::Stopped) => {}
            Err(error) => panic!("{error:?}"),
        }
        assert_eq!(contents(&reader)[..3], before[..3], "readers go on");
        assert_listed_once(&databases.open());
        if round == 0 {
            owner.move_partition(partition(), 1 - home, &mut go_on).expect("it goes on");
        } else {
            match owner.take_back(partition()) {
                Ok(()) => {
                    let place = owner.placements().expect("readable");
                    assert_eq!(place[usize::from(partition())], home);
                    assert_eq!(rows(&databases, 1 - home), 0);
                }
                // The last step of all: the move was done.
                Err(MoveError::NotMoving { .. }) => {}
                Err(MoveError::Flipped { .. }) => {
                    let words = owner.take_back(partition()).expect_err("it is too late");
                    assert!(words.to_string().contains("finish the move, then move it back"));
                    owner.move_partition(partition(), 1 - home, &mut go_on).expect("it goes on");
                }
                Err(error) => panic!("{error:?}"),
            }
        }
        // It is written as before.
        seq += 1;
        offset += 1;
        assert_eq!(apply(&owner, number, seq, offset), 0);
        assert_eq!(owner.status().expect("readable"), []);
    }
    assert_eq!(ended, 2, "a step too many was looked for");
    let after = contents(&reader);
    assert_eq!(after[..3], before[..3]);
    assert_eq!(after[4..], before[4..]);
}

/// Moves a partition, and dies at a step.
fn move_and_die(words: &str) {
    let (stop_at, urls) = words.split_once(' ').expect("a step and addresses");
    let stop_at: u32 = stop_at.parse().expect("a number");
    let urls = urls.split(' ').map(str::to_owned).collect();
    let history = MySqlHistory::open(&MySqlOptions::new(urls, PARTITIONS)).expect("it is there");
    let home = history.placements().expect("readable")[usize::from(partition())];
    let target = history.status().expect("readable").first().map_or(1 - home, |row| row.target);
    let mut steps = 0;
    history
        .move_partition(partition(), target, &mut |_| {
            if steps == stop_at {
                std::process::abort();
            }
            steps += 1;
            ControlFlow::Continue(())
        })
        .expect("it is moved");
}

#[test]
fn the_mover_to_be_killed() {
    // Started by the test below; alone it has nothing to do.
    if let Ok(words) = std::env::var(MOVER) {
        move_and_die(&words);
    }
}

/// Each process does a little more than the one before, and dies.
#[test]
fn a_mover_that_dies_again_and_again_comes_to_an_end_and_the_owner_goes_on() {
    let (databases, owner) = filled();
    let before = contents(&owner);
    let home = partition() % 2;
    let number = numbers()[3];
    let mut died = 0;
    for stop_at in 0.. {
        let status = Command::new(std::env::current_exe().expect("this binary"))
            .args(["mysql_moves::the_mover_to_be_killed", "--exact"])
            .env(MOVER, format!("{stop_at} {}", databases.urls.join(" ")))
            .output()
            .expect("this binary")
            .status;
        // It may be refused as long as the partition is paused, and is taken once.
        let batch = frontdesk_storage::Batch { offset: MOVED as u64 + 1, ..next(number, 4) };
        if let Err(error) = owner.apply(&batch) {
            assert!(is_retryable(&error), "{error:?}");
        }
        if status.success() {
            break;
        }
        died += 1;
        assert!(died < 40, "it never ends");
    }
    assert!(died >= 5, "it died {died} times only");
    assert_eq!(owner.placements().expect("readable")[usize::from(partition())], 1 - home);
    assert_eq!(rows(&databases, home), 0);
    assert_eq!(apply(&owner, number, 4, MOVED as u64 + 1), 0);
    let after = contents(&owner);
    assert_eq!((&after[..3], &after[4..]), (&before[..3], &before[4..]));
    assert_eq!(owner.page(&conversation(number), None, 10).expect("readable").len(), 4);
}

/// A node takes the partition over while it is paused, on the one side or the other: it is the owner afterwards.
#[test]
fn an_owner_that_comes_during_a_move_is_the_owner_after_it() {
    let (databases, former) = filled();
    let number = numbers()[0];
    for stop in [MoveStep::Paused, MoveStep::Ready, MoveStep::Flipped, MoveStep::Closed] {
        let home = former.placements().expect("readable")[usize::from(partition())];
        let owner = databases.open();
        owner.own(&[partition()], databases.next_epoch()).expect("a higher epoch");
        let stopped = owner.move_partition(partition(), 1 - home, &mut |step| {
            if step == stop { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        assert!(matches!(stopped, Err(MoveError::Stopped)), "{stopped:?}");
        let applied = owner.applied(partition()).expect("readable");
        let batch = frontdesk_storage::Batch { offset: applied + 1, ..next(number, applied) };
        let refused = owner.apply(&batch).expect_err("it is paused");
        assert!(is_retryable(&refused), "{stop:?}: {refused:?}");

        let newer = databases.open();
        newer.own(&[partition()], databases.next_epoch()).expect("a higher epoch");
        let fenced = owner.own(&[partition()], 1).expect_err("a lower epoch");
        assert!(matches!(fenced, HistoryError::Fenced { .. }), "{stop:?}: {fenced:?}");
        owner.move_partition(partition(), 1 - home, &mut go_on).expect("it goes on");
        let fenced = owner.apply(&batch).expect_err("another is the owner");
        assert!(matches!(fenced, HistoryError::Fenced { .. }), "{stop:?}: {fenced:?}");
        newer.apply(&batch).expect("the owner");
    }
}

/// Many messages are looked up on both sides of a move that this node has not heard of.
#[test]
fn a_node_that_looks_at_the_former_shard_finds_the_partition() {
    let (databases, owner) = filled();
    let stale: Vec<_> = (0..5).map(|_| databases.open()).collect();
    let before = contents(&owner);
    owner.move_partition(partition(), 1 - partition() % 2, &mut go_on).expect("it is moved");
    let sent = write(1, 1..=3);
    let keys: Vec<_> = sent
        .entries
        .iter()
        .map(|entry| MessageKey {
            conversation: conversation(1),
            sender: &entry.sender,
            client_msg_id: &entry.client_msg_id,
        })
        .collect();
    let found = stale[0].find_many(&keys).expect("readable");
    assert_eq!(found.iter().flatten().map(|sent| sent.seq).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(contents(&stale[1]), before);
    assert_eq!(stale[2].changed_since(partition(), 0, 1000).expect("readable").len(), MOVED);
    assert_listed_once(&stale[3]);
    stale[4].own(&[partition()], databases.next_epoch()).expect("a higher epoch");
    stale[4].apply(&next(1, MOVED as u64 + 1)).expect("the owner");
}

#[test]
fn a_copy_that_differs_is_not_used() {
    let (databases, owner) = filled();
    let home = partition() % 2;
    let stopped = owner.move_partition(partition(), 1 - home, &mut |step| {
        if step == MoveStep::Paused { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    assert!(matches!(stopped, Err(MoveError::Stopped)), "{stopped:?}");
    let other = &databases.urls[usize::from(1 - home)];
    execute(other, &["UPDATE entries SET entry = 'other' WHERE seq = 2 LIMIT 1"]);
    let error = owner.move_partition(partition(), 1 - home, &mut go_on).expect_err("it differs");
    assert!(matches!(error, MoveError::Differs { table: "entries", .. }), "{error:?}");
    owner.take_back(partition()).expect("it is not flipped");
    owner.move_partition(partition(), 1 - home, &mut go_on).expect("it is copied anew");
}

#[test]
fn what_cannot_be_moved_is_refused_in_words() {
    let (databases, owner) = filled();
    let home = partition() % 2;
    owner.move_partition(partition(), home, &mut go_on).expect("it is there already");
    let words = |result: Result<(), MoveError>| result.expect_err("it cannot be").to_string();
    let unknown = words(owner.move_partition(partition(), 2, &mut go_on));
    assert!(unknown.contains("there is no shard 2, the last one is 1"), "{unknown}");
    let unknown = words(owner.move_partition(PARTITIONS, 0, &mut go_on));
    assert!(unknown.contains("there is no partition 300"), "{unknown}");
    assert!(words(owner.take_back(partition())).contains("there is nothing to take back"));

    // One at a time.
    let other = databases.open();
    owner
        .move_partition(partition(), 1 - home, &mut |_| {
            let busy = other.move_partition(0, 1, &mut go_on);
            assert!(matches!(busy, Err(MoveError::Busy)), "{busy:?}");
            ControlFlow::Continue(())
        })
        .expect("it is moved");
}

/// A shard that came later takes partitions; a node that does not know its address says so.
#[test]
fn partitions_move_to_a_shard_that_was_added() {
    let (databases, owner) = filled();
    let added = Databases::shared();
    let mut options = databases.options();
    options.urls.push(added.urls[0].clone());
    let wider = MySqlHistory::open(&options).expect("a third shard");
    let before = contents(&wider);
    wider.move_partition(partition(), 2, &mut go_on).expect("it is there");
    assert_eq!(contents(&wider), before);
    let error = owner.state(&conversation(1)).expect_err("it does not know where");
    let HistoryError::Unavailable { source, .. } = &error else { panic!("{error:?}") };
    assert!(source.to_string().contains("add it to the configuration"), "{source}");
}

/// Two numbers of one database: only the place changes.
#[test]
fn a_move_within_one_database_copies_nothing() {
    let databases = Databases::shared_one();
    let history = databases.open_and_own();
    history.apply(&next(1, 1)).expect("the owner");
    let home = partition() % 2;
    history
        .move_partition(partition(), 1 - home, &mut |step| panic!("{step:?}"))
        .expect("it is there");
    assert_eq!(history.placements().expect("readable")[usize::from(partition())], 1 - home);
    history.apply(&next(1, 2)).expect("the owner");
    assert_eq!(history.page(&conversation(1), None, 10).expect("readable").len(), 2);
}
