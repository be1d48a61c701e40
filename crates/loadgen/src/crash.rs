//! The scenario `crash`: kill -9 under load, start again, read everything back. Every acked message has
//! to be there exactly once; the time is from the start of the process to its ready sign.

use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use crate::{
    cpu::Process,
    error::Error,
    generator::Generator,
    http::{Base, Client},
    launch::Server,
    product::{Product, VisitorOf},
    progress::Progress,
    report::Faults,
    text::{Placement, place},
    tracker::Tracker,
};

/// Entries of one page, the most the API gives.
const PAGE: usize = 200;
/// Times are told for so many messages.
const MILLION: f64 = 1e6;

/// What to run.
#[derive(Debug, Clone)]
pub struct CrashOptions {
    /// Connections that write.
    pub visitors: u32,
    /// Connections that read.
    pub agents: u32,
    /// How long they write before the kill.
    pub writing: Duration,
    /// Cores.
    pub placement: Placement,
}

impl CrashOptions {
    /// The published shape: 1,000 visitors, 20 agents.
    pub fn new(writing: Duration) -> Self {
        Self { visitors: 1_000, agents: 20, writing, placement: Placement::Pinned }
    }
}

/// What was found, as `--json` prints it.
#[derive(Debug, Clone, Serialize)]
pub struct CrashReport {
    /// `crash`.
    pub scenario: &'static str,
    /// Messages acked before the kill.
    pub acked: u64,
    /// Messages of the run that were there after it; one without an ack may be.
    pub stored: u64,
    /// `lost` are acked messages that were not there.
    #[serde(flatten)]
    pub faults: Faults,
    /// From the start of the process to the ready sign.
    pub start_s: f64,
    /// The same for a million stored messages, as if all of it grew with them.
    pub start_s_per_million: f64,
    /// Resident memory of the server that started again.
    pub server_rss_bytes: Option<u64>,
}

impl CrashReport {
    /// Nothing was lost, doubled or out of order.
    pub fn is_clean(&self) -> bool {
        self.faults.is_clean()
    }
}

/// Runs it once. The server has to be one this crate started.
pub fn crash(options: &CrashOptions, server: &mut Server) -> Result<CrashReport, Error> {
    let access = server.product("only the product keeps anything over a crash")?;
    if options.visitors == 0 || options.agents == 0 || options.writing.is_zero() {
        return Err(Error::Options("a run needs visitors, agents and time"));
    }
    let process = Process::new(server.pid);
    // A server that starts gets the cores it would get.
    let pinned = place(options.placement, process);
    let (product, cast) = Product::connect(access, options.visitors, options.agents, 200)?;
    let generator = Generator::new(product, cast.links, options.visitors, process)?;
    let (product, acked) = generator.break_off(options.writing, || server.kill9())?;
    drop(pinned);
    let took = server.restart()?;
    let access = server.product("a product stays one")?;
    let mut reader = Client::new(Base::of(access)?);
    reader.ask("GET", "/readyz", None)?;

    let (mut stored, mut faults) = (0, Faults::default());
    let mut progress = Progress::new();
    for (index, (visitor, acked)) in (0_u32..).zip(cast.visitors.iter().zip(&acked)) {
        progress.tell(|| format!("conversation {index} of {} read back", options.visitors));
        let mut seen = Tracker::default();
        for number in numbers(&mut reader, &product, visitor, index)? {
            stored += u64::from(seen.note(number));
        }
        faults += seen.faults(seen.missing_of(*acked));
    }
    let start_s = took.as_secs_f64();
    Ok(CrashReport {
        scenario: "crash",
        acked: acked.iter().sum(),
        stored,
        faults,
        start_s,
        start_s_per_million: start_s * MILLION / (stored.max(1) as f64),
        server_rss_bytes: Process::new(server.pid).rss_bytes(),
    })
}

/// The numbers of the run's messages in a conversation, in their order there.
fn numbers(
    reader: &mut Client,
    product: &Product,
    visitor: &VisitorOf,
    index: u32,
) -> Result<Vec<u64>, Error> {
    reader.authorize(format!("Visitor {}", visitor.visitor_token));
    let (mut numbers, mut after) = (Vec::new(), 0);
    loop {
        let conversation = &visitor.conversation;
        let path =
            format!("/api/v1/conversations/{conversation}/entries?after={after}&limit={PAGE}");
        let page = reader.ask("GET", &path, None)?;
        let items = page["items"].as_array().ok_or(Error::Malformed { what: "a page" })?;
        for item in items {
            let body = item["entry"]["content"]["text"]["body"].as_str().unwrap_or_default();
            if let Some((visitor, number)) = product.said(body.as_bytes())
                && visitor == index
                && number > 0
            {
                numbers.push(number);
            }
        }
        let Some(last) = items.last().filter(|_| page["more_after"] == true) else {
            return Ok(numbers);
        };
        let seq = |value: &Value| value.as_str().and_then(|seq| seq.parse::<u64>().ok());
        after = seq(&last["entry"]["seq"])
            .or_else(|| seq(&last["skip"]["toSeq"]))
            .ok_or(Error::Malformed { what: "the seq of an item" })?;
    }
}
