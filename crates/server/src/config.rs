//! Configuration: `config/default.toml` (embedded), then a file, then `FRONTDESK__SECTION__KEY`, then
//! flags, merged once, here. Nobody else reads the environment.
//!
//! The default file holds every key, so it is also the list of known keys: a key it does not hold is
//! refused with the nearest name, whatever source it comes from.

mod cluster;
mod storage;

use std::{fmt, net::SocketAddr, path::PathBuf};

use serde::Deserialize;

pub(crate) use self::{
    cluster::{Cluster, ClusterStorage, LEVEL, Role},
    storage::{Durability, Embedded, Storage},
};

/// The file `frontdesk config default` prints.
pub(crate) const DEFAULT: &str = include_str!("../../../config/default.toml");

/// Keys whose values nobody is shown.
const SECRETS: [&str; 5] = [
    "metrics.token",
    "files.s3.secret_access_key",
    "cluster.secret",
    "storage.cluster.redis_url",
    "storage.cluster.mysql_urls",
];

/// Prefix of environment variables.
const ENV_PREFIX: &str = "FRONTDESK__";

/// Why a configuration is refused. The process exits with 64 and binds nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    #[error("cannot read configuration file {path}")]
    Read {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("{key}: cannot read {path}")]
    Secret {
        key: &'static str,
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("{origin} is not valid TOML")]
    Syntax {
        origin: String,
        #[source]
        source: toml::de::Error,
    },
    #[error("unknown key {key} in {origin}{}", hint(nearest.as_deref()))]
    UnknownKey { key: String, origin: String, nearest: Option<String> },
    #[error("wrong value in the configuration")]
    Value {
        #[source]
        source: toml::de::Error,
    },
    #[error("{key}: {reason}")]
    Invalid { key: &'static str, reason: String },
}

fn hint(nearest: Option<&str>) -> String {
    nearest.map(|name| format!("; did you mean {name}?")).unwrap_or_default()
}

/// A value that must not show up in a log or a panic.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub(crate) struct Hidden(pub(crate) String);

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() { "(empty)" } else { "(hidden)" })
    }
}

/// Everything a process is told at its start.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    pub(crate) server: Server,
    pub(crate) tls: Tls,
    pub(crate) storage: Storage,
    pub(crate) cluster: Cluster,
    pub(crate) gateway: Gateway,
    pub(crate) limits: Limits,
    pub(crate) files: Files,
    pub(crate) intent: Intent,
    pub(crate) knowledge: Knowledge,
    pub(crate) outgoing: frontdesk_outgoing::OutgoingConfig,
    pub(crate) log: Log,
    pub(crate) metrics: Metrics,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Server {
    pub(crate) listen: SocketAddr,
    pub(crate) data_dir: PathBuf,
    pub(crate) public_url: String,
    pub(crate) trusted_proxies: Vec<String>,
    pub(crate) insecure_http: bool,
    pub(crate) drain_ms: u64,
    pub(crate) http_connections_max: usize,
}

/// How articles are found.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Knowledge {
    /// Empty where words alone decide.
    pub(crate) sentence_model_dir: PathBuf,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Tls {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

fn read_file(key: &'static str, path: &std::path::Path) -> Result<Hidden, ConfigError> {
    let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Secret {
        key,
        path: path.to_owned(),
        source,
    })?;
    Ok(Hidden(text.trim().to_owned()))
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Gateway {
    pub(crate) loops: u16,
    pub(crate) frame_bytes_max: usize,
    pub(crate) out_queue_bytes_max: usize,
    pub(crate) header_timeout_ms: u64,
    pub(crate) auth_timeout_ms: u64,
    pub(crate) ping_interval_ms: u64,
    pub(crate) pong_wait_ms: u64,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Limits {
    pub(crate) handshakes_per_s: u32,
    pub(crate) visitor_rate_per_s: u32,
    pub(crate) visitor_burst: u32,
    pub(crate) agent_rate_per_s: u32,
    pub(crate) agent_burst: u32,
    pub(crate) ip_rate_per_s: u32,
    pub(crate) ip_burst: u32,
    pub(crate) account_rate_per_s: u32,
    pub(crate) account_burst: u32,
    pub(crate) http_per_address_per_minute: u32,
    pub(crate) http_per_caller_per_minute: u32,
    pub(crate) http_per_account_per_minute: u32,
    pub(crate) bot_conversations_max: usize,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Intent {
    pub(crate) enabled: bool,
    /// Empty: what is shipped.
    pub(crate) router_file: PathBuf,
    /// Empty: the model that is shipped.
    pub(crate) model_dir: PathBuf,
    pub(crate) deadline_ms: u64,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(from = "FilesTable")]
pub(crate) struct Files {
    pub(crate) store: FileStore,
    pub(crate) bytes_max: u64,
    pub(crate) visitor_quota_bytes: u64,
    pub(crate) account_quota_bytes: u64,
}

/// Where files are kept. A table that the choice does not use is read for its types and forgotten.
#[derive(Debug, Clone)]
pub(crate) enum FileStore {
    Local,
    S3(Box<S3>),
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct S3 {
    pub(crate) endpoint: String,
    pub(crate) region: String,
    pub(crate) bucket: String,
    pub(crate) prefix: String,
    pub(crate) access_key_id: String,
    /// From the file, where one is named.
    pub(crate) secret_access_key: Hidden,
    pub(crate) secret_access_key_file: PathBuf,
    pub(crate) addressing: Addressing,
    pub(crate) allow_http: bool,
    pub(crate) ca_file: PathBuf,
    pub(crate) timeout_ms: u64,
}

/// Where a request names the bucket.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Addressing {
    #[default]
    Path,
    Virtual,
}

/// `[files]` as it is written: typed whole, so that a wrong value is named with its key.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FilesTable {
    store: FileStoreName,
    bytes_max: u64,
    visitor_quota_bytes: u64,
    account_quota_bytes: u64,
    s3: S3,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum FileStoreName {
    Local,
    S3,
}

impl From<FilesTable> for Files {
    fn from(table: FilesTable) -> Self {
        Self {
            store: match table.store {
                FileStoreName::Local => FileStore::Local,
                FileStoreName::S3 => FileStore::S3(Box::new(table.s3)),
            },
            bytes_max: table.bytes_max,
            visitor_quota_bytes: table.visitor_quota_bytes,
            account_quota_bytes: table.account_quota_bytes,
        }
    }
}

impl S3 {
    /// The secret, from its file where one is named.
    fn read_secret(&mut self) -> Result<(), ConfigError> {
        let path = &self.secret_access_key_file;
        if path.as_os_str().is_empty() {
            return Ok(());
        }
        if !self.secret_access_key.0.is_empty() {
            return Err(invalid(
                "files.s3.secret_access_key",
                "is set here and by secret_access_key_file; keep one",
            ));
        }
        self.secret_access_key = read_file("files.s3.secret_access_key_file", path)?;
        Ok(())
    }

    fn validate(&self) -> Result<(), ConfigError> {
        for (key, value) in [
            ("files.s3.bucket", &self.bucket),
            ("files.s3.region", &self.region),
            ("files.s3.access_key_id", &self.access_key_id),
            ("files.s3.secret_access_key", &self.secret_access_key.0),
        ] {
            if value.is_empty() {
                return Err(invalid(key, "must be set where files.store is \"s3\""));
            }
        }
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        if !self.bucket.chars().all(plain) {
            return Err(invalid("files.s3.bucket", "is the name of a bucket, without a path"));
        }
        if !self.region.chars().all(plain) {
            return Err(invalid("files.s3.region", "is the name of a region"));
        }
        if !self.prefix.chars().all(|c| plain(c) || c == '/') {
            return Err(invalid(
                "files.s3.prefix",
                "is made of letters, digits, '.', '-', '_', '/'",
            ));
        }
        if self.timeout_ms == 0 {
            return Err(invalid("files.s3.timeout_ms", "must be at least 1"));
        }
        let host = match self.endpoint.split_once("://") {
            None if self.endpoint.is_empty() => return Ok(()),
            Some(("https", host)) => host,
            Some(("http", host)) if self.allow_http => host,
            Some(("http", _)) => {
                return Err(invalid(
                    "files.s3.endpoint",
                    "is plain http; files.s3.allow_http = true allows it",
                ));
            }
            _ => return Err(invalid("files.s3.endpoint", "must begin with https://")),
        };
        let host = host.trim_end_matches('/');
        if host.is_empty() || host.contains(['/', '?', '#', '@']) {
            return Err(invalid("files.s3.endpoint", "is a scheme, a host and a port, no path"));
        }
        Ok(())
    }
}

fn invalid(key: &'static str, reason: &str) -> ConfigError {
    ConfigError::Invalid { key, reason: reason.to_owned() }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Log {
    pub(crate) level: String,
    pub(crate) format: LogFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    Text,
    Json,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Metrics {
    pub(crate) token: Hidden,
}

/// What the command line may override.
#[derive(Debug, Default, Clone)]
pub(crate) struct Flags {
    pub(crate) file: Option<PathBuf>,
    pub(crate) data_dir: Option<PathBuf>,
    pub(crate) listen: Option<String>,
}

impl Config {
    /// Merges all sources; `env` is the process environment (passed in so that tests need not set it).
    pub(crate) fn load(
        flags: &Flags,
        env: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let merged = merged(flags, env)?;
        let mut config: Self = toml::Value::Table(merged)
            .try_into()
            .map_err(|source| ConfigError::Value { source })?;
        if let FileStore::S3(s3) = &mut config.files.store {
            s3.read_secret()?;
        }
        config.cluster.read_secret()?;
        config.validate()?;
        Ok(config)
    }

    fn validate(&self) -> Result<(), ConfigError> {
        let invalid = |key, reason: &str| Err(invalid(key, reason));
        if let FileStore::S3(s3) = &self.files.store {
            s3.validate()?;
        }
        if (self.tls.certificate.as_os_str().is_empty()) != (self.tls.key.as_os_str().is_empty()) {
            return invalid("tls", "certificate and key must both be set, or neither");
        }
        match &self.storage {
            Storage::Embedded { embedded } => embedded.validate()?,
            Storage::Cluster { cluster } => {
                self.cluster.validate(cluster)?;
            }
        }
        if self.gateway.frame_bytes_max < 80 << 10 {
            return invalid("gateway.frame_bytes_max", "must hold a message: at least 81920");
        }
        if self.gateway.loops > 256 {
            return invalid("gateway.loops", "must be at most 256");
        }
        if self.limits.bot_conversations_max == 0 {
            return invalid("limits.bot_conversations_max", "must be at least 1");
        }
        let url = &self.server.public_url;
        if !url.is_empty() && !url.starts_with("https://") && !url.starts_with("http://") {
            return invalid("server.public_url", "must begin with https:// or http://");
        }
        Ok(())
    }

    /// Whether the listener itself speaks TLS.
    pub(crate) fn has_tls(&self) -> bool {
        !self.tls.certificate.as_os_str().is_empty()
    }
}

/// The merged table, as `frontdesk config print` shows it. Secrets are blanked.
pub(crate) fn printable(
    flags: &Flags,
    env: impl Iterator<Item = (String, String)>,
) -> Result<String, ConfigError> {
    let mut table = merged(flags, env)?;
    for key in SECRETS {
        if is_set(&table, key) {
            set_text(&mut table, key, "(hidden)");
        }
    }
    Ok(table.to_string())
}

/// Whether there is more than nothing at a dotted path.
fn is_set(table: &toml::Table, key: &str) -> bool {
    let value = key.rsplit_once('.').and_then(|(parents, last)| {
        let parent =
            parents.split('.').try_fold(table, |table, part| table.get(part)?.as_table())?;
        parent.get(last)
    });
    match value {
        Some(toml::Value::String(text)) => !text.is_empty(),
        Some(toml::Value::Array(values)) => !values.is_empty(),
        _ => false,
    }
}

fn merged(
    flags: &Flags,
    env: impl Iterator<Item = (String, String)>,
) -> Result<toml::Table, ConfigError> {
    let mut merged = parse(DEFAULT, "the built-in defaults")?;
    let known = key_paths(&merged, "");
    if let Some(path) = &flags.file {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Read { path: path.clone(), source })?;
        let origin = path.display().to_string();
        let table = parse(&text, &origin)?;
        for key in key_paths(&table, "") {
            check_known(&key, &known, &origin)?;
        }
        overlay(&mut merged, table);
    }
    for (name, value) in env {
        let Some(path) = name.strip_prefix(ENV_PREFIX) else { continue };
        let key = path.to_ascii_lowercase().replace("__", ".");
        check_known(&key, &known, &format!("the environment ({name})"))?;
        set_text(&mut merged, &key, &value);
    }
    if let Some(dir) = &flags.data_dir {
        set_text(&mut merged, "server.data_dir", &dir.display().to_string());
    }
    if let Some(listen) = &flags.listen {
        set_text(&mut merged, "server.listen", listen);
    }
    Ok(merged)
}

fn parse(text: &str, origin: &str) -> Result<toml::Table, ConfigError> {
    text.parse().map_err(|source| ConfigError::Syntax { origin: origin.to_owned(), source })
}

/// Every leaf of a table as a dotted path.
fn key_paths(table: &toml::Table, prefix: &str) -> Vec<String> {
    let mut paths = Vec::new();
    for (key, value) in table {
        let path = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
        match value {
            toml::Value::Table(inner) => paths.extend(key_paths(inner, &path)),
            _ => paths.push(path),
        }
    }
    paths
}

fn check_known(key: &str, known: &[String], origin: &str) -> Result<(), ConfigError> {
    if known.iter().any(|name| name == key) {
        return Ok(());
    }
    let nearest = known
        .iter()
        .map(|name| (strsim::jaro_winkler(name, key), name))
        .filter(|(likeness, _)| *likeness > 0.7)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name.clone());
    Err(ConfigError::UnknownKey { key: key.to_owned(), origin: origin.to_owned(), nearest })
}

fn overlay(base: &mut toml::Table, over: toml::Table) {
    for (key, value) in over {
        match (base.get_mut(&key), value) {
            (Some(toml::Value::Table(base)), toml::Value::Table(over)) => overlay(base, over),
            (_, value) => {
                base.insert(key, value);
            }
        }
    }
}

/// Sets a known key from text, read as the type the default has. Text that does not read so stays
/// text, and the typed reading of the whole then names the key and the expected type.
fn set_text(table: &mut toml::Table, key: &str, text: &str) {
    let mut table = table;
    let mut parts = key.split('.').peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            let typed = match table.get(part) {
                Some(toml::Value::String(_)) | None => None,
                Some(_) => format!("v = {text}")
                    .parse::<toml::Table>()
                    .ok()
                    .and_then(|mut table| table.remove("v")),
            };
            let value = typed.unwrap_or_else(|| toml::Value::String(text.to_owned()));
            table.insert(part.to_owned(), value);
            return;
        }
        match table.get_mut(part) {
            Some(toml::Value::Table(inner)) => table = inner,
            _ => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use frontdesk_storage_embedded::Engine;

    fn no_env() -> impl Iterator<Item = (String, String)> {
        std::iter::empty()
    }

    fn env(pairs: &[(&str, &str)]) -> std::vec::IntoIter<(String, String)> {
        pairs
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect::<Vec<_>>()
            .into_iter()
    }

    #[test]
    fn defaults_alone_are_a_valid_configuration() {
        let config = Config::load(&Flags::default(), no_env()).expect("defaults load");
        assert_eq!(config.server.listen.to_string(), "127.0.0.1:8080");
        assert!(!config.has_tls());
    }

    #[test]
    fn the_sample_configuration_loads() {
        let file =
            PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../config/embedded.toml"));
        let flags = Flags { file: Some(file), ..Flags::default() };
        let config = Config::load(&flags, no_env()).expect("the sample loads");
        assert_eq!(config.server.public_url, "https://chat.example.com");
        assert_eq!(config.log.format, LogFormat::Json);
    }

    #[test]
    fn defaults_are_those_of_the_table_of_limits() {
        use frontdesk_core::limits;
        let config = Config::load(&Flags::default(), no_env()).expect("defaults load");
        let gateway = &config.gateway;
        assert_eq!(gateway.frame_bytes_max, limits::FRAME_BYTES_MAX);
        assert_eq!(gateway.out_queue_bytes_max, limits::OUT_QUEUE_BYTES_MAX);
        assert_eq!(gateway.header_timeout_ms, limits::HEADER_TIMEOUT_MS);
        assert_eq!(gateway.auth_timeout_ms, limits::AUTH_TIMEOUT_MS);
        assert_eq!(gateway.ping_interval_ms, limits::PING_INTERVAL_MS);
        assert_eq!(gateway.pong_wait_ms, limits::PONG_WAIT_MS);
        assert_eq!(config.server.drain_ms, limits::DRAIN_MS);
        assert_eq!(config.limits.handshakes_per_s, limits::HANDSHAKES_PER_S);
        assert_eq!(config.files.bytes_max, limits::FILE_BYTES_MAX);
    }

    #[test]
    fn the_environment_wins_over_the_file_and_flags_win_over_both() {
        let dir = tempfile::tempdir().expect("temp dir");
        let file = dir.path().join("c.toml");
        std::fs::write(&file, "[server]\nlisten = \"127.0.0.1:1\"\ndrain_ms = 7\n").expect("write");
        let mut flags = Flags { file: Some(file), ..Flags::default() };
        let vars = [("FRONTDESK__SERVER__LISTEN", "127.0.0.1:2"), ("HOME", "/nowhere")];
        let config = Config::load(&flags, env(&vars)).expect("loads");
        assert_eq!((config.server.listen.port(), config.server.drain_ms), (2, 7));
        flags.listen = Some("127.0.0.1:3".to_owned());
        let config = Config::load(&flags, env(&vars)).expect("loads");
        assert_eq!(config.server.listen.port(), 3);
    }

    #[test]
    fn an_unknown_key_is_refused_with_the_nearest_name() {
        let vars = [("FRONTDESK__SERVER__LISTN", "x")];
        let error = Config::load(&Flags::default(), env(&vars)).expect_err("unknown key");
        let text = error.to_string();
        assert!(
            text.contains("server.listn") && text.contains("did you mean server.listen?"),
            "{text}"
        );
    }

    #[test]
    fn an_unknown_key_of_a_file_names_the_file() {
        let dir = tempfile::tempdir().expect("temp dir");
        let file = dir.path().join("mine.toml");
        std::fs::write(&file, "[gateway]\nloop = 2\n").expect("write");
        let flags = Flags { file: Some(file), ..Flags::default() };
        let text = Config::load(&flags, no_env()).expect_err("unknown key").to_string();
        assert!(text.contains("mine.toml") && text.contains("gateway.loops"), "{text}");
    }

    #[test]
    fn every_key_can_be_set_by_the_environment() {
        let defaults = parse(DEFAULT, "defaults").expect("parses");
        for key in key_paths(&defaults, "") {
            let mut value = &toml::Value::Table(defaults.clone());
            for part in key.split('.') {
                value = value.get(part).expect("path exists");
            }
            let text = value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
            let name = format!("{ENV_PREFIX}{}", key.to_ascii_uppercase().replace('.', "__"));
            Config::load(&Flags::default(), env(&[(&name, &text)]))
                .unwrap_or_else(|error| panic!("{name}={text}: {error}"));
        }
    }

    #[test]
    fn an_engine_that_is_not_built_is_refused_with_what_to_build() {
        let vars = [("FRONTDESK__STORAGE__EMBEDDED__ENGINE", "rocksdb")];
        match Config::load(&Flags::default(), env(&vars)) {
            Ok(config) => {
                assert!(Engine::RocksDb.is_built());
                let embedded = config.storage.embedded().expect("the default mode");
                assert_eq!(embedded.engine, Engine::RocksDb);
            }
            Err(error) => {
                assert!(!Engine::RocksDb.is_built(), "{error}");
                let text = error.to_string();
                assert!(text.contains("storage.embedded.engine"), "{text}");
                assert!(text.contains("--features rocksdb"), "{text}");
            }
        }
        let vars = [("FRONTDESK__STORAGE__EMBEDDED__ENGINE", "leveldb")];
        let error = Config::load(&Flags::default(), env(&vars)).expect_err("no such engine");
        let source = std::error::Error::source(&error).expect("has a source").to_string();
        assert!(source.contains("expected `fjall` or `rocksdb`"), "{source}");
    }

    #[test]
    fn a_bot_without_room_for_a_conversation_is_refused() {
        let set = |value| [("FRONTDESK__LIMITS__BOT_CONVERSATIONS_MAX", value)];
        let error = Config::load(&Flags::default(), env(&set("0"))).expect_err("it is none");
        assert!(error.to_string().contains("limits.bot_conversations_max"), "{error}");
        let config = Config::load(&Flags::default(), env(&set("1"))).expect("loads");
        assert_eq!(config.limits.bot_conversations_max, 1);
    }

    #[test]
    fn a_value_of_the_wrong_type_names_the_key() {
        let vars = [("FRONTDESK__GATEWAY__LOOPS", "many")];
        let error = Config::load(&Flags::default(), env(&vars)).expect_err("wrong type");
        let source = std::error::Error::source(&error).expect("has a source").to_string();
        assert!(source.contains("loops"), "{source}");
    }

    #[test]
    fn secrets_do_not_show_in_debug_or_print() {
        let vars = [
            ("FRONTDESK__METRICS__TOKEN", "hunter22"),
            ("FRONTDESK__FILES__S3__SECRET_ACCESS_KEY", "hunter33"),
            ("FRONTDESK__FILES__S3__ACCESS_KEY_ID", "desk"),
            ("FRONTDESK__FILES__S3__BUCKET", "files"),
            ("FRONTDESK__FILES__STORE", "s3"),
        ];
        let config = Config::load(&Flags::default(), env(&vars)).expect("loads");
        let printed = printable(&Flags::default(), env(&vars)).expect("prints");
        for shown in [format!("{config:?}"), printed] {
            assert!(!shown.contains("hunter"), "{shown}");
            assert!(shown.contains("(hidden)") && shown.contains("desk"), "{shown}");
        }
    }

    fn s3(pairs: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let mut vars = vec![
            ("FRONTDESK__FILES__STORE", "s3"),
            ("FRONTDESK__FILES__S3__BUCKET", "files"),
            ("FRONTDESK__FILES__S3__ACCESS_KEY_ID", "desk"),
            ("FRONTDESK__FILES__S3__SECRET_ACCESS_KEY", "secret"),
        ];
        let names: Vec<String> =
            pairs.iter().map(|(name, _)| format!("FRONTDESK__FILES__S3__{name}")).collect();
        vars.extend(names.iter().map(String::as_str).zip(pairs.iter().map(|(_, value)| *value)));
        Config::load(&Flags::default(), env(&vars))
    }

    #[test]
    fn a_bucket_is_described_whole_or_refused_by_its_key() {
        let FileStore::S3(bucket) = s3(&[]).expect("loads").files.store else {
            panic!("files.store is s3");
        };
        assert_eq!((bucket.bucket.as_str(), bucket.region.as_str()), ("files", "us-east-1"));
        assert_eq!((bucket.addressing, bucket.allow_http), (Addressing::Path, false));
        for (pairs, key) in [
            (&[("BUCKET", "")][..], "files.s3.bucket"),
            (&[("BUCKET", "a/b")], "files.s3.bucket"),
            (&[("REGION", "")], "files.s3.region"),
            (&[("PREFIX", "a b")], "files.s3.prefix"),
            (&[("ACCESS_KEY_ID", "")], "files.s3.access_key_id"),
            (&[("SECRET_ACCESS_KEY", "")], "files.s3.secret_access_key"),
            (&[("SECRET_ACCESS_KEY_FILE", "/nowhere")], "files.s3.secret_access_key"),
            (&[("TIMEOUT_MS", "0")], "files.s3.timeout_ms"),
            (&[("ENDPOINT", "s3.example")], "files.s3.endpoint"),
            (&[("ENDPOINT", "ftp://s3.example")], "files.s3.endpoint"),
            (&[("ENDPOINT", "https://")], "files.s3.endpoint"),
            (&[("ENDPOINT", "https://s3.example/files")], "files.s3.endpoint"),
            (&[("ENDPOINT", "https://a@s3.example")], "files.s3.endpoint"),
            (&[("ENDPOINT", "http://s3.example")], "files.s3.allow_http"),
        ] {
            let text = s3(pairs).expect_err(key).to_string();
            assert!(text.contains(key), "{pairs:?}: {text}");
        }
        for pairs in [
            &[("ENDPOINT", "https://s3.example:9000/")][..],
            &[("ENDPOINT", "http://127.0.0.1:9000"), ("ALLOW_HTTP", "true")],
            &[("ADDRESSING", "virtual"), ("PREFIX", "shop/desk/")],
        ] {
            s3(pairs).unwrap_or_else(|error| panic!("{pairs:?}: {error}"));
        }
        let error = s3(&[("ADDRESSING", "dns")]).expect_err("no such way");
        let source = std::error::Error::source(&error).expect("has a source").to_string();
        assert!(source.contains("addressing"), "{source}");
    }

    #[test]
    fn the_secret_of_a_bucket_may_lie_in_a_file() {
        let dir = tempfile::tempdir().expect("temp dir");
        let file = dir.path().join("secret");
        std::fs::write(&file, "from a file\n").expect("write");
        let path = file.display().to_string();
        let pairs = [("SECRET_ACCESS_KEY", ""), ("SECRET_ACCESS_KEY_FILE", path.as_str())];
        let FileStore::S3(bucket) = s3(&pairs).expect("loads").files.store else {
            panic!("files.store is s3");
        };
        assert_eq!(bucket.secret_access_key.0, "from a file");
        std::fs::remove_file(&file).expect("removed");
        let text = s3(&pairs).expect_err("it is gone").to_string();
        assert!(text.contains("secret_access_key_file") && text.contains(&path), "{text}");
    }
}
