//! The scenario `idle` at size: more connections than a process may have files, held by several servers
//! and as many generators, while some of the visitors, chosen by chance, write on a schedule. This
//! process only tells the generators what to do and reads what the servers cost.

mod pipe;
mod worker;

use std::{
    process::Command as Program,
    time::{Duration, Instant},
};

use serde::Serialize;

pub use worker::crowd_worker;

use crate::{
    child::Running,
    cpu::Process,
    error::{Error, io},
    generator::Outcome,
    idle::kernel_slab_bytes,
    launch::{Endpoint, Server},
    poll::Poller,
    progress::Progress,
    report::{Counts, Latency},
    text::Subject,
};
use pipe::{Answer, Begin, Command};

/// The first reading of memory is at one of so many connections.
const LOW_SHARE: u32 = 10;
/// Conversations of an agent.
const PER_AGENT: u32 = 50;

/// What to run.
#[derive(Debug, Clone)]
pub struct CrowdOptions {
    /// Authenticated connections of all processes together.
    pub connections: u32,
    /// How many of them one server, and one generator, may hold: each is an open file of both.
    pub per_process: u32,
    /// Visitors among them who write; nobody if 0.
    pub chatting: u32,
    /// Their messages per second, all together.
    pub rate: u32,
    /// Bytes of text.
    pub text_bytes: usize,
    /// Quiet time before memory is read.
    pub settle: Duration,
    /// How long all of them are held before somebody writes.
    pub hold: Duration,
    /// Time of writing before it is measured.
    pub warm_up: Duration,
    /// Measured time of writing.
    pub measured: Duration,
    /// How long the last acks and deliveries may take before they count as lost.
    pub drain_max: Duration,
}

impl CrowdOptions {
    /// The published shape: 17,000 connections a process, who writes sends one message a second.
    pub fn new(connections: u32, chatting: u32) -> Self {
        Self {
            connections,
            per_process: 17_000,
            chatting,
            rate: chatting,
            text_bytes: 200,
            settle: Duration::from_secs(2),
            hold: Duration::ZERO,
            warm_up: Duration::from_secs(2),
            measured: Duration::from_secs(30),
            drain_max: Duration::from_secs(10),
        }
    }
}

/// What was found, as `--json` prints it. Memory and CPU are those of all servers together.
#[derive(Debug, Clone, Serialize)]
pub struct CrowdReport {
    /// `idle`.
    pub scenario: &'static str,
    /// Authenticated connections.
    pub connections: u32,
    /// Servers, and as many generators.
    pub processes: u32,
    /// Connections opened, upgraded and welcomed per second.
    pub connected_per_s: f64,
    /// Resident memory with all of them.
    pub server_rss_bytes: Option<u64>,
    /// Resident memory one more connection costs: the slope from a tenth of them to all.
    pub bytes_per_connection: Option<f64>,
    /// The same of the kernel's objects on the servers' side: half of what the system's grew by.
    pub slab_bytes_per_connection: Option<f64>,
    /// Resident memory and kernel's objects of the servers, to the kernel's objects alone.
    pub memory_to_slab: Option<f64>,
    /// How long all were held before somebody wrote.
    pub held_s: f64,
    /// CPU microseconds of the servers per connection and second meanwhile, pings included.
    pub idle_cpu_us_per_s: Option<f64>,
    /// What those who write found.
    #[serde(flatten)]
    pub chat: Option<CrowdChat>,
}

/// Writing in the midst of a crowd.
#[derive(Debug, Clone, Serialize)]
pub struct CrowdChat {
    /// Who writes.
    pub chatting: u32,
    /// Who reads.
    pub agents: u32,
    /// Messages per second the schedule asked for.
    pub rate: u32,
    /// Bytes of each message's text.
    pub text_bytes: usize,
    /// An acked message is on disk.
    pub durable: bool,
    /// Measured time.
    pub seconds: f64,
    /// What became of the messages.
    #[serde(flatten)]
    pub counts: Counts,
    /// Acks that came within the measured time, per second.
    pub acked_per_s: f64,
    /// From the due time to the ack.
    pub ack: Latency,
    /// From the due time to the arrival at the agent.
    pub delivery: Latency,
    /// CPU seconds of the servers per million acked messages, the pings of all others included.
    pub server_cpu_s_per_million: Option<f64>,
    /// CPU seconds of the generators per million acked messages.
    pub generator_cpu_s_per_million: Option<f64>,
    /// How late the generators sent, 99 of 100 messages.
    pub schedule_lag_p99_ms: f64,
    /// The run says nothing about the servers.
    pub void: bool,
    /// Why.
    pub void_reason: Option<String>,
}

impl CrowdReport {
    /// Nothing was lost, doubled, out of order or refused.
    pub fn is_clean(&self) -> bool {
        self.chat.as_ref().is_none_or(|chat| chat.counts.is_clean())
    }
}

/// Runs it once. `launch` starts a server for each generator, or names the one that runs elsewhere;
/// `generator` is a process that calls [`crowd_worker`].
pub fn crowd(
    options: &CrowdOptions,
    generator: &dyn Fn() -> Program,
    launch: &mut dyn FnMut(Subject) -> Result<Server, Error>,
) -> Result<CrowdReport, Error> {
    if options.connections == 0 || options.per_process == 0 {
        return Err(Error::Options("a run needs connections"));
    }
    if options.chatting > options.connections {
        return Err(Error::Options("more visitors write than there are"));
    }
    if options.chatting > 0 && (options.measured.is_zero() || options.rate == 0) {
        return Err(Error::Options("a run needs messages and time"));
    }
    let count = options.connections.div_ceil(options.per_process);
    let mut members = Vec::new();
    let mut servers = Vec::new();
    for place in 0..count {
        let server = launch(Subject::Product)?;
        members.push(Member::start(generator(), &server, options, place, count)?);
        servers.push(server);
    }
    let crowd = Crowd {
        options,
        members,
        processes: servers.iter().map(|s| Process::new(s.pid)).collect(),
    };
    crowd.run()
}

/// The part of a whole that is this process's.
fn share(whole: u32, place: u32, count: u32) -> u32 {
    whole / count + u32::from(place < whole % count)
}

/// A generator with its server.
struct Member {
    process: Running,
    place: u32,
    agents: u32,
}

impl Member {
    fn start(
        mut program: Program,
        server: &Server,
        options: &CrowdOptions,
        place: u32,
        count: u32,
    ) -> Result<Self, Error> {
        let Endpoint::Product(access) = &server.endpoint else {
            return Err(Error::Options("only the product has authenticated connections"));
        };
        let process = Running::start(&mut program, "run a generator")?;
        let chatting = share(options.chatting, place, count);
        let agents = chatting.div_ceil(PER_AGENT);
        let mut member = Self { process, place, agents };
        member.ask(&Command::Begin(Begin {
            base_url: access.base_url.clone(),
            admin_email: access.admin_email.clone(),
            admin_password: access.admin_password.clone(),
            inbox_key: access.inbox_key.clone(),
            server_pid: server.pid,
            agents,
            chatting,
            text_bytes: options.text_bytes,
        }))?;
        member.answer()?;
        Ok(member)
    }

    fn ask(&mut self, command: &Command) -> Result<(), Error> {
        pipe::write(&mut self.process.stdin, command)
    }

    fn answer(&mut self) -> Result<Option<Outcome>, Error> {
        let what = "a generator";
        match pipe::read(&mut self.process.stdout)? {
            Some(Answer::Done) => Ok(None),
            Some(Answer::Found(outcome)) => Ok(Some(*outcome)),
            Some(Answer::Failed(reason)) => Err(Error::Launch { what, reason }),
            None => Err(Error::Launch { what, reason: "it ended before its answer".to_owned() }),
        }
    }
}

/// What the servers use at one moment.
#[derive(Debug, Clone, Copy)]
struct Reading {
    rss: Option<u64>,
    slab: Option<u64>,
}

struct Crowd<'a> {
    options: &'a CrowdOptions,
    members: Vec<Member>,
    processes: Vec<Process>,
}

impl Crowd<'_> {
    fn run(mut self) -> Result<CrowdReport, Error> {
        let all = self.options.connections;
        let low = all / LOW_SHARE;
        self.grow(low)?;
        self.hold(self.options.settle)?;
        let first = self.reading();
        let connecting = Instant::now();
        self.grow(all)?;
        let connecting = connecting.elapsed();
        self.hold(self.options.settle)?;
        let second = self.reading();

        let (held, before) = (Instant::now(), self.cpu());
        self.hold(self.options.hold)?;
        let cpu = before.zip(self.cpu()).map(|(before, after)| after.saturating_sub(before));
        let held_s = held.elapsed().as_secs_f64();

        let more = f64::from(all - low);
        let slope = |low: Option<u64>, high: Option<u64>| {
            low.zip(high).map(|(low, high)| (high as f64 - low as f64) / more)
        };
        // The generators' ends of the connections are on this machine too, unless the server is elsewhere.
        let slab_each = slope(first.slab, second.slab).map(|slab| slab / 2.0);
        let slab_all = slab_each.map(|slab| slab * f64::from(all)).filter(|slab| *slab > 0.0);
        Ok(CrowdReport {
            scenario: "idle",
            connections: all,
            processes: self.members.len() as u32,
            connected_per_s: more / connecting.as_secs_f64().max(f64::MIN_POSITIVE),
            server_rss_bytes: second.rss,
            bytes_per_connection: slope(first.rss, second.rss),
            slab_bytes_per_connection: slab_each.filter(|_| second.rss.is_some()),
            memory_to_slab: second.rss.zip(slab_all).map(|(rss, slab)| (rss as f64 + slab) / slab),
            held_s: self.options.hold.as_secs_f64(),
            idle_cpu_us_per_s: cpu
                .filter(|_| !self.options.hold.is_zero())
                .map(|cpu| cpu.as_secs_f64() * 1e6 / held_s / f64::from(all)),
            chat: (self.options.chatting > 0).then(|| self.chat()).transpose()?,
        })
    }

    fn chat(&mut self) -> Result<CrowdChat, Error> {
        let options = self.options;
        self.all(|place, count| Command::Open { chatting: share(options.chatting, place, count) })?;
        let found = self.all(|place, count| Command::Run {
            rate: share(options.rate, place, count).max(1),
            warm_up_s: options.warm_up.as_secs_f64(),
            measured_s: options.measured.as_secs_f64(),
            drain_max_s: options.drain_max.as_secs_f64(),
        })?;
        let whole = found.into_iter().reduce(|mut whole, part| {
            whole.add(part);
            whole
        });
        let outcome = whole.ok_or(Error::Malformed { what: "what a generator found" })?;
        let per_million = |cpu: Duration| {
            (outcome.acks_in_time > 0)
                .then(|| cpu.as_secs_f64() * 1e6 / outcome.acks_in_time as f64)
        };
        Ok(CrowdChat {
            chatting: options.chatting,
            agents: self.members.iter().map(|member| member.agents).sum(),
            rate: options.rate,
            text_bytes: options.text_bytes,
            durable: true,
            seconds: outcome.seconds,
            counts: outcome.counts(),
            acked_per_s: outcome.acks_in_time as f64 / outcome.seconds.max(f64::MIN_POSITIVE),
            ack: outcome.ack.summary(),
            delivery: outcome.delivery.summary(),
            server_cpu_s_per_million: outcome.server_cpu.and_then(per_million),
            generator_cpu_s_per_million: per_million(outcome.generator_cpu),
            schedule_lag_p99_ms: outcome.lag.percentile_ms(99.0),
            void: outcome.void_reason.is_some(),
            void_reason: outcome.void_reason,
        })
    }

    fn grow(&mut self, to: u32) -> Result<(), Error> {
        self.all(|place, count| Command::Grow { to: share(to, place, count) }).map(drop)
    }

    /// Gives every generator its command, then waits for all answers.
    fn all(&mut self, command: impl Fn(u32, u32) -> Command) -> Result<Vec<Outcome>, Error> {
        let count = self.members.len() as u32;
        for member in &mut self.members {
            member.ask(&command(member.place, count))?;
        }
        let mut found = Vec::new();
        for member in &mut self.members {
            found.extend(member.answer()?);
        }
        Ok(found)
    }

    /// Waits while the generators hold their connections; only one that gives up says anything.
    fn hold(&mut self, time: Duration) -> Result<(), Error> {
        let mut poller = Poller::new(1).map_err(io("poll"))?;
        for member in &self.members {
            poller.add(member.process.stdout.get_ref(), member.place.into()).map_err(io("poll"))?;
        }
        let (ends, mut ready, mut progress) = (Instant::now() + time, Vec::new(), Progress::new());
        loop {
            let left = ends.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            progress.tell(|| format!("holds for another {} s", left.as_secs()));
            poller.wait(&mut ready, Some(left.min(Duration::from_secs(1)))).map_err(io("poll"))?;
            if let Some(early) = ready.first() {
                self.members[early.key as usize].answer()?;
                return Err(Error::Malformed { what: "silence of a generator that holds" });
            }
        }
    }

    fn reading(&self) -> Reading {
        let rss = self.processes.iter().map(|process| process.rss_bytes()).sum();
        Reading { rss, slab: kernel_slab_bytes() }
    }

    fn cpu(&self) -> Option<Duration> {
        self.processes.iter().map(|process| process.cpu()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_the_whole() {
        for (whole, count) in [(100_000, 6), (7, 7), (3, 5), (0, 2)] {
            let shares: Vec<u32> = (0..count).map(|place| share(whole, place, count)).collect();
            assert_eq!(shares.iter().sum::<u32>(), whole);
            let (least, most) = (shares.iter().min(), shares.iter().max());
            assert!(most.zip(least).is_some_and(|(most, least)| most - least <= 1), "{shares:?}");
        }
    }
}
