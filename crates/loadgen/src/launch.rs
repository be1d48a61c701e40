//! Server processes of a run: the product in a temporary directory, or a floor. They end with the
//! value that holds them.

use std::{
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::{
    baseline::BaselineKind,
    error::{Error, io},
    product,
};

const ADMIN_EMAIL: &str = "admin@bench.example";
/// What the server logs, in its temporary directory.
const SERVER_LOG: &str = "server.log";
/// The server's data, in its temporary directory.
const DATA: &str = "data";
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
    /// Somebody with `settings.users`.
    pub admin_email: String,
    /// Their password.
    pub admin_password: String,
    /// The inbox visitors write to; its routing is automatic.
    pub inbox_key: String,
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
}

/// Dropped in this order: the process ends before its directory goes.
#[derive(Debug)]
struct Own {
    running: Running,
    dir: TempDir,
    /// How to start it again, of a product.
    launch: Option<ProductLaunch>,
}

#[derive(Debug)]
struct Running {
    child: Child,
    /// Kept open: after the address nobody reads it, but the server may write.
    stdout: BufReader<ChildStdout>,
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself, and what it wrote goes with its directory.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Server {
    /// A server that somebody else started and will end.
    pub fn of(pid: u32, endpoint: Endpoint) -> Self {
        Self { pid: Some(pid), endpoint, own: None }
    }

    /// A server reached over the network alone: what it uses is not known.
    pub fn remote(access: ProductAccess) -> Self {
        Self { pid: None, endpoint: Endpoint::Product(access), own: None }
    }

    /// Ends the process in the middle of whatever it does.
    pub fn kill9(&mut self) -> Result<(), Error> {
        let own = self.own.as_mut().ok_or(NOT_OURS)?;
        own.running.child.kill().map_err(io("kill the server"))?;
        own.running.child.wait().map_err(io("wait for the server's end"))?;
        Ok(())
    }

    /// Starts a product that was killed on the same data, and tells how long that took. Its address
    /// is another one.
    pub fn restart(&mut self) -> Result<Duration, Error> {
        let own = self.own.as_mut().ok_or(NOT_OURS)?;
        let (Some(launch), Endpoint::Product(access)) = (&own.launch, &mut self.endpoint) else {
            return Err(NOT_OURS);
        };
        let began = Instant::now();
        let (running, base_url) = serve(launch, own.dir.path())?;
        let took = began.elapsed();
        (own.running, access.base_url) = (running, base_url);
        self.pid = Some(own.running.child.id());
        Ok(took)
    }

    /// The directory with the server's files, if this crate started it.
    pub fn dir(&self) -> Option<&Path> {
        self.own.as_ref().map(|own| own.dir.path())
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
}

/// What a measured server's environment says beside the defaults: limits high enough never to be
/// reached (the checks stay on), quiet logs, durability and loops as asked.
pub fn server_env(durable: bool, loops: u16) -> Vec<(&'static str, String)> {
    let mut env: Vec<(&'static str, String)> = [
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
    let dir = temporary(&launch.parent)?;
    let data = dir.path().join(DATA);
    let password = format!("{:016x}{:016x}", product::random()?, product::random()?);
    let password_file = dir.path().join("password");
    std::fs::write(&password_file, &password).map_err(io("write the password file"))?;

    let init = clean(&launch.program)
        .args(["init", "--account", "Bench", "--admin-email", ADMIN_EMAIL, "--json"])
        .arg("--data-dir")
        .arg(&data)
        .arg("--admin-password-file")
        .arg(&password_file)
        .stdin(Stdio::null())
        .output()
        .map_err(io("run frontdesk init"))?;
    if !init.status.success() {
        let reason = String::from_utf8_lossy(&init.stderr).trim().to_owned();
        return Err(Error::Launch { what: "frontdesk init", reason });
    }
    let made: serde_json::Value = serde_json::from_slice(&init.stdout)
        .map_err(|_| Error::Malformed { what: "the JSON of frontdesk init" })?;
    let inbox_key = made["inbox_key"]
        .as_str()
        .ok_or(Error::Malformed { what: "the inbox key of frontdesk init" })?
        .to_owned();

    let (running, base_url) = serve(launch, dir.path())?;
    let access = ProductAccess {
        base_url,
        admin_email: ADMIN_EMAIL.to_owned(),
        admin_password: password,
        inbox_key,
    };
    let pid = Some(running.child.id());
    let own = Own { running, dir, launch: Some(launch.clone()) };
    Ok(Server { pid, endpoint: Endpoint::Product(access), own: Some(own) })
}

fn serve(launch: &ProductLaunch, dir: &Path) -> Result<(Running, String), Error> {
    let log =
        std::fs::File::create(dir.join(SERVER_LOG)).map_err(io("create the server's log file"))?;
    let child = clean(&launch.program)
        .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
        .arg(dir.join(DATA))
        .envs(server_env(launch.durable, launch.loops))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()
        .map_err(io("run frontdesk serve"))?;
    announced(child, dir, |line| line.strip_prefix(SERVES).map(|url| url.trim_end().to_owned()))
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
    let child = Command::new(&program)
        .env("GOMAXPROCS", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(io("run the relay in Go"))?;
    let (running, address) = announced(child, dir.path(), |line| line.trim_end().parse().ok())?;
    let pid = Some(running.child.id());
    let own = Own { running, dir, launch: None };
    Ok(Server { pid, endpoint: Endpoint::Relay(address), own: Some(own) })
}

/// Starts a floor: runs `command` with the floor's name and a directory for its log as further
/// arguments; that process has to call [`crate::run_baseline`].
pub fn launch_baseline(
    mut command: Command,
    kind: BaselineKind,
    parent: &Path,
) -> Result<Server, Error> {
    let dir = temporary(parent)?;
    let child = command
        .arg(kind.name())
        .arg(dir.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(io("run a baseline"))?;
    let (running, address) = announced(child, dir.path(), |line| line.trim_end().parse().ok())?;
    let pid = Some(running.child.id());
    let own = Own { running, dir, launch: None };
    Ok(Server { pid, endpoint: Endpoint::Baseline(address), own: Some(own) })
}

fn temporary(parent: &Path) -> Result<TempDir, Error> {
    tempfile::Builder::new()
        .prefix("frontdesk-bench-")
        .tempdir_in(parent)
        .map_err(io("make a temporary directory"))
}

/// The program without any configuration of this process's environment.
fn clean(program: &Path) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with(ENV_PREFIX) {
            command.env_remove(name);
        }
    }
    command
}

/// Reads lines until one holds what is looked for. A process that ends instead is an error.
fn announced<T>(
    mut child: Child,
    dir: &Path,
    find: impl Fn(&str) -> Option<T>,
) -> Result<(Running, T), Error> {
    let stdout = child.stdout.take().ok_or(Error::Malformed { what: "standard output" })?;
    let mut running = Running { child, stdout: BufReader::new(stdout) };
    loop {
        let mut line = String::new();
        let count = running.stdout.read_line(&mut line).map_err(io("read a server's output"))?;
        if count == 0 {
            let said = std::fs::read_to_string(dir.join(SERVER_LOG));
            let reason = match said.as_deref().map(str::trim) {
                Ok(said) if !said.is_empty() => said.to_owned(),
                _ => "it ended before it said its address".to_owned(),
            };
            return Err(Error::Launch { what: "a server process", reason });
        }
        if let Some(found) = find(&line) {
            return Ok((running, found));
        }
    }
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
