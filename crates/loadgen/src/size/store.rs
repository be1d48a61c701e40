//! The full store: a directory with an installation that `frontdesk fill` filled, and a note how full.

use std::{
    ffi::OsStr,
    fs::{self, File},
    path::{Path, PathBuf},
};

use rustix::fs::{Advice, fadvise};
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

use crate::{
    error::{Error, io},
    launch::{DATA, ProductLaunch, Server, install, launch_installed, run_on_data, temporary},
    progress::say,
};

/// Written when the directory is filled.
const NOTE: &str = "filled.json";

/// How full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Size {
    /// Messages.
    pub messages: u64,
    /// Conversations they are in.
    pub conversations: u64,
}

/// A directory that is filled.
#[derive(Debug)]
pub(super) struct Store {
    dir: PathBuf,
    _temporary: Option<TempDir>,
}

impl Store {
    /// Fills a directory, or takes one that is filled so already.
    pub(super) fn open(
        launch: &ProductLaunch,
        dir: Option<&Path>,
        size: Size,
    ) -> Result<Self, Error> {
        let temporary = match dir {
            Some(dir) => {
                fs::create_dir_all(dir).map_err(io("create the store's directory"))?;
                None
            }
            None => Some(temporary(&launch.parent)?),
        };
        let dir = match (dir, &temporary) {
            (Some(dir), _) => dir.to_owned(),
            (None, Some(temporary)) => temporary.path().to_owned(),
            (None, None) => unreachable!("one of the two is there"),
        };
        let store = Self { dir, _temporary: temporary };
        store.fill(launch, size)?;
        Ok(store)
    }

    fn fill(&self, launch: &ProductLaunch, size: Size) -> Result<(), Error> {
        let note = self.dir.join(NOTE);
        if let Ok(text) = fs::read_to_string(&note) {
            let found: Size = serde_json::from_str(&text)
                .map_err(|_| Error::Malformed { what: "the note how full a store is" })?;
            if found == size {
                return Ok(());
            }
            return Err(Error::Options(
                "the store is not as full as asked; name another directory",
            ));
        }
        if self.dir.join(DATA).exists() {
            return Err(Error::Options("the store was not filled to the end; remove it"));
        }
        say(&format!("{} messages are stored first", size.messages));
        install(launch, &self.dir)?;
        let (messages, conversations) = (size.messages.to_string(), size.conversations.to_string());
        let arguments = ["fill", "--messages", &messages, "--conversations", &conversations];
        run_on_data(launch, &self.dir, "frontdesk fill", arguments.map(OsStr::new))?;
        let text = serde_json::to_string(&size).map_err(|_| Error::Malformed { what: "a size" })?;
        fs::write(note, text).map_err(io("note how full the store is"))
    }

    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    pub(super) fn serve(&self, launch: &ProductLaunch) -> Result<Server, Error> {
        launch_installed(launch, &self.dir)
    }

    /// Asks the system to forget what it holds of the store's files, so that they are read from the disk
    /// again.
    pub(super) fn leave_memory(&self) -> Result<(), Error> {
        forget(&self.dir.join(DATA)).map_err(io("let go of the store's files"))
    }
}

fn forget(dir: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            forget(&path)?;
        } else {
            let file = File::open(path)?;
            file.sync_all()?;
            fadvise(&file, 0, None, Advice::DontNeed)?;
        }
    }
    Ok(())
}
