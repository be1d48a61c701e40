//! What a client of Kafka says of itself: its log, its last error, and whether it has a broker left.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use rdkafka::Statistics;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::KafkaError as ClientError;

/// Warnings at every start: of a setting that is chosen on purpose, and of a producer's id that is asked for before
/// the first broker has answered.
const EXPECTED: [&str; 2] = ["CONFWARN", "GETPID"];
/// Where a client's broker can come from, beside those that lead to no address by themselves.
const REAL: [&str; 2] = ["configured", "learned"];

/// Passes on what librdkafka logs, and keeps the last error that belongs to no call.
///
/// It also tells a client that is **stranded**. Brokers that were all away for longer than their session may answer,
/// for a moment, that the cluster has no brokers; librdkafka then forgets every one it knew, and may never look for
/// them again (librdkafka#5301, at the latest seen in 2.12.1). Such a client is of no more use: its owner makes
/// another one.
#[derive(Debug, Default, Clone)]
pub(super) struct Reports {
    last: Arc<Mutex<Option<String>>>,
    is_stranded: Arc<AtomicBool>,
}

impl Reports {
    /// The last error told since it was asked for last.
    pub(super) fn take(&self) -> Option<String> {
        self.last.lock().take()
    }

    /// Whether the client has no broker left. True once for each time that it is seen.
    pub(super) fn take_stranded(&self) -> bool {
        self.is_stranded.load(Ordering::Relaxed) && self.is_stranded.swap(false, Ordering::Relaxed)
    }
}

impl ClientContext for Reports {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, line: &str) {
        // Calls report their own errors; these lines say what came before.
        match level {
            _ if EXPECTED.contains(&facility) => {
                tracing::debug!(kafka.facility = facility, kafka.line = line, "kafka client");
            }
            RDKafkaLogLevel::Emerg
            | RDKafkaLogLevel::Alert
            | RDKafkaLogLevel::Critical
            | RDKafkaLogLevel::Error
            | RDKafkaLogLevel::Warning => {
                tracing::warn!(kafka.facility = facility, kafka.line = line, "kafka client");
            }
            _ => tracing::debug!(kafka.facility = facility, kafka.line = line, "kafka client"),
        }
    }

    fn error(&self, error: ClientError, reason: &str) {
        tracing::warn!(%error, reason, "kafka client has trouble");
        *self.last.lock() = Some(reason.to_owned());
    }

    fn stats(&self, statistics: Statistics) {
        let mut brokers = statistics.brokers.values();
        if !brokers.any(|broker| REAL.contains(&broker.source.as_str())) {
            let client = statistics.client_id;
            tracing::warn!(client, "a kafka client has no broker left; it is made anew");
            self.is_stranded.store(true, Ordering::Relaxed);
        }
    }
}

impl ConsumerContext for Reports {}

#[cfg(test)]
mod tests {
    use rdkafka::statistics::Broker;

    use super::*;

    fn statistics(sources: &[&str]) -> Statistics {
        let broker = |source: &&str| Broker { source: (*source).to_owned(), ..Broker::default() };
        let brokers = sources.iter().map(|source| ((*source).to_owned(), broker(source))).collect();
        Statistics { brokers, ..Statistics::default() }
    }

    #[test]
    fn a_client_without_a_broker_that_has_an_address_is_stranded() {
        let reports = Reports::default();
        for sources in [&["configured", "internal"][..], &["internal", "learned", "logical"]] {
            reports.stats(statistics(sources));
            assert!(!reports.take_stranded(), "{sources:?}");
        }
        reports.stats(statistics(&["internal", "logical"]));
        assert!(reports.take_stranded());
        // Once, so that one that could not be made anew is tried again with the next statistics.
        assert!(!reports.take_stranded());
    }
}
