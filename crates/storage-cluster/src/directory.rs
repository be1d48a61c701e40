//! The directory in Redis: a command, or a script that Redis runs as one, for every method.
//!
//! Redis' own clock decides what has ended and what is within a quota, so nodes whose clocks differ
//! agree. What a Redis that was flushed has forgotten costs sign-ins and a moment of presence: users
//! are announced anew by their nodes, limits begin with a full burst.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use frontdesk_storage::{Admission, Directory, DirectoryError, NodeId, Quota};
use redis::{Cmd, FromRedisValue, Script, ScriptInvocation};

use crate::link::{Link, RedisError, RedisOptions};

/// The directory of all nodes of an installation.
#[derive(Debug)]
pub struct RedisDirectory {
    link: Link,
    options: RedisOptions,
    announce: Script,
    locate: Script,
    admit: Script,
}

impl RedisDirectory {
    /// Connects to Redis.
    pub async fn connect(options: RedisOptions) -> Result<Self, DirectoryError> {
        let link = Link::open(&options).await.map_err(|error| unavailable("begin", error))?;
        Ok(Self {
            link,
            options,
            announce: Script::new(include_str!("lua/announce.lua")),
            locate: Script::new(include_str!("lua/locate.lua")),
            admit: Script::new(include_str!("lua/admit.lua")),
        })
    }

    async fn query<T: FromRedisValue>(
        &self,
        operation: &'static str,
        command: &Cmd,
    ) -> Result<T, DirectoryError> {
        let result = self.link.query(command).await;
        result.map_err(|error| unavailable(operation, error))
    }

    async fn invoke<T: FromRedisValue>(
        &self,
        operation: &'static str,
        script: &ScriptInvocation<'_>,
    ) -> Result<T, DirectoryError> {
        let result = self.link.invoke(script).await;
        result.map_err(|error| unavailable(operation, error))
    }
}

#[async_trait]
impl Directory for RedisDirectory {
    async fn claim(&self, key: &str, ttl: Duration) -> Result<bool, DirectoryError> {
        let mut command = redis::cmd("SET");
        command.arg(self.options.key("claim", key)).arg("").arg("NX").arg("PX").arg(millis(ttl));
        let set: Option<String> = self.query("claim a key", &command).await?;
        Ok(set.is_some())
    }

    async fn put(&self, key: &str, value: Bytes, ttl: Duration) -> Result<(), DirectoryError> {
        let mut command = redis::cmd("SET");
        command.arg(self.options.key("value", key)).arg(&value[..]).arg("PX").arg(millis(ttl));
        self.query("keep a value", &command).await
    }

    async fn get(&self, key: &str) -> Result<Option<Bytes>, DirectoryError> {
        let mut command = redis::cmd("GET");
        command.arg(self.options.key("value", key));
        self.query("read a value", &command).await
    }

    async fn remove(&self, key: &str) -> Result<Option<Bytes>, DirectoryError> {
        let mut command = redis::cmd("GETDEL");
        command.arg(self.options.key("value", key));
        self.query("remove a value", &command).await
    }

    async fn locate(&self, user: &str) -> Result<Vec<NodeId>, DirectoryError> {
        let script = self.locate.key(self.options.key("user", user));
        let mut nodes: Vec<String> = self.invoke("locate a user", &script).await?;
        nodes.sort_unstable();
        Ok(nodes.iter().map(|node| NodeId::new(node)).collect())
    }

    async fn announce(
        &self,
        user: &str,
        node: &NodeId,
        ttl: Duration,
    ) -> Result<(), DirectoryError> {
        let mut script = self.announce.key(self.options.key("user", user));
        script.arg(node.as_str()).arg(millis(ttl));
        self.invoke("announce a user", &script).await
    }

    async fn withdraw(&self, user: &str, node: &NodeId) -> Result<(), DirectoryError> {
        let mut command = redis::cmd("ZREM");
        command.arg(self.options.key("user", user)).arg(node.as_str());
        let _removed: u64 = self.query("withdraw a user", &command).await?;
        Ok(())
    }

    async fn admit(&self, bucket: &str, quota: Quota) -> Result<Admission, DirectoryError> {
        let mut script = self.admit.key(self.options.key("limit", bucket));
        let interval_us = u64::try_from(quota.interval.as_micros()).unwrap_or(u64::MAX).max(1);
        script.arg(interval_us).arg(quota.burst.get());
        let wait_us: u64 = self.invoke("count against a limit", &script).await?;
        Ok(match wait_us {
            0 => Admission::Admitted,
            wait_us => Admission::Refused { retry_after: Duration::from_micros(wait_us) },
        })
    }
}

fn unavailable(operation: &'static str, error: RedisError) -> DirectoryError {
    DirectoryError::Unavailable { operation, source: error.into() }
}

/// A time to live as Redis takes it, which refuses to keep something for no time.
fn millis(ttl: Duration) -> u64 {
    u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX).max(1)
}
