//! What a server writes while it runs: segments of its logs, tables of its history, bytes to the disk.

use std::{fs, path::Path};

use serde::Serialize;

use crate::cpu::Process;

/// Counts that only rise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Activity {
    /// Segments of message logs that were begun.
    pub log_segments: u64,
    /// Tables of the history: flushed from memory, or merged of others.
    pub history_tables: u64,
    /// All that the process wrote to disks; absent where the system does not tell.
    pub disk_bytes: Option<u64>,
}

impl Activity {
    /// All there was so far, of the server with its data in this directory. Segments and tables are
    /// numbered.
    pub(crate) fn so_far(data: &Path, process: Process) -> Self {
        let newest = |dir: &Path, of: &str| {
            let numbers = entries(dir).into_iter().flat_map(|entry| {
                entries(&entry.join(of))
                    .into_iter()
                    .filter_map(|path| path.file_stem()?.to_str()?.parse::<u64>().ok())
            });
            numbers.max().unwrap_or(0)
        };
        Self {
            log_segments: newest(&data.join("log"), ""),
            history_tables: newest(&data.join("history/keyspaces"), "tables"),
            disk_bytes: process.disk_bytes_written(),
        }
    }

    /// What came since.
    pub(crate) fn since(self, before: Self) -> Self {
        let bytes = self.disk_bytes.zip(before.disk_bytes);
        Self {
            log_segments: self.log_segments.saturating_sub(before.log_segments),
            history_tables: self.history_tables.saturating_sub(before.history_tables),
            disk_bytes: bytes.map(|(now, before)| now.saturating_sub(before)),
        }
    }
}

fn entries(dir: &Path) -> Vec<std::path::PathBuf> {
    fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}

/// Bytes of all files in a directory.
pub(crate) fn bytes_in(dir: &Path) -> u64 {
    let of = |path: &std::path::PathBuf| match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => bytes_in(path),
        Ok(metadata) => metadata.len(),
        Err(_) => 0,
    };
    entries(dir).iter().map(of).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_and_tables_are_told_by_their_numbers() {
        let dir = tempfile::tempdir().expect("a directory");
        let make = |name: &str| {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
            fs::write(path, "four").expect("a file");
        };
        let nobody = Process::new(None);
        let none = Activity { log_segments: 0, history_tables: 0, disk_bytes: None };
        assert_eq!(Activity::so_far(dir.path(), nobody), none);
        for name in [
            "log/0/0000000021.seg",
            "log/0/mark",
            "history/keyspaces/1/tables/9",
            "history/keyspaces/1/v200",
        ] {
            make(name);
        }
        let before = Activity::so_far(dir.path(), nobody);
        assert_eq!((before.log_segments, before.history_tables), (21, 9));
        make("log/0/0000000023.seg");
        make("history/keyspaces/1/tables/14");
        let since = Activity::so_far(dir.path(), nobody).since(before);
        assert_eq!((since.log_segments, since.history_tables), (2, 5));
        assert_eq!(bytes_in(dir.path()), 6 * 4);
    }
}
