//! How soon a member of the owners' group counts as dead.
//!
//! The sooner, the shorter its conversations wait; too soon, and a broker or a node that stands still for a moment
//! makes partitions move for nothing. Brokers refuse less than `group.min.session.timeout.ms`, which an
//! operator sets for all of them.

use std::time::Duration;

use futures_executor::block_on;
use rdkafka::admin::{AdminClient, AdminOptions, ResourceSpecifier};
use rdkafka::config::FromClientConfigAndContext;

use super::{KafkaOptions, QUERY_TIMEOUT, Reports};

const SETTING: &str = "group.min.session.timeout.ms";
/// What brokers allow at least by default (Apache Kafka, broker configuration). Asked of them where they do not tell.
const DEFAULT: Duration = Duration::from_secs(6);
/// Asked of brokers that allow it, or less.
const LEAST: Duration = Duration::from_secs(3);

/// How long a member may give no sign: the least that all brokers allow, but no less than 3 s. Blocks.
pub(super) fn timeout(options: &KafkaOptions) -> Duration {
    let timeout = allowed(options).unwrap_or(DEFAULT).max(LEAST);
    tracing::info!(timeout_ms = timeout.as_millis() as u64, "owners count as dead after");
    timeout
}

/// What the brokers say; `None` where one of them does not.
fn allowed(options: &KafkaOptions) -> Option<Duration> {
    let reports = Reports::default();
    let admin = AdminClient::from_config_and_context(&options.client("admin"), reports).ok()?;
    let metadata = admin.inner().fetch_metadata(Some(&options.topic), QUERY_TIMEOUT).ok()?;
    let limits = AdminOptions::new().request_timeout(Some(QUERY_TIMEOUT));
    let mut most = None;
    for broker in metadata.brokers() {
        // Each is asked itself: a request may not name more than one.
        let broker = ResourceSpecifier::Broker(broker.id());
        let answers = block_on(admin.describe_configs([&broker], &limits)).ok()?;
        let settings = answers.into_iter().next()?.ok()?;
        let ms = settings.get(SETTING)?.value.as_deref()?.parse().ok()?;
        most = most.max(Some(Duration::from_millis(ms)));
    }
    most
}
