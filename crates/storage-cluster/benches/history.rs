//! How many entries a second the history on MySQL shards takes, and how long a page of 50 takes.
//!
//! ```sh
//! scripts/services start mysql
//! FRONTDESK_MYSQL=... cargo bench -p frontdesk-storage-cluster --bench history    # the addresses: scripts/services env
//! ```
//! The databases are filled: use those of a set of services that may go. Both shards and the caller share the
//! machine. Batches are written by one thread for each shard; pages are read one after the other.

#![expect(clippy::print_stdout, reason = "its result")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use frontdesk_core::id::ConversationId;
use frontdesk_core::partition_of;
use frontdesk_storage::{Batch, ConversationWrite, EntryWrite, History};
use frontdesk_storage_cluster::{MySqlHistory, MySqlOptions};
use hdrhistogram::Histogram;

const PARTITIONS: u16 = 16;
const CONVERSATIONS: usize = 1_000;
const ENTRIES: u64 = 10;
const ENTRY_BYTES: usize = 250;
const BATCHES: u64 = 10;
const PAGE: usize = 50;
const READS: usize = 5_000;

fn main() {
    let urls = std::env::var("FRONTDESK_MYSQL").expect("FRONTDESK_MYSQL, see scripts/services env");
    let urls: Vec<_> = urls.split(',').map(str::to_owned).collect();
    let shards = urls.len() as u16;
    let history = MySqlHistory::open(&MySqlOptions {
        timeout: Duration::from_mins(1),
        ..MySqlOptions::new(urls, PARTITIONS)
    })
    .expect("the shards are there");
    let run = std::time::SystemTime::UNIX_EPOCH.elapsed().expect("after 1970").as_millis() as u64;
    // The first partition of each shard.
    let logs: Vec<_> = (0..shards).collect();
    history.own(&logs, run).expect("nobody else runs it");
    let conversations: Vec<_> = logs.iter().map(|log| conversations_of(*log, run)).collect();

    for threads in [1, logs.len()] {
        let began = Instant::now();
        std::thread::scope(|scope| {
            for (log, ids) in logs.iter().zip(&conversations).take(threads) {
                let history = &history;
                scope.spawn(move || {
                    let first = history.applied(*log).expect("readable") + 1;
                    for offset in first..first + BATCHES {
                        let batch = batch(*log, ids, offset);
                        history.apply(&batch).expect("the owner");
                    }
                });
            }
        });
        let rows = (threads * CONVERSATIONS) as u64 * ENTRIES * BATCHES;
        let seconds = began.elapsed().as_secs_f64();
        println!("apply, {threads} shards at once: {:.0} entries/s", rows as f64 / seconds);
    }

    let mut histogram = Histogram::<u64>::new(3).expect("three digits");
    for read in 0..READS {
        let id = &conversations[0][read * 7 % CONVERSATIONS];
        let began = Instant::now();
        let page = history.page(id, None, PAGE).expect("readable");
        histogram.record(began.elapsed().as_nanos() as u64).expect("it resizes itself");
        assert_eq!(page.len(), PAGE);
    }
    let ms = |quantile| histogram.value_at_quantile(quantile) as f64 / 1e6;
    println!("page of {PAGE}: p50 {:.2} ms, p99 {:.2} ms", ms(0.5), ms(0.99));
}

/// New conversations of one partition.
fn conversations_of(log: u16, run: u64) -> Vec<ConversationId> {
    let id = |number: u32| {
        let mut bytes = [0; 12];
        bytes[..8].copy_from_slice(&run.to_be_bytes());
        bytes[8..].copy_from_slice(&number.to_be_bytes());
        ConversationId::from_bytes(bytes)
    };
    (0..u32::MAX)
        .map(id)
        .filter(|id| partition_of(id, PARTITIONS) == log)
        .take(CONVERSATIONS)
        .collect()
}

/// The next ten entries of each conversation.
fn batch(log: u16, ids: &[ConversationId], offset: u64) -> Batch {
    let first = (offset - 1) * ENTRIES + 1;
    let entry = |seq: u64| {
        Arc::new(EntryWrite {
            seq,
            sender: "visitor 0123456789abcdefghij".to_owned(),
            client_msg_id: Bytes::copy_from_slice(&u128::from(seq).to_be_bytes()),
            content_hash: seq,
            entry: Bytes::from(vec![seq as u8; ENTRY_BYTES]),
        })
    };
    let write = |id: &ConversationId| ConversationWrite {
        conversation: *id,
        state: Bytes::from(vec![0; ENTRY_BYTES]),
        entries: (first..first + ENTRIES).map(entry).collect(),
        replaced: Vec::new(),
        events: Vec::new(),
    };
    Batch { log, offset, conversations: ids.iter().map(write).collect() }
}
