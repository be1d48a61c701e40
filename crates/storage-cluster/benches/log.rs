//! How many appends of 1, 16 and 256 records of 250 B a log on Kafka takes, and how long one takes.
//!
//! ```sh
//! scripts/services start kafka
//! FRONTDESK_KAFKA=... cargo bench -p frontdesk-storage-cluster --bench log    # the address: scripts/services env
//! ```
//! One log, one append after the other; log and broker share the machine.

#![expect(clippy::print_stdout, reason = "its result")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use frontdesk_core::secret::Secret128;
use frontdesk_storage::{MessageLog, Record};
use frontdesk_storage_cluster::{KafkaLog, KafkaOptions, KafkaProducer, ensure_topic};
use hdrhistogram::Histogram;

const RECORD_BYTES: usize = 250;
const WARMS_UP: Duration = Duration::from_secs(2);
const LASTS: Duration = Duration::from_secs(8);

fn main() {
    let brokers =
        std::env::var("FRONTDESK_KAFKA").expect("FRONTDESK_KAFKA, see scripts/services env");
    let options = KafkaOptions {
        brokers,
        topic: format!("bench-{}", Secret128::random().reveal()),
        partitions: 1,
        replication: 1,
        min_insync_replicas: 1,
        delivery_timeout: Duration::from_secs(30),
    };
    ensure_topic(&options).expect("kafka");
    let mut log =
        KafkaLog::open(&KafkaProducer::open(options).expect("kafka"), 0, Arc::new(|_| {}))
            .expect("kafka");
    for records in [1, 16, 256] {
        run(&mut log, records, WARMS_UP);
        let (rate, took) = run(&mut log, records, LASTS);
        let micros = |quantile| took.value_at_quantile(quantile);
        println!(
            "{records:3} records: {rate:8.0} appends/s  {:8.0} records/s  p50 {} us  p99 {} us",
            rate * records as f64,
            micros(0.5),
            micros(0.99)
        );
    }
    // Its topic stays behind, empty.
    log.trim(log.next_offset()).expect("kafka");
}

/// Appends a second, and microseconds of each.
fn run(log: &mut KafkaLog, records: usize, lasts: Duration) -> (f64, Histogram<u64>) {
    let payload = [7; RECORD_BYTES];
    let turn = vec![Record { partition: 1, payload: &payload }; records];
    let mut took = Histogram::new(3).expect("a histogram");
    let began = Instant::now();
    while began.elapsed() < lasts {
        let began = Instant::now();
        log.append(&turn).expect("kafka");
        took.record(began.elapsed().as_micros() as u64).expect("in range");
    }
    (took.len() as f64 / began.elapsed().as_secs_f64(), took)
}
