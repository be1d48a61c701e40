//! What tests that compare rounds share: precedence over everything else the machine does, a disk that
//! is never slow, and the server's memory while something runs.
//!
//! A compiler beside a test makes its slowest hundredth ten times slower, and not in both of two
//! rounds. So the test and the server it starts go before other processes, where the system lets them:
//! equally, so that they compete with each other as they would on a machine of their own.

use std::{fs, path::Path, process::Command, time::Duration};

use frontdesk_testkit::{TestServer, http::note};
use tempfile::TempDir;
use tokio::time::{MissedTickBehavior, interval};

use crate::heavy;

/// What may be added to a bound that is a share of a millisecond: rounds of the same kind differ by as
/// much beside a compiler. Whoever goes first still waits for the kernel's own work on the loopback,
/// which does not; the tests print how much their rounds differ.
pub(crate) const GRAIN: Duration = Duration::from_millis(2);

/// How often the memory is looked at: many times within the second in which a queue fills.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Runs a test that measures: alone among the tests that load the machine, and before
/// other processes.
pub(crate) fn measured(test: impl Future<Output = ()>) {
    // Of several checkouts on one machine, one measures at a time: both would go first.
    let turn = fs::File::create(std::env::temp_dir().join("frontdesk-measures")).expect("a file");
    turn.lock().expect("its turn comes");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .on_thread_start(go_first)
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let _alone = heavy().await;
        go_first();
        test.await;
    });
}

/// Lets the calling thread, and the processes it starts, go before others.
fn go_first() {
    // By a program, because there is no safe call for it. The threads of a server inherit it.
    let done = fs::read_link("/proc/thread-self").and_then(|path| {
        let thread = path.file_name().unwrap_or_default();
        Command::new("chrt").args(["--rr", "--pid", "1"]).arg(thread).output()
    });
    if !done.is_ok_and(|done| done.status.success()) {
        note("the system lets nobody go first: figures are those of a busy machine");
    }
}

/// A directory in memory, where the system has such a place: a disk that is busy with something else
/// would be most of what is measured.
pub(crate) fn directory_in_memory() -> TempDir {
    let memory = Path::new("/dev/shm");
    let mut builder = tempfile::Builder::new();
    builder.prefix("frontdesk-it-");
    let dir = if memory.is_dir() { builder.tempdir_in(memory) } else { builder.tempdir() };
    dir.expect("a directory")
}

/// Does the work; `watch` is called every now and then meanwhile. Returns also by how much the
/// server's memory was greater than before, at most.
pub(crate) async fn peak_rss_while<T>(
    server: &TestServer,
    mut watch: impl AsyncFnMut(),
    work: impl Future<Output = T>,
) -> (T, u64) {
    let before = server.rss_bytes();
    let mut most = before;
    let mut look = interval(LOOK_EVERY);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    tokio::pin!(work);
    loop {
        tokio::select! {
            done = &mut work => return (done, most.max(server.rss_bytes()) - before),
            _ = look.tick() => {}
        }
        watch().await;
        most = most.max(server.rss_bytes());
    }
}
