//! Small files on the local disk, written straight to their place and synced there with their directory.
//!
//! The object store's own way is a temporary file that is renamed, so that nobody ever sees half a file
//! under its name. Here nobody looks before the row in the catalog says `stored`, and an id is used once, so
//! the name may be there first: an inode changed and a directory synced less for each upload.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use bytes::Bytes;

/// Writes a new file; returns once it survives power loss. A directory that is missing is made.
pub(super) async fn write(path: PathBuf, bytes: Bytes) -> io::Result<()> {
    tokio::task::spawn_blocking(move || {
        let dir = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
        let mut file = match create(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                make(dir)?;
                create(&path)?
            }
            created => created?,
        };
        file.write_all(&bytes)?;
        file.sync_all()?;
        sync(dir)
    })
    .await
    .map_err(io::Error::other)?
}

fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).open(path)
}

fn make(dir: &Path) -> io::Result<()> {
    match fs::create_dir(dir) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        // Whoever else made it may not have synced its entry yet.
        Ok(()) | Err(_) => {}
    }
    dir.parent().map_or(Ok(()), sync)
}

fn sync(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_file_is_written_once_and_its_directory_is_made() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("ab").join("abc");
        write(path.clone(), Bytes::from_static(b"first")).await.expect("it is written");
        let again = write(path.clone(), Bytes::from_static(b"second")).await;
        assert_eq!(again.expect_err("an id is used once").kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).expect("it is there"), b"first");
        write(dir.path().join("ab").join("abd"), Bytes::new())
            .await
            .expect("the directory is there");
        let lost = write(dir.path().join("no").join("no").join("a"), Bytes::new()).await;
        assert_eq!(lost.expect_err("its root is missing").kind(), io::ErrorKind::NotFound);
    }
}
