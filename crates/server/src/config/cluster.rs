//! Keys of a cluster: where its engines are, and this node among others.

use std::path::PathBuf;

use frontdesk_storage_embedded::Engine;
use serde::Deserialize;

use super::{
    ConfigError, Hidden, invalid, read_file,
    storage::{engine, is_built},
};

/// Where the engines of a cluster are.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClusterStorage {
    pub(crate) kafka_brokers: String,
    pub(crate) kafka_topic: String,
    pub(crate) kafka_replication: u16,
    pub(crate) kafka_min_insync: u16,
    pub(crate) kafka_timeout_ms: u64,
    pub(crate) redis_url: Hidden,
    pub(crate) mysql_urls: Vec<Hidden>,
    pub(crate) partitions: u16,
    pub(crate) spool_bytes_max: u64,
    #[serde(deserialize_with = "engine")]
    pub(crate) spool_engine: Engine,
}

/// This node among others.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Cluster {
    pub(crate) node: u8,
    pub(crate) roles: Vec<Role>,
    /// From the file, where one is named.
    pub(crate) secret: Hidden,
    pub(crate) secret_file: PathBuf,
    pub(crate) advertise: String,
    /// 0: what this release can do.
    pub(crate) level: u32,
}

/// What a node does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Role {
    Gateway,
    Worker,
    Api,
}

/// What a node of this release can do. Nodes of neighbouring levels work together, so that releases change one node
/// after the other; what only the newer one understands is not written while one of the older level is there.
/// 2: clients that are sent on keep their connection.
pub(crate) const LEVEL: u32 = 2;
/// The shortest secret of a cluster, characters.
const SECRET_CHARS_MIN: usize = 32;

impl Cluster {
    pub(crate) fn has(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }

    pub(super) fn read_secret(&mut self) -> Result<(), ConfigError> {
        if self.secret_file.as_os_str().is_empty() {
            return Ok(());
        }
        if !self.secret.0.is_empty() {
            return Err(invalid("cluster.secret", "is set here and by secret_file; keep one"));
        }
        self.secret = read_file("cluster.secret_file", &self.secret_file)?;
        Ok(())
    }

    pub(super) fn validate(&self, storage: &ClusterStorage) -> Result<(), ConfigError> {
        if !(1..=254).contains(&self.node) {
            return Err(invalid("cluster.node", "must lie between 1 and 254"));
        }
        if self.roles.is_empty() {
            return Err(invalid("cluster.roles", "names no role: gateway, worker, api"));
        }
        if self.secret.0.chars().count() < SECRET_CHARS_MIN {
            return Err(invalid(
                "cluster.secret",
                "must have at least 32 characters, the same on every node; \
                 `openssl rand -hex 32` makes one",
            ));
        }
        if storage.mysql_urls.is_empty() {
            return Err(invalid("storage.cluster.mysql_urls", "names no database"));
        }
        if !(1..=4096).contains(&storage.partitions) {
            return Err(invalid("storage.cluster.partitions", "must lie between 1 and 4096"));
        }
        if storage.kafka_min_insync > storage.kafka_replication || storage.kafka_min_insync == 0 {
            return Err(invalid(
                "storage.cluster.kafka_min_insync",
                "must lie between 1 and kafka_replication",
            ));
        }
        if storage.kafka_timeout_ms < 1_000 {
            return Err(invalid("storage.cluster.kafka_timeout_ms", "must be at least 1000"));
        }
        is_built("storage.cluster.spool_engine", storage.spool_engine)?;
        if !self.advertise.is_empty() && !self.advertise.starts_with("http://") {
            return Err(invalid("cluster.advertise", "must look like http://HOST:PORT"));
        }
        if self.level != 0 && !(LEVEL - 1..=LEVEL).contains(&self.level) {
            return Err(invalid(
                "cluster.level",
                &format!("must be 0, {} or {LEVEL}: this release has no other", LEVEL - 1),
            ));
        }
        Ok(())
    }
}
