//! Processes of a run, and how they end. Each has one end of a pipe as its standard input; the other is
//! held by the process that started it. When that one is gone, however it went, the pipe closes and the
//! process ends.

use std::{
    io::{BufRead as _, BufReader, Read as _},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio},
    thread,
};

use rustix::{
    event::{PollFd, PollFlags, poll},
    io::Errno,
    process::{Pid, Signal, WaitOptions, getpid, kill_process, wait},
};

use crate::error::{Error, io};

/// Kills this process as soon as the other end of its standard input is gone. Nothing is read from it.
pub fn end_with_stdin() -> Result<(), Error> {
    let watch = || {
        let stdin = std::io::stdin();
        // The end of a pipe is told without being asked for.
        let mut end = [PollFd::new(&stdin, PollFlags::empty())];
        while matches!(poll(&mut end, None), Ok(0) | Err(Errno::INTR)) {}
        if kill_process(getpid(), Signal::KILL).is_err() {
            std::process::abort();
        }
    };
    let watching = thread::Builder::new().name("end-with-stdin".to_owned()).spawn(watch);
    watching.map(drop).map_err(io("start a thread"))
}

/// Waits until all processes have ended that this one started before it became another program, then
/// removes the directory they worked in.
pub fn sweep(dir: &Path) -> Result<(), Error> {
    loop {
        match wait(WaitOptions::empty()) {
            Ok(_) | Err(Errno::INTR) => {}
            // There is none.
            Err(Errno::CHILD) => break,
            Err(error) => return Err(io("wait for a process of the run")(error.into())),
        }
    }
    std::fs::remove_dir_all(dir).map_err(io("remove the temporary directory"))
}

/// A process that is killed when this is dropped.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    /// Its standard input: what [`end_with_stdin`] looks at, and where a generator gets its commands.
    pub(crate) stdin: ChildStdin,
    /// Kept open: the process may write when nobody reads any more.
    pub(crate) stdout: BufReader<ChildStdout>,
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Running {
    /// Starts a process; `what` is said where that fails.
    pub(crate) fn start(command: &mut Command, what: &'static str) -> Result<Self, Error> {
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().map_err(io(what))?;
        // Taken out: waiting for a child closes the one that is still in it.
        let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(Error::Malformed { what: "pipes to a process" });
        };
        Ok(Self { child, stdin, stdout: BufReader::new(stdout) })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Reads lines until one holds what is looked for; `None` where the process ends instead.
    pub(crate) fn find<T>(&mut self, find: impl Fn(&str) -> Option<T>) -> Result<Option<T>, Error> {
        loop {
            let mut line = String::new();
            if self.stdout.read_line(&mut line).map_err(io("read a process's output"))? == 0 {
                return Ok(None);
            }
            if let Some(found) = find(&line) {
                return Ok(Some(found));
            }
        }
    }

    /// Everything it prints until its end.
    pub(crate) fn read_to_end(&mut self) -> Result<(String, ExitStatus), Error> {
        let mut printed = String::new();
        self.stdout.read_to_string(&mut printed).map_err(io("read a process's output"))?;
        Ok((printed, self.wait()?))
    }

    /// Ends it in the middle of whatever it does.
    pub(crate) fn kill9(&mut self) -> Result<(), Error> {
        self.child.kill().map_err(io("kill a process"))?;
        self.wait().map(drop)
    }

    /// Asks it to stop and waits until it has.
    pub(crate) fn stop(&mut self) -> Result<ExitStatus, Error> {
        kill_process(Pid::from_child(&self.child), Signal::TERM)
            .map_err(|error| io("stop a process")(error.into()))?;
        self.wait()
    }

    fn wait(&mut self) -> Result<ExitStatus, Error> {
        self.child.wait().map_err(io("wait for a process's end"))
    }
}
