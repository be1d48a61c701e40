//! Directories that survive power loss: an entry is durable once the directory it stands in is
//! synced, and so on upwards to the first that was there before.

use std::fs::File;
use std::io;
use std::path::Path;

/// Creates `dir` and what is missing above it, each synced into its parent.
pub(crate) fn create(dir: &Path) -> io::Result<()> {
    if dir.is_dir() {
        return Ok(());
    }
    let parent = dir.parent().filter(|parent| !parent.as_os_str().is_empty());
    let parent = parent.unwrap_or(Path::new("."));
    create(parent)?;
    match std::fs::create_dir(dir) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    File::open(parent)?.sync_all()
}
