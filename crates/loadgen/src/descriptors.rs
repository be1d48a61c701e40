//! How many connections a process may hold: each is one of the files it may open.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::error::{Error, io};

/// Files that are no connections: of a server's stores, and a share for what ends while others begin.
const OTHERS: u64 = 100;
const SHARE: u64 = 8;

/// Lets this process, and those it starts, open as many files as the system allows it.
pub fn raise_open_files() -> Result<(), Error> {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })
        .map_err(|error| io("raise the limit of open files")(error.into()))
}

/// Connections a process may hold beside its other files; a server started here may as many.
pub fn connections_max() -> u32 {
    let files = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let connections = (files - files / SHARE).saturating_sub(OTHERS).max(1);
    u32::try_from(connections).unwrap_or(u32::MAX)
}

/// Whether one process may hold so many connections.
pub(crate) fn check(connections: u32) -> Result<(), Error> {
    let max = connections_max();
    if connections > max {
        return Err(Error::OpenFiles { connections, max });
    }
    Ok(())
}
