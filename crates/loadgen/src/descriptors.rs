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

/// Connections a process may hold beside its other files while some end and others begin; a server started
/// here may as many.
pub fn connections_max() -> u32 {
    let files = open_files_max();
    beside_others(files - files / SHARE)
}

/// Whether one process may hold so many connections while some end and others begin.
pub(crate) fn check(connections: u32) -> Result<(), Error> {
    fits(connections, connections_max())
}

/// Whether one process may hold so many connections that all stay until the end.
pub(crate) fn check_staying(connections: u32) -> Result<(), Error> {
    fits(connections, beside_others(open_files_max()))
}

fn fits(connections: u32, max: u32) -> Result<(), Error> {
    if connections > max {
        return Err(Error::OpenFiles { connections, max });
    }
    Ok(())
}

fn open_files_max() -> u64 {
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}

fn beside_others(files: u64) -> u32 {
    u32::try_from(files.saturating_sub(OTHERS).max(1)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::idle::IdleOptions;

    #[test]
    fn the_idle_connections_of_the_goals_fit_below_a_limit_of_20_000_files() {
        assert!(IdleOptions::default().high <= beside_others(20_000));
    }
}
