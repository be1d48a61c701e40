//! The scenario `text`: visitors write, the server acks and delivers to the visitors' agents.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{
    baseline::MESSAGE_BYTES,
    cpu::{self, Pinned, Process},
    descriptors,
    error::Error,
    generator::{Dialect, Generator, Plan},
    launch::{Endpoint, Server},
    link::Link,
    outcome::Outcome,
    product::Product,
    raw::{self, Raw},
    relay::Wrapped,
    report::Report,
};

/// What answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// Bare relay without a log.
    F0,
    /// Bare relay with a group-commit log.
    F1,
    /// The same with O_DIRECT and O_DSYNC.
    F1Direct,
    /// The product: an ack means that the message is on disk.
    Product,
    /// The product with its log off: acks do not wait for the disk.
    ProductAsync,
    /// The product as a node of a cluster: an ack means that Kafka has the message.
    ProductCluster,
    /// Three nodes of a cluster, which share the sockets.
    ProductThreeNodes,
    /// The relay in Go.
    G0,
    /// The floor of handshakes.
    BAccept,
    /// The floor of a fan-out.
    BSend,
}

impl Subject {
    /// Acked messages are on disk.
    pub fn is_durable(self) -> bool {
        matches!(
            self,
            Self::F1
                | Self::F1Direct
                | Self::Product
                | Self::ProductCluster
                | Self::ProductThreeNodes
        )
    }
}

/// How messages are offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Load {
    /// One outstanding message per visitor: finds the peak rate.
    Closed,
    /// On a schedule: measures latency, from the time each message was due.
    Open {
        /// Messages per second of all visitors together.
        rate: u32,
    },
    /// On a schedule with a step in it.
    Step {
        /// Messages per second before and after the step.
        rate: u32,
        /// Messages per second within it.
        to: u32,
        /// When it begins, from the beginning of the measured time.
        begins: Duration,
        /// When it ends.
        ends: Duration,
    },
}

/// Where server and generator run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placement {
    /// Server on the first core this process may use, generator on the second.
    Pinned,
    /// Wherever the system puts them.
    Free,
}

/// What to run.
#[derive(Debug, Clone)]
pub struct TextOptions {
    /// What answers; the server passed along must be that.
    pub subject: Subject,
    /// Closed or open.
    pub load: Load,
    /// Connections that write.
    pub visitors: u32,
    /// Connections that read.
    pub agents: u32,
    /// Bytes of text; baselines always carry frames of 200 bytes.
    pub text_bytes: usize,
    /// Time before measuring.
    pub warm_up: Duration,
    /// Measured time.
    pub measured: Duration,
    /// How long the last acks and deliveries may take before they count as lost.
    pub drain_max: Duration,
    /// Cores.
    pub placement: Placement,
}

impl TextOptions {
    /// The published shape: 1,000 visitors, 20 agents, 200 bytes, warm-up of 2 s, cores pinned.
    pub fn new(subject: Subject, load: Load, measured: Duration) -> Self {
        Self {
            subject,
            load,
            visitors: 1_000,
            agents: 20,
            text_bytes: 200,
            warm_up: Duration::from_secs(2),
            measured,
            drain_max: Duration::from_secs(10),
            placement: Placement::Pinned,
        }
    }
}

/// Runs text messages against a server that is up.
pub fn text(options: &TextOptions, server: &Server) -> Result<Report, Error> {
    run(options, server).map(|(report, _)| report)
}

/// The same, with what the report leaves out.
pub(crate) fn run(options: &TextOptions, server: &Server) -> Result<(Report, Outcome), Error> {
    check(options)?;
    descriptors::check(options.visitors.saturating_add(options.agents))?;
    let process = server.process();
    let pinned = place(options.placement, process);
    match &server.endpoint {
        Endpoint::Baseline(address) => {
            let links = raw::connect(*address, options.visitors, options.agents)?;
            measure(options, Raw::new(), links, process, pinned.is_some())
        }
        Endpoint::Relay(address) => {
            let mut dialect = Wrapped::new()?;
            let links = dialect.connect(*address, options.visitors, options.agents)?;
            measure(options, dialect, links, process, pinned.is_some())
        }
        Endpoint::Product(access) => {
            let (product, cast) =
                Product::connect(access, options.visitors, options.agents, options.text_bytes)?;
            measure(options, product, cast.links, process, pinned.is_some())
        }
    }
}

pub(crate) fn check(options: &TextOptions) -> Result<(), Error> {
    if options.visitors == 0 || options.agents == 0 || options.measured.is_zero() {
        return Err(Error::Options("a run needs visitors, agents and time"));
    }
    Ok(())
}

/// Until dropped, the server runs on the first core and this thread on the second.
pub(crate) fn place(placement: Placement, process: Process) -> Option<Pinned> {
    let (first, second) = match placement {
        Placement::Pinned => cpu::two_cores()?,
        Placement::Free => return None,
    };
    let pinned = Pinned::this_thread_to(second)?;
    process.pin(first).then_some(pinned)
}

pub(crate) fn measure<D: Dialect>(
    options: &TextOptions,
    dialect: D,
    links: Vec<Link>,
    process: Process,
    pinned: bool,
) -> Result<(Report, Outcome), Error> {
    let generator = Generator::new(dialect, links, options.visitors, process)?;
    let rss_before = process.rss_bytes();
    let outcome = generator.run(Plan { pinned, ..Plan::of(options) })?;
    let rss = [rss_before, process.rss_bytes()];
    Ok((report(options, &outcome, 1, pinned, rss), outcome))
}

/// What was found by so many generators. `rss` is the servers' memory before the first message and at the
/// end.
pub(crate) fn report(
    options: &TextOptions,
    outcome: &Outcome,
    processes: u32,
    pinned: bool,
    rss: [Option<u64>; 2],
) -> Report {
    let [rss_before, rss] = rss;
    let (mode, rate) = match options.load {
        Load::Closed => ("closed", None),
        Load::Open { rate } => ("open", Some(rate)),
        Load::Step { rate, .. } => ("step", Some(rate)),
    };
    let text_bytes = match options.subject {
        Subject::Product
        | Subject::ProductAsync
        | Subject::ProductCluster
        | Subject::ProductThreeNodes => options.text_bytes,
        _ => MESSAGE_BYTES,
    };
    let seconds = outcome.cost.seconds;
    Report {
        scenario: "text",
        subject: options.subject,
        mode,
        rate,
        durable: options.subject.is_durable(),
        visitors: options.visitors,
        agents: options.agents,
        processes,
        text_bytes,
        seconds,
        counts: outcome.counts,
        acked_per_s: outcome.acks_in_time as f64 / seconds,
        ack: outcome.ack.summary(),
        delivery: outcome.delivery.summary(),
        server_rss_before_bytes: rss_before,
        schedule_lag_p99_ms: outcome.lag.percentile_ms(99.0),
        schedule_lag_max_ms: outcome.lag.max_ms(),
        cost: outcome.cost.report(outcome.acks_in_time, rss, pinned, outcome.void_reason.clone()),
    }
}
