//! The scenario `floor`: what this machine gives at most, before any product. F0 and F1 take turns,
//! so that a neighbour on the machine disturbs both; F1 with O_DIRECT runs beside and is in no ratio.

use std::time::Duration;

use serde::Serialize;

use crate::{
    error::Error,
    launch::Server,
    report::Report,
    spread::Spread,
    text::{Load, Subject, TextOptions, text},
};

const TURN: [Subject; 3] = [Subject::F0, Subject::F1, Subject::F1Direct];

/// What to run.
#[derive(Debug, Clone)]
pub struct FloorOptions {
    /// How often each floor has its turn; five or more for figures to publish.
    pub rounds: u32,
    /// The shape of each run; its subject is set by the turn.
    pub shape: TextOptions,
}

impl FloorOptions {
    /// Closed loops of the published shape.
    pub fn new(rounds: u32, measured: Duration) -> Self {
        Self { rounds, shape: TextOptions::new(Subject::F0, Load::Closed, measured) }
    }
}

/// What was found, as `--json` prints it.
#[derive(Debug, Clone, Serialize)]
pub struct FloorReport {
    /// `floor`.
    pub scenario: &'static str,
    /// One for each floor.
    pub floors: Vec<FloorFigures>,
    /// Acked messages per second, F1 / F0, of the rounds in which both count.
    pub f1_to_f0: Option<Spread>,
    /// All runs in the order they were made.
    pub runs: Vec<Report>,
}

/// One floor over all its rounds that count.
#[derive(Debug, Clone, Serialize)]
pub struct FloorFigures {
    /// Which one.
    pub subject: Subject,
    /// How many of its runs count.
    pub rounds: usize,
    /// Acked messages per second.
    pub acked_per_s: Option<Spread>,
    /// CPU seconds of the server per million messages.
    pub server_cpu_s_per_million: Option<Spread>,
    /// 99 of 100 acks were faster.
    pub ack_p99_ms: Option<Spread>,
}

/// Measures the floors in turns. `launch` starts a fresh one for each run.
pub fn floor(
    options: &FloorOptions,
    launch: &mut dyn FnMut(Subject) -> Result<Server, Error>,
) -> Result<FloorReport, Error> {
    let (mut runs, mut ratios) = (Vec::new(), Vec::new());
    for _ in 0..options.rounds.max(1) {
        let mut rates = Vec::new();
        for subject in TURN {
            let server = launch(subject)?;
            let report = text(&TextOptions { subject, ..options.shape.clone() }, &server)?;
            rates.push(report.counts().then_some(report.acked_per_s));
            runs.push(report);
        }
        if let [Some(f0), Some(f1), _] = rates[..]
            && f0 > 0.0
        {
            ratios.push(f1 / f0);
        }
    }
    let floors = TURN.map(|subject| figures(subject, &runs)).to_vec();
    Ok(FloorReport { scenario: "floor", floors, f1_to_f0: Spread::of(&ratios), runs })
}

fn figures(subject: Subject, runs: &[Report]) -> FloorFigures {
    let runs: Vec<&Report> =
        runs.iter().filter(|run| run.subject == subject && run.counts()).collect();
    let spread = |of: fn(&Report) -> Option<f64>| {
        Spread::of(&runs.iter().filter_map(|run| of(run)).collect::<Vec<f64>>())
    };
    FloorFigures {
        subject,
        rounds: runs.len(),
        acked_per_s: spread(|run| Some(run.acked_per_s)),
        server_cpu_s_per_million: spread(|run| run.cost.server_cpu_s_per_million),
        ack_p99_ms: spread(|run| Some(run.ack.p99_ms)),
    }
}
