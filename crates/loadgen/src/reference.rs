//! The scenario `reference`: the three figures the reference design publishes, measured here. It names 8
//! cores and 16 GB for them; here server and generator share what there is, unpinned.

use std::time::Duration;

use serde::Serialize;

use crate::{
    error::Error,
    files::{FilesOptions, FilesReport, files},
    launch::Server,
    machine::machine,
    report::{Latency, Report},
    text::{Load, Placement, Subject, TextOptions, text},
};

/// Share of the offered rate that counts as all of it.
const NEARLY_ALL: f64 = 0.99;

/// What the reference design says of itself.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Published {
    /// Messages or files per second.
    pub per_s: u32,
    /// Mean latency.
    pub mean_ms: f64,
    /// 99 of 100 are below.
    pub p99_ms: f64,
}

const TEXT: Published = Published { per_s: 12_000, mean_ms: 83.0, p99_ms: 142.0 };
const FILES: Published = Published { per_s: 8_500, mean_ms: 121.0, p99_ms: 213.0 };
const BURST: Published = Published { per_s: 15_000, mean_ms: 97.0, p99_ms: 189.0 };

/// What to run.
#[derive(Debug, Clone)]
pub struct ReferenceOptions {
    /// Of messages: visitors, agents, text and times; load and cores are the scenario's.
    pub shape: TextOptions,
    /// Of files.
    pub files: FilesOptions,
}

impl ReferenceOptions {
    /// The shapes of `text` and `files`, on shared cores.
    pub fn new(measured: Duration) -> Self {
        let shape = TextOptions::new(Subject::Product, Load::Closed, measured);
        let files = FilesOptions { placement: Placement::Free, ..FilesOptions::new(measured) };
        Self { shape: TextOptions { placement: Placement::Free, ..shape }, files }
    }
}

/// What was found, as `--json` prints it.
#[derive(Debug, Clone, Serialize)]
pub struct ReferenceReport {
    /// `reference`.
    pub scenario: &'static str,
    /// Where it was measured: processor, cores, memory, kernel.
    pub machine: String,
    /// What was measured, as the caller names it.
    pub commit: Option<String>,
    /// One for each published figure.
    pub rows: Vec<ReferenceRow>,
}

impl ReferenceReport {
    /// No run lost, doubled, disordered or refused anything.
    pub fn is_clean(&self) -> bool {
        self.rows.iter().all(|row| row.run.is_clean())
    }
}

/// One published figure beside ours.
#[derive(Debug, Clone, Serialize)]
pub struct ReferenceRow {
    /// What happens.
    pub name: &'static str,
    /// What is claimed.
    pub published: Published,
    /// Messages or files per second the schedule asked for; absent where each visitor sent the next as
    /// soon as the last was acked.
    pub offered_per_s: Option<u32>,
    /// Acks that came within the measured time, per second.
    pub acked_per_s: f64,
    /// To the ack.
    pub ack: Latency,
    /// To the arrival at the agent.
    pub delivery: Latency,
    /// Of files: those a bare loop on the same disk writes and syncs per second.
    pub floor_per_s: Option<f64>,
    /// The published rate was reached, nothing was lost or disordered, and mean and p99 of ack and
    /// delivery are below the published ones.
    pub better: bool,
    /// The run.
    pub run: ReferenceRun,
}

/// A run behind a row.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub enum ReferenceRun {
    /// Text messages.
    Text(Box<Report>),
    /// Files.
    Files(Box<FilesReport>),
}

impl ReferenceRun {
    fn is_clean(&self) -> bool {
        match self {
            Self::Text(report) => report.is_clean(),
            Self::Files(report) => report.is_clean(),
        }
    }
}

/// Measures all of them. `launch` starts a fresh server on all cores for each run.
pub fn reference(
    options: &ReferenceOptions,
    launch: &mut dyn FnMut(Subject) -> Result<Server, Error>,
) -> Result<ReferenceReport, Error> {
    let level = Load::Open { rate: TEXT.per_s };
    // The warm-up is at the level, all of the measured time is the step.
    let step = Load::Step {
        rate: TEXT.per_s,
        to: BURST.per_s,
        begins: Duration::ZERO,
        ends: options.shape.measured,
    };
    let mut messages = |name, load, published| {
        let shape = TextOptions { load, ..options.shape.clone() };
        let report = text(&shape, &launch(Subject::Product)?)?;
        Ok(of_messages(name, published, report))
    };
    let rows = vec![
        messages("text", level, TEXT)?,
        messages("burst", step, BURST)?,
        of_files(files(&options.files, &launch(Subject::Product)?)?),
    ];
    Ok(ReferenceReport { scenario: "reference", machine: machine(), commit: None, rows })
}

fn of_messages(name: &'static str, published: Published, report: Report) -> ReferenceRow {
    ReferenceRow {
        name,
        published,
        offered_per_s: Some(published.per_s),
        acked_per_s: report.acked_per_s,
        ack: report.ack,
        delivery: report.delivery,
        floor_per_s: None,
        better: report.is_clean()
            && is_better(published, report.acked_per_s, &[report.ack, report.delivery]),
        run: ReferenceRun::Text(Box::new(report)),
    }
}

fn of_files(report: FilesReport) -> ReferenceRow {
    ReferenceRow {
        name: "files",
        published: FILES,
        offered_per_s: None,
        acked_per_s: report.acked_per_s,
        ack: report.ack,
        delivery: report.delivery,
        floor_per_s: Some(report.floor.files_per_s),
        better: report.is_clean()
            && is_better(FILES, report.acked_per_s, &[report.ack, report.delivery]),
        run: ReferenceRun::Files(Box::new(report)),
    }
}

fn is_better(published: Published, per_s: f64, latencies: &[Latency]) -> bool {
    per_s >= f64::from(published.per_s) * NEARLY_ALL
        && latencies
            .iter()
            .all(|latency| latency.mean_ms < published.mean_ms && latency.p99_ms < published.p99_ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn better_is_as_much_in_less_time() {
        let took = |mean_ms, p99_ms| Latency { mean_ms, p99_ms, ..Latency::default() };
        for (per_s, ack, delivery, better) in [
            (12_000.0, took(1.0, 10.0), took(2.0, 20.0), true),
            (11_881.0, took(1.0, 10.0), took(2.0, 20.0), true),
            (11_000.0, took(1.0, 10.0), took(2.0, 20.0), false),
            (12_000.0, took(83.0, 100.0), took(2.0, 20.0), false),
            (12_000.0, took(1.0, 10.0), took(2.0, 142.0), false),
        ] {
            assert_eq!(is_better(TEXT, per_s, &[ack, delivery]), better, "{per_s}");
        }
    }
}
