//! The generator: one thread that plays all visitors and agents of a run, cheaper than any server.
//!
//! Closed: each visitor sends its next message when the last one is acked. Open: message i is due at
//! t0 + i/rate, visitors in turn, and its latency counts from then, sent late or not. A message
//! carries the time it was due, so a delivery can be timed without looking anything up.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};

use crate::{
    cpu::Process,
    error::{Error, io},
    gaps::Gaps,
    histogram::Latencies,
    link::{Link, Peer},
    meter::{Cost, Meter},
    outcome::Outcome,
    poll::{Poller, Ready},
    progress::Progress,
    report::{Counts, Faults},
    schedule::{Schedule, Step, interval_ns, ns},
    text::{Load, TextOptions},
    tracker::Tracker,
    void::Usage,
    windows::Windows,
};

/// Sockets of one wait.
const EVENTS_MAX: usize = 1_024;
/// Sockets that are received from before the schedule is looked at again: 0.1 ms of work.
const EVENTS_BETWEEN: usize = 32;
/// One receive: an agent gets a whole turn of the server at once.
const SCRATCH_BYTES: usize = 256 << 10;
/// Messages of one visitor on an open loop that wait for their ack.
pub(crate) const IN_FLIGHT_MAX: usize = 64;

/// What the server said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Happened {
    /// A message is accepted; `place` is where it stands.
    Acked { visitor: u32, number: u64, place: u64 },
    /// A message is refused.
    Refused { visitor: u32, number: u64 },
    /// A message reached an agent.
    Delivered { visitor: u32, number: u64, place: u64, due_ns: u64 },
}

impl Happened {
    /// Where a message stands, once it does.
    pub(crate) fn place(&self) -> Option<u64> {
        match *self {
            Self::Acked { place, .. } | Self::Delivered { place, .. } => Some(place),
            Self::Refused { .. } => None,
        }
    }
}

/// A wire format: of the baselines, of the product.
pub(crate) trait Dialect {
    /// Appends the message `number` (from 1) of a visitor.
    fn message(&mut self, visitor: u32, number: u64, due_ns: u64, out: &mut Vec<u8>);

    /// Reads the whole frames at the beginning of `bytes` and returns how many bytes they are.
    /// Answers the connection owes go to `out`.
    fn read(
        &mut self,
        peer: Peer,
        bytes: &[u8],
        out: &mut Vec<u8>,
        happened: &mut Vec<Happened>,
    ) -> Result<usize, Error>;
}

/// How long and how hard.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Plan {
    pub(crate) load: Load,
    pub(crate) warm_up: Duration,
    pub(crate) measured: Duration,
    /// How long the last acks and deliveries may take.
    pub(crate) drain_max: Duration,
    /// The server has one core, and the generator another.
    pub(crate) pinned: bool,
}

impl Plan {
    /// Of a run that is free to use any core.
    pub(crate) fn of(options: &TextOptions) -> Self {
        Self {
            load: options.load,
            warm_up: options.warm_up,
            measured: options.measured,
            drain_max: options.drain_max,
            pinned: false,
        }
    }
}

/// One visitor's messages.
#[derive(Debug, Default)]
struct Visitor {
    sent: u64,
    refused: u64,
    /// Number and due time of those without an ack.
    in_flight: VecDeque<(u64, u64)>,
    acks: Tracker,
    deliveries: Tracker,
    /// Number and place of the newest ack and the newest delivery.
    acked_at: (u64, u64),
    delivered_at: (u64, u64),
    /// Places are where acks said they are.
    misplaced: u64,
}

impl Visitor {
    fn is_done(&self) -> bool {
        self.in_flight.is_empty() && self.deliveries.missing(self.sent) <= self.refused
    }

    fn faults(&self) -> Faults {
        // A refused message has an answer and no delivery.
        let undelivered = self.deliveries.missing(self.sent).saturating_sub(self.refused);
        let mut faults = self.acks.faults(undelivered.max(self.acks.missing(self.sent)));
        faults += self.deliveries.faults(0);
        faults.reordered += self.misplaced;
        faults
    }

    /// Both streams rise through the same places.
    fn compare(&mut self) {
        if self.acked_at.0 == self.delivered_at.0 && self.acked_at.1 != self.delivered_at.1 {
            self.misplaced += 1;
        }
    }
}

/// All connections of a run and what is known of them.
#[derive(Debug)]
pub(crate) struct Generator<D> {
    dialect: D,
    poller: Poller,
    /// Visitors by their number, then agents.
    links: Vec<Link>,
    visitors: Vec<Visitor>,
    server: Process,
    started: Instant,
    /// The measured time, in ns since `started`.
    from_ns: u64,
    to_ns: u64,
    sending: bool,
    closed_loop: bool,
    scratch: Vec<u8>,
    out: Vec<u8>,
    happened: Vec<Happened>,
    /// Visitors on a closed loop who speak next, and since when.
    speaking: Vec<(u32, u64)>,
    /// When messages are due on an open loop.
    schedule: Option<Schedule>,
    counts: Counts,
    acks_in_time: u64,
    acked_ever: u64,
    ack: Latencies,
    delivery: Latencies,
    lag: Latencies,
    windows: Option<Windows>,
    gaps: Gaps,
    overrun: bool,
}

impl<D: Dialect> Generator<D> {
    /// Takes connections that are greeted: `visitors` of them, by number, then the agents, then any who
    /// say nothing.
    pub(crate) fn new(
        dialect: D,
        links: Vec<Link>,
        visitors: u32,
        server: Process,
    ) -> Result<Self, Error> {
        let poller = Poller::new(EVENTS_MAX).map_err(io("poll"))?;
        for (key, link) in links.iter().enumerate() {
            link.register(&poller, key as u64)?;
        }
        Ok(Self {
            dialect,
            poller,
            links,
            visitors: (0..visitors).map(|_| Visitor::default()).collect(),
            server,
            started: Instant::now(),
            from_ns: 0,
            to_ns: 0,
            sending: false,
            closed_loop: false,
            scratch: vec![0; SCRATCH_BYTES],
            out: Vec::new(),
            happened: Vec::new(),
            speaking: Vec::new(),
            schedule: None,
            counts: Counts::default(),
            acks_in_time: 0,
            acked_ever: 0,
            ack: Latencies::new(),
            delivery: Latencies::new(),
            lag: Latencies::new(),
            windows: None,
            gaps: Gaps::new(0),
            overrun: false,
        })
    }

    /// Runs once: warm-up, measured time, drain.
    pub(crate) fn run(mut self, plan: Plan) -> Result<Outcome, Error> {
        self.started = Instant::now();
        self.from_ns = ns(plan.warm_up);
        self.to_ns = ns(plan.warm_up + plan.measured);
        self.gaps = Gaps::new(self.from_ns);
        let drained_ns = self.to_ns + ns(plan.drain_max);
        self.sending = true;
        match plan.load {
            Load::Closed => self.begin_closed()?,
            Load::Open { rate } => {
                self.schedule = Some(Schedule::new(rate, None));
            }
            Load::Step { rate, to, begins, ends } => {
                let from_ns = self.from_ns;
                self.schedule = Some(Schedule::new(
                    rate,
                    Some(Step {
                        interval_ns: interval_ns(to),
                        within: from_ns + ns(begins)..from_ns + ns(ends),
                    }),
                ));
                self.windows = Some(Windows::new(self.from_ns, self.to_ns));
            }
        }
        self.read_all_ahead()?;
        let mut progress = Progress::new();
        let mut ready = Vec::new();
        let (mut meter, mut cost) = (None::<Meter>, None::<Cost>);
        loop {
            let now_ns = self.now_ns();
            if meter.is_none() && now_ns >= self.from_ns {
                meter = Some(Meter::start(self.server));
            }
            self.send_due()?;
            if cost.is_none() && now_ns >= self.to_ns {
                cost = meter.as_ref().map(Meter::read);
                self.sending = false;
            }
            if let Some(cost) = cost
                && (now_ns >= drained_ns || self.visitors.iter().all(Visitor::is_done))
            {
                return Ok(self.outcome(plan, cost));
            }
            let mut wake_ns = if cost.is_some() { now_ns + 1_000_000 } else { self.to_ns };
            if meter.is_none() {
                wake_ns = wake_ns.min(self.from_ns);
            }
            if let Some(schedule) = self.schedule.as_ref().filter(|_| self.sending) {
                wake_ns = wake_ns.min(schedule.due_ns());
            }
            progress.tell(|| format!("{:.0} s  {} acked", now_ns as f64 / 1e9, self.acked_ever));
            let wait = Duration::from_nanos(wake_ns.saturating_sub(self.now_ns()));
            self.turn(&mut ready, wait)?;
        }
    }

    /// Runs a closed loop and breaks it off in the middle: `kill` ends the server. Tells up to which
    /// number each visitor's messages were acked.
    pub(crate) fn break_off(
        mut self,
        after: Duration,
        kill: impl FnOnce() -> Result<(), Error>,
    ) -> Result<(D, Vec<u64>), Error> {
        self.started = Instant::now();
        self.to_ns = ns(after);
        self.sending = true;
        self.begin_closed()?;
        self.read_all_ahead()?;
        let mut progress = Progress::new();
        let mut ready = Vec::new();
        loop {
            let now_ns = self.now_ns();
            if now_ns >= self.to_ns {
                break;
            }
            progress.tell(|| format!("{:.0} s  {} acked", now_ns as f64 / 1e9, self.acked_ever));
            self.turn(&mut ready, Duration::from_nanos(self.to_ns - now_ns))?;
        }
        kill()?;
        let acked = self.visitors.iter().map(|visitor| visitor.acks.whole()).collect();
        Ok((self.dialect, acked))
    }

    fn begin_closed(&mut self) -> Result<(), Error> {
        self.closed_loop = true;
        for visitor in 0..self.visitors.len() as u32 {
            self.send_next(visitor, self.now_ns())?;
        }
        Ok(())
    }

    fn read_all_ahead(&mut self) -> Result<(), Error> {
        for index in 0..self.links.len() {
            if !self.links[index].partial.is_empty() {
                self.read_ahead(index)?;
            }
        }
        self.send_spoken()
    }

    /// Receives everything that is ready, then sends; what becomes due meanwhile does not wait for it.
    fn turn(&mut self, ready: &mut Vec<Ready>, wait: Duration) -> Result<(), Error> {
        self.poller.wait(ready, Some(wait)).map_err(io("poll"))?;
        for events in ready.chunks(EVENTS_BETWEEN) {
            for event in events {
                let index = event.key as usize;
                if event.writable {
                    self.links[index].flush(&self.poller, event.key)?;
                }
                if event.readable {
                    self.receive(index)?;
                }
            }
            self.send_due()?;
        }
        self.send_spoken()
    }

    fn now_ns(&self) -> u64 {
        ns(self.started.elapsed())
    }

    /// Sends everything the schedule has made due.
    fn send_due(&mut self) -> Result<(), Error> {
        let sending = self.sending && !self.visitors.is_empty();
        let Some(mut schedule) = self.schedule.take_if(|_| sending) else { return Ok(()) };
        let mut now_ns = self.now_ns();
        while schedule.due_ns() <= now_ns && schedule.due_ns() < self.to_ns {
            let due_ns = schedule.due_ns();
            let visitor = (schedule.next % self.visitors.len() as u64) as u32;
            schedule.advance();
            if self.is_measured(due_ns) {
                self.lag.record_ns(now_ns - due_ns);
            }
            if self.visitors[visitor as usize].in_flight.len() >= IN_FLIGHT_MAX {
                self.overrun = true;
                self.counts.offered += u64::from(self.is_measured(due_ns));
                continue;
            }
            self.send_next(visitor, due_ns)?;
            now_ns = self.now_ns();
        }
        self.schedule = Some(schedule);
        Ok(())
    }

    fn is_measured(&self, due_ns: u64) -> bool {
        (self.from_ns..self.to_ns).contains(&due_ns)
    }

    fn send_next(&mut self, visitor: u32, due_ns: u64) -> Result<(), Error> {
        let index = visitor as usize;
        let state = &mut self.visitors[index];
        state.sent += 1;
        state.in_flight.push_back((state.sent, due_ns));
        self.out.clear();
        self.dialect.message(visitor, state.sent, due_ns, &mut self.out);
        self.counts.offered += u64::from(self.is_measured(due_ns));
        self.links[index].send(&self.poller, index as u64, &self.out)
    }

    fn receive(&mut self, index: usize) -> Result<(), Error> {
        self.out.clear();
        let Self { dialect, poller, links, scratch, out, happened, .. } = self;
        let link = &mut links[index];
        let peer = link.peer;
        let parse = |bytes: &[u8]| dialect.read(peer, bytes, out, happened);
        link.receive(poller, index as u64, scratch, parse)?;
        self.after_read(index)
    }

    fn read_ahead(&mut self, index: usize) -> Result<(), Error> {
        self.out.clear();
        let Self { dialect, links, out, happened, .. } = self;
        let link = &mut links[index];
        let peer = link.peer;
        link.parse_partial(|bytes| dialect.read(peer, bytes, out, happened))?;
        self.after_read(index)
    }

    fn after_read(&mut self, index: usize) -> Result<(), Error> {
        if !self.out.is_empty() {
            self.links[index].send(&self.poller, index as u64, &self.out)?;
        }
        if self.happened.is_empty() {
            return Ok(());
        }
        let now_ns = self.now_ns();
        let mut happened = std::mem::take(&mut self.happened);
        for event in happened.drain(..) {
            self.note(event, now_ns)?;
        }
        self.happened = happened;
        Ok(())
    }

    fn note(&mut self, event: Happened, now_ns: u64) -> Result<(), Error> {
        let (visitor, number) = match event {
            Happened::Acked { visitor, number, .. }
            | Happened::Refused { visitor, number }
            | Happened::Delivered { visitor, number, .. } => (visitor, number),
        };
        let Some(state) = self.visitors.get_mut(visitor as usize) else {
            return Err(Error::Malformed { what: "a message of this run" });
        };
        if number == 0 || number > state.sent {
            return Err(Error::Malformed { what: "a message that was sent" });
        }
        match event {
            Happened::Delivered { place, due_ns, .. } => {
                let first = state.deliveries.note(number);
                state.delivered_at = (number, place);
                state.compare();
                if first && self.is_measured(due_ns) {
                    self.counts.delivered += 1;
                    let took_ns = now_ns.saturating_sub(due_ns);
                    self.delivery.record_ns(took_ns);
                    if let Some(windows) = &mut self.windows {
                        windows.record(due_ns, took_ns);
                    }
                }
            }
            Happened::Acked { place, .. } => {
                state.acks.note(number);
                state.acked_at = (number, place);
                state.compare();
                if let Some(due_ns) = take(&mut state.in_flight, number) {
                    self.acked_ever += 1;
                    if self.is_measured(now_ns) {
                        self.acks_in_time += 1;
                        self.gaps.note(now_ns);
                    }
                    if self.is_measured(due_ns) {
                        self.counts.acked += 1;
                        self.ack.record_ns(now_ns.saturating_sub(due_ns));
                    }
                    self.go_on(visitor, now_ns);
                }
            }
            Happened::Refused { .. } => {
                state.acks.note(number);
                if let Some(due_ns) = take(&mut state.in_flight, number) {
                    state.refused += 1;
                    self.counts.refused += u64::from(self.is_measured(due_ns));
                    self.go_on(visitor, now_ns);
                }
            }
        }
        Ok(())
    }

    /// The visitor on a closed loop says the next thing, once all that is ready was received:
    /// receives and sends in turn cost a twentieth more than all of one, then all of the other.
    fn go_on(&mut self, visitor: u32, now_ns: u64) {
        if self.closed_loop && self.sending {
            self.speaking.push((visitor, now_ns));
        }
    }

    fn send_spoken(&mut self) -> Result<(), Error> {
        let mut speaking = std::mem::take(&mut self.speaking);
        for (visitor, due_ns) in speaking.drain(..) {
            self.send_next(visitor, due_ns)?;
        }
        self.speaking = speaking;
        Ok(())
    }

    fn outcome(mut self, plan: Plan, cost: Cost) -> Outcome {
        self.gaps.end(self.to_ns);
        let usage = Usage {
            generator_cores: cost.generator_cores(),
            server_cores: cost.server_cores(),
            overrun: self.overrun,
            lag_ms: self.lag.percentile_ms(99.0),
        };
        let void_reason = usage.void_reason(plan.load, plan.pinned);
        let accepted = self.counts.offered.saturating_sub(self.counts.refused);
        let faults = self.visitors.iter().map(Visitor::faults).sum();
        Outcome {
            cost,
            counts: Counts { accepted, faults, ..self.counts },
            acks_in_time: self.acks_in_time,
            ack: self.ack,
            delivery: self.delivery,
            lag: self.lag,
            windows: self.windows,
            gaps: self.gaps,
            void_reason,
        }
    }
}

/// Takes a message out of those in flight: nearly always the oldest.
fn take(in_flight: &mut VecDeque<(u64, u64)>, number: u64) -> Option<u64> {
    let place = in_flight.iter().position(|(waiting, _)| *waiting == number)?;
    in_flight.remove(place).map(|(_, due_ns)| due_ns)
}
