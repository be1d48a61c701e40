//! The suites of `frontdesk-storage`, run against every back end of this crate.

use tempfile::TempDir;

mod log {
    use frontdesk_storage_embedded::{LogOptions, SegmentLog};

    // Small segments, so that the cases cross from one to the next.
    frontdesk_storage::message_log_suite!({
        let dir = super::temporary();
        let options = LogOptions { segment_bytes: 256 << 10, ..LogOptions::default() };
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
            ..LogOptions::default()
        };
        move || SegmentLog::open(dir.path(), options).expect("a whole log")
    });
}

mod history {
    use frontdesk_storage_embedded::{FjallHistory, HistoryOptions};

    frontdesk_storage::history_suite!({
        let dir = super::temporary();
        move || FjallHistory::open(dir.path(), HistoryOptions::default()).expect("a whole history")
    });
}

mod directory {
    use frontdesk_storage::conformance::directory::Subject;
    use frontdesk_storage_embedded::InProcessDirectory;

    frontdesk_storage::directory_suite!(Subject {
        directory: InProcessDirectory::default(),
        elapse: |time| Box::pin(tokio::time::advance(time)),
    });
}

mod bus {
    frontdesk_storage::bus_suite!(frontdesk_storage_embedded::InProcessBus::new(128));
}

fn temporary() -> TempDir {
    tempfile::tempdir().expect("a temporary directory")
}
