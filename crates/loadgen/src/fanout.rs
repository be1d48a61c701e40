//! The scenario `fanout`: what one visitor writes reaches all tabs of the same visitor. Beside it the
//! floor B-send: one send() of 200 bytes to each of as many connections, over and over.
//!
//! Closed loop: a few messages are on their way; the next is sent when the oldest has reached every
//! tab. Where the server puts two of them into one write, that counts for it.

use std::{
    collections::VecDeque,
    io::Write as _,
    time::{Duration, Instant},
};

use frontdesk_protocol::wire;
use serde::Serialize;

use crate::{
    baseline::MESSAGE_BYTES,
    cpu::Process,
    descriptors,
    error::{Error, io},
    generator::{Dialect as _, Happened},
    histogram::Latencies,
    http::Base,
    launch::{Endpoint, Server},
    link::{Link, Peer},
    meter::{Cost, Meter},
    poll::Poller,
    product::{Product, tickets_door},
    progress::Progress,
    report::{CostReport, Faults, Latency},
    source::Sources,
    storm::{Guest, storm},
    text::{Placement, Subject, place},
    tracker::Tracker,
};

const SCRATCH_BYTES: usize = 64 << 10;
/// Handshakes of the tabs on their way at a time.
const AT_ONCE: usize = 64;

/// What to run.
#[derive(Debug, Clone)]
pub struct FanoutOptions {
    /// Tabs that read.
    pub sockets: u32,
    /// Messages on their way at a time.
    pub in_flight: u32,
    /// Bytes of text.
    pub text_bytes: usize,
    /// Time before measuring.
    pub warm_up: Duration,
    /// Measured time.
    pub measured: Duration,
    /// How long the last deliveries may take before they count as lost.
    pub drain_max: Duration,
    /// Cores.
    pub placement: Placement,
}

impl FanoutOptions {
    /// The published shape: 1,000 sockets.
    pub fn new(measured: Duration) -> Self {
        Self {
            sockets: 1_000,
            in_flight: 2,
            text_bytes: 200,
            warm_up: Duration::from_secs(1),
            measured,
            drain_max: Duration::from_secs(10),
            placement: Placement::Pinned,
        }
    }
}

/// What was found, as `--json` prints it.
#[derive(Debug, Clone, Serialize)]
pub struct FanoutReport {
    /// `fanout`.
    pub scenario: &'static str,
    /// The product, or the floor B-send.
    pub subject: Subject,
    /// Connections that read.
    pub sockets: u32,
    /// Messages on their way at a time; the floor does not wait.
    pub in_flight: Option<u32>,
    /// Measured time.
    pub seconds: f64,
    /// Messages written over the whole run; absent of the floor.
    pub messages: Option<u64>,
    /// Deliveries within the measured time.
    pub deliveries: u64,
    /// The same per second.
    pub deliveries_per_s: f64,
    /// Of the deliveries.
    #[serde(flatten)]
    pub faults: Faults,
    /// From the send to the arrival at each tab; absent of the floor.
    pub delivery: Option<Latency>,
    /// What it cost.
    #[serde(flatten)]
    pub cost: CostReport,
}

impl FanoutReport {
    /// Nothing was lost, doubled or out of order.
    pub fn is_clean(&self) -> bool {
        self.faults.is_clean()
    }

    /// It says something about its server, and the server did what it had to.
    pub fn counts(&self) -> bool {
        self.is_clean() && !self.cost.void
    }
}

/// Measures the product, or the floor if the server is one.
pub fn fanout(options: &FanoutOptions, server: &Server) -> Result<FanoutReport, Error> {
    if options.sockets == 0 || options.in_flight == 0 || options.measured.is_zero() {
        return Err(Error::Options("a fan-out needs sockets, messages and time"));
    }
    descriptors::check(options.sockets.saturating_add(2))?;
    let process = Process::new(server.pid);
    let pinned = place(options.placement, process);
    let found = match &server.endpoint {
        Endpoint::Baseline(address) => floor(options, *address, process)?,
        Endpoint::Relay(_) => {
            return Err(Error::Options("the relay in Go has no fan-out"));
        }
        Endpoint::Product(access) => {
            let (product, mut cast) = Product::connect(access, 1, 1, options.text_bytes)?;
            let mut door = tickets_door(access)?;
            let mut guests = Vec::new();
            for tab in 0..options.sockets {
                let ticket = door.ticket(Some(&cast.visitors[0].visitor_token))?.pass.text;
                let hello = wire::Hello { ticket, ..wire::Hello::default() };
                // They read like agents: what arrives is a delivery.
                guests.push(Guest { peer: Peer::Agent(tab), hello });
            }
            let tabs = storm(&Base::of(access)?, guests, AT_ONCE)?;
            cast.links.splice(1..1, tabs.links);
            Fan::new(options, product, cast.links, process)?.run()?
        }
    };
    let void_reason = found.cost.void_reason(pinned.is_some());
    let is_floor = matches!(server.endpoint, Endpoint::Baseline(_));
    Ok(FanoutReport {
        scenario: "fanout",
        subject: if is_floor { Subject::BSend } else { Subject::Product },
        sockets: options.sockets,
        in_flight: (!is_floor).then_some(options.in_flight),
        seconds: found.cost.seconds,
        messages: (!is_floor).then_some(found.messages),
        deliveries: found.deliveries,
        deliveries_per_s: found.deliveries as f64 / found.cost.seconds,
        faults: found.faults,
        delivery: (!is_floor).then(|| found.delivery.summary()),
        cost: found.cost.report(
            found.deliveries,
            process.rss_bytes(),
            pinned.is_some(),
            void_reason,
        ),
    })
}

struct Found {
    cost: Cost,
    messages: u64,
    deliveries: u64,
    faults: Faults,
    delivery: Latencies,
}

/// Counts what B-send sends.
fn floor(
    options: &FanoutOptions,
    address: std::net::SocketAddr,
    process: Process,
) -> Result<Found, Error> {
    let mut poller = Poller::new(1_024).map_err(io("poll"))?;
    let (mut streams, sources) = (Vec::new(), Sources::fresh()?);
    for index in 0..options.sockets {
        streams.push(sources.connect(address, index)?);
    }
    streams[0].write_all(b"!").map_err(io("start the floor"))?;
    let mut links = Vec::new();
    for (index, stream) in (0..).zip(streams) {
        let link = Link::new(Peer::Agent(index), stream, Vec::new())?;
        link.register(&poller, index.into())?;
        links.push(link);
    }
    let (mut scratch, mut ready) = (vec![0; SCRATCH_BYTES], Vec::new());
    let started = Instant::now();
    let (mut bytes, mut meter) = (0_u64, None::<Meter>);
    loop {
        if meter.is_none() && started.elapsed() >= options.warm_up {
            (bytes, meter) = (0, Some(Meter::start(process)));
        }
        if let Some(meter) = meter.as_ref().map(Meter::read)
            && meter.seconds >= options.measured.as_secs_f64()
        {
            return Ok(Found {
                cost: meter,
                messages: 0,
                deliveries: bytes / MESSAGE_BYTES as u64,
                faults: Faults::default(),
                delivery: Latencies::new(),
            });
        }
        poller.wait(&mut ready, Some(Duration::from_millis(10))).map_err(io("poll"))?;
        for event in &ready {
            links[event.key as usize].receive(&poller, event.key, &mut scratch, |received| {
                bytes += received.len() as u64;
                Ok(received.len())
            })?;
        }
    }
}

/// The product's run: connection 0 writes, all others but the last, an agent's, are tabs.
struct Fan<'a> {
    options: &'a FanoutOptions,
    product: Product,
    poller: Poller,
    links: Vec<Link>,
    process: Process,
    started: Instant,
    seen: Vec<Tracker>,
    sent: u64,
    /// How many tabs still wait for each message on its way; the oldest first.
    waiting: VecDeque<u32>,
    /// Messages that have reached everybody.
    done: u64,
    deliveries: u64,
    delivery: Latencies,
}

impl<'a> Fan<'a> {
    fn new(
        options: &'a FanoutOptions,
        product: Product,
        links: Vec<Link>,
        process: Process,
    ) -> Result<Self, Error> {
        let poller = Poller::new(1_024).map_err(io("poll"))?;
        for (key, link) in links.iter().enumerate() {
            link.register(&poller, key as u64)?;
        }
        Ok(Self {
            options,
            product,
            poller,
            links,
            process,
            started: Instant::now(),
            seen: (0..options.sockets).map(|_| Tracker::default()).collect(),
            sent: 0,
            waiting: VecDeque::new(),
            done: 0,
            deliveries: 0,
            delivery: Latencies::new(),
        })
    }

    fn run(mut self) -> Result<Found, Error> {
        let (mut scratch, mut ready) = (vec![0; SCRATCH_BYTES], Vec::new());
        let (mut out, mut happened) = (Vec::new(), Vec::new());
        for index in 0..self.links.len() {
            self.read(index, None, &mut out, &mut happened)?;
        }
        let (mut meter, mut cost) = (None::<Meter>, None::<Cost>);
        let mut progress = Progress::new();
        self.started = Instant::now();
        let drained = self.options.warm_up + self.options.measured + self.options.drain_max;
        loop {
            let since = self.started.elapsed();
            if meter.is_none() && since >= self.options.warm_up {
                meter = Some(Meter::start(self.process));
                (self.deliveries, self.delivery) = (0, Latencies::new());
            }
            if cost.is_none() {
                let read = meter.as_ref().map(Meter::read);
                cost = read.filter(|read| read.seconds >= self.options.measured.as_secs_f64());
            }
            if let Some(cost) = cost
                && (self.waiting.is_empty() || since >= drained)
            {
                return Ok(self.found(cost));
            }
            while cost.is_none() && self.waiting.len() < self.options.in_flight as usize {
                self.sent += 1;
                self.waiting.push_back(self.options.sockets);
                out.clear();
                let due_ns = self.started.elapsed().as_nanos() as u64;
                self.product.message(0, self.sent, due_ns, &mut out);
                self.links[0].send(&self.poller, 0, &out)?;
            }
            progress.tell(|| format!("{} messages reached everybody", self.done));
            self.poller.wait(&mut ready, Some(Duration::from_millis(10))).map_err(io("poll"))?;
            let in_time = meter.is_some() && cost.is_none();
            let before = self.deliveries;
            for event in &ready {
                let index = event.key as usize;
                if event.writable {
                    self.links[index].flush(&self.poller, event.key)?;
                }
                if event.readable {
                    self.read(index, Some(&mut scratch), &mut out, &mut happened)?;
                }
            }
            if !in_time {
                self.deliveries = before;
            }
        }
    }

    /// Takes what was received, or without a buffer what was read ahead.
    fn read(
        &mut self,
        index: usize,
        scratch: Option<&mut Vec<u8>>,
        out: &mut Vec<u8>,
        happened: &mut Vec<Happened>,
    ) -> Result<(), Error> {
        out.clear();
        let Self { links, product, .. } = self;
        let link = &mut links[index];
        let peer = link.peer;
        let parse = |bytes: &[u8]| product.read(peer, bytes, out, happened);
        match scratch {
            Some(scratch) => link.receive(&self.poller, index as u64, scratch, parse)?,
            None => link.parse_partial(parse)?,
        }
        if !out.is_empty() {
            link.send(&self.poller, index as u64, out)?;
        }
        // The writer's acks and what the agent at the end gets are not looked at.
        let is_tab = (1..=self.seen.len()).contains(&index);
        let now_ns = self.started.elapsed().as_nanos() as u64;
        for event in happened.drain(..) {
            match event {
                Happened::Delivered { number, due_ns, .. } if is_tab => {
                    self.delivered(index - 1, number, now_ns.saturating_sub(due_ns))?;
                }
                Happened::Refused { .. } => {
                    let code = String::new();
                    return Err(Error::Refused { what: "a message of the fan-out", code });
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn delivered(&mut self, tab: usize, number: u64, took_ns: u64) -> Result<(), Error> {
        if !self.seen[tab].note(number) {
            return Ok(());
        }
        self.deliveries += 1;
        self.delivery.record_ns(took_ns);
        let place = number.checked_sub(self.done + 1).map(|place| place as usize);
        let Some(left) = place.and_then(|place| self.waiting.get_mut(place)) else {
            return Err(Error::Malformed { what: "a message that is on its way" });
        };
        *left -= 1;
        while self.waiting.front() == Some(&0) {
            self.waiting.pop_front();
            self.done += 1;
        }
        Ok(())
    }

    fn found(self, cost: Cost) -> Found {
        Found {
            cost,
            messages: self.sent,
            deliveries: self.deliveries,
            faults: self.seen.iter().map(|seen| seen.faults(seen.missing(self.sent))).sum(),
            delivery: self.delivery,
        }
    }
}
