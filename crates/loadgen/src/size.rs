//! The scenario `size`: what a full store costs. An installation is filled once (`store`), then it and an
//! empty one take turns at the same load; the full one is stopped, killed and started between. At the end
//! conversations are opened and lists read there (`reads`), and it is watched at its peak for stalls.

mod reads;
mod store;

use std::{path::PathBuf, time::Duration};

use serde::Serialize;

use self::store::Store;
pub use self::{reads::Read, store::Size};
use crate::{
    activity::bytes_in,
    cpu::Process,
    error::Error,
    http::{Base, Client},
    launch::{DATA, ProductLaunch, Server, launch_product},
    machine::machine,
    outcome::Outcome,
    product::{Product, sign_in},
    progress::say,
    report::Report,
    spread::median,
    stall::{StallReport, watched},
    text::{Load, TextOptions, measure, place},
};

/// Messages per second at which latencies are compared: the rate of the reference design.
const REFERENCE_RATE: u32 = 12_000;

const ONLY_THE_PRODUCT: &str = "only the product has a store";

/// What to run.
#[derive(Debug, Clone)]
pub struct SizeOptions {
    /// How full the store is.
    pub size: Size,
    /// Where it is: filled if there is none, used again if it is as full. A temporary one without.
    pub store: Option<PathBuf>,
    /// How often the two take turns.
    pub rounds: u32,
    /// Visitors, agents and measured time of each run; the load is set by the scenario.
    pub shape: TextOptions,
    /// How long it is watched for stalls.
    pub watched: Duration,
    /// How often each thing is asked for, one request at a time.
    pub requests: u64,
}

/// What was found, as `--json` prints it.
#[derive(Debug, Clone, Serialize)]
pub struct SizeReport {
    /// `size`.
    pub scenario: &'static str,
    /// Where it was measured: processor, cores, memory, kernel.
    pub machine: String,
    /// What was measured, as the caller names it.
    pub commit: Option<String>,
    /// How it was called.
    pub command: Option<String>,
    /// How full the store was before the first run.
    #[serde(flatten)]
    pub size: Size,
    /// Bytes of its files then.
    pub stored_bytes: u64,
    /// What is wanted of it, each with what it is.
    pub figures: Vec<Figure>,
    /// Requests at the full store, one at a time.
    pub reads: Vec<Read>,
    /// The full store at its peak.
    pub stall: StallReport,
    /// The runs of the empty store and of the full one: closed, then on a schedule, in each round.
    pub empty: Vec<Report>,
    /// Likewise.
    pub full: Vec<Report>,
}

/// Something wanted.
#[derive(Debug, Clone, Serialize)]
pub struct Figure {
    /// What the value is.
    pub name: &'static str,
    /// `at least` or `at most`.
    pub side: &'static str,
    /// How much.
    pub wanted: f64,
    /// The median of the rounds; absent where none counts.
    pub value: Option<f64>,
    /// The value is as wanted.
    pub holds: bool,
    /// The value of each round.
    pub rounds: Vec<f64>,
}

impl Figure {
    fn at_least(name: &'static str, wanted: f64, rounds: Vec<f64>) -> Self {
        let value = median(&rounds);
        let holds = value.is_some_and(|value| value >= wanted);
        Self { name, side: "at least", wanted, value, holds, rounds }
    }

    fn at_most(name: &'static str, wanted: f64, rounds: Vec<f64>) -> Self {
        let value = median(&rounds);
        let holds = value.is_some_and(|value| value <= wanted);
        Self { name, side: "at most", wanted, value, holds, rounds }
    }
}

impl SizeReport {
    /// No run lost, doubled, disordered or refused anything.
    pub fn is_clean(&self) -> bool {
        let all = self.empty.iter().chain(&self.full).chain([&self.stall.run]);
        all.into_iter().all(Report::is_clean)
    }
}

/// Runs it. Both kinds of servers are started as `launch` says, in the directories it names.
pub fn size(options: &SizeOptions, launch: &ProductLaunch) -> Result<SizeReport, Error> {
    if options.rounds == 0 || options.requests == 0 {
        return Err(Error::Options("give at least one round and one request"));
    }
    let store = Store::open(launch, options.store.as_deref(), options.size)?;
    let stored_bytes = bytes_in(&store.dir().join(DATA));
    say(&format!("{} MB are stored", stored_bytes >> 20));
    let mut server = store.serve(launch)?;
    let (mut empty, mut full) = (Vec::new(), Vec::new());
    let (mut after_stop, mut after_kill) = (Vec::new(), Vec::new());
    for round in 1..=options.rounds {
        for load in [Load::Closed, Load::Open { rate: REFERENCE_RATE }] {
            let options = TextOptions { load, ..options.shape.clone() };
            empty.push(on(&options, &launch_product(launch)?)?.0);
            full.push(on(&options, &server)?.0);
        }
        server.kill9()?;
        after_kill.push(server.restart()?.as_secs_f64());
        server.stop()?;
        after_stop.push(server.restart()?.as_secs_f64());
        say(&format!("round {round} of {} is measured", options.rounds));
    }
    server.stop()?;
    store.leave_memory()?;
    server.restart()?;
    let reads = reads::reads(server.product(ONLY_THE_PRODUCT)?, options.requests)?;
    let closed =
        TextOptions { load: Load::Closed, measured: options.watched, ..options.shape.clone() };
    let stall = watched(&server, || on(&closed, &server))?;
    server.stop()?;
    let figures = figures(&empty, &full, after_stop, after_kill, &reads, &stall);
    Ok(SizeReport {
        scenario: "size",
        machine: machine(),
        commit: None,
        command: None,
        size: options.size,
        stored_bytes,
        figures,
        reads,
        stall,
        empty,
        full,
    })
}

fn figures(
    empty: &[Report],
    full: &[Report],
    after_stop: Vec<f64>,
    after_kill: Vec<f64>,
    reads: &[Read],
    stall: &StallReport,
) -> Vec<Figure> {
    let ratios = |mode, of: fn(&Report) -> f64| -> Vec<f64> {
        let pairs = full.iter().zip(empty).filter(|(full, _)| full.mode == mode);
        pairs
            .filter(|(full, empty)| !full.cost.void && !empty.cost.void)
            .map(|(full, empty)| of(full) / of(empty))
            .collect()
    };
    let slowest = |kind| {
        let of_kind = reads.iter().filter(|read| read.kind == kind);
        vec![of_kind.map(|read| read.took.p99_ms).fold(0.0, f64::max)]
    };
    vec![
        Figure::at_least(
            "peak durable acked messages per second, full / empty",
            0.9,
            ratios("closed", |run| run.acked_per_s),
        ),
        Figure::at_most(
            "p99 of the ack at 12,000 messages per second, full / empty",
            1.1,
            ratios("open", |run| run.ack.p99_ms),
        ),
        Figure::at_most("seconds from start to ready after a stop", 2.0, after_stop),
        Figure::at_most("seconds from start to ready after kill -9", 2.0, after_kill),
        Figure::at_most("p99 of opening a conversation, ms", 50.0, slowest("opening")),
        Figure::at_most("p99 of a page of a list, the slowest list, ms", 50.0, slowest("list")),
        Figure::at_most(
            "longest time without any ack at the peak, ms",
            100.0,
            vec![stall.gap.max_ms],
        ),
        Figure::at_most("messages refused at the peak", 0.0, vec![stall.run.counts.refused as f64]),
    ]
}

/// One run, after which its conversations are closed: the next one meets the same store and agents
/// without work.
fn on(options: &TextOptions, server: &Server) -> Result<(Report, Outcome), Error> {
    let access = server.product(ONLY_THE_PRODUCT)?;
    let process = Process::new(server.pid);
    let pinned = place(options.placement, process);
    let (product, cast) =
        Product::connect(access, options.visitors, options.agents, options.text_bytes)?;
    let conversations: Vec<String> =
        cast.visitors.into_iter().map(|visitor| visitor.conversation).collect();
    let measured = measure(options, product, cast.links, process, pinned.is_some())?;
    let mut admin = Client::new(Base::of(access)?);
    sign_in(&mut admin, &access.admin_email, &access.admin_password)?;
    let close = serde_json::json!({ "command": "close" });
    for conversation in conversations {
        let path = format!("/api/v1/conversations/{conversation}/commands");
        admin.ask("POST", &path, Some(&close))?;
    }
    Ok(measured)
}
