//! The engines of this build side by side: commits with a sync, the history's batches, pages and ids.
//!
//! ```sh
//! cargo bench -p frontdesk-storage-embedded --features rocksdb --bench engines
//! ```
//! It writes to the temporary directory (`TMPDIR`). Engines take turns, in rounds, each with a directory of its
//! own, so that what else the machine does meets both. Prints the tables of docs/benchmarks.md, one figure a
//! round; CPU is that of the whole process, with the engine's own threads.
//!
//! Expected on a 2-core machine: a commit is one write and one sync (0.1-4 ms), so small batches cost
//! the sync and large ones what the engine does for a row (1-3 us); a page of 20 is one row or twenty, 20-40 us.

#![expect(clippy::print_stdout, reason = "its result")]

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use frontdesk_core::id::ConversationId;
use frontdesk_storage::{Batch, ConversationWrite, EntryWrite, History};
use frontdesk_storage_embedded::engine::{self, Durability, StoreOptions};
use frontdesk_storage_embedded::{EmbeddedHistory, Engine, HistoryOptions};
use rustix::time::{ClockId, clock_gettime};

const ROUNDS: usize = 3;
const ROW_BYTES: usize = 200;
/// Rows of a commit with a sync, and how long such commits are made.
const COMMITS: [usize; 4] = [16, 64, 256, 1024];
const COMMIT_TIME: Duration = Duration::from_secs(4);
/// The history: so many conversations, so many entries each, brought in batches of so many of them.
const CONVERSATIONS: u32 = 8_192;
const ENTRIES: u64 = 48;
const BATCH: u32 = 64;
/// The history thread persists about once a second.
const BATCHES_A_PERSIST: u32 = 256;
const READS: u32 = 40_000;

/// What one round of one engine gave: (what was measured, figures).
type Round = Vec<(String, Vec<String>)>;

fn main() {
    let engines: Vec<Engine> = Engine::ALL.into_iter().filter(|engine| engine.is_built()).collect();
    let mut rounds: Vec<Vec<Round>> = vec![Vec::new(); engines.len()];
    for _ in 0..ROUNDS {
        for (engine, rounds) in engines.iter().zip(&mut rounds) {
            let mut round = Vec::new();
            for rows in COMMITS {
                round.push((format!("commit and sync of {rows} rows"), commits(*engine, rows)));
            }
            round.extend(history(*engine));
            rounds.push(round);
        }
    }
    println!("| Load | Engine | a second | p50 / p99 / longest ms | CPU us |");
    println!("|---|---|---|---|---|");
    for load in 0..rounds[0][0].len() {
        for (engine, rounds) in engines.iter().zip(&rounds) {
            let figures = |column: usize| -> String {
                let of_rounds: Vec<_> =
                    rounds.iter().map(|round| &*round[load].1[column]).collect();
                of_rounds.join(", ")
            };
            let name = &rounds[0][load].0;
            println!("| {name} | {engine} | {} | {} | {} |", figures(0), figures(1), figures(2));
        }
    }
}

/// Times of single calls, and what all of them cost.
struct Meter {
    began: Instant,
    cpu: Duration,
    calls: Vec<Duration>,
}

impl Meter {
    fn new() -> Self {
        Self { began: Instant::now(), cpu: cpu(), calls: Vec::new() }
    }

    fn call<T>(&mut self, call: impl FnOnce() -> T) -> T {
        let began = Instant::now();
        let answer = call();
        self.calls.push(began.elapsed());
        answer
    }

    /// Per second, quantiles of a call, CPU of one of `count`.
    fn figures(mut self, count: u64) -> Vec<String> {
        let seconds = self.began.elapsed().as_secs_f64();
        let cpu = cpu().saturating_sub(self.cpu).as_secs_f64() * 1e6 / count as f64;
        self.calls.sort_unstable();
        let last = self.calls.len() - 1;
        let ms = |at: usize| format!("{:.3}", self.calls[at].as_secs_f64() * 1e3);
        let times = [ms(last / 2), ms(last * 99 / 100), ms(last)].join(" / ");
        vec![format!("{:.0}", count as f64 / seconds), times, format!("{cpu:.2}")]
    }
}

fn cpu() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// The engine alone: rows of rising keys in many runs, as entries of conversations are.
fn commits(engine: Engine, rows: usize) -> Vec<String> {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let options = HistoryOptions::default();
    let options = StoreOptions {
        name: "bench",
        cache_bytes: options.cache_bytes,
        memtable_bytes: options.memtable_bytes,
        journals_bytes_max: 128 << 20,
    };
    let store = engine::open(engine, dir.path(), &options).expect("an empty directory");
    let mut meter = Meter::new();
    let mut count = 0_u64;
    while meter.began.elapsed() < COMMIT_TIME {
        let mut batch = store.batch();
        for _ in 0..rows {
            let mut key = [0x20; 21];
            key[9..13].copy_from_slice(&((count % 1000) as u32).to_be_bytes());
            key[13..].copy_from_slice(&(count / 1000).to_be_bytes());
            batch.insert(&key, &noise(count));
            count += 1;
        }
        meter.call(|| batch.commit(Durability::Synced).expect("written"));
    }
    meter.figures(count)
}

/// Bytes that no engine finds anything in.
fn noise(seed: u64) -> [u8; ROW_BYTES] {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut bytes = [0; ROW_BYTES];
    for chunk in bytes.chunks_exact_mut(8) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        chunk.copy_from_slice(&state.to_le_bytes());
    }
    // No entry begins with 0, see `run.rs`.
    bytes[0] |= 1;
    bytes
}

/// The history as the server keeps it.
fn history(engine: Engine) -> Round {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let options = HistoryOptions { engine, ..HistoryOptions::default() };
    let history = EmbeddedHistory::open(dir.path(), options).expect("an empty directory");
    let mut meter = Meter::new();
    let mut offset = 0;
    for seq in 1..=ENTRIES {
        for first in (0..CONVERSATIONS).step_by(BATCH as usize) {
            let conversations = (first..first + BATCH).map(|number| write(number, seq)).collect();
            offset += u64::from(BATCH);
            let batch = Batch { log: 0, offset, conversations };
            meter.call(|| history.apply(&batch).expect("the history takes a batch"));
            if (offset / u64::from(BATCH)).is_multiple_of(u64::from(BATCHES_A_PERSIST)) {
                history.persist().expect("synced");
            }
        }
    }
    let applied = meter.figures(offset);
    history.persist().expect("synced");
    let megabytes = bytes_in(dir.path()) / 1_000_000;

    let mut pages = Meter::new();
    for read in 0..READS {
        let id = conversation(read.wrapping_mul(2_654_435_761) % CONVERSATIONS);
        let page = pages.call(|| history.page(&id, None, 20).expect("readable"));
        assert_eq!(page.len(), 20);
    }
    let pages = pages.figures(u64::from(READS));
    let mut ids = Meter::new();
    for read in 0..READS {
        let id = conversation(read.wrapping_mul(2_654_435_761) % CONVERSATIONS);
        // Half of them were never sent.
        let seq = u64::from(read) % (2 * ENTRIES) + 1;
        let found = ids.call(|| history.find(&id, SENDER, &seq.to_be_bytes()).expect("readable"));
        assert_eq!(found.is_some(), seq <= ENTRIES);
    }
    let ids = ids.figures(u64::from(READS));
    drop(history);
    let mut starts = Meter::new();
    starts.call(|| EmbeddedHistory::open(dir.path(), options).expect("whole"));
    vec![
        (format!("history: apply, batches of {BATCH} entries"), applied),
        ("history: newest 20 of a conversation".to_owned(), pages),
        ("history: find a sent id, half of them unknown".to_owned(), ids),
        (format!("history: open {megabytes} MB"), starts.figures(1)),
    ]
}

const SENDER: &str = "0123456789abcdefghij";

fn conversation(number: u32) -> ConversationId {
    let mut id = [0x20; 12];
    id[8..].copy_from_slice(&number.to_be_bytes());
    ConversationId::from_bytes(id)
}

fn write(number: u32, seq: u64) -> ConversationWrite {
    let entry = EntryWrite {
        seq,
        sender: SENDER.to_owned(),
        client_msg_id: Bytes::copy_from_slice(&seq.to_be_bytes()),
        content_hash: seq,
        entry: Bytes::copy_from_slice(&noise(u64::from(number) * ENTRIES + seq)),
    };
    ConversationWrite {
        conversation: conversation(number),
        state: Bytes::from_static(&[0x5a; 300]),
        entries: vec![Arc::new(entry)],
        replaced: Vec::new(),
        events: Vec::new(),
    }
}

fn bytes_in(dir: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt;
    let mut bytes = 0;
    for entry in std::fs::read_dir(dir).expect("a directory") {
        let path = entry.expect("an entry").path();
        let metadata = std::fs::metadata(&path).expect("a file");
        // Journals are longer than what they hold.
        bytes += if path.is_dir() { bytes_in(&path) } else { metadata.blocks() * 512 };
    }
    bytes
}
