//! What it saves to make ids from the turn's clock and a counter of one's own (ADR 016), and to hash
//! content once.
//!
//! Expected: reading the clock is the whole cost of an id (20-50 ns, far more where the clock is no
//! vDSO call); without it an id is a few stores. An atomic counter that nobody else touches costs 5 ns.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::{SystemTime, UNIX_EPOCH},
};

use criterion::{Criterion, criterion_group, criterion_main};
use frontdesk_core::{
    chat,
    fold::content_hash,
    id::{IdSource, MessageId},
};

fn now_ms() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

fn ids(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("id");
    let mut source = IdSource::new([1, 2, 3], 4, 5);
    let turn_ms = now_ms();
    group.bench_function("clock_of_the_turn", |b| b.iter(|| source.next::<MessageId>(turn_ms)));
    group.bench_function("clock_for_each", |b| b.iter(|| source.next::<MessageId>(now_ms())));
    // What an xid library does: the clock, and a counter all threads share.
    let shared = AtomicU32::new(1);
    group.bench_function("clock_and_shared_counter", |b| {
        b.iter(|| {
            let count = shared.fetch_add(1, Ordering::SeqCst);
            IdSource::new([1, 2, 3], 4, count).next::<MessageId>(now_ms())
        });
    });
    let id: MessageId = source.next(turn_ms);
    group.bench_function("text", |b| b.iter(|| id.to_string()));
    let text = id.to_string();
    group.bench_function("parse", |b| b.iter(|| text.parse::<MessageId>()));
    group.finish();
}

fn hash(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("content_hash");
    for bytes in [20, 200, 4_000] {
        let text = chat::Text { body: "x".repeat(bytes) };
        let kind = Some(chat::content::Kind::Text(text));
        let content = chat::Content { kind, ..chat::Content::default() };
        group.bench_function(format!("{bytes}_bytes"), |b| b.iter(|| content_hash(0, &content)));
    }
    group.finish();
}

criterion_group!(benches, ids, hash);
criterion_main!(benches);
