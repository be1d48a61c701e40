//! The scenario `stall`: the peak rate for so long that the history is flushed and merged many times, and
//! how long nobody got an ack meanwhile.

use std::time::Duration;

use serde::Serialize;

use crate::{
    activity::Activity,
    cpu::Process,
    error::Error,
    gaps::{STALL_NS, Stall},
    launch::{DATA, Server},
    outcome::Outcome,
    report::{Latency, Report},
    text::{Load, Subject, TextOptions, run},
};

/// What to run.
#[derive(Debug, Clone)]
pub struct StallOptions {
    /// A closed loop.
    pub shape: TextOptions,
}

impl StallOptions {
    /// The published shape: 1,000 visitors, 20 agents, 200 bytes.
    pub fn new(measured: Duration) -> Self {
        Self { shape: TextOptions::new(Subject::Product, Load::Closed, measured) }
    }
}

/// What was found, as `--json` prints it. Each field of the run itself stands beside these.
#[derive(Debug, Clone, Serialize)]
pub struct StallReport {
    /// The run, as of text messages.
    #[serde(flatten)]
    pub run: Report,
    /// Times between successive acks, whoever got them.
    pub gap: Latency,
    /// Silences of `stall_ms` and more.
    pub stalls: u64,
    /// From where on a silence is a stall.
    pub stall_ms: f64,
    /// When the first of them were.
    pub stalled: Vec<Stall>,
    /// What the server wrote meanwhile, the warm-up included.
    pub written: Activity,
}

/// Runs it once. The server has to be one this crate started.
pub fn stall(options: &StallOptions, server: &Server) -> Result<StallReport, Error> {
    watched(server, || run(&options.shape, server))
}

/// Makes a report of a run on a server whose files are looked at before and after it.
pub(crate) fn watched(
    server: &Server,
    run: impl FnOnce() -> Result<(Report, Outcome), Error>,
) -> Result<StallReport, Error> {
    let dir = server.dir().ok_or(Error::Options("only a server of this run shows its files"))?;
    let (data, process) = (dir.join(DATA), Process::new(server.pid));
    let before = Activity::so_far(&data, process);
    let (report, outcome) = run()?;
    let written = Activity::so_far(&data, process).since(before);
    Ok(StallReport {
        run: Report { scenario: "stall", ..report },
        gap: outcome.gaps.summary(),
        stalls: outcome.gaps.stalls_in_all,
        stall_ms: STALL_NS as f64 / 1e6,
        stalled: outcome.gaps.stalls,
        written,
    })
}
