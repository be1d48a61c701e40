//! Kafka, Redis and MariaDB for tests: the set that all share, or one of a test's own, which it may pause,
//! kill and flush. Started by `scripts/services`; one that cannot be started fails the test.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

pub use rustix::process::Signal;
use rustix::process::{Pid, kill_process};
use tempfile::TempDir;

use crate::{ChaosProxy, ports::Ports};

/// Own sets listen from here on: below the ports that systems hand out by themselves, above those of
/// the shared set.
static OWN_PORTS: Ports = Ports::new(30_000, 2_700, PORTS_OF_A_SET);
/// What a set takes: Redis, two databases, three brokers and their controllers.
const PORTS_OF_A_SET: u16 = 30;
/// Of a set's ports the one before the first broker's.
const KAFKA_PORT: u16 = 10;

/// Where services are.
#[derive(Debug, Clone)]
pub struct Addresses {
    /// Of Redis.
    pub redis: String,
    /// Of all brokers, with commas.
    pub kafka: String,
    /// Of the databases.
    pub mysql: Vec<String>,
}

impl Addresses {
    fn of(env: &str) -> Self {
        Self {
            redis: value(env, "FRONTDESK_REDIS_URL="),
            kafka: value(env, "FRONTDESK_KAFKA="),
            mysql: value(env, "FRONTDESK_MYSQL=").split(',').map(ToOwned::to_owned).collect(),
        }
    }

    /// How many brokers there are.
    pub fn brokers(&self) -> usize {
        self.kafka.split(',').count()
    }

    /// Makes a database of this name on each server; returns their addresses.
    pub fn databases(&self, name: &str) -> Vec<String> {
        self.mysql.iter().map(|url| database(url, name)).collect()
    }
}

/// The set that all tests share.
pub fn shared() -> Addresses {
    static ADDRESSES: OnceLock<Addresses> = OnceLock::new();
    let find = || {
        services(&["start"], None);
        Addresses::of(&services(&["env"], None))
    };
    ADDRESSES.get_or_init(find).clone()
}

/// Services that one test has for itself, in a directory and on ports of their own.
#[derive(Debug)]
pub struct OwnServices {
    directory: TempDir,
    port: u16,
    names: &'static [&'static str],
    brokers: u16,
    /// The ports to which brokers send their clients, where it is not their own.
    advertised: String,
    address: Ipv4Addr,
}

impl OwnServices {
    /// Starts all of them, with one broker.
    pub fn start() -> Self {
        Self::start_only(&[])
    }

    /// The same with 1 or 3 brokers.
    pub fn start_with_brokers(brokers: u16) -> Self {
        Self::start_these(&[], brokers)
    }

    /// Starts those of these names; without a name all.
    pub fn start_only(names: &'static [&'static str]) -> Self {
        Self::start_these(names, 1)
    }

    /// Starts all of them where another network than this machine's own reaches them.
    pub fn start_at(address: Ipv4Addr) -> Self {
        Self::start_those(&[], 1, address)
    }

    fn start_these(names: &'static [&'static str], brokers: u16) -> Self {
        Self::start_those(names, brokers, Ipv4Addr::LOCALHOST)
    }

    fn start_those(names: &'static [&'static str], brokers: u16, address: Ipv4Addr) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let services = Self {
            directory,
            port: OWN_PORTS.take(),
            names,
            brokers,
            advertised: String::new(),
            address,
        };
        services.start_again();
        services
    }

    /// Starts all of them with a proxy before each broker, which clients cannot go round; brokers speak with
    /// each other directly.
    pub async fn start_behind_proxies(brokers: u16) -> (Self, Vec<ChaosProxy>) {
        let port = OWN_PORTS.take();
        let (mut proxies, mut ports) = (Vec::new(), Vec::new());
        for broker in 1..=brokers {
            let broker = SocketAddr::from((Ipv4Addr::LOCALHOST, port + KAFKA_PORT + broker));
            let proxy = ChaosProxy::before(broker).await;
            ports.push(proxy.address().port().to_string());
            proxies.push(proxy);
        }
        let directory = tempfile::tempdir().expect("a directory");
        let advertised = ports.join(",");
        let services =
            Self { directory, port, names: &[], brokers, advertised, address: Ipv4Addr::LOCALHOST };
        services.start_again();
        (services, proxies)
    }

    /// Starts those that were killed, and wakes those that were paused.
    pub fn start_again(&self) {
        self.run(&[&["start"], self.names].concat());
    }

    /// Where they are.
    pub fn addresses(&self) -> Addresses {
        Addresses::of(&self.env())
    }

    /// Where they are, as lines for a shell.
    pub fn env(&self) -> String {
        self.run(&["env"])
    }

    /// Where they keep their data.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Sends a signal to one of them.
    pub fn signal(&self, name: &str, signal: Signal) {
        let file = self.directory.path().join(name).join("pid");
        let text = std::fs::read_to_string(file).expect("a pid file");
        let pid = text.split_whitespace().next().and_then(|pid| pid.parse().ok()).expect("a pid");
        kill_process(Pid::from_raw(pid).expect("not 0"), signal).expect("it runs");
    }

    /// A client of one of its databases, as the one who may change the server's settings.
    pub fn root(&self, name: &str) -> Command {
        let mut command = Command::new("mariadb");
        command.args(["--no-defaults", "--user=root", "--skip-column-names", "--socket"]);
        command.arg(self.directory.path().join(name).join("data/socket"));
        command
    }

    fn run(&self, arguments: &[&str]) -> String {
        let mut command = own_command(arguments, self.directory.path(), self.port);
        command.env("FRONTDESK_KAFKA_BROKERS", self.brokers.to_string());
        command.env("FRONTDESK_KAFKA_ADVERTISED", &self.advertised);
        command.env("FRONTDESK_SERVICES_ADDRESS", self.address.to_string());
        run(command)
    }
}

impl Drop for OwnServices {
    fn drop(&mut self) {
        self.run(&["stop"]);
    }
}

/// Runs `scripts/services`, for the shared set or for one in a directory with a first port.
pub fn services(arguments: &[&str], own: Option<(&Path, u16)>) -> String {
    run(match own {
        Some((directory, port)) => own_command(arguments, directory, port),
        None => services_command(arguments),
    })
}

fn own_command(arguments: &[&str], directory: &Path, port: u16) -> Command {
    let mut command = services_command(arguments);
    command.env("FRONTDESK_SERVICES", directory);
    command.env("FRONTDESK_SERVICES_PORT", port.to_string());
    command
}

/// The command that [`services`] runs.
pub fn services_command(arguments: &[&str]) -> Command {
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../scripts/services");
    let mut command = Command::new(script);
    command.args(arguments);
    command
}

/// Makes a database beside the one of an address.
fn database(url: &str, name: &str) -> String {
    let (server, _) = url.rsplit_once('/').expect("an address of a database");
    let (user, place) = server.trim_start_matches("mysql://").split_once('@').expect("a user");
    let (user, password) = user.split_once(':').expect("a password");
    let (host, port) = place.split_once(':').expect("a port");
    let mut command = Command::new("mariadb");
    command.env("MYSQL_PWD", password);
    command.args(["--no-defaults", "--protocol=tcp", "--user", user, "--host", host]);
    command.args(["--port", port, "--execute"]);
    command.arg(format!("CREATE DATABASE `{name}` CHARACTER SET utf8mb4"));
    run(command);
    format!("{server}/{name}")
}

/// Its output; a command that fails fails the test.
pub fn run(mut command: Command) -> String {
    let output = command.output().expect("it can be run");
    let problem = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {problem}");
    String::from_utf8(output.stdout).expect("text")
}

/// What a line of the addresses says.
pub fn value(env: &str, name: &str) -> String {
    let line = env.lines().find_map(|line| line.strip_prefix(name));
    line.unwrap_or_else(|| panic!("a line that begins with {name}")).to_owned()
}
