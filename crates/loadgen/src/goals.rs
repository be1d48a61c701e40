//! The runner of goals: ratios between the product and the floors, measured in turns (A, B, A, B) so
//! that a busy machine disturbs both, and reported as medians.

mod cluster;

use std::time::Duration;

use serde::Serialize;

use crate::{
    burst::{BurstOptions, BurstReport, burst},
    connect::{ConnectOptions, ConnectReport, Handshakes, accept_floor, connect},
    crash::{CrashOptions, CrashReport, crash},
    error::Error,
    fanout::{FanoutOptions, FanoutReport, fanout},
    idle::{IdleOptions, idle},
    launch::Server,
    machine::machine,
    report::{IdleReport, Report},
    spread::median,
    text::{Load, Subject, TextOptions, text},
    trace::{TraceReport, trace},
};

/// Messages per second at which latencies are compared: the rate of the reference design.
const REFERENCE_RATE: u32 = 12_000;
/// One ping and one pong in 25 s, about 10 us of work.
const IDLE_FLOOR_US_PER_S: f64 = 0.4;
/// Two rounds of pings.
const PINGS: Duration = Duration::from_secs(50);
const UNCLEAN: &str = "a run lost, doubled, disordered or refused messages";

/// A goal.
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
    /// Which way is better, and whether this runner can tell.
    side: Side,
}

/// Of a value and its gate.
#[derive(Debug, Clone, Copy)]
enum Side {
    AtLeast,
    AtMost,
    /// Not measured here; why.
    Elsewhere(&'static str),
}

const fn at_least(id: u8, name: &'static str, gate: f64, aim: f64) -> Known {
    Known { id, name, gate, aim, side: Side::AtLeast }
}

const fn at_most(id: u8, name: &'static str, gate: f64, aim: f64) -> Known {
    Known { id, name, gate, aim, side: Side::AtMost }
}

const fn elsewhere(id: u8, name: &'static str, gate: f64, aim: f64, why: &'static str) -> Known {
    Known { id, name, gate, aim, side: Side::Elsewhere(why) }
}

/// Other servers have to be installed for it.
const PEERS: &str = "compares with servers that are not part of this repository";

/// All goals.
pub const GOALS: &[Known] = &[
    at_least(1, "peak durable acked messages per second, product / F0", 0.65, 0.80),
    at_least(2, "peak acked messages per second, durable / log off", 0.85, 0.95),
    at_most(3, "server CPU per acked message at the peak, product / F0", 1.4, 1.15),
    at_most(4, "p99 of the ack at 12,000 messages per second, product / F1", 1.5, 1.0),
    at_most(5, "seconds until the p99 of a delivery is back after a step in the load", 2.0, 0.5),
    at_most(6, "resident KiB of the server per idle authenticated connection", 1.0, 0.5),
    at_most(
        7,
        "resident memory and kernel slab of the server / slab, at 100,000 connections",
        1.4,
        1.2,
    ),
    at_most(8, "server CPU per idle connection with pings every 25 s / 0.4 us a second", 2.5, 1.5),
    at_least(9, "handshakes per second with ticket and resume / B-accept", 0.3, 0.6),
    at_least(10, "deliveries per second of a fan-out to 1,000 sockets / B-send", 0.8, 0.95),
    at_least(11, "messages per CPU second at the peak, product (durable) / relay in Go", 1.5, 2.5),
    elsewhere(12, "peak messages per second, product / Centrifugo", 3.0, 5.0, PEERS),
    elsewhere(
        13,
        "peak durable messages per second, product / best durable peer",
        50.0,
        80.0,
        PEERS,
    ),
    at_most(14, "bytes on the wire of the same chat, protobuf / JSON", 0.60, 0.45),
    at_most(15, "seconds from start to ready after kill -9, per million stored messages", 5.0, 1.0),
    at_most(16, "milliseconds a cluster on Kafka adds to the p50 of the ack", 5.0, 2.0),
    elsewhere(
        17,
        "p50 of the intent model / onnxruntime",
        1.5,
        1.0,
        "it takes Python: bench/onnxruntime/compare.py measures it",
    ),
];

/// How to measure.
#[derive(Debug, Clone)]
pub struct GoalsOptions {
    /// Ids; empty means all.
    pub only: Vec<u8>,
    /// How often each pair is measured; five or more for figures to publish.
    pub rounds: u32,
    /// Measured time of each run.
    pub measured: Duration,
    /// Of the idle connections.
    pub idle: IdleOptions,
    /// Of the handshakes.
    pub connect: ConnectOptions,
    /// Of the kill and the start.
    pub crash: CrashOptions,
    /// Whether a node of a cluster can be started.
    pub has_cluster: bool,
}

impl Default for GoalsOptions {
    fn default() -> Self {
        Self {
            only: Vec::new(),
            rounds: 5,
            measured: Duration::from_secs(10),
            idle: IdleOptions { hold: PINGS, ..IdleOptions::default() },
            connect: ConnectOptions::default(),
            crash: CrashOptions::new(Duration::from_secs(10)),
            has_cluster: false,
        }
    }
}

/// What was found, as `--json` prints it.
#[derive(Debug, Clone, Serialize)]
pub struct Goals {
    /// Where it was measured: processor, cores, memory, kernel.
    pub machine: String,
    /// What was measured, as the caller names it.
    pub commit: Option<String>,
    /// How it was called.
    pub command: Option<String>,
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
    /// What belongs to the value: the load, the number of connections.
    pub note: Option<String>,
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
    /// A step in the load.
    Burst(Box<BurstReport>),
    /// Idle connections.
    Idle(IdleReport),
    /// Handshakes.
    Connect(Box<ConnectReport>),
    /// Handshakes with the floor.
    Accept(Handshakes),
    /// A fan-out.
    Fanout(Box<FanoutReport>),
    /// A chat in both subprotocols.
    Trace(TraceReport),
    /// A kill and a start.
    Crash(CrashReport),
}

impl Run {
    /// The server did what it had to.
    fn is_clean(&self) -> bool {
        match self {
            Self::Text(report) => report.is_clean(),
            Self::Burst(report) => report.run.is_clean(),
            Self::Fanout(report) => report.is_clean(),
            Self::Crash(report) => report.is_clean(),
            Self::Idle(_) | Self::Connect(_) | Self::Accept(_) | Self::Trace(_) => true,
        }
    }

    fn void_reason(&self) -> Option<&str> {
        match self {
            Self::Text(report) => report.cost.void_reason.as_deref(),
            Self::Burst(report) => report.run.cost.void_reason.as_deref(),
            Self::Fanout(report) => report.cost.void_reason.as_deref(),
            Self::Connect(report) => {
                let [ticket, resume] =
                    [&report.ticket, &report.resume].map(|half| &half.cost.void_reason);
                ticket.as_deref().or(resume.as_deref())
            }
            Self::Accept(report) => report.cost.void_reason.as_deref(),
            Self::Idle(_) | Self::Trace(_) | Self::Crash(_) => None,
        }
    }
}

/// Measures the goals. `launch` starts a fresh server for each run.
pub fn goals(
    options: &GoalsOptions,
    launch: &mut dyn FnMut(Subject) -> Result<Server, Error>,
) -> Result<Goals, Error> {
    let wanted = |id: u8| options.only.is_empty() || options.only.contains(&id);
    if let Some(id) = options.only.iter().find(|id| GOALS.iter().all(|known| known.id != **id)) {
        let reason = format!("there is no goal {id}");
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
    let cpu = |report: &Report| report.cost.server_cpu_s_per_million;
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
    if wanted(5) {
        found.push(step_goal(options, launch)?);
    }
    if wanted(6) || wanted(7) || wanted(8) {
        let server = launch(Subject::Product)?;
        let hold = if wanted(8) { options.idle.hold } else { Duration::ZERO };
        let goals = match idle(&IdleOptions { hold, ..options.idle.clone() }, &server) {
            Ok(report) => idle_goals(&report),
            // What was measured before is not to be lost for that.
            Err(error @ Error::OpenFiles { .. }) => unmeasured(&[6, 7, 8], &error.to_string()),
            Err(error) => return Err(error),
        };
        found.extend(goals.into_iter().filter(|goal| wanted(goal.id)));
    }
    if wanted(9) {
        found.push(paired(known(9), options.rounds, &mut || {
            let floor = accept_floor(&options.connect, &launch(Subject::BAccept)?)?;
            let product = connect(&options.connect, &launch(Subject::Product)?)?;
            let ratio = product.per_s / floor.per_s;
            Ok((Some(ratio), vec![Run::Accept(floor), Run::Connect(Box::new(product))]))
        })?);
    }
    if wanted(10) {
        let fanout_options = FanoutOptions::new(options.measured);
        found.push(paired(known(10), options.rounds, &mut || {
            let floor = fanout(&fanout_options, &launch(Subject::BSend)?)?;
            let product = fanout(&fanout_options, &launch(Subject::Product)?)?;
            let ratio = product.deliveries_per_s / floor.deliveries_per_s;
            Ok((Some(ratio), vec![Run::Fanout(Box::new(floor)), Run::Fanout(Box::new(product))]))
        })?);
    }
    if wanted(11) {
        found.push(relay_goal(options, launch)?);
    }
    if wanted(14) {
        let report = trace(&launch(Subject::Product)?)?;
        let note = format!("{} messages, {} frames", report.messages, report.frames);
        let found_goal = goal(known(14), vec![report.ratio], None, vec![Run::Trace(report)]);
        found.push(Goal { note: Some(note), ..found_goal });
    }
    if wanted(15) {
        found.push(paired(known(15), options.rounds, &mut || {
            let report = crash(&options.crash, &mut launch(Subject::Product)?)?;
            Ok((Some(report.start_s_per_million), vec![Run::Crash(report)]))
        })?);
    }
    if wanted(16) {
        found.push(cluster::cluster(options, launch)?);
    }
    for known in GOALS.iter().filter(|known| wanted(known.id)) {
        if let Side::Elsewhere(why) = known.side {
            found.push(goal(known, Vec::new(), Some(why.to_owned()), Vec::new()));
        }
    }
    found.sort_by_key(|goal| goal.id);
    Ok(Goals { machine: machine(), commit: None, command: None, goals: found })
}

fn known(id: u8) -> &'static Known {
    GOALS.iter().find(|known| known.id == id).expect("only ids of the table are asked for")
}

/// A step in the load, round after round.
fn step_goal(
    options: &GoalsOptions,
    launch: &mut dyn FnMut(Subject) -> Result<Server, Error>,
) -> Result<Goal, Error> {
    let mut chosen = Vec::new();
    let found = paired(known(5), options.rounds, &mut || {
        let report = burst(&BurstOptions::default(), launch)?;
        chosen.push(report.step_chosen.clone());
        let back = report.back_after_end_s;
        Ok((back, vec![Run::Burst(Box::new(report))]))
    })?;
    Ok(Goal { note: Some(format!("steps to {}", chosen.join(", "))), ..found })
}

/// The product beside the relay in Go, which may not be there.
fn relay_goal(
    options: &GoalsOptions,
    launch: &mut dyn FnMut(Subject) -> Result<Server, Error>,
) -> Result<Goal, Error> {
    if let Err(error) = launch(Subject::G0) {
        let reason = format!("the relay in Go is not there: {error}");
        return Ok(goal(known(11), Vec::new(), Some(reason), Vec::new()));
    }
    let both = rounds(options, &[Subject::G0, Subject::Product], Load::Closed, launch)?;
    // More messages per CPU second is less CPU per message.
    let cpu = |report: &Report| report.cost.server_cpu_s_per_million;
    let found = ratio(known(11), &both, Subject::G0, Subject::Product, cpu);
    let note = "the relay has GOMAXPROCS 1, buffers of 1,024 bytes, and stores nothing";
    Ok(Goal { note: Some(note.to_owned()), ..found })
}

/// Goals that cannot be measured here.
fn unmeasured(ids: &[u8], reason: &str) -> Vec<Goal> {
    let one = |id: &u8| goal(known(*id), Vec::new(), Some(reason.to_owned()), Vec::new());
    ids.iter().map(one).collect()
}

/// What one run of idle connections says.
fn idle_goals(report: &IdleReport) -> Vec<Goal> {
    let one = |id, value: Option<f64>, reason: &str, note: String| {
        let reason = value.is_none().then(|| reason.to_owned());
        let runs = vec![Run::Idle(report.clone())];
        Goal { note: Some(note), ..goal(known(id), value.into_iter().collect(), reason, runs) }
    };
    let between = format!(
        "from {} and {} connections of one process",
        report.connections_low, report.connections_high
    );
    // The empty server counts where there are 100,000: the slope alone would leave it out.
    let at = 100_000.0 - f64::from(report.connections_low);
    let cost = &report.cost;
    let rss = cost.bytes_per_connection.map(|bytes| report.rss_low_bytes as f64 + at * bytes);
    let slab =
        cost.slab_bytes_per_connection.filter(|slab| *slab > 0.0).map(|slab| slab * 100_000.0);
    vec![
        one(
            6,
            cost.bytes_per_connection.map(|bytes| bytes / 1_024.0),
            "this system does not tell a process's memory",
            between.clone(),
        ),
        one(
            7,
            rss.zip(slab).map(|(rss, slab)| (rss + slab) / slab),
            "this process may not read /proc/slabinfo",
            format!("fitted {between}, the server's half of the sockets' slab"),
        ),
        one(
            8,
            cost.idle_cpu_us_per_s.map(|cpu| cpu / IDLE_FLOOR_US_PER_S),
            "this system does not tell a process's CPU time",
            format!("{} connections over {} s", report.connections_high, cost.held_s),
        ),
    ]
}

/// A goal of which each round gives one value. A round with a void or unclean run does not count.
fn paired(
    known: &'static Known,
    rounds: u32,
    round: &mut dyn FnMut() -> Result<(Option<f64>, Vec<Run>), Error>,
) -> Result<Goal, Error> {
    let (mut values, mut runs, mut reason) = (Vec::new(), Vec::new(), None);
    for _ in 0..rounds.max(1) {
        let (value, made) = round()?;
        let why = refuted(&made);
        match value.filter(|value| value.is_finite()) {
            Some(value) if why.is_none() => values.push(value),
            _ => {
                let why = why.unwrap_or_else(|| "a round gave no value".to_owned());
                reason.get_or_insert(why);
            }
        }
        runs.extend(made);
    }
    Ok(goal(known, values, reason, runs))
}

/// Why a round with these runs does not count.
fn refuted(runs: &[Run]) -> Option<String> {
    if runs.iter().any(|run| !run.is_clean()) {
        return Some(UNCLEAN.to_owned());
    }
    runs.iter().find_map(|run| run.void_reason().map(str::to_owned))
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
        let made = [one, other].map(|report| Run::Text(Box::new(report.clone())));
        match refuted(&made) {
            Some(why) => {
                reason.get_or_insert(why);
            }
            None => {
                let pair = value(one).zip(value(other)).filter(|(_, other)| *other > 0.0);
                values.extend(pair.map(|(one, other)| one / other));
            }
        }
        runs.extend(made);
    }
    goal(known, values, reason, runs)
}

fn goal(known: &'static Known, rounds: Vec<f64>, reason: Option<String>, runs: Vec<Run>) -> Goal {
    let value = median(&rounds);
    let reached = value.is_some_and(|value| match known.side {
        Side::AtLeast => value >= known.gate,
        Side::AtMost => value <= known.gate,
        Side::Elsewhere(_) => false,
    });
    let clean = runs.iter().all(Run::is_clean);
    Goal {
        id: known.id,
        name: known.name,
        value,
        gate: known.gate,
        aim: known.aim,
        holds: reached && clean,
        reason,
        note: None,
        rounds,
        runs,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::IdleCost;

    #[test]
    fn every_goal_is_there_once_in_order() {
        assert!(GOALS.windows(2).all(|pair| pair[0].id < pair[1].id));
    }

    #[test]
    fn a_round_with_a_void_or_lossy_run_does_not_count() {
        let cost = |void: bool| {
            let mut handshakes = Handshakes::nothing();
            handshakes.cost.void_reason = void.then(|| "busy".to_owned());
            handshakes
        };
        let mut rounds = [(1.0, false), (9.0, true), (3.0, false)].into_iter();
        let found = paired(known(9), 3, &mut || {
            let (value, void) = rounds.next().expect("three rounds");
            Ok((Some(value), vec![Run::Accept(cost(void))]))
        })
        .expect("the rounds");
        assert_eq!((found.rounds, found.value), (vec![1.0, 3.0], Some(2.0)));
        assert_eq!((found.reason.as_deref(), found.runs.len()), (Some("busy"), 3));
    }

    #[test]
    fn idle_connections_say_what_a_hundred_thousand_would_take() {
        let report = IdleReport {
            scenario: "idle",
            connections_low: 1_000,
            connections_high: 2_000,
            rss_low_bytes: 31_000_000,
            rss_high_bytes: 32_000_000,
            cost: IdleCost {
                connected_per_s: 1.0,
                bytes_per_connection: Some(1_000.0),
                slab_bytes_per_connection: Some(5_000.0),
                held_s: 50.0,
                idle_cpu_us_per_s: Some(0.8),
            },
        };
        let values: Vec<_> = idle_goals(&report).iter().map(|goal| (goal.id, goal.value)).collect();
        let expected = [(6, Some(1_000.0 / 1_024.0)), (7, Some(1.26)), (8, Some(2.0))];
        assert_eq!(values, expected);
        let cost = IdleCost { slab_bytes_per_connection: None, ..report.cost };
        let report = IdleReport { cost, ..report };
        let blind = &idle_goals(&report)[1];
        assert!(blind.value.is_none() && !blind.holds && blind.reason.is_some(), "{blind:?}");
    }

    #[test]
    fn a_goal_holds_on_the_right_side_of_its_gate() {
        for (id, value, holds) in [
            (1, 0.66, true),
            (1, 0.64, false),
            (3, 1.3, true),
            (3, 1.5, false),
            (6, 0.9, true),
            (12, 9.0, false),
        ] {
            assert_eq!(goal(known(id), vec![value], None, Vec::new()).holds, holds, "{id} {value}");
        }
        assert!(!goal(known(1), Vec::new(), None, Vec::new()).holds, "nothing measured");
    }
}
