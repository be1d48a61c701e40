//! The segment log through kills, power loss, damage, failures and a full disk (R4, R5, R6).

#![expect(clippy::unwrap_used, reason = "a test")]

use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use frontdesk_storage::conformance::log::{append, read_all};
use frontdesk_storage::{LogError, MessageLog, Offset, Record};
use frontdesk_storage_embedded::failpoint::{self, Point};
use frontdesk_storage_embedded::{Durability, LogOptions, Reserve, SegmentLog};
use proptest::prelude::*;
use tempfile::TempDir;

const OPTIONS: LogOptions = LogOptions {
    segment_bytes: 16 << 10,
    durability: Durability::Sync,
    reserve: Reserve { percent: 0, bytes_min: 0, bytes_max: 0 },
};

type Records = Vec<(Offset, u16, Vec<u8>)>;

/// A small generator with a seed, so that a failing place can be met again.
struct Places(u64);

impl Places {
    fn below(&mut self, end: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

/// A log with several segments; what it holds.
fn filled(dir: &Path, options: LogOptions) -> Records {
    let mut log = SegmentLog::open(dir, options).unwrap();
    for number in 0..200_usize {
        let payload = vec![number as u8; 20 + number * 7 % 300];
        append(&mut log, &[&payload, b"second of its append", &payload[..10]]);
    }
    read_all(&log, 1)
}

fn segments(dir: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<_> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "seg"));
    paths.sort();
    paths
}

/// The newest segment in use, and how many of its bytes are.
fn newest(dir: &Path) -> (PathBuf, u64) {
    segments(dir)
        .into_iter()
        .filter_map(|path| {
            let bytes = fs::read(&path).unwrap();
            let used = bytes.iter().rposition(|byte| *byte != 0)? as u64 + 1;
            Some((path, used))
        })
        .next_back()
        .unwrap()
}

fn flip(path: &Path, bit: u64) {
    let file = OpenOptions::new().read(true).write(true).open(path).unwrap();
    let mut byte = [0];
    file.read_exact_at(&mut byte, bit / 8).unwrap();
    file.write_all_at(&[byte[0] ^ (1 << (bit % 8))], bit / 8).unwrap();
}

fn copy(from: &Path) -> TempDir {
    let to = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, to.path().join(path.file_name().unwrap())).unwrap();
    }
    to
}

/// Opens a log after something was done to `touched`: it must refuse and name that file, or hold
/// what it held before.
fn refuses_or_is_whole(dir: &Path, touched: &Path, before: &Records) -> bool {
    match SegmentLog::open(dir, OPTIONS) {
        Err(LogError::Corrupt { file, .. }) => {
            assert_eq!(file, touched);
            true
        }
        Err(other) => panic!("refused without naming the damage: {other:?}"),
        Ok(log) => {
            assert_eq!(&read_all(&log, 1), before, "silently changed");
            false
        }
    }
}

#[test]
fn r04_a_log_cut_short_refuses_to_open() {
    let original = tempfile::tempdir().unwrap();
    let before = filled(original.path(), OPTIONS);
    let (path, used) = newest(original.path());
    let mut places = Places(4);
    let cuts = [1, 2, 3, 511, 512, 4096].into_iter().chain((0..24).map(|_| 1 + places.below(4096)));
    for cut in cuts {
        // The end of what is used, and the end of the file with what is only prepared.
        for from in [used, fs::metadata(&path).unwrap().len()] {
            let dir = copy(original.path());
            let touched = dir.path().join(path.file_name().unwrap());
            let left = from.saturating_sub(cut);
            OpenOptions::new().write(true).open(&touched).unwrap().set_len(left).unwrap();
            let refused = refuses_or_is_whole(dir.path(), &touched, &before);
            assert_eq!(refused, left < used, "cut {cut} of {from}");
        }
    }
}

#[test]
fn r04_a_flipped_bit_anywhere_in_use_refuses_to_open() {
    let original = tempfile::tempdir().unwrap();
    let before = filled(original.path(), OPTIONS);
    let all = segments(original.path());
    let mut places = Places(40);
    for _ in 0..30 {
        let dir = copy(original.path());
        let path = &all[places.below(all.len() as u64) as usize];
        let touched = dir.path().join(path.file_name().unwrap());
        let bytes = fs::read(path).unwrap();
        let used = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last as u64 + 1);
        let bit = places.below((used.max(64) + 64).min(bytes.len() as u64) * 8);
        flip(&touched, bit);
        let refused = refuses_or_is_whole(dir.path(), &touched, &before);
        assert!(refused || bit / 8 >= used, "bit {bit} of {used} used bytes was not seen");
    }
}

#[test]
fn r04_a_flipped_bit_in_the_mark_refuses_to_open() {
    let original = tempfile::tempdir().unwrap();
    let before = filled(original.path(), OPTIONS);
    let mut places = Places(44);
    for _ in 0..30 {
        let dir = copy(original.path());
        let mark = dir.path().join("mark");
        flip(&mark, places.below(64 * 8));
        assert!(refuses_or_is_whole(dir.path(), &mark, &before));
    }
}

#[test]
fn r04_missing_files_refuse_to_open() {
    let original = tempfile::tempdir().unwrap();
    let before = filled(original.path(), OPTIONS);
    let (last, _) = newest(original.path());
    let middle = segments(original.path())[1].clone();
    for missing in [last, middle, original.path().join("mark")] {
        let dir = copy(original.path());
        let touched = dir.path().join(missing.file_name().unwrap());
        fs::remove_file(&touched).unwrap();
        assert!(refuses_or_is_whole(dir.path(), &touched, &before), "{}", missing.display());
    }
}

#[test]
fn r04_damage_behind_a_stale_mark_is_seen_by_the_records_that_follow() {
    // After a power loss the mark may be old: then later appends tell that a record was synced.
    let dir = tempfile::tempdir().unwrap();
    let mut log = SegmentLog::open(dir.path(), OPTIONS).unwrap();
    append(&mut log, &[b"first"]);
    let stale = fs::read(dir.path().join("mark")).unwrap();
    append(&mut log, &[b"second"]);
    let (path, damaged_end) = newest(dir.path());
    append(&mut log, &[b"third"]);
    drop(log);
    fs::write(dir.path().join("mark"), stale).unwrap();
    flip(&path, (damaged_end - 1) * 8);
    assert!(refuses_or_is_whole(dir.path(), &path, &Vec::new()));
}

#[test]
fn a_torn_append_past_the_mark_is_cut_and_the_log_goes_on() {
    let original = tempfile::tempdir().unwrap();
    let mut log = SegmentLog::open(original.path(), OPTIONS).unwrap();
    append(&mut log, &[b"acked"]);
    let mark = fs::read(original.path().join("mark")).unwrap();
    let (_, acked_end) = newest(original.path());
    append(&mut log, &[b"one", b"two", b"three", b"four"]);
    drop(log);
    let (path, end) = newest(original.path());
    // Any page of an append that was not synced may be missing: here one byte stands for a page.
    for lost in acked_end..end {
        let dir = copy(original.path());
        fs::write(dir.path().join("mark"), &mark).unwrap();
        let torn = dir.path().join(path.file_name().unwrap());
        let file = OpenOptions::new().read(true).write(true).open(&torn).unwrap();
        let mut byte = [0];
        file.read_exact_at(&mut byte, lost).unwrap();
        file.write_all_at(&[!byte[0]], lost).unwrap();
        let mut log = SegmentLog::open(dir.path(), OPTIONS).unwrap();
        let kept = read_all(&log, 1);
        assert!(!kept.is_empty() && kept.len() < 5, "{lost}: {kept:?}");
        assert_eq!(kept[0].2, b"acked");
        let next = append(&mut log, &[b"after"]);
        assert_eq!(next, kept.len() as u64 + 1);
        drop(log);
        assert_eq!(read_all(&SegmentLog::open(dir.path(), OPTIONS).unwrap(), next)[0].2, b"after");
    }
}

#[test]
fn records_written_but_not_yet_marked_are_kept() {
    // A kill between the sync and the mark: the records are whole, so they stay.
    let dir = tempfile::tempdir().unwrap();
    let mut log = SegmentLog::open(dir.path(), OPTIONS).unwrap();
    append(&mut log, &[b"marked"]);
    let mark = fs::read(dir.path().join("mark")).unwrap();
    append(&mut log, &[b"not marked"]);
    drop(log);
    fs::write(dir.path().join("mark"), mark).unwrap();
    assert_eq!(SegmentLog::open(dir.path(), OPTIONS).unwrap().next_offset(), 3);
}

#[test]
fn the_mark_is_exact_after_every_append() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = SegmentLog::open(dir.path(), OPTIONS).unwrap();
    for number in 1..=300_u64 {
        append(&mut log, &[&[7; 100]]);
        let mark = fs::read(dir.path().join("mark")).unwrap();
        assert_eq!(u64::from_le_bytes(mark[32..40].try_into().unwrap()), number + 1);
        let (_, used) = newest(dir.path());
        assert_eq!(u64::from_le_bytes(mark[24..32].try_into().unwrap()), used);
    }
}

#[test]
fn r06_a_failed_sync_closes_the_log_for_good() {
    for point in [Point::LogSync, Point::LogWrite, Point::LogMark] {
        let dir = tempfile::tempdir().unwrap();
        let mut log = SegmentLog::open(dir.path(), OPTIONS).unwrap();
        append(&mut log, &[b"acked"]);
        failpoint::arm(point, dir.path(), 0);
        let record = [Record { partition: 0, payload: b"never acked" }];
        assert!(matches!(log.append(&record), Err(LogError::Io { .. })), "{point:?}");
        // The point fails once: only not trying again keeps these from succeeding.
        for _ in 0..3 {
            assert!(matches!(log.append(&record), Err(LogError::Poisoned)), "{point:?}");
        }
        assert!(log.is_poisoned());
        assert_eq!(read_all(&log, 1).first().unwrap().2, b"acked");
        drop(log);
        let log = SegmentLog::open(dir.path(), OPTIONS).unwrap();
        assert_eq!(read_all(&log, 1)[0].2, b"acked", "{point:?}");
        assert!(log.next_offset() <= 3, "{point:?}");
    }
}

#[test]
fn r05_a_full_disk_refuses_appends_until_there_is_space() {
    let dir = tempfile::tempdir().unwrap();
    let options = LogOptions {
        reserve: Reserve { percent: 0, bytes_min: 8 << 20, bytes_max: 8 << 20 },
        ..OPTIONS
    };
    let mut log = SegmentLog::open(dir.path(), options).unwrap();
    append(&mut log, &[b"before"]);
    failpoint::set_free_bytes(dir.path(), Some(1 << 20));
    let record = [Record { partition: 0, payload: &[1; 1000] }];
    // The next look at the free space may be a moment away; until then the segment has room.
    let mut appended = 1;
    let refused = loop {
        match log.append(&record) {
            Ok(_) => appended += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(refused, LogError::Full { free_bytes, .. } if free_bytes == 1 << 20));
    assert!(refused.is_retryable() && !log.is_poisoned());
    assert_eq!(read_all(&log, 1).len(), appended);
    failpoint::set_free_bytes(dir.path(), None);
    assert_eq!(log.append(&record).unwrap(), appended as u64 + 1);
}

#[test]
fn r05_a_burst_into_room_made_before_is_refused_within_a_mebibyte() {
    let dir = tempfile::tempdir().unwrap();
    let options = LogOptions {
        segment_bytes: 64 << 20,
        reserve: Reserve { percent: 0, bytes_min: 8 << 20, bytes_max: 8 << 20 },
        ..OPTIONS
    };
    let mut log = SegmentLog::open(dir.path(), options).unwrap();
    let payload = vec![1; 60_000];
    let record = [Record { partition: 0, payload: &payload }];
    // The segment at hand has room for many more; the history behind the log has not.
    append(&mut log, &[b"before"]);
    failpoint::set_free_bytes(dir.path(), Some(4 << 20));
    let mut appended_bytes = 0;
    while log.append(&record).is_ok() {
        appended_bytes += 60_000;
    }
    assert!(appended_bytes <= 1 << 20, "{appended_bytes} bytes were taken without a look");
    failpoint::set_free_bytes(dir.path(), None);
}

#[test]
fn r05_a_log_opens_and_reads_on_a_full_disk() {
    let dir = tempfile::tempdir().unwrap();
    let before = filled(dir.path(), OPTIONS);
    failpoint::set_free_bytes(dir.path(), Some(0));
    let options = LogOptions {
        reserve: Reserve { percent: 0, bytes_min: 8 << 20, bytes_max: 8 << 20 },
        ..OPTIONS
    };
    let log = SegmentLog::open(dir.path(), options).unwrap();
    assert_eq!(read_all(&log, 1), before);
    failpoint::set_free_bytes(dir.path(), None);
}

#[test]
fn a_segment_that_cannot_be_prepared_does_not_poison() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = SegmentLog::open(dir.path(), OPTIONS).unwrap();
    failpoint::arm(Point::LogPrepare, dir.path(), 0);
    for _ in 0..100 {
        append(&mut log, &[&[3; 1000]]);
    }
    assert_eq!(read_all(&log, 1).len(), 100);
}

#[test]
fn an_asynchronous_log_goes_on_behind_what_the_history_applied() {
    let options = LogOptions { durability: Durability::Async, ..OPTIONS };
    let dir = tempfile::tempdir().unwrap();
    let mut log = SegmentLog::open(dir.path(), options).unwrap();
    append(&mut log, &[b"a", b"b"]);
    log.skip_to(10).unwrap();
    assert_eq!((log.first_offset(), log.next_offset()), (10, 10));
    assert_eq!(append(&mut log, &[b"c"]), 10);
    drop(log);
    let log = SegmentLog::open(dir.path(), options).unwrap();
    assert_eq!(read_all(&log, 10).len(), 1);
}

#[test]
fn durability_may_change_between_runs() {
    let dir = tempfile::tempdir().unwrap();
    for run in 0..6_u64 {
        let durability = if run % 2 == 0 { Durability::Sync } else { Durability::Async };
        let mut log = SegmentLog::open(dir.path(), LogOptions { durability, ..OPTIONS }).unwrap();
        assert_eq!(append(&mut log, &[b"one", b"two"]), run * 2 + 1);
        assert_eq!(read_all(&log, 1).len() as u64, run * 2 + 2);
    }
}

#[derive(Debug, Clone)]
enum Step {
    Append(Vec<Vec<u8>>),
    Reopen,
    Trim(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let payload = prop::collection::vec(any::<u8>(), 0..3000);
    prop_oneof![
        8 => prop::collection::vec(payload, 0..6).prop_map(Step::Append),
        1 => Just(Step::Reopen),
        1 => (0..300_u64).prop_map(Step::Trim),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_log_does_what_a_list_does(steps in prop::collection::vec(step(), 1..60)) {
        let dir = tempfile::tempdir().unwrap();
        let mut log = SegmentLog::open(dir.path(), OPTIONS).unwrap();
        let mut model: Records = Vec::new();
        for step in steps {
            match step {
                Step::Append(payloads) => {
                    let payloads: Vec<_> = payloads.iter().map(Vec::as_slice).collect();
                    prop_assert_eq!(append(&mut log, &payloads), model.len() as u64 + 1);
                    for payload in payloads {
                        let offset = model.len() as u64 + 1;
                        model.push((offset, payload.len() as u16, payload.to_vec()));
                    }
                }
                Step::Reopen => {
                    drop(log);
                    log = SegmentLog::open(dir.path(), OPTIONS).unwrap();
                }
                Step::Trim(before) => {
                    let first = log.first_offset();
                    log.trim(before).unwrap();
                    prop_assert!(log.first_offset() <= before.max(first));
                }
            }
            let first = log.first_offset();
            prop_assert_eq!(log.next_offset(), model.len() as u64 + 1);
            prop_assert_eq!(&read_all(&log, first)[..], &model[first as usize - 1..]);
        }
    }
}
