//! The scenario `connect`: handshakes per second, from the TCP connect to the welcome, with tickets
//! (made before the clock starts) and with resume tokens, beside the floor B-accept.

use std::{
    collections::VecDeque,
    io::{Read as _, Write as _},
    net::SocketAddr,
};

use frontdesk_protocol::wire;
use serde::Serialize;

use crate::{
    cpu::Process,
    descriptors::connections_max,
    error::{Error, io},
    histogram::Latencies,
    http::Base,
    launch::{Endpoint, Server},
    link::Peer,
    meter::{Cost, Meter},
    product::tickets_door,
    report::{CostReport, Latency},
    source::Sources,
    storm::{Entered, Guest, storm},
    text::{Placement, place},
};

/// Connections to the floor between two signs that it has taken them. Twice as many are on their way
/// at most, which its backlog holds.
const SIGN_EVERY: u32 = 1_000;

/// What to run.
#[derive(Debug, Clone)]
pub struct ConnectOptions {
    /// Connections, of which as many as a process has files for are there at a time.
    pub connections: u32,
    /// Handshakes on their way at a time.
    pub at_once: usize,
    /// Cores.
    pub placement: Placement,
}

impl Default for ConnectOptions {
    /// The published shape.
    fn default() -> Self {
        Self { connections: 10_000, at_once: 256, placement: Placement::Pinned }
    }
}

/// What was found, as `--json` prints it.
#[derive(Debug, Clone, Serialize)]
pub struct ConnectReport {
    /// `connect`.
    pub scenario: &'static str,
    /// Handshakes on their way at a time.
    pub at_once: usize,
    /// Connect, upgrade, hello with a ticket, welcome.
    pub ticket: Handshakes,
    /// Connect, upgrade, hello with resume token and position, welcome.
    pub resume: Handshakes,
    /// Resumes that got exactly what they missed.
    pub recovered: u64,
    /// Both kinds together, per second.
    pub per_s: f64,
}

/// Handshakes of one kind.
#[derive(Debug, Clone, Serialize)]
pub struct Handshakes {
    /// How many.
    pub count: u64,
    /// The same per second.
    pub per_s: f64,
    /// From the connect to the welcome; absent for the floor, which says nothing.
    pub took: Option<Latency>,
    /// Seconds of all of them.
    pub seconds: f64,
    /// What it cost.
    #[serde(flatten)]
    pub cost: CostReport,
}

impl Handshakes {
    #[cfg(test)]
    pub(crate) fn nothing() -> Self {
        let process = Process::new(None);
        Self::of(0, Meter::start(process).read(), None, process, false, None)
    }

    fn of(
        count: u64,
        cost: Cost,
        took: Option<&Latencies>,
        process: Process,
        pinned: bool,
        void_reason: Option<String>,
    ) -> Self {
        Self {
            count,
            per_s: count as f64 / cost.seconds,
            took: took.map(Latencies::summary),
            seconds: cost.seconds,
            cost: cost.report(count, process.rss_bytes(), pinned, void_reason),
        }
    }
}

/// Handshakes of one kind, as they come.
struct Storms {
    cost: Cost,
    took: Latencies,
}

impl Storms {
    fn new() -> Self {
        Self { cost: Cost::nothing(), took: Latencies::new() }
    }

    /// Lets some more in.
    fn storm(
        &mut self,
        base: &Base,
        guests: Vec<Guest>,
        at_once: usize,
        process: Process,
    ) -> Result<Entered, Error> {
        let meter = Meter::start(process);
        let entered = storm(base, guests, at_once)?;
        self.cost.add(meter.read());
        self.took.add(&entered.took);
        Ok(entered)
    }

    fn report(&self, process: Process, pinned: bool) -> Handshakes {
        let void_reason = self.cost.void_reason(pinned);
        Handshakes::of(self.took.count(), self.cost, Some(&self.took), process, pinned, void_reason)
    }
}

/// Connections that are there at a time. Those who drop may still be there when they come again.
fn wave_max() -> u32 {
    (connections_max() / 2).max(1)
}

/// Lets everybody in by ticket, drops them, and lets them in again by resume; in waves where there are
/// more than fit into the files of a process.
pub fn connect(options: &ConnectOptions, server: &Server) -> Result<ConnectReport, Error> {
    let access = server.product("only the product has handshakes; the floor is B-accept")?;
    check(options)?;
    let process = Process::new(server.pid);
    let pinned = place(options.placement, process);
    let base = Base::of(access)?;
    let mut door = tickets_door(access)?;
    let (mut ticket, mut resume, mut recovered) = (Storms::new(), Storms::new(), 0);
    for wave in waves(options.connections) {
        let mut guests = Vec::new();
        for visitor in 0..wave {
            let ticket = door.ticket(None)?.pass.text;
            let hello = wire::Hello { ticket, ..wire::Hello::default() };
            guests.push(Guest { peer: Peer::Visitor(visitor), hello });
        }
        let first = ticket.storm(&base, guests, options.at_once, process)?;
        drop(first.links);
        let guests = (0..).zip(first.welcomes).map(|(visitor, welcome)| {
            let position = welcome.opened.first().and_then(|opened| opened.position);
            let held = wire::Held { position, ..wire::Held::default() };
            let hello = wire::Hello {
                resume_token: welcome.resume_token,
                held: vec![held],
                ..wire::Hello::default()
            };
            Guest { peer: Peer::Visitor(visitor), hello }
        });
        let second = resume.storm(&base, guests.collect(), options.at_once, process)?;
        recovered += second.welcomes.iter().filter(|welcome| is_recovered(welcome)).count() as u64;
    }
    let (ticket, resume) =
        (ticket.report(process, pinned.is_some()), resume.report(process, pinned.is_some()));
    let per_s = (ticket.count + resume.count) as f64 / (ticket.seconds + resume.seconds);
    let at_once = options.at_once;
    Ok(ConnectReport { scenario: "connect", at_once, ticket, resume, recovered, per_s })
}

/// Sizes of the waves in which so many connections come.
fn waves(connections: u32) -> impl Iterator<Item = u32> {
    let max = wave_max();
    (0..connections).step_by(max as usize).map(move |before| max.min(connections - before))
}

pub(crate) fn is_recovered(welcome: &wire::Welcome) -> bool {
    welcome.opened.first().is_some_and(|opened| opened.recovered)
}

fn check(options: &ConnectOptions) -> Result<(), Error> {
    if options.connections == 0 || options.at_once == 0 {
        return Err(Error::Options("a run needs connections"));
    }
    Ok(())
}

/// B-accept: as many connections, which the floor accepts and registers.
///
/// On loopback the kernel does both halves of TCP's handshake on the connecting core, so that core is
/// the full one: the floor is what both cores together can do, and no busy generator voids it. The
/// product's handshakes are measured on the same two cores.
pub fn accept_floor(options: &ConnectOptions, server: &Server) -> Result<Handshakes, Error> {
    let Endpoint::Baseline(address) = server.endpoint else {
        return Err(Error::Options("B-accept is a floor"));
    };
    check(options)?;
    let process = Process::new(server.pid);
    let pinned = place(options.placement, process);
    let sources = Sources::fresh()?;
    let mut cost = Cost::nothing();
    for wave in waves(options.connections) {
        let meter = Meter::start(process);
        let mut open = Vec::with_capacity(wave as usize);
        let mut signs = VecDeque::new();
        for index in 0..wave {
            open.push(sources.connect(address, index)?);
            if (index + 1).is_multiple_of(SIGN_EVERY) {
                signs.push_back(sign(sources, address)?);
                if signs.len() > 1 {
                    wait_for(signs.pop_front())?;
                }
            }
        }
        signs.push_back(sign(sources, address)?);
        while !signs.is_empty() {
            wait_for(signs.pop_front())?;
        }
        cost.add(meter.read());
    }
    let count = u64::from(options.connections);
    Ok(Handshakes::of(count, cost, None, process, pinned.is_some(), None))
}

/// Connections are taken in their order: when this one is answered, those before were taken.
fn sign(sources: Sources, address: SocketAddr) -> Result<std::net::TcpStream, Error> {
    let mut stream = sources.connect(address, 0)?;
    stream.write_all(b"?").map_err(io("ask the floor"))?;
    Ok(stream)
}

fn wait_for(sign: Option<std::net::TcpStream>) -> Result<(), Error> {
    let Some(mut sign) = sign else { return Ok(()) };
    sign.read_exact(&mut [0]).map_err(io("hear from the floor"))
}
