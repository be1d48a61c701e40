//! Services for these tests: those that all share, or some of a test's own, which it may pause, kill and flush.

use std::sync::OnceLock;

use frontdesk_core::secret::Secret128;
use frontdesk_storage_cluster::RedisOptions;
use frontdesk_testkit::services::Signal;
pub(crate) use frontdesk_testkit::services::{OwnServices, run, services, services_command, value};

/// An installation of its own in the Redis all tests share.
pub(crate) fn shared_redis() -> RedisOptions {
    static URL: OnceLock<String> = OnceLock::new();
    let url = URL.get_or_init(|| {
        services(&["start", "redis"], None);
        redis_url(&services(&["env"], None))
    });
    RedisOptions { url: url.clone(), installation: Secret128::random().reveal() }
}

/// A Redis that one test has for itself.
pub(crate) struct OwnRedis(OwnServices);

impl OwnRedis {
    /// Starts it.
    pub(crate) fn start() -> Self {
        Self(OwnServices::start_only(&["redis"]))
    }

    /// Starts it after it was killed.
    pub(crate) fn start_again(&self) {
        self.0.start_again();
    }

    /// How to reach it.
    pub(crate) fn options(&self) -> RedisOptions {
        RedisOptions { url: redis_url(&self.0.env()), installation: "test".to_owned() }
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        self.0.signal("redis", signal);
    }

    /// Sends a command by a connection of the test's own.
    pub(crate) async fn command<T: redis::FromRedisValue>(&self, words: &[&str]) -> T {
        command(&self.options(), words).await
    }
}

/// Host and port.
pub(crate) fn redis_address(options: &RedisOptions) -> String {
    let client = redis::Client::open(options.url.as_str()).expect("an address");
    client.get_connection_info().addr().to_string()
}

/// Sends a command by a connection of the test's own.
pub(crate) async fn command<T: redis::FromRedisValue>(options: &RedisOptions, words: &[&str]) -> T {
    let client = redis::Client::open(options.url.as_str()).expect("an address");
    let mut connection = client.get_multiplexed_async_connection().await.expect("it runs");
    let mut command = redis::Cmd::new();
    command.arg(words);
    command.query_async(&mut connection).await.expect("a command")
}

fn redis_url(env: &str) -> String {
    value(env, "FRONTDESK_REDIS_URL=")
}
