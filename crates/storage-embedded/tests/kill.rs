//! A process killed with -9 while it appends: what it told is there, and the mark is exact (R1).

#![expect(clippy::unwrap_used, reason = "a test")]

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use frontdesk_storage::conformance::history::{batch, write};
use frontdesk_storage::conformance::log::{append, read_all};
use frontdesk_storage::{History, MessageLog};
use frontdesk_storage_embedded::{
    EmbeddedHistory, Engine, HistoryOptions, LogOptions, Reserve, SegmentLog, check_continuity,
};

const DIR: &str = "FRONTDESK_TEST_KILLED_DIR";
const OPTIONS: LogOptions = LogOptions {
    segment_bytes: 64 << 10,
    durability: frontdesk_storage_embedded::Durability::Sync,
    reserve: Reserve { percent: 0, bytes_min: 0, bytes_max: 0 },
};

fn open_history(dir: &Path) -> EmbeddedHistory {
    let engine = match env!("CARGO_CRATE_NAME") {
        "on_rocksdb" => Engine::RocksDb,
        _ => Engine::Fjall,
    };
    let options = HistoryOptions { engine, ..HistoryOptions::default() };
    EmbeddedHistory::open(&dir.join("history"), options).unwrap()
}

fn payload(offset: u64) -> Vec<u8> {
    format!("record {offset} ").repeat(1 + offset as usize % 40).into_bytes()
}

/// What the killed process does: appends, tells, applies, and now and then persists and trims.
fn run_until_killed(dir: &Path) {
    let mut log = SegmentLog::open(&dir.join("log"), OPTIONS).unwrap();
    let history = open_history(dir);
    let mut told = std::io::stdout();
    loop {
        let offset = log.next_offset();
        append(&mut log, &[&payload(offset), &payload(offset + 1)]);
        writeln!(told, "told {}", offset + 1).unwrap();
        told.flush().unwrap();
        history.apply(&batch(offset + 1, vec![write(1, offset..=offset + 1)])).unwrap();
        if offset % 50 == 1 {
            history.persist().unwrap();
            log.trim(offset).unwrap();
        }
    }
}

#[test]
fn the_process_to_be_killed() {
    // Started by the test below; alone it has nothing to do.
    if let Some(dir) = std::env::var_os(DIR) {
        run_until_killed(Path::new(&dir));
    }
}

#[test]
fn r01_what_was_told_before_a_kill_is_there_after_it() {
    let dir = tempfile::tempdir().unwrap();
    for (round, lines) in [5, 1, 60, 333, 120].into_iter().enumerate() {
        // Behind the name of the crate: as the tests of this binary are called.
        let module = module_path!().split_once("::").map(|(_, module)| format!("{module}::"));
        let process = module.unwrap_or_default() + "the_process_to_be_killed";
        let mut killed = Command::new(std::env::current_exe().unwrap())
            .args([&*process, "--exact", "--nocapture"])
            .env(DIR, dir.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let told = BufReader::new(killed.stdout.take().unwrap())
            .lines()
            .map(Result::unwrap)
            .filter_map(|line| line.rsplit_once("told ").map(|(_, offset)| offset.parse().unwrap()))
            .take(lines)
            .last();
        let told: u64 = told.unwrap();
        killed.kill().unwrap();
        killed.wait().unwrap();

        let mut log = SegmentLog::open(&dir.path().join("log"), OPTIONS).unwrap();
        assert!(log.next_offset() > told, "round {round}: told {told}");
        for (offset, _, bytes) in read_all(&log, log.first_offset()) {
            assert_eq!(bytes, payload(offset));
        }
        let history = open_history(dir.path());
        check_continuity(&history, &log, 0).unwrap();
        // Fold again what the history did not get, as a start does.
        let (applied, last) = (history.applied(0).unwrap(), log.next_offset() - 1);
        if applied < last {
            history.apply(&batch(last, vec![write(1, applied + 1..=last)])).unwrap();
        }
        let page = history.since(&write(1, 1..=1).conversation, 0, usize::MAX).unwrap();
        let seqs: Vec<_> = page.into_iter().map(|(seq, _)| seq).collect();
        assert_eq!(seqs, (1..=last).collect::<Vec<_>>(), "round {round}");
        // Bring offsets back to odd, as the process expects.
        if log.next_offset().is_multiple_of(2) {
            let next = log.next_offset();
            append(&mut log, &[&payload(next)]);
            history.apply(&batch(next, vec![write(1, next..=next)])).unwrap();
        }
    }
}
