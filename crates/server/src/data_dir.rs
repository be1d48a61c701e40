//! The data directory: who may use it, what format it has, where its parts lie.
//!
//! ```text
//! LOCK               held (flock) by the process that uses the directory
//! installation.toml  format, installation id, epoch, partitions, creation time
//! keys/server.key    32 random bytes, mode 0600: signs tickets and visitor tokens
//! catalog.db         what people configure (SQLite, FULL sync)
//! projections.db     lists, visitors, counters (SQLite, rebuilt from the history)
//! log/{n}/           message log of edge loop n
//! history/           entries, events, conversation states
//! files/             uploads
//! ```

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Read as _, Write as _},
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

/// Format of the directory this binary writes; newer ones are refused. So is 1, which no release wrote: conversations lay
/// in other partitions.
const FORMAT: u32 = 2;

/// Why a data directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DataDirError {
    #[error("cannot {operation} {path}")]
    Io {
        operation: &'static str,
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("{path} is in use by another process; stop it, or choose another --data-dir")]
    Locked { path: PathBuf },
    #[error("{path} cannot be written; check its owner and mode, or choose another --data-dir")]
    ReadOnly { path: PathBuf },
    #[error(
        "{path} was written by a newer version (format {found}, this version knows {FORMAT}); \
         install that version or a later one"
    )]
    Newer { path: PathBuf, found: u32 },
    #[error(
        "{path} was written before the first release (format {found}, this version knows {FORMAT}); \
         begin with another --data-dir, or keep the version that wrote it"
    )]
    Older { path: PathBuf, found: u32 },
    #[error("{path} is damaged: {reason}")]
    Damaged { path: PathBuf, reason: String },
    #[error("{path} holds no installation; start `frontdesk serve` or `frontdesk init` first")]
    Empty { path: PathBuf },
}

/// What never changes about an installation, but for the epoch.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Installation {
    pub(crate) format: u32,
    /// 32 hexadecimal characters.
    #[serde(rename = "installation")]
    pub(crate) id: String,
    /// Which life of the log positions belong to; changes on restore or accepted loss only.
    pub(crate) epoch: u64,
    /// Number of partitions conversations are split over.
    pub(crate) partitions: u16,
    /// UTC milliseconds.
    pub(crate) created_ms: i64,
    /// Whether `serve --demo` created it: a demo never starts in an installation of somebody's own.
    #[serde(default)]
    pub(crate) demo: bool,
}

/// A data directory this process holds the lock of.
#[derive(Debug)]
pub(crate) struct DataDir {
    path: PathBuf,
    pub(crate) installation: Installation,
    pub(crate) server_key: [u8; 32],
    _lock: File,
}

/// What to do where there is no installation yet.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Missing {
    Create { partitions: u16, demo: bool, now_ms: i64 },
    Refuse,
}

impl DataDir {
    /// Opens a directory, creating the installation where `missing` says so.
    pub(crate) fn open(path: &Path, missing: Missing) -> Result<Self, DataDirError> {
        if matches!(missing, Missing::Refuse) && !path.join("installation.toml").exists() {
            return Err(DataDirError::Empty { path: path.to_owned() });
        }
        fs::create_dir_all(path).map_err(|source| cannot("create", path, source))?;
        let lock = lock(path)?;
        let file = path.join("installation.toml");
        let (installation, is_new) = match read_installation(&file)? {
            Some(installation) => (installation, false),
            None => match missing {
                Missing::Refuse => return Err(DataDirError::Empty { path: path.to_owned() }),
                Missing::Create { partitions, demo, now_ms } => {
                    (create_installation(path, &file, partitions, demo, now_ms)?, true)
                }
            },
        };
        let server_key = server_key(path, is_new)?;
        Ok(Self { path: path.to_owned(), installation, server_key, _lock: lock })
    }

    pub(crate) fn catalog(&self) -> PathBuf {
        self.path.join("catalog.db")
    }

    pub(crate) fn projections(&self) -> PathBuf {
        self.path.join("projections.db")
    }

    pub(crate) fn history(&self) -> PathBuf {
        self.path.join("history")
    }

    /// Of a node of a cluster: messages that wait for Kafka.
    pub(crate) fn spool(&self) -> PathBuf {
        self.path.join("spool")
    }

    pub(crate) fn files(&self) -> PathBuf {
        self.path.join("files")
    }

    pub(crate) fn log(&self, number: u16) -> PathBuf {
        self.path.join("log").join(number.to_string())
    }

    /// Numbers of the logs that exist on disk, ascending.
    pub(crate) fn logs(&self) -> Result<Vec<u16>, DataDirError> {
        let dir = self.path.join("log");
        let mut numbers = Vec::new();
        let entries = match fs::read_dir(&dir) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(numbers),
            Err(source) => return Err(cannot("read", &dir, source)),
        };
        for entry in entries {
            let entry = entry.map_err(|source| cannot("read", &dir, source))?;
            if let Some(number) = entry.file_name().to_str().and_then(|name| name.parse().ok()) {
                numbers.push(number);
            }
        }
        numbers.sort_unstable();
        Ok(numbers)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

fn cannot(operation: &'static str, path: &Path, source: io::Error) -> DataDirError {
    match source.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            DataDirError::ReadOnly { path: path.to_owned() }
        }
        _ => DataDirError::Io { operation, path: path.to_owned(), source },
    }
}

fn lock(dir: &Path) -> Result<File, DataDirError> {
    let path = dir.join("LOCK");
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(|source| cannot("open", &path, source))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(DataDirError::Locked { path: dir.to_owned() }),
        Err(TryLockError::Error(source)) => Err(cannot("lock", &path, source)),
    }
}

fn read_installation(file: &Path) -> Result<Option<Installation>, DataDirError> {
    let text = match fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(cannot("read", file, source)),
    };
    let damaged = |reason: String| DataDirError::Damaged { path: file.to_owned(), reason };
    // The format first: a newer version may have added keys.
    let table: toml::Table = text.parse().map_err(|e: toml::de::Error| damaged(e.to_string()))?;
    let format = table.get("format").and_then(toml::Value::as_integer);
    let format = format.ok_or_else(|| damaged("it names no format".to_owned()))?;
    if format > i64::from(FORMAT) {
        let found = u32::try_from(format).unwrap_or(u32::MAX);
        return Err(DataDirError::Newer { path: file.to_owned(), found });
    }
    if format < i64::from(FORMAT) {
        let found = u32::try_from(format).unwrap_or_default();
        return Err(DataDirError::Older { path: file.to_owned(), found });
    }
    let installation: Installation =
        table.try_into().map_err(|e: toml::de::Error| damaged(e.to_string()))?;
    if installation.epoch == 0 || installation.partitions == 0 {
        return Err(damaged("epoch and partitions must not be 0".to_owned()));
    }
    Ok(Some(installation))
}

fn create_installation(
    dir: &Path,
    file: &Path,
    partitions: u16,
    demo: bool,
    now_ms: i64,
) -> Result<Installation, DataDirError> {
    let installation = Installation {
        format: FORMAT,
        id: format!("{:032x}", u128::from_be_bytes(random())),
        // TOML integers are signed; 62 random bits are plenty, and never 0.
        epoch: u64::from_be_bytes(random()) >> 2 | 1,
        partitions,
        created_ms: now_ms,
        demo,
    };
    let text = toml::to_string(&installation).expect("plain values serialize");
    write_synced(file, text.as_bytes(), 0o644)?;
    sync_dir(dir)?;
    Ok(installation)
}

/// Reads the server's key, making it for a new installation. A lost key of an old one is refused:
/// every visitor's token would silently stop to work.
fn server_key(dir: &Path, is_new: bool) -> Result<[u8; 32], DataDirError> {
    let path = dir.join("keys").join("server.key");
    match File::open(&path) {
        Ok(mut file) => {
            let mut key = [0; 32];
            let damaged = |_| DataDirError::Damaged {
                path: path.clone(),
                reason: "it must hold 32 bytes".to_owned(),
            };
            file.read_exact(&mut key).map_err(damaged)?;
            Ok(key)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound && is_new => {
            let keys = dir.join("keys");
            fs::create_dir_all(&keys).map_err(|source| cannot("create", &keys, source))?;
            fs::set_permissions(&keys, fs::Permissions::from_mode(0o700))
                .map_err(|source| cannot("protect", &keys, source))?;
            let key = random();
            write_synced(&path, &key, 0o600)?;
            sync_dir(&keys)?;
            Ok(key)
        }
        Err(source) => Err(cannot("read", &path, source)),
    }
}

/// Writes a new file and its content through to the disk, by way of a temporary name.
fn write_synced(path: &Path, content: &[u8], mode: u32) -> Result<(), DataDirError> {
    let part = path.with_extension("part");
    let mut file = OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .mode(mode)
        .open(&part)
        .map_err(|source| cannot("create", &part, source))?;
    file.write_all(content).map_err(|source| cannot("write", &part, source))?;
    file.sync_all().map_err(|source| cannot("sync", &part, source))?;
    fs::rename(&part, path).map_err(|source| cannot("rename", path, source))
}

fn sync_dir(dir: &Path) -> Result<(), DataDirError> {
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(|source| cannot("sync", dir, source))
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system has randomness");
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEW: Missing = Missing::Create { partitions: 64, demo: false, now_ms: 1 };

    #[test]
    fn a_new_directory_keeps_its_identity_over_a_reopen() {
        let dir = tempfile::tempdir().expect("temp dir");
        let first = DataDir::open(dir.path(), NEW).expect("creates");
        let (id, epoch, key) =
            (first.installation.id.clone(), first.installation.epoch, first.server_key);
        drop(first);
        let again = DataDir::open(dir.path(), Missing::Refuse).expect("opens");
        assert_eq!((again.installation.id.clone(), again.installation.epoch), (id, epoch));
        assert_eq!(again.server_key, key);
    }

    #[test]
    fn a_second_process_is_refused_by_name() {
        let dir = tempfile::tempdir().expect("temp dir");
        let _first = DataDir::open(dir.path(), NEW).expect("creates");
        let error = DataDir::open(dir.path(), NEW).expect_err("locked");
        assert!(matches!(error, DataDirError::Locked { .. }), "{error}");
    }

    #[test]
    fn a_newer_format_is_refused_even_with_keys_this_version_does_not_know() {
        let dir = tempfile::tempdir().expect("temp dir");
        fs::write(dir.path().join("installation.toml"), "format = 9\nwarp = true\n")
            .expect("write");
        let error = DataDir::open(dir.path(), NEW).expect_err("newer");
        assert!(matches!(error, DataDirError::Newer { found: 9, .. }), "{error}");
    }

    #[test]
    fn the_format_before_the_first_release_is_refused() {
        let dir = tempfile::tempdir().expect("temp dir");
        drop(DataDir::open(dir.path(), NEW).expect("creates"));
        let file = dir.path().join("installation.toml");
        let text = fs::read_to_string(&file).expect("it was created");
        fs::write(&file, text.replace("format = 2", "format = 1")).expect("write");
        let error = DataDir::open(dir.path(), NEW).expect_err("older");
        assert!(matches!(error, DataDirError::Older { found: 1, .. }), "{error}");
    }

    #[test]
    fn a_lost_server_key_is_not_replaced_silently() {
        let dir = tempfile::tempdir().expect("temp dir");
        drop(DataDir::open(dir.path(), NEW).expect("creates"));
        fs::remove_file(dir.path().join("keys/server.key")).expect("remove");
        assert!(DataDir::open(dir.path(), NEW).is_err());
    }

    #[test]
    fn nothing_is_created_where_an_installation_is_expected() {
        let dir = tempfile::tempdir().expect("temp dir");
        let error = DataDir::open(&dir.path().join("x"), Missing::Refuse).expect_err("empty");
        assert!(matches!(error, DataDirError::Empty { .. }), "{error}");
        assert!(!dir.path().join("x").exists());
    }
}
