//! The directory: short-lived claims and values, where users are connected, shared rate limits.
//!
//! Nothing here may be something that must not be lost: a directory that forgets everything costs
//! sign-ins and a moment of presence, never a message.

use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

use crate::DirectoryError;

/// The name of a node, as configured; cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(Arc<str>);

impl NodeId {
    /// Makes a node id of its configured name.
    pub fn new(name: &str) -> Self {
        Self(name.into())
    }

    /// The configured name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A rate: `burst` at once, then one each `interval` (GCRA).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// How many may come at once after a rest.
    pub burst: NonZeroU32,
    /// How long one takes to grow back.
    pub interval: Duration,
}

impl Quota {
    /// `rate` per second, `burst` at once.
    pub fn per_second(rate: NonZeroU32, burst: NonZeroU32) -> Self {
        Self { burst, interval: Duration::from_secs(1) / rate.get() }
    }

    /// `rate` per minute, `burst` at once.
    pub fn per_minute(rate: NonZeroU32, burst: NonZeroU32) -> Self {
        Self { burst, interval: Duration::from_mins(1) / rate.get() }
    }
}

/// The answer of a shared limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// Within the quota; it was counted.
    Admitted,
    /// Over the quota; nothing was counted.
    Refused {
        /// When one more will be admitted, if nobody else comes.
        retry_after: Duration,
    },
}

/// Who is where, short-lived claims and values, shared limits. Every method is atomic towards all
/// nodes; every entry ends by itself after its `ttl`.
#[async_trait]
pub trait Directory: Send + Sync {
    /// Claims the key for `ttl`: true for the first caller within that time, false for all others.
    /// A claim that could not be remembered is an error, never `true`.
    async fn claim(&self, key: &str, ttl: Duration) -> Result<bool, DirectoryError>;

    /// Keeps a value for `ttl`; replaces the former value and its time.
    async fn put(&self, key: &str, value: Bytes, ttl: Duration) -> Result<(), DirectoryError>;

    /// The value kept under the key.
    async fn get(&self, key: &str) -> Result<Option<Bytes>, DirectoryError>;

    /// Removes the value and returns it: of two callers at most one gets it.
    async fn remove(&self, key: &str) -> Result<Option<Bytes>, DirectoryError>;

    /// The nodes on which the user has connections, each once, ascending.
    async fn locate(&self, user: &str) -> Result<Vec<NodeId>, DirectoryError>;

    /// Says for `ttl` that the user has connections on the node; repeat it to go on.
    async fn announce(
        &self,
        user: &str,
        node: &NodeId,
        ttl: Duration,
    ) -> Result<(), DirectoryError>;

    /// Says that the user has no connection on the node any more.
    async fn withdraw(&self, user: &str, node: &NodeId) -> Result<(), DirectoryError>;

    /// Counts one against the bucket's quota, if it allows one more now.
    async fn admit(&self, bucket: &str, quota: Quota) -> Result<Admission, DirectoryError>;
}
