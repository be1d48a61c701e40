//! Server processes of a run: the product in a temporary directory, or a floor. They end with the
//! value that holds them.

use std::{
    ffi::OsStr,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    time::{Duration, Instant},
};

use rustls::ClientConfig;
use tempfile::TempDir;

use crate::{
    baseline::BaselineKind,
    child::Running,
    cpu::Process,
    error::{Error, io},
    product,
};

mod nodes;

pub use nodes::launch_nodes;

/// What the server logs, in its temporary directory.
const SERVER_LOG: &str = "server.log";
/// The server's data, in its directory; its admin, that one's password and its inbox's key beside it.
pub(crate) const DATA: &str = "data";
const ADMIN: &str = "admin";
const PASSWORD: &str = "password";
const INBOX_KEY: &str = "inbox_key";
const NOT_OURS: Error = Error::Options("only a server that was started for the run can be ended");
/// What `frontdesk serve` says before its address.
const SERVES: &str = "Frontdesk serves ";
/// Names of the configuration in the environment begin so.
const ENV_PREFIX: &str = "FRONTDESK__";
/// More messages a second than any run offers: the limits stay on and are never reached.
const PLENTY: &str = "1000000";

/// Where a server answers, and what is needed to use it.
#[derive(Debug, Clone)]
pub enum Endpoint {
    /// A floor.
    Baseline(SocketAddr),
    /// G0: a floor's frames in WebSocket messages.
    Relay(SocketAddr),
    /// The product.
    Product(ProductAccess),
}

/// What the set-up needs of a product's server.
#[derive(Clone)]
pub struct ProductAccess {
    /// For example `http://127.0.0.1:8080`.
    pub base_url: String,
    /// Further nodes of a cluster, which take their share of the sockets; requests go to the first.
    pub others: Vec<String>,
    /// Somebody with `settings.users`.
    pub admin_email: String,
    /// Their password.
    pub admin_password: String,
    /// The inbox visitors write to; its routing is automatic.
    pub inbox_key: String,
    /// What its certificate is checked with, where `base_url` is https.
    pub tls: Option<Arc<ClientConfig>>,
}

impl std::fmt::Debug for ProductAccess {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ProductAccess").field("base_url", &self.base_url).finish_non_exhaustive()
    }
}

/// A server that is up. Dropping it ends the process, if this crate started it.
#[derive(Debug)]
pub struct Server {
    /// Whose CPU time and memory are read; none where the server runs on another machine.
    pub pid: Option<u32>,
    /// How to reach it.
    pub endpoint: Endpoint,
    own: Option<Own>,
    /// Further nodes of its cluster.
    others: Vec<Own>,
}

/// Dropped in this order: the process ends before its directory goes.
#[derive(Debug)]
struct Own {
    running: Running,
    dir: PathBuf,
    /// How to start it again, of a product.
    launch: Option<ProductLaunch>,
    /// Where the directory goes with the server.
    _temporary: Option<TempDir>,
}

impl Server {
    /// A server that somebody else started and will end.
    pub fn of(pid: u32, endpoint: Endpoint) -> Self {
        Self { pid: Some(pid), endpoint, own: None, others: Vec::new() }
    }

    /// A server reached over the network alone: what it uses is not known.
    pub fn remote(access: ProductAccess) -> Self {
        Self { pid: None, endpoint: Endpoint::Product(access), own: None, others: Vec::new() }
    }

    /// What is measured: the process, or all nodes of a cluster together.
    pub(crate) fn process(&self) -> Process {
        let others = self.others.iter().map(|node| node.running.pid());
        Process::of_nodes(self.pid, others)
    }

    /// How to use it, if it is the product; `otherwise` says why nothing else will do.
    pub(crate) fn product(&self, otherwise: &'static str) -> Result<&ProductAccess, Error> {
        match &self.endpoint {
            Endpoint::Product(access) => Ok(access),
            Endpoint::Baseline(_) | Endpoint::Relay(_) => Err(Error::Options(otherwise)),
        }
    }

    /// Ends the process in the middle of whatever it does.
    pub fn kill9(&mut self) -> Result<(), Error> {
        self.own.as_mut().ok_or(NOT_OURS)?.running.kill9()
    }

    /// Asks the process to stop and waits until it has.
    pub fn stop(&mut self) -> Result<(), Error> {
        let status = self.own.as_mut().ok_or(NOT_OURS)?.running.stop()?;
        if !status.success() {
            return Err(Error::Launch { what: "a stop", reason: status.to_string() });
        }
        Ok(())
    }

    /// Starts a product that was ended on the same data, and tells how long that took. Its address
    /// is another one.
    pub fn restart(&mut self) -> Result<Duration, Error> {
        let own = self.own.as_mut().ok_or(NOT_OURS)?;
        let (Some(launch), Endpoint::Product(access)) = (&own.launch, &mut self.endpoint) else {
            return Err(NOT_OURS);
        };
        let began = Instant::now();
        let (running, base_url) = serve(launch, &own.dir)?;
        let took = began.elapsed();
        (own.running, access.base_url) = (running, base_url);
        self.pid = Some(own.running.pid());
        Ok(took)
    }

    /// The directory with the server's files, if this crate started it.
    pub fn dir(&self) -> Option<&Path> {
        self.own.as_ref().map(|own| &*own.dir)
    }
}

/// How to start the product.
#[derive(Debug, Clone)]
pub struct ProductLaunch {
    /// The binary `frontdesk`.
    pub program: PathBuf,
    /// Where the temporary data directory is made: on the disk that is to be measured.
    pub parent: PathBuf,
    /// False is `durability = "async"`.
    pub durable: bool,
    /// Edge loops; 0 is one per core. One where the server gets one core.
    pub loops: u16,
    /// A configuration beside the defaults: of a node of a cluster, with its engines.
    pub config: Option<PathBuf>,
    /// The node's number, where it is not the one the configuration says.
    pub node: Option<u8>,
}

impl ProductLaunch {
    fn of_node(&self, node: u8) -> Self {
        Self { node: Some(node), ..self.clone() }
    }
}

/// What a measured server's environment says beside the defaults: limits high enough never to be
/// reached (the checks stay on), quiet logs, durability and loops as asked.
pub fn server_env(durable: bool, loops: u16) -> Vec<(&'static str, String)> {
    let mut env: Vec<(&'static str, String)> = [
        "FRONTDESK__LIMITS__HANDSHAKES_PER_S",
        "FRONTDESK__LIMITS__VISITOR_RATE_PER_S",
        "FRONTDESK__LIMITS__VISITOR_BURST",
        "FRONTDESK__LIMITS__AGENT_RATE_PER_S",
        "FRONTDESK__LIMITS__AGENT_BURST",
        "FRONTDESK__LIMITS__IP_RATE_PER_S",
        "FRONTDESK__LIMITS__IP_BURST",
        "FRONTDESK__LIMITS__ACCOUNT_RATE_PER_S",
        "FRONTDESK__LIMITS__ACCOUNT_BURST",
        "FRONTDESK__LIMITS__HTTP_PER_ADDRESS_PER_MINUTE",
        "FRONTDESK__LIMITS__HTTP_PER_CALLER_PER_MINUTE",
        "FRONTDESK__LIMITS__HTTP_PER_ACCOUNT_PER_MINUTE",
    ]
    .into_iter()
    .map(|name| (name, PLENTY.to_owned()))
    .collect();
    let durability = if durable { "sync" } else { "async" };
    env.push(("FRONTDESK__STORAGE__EMBEDDED__DURABILITY", durability.to_owned()));
    env.push(("FRONTDESK__GATEWAY__LOOPS", loops.to_string()));
    env.push(("FRONTDESK__LOG__LEVEL", "error".to_owned()));
    // Uploads are limited for each address, and everybody comes from this machine.
    env.push(("FRONTDESK__SERVER__TRUSTED_PROXIES", r#"["127.0.0.0/8"]"#.to_owned()));
    env
}

/// Makes an account in a temporary directory and serves it on a free port of this machine.
pub fn launch_product(launch: &ProductLaunch) -> Result<Server, Error> {
    let temporary = temporary(&launch.parent)?;
    let dir = temporary.path().to_owned();
    install(launch, &dir)?;
    served(launch, dir, Some(temporary))
}

/// Serves the account that [`install`] made in a directory; it outlives the server.
pub(crate) fn launch_installed(launch: &ProductLaunch, dir: &Path) -> Result<Server, Error> {
    served(launch, dir.to_owned(), None)
}

/// Makes an account in a directory.
pub(crate) fn install(launch: &ProductLaunch, dir: &Path) -> Result<(), Error> {
    let password = format!("{:016x}{:016x}", product::random()?, product::random()?);
    std::fs::write(dir.join(PASSWORD), &password).map_err(io("write the password file"))?;
    // A cluster has those of former runs.
    let admin = format!("admin-{:016x}@bench.example", product::random()?);
    std::fs::write(dir.join(ADMIN), &admin).map_err(io("write who is the admin"))?;
    let made = run_on_data(
        launch,
        dir,
        "frontdesk init",
        ["init", "--account", "Bench", "--admin-email", &admin, "--json"]
            .map(OsStr::new)
            .into_iter()
            .chain([OsStr::new("--admin-password-file"), dir.join(PASSWORD).as_os_str()]),
    )?;
    let key = made["inbox_key"]
        .as_str()
        .ok_or(Error::Malformed { what: "the inbox key of frontdesk init" })?;
    std::fs::write(dir.join(INBOX_KEY), key).map_err(io("write the inbox's key"))
}

/// Runs the program once on the data in a directory and reads the JSON it prints.
pub(crate) fn run_on_data<'a>(
    launch: &ProductLaunch,
    dir: &Path,
    what: &'static str,
    arguments: impl IntoIterator<Item = &'a OsStr>,
) -> Result<serde_json::Value, Error> {
    let mut command = frontdesk(launch);
    command.args(arguments).arg("--data-dir").arg(dir.join(DATA)).args(named(launch));
    let (printed, status) = Running::start(&mut command, "run frontdesk")?.read_to_end()?;
    if !status.success() {
        return Err(Error::Launch { what, reason: status.to_string() });
    }
    serde_json::from_str(&printed).map_err(|_| Error::Malformed { what: "printed JSON" })
}

fn served(
    launch: &ProductLaunch,
    dir: PathBuf,
    temporary: Option<TempDir>,
) -> Result<Server, Error> {
    let read = |name| std::fs::read_to_string(dir.join(name)).map_err(io("read how to sign in"));
    let (admin_password, inbox_key, admin_email) =
        (read(PASSWORD)?, read(INBOX_KEY)?, read(ADMIN)?);
    let (running, base_url) = serve(launch, &dir)?;
    let others = Vec::new();
    let access =
        ProductAccess { base_url, others, admin_email, admin_password, inbox_key, tls: None };
    let pid = Some(running.pid());
    let own = Own { running, dir, launch: Some(launch.clone()), _temporary: temporary };
    Ok(Server { pid, endpoint: Endpoint::Product(access), own: Some(own), others: Vec::new() })
}

fn serve(launch: &ProductLaunch, dir: &Path) -> Result<(Running, String), Error> {
    let log =
        std::fs::File::create(dir.join(SERVER_LOG)).map_err(io("create the server's log file"))?;
    let mut command = frontdesk(launch);
    command
        .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
        .arg(dir.join(DATA))
        .args(named(launch))
        .stderr(log);
    let mut running = Running::start(&mut command, "run frontdesk serve")?;
    let url = |line: &str| line.strip_prefix(SERVES).map(|url| url.trim_end().to_owned());
    let base_url = announced(&mut running, dir, url)?;
    Ok((running, base_url))
}

/// Builds the relay in `source`, a Go module, and starts it with one thread for Go code: it gets one
/// core.
pub fn launch_g0(source: &Path, parent: &Path) -> Result<Server, Error> {
    let dir = temporary(parent)?;
    let program = dir.path().join("g0");
    let built = Command::new("go")
        .args(["build", "-o"])
        .arg(&program)
        .arg(".")
        .current_dir(source)
        .output()
        .map_err(|error| Error::Launch { what: "go build", reason: error.to_string() })?;
    if !built.status.success() {
        let reason = String::from_utf8_lossy(&built.stderr).trim().to_owned();
        return Err(Error::Launch { what: "go build", reason });
    }
    relay(Command::new(&program).env("GOMAXPROCS", "1"), dir, Endpoint::Relay)
}

/// Starts a floor: runs `command` with the floor's name and a directory for its log as further
/// arguments; that process has to call [`crate::run_baseline`].
pub fn launch_baseline(
    mut command: Command,
    kind: BaselineKind,
    parent: &Path,
) -> Result<Server, Error> {
    let dir = temporary(parent)?;
    command.arg(kind.name()).arg(dir.path());
    relay(&mut command, dir, Endpoint::Baseline)
}

/// Starts a relay, which says its address first and ends with its standard input.
fn relay(
    command: &mut Command,
    dir: TempDir,
    endpoint: fn(SocketAddr) -> Endpoint,
) -> Result<Server, Error> {
    let mut running = Running::start(command, "run a relay")?;
    let address = announced(&mut running, dir.path(), |line| line.trim_end().parse().ok())?;
    let pid = Some(running.pid());
    let own = Own { running, dir: dir.path().to_owned(), launch: None, _temporary: Some(dir) };
    Ok(Server { pid, endpoint: endpoint(address), own: Some(own), others: Vec::new() })
}

/// A directory of a run, for as long as it is held.
pub fn temporary(parent: &Path) -> Result<TempDir, Error> {
    tempfile::Builder::new()
        .prefix("frontdesk-bench-")
        .tempdir_in(parent)
        .map_err(io("make a temporary directory"))
}

/// Names the configuration, behind a command.
fn named(launch: &ProductLaunch) -> Vec<&OsStr> {
    launch.config.iter().flat_map(|config| [OsStr::new("--config"), config.as_os_str()]).collect()
}

/// The program as it is measured, without any configuration of this process's environment.
fn frontdesk(launch: &ProductLaunch) -> Command {
    let mut command = Command::new(&launch.program);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with(ENV_PREFIX) {
            command.env_remove(name);
        }
    }
    command.arg("--ends-with-stdin").envs(server_env(launch.durable, launch.loops));
    if let Some(node) = launch.node {
        command.env("FRONTDESK__CLUSTER__NODE", node.to_string());
    }
    command
}

/// What a process says once it serves. One that ends instead is an error.
fn announced<T>(
    running: &mut Running,
    dir: &Path,
    find: impl Fn(&str) -> Option<T>,
) -> Result<T, Error> {
    if let Some(found) = running.find(find)? {
        return Ok(found);
    }
    let said = std::fs::read_to_string(dir.join(SERVER_LOG));
    let reason = match said.as_deref().map(str::trim) {
        Ok(said) if !said.is_empty() => said.to_owned(),
        _ => "it ended before it said its address".to_owned(),
    };
    Err(Error::Launch { what: "a server process", reason })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_in_the_environment_is_a_key_of_the_configuration() {
        let defaults: toml::Table =
            include_str!("../../../config/default.toml").parse().expect("the defaults are TOML");
        for (name, value) in server_env(true, 1) {
            let path = name.strip_prefix(ENV_PREFIX).expect("the prefix").to_lowercase();
            let mut found = toml::Value::Table(defaults.clone());
            for key in path.split("__") {
                found = found.get(key).cloned().unwrap_or_else(|| panic!("no key {path}"));
            }
            match found {
                toml::Value::Integer(_) => assert!(value.parse::<u32>().is_ok(), "{path}"),
                toml::Value::String(_) => {}
                toml::Value::Array(_) => {
                    let list: toml::Table = format!("v = {value}").parse().expect("a list");
                    assert!(list["v"].is_array(), "{path}");
                }
                other => panic!("{path} is {other}"),
            }
        }
    }
}
