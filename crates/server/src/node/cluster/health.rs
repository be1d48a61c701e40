//! What this node needs of other machines, for `/readyz`: Kafka, Redis, every database, an owner for every
//! partition.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

use frontdesk_api::engine::Check;
use frontdesk_gateway::chat::loops::Loops;
use frontdesk_storage::Directory;
use frontdesk_storage_cluster::{KafkaProducer, MySqlHistory, Spool};
use tokio::{sync::Mutex, time::timeout};

use super::{ClusterNode, board::SKEW_MAX_MS};

/// How old an answer may be: whoever asks `/readyz` often asks the engines once.
const FRESH: Duration = Duration::from_secs(1);
/// How long one of them may take to answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(3);

/// Asks the engines.
pub(crate) struct Health {
    producer: Arc<KafkaProducer>,
    history: Arc<MySqlHistory>,
    directory: Arc<dyn Directory>,
    loops: Arc<Loops>,
    skew_ms: Arc<AtomicI64>,
    spool: Arc<Spool>,
    last: Mutex<Option<(Instant, Vec<Check>)>>,
}

impl Health {
    pub(super) fn new(node: &ClusterNode, loops: Arc<Loops>) -> Self {
        Self {
            producer: Arc::clone(&node.producer),
            history: Arc::clone(&node.history),
            directory: Arc::clone(&node.directory),
            loops,
            skew_ms: Arc::clone(&node.skew_ms),
            spool: Arc::clone(&node.spool),
            last: Mutex::default(),
        }
    }

    /// One line for each.
    pub(crate) async fn checks(&self) -> Vec<Check> {
        let mut last = self.last.lock().await;
        if let Some((at, checks)) = &*last
            && at.elapsed() < FRESH
        {
            return checks.clone();
        }
        let (kafka, redis, mysql) = tokio::join!(self.kafka(), self.redis(), self.mysql());
        let mut checks = vec![kafka, redis];
        checks.extend(mysql);
        checks.push(self.partitions());
        checks.push(self.clock());
        checks.push(self.spool());
        *last = Some((Instant::now(), checks.clone()));
        checks
    }

    async fn kafka(&self) -> Check {
        let producer = Arc::clone(&self.producer);
        let answer = super::blocking(move || producer.check());
        let detail = match timeout(ANSWER_TIMEOUT, answer).await {
            Ok(Ok(Ok(()))) => String::new(),
            Ok(Ok(Err(error))) => chain(&error),
            _ => "it does not answer".to_owned(),
        };
        check("kafka", detail)
    }

    async fn redis(&self) -> Check {
        let detail = match timeout(ANSWER_TIMEOUT, self.directory.get("health")).await {
            Ok(Ok(_)) => String::new(),
            Ok(Err(error)) => chain(&error),
            Err(_) => "it does not answer".to_owned(),
        };
        check("redis", detail)
    }

    async fn mysql(&self) -> Vec<Check> {
        let history = Arc::clone(&self.history);
        match timeout(ANSWER_TIMEOUT, super::blocking(move || history.check())).await {
            Ok(Ok(shards)) => shards
                .into_iter()
                .map(|(shard, answer)| {
                    check(&shard, answer.err().map_or_else(String::new, |error| chain(&error)))
                })
                .collect(),
            _ => vec![check("mysql", "a database does not answer".to_owned())],
        }
    }

    fn clock(&self) -> Check {
        let skew_ms = self.skew_ms.load(Ordering::Relaxed);
        let detail = if skew_ms.abs() > SKEW_MAX_MS {
            format!("{skew_ms} ms ahead of the brokers' clock: set the time of this machine")
        } else {
            String::new()
        };
        check("clock", detail)
    }

    fn spool(&self) -> Check {
        let detail = match self.spool.records() {
            0 => String::new(),
            waiting => format!("{waiting} messages wait for Kafka on this node's disk"),
        };
        check("spool", detail)
    }

    fn partitions(&self) -> Check {
        let owners = self.loops.owners();
        let without = (0..owners.partitions()).filter(|of| owners.owner(*of).is_none()).count();
        let detail = match without {
            0 => String::new(),
            without => format!("{without} of {} have no owner", owners.partitions()),
        };
        check("partitions", detail)
    }
}

/// An error with everything behind it.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}

fn check(name: &str, detail: String) -> Check {
    Check { name: name.to_owned(), ok: detail.is_empty(), detail }
}
