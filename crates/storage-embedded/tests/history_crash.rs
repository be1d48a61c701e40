//! The history through damage, failed syncs and missing pieces (R4, R6), and the doctor. On fjall, and in
//! `on_rocksdb.rs` on RocksDB; where the files of an engine are called otherwise, [`engine`] tells them
//! apart.

#![expect(clippy::unwrap_used, reason = "a test")]

use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use frontdesk_core::store::ConversationState;
use frontdesk_storage::conformance::history::{batch, conversation, write};
use frontdesk_storage::conformance::log::append;
use frontdesk_storage::{Batch, ConversationWrite, History, HistoryError, MessageLog};
use frontdesk_storage_embedded::failpoint::{self, Point};
use frontdesk_storage_embedded::{
    EmbeddedHistory, Engine, HistoryOptions, LogOptions, Reserve, SegmentLog, check_continuity,
    doctor,
};
use prost::Message;
use tempfile::TempDir;

const CONVERSATIONS: u32 = 5;

/// A small generator with a seed, so that a failing place can be met again.
struct Places(u64);

impl Places {
    fn below(&mut self, end: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

/// The engine these tests are about.
fn engine() -> Engine {
    match env!("CARGO_CRATE_NAME") {
        "on_rocksdb" => Engine::RocksDb,
        _ => Engine::Fjall,
    }
}

fn options() -> HistoryOptions {
    HistoryOptions { engine: engine(), ..HistoryOptions::default() }
}

fn open(dir: &Path) -> Result<EmbeddedHistory, HistoryError> {
    EmbeddedHistory::open(dir, options())
}

/// A write with a state the doctor can read.
fn stated(number: u32, seqs: std::ops::RangeInclusive<u64>) -> ConversationWrite {
    let last_seq = *seqs.end();
    let state = ConversationState { last_seq, ..ConversationState::default() };
    ConversationWrite { state: Bytes::from(state.encode_to_vec()), ..write(number, seqs) }
}

fn apply(history: &EmbeddedHistory, offset: u64) {
    let writes = (0..CONVERSATIONS).map(|number| stated(number, offset..=offset)).collect();
    history.apply(&batch(offset, writes)).unwrap();
}

/// A history of `durable` batches that are persisted and `lost` that are not; every third batch is
/// followed by a flush until `flushed`, so that there are several tables.
fn filled(dir: &Path, flushed: u64, durable: u64, last: u64) {
    let history = open(dir).unwrap();
    for offset in 1..=last {
        apply(&history, offset);
        if offset % 10 == 0 && offset <= flushed {
            history.flush().unwrap();
        }
        if offset == durable {
            history.persist().unwrap();
        }
    }
}

/// Everything a history answers.
fn contents(history: &EmbeddedHistory) -> Result<Vec<(u64, Bytes)>, HistoryError> {
    let mut all = vec![(history.applied(0)?, Bytes::new())];
    for number in 0..CONVERSATIONS {
        let id = conversation(number);
        all.push((0, history.state(&id)?.unwrap_or_default()));
        all.extend(history.since(&id, 0, 10_000)?);
        for entry in write(number, 1..=100).entries {
            let sent = history.find(&id, &entry.sender, &entry.client_msg_id)?;
            all.push((sent.map_or(0, |sent| sent.seq), Bytes::new()));
        }
    }
    Ok(all)
}

/// What a history of so many batches must answer, one entry per conversation and batch.
fn expected(batches: u64) -> Vec<(u64, Bytes)> {
    let mut all = vec![(batches, Bytes::new())];
    for number in 0..CONVERSATIONS {
        let ConversationWrite { state, entries, .. } = stated(number, 1..=batches);
        all.push((0, state));
        all.extend(entries.into_iter().map(|entry| (entry.seq, entry.entry.clone())));
        let found = |seq| if seq <= batches { seq } else { 0 };
        all.extend((1..=100).map(|seq| (found(seq), Bytes::new())));
    }
    all
}

fn has_extension(path: &Path, wanted: &str) -> bool {
    path.extension().is_some_and(|extension| extension == wanted)
}

fn is_table(path: &Path) -> bool {
    match engine() {
        Engine::Fjall => path.parent().is_some_and(|dir| dir.ends_with("tables")),
        Engine::RocksDb => has_extension(path, "sst"),
    }
}

fn is_journal(path: &Path) -> bool {
    match engine() {
        Engine::Fjall => has_extension(path, "jnl"),
        Engine::RocksDb => has_extension(path, "log"),
    }
}

/// Whether it is one of the tables or tells of them. fjall leaves manifests it has replaced.
fn is_table_or_manifest(path: &Path) -> bool {
    let name = path.file_name().unwrap().to_str().unwrap();
    match engine() {
        Engine::Fjall => {
            let in_keyspaces = path.components().any(|part| part.as_os_str() == "keyspaces");
            let version = name.strip_prefix('v').and_then(|version| version.parse().ok());
            let is_current = |version: u64| {
                let current = fs::read(path.with_file_name("current")).unwrap();
                u64::from_le_bytes(current[..8].try_into().unwrap()) == version
            };
            in_keyspaces && version.is_none_or(is_current)
        }
        Engine::RocksDb => is_table(path) || name == "CURRENT" || name.starts_with("MANIFEST-"),
    }
}

/// Whether it cannot be missed.
fn is_needed(path: &Path) -> bool {
    let name = path.file_name().unwrap().to_str().unwrap();
    is_table_or_manifest(path)
        || is_journal(path)
        || name == "mark"
        || (engine() == Engine::Fjall && name == "version")
}

/// Tables on disk.
fn tables(dir: &Path) -> usize {
    files(dir, &is_table).len()
}

#[test]
fn where_little_is_written_tables_are_begun_early() {
    let dir = tempfile::tempdir().unwrap();
    let history = open(dir.path()).unwrap();
    apply(&history, 1);
    let before = tables(dir.path());
    drop(history);

    let early =
        HistoryOptions { early_flush_bytes: 1, early_flush_after: Duration::ZERO, ..options() };
    let history = EmbeddedHistory::open(dir.path(), early).unwrap();
    apply(&history, 2);
    // The engine's thread writes it.
    let began = Instant::now();
    while tables(dir.path()) == before {
        assert!(began.elapsed() < Duration::from_secs(20), "no table was begun");
        thread::yield_now();
    }
    apply(&history, 3);
    assert_eq!(contents(&history).unwrap(), expected(3));
    drop(history);
    assert_eq!(contents(&open(dir.path()).unwrap()).unwrap(), expected(3));
}

fn copy(from: &Path) -> TempDir {
    let to = tempfile::tempdir().unwrap();
    copy_into(from, to.path());
    to
}

fn copy_into(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            fs::create_dir(&target).unwrap();
            copy_into(&path, &target);
        } else {
            fs::copy(&path, &target).unwrap();
        }
    }
}

fn files(dir: &Path, wanted: &dyn Fn(&Path) -> bool) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path, wanted));
        } else if wanted(&path) {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn flip(path: &Path, bit: u64) {
    let file = OpenOptions::new().read(true).write(true).open(path).unwrap();
    let mut byte = [0];
    file.read_exact_at(&mut byte, bit / 8).unwrap();
    file.write_all_at(&[byte[0] ^ (1 << (bit % 8))], bit / 8).unwrap();
}

fn used(path: &Path) -> u64 {
    fs::read(path).unwrap().iter().rposition(|byte| *byte != 0).map_or(0, |last| last as u64 + 1)
}

/// Opens a damaged copy: it refuses and names the file, or answers exactly as the history did
/// after some batch between `durable` and `last`. Returns whether it refused.
fn refuses_or_loses_only_the_tail(dir: &Path, touched: &Path, durable: u64, last: u64) -> bool {
    let opened = open(dir).and_then(|history| Ok((history.applied(0)?, contents(&history)?)));
    match opened {
        Err(HistoryError::Corrupt { file, what }) => {
            assert_eq!(file, touched, "{what}");
            true
        }
        Err(other) => {
            panic!("refused without naming the damage in {}: {other:?}", touched.display())
        }
        Ok((applied, found)) => {
            assert!((durable..=last).contains(&applied), "lost durable batches: {applied}");
            assert!(found == expected(applied), "silently changed by {}", touched.display());
            false
        }
    }
}

#[test]
fn r04_a_flipped_bit_in_a_table_or_manifest_refuses_to_open() {
    let original = tempfile::tempdir().unwrap();
    filled(original.path(), 50, 60, 60);
    let before = expected(60);
    let all = files(original.path(), &is_table_or_manifest);
    assert!(all.len() >= 4, "there are tables and manifests: {all:?}");
    let mut places = Places(41);
    let mut refused = 0;
    for round in 0..30 {
        let dir = copy(original.path());
        let path = &all[round % all.len()];
        let touched = dir.path().join(path.strip_prefix(original.path()).unwrap());
        flip(&touched, places.below(fs::metadata(path).unwrap().len() * 8));
        match open(dir.path()) {
            Err(HistoryError::Corrupt { file, .. }) => {
                // `current` holds the checksum of the manifest: either may be the damaged one.
                assert_eq!(file.parent(), touched.parent());
                refused += 1;
            }
            // It has no checksum of whole files: what nothing reads may be damaged.
            Ok(history) if engine() == Engine::RocksDb => {
                let found = contents(&history).unwrap();
                assert!(found == before, "silently changed by {}", touched.display());
            }
            other => panic!("a damaged {} was not seen: {other:?}", touched.display()),
        }
    }
    assert!(refused >= 20, "{refused} of 30");
}

#[test]
fn r04_a_flipped_bit_in_a_table_not_checked_at_start_is_named_when_it_is_read() {
    let original = tempfile::tempdir().unwrap();
    filled(original.path(), 50, 60, 60);
    let before = expected(60);
    let options = HistoryOptions { verify_bytes_max: 0, ..options() };
    // Of fjall's keyspaces the first is the engine's own.
    let of_history = |path: &Path| {
        is_table(path) && !path.parent().is_some_and(|tables| tables.ends_with("0/tables"))
    };
    let all = files(original.path(), &of_history);
    let mut places = Places(45);
    let mut seen = 0;
    for round in 0..30 {
        let dir = copy(original.path());
        let path = &all[round % all.len()];
        let touched = dir.path().join(path.strip_prefix(original.path()).unwrap());
        flip(&touched, places.below(fs::metadata(path).unwrap().len() * 8));
        let opened = EmbeddedHistory::open(dir.path(), options);
        match opened.and_then(|history| contents(&history)) {
            Err(HistoryError::Corrupt { file, .. }) => {
                assert_eq!(file, touched);
                seen += 1;
            }
            Err(other) => panic!("not named: {other:?}"),
            Ok(found) => assert!(found == before, "silently changed by {}", touched.display()),
        }
    }
    assert!(seen >= 10, "{seen} of 30");
}

#[test]
fn r04_a_flipped_bit_in_the_journal_loses_at_most_the_tail() {
    let original = tempfile::tempdir().unwrap();
    let (durable, last) = (30, 40);
    filled(original.path(), 10, durable, last);
    let journal = files(original.path(), &is_journal);
    assert_eq!(journal.len(), 1);
    let end = used(&journal[0]);
    let mut places = Places(42);
    let mut refused = 0;
    for _ in 0..30 {
        let dir = copy(original.path());
        let touched = dir.path().join(journal[0].file_name().unwrap());
        flip(&touched, places.below(end * 8));
        refused += u32::from(refuses_or_loses_only_the_tail(dir.path(), &touched, durable, last));
    }
    assert!((10..30).contains(&refused), "{refused} of 30: both outcomes should be met");
}

#[test]
fn r04_a_journal_cut_short_loses_at_most_the_tail() {
    let original = tempfile::tempdir().unwrap();
    let (durable, last) = (30, 40);
    filled(original.path(), 10, durable, last);
    let journal = files(original.path(), &is_journal);
    let end = used(&journal[0]);
    let mut places = Places(43);
    let cuts = [1, 2, 4095, 4096].into_iter().chain((0..26).map(|_| 1 + places.below(end)));
    for cut in cuts {
        let dir = copy(original.path());
        let touched = dir.path().join(journal[0].file_name().unwrap());
        let left = end.saturating_sub(cut);
        OpenOptions::new().write(true).open(&touched).unwrap().set_len(left).unwrap();
        refuses_or_loses_only_the_tail(dir.path(), &touched, durable, last);
    }
}

#[test]
fn r04_missing_files_refuse_to_open() {
    let original = tempfile::tempdir().unwrap();
    filled(original.path(), 50, 60, 60);
    for path in files(original.path(), &is_needed) {
        let dir = copy(original.path());
        let touched = dir.path().join(path.strip_prefix(original.path()).unwrap());
        fs::remove_file(&touched).unwrap();
        let opened = open(dir.path());
        assert!(
            matches!(opened, Err(HistoryError::Corrupt { .. })),
            "without {}: {opened:?}",
            touched.display()
        );
    }
}

#[test]
fn a_torn_journal_end_is_cut_and_the_history_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path(), 0, 5, 6);
    let journal = files(dir.path(), &is_journal);
    flip(&journal[0], (used(&journal[0]) - 1) * 8);
    assert_eq!(open(dir.path()).unwrap().applied(0).unwrap(), 5);
    if engine() == Engine::Fjall {
        assert!(used(&journal[0].with_extension("cut")) > 0, "kept beside it");
    }
    let history = open(dir.path()).unwrap();
    apply(&history, 6);
    drop(history);
    assert_eq!(contents(&open(dir.path()).unwrap()).unwrap(), expected(6));
}

#[test]
fn a_history_of_another_engine_is_refused_with_its_name_and_left_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path(), 10, 15, 15);
    for other in Engine::ALL.into_iter().filter(|other| *other != engine()) {
        let options = HistoryOptions { engine: other, ..HistoryOptions::default() };
        let refused = EmbeddedHistory::open(dir.path(), options).unwrap_err();
        assert!(refused.to_string().contains(dir.path().to_str().unwrap()), "{refused}");
        let advice = std::error::Error::source(&refused).unwrap().to_string();
        let key = format!("set storage.embedded.engine = \"{}\"", engine());
        assert!(advice.contains(&key), "{advice}");
    }
    assert_eq!(contents(&open(dir.path()).unwrap()).unwrap(), expected(15));
}

#[test]
fn r06_a_failed_sync_closes_the_history_for_good() {
    for point in [Point::HistorySync, Point::HistoryWrite] {
        let dir = tempfile::tempdir().unwrap();
        let history = open(dir.path()).unwrap();
        apply(&history, 1);
        history.persist().unwrap();
        failpoint::arm(point, dir.path(), 0);
        let next = batch(2, vec![stated(0, 2..=2)]);
        let failed = history.apply(&next).and_then(|()| history.persist());
        assert!(matches!(failed, Err(HistoryError::Engine { .. })), "{point:?}: {failed:?}");
        for _ in 0..3 {
            assert!(matches!(history.persist(), Err(HistoryError::Poisoned)), "{point:?}");
            let later = batch(3, vec![stated(0, 3..=3)]);
            assert!(matches!(history.apply(&later), Err(HistoryError::Poisoned)), "{point:?}");
        }
        assert!(history.is_poisoned());
        assert_eq!(history.page(&conversation(1), None, 5).unwrap().len(), 1, "reads go on");
    }
}

#[test]
fn two_loops_apply_while_a_third_persists() {
    let dir = tempfile::tempdir().unwrap();
    let history = open(dir.path()).unwrap();
    std::thread::scope(|scope| {
        for log in 0..2_u16 {
            let history = &history;
            scope.spawn(move || {
                for offset in 1..=200 {
                    let conversations = vec![stated(u32::from(log), offset..=offset)];
                    history.apply(&Batch { log, offset, conversations }).unwrap();
                }
            });
        }
        for _ in 0..20 {
            history.persist().unwrap();
        }
    });
    history.persist().unwrap();
    drop(history);
    let history = open(dir.path()).unwrap();
    for log in 0..2 {
        assert_eq!(history.applied(log).unwrap(), 200);
        let page = history.since(&conversation(u32::from(log)), 0, 1000).unwrap();
        assert_eq!(page.len(), 200);
    }
}

#[test]
fn r04_a_gap_between_log_and_history_is_seen() {
    let logs = tempfile::tempdir().unwrap();
    let reserve = Reserve { percent: 0, bytes_min: 0, bytes_max: 0 };
    let options = LogOptions { segment_bytes: 8 << 10, reserve, ..LogOptions::default() };
    let mut log = SegmentLog::open(logs.path(), options).unwrap();
    for _ in 0..100 {
        append(&mut log, &[&[1; 500]]);
    }
    log.trim(51).unwrap();
    let first = log.first_offset();
    assert!(first > 1);
    for (applied, meets) in
        [(0, false), (first - 2, false), (first - 1, true), (100, true), (101, false)]
    {
        let dir = tempfile::tempdir().unwrap();
        let history = open(dir.path()).unwrap();
        if applied > 0 {
            history.apply(&batch(applied, Vec::new())).unwrap();
        }
        let checked = check_continuity(&history, &log, 0);
        assert_eq!(checked.is_ok(), meets, "{applied}: {checked:?}");
        if let Err(error) = checked {
            assert!(error.to_string().contains(logs.path().to_str().unwrap()));
        }
    }
}

#[test]
fn the_doctor_finds_nothing_in_a_sound_directory_and_names_what_is_wrong() {
    let dir = tempfile::tempdir().unwrap();
    let (logs, history) = (dir.path().join("log"), dir.path().join("history"));
    let mut log = SegmentLog::open(&logs.join("0"), LogOptions::default()).unwrap();
    for _ in 0..60 {
        append(&mut log, &[b"record"]);
    }
    drop(log);
    filled(&history, 50, 60, 60);
    let mut parts = Vec::new();
    let report = doctor::check(&logs, &history, &mut |progress| {
        parts.push(progress.part.to_owned());
        assert!(progress.total == 0 || progress.done <= progress.total);
    });
    assert!(report.findings.is_empty(), "{:?}", report.findings);
    assert!(parts.iter().any(|part| part.starts_with("log")) && !parts.is_empty());

    // An entry that was never written, and a state ahead of its entries.
    let opened = open(&history).unwrap();
    opened.apply(&batch(61, vec![stated(0, 62..=62), stated(1, 61..=61)])).unwrap();
    drop(opened);
    let report = doctor::check(&logs, &history, &mut |_| ());
    let findings: Vec<_> = report.findings.iter().map(ToString::to_string).collect();
    assert!(findings.iter().any(|finding| finding.contains("entry 61 is missing")), "{findings:?}");
    assert!(findings.iter().any(|finding| finding.contains("applied offset 61")), "{findings:?}");

    let segment = logs.join("0/0000000001.seg");
    flip(&segment, 100 * 8);
    let report = doctor::check(&logs, &history, &mut |_| ());
    let findings: Vec<_> = report.findings.iter().map(ToString::to_string).collect();
    assert!(findings.iter().any(|finding| finding.contains("0000000001.seg")), "{findings:?}");
}
