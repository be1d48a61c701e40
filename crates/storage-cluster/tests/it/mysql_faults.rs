//! R20: a shard stands still or is killed, transactions get in each other's way, connections are used up. Only the
//! conversations of that shard may be refused, within the deadline, and they go on by themselves.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use frontdesk_storage::conformance::history::{PARTITIONS, batches, conversation, log, write};
use frontdesk_storage::{Batch, History, HistoryError};
use frontdesk_storage_cluster::{MySqlHistory, MySqlOptions};
use frontdesk_testkit::ChaosProxy;
use rustix::process::Signal;

use crate::mysql::{Client, Databases, conversation_on, next};
use crate::services::OwnServices;

/// What R20 gives the pool to recover.
const RECOVERY_MAX: Duration = Duration::from_secs(10);
const DEADLINE: Duration = Duration::from_secs(2);
/// What a call may take beyond its deadline on a machine that is busy.
const GRACE: Duration = Duration::from_secs(2);
/// Far more than anything here takes.
const PATIENCE: Duration = Duration::from_mins(1);

fn unavailable(error: &HistoryError) -> bool {
    matches!(error, HistoryError::Unavailable { .. })
}

/// Asks until it is so.
fn until(what: &str, patience: Duration, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < patience, "not within {patience:?}: {what}");
        thread::yield_now();
    }
}

fn open(databases: &Databases) -> MySqlHistory {
    let options = MySqlOptions { timeout: DEADLINE, ..databases.options() };
    let history = MySqlHistory::open(&options).expect("the shards are there");
    let all: Vec<_> = (0..PARTITIONS).collect();
    history.own(&all, databases.next_epoch()).expect("a higher epoch than before");
    history
}

/// Takes one shard away and gives it back, while others read and write both.
fn one_shard_goes_and_comes(away: impl FnOnce(&OwnServices), back: impl FnOnce(&OwnServices)) {
    let servers = OwnServices::start_only(&["mysql-1", "mysql-2"]);
    let databases = Databases::of(&servers);
    let history = open(&databases);
    let [stays, goes] = [0, 1].map(conversation_on);
    for number in [stays, goes] {
        history.apply(&next(number, 1)).expect("both are there");
    }

    let stop = AtomicBool::new(false);
    let applied = AtomicU64::new(1);
    thread::scope(|scope| {
        // The other shard's conversations go on all the time, without an error.
        let writer = scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                let seq = applied.load(Ordering::Relaxed) + 1;
                history.apply(&next(stays, seq)).expect("its shard is there");
                let page = history.page(&conversation(stays), None, 1).expect("its shard is there");
                assert_eq!(page[0].0, seq);
                applied.store(seq, Ordering::Relaxed);
            }
        });
        let goes_on = || {
            let before = applied.load(Ordering::Relaxed);
            until("the other shard goes on", PATIENCE, || {
                assert!(!writer.is_finished(), "the other shard failed");
                applied.load(Ordering::Relaxed) > before + 20
            });
        };
        goes_on();
        away(&servers);
        // Many at once, so that connections of the pool, new ones and refused calls all are among them.
        let callers: Vec<_> = (0..24)
            .map(|_| {
                scope.spawn(|| {
                    for _ in 0..2 {
                        let began = Instant::now();
                        let error =
                            history.state(&conversation(goes)).expect_err("its shard is away");
                        assert!(unavailable(&error), "{error:?}");
                        assert!(began.elapsed() < DEADLINE + GRACE, "{:?}", began.elapsed());
                    }
                })
            })
            .collect();
        let began = Instant::now();
        let error = history.apply(&next(goes, 2)).expect_err("its shard is away");
        assert!(unavailable(&error), "{error:?}");
        assert!(began.elapsed() < DEADLINE + GRACE, "{:?}", began.elapsed());
        for caller in callers {
            caller.join().expect("refused in time");
        }
        goes_on();

        back(&servers);
        until("the shard answers again", RECOVERY_MAX, || match history.apply(&next(goes, 2)) {
            Ok(()) => true,
            Err(error) => {
                assert!(unavailable(&error), "{error:?}");
                false
            }
        });
        for seq in 3..50 {
            history.apply(&next(goes, seq)).expect("no connection is left that is none");
        }
        goes_on();
        stop.store(true, Ordering::Relaxed);
    });
    let page = history.page(&conversation(goes), None, 100).expect("it is back");
    assert_eq!(page.iter().map(|(seq, _)| *seq).collect::<Vec<_>>(), (1..50).collect::<Vec<_>>());
}

#[test]
fn r20_one_of_two_shards_stopped_refuses_its_conversations_alone() {
    one_shard_goes_and_comes(
        |servers| servers.signal("mysql-2", Signal::STOP),
        |servers| servers.signal("mysql-2", Signal::CONT),
    );
}

#[test]
fn r20_one_of_two_shards_killed_refuses_its_conversations_alone() {
    one_shard_goes_and_comes(
        |servers| servers.signal("mysql-2", Signal::KILL),
        OwnServices::start_again,
    );
}

/// Nobody is told that a connection is gone, neither by an answer nor by a reset: the deadline finds out, and no
/// connection keeps its place in the pool.
#[test]
fn r20_a_network_that_swallows_everything_keeps_no_connection() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.expect("a runtime");
    let mut databases = Databases::shared();
    let direct = databases.urls[1].clone();
    let server = direct.split(['@', '/']).nth(3).expect("host and port");
    let network = runtime.block_on(ChaosProxy::before(server.parse().expect("an address")));
    databases.urls[1] = direct.replace(server, &network.address().to_string());
    let options = MySqlOptions { timeout: DEADLINE, connections_max: 3, ..databases.options() };
    let history = MySqlHistory::open(&options).expect("the shards are there");
    let [near, far] = [0, 1].map(conversation_on);
    history.own(&[log(near), log(far)], 1).expect("the first owner");
    let everybody_asks = |is_right: fn(Result<Option<Bytes>, HistoryError>) -> bool| {
        thread::scope(|scope| {
            let callers: Vec<_> =
                (0..6).map(|_| scope.spawn(|| history.state(&conversation(far)))).collect();
            callers.into_iter().all(|caller| is_right(caller.join().expect("no panic")))
        })
    };

    for seq in 1..=3 {
        assert!(everybody_asks(|answer| answer.is_ok()));
        network.change(|weather| weather.blackhole = true);
        assert!(everybody_asks(|answer| answer.is_err_and(|error| unavailable(&error))));
        history.apply(&next(near, seq)).expect("the other shard");
        network.change(|weather| weather.blackhole = false);
        until("the shard answers again", RECOVERY_MAX, || history.apply(&next(far, seq)).is_ok());
    }
    assert!(everybody_asks(|answer| answer.is_ok()));
    databases.urls[1] = direct;
}

/// What was said while a shard was away is one batch. It takes as long as it takes; with a deadline for whatever
/// size it would be rolled back and tried again for ever.
#[test]
fn r20_a_batch_of_all_that_was_said_meanwhile_gets_the_time_it_needs() {
    const DEADLINE: Duration = Duration::from_millis(300);
    const SEQS: u64 = 6_000;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.expect("a runtime");
    let mut databases = Databases::shared_one();
    let direct = databases.urls[0].clone();
    let server = direct.split(['@', '/']).nth(3).expect("host and port");
    let network = runtime.block_on(ChaosProxy::before(server.parse().expect("an address")));
    databases.urls.fill(direct.replace(server, &network.address().to_string()));
    let options = MySqlOptions { timeout: DEADLINE, ..databases.options() };
    let history = MySqlHistory::open(&options).expect("the shards are there");
    history.own(&[log(1)], 1).expect("the first owner");
    until("a connection is there", PATIENCE, || history.apply(&next(1, 1)).is_ok());

    let mut change = write(1, 2..=SEQS);
    for entry in &mut change.entries {
        std::sync::Arc::make_mut(entry).entry = Bytes::from(vec![b'x'; 1_024]);
    }
    let batch = batches(2, vec![change]).remove(0);
    network.change(|weather| weather.latency = Duration::from_millis(20));
    let began = Instant::now();
    history.apply(&batch).expect("it gets the time it needs");
    assert!(began.elapsed() > DEADLINE, "it took {:?} only", began.elapsed());
    network.change(|weather| weather.latency = Duration::ZERO);
    let page = history.page(&conversation(1), None, 1).expect("readable");
    assert_eq!(page[0].0, SEQS);
    databases.urls.fill(direct);
}

/// A transaction that changed more rows holds what the apply needs and wants what it has: the database ends the
/// smaller one, which is the apply.
#[test]
fn r20_deadlocks_are_tried_again() {
    let servers = OwnServices::start_only(&["mysql-1"]);
    let databases = Databases::of_one(&servers);
    let history = databases.open_and_own();
    history.apply(&next(1, 1)).expect("the owner");
    let [mut rival, mut observer] = [(); 2].map(|()| Client::root(&servers, "mysql-1"));
    rival.execute("USE frontdesk");
    rival.execute("CREATE TABLE rival (number INT PRIMARY KEY)");

    for seq in 2..12 {
        let deadlocks = observer.number(DEADLOCKS);
        let retried = history.retried();
        rival.execute("START TRANSACTION");
        let rows: Vec<_> = (0..200).map(|number| format!("({})", seq * 1000 + number)).collect();
        rival.execute(&format!("INSERT INTO rival VALUES {}", rows.join(", ")));
        rival.execute("SELECT * FROM conversations FOR UPDATE");
        thread::scope(|scope| {
            let apply = scope.spawn(|| history.apply(&next(1, seq)));
            until("the apply waits", PATIENCE, || observer.number(WAITING) == 1);
            rival.execute(&format!("UPDATE progress SET epoch = epoch WHERE log = {}", log(1)));
            rival.execute("COMMIT");
            apply.join().expect("no panic").expect("it is tried again");
        });
        assert!(observer.number(DEADLOCKS) > deadlocks, "there was none");
        assert!(history.retried() > retried, "it was not tried again");
    }
    let page = history.page(&conversation(1), None, 100).expect("readable");
    assert_eq!(page.iter().map(|(seq, _)| *seq).collect::<Vec<_>>(), (1..12).collect::<Vec<_>>());
}

const DEADLOCKS: &str = "SELECT CAST(VARIABLE_VALUE AS SIGNED) FROM information_schema.GLOBAL_STATUS \
                         WHERE VARIABLE_NAME = 'INNODB_DEADLOCKS'";
const WAITING: &str = "SELECT CAST(VARIABLE_VALUE AS SIGNED) FROM information_schema.GLOBAL_STATUS \
                       WHERE VARIABLE_NAME = 'INNODB_ROW_LOCK_CURRENT_WAITS'";

/// A lock that is held for longer than a statement waits is tried for again; one that is held on and on is told.
#[test]
fn r20_locks_that_are_held_are_tried_again_within_the_deadline() {
    let servers = OwnServices::start_only(&["mysql-1"]);
    let databases = Databases::of_one(&servers);
    let history = databases.open_and_own();
    let mut rival = Client::connect(&databases.urls[0]);
    let lock = format!("SELECT * FROM progress WHERE log = {} FOR UPDATE", log(1));
    rival.execute("START TRANSACTION");
    rival.execute(&lock);
    thread::scope(|scope| {
        let apply = scope.spawn(|| history.apply(&next(1, 1)));
        until("it is tried again", PATIENCE, || history.retried() > 0);
        rival.execute("COMMIT");
        apply.join().expect("no panic").expect("the lock is free");
    });

    rival.execute("START TRANSACTION");
    rival.execute(&lock);
    let error = history.apply(&next(1, 2)).expect_err("the lock is held");
    assert!(unavailable(&error), "{error:?}");
    rival.execute("COMMIT");
    history.apply(&next(1, 2)).expect("the lock is free");
}

/// Others take all connections the server gives: calls share those the pool has; a shard that has none is refused in
/// words, until others go.
#[test]
fn r20_connections_used_up_are_told_and_come_back() {
    let servers = OwnServices::start_only(&["mysql-1"]);
    let mut databases = Databases::of_one(&servers);
    databases.urls.push(databases.urls[0].clone());
    let mut root = Client::root(&servers, "mysql-1");
    let history = databases.open();
    let [uses, unused] = [0, 2].map(|shard| {
        (1..1000).find(|number| log(*number) % 3 == shard).expect("a conversation on each shard")
    });
    history.own(&[log(uses)], 1).expect("the first owner");

    root.execute("SET GLOBAL max_connections = 10");
    let connected = "SELECT CAST(VARIABLE_VALUE AS SIGNED) FROM information_schema.GLOBAL_STATUS \
                     WHERE VARIABLE_NAME = 'THREADS_CONNECTED'";
    let mut others = Vec::new();
    while root.number(connected) < 10 {
        others.push(Client::connect(&databases.urls[0]));
    }
    let error = history.state(&conversation(unused)).expect_err("its shard has no connection");
    assert!(unavailable(&error), "{error:?}");
    let source = std::error::Error::source(&error).expect("a reason").to_string();
    assert!(source.contains("raise its max_connections"), "{source}");
    thread::scope(|scope| {
        let readers: Vec<_> = (0..16)
            .map(|_| {
                scope.spawn(|| {
                    (0..20).try_for_each(|_| history.state(&conversation(uses)).map(|_| ()))
                })
            })
            .collect();
        for seq in 1..20 {
            history.apply(&next(uses, seq)).expect("the pool has a connection");
        }
        for reader in readers {
            reader.join().expect("no panic").expect("the pool has a connection");
        }
    });
    drop(others);
    until("a connection is given", RECOVERY_MAX, || history.state(&conversation(unused)).is_ok());
}

/// What the n-th batch of a partition holds: more than one statement, in several conversations.
fn nth(numbers: &[u32], n: u64) -> Batch {
    let changes = numbers.iter().map(|number| {
        let mut change = write(*number, n * 30 - 29..=n * 30);
        change.events = vec![(n, vec![1; 50].into())];
        change
    });
    batches(n, changes.collect()).remove(0)
}

/// The server is killed while batches are applied: each is there with its offset, or not at all.
#[test]
fn a_server_killed_during_applies_keeps_batch_and_offset_together() {
    let servers = OwnServices::start_only(&["mysql-1"]);
    let databases = Databases::of_one(&servers);
    // Conversations of one partition.
    let numbers: Vec<_> = (1..20_000).filter(|number| log(*number) == log(1)).take(20).collect();
    let mut answered = 0;
    let mut in_flight = 0;
    for round in 0..4_u64 {
        let history = databases.open_and_own();
        let there = history.applied(log(1)).expect("readable");
        assert!(there >= answered, "{answered} was answered, {there} is there");
        in_flight += u64::from(there > answered);
        for number in &numbers {
            let state = history.state(&conversation(*number)).expect("readable");
            let expected = (there > 0).then(|| write(*number, 1..=there * 30).state);
            assert_eq!(state, expected);
            let seqs = history.page(&conversation(*number), None, usize::MAX).expect("readable");
            assert_eq!(seqs.len() as u64, there * 30);
            let events = history.events(&conversation(*number), 0, usize::MAX).expect("readable");
            assert_eq!(events.len() as u64, there);
        }
        answered = there;
        if round == 3 {
            break;
        }
        let progress = AtomicU64::new(there);
        thread::scope(|scope| {
            let writer = scope.spawn(|| {
                for n in there + 1.. {
                    if let Err(error) = history.apply(&nth(&numbers, n)) {
                        assert!(unavailable(&error), "{error:?}");
                        break;
                    }
                    progress.store(n, Ordering::Relaxed);
                }
            });
            until("batches are applied", PATIENCE, || {
                progress.load(Ordering::Relaxed) >= there + 3 + round
            });
            servers.signal("mysql-1", Signal::KILL);
            writer.join().expect("no other error");
        });
        answered = answered.max(progress.load(Ordering::Relaxed));
        drop(history);
        servers.start_again();
    }
    // A kill between the commit and its answer is allowed, not asked for.
    assert!(answered >= 9, "{answered} batches, {in_flight} of them without an answer");
}
