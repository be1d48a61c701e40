//! Keys of the engines that hold the data: of one machine, or of a cluster.

use frontdesk_storage_embedded::{Engine, Reserve};
use serde::Deserialize;

use super::{ConfigError, cluster::ClusterStorage, invalid};

/// Which engines hold the data. A table that the choice does not use is read for its types and forgotten.
#[derive(Debug, Clone, Deserialize)]
#[serde(from = "StorageTable")]
pub(crate) enum Storage {
    Embedded { embedded: Embedded },
    Cluster { cluster: Box<ClusterStorage> },
}

impl Storage {
    /// How many partitions a new installation gets.
    pub(crate) fn partitions(&self) -> u16 {
        match self {
            Self::Embedded { embedded } => embedded.partitions,
            Self::Cluster { cluster } => cluster.partitions,
        }
    }

    /// The engines of one machine, or why what is asked for is not possible with others.
    pub(crate) fn embedded(&self) -> anyhow::Result<&Embedded> {
        match self {
            Self::Embedded { embedded } => Ok(embedded),
            Self::Cluster { .. } => {
                anyhow::bail!("this works on a data directory only: storage.mode is \"cluster\"")
            }
        }
    }
}

/// `[storage]` as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StorageTable {
    mode: StorageMode,
    embedded: Embedded,
    cluster: ClusterStorage,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum StorageMode {
    Embedded,
    Cluster,
}

impl From<StorageTable> for Storage {
    fn from(table: StorageTable) -> Self {
        match table.mode {
            StorageMode::Embedded => Self::Embedded { embedded: table.embedded },
            StorageMode::Cluster => Self::Cluster { cluster: Box::new(table.cluster) },
        }
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Embedded {
    pub(crate) durability: Durability,
    pub(crate) reserve_percent: u8,
    pub(crate) reserve_bytes: u64,
    pub(crate) reserve_bytes_max: u64,
    pub(crate) segment_bytes: u64,
    #[serde(deserialize_with = "engine")]
    pub(crate) engine: Engine,
    pub(crate) history_cache_bytes: u64,
    pub(crate) partitions: u16,
}

impl Embedded {
    /// What is kept free of the disk.
    pub(crate) fn reserve(&self) -> Reserve {
        Reserve {
            percent: self.reserve_percent,
            bytes_min: self.reserve_bytes,
            bytes_max: self.reserve_bytes_max,
        }
    }

    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        let invalid = |key, reason: &str| Err(invalid(key, reason));
        if !(1..=4096).contains(&self.partitions) {
            return invalid("storage.embedded.partitions", "must lie between 1 and 4096");
        }
        if self.segment_bytes < 4 << 20 {
            return invalid("storage.embedded.segment_bytes", "must be at least 4 MiB");
        }
        if self.reserve_percent > 50 {
            return invalid("storage.embedded.reserve_percent", "must be at most 50");
        }
        is_built("storage.embedded.engine", self.engine)
    }
}

/// Whether this binary has an engine that `key` asks for.
pub(super) fn is_built(key: &'static str, engine: Engine) -> Result<(), ConfigError> {
    if engine.is_built() {
        return Ok(());
    }
    Err(invalid(
        key,
        "this binary was built without it: build one with `cargo build --release -p frontdesk \
         --features rocksdb`, or say \"fjall\"",
    ))
}

pub(super) fn engine<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Engine, D::Error> {
    let name = String::deserialize(deserializer)?;
    let engine = Engine::ALL.into_iter().find(|engine| engine.name() == name);
    engine.ok_or_else(|| serde::de::Error::unknown_variant(&name, &["fjall", "rocksdb"]))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Durability {
    Sync,
    Async,
}
