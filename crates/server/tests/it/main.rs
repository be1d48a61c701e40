//! The product as a whole: the real binary, real sockets, real files. One test binary, a module for
//! each feature; tests of reliability.md and security.md are named after their ids. Those that take
//! minutes are in `long`.

mod bench;
mod bots;
mod bucket;
mod chat;
mod cluster;
mod cluster_refused;
mod colleagues;
mod crash;
mod demo;
mod durability;
mod flood;
mod herd;
mod intents;
mod knowledge;
mod long;
mod messages;
mod network;
mod rest;
mod rounds;
mod security;
mod sessions;
mod slow;
mod start;
mod tls;
mod visitors;
mod words;

use std::time::Duration;

use frontdesk_testkit::within;
use tokio::sync::{Mutex, MutexGuard};

/// The binary under test.
pub(crate) const FRONTDESK: &str = env!("CARGO_BIN_EXE_frontdesk");

/// What keeps the history where a server is killed: `make test-rocksdb` runs these tests once more.
pub(crate) const ENGINE: &str = if cfg!(feature = "rocksdb") { "rocksdb" } else { "fjall" };

/// Bytes.
pub(crate) const MIB: u64 = 1 << 20;

/// Held by tests that load the machine, so that they do not load each other.
pub(crate) async fn heavy() -> MutexGuard<'static, ()> {
    static HEAVY: Mutex<()> = Mutex::const_new(());
    HEAVY.lock().await
}

/// Asks again until it holds, which it has to in time.
pub(crate) async fn eventually(limit: Duration, what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let mut again = tokio::time::interval(Duration::from_millis(200));
    within(limit, what, async {
        while !holds().await {
            again.tick().await;
        }
    })
    .await;
}
