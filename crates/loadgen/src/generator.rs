//! The generator: one thread that plays all visitors and agents of a run, cheaper than any server.
//!
//! Closed: each visitor sends its next message when the last one is acked. Open: message i is due at
//! t0 + i/rate, visitors in turn, and its latency counts from then, sent late or not. A message
//! carries the time it was due, so a delivery can be timed without looking anything up.

use std::{
    collections::VecDeque,
    ops::Range,
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};

use crate::{
    cpu::{Process, of_this_thread},
    error::{Error, io},
    gaps::Gaps,
    histogram::Latencies,
    link::{Link, Peer},
    poll::{Poller, Ready},
    progress::Progress,
    report::Counts,
    text::{Load, TextOptions},
    tracker::Tracker,
    windows::Windows,
};

/// Sockets of one wait.
const EVENTS_MAX: usize = 1_024;
/// Sockets that are received from before the schedule is looked at again: 0.1 ms of work.
const EVENTS_BETWEEN: usize = 32;
/// One receive: an agent gets a whole turn of the server at once.
const SCRATCH_BYTES: usize = 256 << 10;
/// Messages of one visitor on an open loop that wait for their ack.
const IN_FLIGHT_MAX: usize = 64;
/// Share of its core beyond which the generator, not the server, is the limit.
const CORE_MAX: f64 = 0.9;
/// Share of its own core at which the server is the limit, however busy the generator is.
const SERVER_FULL: f64 = 0.97;
/// Lateness beyond which the offered load is not the one asked for.
const LAG_MAX_MS: f64 = 1.0;

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

/// Everything a run found; parts of it come from several processes.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Outcome {
    pub(crate) seconds: f64,
    pub(crate) offered: u64,
    pub(crate) refused: u64,
    pub(crate) acked: u64,
    pub(crate) acks_in_time: u64,
    pub(crate) delivered: u64,
    pub(crate) lost: u64,
    pub(crate) duplicated: u64,
    pub(crate) reordered: u64,
    pub(crate) ack: Latencies,
    pub(crate) delivery: Latencies,
    pub(crate) lag: Latencies,
    /// Deliveries by the time they were due, of a load with a step. It has one generator.
    #[serde(skip)]
    pub(crate) windows: Option<Windows>,
    /// Times between acks.
    pub(crate) gaps: Gaps,
    pub(crate) server_cpu: Option<Duration>,
    pub(crate) generator_cpu: Duration,
    pub(crate) void_reason: Option<String>,
}

impl Outcome {
    /// Adds what another generator found at the same time with a server of its own.
    pub(crate) fn add(&mut self, other: Self) {
        self.seconds = self.seconds.max(other.seconds);
        for (own, others) in [
            (&mut self.offered, other.offered),
            (&mut self.refused, other.refused),
            (&mut self.acked, other.acked),
            (&mut self.acks_in_time, other.acks_in_time),
            (&mut self.delivered, other.delivered),
            (&mut self.lost, other.lost),
            (&mut self.duplicated, other.duplicated),
            (&mut self.reordered, other.reordered),
        ] {
            *own += others;
        }
        self.ack.add(&other.ack);
        self.delivery.add(&other.delivery);
        self.lag.add(&other.lag);
        self.server_cpu = self.server_cpu.zip(other.server_cpu).map(|(own, others)| own + others);
        self.generator_cpu += other.generator_cpu;
        self.void_reason = self.void_reason.take().or(other.void_reason);
    }

    pub(crate) fn counts(&self) -> Counts {
        Counts {
            offered: self.offered,
            accepted: self.offered - self.refused.min(self.offered),
            acked: self.acked,
            delivered: self.delivered,
            lost: self.lost,
            duplicated: self.duplicated,
            reordered: self.reordered,
            refused: self.refused,
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

    /// Both streams rise through the same places.
    fn compare(&mut self) {
        if self.acked_at.0 == self.delivered_at.0 && self.acked_at.1 != self.delivered_at.1 {
            self.misplaced += 1;
        }
    }
}

/// CPU times at one moment.
#[derive(Debug, Clone, Copy)]
struct Reading {
    at: Instant,
    server: Option<Duration>,
    generator: Duration,
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
    offered: u64,
    refused: u64,
    acked: u64,
    acks_in_time: u64,
    delivered: u64,
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
            offered: 0,
            refused: 0,
            acked: 0,
            acks_in_time: 0,
            delivered: 0,
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
        let (mut began, mut ended): (Option<Reading>, Option<Reading>) = (None, None);
        loop {
            let now_ns = self.now_ns();
            if began.is_none() && now_ns >= self.from_ns {
                began = Some(self.reading());
            }
            self.send_due()?;
            if ended.is_none() && now_ns >= self.to_ns {
                ended = Some(self.reading());
                self.sending = false;
            }
            if ended.is_some()
                && (now_ns >= drained_ns || self.visitors.iter().all(Visitor::is_done))
            {
                break;
            }
            let mut wake_ns = if ended.is_some() { now_ns + 1_000_000 } else { self.to_ns };
            if began.is_none() {
                wake_ns = wake_ns.min(self.from_ns);
            }
            if let Some(schedule) = self.schedule.as_ref().filter(|_| self.sending) {
                wake_ns = wake_ns.min(schedule.due_ns());
            }
            progress.tell(|| format!("{:.0} s  {} acked", now_ns as f64 / 1e9, self.acked_ever));
            let wait = Duration::from_nanos(wake_ns.saturating_sub(self.now_ns()));
            self.turn(&mut ready, wait)?;
        }
        let now = self.reading();
        Ok(self.outcome(plan, began.unwrap_or(now), ended.unwrap_or(now)))
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

    fn reading(&self) -> Reading {
        Reading { at: Instant::now(), server: self.server.cpu(), generator: of_this_thread() }
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
                self.offered += u64::from(self.is_measured(due_ns));
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
        self.offered += u64::from(self.is_measured(due_ns));
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
                    self.delivered += 1;
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
                        self.acked += 1;
                        self.ack.record_ns(now_ns.saturating_sub(due_ns));
                    }
                    self.go_on(visitor, now_ns);
                }
            }
            Happened::Refused { .. } => {
                state.acks.note(number);
                if let Some(due_ns) = take(&mut state.in_flight, number) {
                    state.refused += 1;
                    self.refused += u64::from(self.is_measured(due_ns));
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

    fn outcome(self, plan: Plan, began: Reading, ended: Reading) -> Outcome {
        let seconds = (ended.at - began.at).as_secs_f64();
        let generator_cpu = ended.generator.saturating_sub(began.generator);
        let server_cpu =
            began.server.zip(ended.server).map(|(before, after)| after.saturating_sub(before));
        let sum = |of: fn(&Visitor) -> u64| self.visitors.iter().map(of).sum();
        let cores = generator_cpu.as_secs_f64() / seconds.max(f64::MIN_POSITIVE);
        let usage = Usage {
            generator_cores: cores,
            server_cores: server_cpu.map(|cpu| cpu.as_secs_f64() / seconds.max(f64::MIN_POSITIVE)),
            overrun: self.overrun,
            lag_ms: self.lag.percentile_ms(99.0),
        };
        let void_reason = usage.void_reason(&plan);
        Outcome {
            seconds,
            offered: self.offered,
            refused: self.refused,
            acked: self.acked,
            acks_in_time: self.acks_in_time,
            delivered: self.delivered,
            lost: sum(|visitor| {
                // A refused message has an answer and no delivery.
                let undelivered = visitor.deliveries.missing(visitor.sent);
                let unanswered = visitor.acks.missing(visitor.sent);
                undelivered.saturating_sub(visitor.refused).max(unanswered)
            }),
            duplicated: sum(|visitor| visitor.acks.duplicated + visitor.deliveries.duplicated),
            reordered: sum(|visitor| {
                visitor.acks.reordered + visitor.deliveries.reordered + visitor.misplaced
            }),
            ack: self.ack,
            delivery: self.delivery,
            lag: self.lag,
            windows: self.windows,
            gaps: self.gaps,
            server_cpu,
            generator_cpu,
            void_reason,
        }
    }
}

/// What tells whether a run says something about its server.
#[derive(Debug, Clone, Copy)]
struct Usage {
    /// Of one core.
    generator_cores: f64,
    server_cores: Option<f64>,
    /// A visitor had as many messages in flight as there may be.
    overrun: bool,
    /// How late messages were sent, 99 of 100.
    lag_ms: f64,
}

impl Usage {
    /// Why the run says nothing.
    fn void_reason(&self, plan: &Plan) -> Option<String> {
        let server_full =
            matches!(plan.load, Load::Closed) && is_full(self.server_cores, plan.pinned);
        if self.overrun {
            return Some(format!("{IN_FLIGHT_MAX} messages of a visitor were in flight"));
        }
        if self.generator_cores >= CORE_MAX && !server_full {
            return Some(too_busy(self.generator_cores));
        }
        (self.lag_ms >= LAG_MAX_MS).then(|| {
            format!("the generator sent {:.1} ms late (99 of 100 messages less)", self.lag_ms)
        })
    }
}

/// At the peak of a floor both ends of a connection do the same work, so both are full.
fn is_full(server_cores: Option<f64>, pinned: bool) -> bool {
    pinned && server_cores.is_some_and(|cores| cores >= SERVER_FULL)
}

fn too_busy(generator_cores: f64) -> String {
    format!("the generator used {:.0} % of its core", generator_cores * 100.0)
}

/// Why a closed loop of any scenario says nothing about its server.
pub(crate) fn closed_loop_void(
    generator_cores: f64,
    server_cores: Option<f64>,
    pinned: bool,
) -> Option<String> {
    (generator_cores >= CORE_MAX && !is_full(server_cores, pinned))
        .then(|| too_busy(generator_cores))
}

/// The times of an open loop.
#[derive(Debug)]
struct Schedule {
    interval_ns: f64,
    step: Option<Step>,
    next: u64,
    /// When the next message is due.
    at_ns: f64,
}

/// A time of another rate.
#[derive(Debug)]
struct Step {
    interval_ns: f64,
    /// When it begins and ends, in ns since the beginning.
    within: Range<u64>,
}

impl Schedule {
    fn new(rate: u32, step: Option<Step>) -> Self {
        Self { interval_ns: interval_ns(rate), step, next: 0, at_ns: 0.0 }
    }

    fn due_ns(&self) -> u64 {
        self.at_ns as u64
    }

    fn advance(&mut self) {
        let due_ns = self.due_ns();
        let step = self.step.as_ref().filter(|step| step.within.contains(&due_ns));
        self.at_ns += step.map_or(self.interval_ns, |step| step.interval_ns);
        self.next += 1;
    }
}

fn interval_ns(rate: u32) -> f64 {
    1e9 / f64::from(rate.max(1))
}

/// Takes a message out of those in flight: nearly always the oldest.
fn take(in_flight: &mut VecDeque<(u64, u64)>, number: u64) -> Option<u64> {
    let place = in_flight.iter().position(|(waiting, _)| *waiting == number)?;
    in_flight.remove(place).map(|(_, due_ns)| due_ns)
}

fn ns(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schedule_has_its_rate_and_within_a_step_the_other() {
        let step = Step { interval_ns: interval_ns(500), within: 1_000_000_000..2_000_000_000 };
        let mut schedule = Schedule::new(100, Some(step));
        let mut due = [0; 4];
        while schedule.due_ns() < 3_999_000_000 {
            due[(schedule.due_ns() / 1_000_000_000) as usize] += 1;
            schedule.advance();
        }
        assert_eq!(due, [100, 500, 100, 100]);
    }

    #[test]
    fn a_run_is_void_when_the_generator_is_its_limit() {
        let open = Load::Open { rate: 1 };
        for (load, pinned, generator_cores, server_cores, lag_ms, overrun, void) in [
            (Load::Closed, true, 0.89, Some(0.5), 0.0, false, false),
            (Load::Closed, true, 0.91, Some(0.96), 0.0, false, true),
            (Load::Closed, true, 0.99, None, 0.0, false, true),
            // Both are full: the server's peak.
            (Load::Closed, true, 0.99, Some(0.98), 0.0, false, false),
            // On more cores than one nobody knows when a server is full.
            (Load::Closed, false, 0.99, Some(0.98), 0.0, false, true),
            // A busy generator is late, and its lateness is in the latencies.
            (open, true, 0.99, Some(0.98), 0.0, false, true),
            (open, true, 0.5, Some(0.5), 1.0, false, true),
            (open, true, 0.5, Some(0.5), 0.9, true, true),
            (open, true, 0.5, Some(0.5), 0.9, false, false),
        ] {
            let usage = Usage { generator_cores, server_cores, overrun, lag_ms };
            let plan = Plan {
                load,
                warm_up: Duration::ZERO,
                measured: Duration::ZERO,
                drain_max: Duration::ZERO,
                pinned,
            };
            assert_eq!(usage.void_reason(&plan).is_some(), void, "{usage:?} {plan:?}");
        }
    }
}
