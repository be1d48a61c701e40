//! The spool: in order, durable, bounded. On fjall, and in `tests/on_rocksdb.rs` on RocksDB.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use bytes::Bytes;
use frontdesk_storage_cluster::{Spool, SpoolError};
use frontdesk_storage_embedded::Engine;

const BYTES_MAX: u64 = 64 << 20;
const DIR: &str = "FRONTDESK_TEST_SPOOL_DIR";
const PARTITIONS: u16 = 3;

fn open(dir: &Path) -> Spool {
    bounded(dir, BYTES_MAX)
}

fn bounded(dir: &Path, bytes_max: u64) -> Spool {
    Spool::open(engine(), dir, bytes_max).expect("a directory")
}

/// The engine these tests are about.
fn engine() -> Engine {
    match env!("CARGO_CRATE_NAME") {
        "on_rocksdb" => Engine::RocksDb,
        _ => Engine::Fjall,
    }
}

fn push(spool: &Spool, partition: u16, payload: &str) {
    spool.push(&[(partition, payload.as_bytes())]).expect("there is room");
}

fn front(spool: &Spool, partition: u16) -> Vec<String> {
    let records = spool.front(partition, usize::MAX).expect("readable");
    records.into_iter().map(|record| String::from_utf8(record.to_vec()).expect("text")).collect()
}

#[test]
fn records_come_back_in_the_order_of_their_partition() {
    let dir = tempfile::tempdir().expect("a directory");
    let spool = open(dir.path());
    spool.push(&[(7, b"a"), (300, b"x"), (7, b""), (7, b"c")]).expect("there is room");
    push(&spool, 300, "y");
    assert_eq!(front(&spool, 7), ["a", "", "c"]);
    assert_eq!(front(&spool, 300), ["x", "y"]);
    assert_eq!(spool.front(7, 2).expect("readable"), ["a", ""].map(Bytes::from));
    assert_eq!(spool.front(8, 2).expect("readable"), [] as [Bytes; 0]);
    assert_eq!(spool.partitions(), [(7, 3), (300, 2)]);

    spool.drop_front(7, 2).expect("writable");
    push(&spool, 7, "d");
    assert_eq!(front(&spool, 7), ["c", "d"]);
    spool.drop_front(300, 9).expect("writable");
    assert_eq!(spool.partitions(), [(7, 2)]);

    drop(spool);
    let spool = open(dir.path());
    assert_eq!(front(&spool, 7), ["c", "d"]);
    push(&spool, 7, "e");
    push(&spool, 300, "z");
    assert_eq!(
        (front(&spool, 7), front(&spool, 300)),
        (vec!["c", "d", "e"].into_iter().map(String::from).collect(), vec!["z".to_owned()])
    );
    for partition in [7, 300] {
        spool.drop_front(partition, usize::MAX).expect("writable");
    }
    assert_eq!((spool.partitions(), spool.bytes()), (vec![], 0));
}

#[test]
fn what_does_not_fit_is_refused_whole_and_fits_once_something_is_dropped() {
    let dir = tempfile::tempdir().expect("a directory");
    let spool = bounded(dir.path(), 1000);
    let large = [7; 300];
    spool.push(&[(1, &large), (1, &large)]).expect("there is room");
    let held = spool.bytes();
    let error = spool.push(&[(1, b"small"), (2, &large)]).expect_err("they are too many");
    let SpoolError::Full { bytes, bytes_max: 1000, .. } = &error else { panic!("{error}") };
    assert_eq!(*bytes, held);
    let words = error.to_string();
    assert!(words.contains("bring Kafka back, or raise the limit"), "{words}");
    assert_eq!(spool.partitions(), [(1, 2)]);

    spool.drop_front(1, 1).expect("writable");
    spool.push(&[(1, b"small"), (2, &large)]).expect("there is room");
    // The limit counts what was there before, too.
    drop(spool);
    let spool = bounded(dir.path(), 1000);
    assert!(matches!(spool.push(&[(3, &large)]), Err(SpoolError::Full { .. })));
}

/// Far more than it keeps in memory, taken out while more comes in.
#[test]
fn many_records_go_through_it() {
    let dir = tempfile::tempdir().expect("a directory");
    let spool = open(dir.path());
    let payload = [7; 1000];
    let (mut pushed, mut taken) = (0_u64, 0_u64);
    for round in 0..300 {
        let numbers: Vec<_> = (pushed..pushed + 200)
            .map(|number| [number.to_be_bytes().as_slice(), &payload].concat())
            .collect();
        let records: Vec<_> = numbers.iter().map(|record| (5, record.as_slice())).collect();
        spool.push(&records).expect("there is room");
        pushed += 200;
        if round < 50 {
            continue;
        }
        let front = spool.front(5, 230).expect("readable");
        for record in &front {
            assert_eq!(record[..8], taken.to_be_bytes());
            taken += 1;
        }
        spool.drop_front(5, front.len()).expect("writable");
    }
    assert_eq!(spool.partitions(), [(5, pushed - taken)]);
}

/// What the killed process does: pushes numbers to several partitions, tells, and drops some now and then.
fn run_until_killed(dir: &Path) {
    let spool = open(dir);
    let mut told = std::io::stdout();
    let mut next: BTreeMap<u16, u64> = BTreeMap::new();
    for (partition, _) in spool.partitions() {
        let last = front(&spool, partition).pop().expect("it has some");
        next.insert(partition, last.parse::<u64>().expect("a number") + 1);
    }
    for round in 0_u64.. {
        let numbers: Vec<_> = (0..PARTITIONS)
            .map(|partition| {
                let number = next.entry(partition).or_insert(1);
                *number += 1;
                (partition, (*number - 1).to_string())
            })
            .collect();
        let records: Vec<_> =
            numbers.iter().map(|(partition, text)| (*partition, text.as_bytes())).collect();
        spool.push(&records).expect("there is room");
        writeln!(told, "told {}", numbers[0].1).expect("the test reads");
        told.flush().expect("the test reads");
        if round % 10 == 9 {
            spool.drop_front(1, 5).expect("writable");
        }
    }
}

#[test]
fn the_spool_to_be_killed() {
    // Started by the test below; alone it has nothing to do.
    if let Some(dir) = std::env::var_os(DIR) {
        run_until_killed(Path::new(&dir));
    }
}

#[test]
fn r16_what_was_taken_before_a_kill_is_there_after_it_in_order() {
    let dir = tempfile::tempdir().expect("a directory");
    for lines in [1, 40, 7, 120] {
        let mut killed = Command::new(std::env::current_exe().expect("this binary"))
            .args(["spool::the_spool_to_be_killed", "--exact", "--nocapture"])
            .env(DIR, dir.path())
            .stdout(Stdio::piped())
            .spawn()
            .expect("this binary");
        let told: u64 = BufReader::new(killed.stdout.take().expect("it is piped"))
            .lines()
            .map(|line| line.expect("text"))
            .filter_map(|line| Some(line.rsplit_once("told ")?.1.parse().expect("a number")))
            .take(lines)
            .last()
            .expect("it tells");
        killed.kill().expect("it runs");
        killed.wait().expect("it was killed");

        let spool = open(dir.path());
        for partition in 0..PARTITIONS {
            let numbers: Vec<u64> = front(&spool, partition)
                .into_iter()
                .map(|text| text.parse().expect("a number"))
                .collect();
            let (first, last) = (numbers[0], numbers[numbers.len() - 1]);
            assert!(last >= told, "partition {partition}: {told} was told, {last} is there");
            assert_eq!(numbers, (first..=last).collect::<Vec<_>>(), "partition {partition}");
            // Nothing was dropped but from one.
            assert!(partition == 1 || first == 1, "partition {partition} begins at {first}");
        }
    }
}

#[test]
fn a_spool_of_another_engine_is_refused_and_says_whose_it_is() {
    let dir = tempfile::tempdir().expect("a directory");
    push(&open(dir.path()), 1, "a");
    let other = match engine() {
        Engine::Fjall => Engine::RocksDb,
        Engine::RocksDb => Engine::Fjall,
    };
    let refused = Spool::open(other, dir.path(), BYTES_MAX).expect_err("another engine's");
    let why = std::error::Error::source(&refused).expect("it says why").to_string();
    assert!(why.contains(&format!("written by the engine \"{}\"", engine())), "{why}");
    assert_eq!(front(&open(dir.path()), 1), ["a"]);
}
