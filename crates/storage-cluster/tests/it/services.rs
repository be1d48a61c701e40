//! Services for these tests: those that all share, or some of a test's own, which it may pause, kill and flush.
//!
//! A service that cannot be started fails the test.

use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{self, Command};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU16, Ordering};

use frontdesk_core::secret::Secret128;
use frontdesk_storage_cluster::RedisOptions;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// Own sets listen from here on: below the ports that systems hand out by themselves, above those of
/// the shared set.
const OWN_PORTS: u16 = 20_000;
const OWN_PORTS_COUNT: u16 = 10_000;
/// What a set takes: Redis and two databases.
const OWN_PORTS_STEP: u16 = 3;

/// An installation of its own in the Redis all tests share.
pub(crate) fn shared_redis() -> RedisOptions {
    static URL: OnceLock<String> = OnceLock::new();
    let url = URL.get_or_init(|| {
        services(&["start", "redis"], None);
        redis_url(&services(&["env"], None))
    });
    RedisOptions { url: url.clone(), installation: Secret128::random().reveal() }
}

/// Services that one test has for itself, in a directory and on ports of their own.
pub(crate) struct OwnServices {
    directory: TempDir,
    port: u16,
    names: &'static [&'static str],
}

impl OwnServices {
    /// Starts them.
    pub(crate) fn start(names: &'static [&'static str]) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let services = Self { directory, port: free_port(), names };
        services.start_again();
        services
    }

    /// Starts those that were killed, and wakes those that were paused.
    pub(crate) fn start_again(&self) {
        self.run(&[&["start"], self.names].concat());
    }

    /// Sends a signal to one of them.
    pub(crate) fn signal(&self, name: &str, signal: Signal) {
        let file = self.directory.path().join(name).join("pid");
        let text = std::fs::read_to_string(file).expect("a pid file");
        let pid = text.split_whitespace().next().and_then(|pid| pid.parse().ok()).expect("a pid");
        kill_process(Pid::from_raw(pid).expect("not 0"), signal).expect("it runs");
    }

    /// The addresses, as lines for a shell.
    pub(crate) fn env(&self) -> String {
        self.run(&["env"])
    }

    /// Where they keep their data.
    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    fn run(&self, arguments: &[&str]) -> String {
        services(arguments, Some((self.directory.path(), self.port)))
    }
}

impl Drop for OwnServices {
    fn drop(&mut self) {
        self.run(&["stop"]);
    }
}

/// A Redis that one test has for itself.
pub(crate) struct OwnRedis(OwnServices);

impl OwnRedis {
    /// Starts it.
    pub(crate) fn start() -> Self {
        Self(OwnServices::start(&["redis"]))
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

/// Runs `scripts/services`, for the shared set or for one in a directory with a first port.
pub(crate) fn services(arguments: &[&str], own: Option<(&Path, u16)>) -> String {
    let mut command = services_command(arguments);
    if let Some((directory, port)) = own {
        command.env("FRONTDESK_SERVICES", directory);
        command.env("FRONTDESK_SERVICES_PORT", port.to_string());
    }
    run(command)
}

pub(crate) fn services_command(arguments: &[&str]) -> Command {
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../scripts/services");
    let mut command = Command::new(script);
    command.args(arguments);
    command
}

/// Its output; a command that fails fails the test.
pub(crate) fn run(mut command: Command) -> String {
    let output = command.output().expect("bash");
    let problem = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {problem}");
    String::from_utf8(output.stdout).expect("text")
}

fn redis_url(env: &str) -> String {
    value(env, "FRONTDESK_REDIS_URL=")
}

/// What a line of the addresses says.
pub(crate) fn value(env: &str, name: &str) -> String {
    let line = env.lines().find_map(|line| line.strip_prefix(name));
    line.unwrap_or_else(|| panic!("a line that begins with {name}")).to_owned()
}

/// The first of some ports nobody listens on; test processes that run at the same time begin elsewhere.
fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let begin = (process::id().wrapping_mul(101) % u32::from(OWN_PORTS_COUNT)) as u16;
    std::iter::repeat_with(|| NEXT.fetch_add(OWN_PORTS_STEP, Ordering::Relaxed))
        .take(usize::from(OWN_PORTS_COUNT / OWN_PORTS_STEP))
        .map(|next| OWN_PORTS + (begin + next) % OWN_PORTS_COUNT)
        .find(|port| (*port..*port + OWN_PORTS_STEP).all(is_free))
        .expect("a free port")
}

pub(crate) fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}
