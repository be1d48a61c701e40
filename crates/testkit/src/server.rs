//! The real binary as a process of its own, with a data directory of its own, on a port of its own.
//!
//! A server that is dropped is killed and then held to account: an ERROR in its log or a process it
//! left behind fails the test, and whatever fails the test shows the end of the log.

use std::{
    fmt::Write as _,
    fs,
    io::{BufRead as _, BufReader, Read as _},
    net::{IpAddr, Ipv4Addr, SocketAddr},
    os::unix::process::{CommandExt as _, ExitStatusExt as _},
    path::{Path, PathBuf},
    process::{Command, ExitStatus, Stdio},
    sync::{Arc, OnceLock},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use rustix::process::{Pid, Signal, kill_process, kill_process_group, test_kill_process_group};
use tempfile::TempDir;
use tokio::sync::watch;

use crate::{Http, http::note, ports, soon, within};

/// The admin `init` creates for tests.
pub const ADMIN_EMAIL: &str = "admin@acme.example";
/// The password of everybody in tests.
pub const PASSWORD: &str = "correct horse battery staple 9";
/// Lines of the log shown with a failure.
const LINES_SHOWN: usize = 120;

/// What `frontdesk init --json` printed.
#[derive(Debug, Clone, serde::Deserialize)]
pub struct Installed {
    /// The account.
    pub account_id: String,
    /// Its admin.
    pub admin_id: String,
    /// Its inbox, as websites name it.
    pub inbox_key: String,
    /// An API key with all rights.
    pub api_key: String,
}

/// What a process that ended by itself said.
#[derive(Debug)]
pub struct Output {
    /// How it ended.
    pub status: ExitStatus,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
}

/// Runs the binary to its end, which has to come soon.
pub async fn run_to_end(binary: &str, arguments: &[&str], env: &[(&str, &str)]) -> Output {
    run_to_end_within(crate::PATIENCE, binary, arguments, env).await
}

/// As [`run_to_end`], for one that is told to work for a while.
pub async fn run_to_end_within(
    limit: Duration,
    binary: &str,
    arguments: &[&str],
    env: &[(&str, &str)],
) -> Output {
    let mut command = command(binary);
    command.args(arguments).envs(env.iter().copied());
    let child = command.stdout(Stdio::piped()).spawn().expect("the binary starts");
    let pid = Pid::from_child(&child);
    let waiting = tokio::task::spawn_blocking(move || child.wait_with_output());
    let Ok(output) = tokio::time::timeout(limit, waiting).await else {
        kill_process(pid, Signal::KILL).expect("it can be killed");
        panic!("`frontdesk {}` does not end", arguments.join(" "));
    };
    let output = output.expect("the waiting thread lives").expect("the process can be waited for");
    Output {
        status: output.status,
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// The binary without anything of the caller's environment that could configure it.
fn command(binary: &str) -> Command {
    let mut command = Command::new(binary);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("FRONTDESK_") {
            command.env_remove(name);
        }
    }
    command.stdin(Stdio::null()).stderr(Stdio::piped());
    command
}

/// The environment variable of a key of the configuration.
pub(crate) fn variable(key: &str) -> String {
    format!("FRONTDESK__{}", key.to_ascii_uppercase().replace('.', "__"))
}

/// How a server shall be started.
#[derive(Debug)]
pub struct ServerBuilder {
    binary: String,
    env: Vec<(String, String)>,
    arguments: Vec<String>,
    data_dir: Option<PathBuf>,
    wrapper: Vec<String>,
    allowed_errors: Vec<String>,
    port: u16,
    host: IpAddr,
    reached_at: Option<IpAddr>,
    installed: Option<Installed>,
    front: Option<SocketAddr>,
}

impl ServerBuilder {
    /// Sets a key of the configuration, for example `gateway.ping_interval_ms`.
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "callers write numbers and literals")]
    pub fn set(mut self, key: &str, value: impl ToString) -> Self {
        self.env.push((variable(key), value.to_string()));
        self
    }

    /// Adds an argument of `serve`.
    #[must_use]
    pub fn arg(mut self, argument: &str) -> Self {
        self.arguments.push(argument.to_owned());
        self
    }

    /// Uses this directory instead of a temporary one; it is left alone afterwards.
    #[must_use]
    pub fn data_dir(mut self, path: &Path) -> Self {
        self.data_dir = Some(path.to_owned());
        self
    }

    /// Serves an installation that is elsewhere: its own directory begins empty.
    #[must_use]
    pub fn installed(mut self, installed: Installed) -> Self {
        self.installed = Some(installed);
        self
    }

    /// Stands behind a balancer: clients connect there.
    #[must_use]
    pub fn behind(mut self, front: SocketAddr) -> Self {
        self.front = Some(front);
        self
    }

    /// Listens on this port from the first start on, where a wrapper has to know it.
    #[must_use]
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// Listens on this address instead of 127.0.0.1.
    #[must_use]
    pub fn host(mut self, host: IpAddr) -> Self {
        self.host = host;
        self
    }

    /// Is reached at another address than it says: it is in a network of its own.
    #[must_use]
    pub fn reached_at(mut self, address: IpAddr) -> Self {
        self.reached_at = Some(address);
        self
    }

    /// Runs the server under another program, for example `strace -f -o FILE`.
    #[must_use]
    pub fn under(mut self, wrapper: &[&str]) -> Self {
        self.wrapper = wrapper.iter().map(|&word| word.to_owned()).collect();
        self
    }

    /// An ERROR whose line contains this is expected.
    #[must_use]
    pub fn allow_error(mut self, part: &str) -> Self {
        self.allowed_errors.push(part.to_owned());
        self
    }

    /// Prepares the data directory and starts the server; returns when it is ready.
    pub async fn start(self) -> TestServer {
        let (dir, data_dir) = match &self.data_dir {
            Some(path) => (None, path.clone()),
            None => {
                let dir = tempfile::Builder::new().prefix("frontdesk-it-").tempdir();
                let dir = dir.expect("there is a temporary directory");
                let path = dir.path().join("data");
                (Some(dir), path)
            }
        };
        let installed = match &self.installed {
            Some(installed) => installed.clone(),
            None => prepare(&self.binary, &data_dir).await,
        };
        let mut server = TestServer {
            http: Http::new(SocketAddr::from(([127, 0, 0, 1], 1))),
            builder: self,
            installed,
            data_dir,
            _dir: dir,
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            running: None,
            log: Arc::default(),
        };
        server.restart().await;
        server
    }
}

/// Puts a fresh installation into a directory that has none. `init` hashes a password, which is slow
/// on purpose: it runs once for each test binary, the rest are copies.
async fn prepare(binary: &str, data_dir: &Path) -> Installed {
    static TEMPLATE: OnceLock<(TempDir, Installed)> = OnceLock::new();
    let binary = binary.to_owned();
    let data_dir = data_dir.to_owned();
    let copied = tokio::task::spawn_blocking(move || {
        let (template, installed) = TEMPLATE.get_or_init(|| {
            let dir = tempfile::Builder::new().prefix("frontdesk-template-").tempdir();
            let dir = dir.expect("there is a temporary directory");
            let installed = init(&binary, &dir.path().join("data"));
            (dir, installed)
        });
        if !data_dir.join("installation.toml").exists() {
            copy_tree(&template.path().join("data"), &data_dir);
        }
        installed.clone()
    });
    copied.await.expect("an installation can be made")
}

fn init(binary: &str, data_dir: &Path) -> Installed {
    init_with(binary, data_dir, &[])
}

/// Makes an installation; `settings` are keys of the configuration.
pub(crate) fn init_with(binary: &str, data_dir: &Path, settings: &[(String, String)]) -> Installed {
    let password = data_dir.with_extension("password");
    fs::write(&password, PASSWORD).expect("the password file can be written");
    let mut command = command(binary);
    command.args(["init", "--account", "Acme", "--admin-email", ADMIN_EMAIL, "--json"]);
    command.arg("--data-dir").arg(data_dir).arg("--admin-password-file").arg(&password);
    command.envs(settings.iter().map(|(key, value)| (variable(key), value)));
    let output = command.output().expect("the binary starts");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "init failed: {stderr}");
    serde_json::from_slice(&output.stdout).expect("init --json prints one JSON object")
}

fn copy_tree(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a directory can be made");
    for entry in fs::read_dir(from).expect("the template can be read") {
        let entry = entry.expect("the template can be read");
        let target = to.join(entry.file_name());
        if entry.file_type().expect("a file has a type").is_dir() {
            copy_tree(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), &target).expect("a file can be copied");
        }
    }
}

/// The log of a server, over all its restarts.
#[derive(Debug, Default)]
struct Log {
    lines: Mutex<Vec<String>>,
    count: watch::Sender<usize>,
}

impl Log {
    fn push(&self, line: String) {
        let mut lines = self.lines.lock();
        lines.push(line);
        self.count.send_replace(lines.len());
    }

    fn find(&self, from: usize, part: &str) -> Option<String> {
        self.lines.lock().iter().skip(from).find(|line| line.contains(part)).cloned()
    }
}

#[derive(Debug)]
struct Running {
    pid: Pid,
    exit: watch::Receiver<Option<ExitStatus>>,
    /// Reads the log to its end, then waits for the process.
    reader: JoinHandle<()>,
    /// Where the log of this process begins.
    log_from: usize,
}

/// A running server. See the module.
#[derive(Debug)]
pub struct TestServer {
    /// Requests as nobody; `server.http.with_key(..)` and the like for others.
    pub http: Http,
    /// What `init` made.
    pub installed: Installed,
    builder: ServerBuilder,
    data_dir: PathBuf,
    _dir: Option<TempDir>,
    address: SocketAddr,
    running: Option<Running>,
    log: Arc<Log>,
}

impl TestServer {
    /// Starts a server with default settings. `binary` is `env!("CARGO_BIN_EXE_frontdesk")`.
    pub async fn start(binary: &str) -> Self {
        Self::builder(binary).start().await
    }

    /// Begins to describe a server.
    pub fn builder(binary: &str) -> ServerBuilder {
        ServerBuilder {
            binary: binary.to_owned(),
            env: Vec::new(),
            arguments: Vec::new(),
            data_dir: None,
            wrapper: Vec::new(),
            allowed_errors: Vec::new(),
            port: 0,
            host: Ipv4Addr::LOCALHOST.into(),
            reached_at: None,
            installed: None,
            front: None,
        }
    }

    /// Where clients connect: where it listens, or to the balancer in front of it. The same after every
    /// restart.
    pub fn address(&self) -> SocketAddr {
        self.builder.front.unwrap_or(self.address)
    }

    /// Whether it is one of several nodes.
    pub fn is_behind_a_balancer(&self) -> bool {
        self.builder.front.is_some()
    }

    /// Where it listens itself.
    pub fn own_address(&self) -> SocketAddr {
        self.address
    }

    /// `http://127.0.0.1:PORT`.
    pub fn base(&self) -> String {
        format!("http://{}", self.address())
    }

    /// Its data directory.
    pub fn data_dir(&self) -> &Path {
        &self.data_dir
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        let running = self.running.as_ref().expect("the server runs");
        running.pid.as_raw_nonzero().get().unsigned_abs()
    }

    /// Requests with the API key of `init`, which has all rights.
    pub fn admin(&self) -> Http {
        self.http.with_key(&self.installed.api_key)
    }

    /// Changes a key of the configuration for the next [`Self::restart`].
    #[expect(clippy::needless_pass_by_value, reason = "callers write numbers and literals")]
    pub fn set(&mut self, key: &str, value: impl ToString) {
        let name = variable(key);
        self.builder.env.retain(|(known, _)| *known != name);
        self.builder.env.push((name, value.to_string()));
    }

    /// Takes another binary for the next [`Self::restart`].
    pub fn set_binary(&mut self, binary: &str) {
        binary.clone_into(&mut self.builder.binary);
    }

    /// Everything it logged since its first start.
    pub fn log(&self) -> Vec<String> {
        self.log.lines.lock().clone()
    }

    /// Waits for a line of the running process that contains `part`.
    pub async fn logged(&self, part: &str) -> String {
        let from = self.running.as_ref().map_or(0, |running| running.log_from);
        let mut count = self.log.count.subscribe();
        soon(&format!("a log line with {part:?}"), async {
            loop {
                if let Some(line) = self.log.find(from, part) {
                    return line;
                }
                count.changed().await.expect("the log outlives the test");
            }
        })
        .await
    }

    /// Starts the process again on the same directory and port (after [`Self::kill9`] or an exit) and
    /// returns how long it took until it was ready.
    pub async fn restart(&mut self) -> Duration {
        assert!(self.running.is_none(), "the server runs already");
        if self.builder.port == 0 {
            self.builder.port = ports::SERVERS.take();
        }
        let started = Instant::now();
        let mut words = self.builder.wrapper.clone();
        words.push(self.builder.binary.clone());
        let mut command = command(&words[0]);
        command.args(&words[1..]).args(["serve", "--data-dir"]).arg(&self.data_dir);
        command
            .args(["--listen", &SocketAddr::new(self.builder.host, self.builder.port).to_string()]);
        command.args(&self.builder.arguments);
        command.envs(self.builder.env.iter().map(|(name, value)| (name, value)));
        // A group of its own: what it leaves behind can be found, and ^C is the test's.
        let child = command.stdout(Stdio::null()).process_group(0).spawn();
        let mut child = child.expect("the binary starts");
        let pid = Pid::from_child(&child);
        let log_from = self.log.lines.lock().len();
        let stderr = child.stderr.take().expect("standard error is piped");
        let log = Arc::clone(&self.log);
        let (ended, exit) = watch::channel(None);
        let reader = move || {
            for line in BufReader::new(stderr).split(b'\n').map_while(Result::ok) {
                log.push(String::from_utf8_lossy(&line).into_owned());
            }
            let status = child.wait().expect("a child can be waited for");
            log.push(format!("(the process ended: {status})"));
            ended.send_replace(Some(status));
        };
        let reader = std::thread::Builder::new().name("server-log".to_owned()).spawn(reader);
        let reader = reader.expect("a thread can be started");
        self.running = Some(Running { pid, exit, reader, log_from });
        let address = self.ready_address(log_from).await;
        let took = started.elapsed();
        if self.address != address {
            self.builder.port = address.port();
            self.address = address;
            self.http = Http::new(self.address());
        }
        // `http` speaks no TLS: who sets a certificate asks by other means.
        if !self.builder.env.iter().any(|(name, _)| name == "FRONTDESK__TLS__CERTIFICATE") {
            let ready = Http::new(address).get("/readyz").await;
            assert_eq!(ready.status, 200, "ready: {}", ready.text);
        }
        took
    }

    async fn ready_address(&self, from: usize) -> SocketAddr {
        let running = self.running.as_ref().expect("the server was started");
        let mut exit = running.exit.clone();
        let mut count = self.log.count.subscribe();
        let ready = async {
            loop {
                if let Some(line) = self.log.find(from, "frontdesk is ready") {
                    let after = line.split("address=").nth(1).expect("the line names the address");
                    let word = after.split_whitespace().next().unwrap_or_default();
                    let mut address: SocketAddr = word.parse().expect("the address can be read");
                    if let Some(ip) = self.builder.reached_at {
                        address.set_ip(ip);
                    }
                    return address;
                }
                count.changed().await.expect("the log outlives the test");
            }
        };
        let ended = async {
            exit.wait_for(Option::is_some).await.expect("the reader lives").expect("is some")
        };
        tokio::select! {
            address = within(Duration::from_mins(1), "the server is ready", ready) => address,
            status = ended => {
                self.show_log();
                panic!("the server ended before it was ready: {status}, {}", self.last_words(from));
            }
        }
    }

    /// Ends the process as a crash does, and waits until it is gone.
    pub async fn kill9(&mut self) {
        self.signal(Signal::KILL);
        self.exited(crate::PATIENCE).await;
    }

    /// Asks the process to stop.
    pub fn term(&self) {
        self.signal(Signal::TERM);
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        let running = self.running.as_ref().expect("the server runs");
        // The whole group: the server may run under a tracer.
        kill_process_group(running.pid, signal).expect("the process takes the signal");
    }

    /// Waits for the end of the process and says how it ended.
    pub async fn exited(&mut self, limit: Duration) -> ExitStatus {
        let mut running = self.running.take().expect("the server runs");
        let status = within(limit, "the server ends", async {
            running
                .exit
                .wait_for(Option::is_some)
                .await
                .expect("the reader lives")
                .expect("is some")
        })
        .await;
        assert!(!self.left_behind(running.pid), "the server left processes behind");
        status
    }

    /// A clean stop, waited for.
    pub async fn stop(&mut self) {
        self.term();
        let status = self.exited(Duration::from_secs(35)).await;
        assert!(status.success(), "the server ended with {status}, signal {:?}", status.signal());
    }

    /// Memory the process holds, bytes.
    pub fn rss_bytes(&self) -> u64 {
        self.memory("VmRSS:")
    }

    /// The part of it that is no file's: not the program itself.
    pub fn anonymous_bytes(&self) -> u64 {
        self.memory("RssAnon:")
    }

    fn memory(&self, of: &str) -> u64 {
        let mut text = String::new();
        let path = format!("/proc/{}/status", self.pid());
        fs::File::open(path).and_then(|mut f| f.read_to_string(&mut text)).expect("it runs");
        let line = text.lines().find(|line| line.starts_with(of)).expect("Linux says so");
        let number = line.split_whitespace().nth(1).and_then(|kib| kib.parse::<u64>().ok());
        number.expect("a number of KiB") * 1_024
    }

    /// The value of a metric, summed over its labels.
    pub async fn metric(&self, name: &str) -> f64 {
        // Of this node, whatever stands before it.
        let http = Http::new(self.own_address());
        let token = self.builder.env.iter().find(|(key, _)| *key == variable("metrics.token"));
        let http = token.map_or(http.clone(), |(_, token)| http.with_key(token));
        let text = http.get("/metrics").await.text;
        let mut found = false;
        let mut sum = 0.0;
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let Some((series, value)) = line.rsplit_once(' ') else { continue };
            if series.split('{').next() == Some(name) {
                found = true;
                sum += value.parse::<f64>().expect("a metric is a number");
            }
        }
        assert!(found, "no metric {name} in:\n{text}");
        sum
    }

    /// Waits for a killed process.
    fn ended_with_others(&self, running: Running) -> bool {
        let pid = running.pid;
        drop(running.reader.join());
        self.left_behind(pid)
    }

    /// Whether something of the ended process's group still runs. A tracer ends before what it traces.
    fn left_behind(&self, group: Pid) -> bool {
        self.builder.wrapper.is_empty() && test_kill_process_group(group).is_ok()
    }

    fn complaints(&self) -> Vec<String> {
        let is_error = |line: &&String| {
            let level = line.split_whitespace().nth(1);
            let bad = level == Some("ERROR") || line.contains("panicked at");
            bad && !self.builder.allowed_errors.iter().any(|part| line.contains(part.as_str()))
        };
        self.log.lines.lock().iter().filter(is_error).cloned().collect()
    }

    /// What it said last before it ended.
    fn last_words(&self, from: usize) -> String {
        let lines = self.log.lines.lock();
        let said = lines.get(from..).unwrap_or_default();
        said[said.len().saturating_sub(4)..].join(" | ")
    }

    fn show_log(&self) {
        let lines = self.log.lines.lock();
        let mut text = format!("--- log of the server on {} ---\n", self.address);
        for line in &lines[lines.len().saturating_sub(LINES_SHOWN)..] {
            writeln!(text, "{line}").expect("a String takes everything");
        }
        note(&text);
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        let mut left_behind = false;
        if let Some(running) = self.running.take() {
            // It may have ended by itself meanwhile.
            kill_process_group(running.pid, Signal::KILL).unwrap_or_default();
            left_behind = self.ended_with_others(running);
        }
        let complaints = self.complaints();
        if std::thread::panicking() {
            self.show_log();
            return;
        }
        if !complaints.is_empty() || left_behind {
            self.show_log();
            assert!(!left_behind, "the server left processes behind");
            panic!("the server logged errors:\n{}", complaints.join("\n"));
        }
    }
}
