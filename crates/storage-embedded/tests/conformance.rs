//! The suites of `frontdesk-storage`, run against every back end of this crate.

use std::path::Path;

use frontdesk_storage_embedded::{Engine, Reserve};
use tempfile::TempDir;

/// The machine's disk may be nearly full; these cases are not about that.
const NO_RESERVE: Reserve = Reserve { percent: 0, bytes_min: 0, bytes_max: 0 };

mod log {
    use frontdesk_storage_embedded::{LogOptions, SegmentLog};

    // Small segments, so that the cases cross from one to the next.
    frontdesk_storage::message_log_suite!({
        let dir = super::temporary();
        let options = LogOptions {
            segment_bytes: 256 << 10,
            reserve: super::NO_RESERVE,
            ..LogOptions::default()
        };
        move || SegmentLog::open(dir.path(), options).expect("a whole log")
    });
}

mod asynchronous_log {
    use frontdesk_storage_embedded::{Durability, LogOptions, SegmentLog};

    frontdesk_storage::message_log_suite!({
        let dir = super::temporary();
        let options = LogOptions {
            segment_bytes: 64 << 10,
            durability: Durability::Async,
            reserve: super::NO_RESERVE,
        };
        move || SegmentLog::open(dir.path(), options).expect("a whole log")
    });
}

mod history {
    use frontdesk_storage_embedded::{EmbeddedHistory, HistoryOptions};

    frontdesk_storage::history_suite!({
        let dir = super::temporary();
        let options = HistoryOptions { engine: super::engine(), ..HistoryOptions::default() };
        move || EmbeddedHistory::open(dir.path(), options).expect("a whole history")
    });
}

mod history_made_before_keys_lay_by_conversation {
    use frontdesk_storage_embedded::{EmbeddedHistory, HistoryOptions};

    frontdesk_storage::history_suite!({
        let dir = super::temporary();
        let options = HistoryOptions { engine: super::engine(), ..HistoryOptions::default() };
        drop(EmbeddedHistory::open(dir.path(), options).expect("an empty directory"));
        super::mark_as_by_kind(dir.path());
        move || EmbeddedHistory::open(dir.path(), options).expect("a whole history")
    });
}

mod directory {
    use std::time::Duration;

    use frontdesk_storage::conformance::directory::Subject;
    use frontdesk_storage_embedded::InProcessDirectory;

    frontdesk_storage::directory_suite!({
        tokio::time::pause();
        Subject {
            directory: InProcessDirectory::default(),
            ttl: Duration::from_secs(2),
            elapse: |time| Box::pin(tokio::time::advance(time)),
        }
    });
}

mod bus {
    frontdesk_storage::bus_suite!(frontdesk_storage_embedded::InProcessBus::new(128));
}

fn temporary() -> TempDir {
    tempfile::tempdir().expect("a temporary directory")
}

/// Marks an empty history as one whose keys lie by kind (`history/mark.rs`).
fn mark_as_by_kind(dir: &Path) {
    let path = dir.join("mark");
    let mut mark = std::fs::read(&path).expect("a mark");
    assert_eq!(mark[8..20], [2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], "by conversation, and empty");
    mark[8] = 1;
    let crc = crc32c::crc32c(&mark[..20]);
    mark[20..].copy_from_slice(&crc.to_le_bytes());
    std::fs::write(path, mark).expect("written");
}

/// The engine these tests are about (`on_rocksdb.rs`).
fn engine() -> Engine {
    match env!("CARGO_CRATE_NAME") {
        "on_rocksdb" => Engine::RocksDb,
        _ => Engine::Fjall,
    }
}
