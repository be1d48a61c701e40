//! What one append and one batch of history cost, on the disk of the temporary directory.
//!
//! Expected on a 2-core machine: an append of 64 records of 1 KiB is one write of 66 KiB and one
//! sync, so about the sync (0.1-4 ms); without the sync about 30 us. A batch of 64 entries is 64 *
//! 3 inserts into a memtable and one buffered write: about 0.3 ms.

use std::ops::RangeInclusive;
use std::sync::Arc;

use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use frontdesk_core::id::ConversationId;
use frontdesk_storage::{Batch, ConversationWrite, EntryWrite, History, MessageLog, Record};
use frontdesk_storage_embedded::{
    Durability, EmbeddedHistory, HistoryOptions, LogOptions, SegmentLog,
};

const BATCH: u64 = 64;

fn append(criterion: &mut Criterion) {
    let payload = vec![0x5a; 1024];
    let records = vec![Record { partition: 3, payload: &payload }; BATCH as usize];
    let mut group = criterion.benchmark_group("append/1k_bytes");
    group.throughput(Throughput::Elements(BATCH));
    for (name, durability) in
        [("batch_64", Durability::Sync), ("batch_64_async", Durability::Async)]
    {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let options = LogOptions { durability, ..LogOptions::default() };
        let mut log = SegmentLog::open(dir.path(), options).expect("an empty directory");
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let first = log.append(&records).expect("there is room");
                log.trim(first).expect("the log is whole");
            });
        });
    }
    group.finish();
}

fn write(conversation: u32, seqs: RangeInclusive<u64>) -> ConversationWrite {
    let mut id = [0x20; 12];
    id[8..].copy_from_slice(&conversation.to_be_bytes());
    let entry = |seq: u64| EntryWrite {
        seq,
        sender: "0123456789abcdefghij".to_owned(),
        client_msg_id: Bytes::copy_from_slice(&u128::from(seq).to_be_bytes()),
        content_hash: seq,
        entry: Bytes::from_static(&[0x5a; 200]),
    };
    ConversationWrite {
        conversation: ConversationId::from_bytes(id),
        state: Bytes::from_static(&[0x5a; 300]),
        entries: seqs.map(entry).map(Arc::new).collect(),
        replaced: Vec::new(),
        events: Vec::new(),
    }
}

fn history(criterion: &mut Criterion) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let history =
        EmbeddedHistory::open(dir.path(), HistoryOptions::default()).expect("an empty directory");
    let mut group = criterion.benchmark_group("history");
    group.throughput(Throughput::Elements(BATCH));
    let mut offset = 0;
    group.bench_function("apply", |bencher| {
        bencher.iter(|| {
            offset += BATCH;
            let seq = offset / BATCH;
            let conversations =
                (0..BATCH as u32).map(|conversation| write(conversation, seq..=seq)).collect();
            let batch = Batch { log: 0, offset, conversations };
            history.apply(&batch).expect("the history takes a batch");
        });
    });
    group.throughput(Throughput::Elements(20));
    group.bench_function("page_20", |bencher| {
        let id = write(7, 1..=1).conversation;
        bencher.iter(|| history.page(&id, None, 20).expect("readable"));
    });
    group.finish();
}

criterion_group!(benches, append, history);
criterion_main!(benches);
