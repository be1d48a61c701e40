//! The scenario `resume`: everybody drops at once and comes back at once, with positions. Meanwhile an
//! agent wrote to each: the time until all are back, and whether each got exactly what it missed.

use std::time::{Duration, Instant};

use frontdesk_core::chat::{TimelineItem, content, entry, timeline_item};
use frontdesk_protocol::wire::{self, client_frame, server_frame};
use serde::Serialize;

use crate::{
    connect::is_recovered,
    cpu::Process,
    error::{Error, io},
    http::Base,
    launch::Server,
    link::{Link, Peer},
    meter::Meter,
    poll::Poller,
    product::{Cast, Product, VisitorOf, decode, last_seq, split, text},
    report::{CostReport, Faults, Latency},
    storm::{Guest, storm},
    text::{Placement, place},
};

const MISSED: &str = "While you were away: it is on its way.";
/// How long the agents' messages may take.
const ACKS_TIMEOUT: Duration = Duration::from_secs(30);

/// What to run.
#[derive(Debug, Clone)]
pub struct ResumeOptions {
    /// Who drops.
    pub visitors: u32,
    /// Who writes meanwhile.
    pub agents: u32,
    /// How long nothing happens before the drop, so that everybody holds everything.
    pub settle: Duration,
    /// Cores.
    pub placement: Placement,
}

impl Default for ResumeOptions {
    /// The published shape.
    fn default() -> Self {
        let settle = Duration::from_secs(1);
        Self { visitors: 5_000, agents: 20, settle, placement: Placement::Pinned }
    }
}

/// What was found, as `--json` prints it.
#[derive(Debug, Clone, Serialize)]
pub struct ResumeReport {
    /// `resume`.
    pub scenario: &'static str,
    /// Sockets that dropped.
    pub sockets: u32,
    /// Seconds from the first connect until all were back.
    pub all_back_s: f64,
    /// From the first connect to each one's welcome.
    pub back: Latency,
    /// Resumes that the server says are complete.
    pub recovered: u64,
    /// Messages written while they were away.
    pub missed: u64,
    /// Of those, messages that came with the welcome.
    pub delivered: u64,
    /// `lost` are messages that did not come, `duplicated` items that were held already, or came twice.
    #[serde(flatten)]
    pub faults: Faults,
    /// Resident memory of the server with all connected, before the drop.
    pub server_rss_before_bytes: Option<u64>,
    /// What it cost.
    #[serde(flatten)]
    pub cost: CostReport,
}

impl ResumeReport {
    /// Everybody got exactly what was missed.
    pub fn is_clean(&self) -> bool {
        self.faults.is_clean() && self.recovered == u64::from(self.sockets)
    }
}

/// Runs it once.
pub fn resume(options: &ResumeOptions, server: &Server) -> Result<ResumeReport, Error> {
    let access = server.product("only the product resumes")?;
    if options.visitors == 0 || options.agents == 0 {
        return Err(Error::Options("a run needs visitors and agents"));
    }
    let process = Process::new(server.pid);
    let pinned = place(options.placement, process);
    let (product, cast) = Product::connect(access, options.visitors, options.agents, 200)?;
    let mut stage = Stage::new(product, cast, options.visitors)?;
    stage.rest(Instant::now() + options.settle)?;
    let server_rss_before_bytes = process.rss_bytes();
    let Stage { links, visitors, .. } = stage.drop_and_write()?;

    let guests = (0..).zip(&visitors).map(|(index, visitor)| Guest {
        peer: Peer::Visitor(index),
        hello: wire::Hello {
            resume_token: visitor.resume_token.clone(),
            held: vec![wire::Held { position: Some(visitor.held), ..wire::Held::default() }],
            ..wire::Hello::default()
        },
    });
    let guests: Vec<Guest> = guests.collect();
    let count = guests.len();
    let meter = Meter::start(process);
    let back = storm(&Base::of(access)?, guests, count)?;
    let cost = meter.read();
    // The agents were there all the time.
    drop(links);

    let (mut delivered, mut faults) = (0, Faults::default());
    for (welcome, visitor) in back.welcomes.iter().zip(&visitors) {
        let items = welcome.opened.first().map_or(&[][..], |opened| &opened.items);
        let told = items.iter().filter(|item| says_missed(item)).count() as u64;
        let seqs: Vec<u64> =
            items.iter().map(|item| last_seq(std::slice::from_ref(item))).collect();
        let held = seqs.iter().any(|seq| *seq <= visitor.held.seq);
        delivered += told.min(1);
        faults += Faults {
            lost: 1 - told.min(1),
            duplicated: told.saturating_sub(1) + u64::from(held),
            reordered: seqs.windows(2).filter(|pair| pair[0] > pair[1]).count() as u64,
        };
    }
    let void_reason = cost.void_reason(pinned.is_some());
    Ok(ResumeReport {
        scenario: "resume",
        sockets: options.visitors,
        all_back_s: cost.seconds,
        back: back.since_start.summary(),
        recovered: back.welcomes.iter().filter(|welcome| is_recovered(welcome)).count() as u64,
        missed: count as u64,
        delivered,
        faults,
        server_rss_before_bytes,
        cost: cost.report(count as u64, process.rss_bytes(), pinned.is_some(), void_reason),
    })
}

fn says_missed(item: &TimelineItem) -> bool {
    let Some(timeline_item::Item::Entry(entry)) = &item.item else { return false };
    let Some(entry::Body::Content(said)) = &entry.body else { return false };
    matches!(&said.kind, Some(content::Kind::Text(text)) if text.body == MISSED)
}

/// Everybody before the drop; then the agents.
struct Stage {
    product: Product,
    poller: Poller,
    links: Vec<Link>,
    visitors: Vec<VisitorOf>,
    owners: Vec<(String, u32)>,
    acked: u64,
}

impl Stage {
    fn new(product: Product, cast: Cast, visitors: u32) -> Result<Self, Error> {
        let poller = Poller::new(1_024).map_err(io("poll"))?;
        for (key, link) in cast.links.iter().enumerate() {
            link.register(&poller, key as u64)?;
        }
        debug_assert_eq!(cast.visitors.len(), visitors as usize);
        let owners = cast.owners.into_iter().collect();
        Ok(Self { product, poller, links: cast.links, visitors: cast.visitors, owners, acked: 0 })
    }

    /// Reads whatever comes, until a time or as many acks as there are conversations.
    fn rest(&mut self, until: Instant) -> Result<(), Error> {
        let (mut scratch, mut ready) = (vec![0; 64 << 10], Vec::new());
        while self.acked < self.owners.len() as u64 {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            self.poller.wait(&mut ready, Some(left)).map_err(io("poll"))?;
            for event in &ready {
                let index = event.key as usize;
                let link = &mut self.links[index];
                if event.writable {
                    link.flush(&self.poller, event.key)?;
                }
                if event.readable {
                    let (peer, mut messages) = (link.peer, Vec::new());
                    let parse = |bytes: &[u8]| split(peer, bytes, &mut messages);
                    link.receive(&self.poller, event.key, &mut scratch, parse)?;
                    for message in messages {
                        self.note(peer, &message)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn note(&mut self, peer: Peer, message: &[u8]) -> Result<(), Error> {
        let (_, frame) = decode(message)?;
        match (peer, frame) {
            (Peer::Visitor(visitor), frame) => self.visitors[visitor as usize].note(&frame),
            (Peer::Agent(_), server_frame::Frame::Ack(_)) => self.acked += 1,
            (Peer::Agent(_), server_frame::Frame::Refusal(refusal)) => {
                return Err(Error::Refused { what: "an agent's message", code: refusal.code });
            }
            _ => {}
        }
        Ok(())
    }

    /// The visitors' sockets go, and each conversation gets a message they do not see.
    fn drop_and_write(mut self) -> Result<Self, Error> {
        let count = self.visitors.len();
        let agents = self.links.split_off(count);
        self.links = agents;
        // Keys are places in `links`; those of the agents change.
        self.poller = Poller::new(1_024).map_err(io("poll"))?;
        for (key, link) in self.links.iter().enumerate() {
            link.register(&self.poller, key as u64)?;
        }
        // The answers to each conversation's first message were acked before.
        self.acked = 0;
        for (number, (conversation, agent)) in (1_u64..).zip(self.owners.clone()) {
            let send = wire::Send {
                conversation,
                client_msg_id: self.product.id(number),
                content: Some(text(MISSED.to_owned())),
                ..wire::Send::default()
            };
            let mut out = Vec::new();
            self.product.frame(client_frame::Frame::Send(send), 0, &mut out);
            self.links[agent as usize].send(&self.poller, agent.into(), &out)?;
        }
        self.rest(Instant::now() + ACKS_TIMEOUT)?;
        if self.acked < self.owners.len() as u64 {
            let what = "the agents' messages to be acked".to_owned();
            return Err(Error::Timeout { what, seconds: ACKS_TIMEOUT.as_secs() });
        }
        Ok(self)
    }
}
