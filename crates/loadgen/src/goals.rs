//! The runner of goals: ratios between the product and the floors, measured in turns (A, B, A, B) so
//! that a busy machine disturbs both, and reported as medians.

use std::time::Duration;

use serde::Serialize;

use crate::{
    error::Error,
    idle::{IdleOptions, idle},
    launch::Server,
    report::{IdleReport, Report},
    spread::median,
    text::{Load, Subject, TextOptions, text},
};

/// Messages per second at which latencies are compared: the rate of the reference design.
const REFERENCE_RATE: u32 = 12_000;

/// A goal this runner can measure.
#[derive(Debug, Clone, Copy)]
pub struct Known {
    /// As in the table of goals.
    pub id: u8,
    /// What the value is.
    pub name: &'static str,
    /// Has to hold.
    pub gate: f64,
    /// Worth a headline.
    pub aim: f64,
    /// Whether a greater value is better.
    greater_is_better: bool,
}

/// All goals this runner can measure.
pub const GOALS: &[Known] = &[
    Known {
        id: 1,
        name: "peak durable acked messages per second, product / F0",
        gate: 0.65,
        aim: 0.80,
        greater_is_better: true,
    },
    Known {
        id: 2,
        name: "peak acked messages per second, durable / log off",
        gate: 0.85,
        aim: 0.95,
        greater_is_better: true,
    },
    Known {
        id: 3,
        name: "server CPU per acked message at the peak, product / F0",
        gate: 1.4,
        aim: 1.15,
        greater_is_better: false,
    },
    Known {
        id: 4,
        name: "p99 of the ack at 12,000 messages per second, product / F1",
        gate: 1.5,
        aim: 1.0,
        greater_is_better: false,
    },
    Known {
        id: 6,
        name: "resident KiB of the server per idle authenticated connection",
        gate: 1.0,
        aim: 0.5,
        greater_is_better: false,
    },
];

/// How to measure.
#[derive(Debug, Clone)]
pub struct GoalsOptions {
    /// Ids; empty means all this runner can measure.
    pub only: Vec<u8>,
    /// How often each pair is measured; five or more for figures to publish.
    pub rounds: u32,
    /// Measured time of each run.
    pub measured: Duration,
    /// Of the idle connections.
    pub idle: IdleOptions,
}

impl Default for GoalsOptions {
    fn default() -> Self {
        Self {
            only: Vec::new(),
            rounds: 5,
            measured: Duration::from_secs(10),
            idle: IdleOptions::default(),
        }
    }
}

/// What was found, as `--json` prints it.
#[derive(Debug, Clone, Serialize)]
pub struct Goals {
    /// One for each goal asked for.
    pub goals: Vec<Goal>,
}

/// One goal.
#[derive(Debug, Clone, Serialize)]
pub struct Goal {
    /// As in the table of goals.
    pub id: u8,
    /// What the value is.
    pub name: &'static str,
    /// The median of the rounds that count; absent if none does.
    pub value: Option<f64>,
    /// Has to hold.
    pub gate: f64,
    /// Worth a headline.
    pub aim: f64,
    /// The value is at least as good as the gate, and no run lost or disordered anything.
    pub holds: bool,
    /// Why there is no value, or why it does not count.
    pub reason: Option<String>,
    /// The value of each round that counts.
    pub rounds: Vec<f64>,
    /// The runs behind it, in the order they were made.
    pub runs: Vec<Run>,
}

/// A run behind a goal.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub enum Run {
    /// Text messages.
    Text(Box<Report>),
    /// Idle connections.
    Idle(IdleReport),
}

/// Measures the goals. `launch` starts a fresh server for each run.
pub fn goals(
    options: &GoalsOptions,
    launch: &mut dyn FnMut(Subject) -> Result<Server, Error>,
) -> Result<Goals, Error> {
    let wanted = |id: u8| options.only.is_empty() || options.only.contains(&id);
    if let Some(id) = options.only.iter().find(|id| GOALS.iter().all(|known| known.id != **id)) {
        let reason = format!("goal {id} is not measured here");
        return Err(Error::Launch { what: "the measurement", reason });
    }
    let mut found = Vec::new();
    let peak_subjects: Vec<Subject> = [
        (Subject::F0, wanted(1) || wanted(3)),
        (Subject::Product, wanted(1) || wanted(2) || wanted(3)),
        (Subject::ProductAsync, wanted(2)),
    ]
    .into_iter()
    .filter_map(|(subject, needed)| needed.then_some(subject))
    .collect();
    let peak = rounds(options, &peak_subjects, Load::Closed, launch)?;
    let rate = |report: &Report| Some(report.acked_per_s);
    let cpu = |report: &Report| report.server_cpu_s_per_million;
    for (id, of, to, value) in [
        (1, Subject::Product, Subject::F0, rate as fn(&Report) -> Option<f64>),
        (2, Subject::Product, Subject::ProductAsync, rate),
        (3, Subject::Product, Subject::F0, cpu),
    ] {
        if wanted(id) {
            found.push(ratio(known(id), &peak, of, to, value));
        }
    }
    if wanted(4) {
        let load = Load::Open { rate: REFERENCE_RATE };
        let open = rounds(options, &[Subject::F1, Subject::Product], load, launch)?;
        let p99 = |report: &Report| Some(report.ack.p99_ms);
        found.push(ratio(known(4), &open, Subject::Product, Subject::F1, p99));
    }
    if wanted(6) {
        let server = launch(Subject::Product)?;
        let report = idle(&options.idle, &server)?;
        let value = report.bytes_per_connection / 1_024.0;
        found.push(goal(known(6), vec![value], None, vec![Run::Idle(report)]));
    }
    found.sort_by_key(|goal| goal.id);
    Ok(Goals { goals: found })
}

fn known(id: u8) -> &'static Known {
    GOALS.iter().find(|known| known.id == id).expect("only ids of the table are asked for")
}

/// One report per subject, round after round.
fn rounds(
    options: &GoalsOptions,
    subjects: &[Subject],
    load: Load,
    launch: &mut dyn FnMut(Subject) -> Result<Server, Error>,
) -> Result<Vec<Vec<Report>>, Error> {
    if subjects.is_empty() {
        return Ok(Vec::new());
    }
    let mut all = Vec::new();
    for _ in 0..options.rounds.max(1) {
        let mut round = Vec::new();
        for subject in subjects {
            let server = launch(*subject)?;
            round.push(text(&TextOptions::new(*subject, load, options.measured), &server)?);
        }
        all.push(round);
    }
    Ok(all)
}

/// The goal that compares two subjects. A round with a void or lossy run does not count.
fn ratio(
    known: &'static Known,
    rounds: &[Vec<Report>],
    of: Subject,
    to: Subject,
    value: fn(&Report) -> Option<f64>,
) -> Goal {
    let (mut values, mut runs, mut reason) = (Vec::new(), Vec::new(), None);
    for round in rounds {
        let find = |subject| round.iter().find(|report| report.subject == subject);
        let (Some(one), Some(other)) = (find(of), find(to)) else { continue };
        let mut counts = true;
        for report in [one, other] {
            if !report.is_clean() {
                reason = Some("a run lost, doubled, disordered or refused messages".to_owned());
                counts = false;
            } else if let Some(void) = &report.void_reason {
                reason.get_or_insert_with(|| void.clone());
                counts = false;
            }
            runs.push(Run::Text(Box::new(report.clone())));
        }
        if let (true, Some(one), Some(other)) = (counts, value(one), value(other))
            && other > 0.0
        {
            values.push(one / other);
        }
    }
    goal(known, values, reason, runs)
}

fn goal(known: &'static Known, rounds: Vec<f64>, reason: Option<String>, runs: Vec<Run>) -> Goal {
    let value = median(&rounds);
    let reached = value.is_some_and(|value| {
        if known.greater_is_better { value >= known.gate } else { value <= known.gate }
    });
    let clean = runs.iter().all(|run| match run {
        Run::Text(report) => report.is_clean(),
        Run::Idle(_) => true,
    });
    Goal {
        id: known.id,
        name: known.name,
        value,
        gate: known.gate,
        aim: known.aim,
        holds: reached && clean,
        reason,
        rounds,
        runs,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_goal_holds_on_the_right_side_of_its_gate() {
        for (id, value, holds) in
            [(1, 0.66, true), (1, 0.64, false), (3, 1.3, true), (3, 1.5, false), (6, 0.9, true)]
        {
            assert_eq!(goal(known(id), vec![value], None, Vec::new()).holds, holds, "{id} {value}");
        }
        assert!(!goal(known(1), Vec::new(), None, Vec::new()).holds, "nothing measured");
    }
}
