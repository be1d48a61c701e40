//! A benchmark that is stopped in the middle: nothing it started runs on, and at Ctrl-C nothing it made
//! is left.

use std::{
    fs,
    process::{Child, Command, ExitStatus, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::{FRONTDESK, eventually, heavy};

/// How long two servers may take to start, one after the other.
const STARTED: Duration = Duration::from_mins(1);
/// How soon everything has to be gone.
const GONE: Duration = Duration::from_secs(5);

/// Long runs, and what each starts.
const RUNS: [(&[&str], &[&str]); 3] = [
    (&["text", "--rate", "20", "--visitors", "2", "--agents", "1", "--seconds", "60"], &["serve"]),
    (
        &["idle", "--connections", "40", "--per-process", "20", "--hold", "60"],
        &["crowd-generator", "crowd-generator", "serve", "serve"],
    ),
    (&["floor", "--seconds", "60"], &["floor"]),
];

/// A benchmark in its directory, and the processes it started. None outlives the test.
struct Run {
    bench: Child,
    started: Vec<u32>,
    dir: TempDir,
}

impl Drop for Run {
    fn drop(&mut self) {
        for pid in self.started.iter().filter(|pid| command_of(**pid).is_some()) {
            let pid = Pid::from_raw(i32::try_from(*pid).expect("a pid")).expect("a pid");
            // It may have ended meanwhile.
            drop(kill_process(pid, Signal::KILL).map_err(std::io::Error::from));
        }
        drop(self.bench.kill());
        drop(self.bench.wait());
    }
}

impl Run {
    /// Begins one and waits until it has started what it needs.
    async fn begin(arguments: &[&str], expected: &[&str]) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let mut command = Command::new(FRONTDESK);
        command.arg("bench").args(arguments).arg("--dir").arg(dir.path());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let bench = command.spawn().expect("the binary starts");
        let mut run = Self { bench, started: Vec::new(), dir };
        eventually(STARTED, "the run has its processes", async || {
            let found = children(run.bench.id());
            run.started = found.iter().map(|(_, pid)| *pid).collect();
            found.iter().map(|(what, _)| what).eq(expected)
        })
        .await;
        run
    }

    fn send(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.bench), signal).expect("it runs");
    }

    /// Waits until nothing of it runs any more.
    async fn gone(&mut self) -> ExitStatus {
        let Self { bench, started, .. } = self;
        let mut status = None;
        eventually(GONE, "all processes have ended", async || {
            status = bench.try_wait().expect("it can be waited for");
            status.is_some() && started.iter().all(|pid| command_of(*pid).is_none())
        })
        .await;
        status.expect("it has ended")
    }

    fn files(&self) -> usize {
        fs::read_dir(self.dir.path()).expect("a list").count()
    }
}

/// A process and what it was told to do; `None` once it has ended.
fn command_of(pid: u32) -> Option<String> {
    let line = fs::read(format!("/proc/{pid}/cmdline")).ok().filter(|line| !line.is_empty())?;
    let words = line.split(|byte| *byte == 0).map(String::from_utf8_lossy);
    let what = words.skip(1).find(|word| !word.starts_with("--"));
    what.map(std::borrow::Cow::into_owned)
}

/// What a process started, and what for.
fn children(of: u32) -> Vec<(String, u32)> {
    let processes = fs::read_dir("/proc").expect("a list of processes");
    let pids = processes.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    let mut found: Vec<_> = pids
        .filter(|pid| {
            let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            let behind_name = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
            behind_name.split(' ').nth(1) == Some(&of.to_string())
        })
        .filter_map(|pid| Some((command_of(pid)?, pid)))
        .collect();
    found.sort();
    found
}

#[tokio::test]
async fn a_bench_that_is_killed_takes_its_processes_with_it() {
    let _alone = heavy().await;
    for (arguments, expected) in RUNS {
        let mut run = Run::begin(arguments, expected).await;
        run.send(Signal::KILL);
        run.gone().await;
    }
}

#[tokio::test]
async fn a_bench_that_is_stopped_leaves_no_process_and_no_file() {
    let _alone = heavy().await;
    let signals = [Signal::INT, Signal::TERM, Signal::INT];
    for ((arguments, expected), signal) in RUNS.into_iter().zip(signals) {
        let mut run = Run::begin(arguments, expected).await;
        assert_eq!(run.files(), 1, "{arguments:?}");
        run.send(signal);
        assert_eq!(run.gone().await.code(), Some(130), "{arguments:?}");
        assert_eq!(run.files(), 0, "{arguments:?}");
    }
}
