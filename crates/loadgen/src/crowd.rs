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
    descriptors::connections_max,
    error::{Error, io},
    generator::Plan,
    idle::Reading,
    launch::Server,
    meter::Cost,
    outcome::Outcome,
    poll::Poller,
    progress::Progress,
    report::{IdleCost, Report},
    text::{self, Load, Placement, Subject, TextOptions},
};
use pipe::{Answer, Begin, Command};

/// The first reading of memory is at one of so many connections.
const LOW_SHARE: u32 = 10;
/// Conversations of an agent.
const PER_AGENT: u32 = 50;
/// Of who never writes.
const TEXT_BYTES: usize = 200;

/// What to run.
#[derive(Debug, Clone)]
pub struct CrowdOptions {
    /// Authenticated connections of all processes together.
    pub connections: u32,
    /// How many of them one server, and one generator, may hold: each is an open file of both.
    pub per_process: u32,
    /// Quiet time before memory is read.
    pub settle: Duration,
    /// How long all of them are held before somebody writes.
    pub hold: Duration,
    /// Who of them writes then, if anybody does: its visitors are some of the connections.
    pub chat: Option<TextOptions>,
}

impl CrowdOptions {
    /// The published shape: 17,000 connections a process, who writes sends one message a second.
    pub fn new(connections: u32, chatting: u32) -> Self {
        let load = Load::Open { rate: chatting };
        let chat = TextOptions {
            visitors: chatting,
            agents: chatting.div_ceil(PER_AGENT),
            placement: Placement::Free,
            ..TextOptions::new(Subject::Product, load, Duration::from_secs(30))
        };
        Self {
            connections,
            per_process: connections_max().min(17_000),
            settle: Duration::from_secs(2),
            hold: Duration::ZERO,
            chat: (chatting > 0).then_some(chat),
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
    /// Resident memory with all of them.
    pub server_rss_bytes: Option<u64>,
    /// Resident memory and kernel's objects of the servers, to the kernel's objects alone.
    pub memory_to_slab: Option<f64>,
    /// What each costs, by the slope from a tenth of them to all.
    #[serde(flatten)]
    pub cost: IdleCost,
    /// What those who write found.
    pub chat: Option<Report>,
}

impl CrowdReport {
    /// Nothing was lost, doubled, out of order or refused.
    pub fn is_clean(&self) -> bool {
        self.chat.as_ref().is_none_or(Report::is_clean)
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
    if let Some(chat) = &options.chat {
        text::check(chat)?;
        if chat.visitors > options.connections {
            return Err(Error::Options("more visitors write than there are"));
        }
    }
    let count = options.connections.div_ceil(options.per_process);
    Crowd::start(count, options.chat.as_ref(), generator, launch)?.run(options)
}

/// The scenario `text` with more connections than one process may hold.
pub fn text_by_several(
    options: &TextOptions,
    generator: &dyn Fn() -> Program,
    launch: &mut dyn FnMut(Subject) -> Result<Server, Error>,
) -> Result<Report, Error> {
    text::check(options)?;
    let count = options.visitors.saturating_add(options.agents).div_ceil(connections_max());
    let mut crowd = Crowd::start(count, Some(options), generator, launch)?;
    crowd.grow(options.visitors)?;
    crowd.chat(options)
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
        chat: Option<&TextOptions>,
        place: u32,
        count: u32,
    ) -> Result<Self, Error> {
        let access = server.product("only the product has authenticated connections")?;
        let process = Running::start(&mut program, "run a generator")?;
        let chatting = chat.map_or(0, |chat| share(chat.visitors, place, count));
        let agents = match chat {
            Some(chat) if chatting > 0 => share(chat.agents, place, count).max(1),
            _ => 0,
        };
        let mut member = Self { process, place, agents };
        member.ask(&Command::Begin(Begin {
            base_url: access.base_url.clone(),
            admin_email: access.admin_email.clone(),
            admin_password: access.admin_password.clone(),
            inbox_key: access.inbox_key.clone(),
            server_pid: server.pid,
            agents,
            chatting,
            apart: server.pid.is_none() && count > 1,
            text_bytes: chat.map_or(TEXT_BYTES, |chat| chat.text_bytes),
        }))?;
        member.answer()?;
        Ok(member)
    }

    fn ask(&mut self, command: &Command) -> Result<(), Error> {
        let Err(gone) = pipe::write(&mut self.process.stdin, command) else { return Ok(()) };
        // It gave up before it was asked, and has said why.
        self.answer()?;
        Err(gone)
    }

    fn answer(&mut self) -> Result<Option<Outcome>, Error> {
        match pipe::read(&mut self.process.stdout)? {
            Some(Answer::Done) => Ok(None),
            Some(Answer::Found(outcome)) => Ok(Some(*outcome)),
            Some(Answer::Failed(reason)) => Err(Error::Generator { reason }),
            None => Err(Error::Generator { reason: "it ended before its answer".to_owned() }),
        }
    }
}

struct Crowd {
    members: Vec<Member>,
    servers: Vec<Server>,
}

impl Crowd {
    fn start(
        count: u32,
        chat: Option<&TextOptions>,
        generator: &dyn Fn() -> Program,
        launch: &mut dyn FnMut(Subject) -> Result<Server, Error>,
    ) -> Result<Self, Error> {
        let subject = chat.map_or(Subject::Product, |chat| chat.subject);
        let (mut members, mut servers) = (Vec::new(), Vec::new());
        for place in 0..count {
            let server = launch(subject)?;
            members.push(Member::start(generator(), &server, chat, place, count)?);
            servers.push(server);
        }
        Ok(Self { members, servers })
    }

    fn run(mut self, options: &CrowdOptions) -> Result<CrowdReport, Error> {
        let all = options.connections;
        let low = all / LOW_SHARE;
        self.grow(low)?;
        self.hold(options.settle)?;
        let first = Reading::of(self.processes(), low);
        let connecting = Instant::now();
        self.grow(all)?;
        let connecting = connecting.elapsed();
        self.hold(options.settle)?;
        let second = Reading::of(self.processes(), all);
        let (held, before) = (Instant::now(), self.cpu());
        self.hold(options.hold)?;
        let held = Cost {
            seconds: held.elapsed().as_secs_f64(),
            server_cpu: before.zip(self.cpu()).map(|(b, a)| a.saturating_sub(b)),
            generator_cpu: Duration::ZERO,
        };
        let more = f64::from(all - low);
        let cost = IdleCost {
            connected_per_s: more / connecting.as_secs_f64().max(f64::MIN_POSITIVE),
            ..second.cost_since(&first, options.hold, held)
        };
        let slab = cost.slab_bytes_per_connection.map(|slab| slab * f64::from(all));
        let slab = slab.filter(|slab| *slab > 0.0);
        Ok(CrowdReport {
            scenario: "idle",
            connections: all,
            processes: self.members.len() as u32,
            server_rss_bytes: second.rss,
            memory_to_slab: second.rss.zip(slab).map(|(rss, slab)| (rss as f64 + slab) / slab),
            cost,
            chat: options.chat.as_ref().map(|chat| self.chat(chat)).transpose()?,
        })
    }

    fn chat(&mut self, options: &TextOptions) -> Result<Report, Error> {
        let rss_before = self.rss();
        self.all(|place, count| Command::Open { chatting: share(options.visitors, place, count) })?;
        let found = self.all(|place, count| {
            let load = match options.load {
                // Whoever has nobody who writes has nothing to send either.
                Load::Open { rate } => {
                    Load::Open { rate: share(rate, place, count.min(options.visitors)).max(1) }
                }
                load => load,
            };
            Command::Run(Plan { load, ..Plan::of(options) })
        })?;
        let whole = found.into_iter().reduce(|mut whole, part| {
            whole.add(part);
            whole
        });
        let outcome = whole.ok_or(Error::Malformed { what: "what a generator found" })?;
        let agents = self.members.iter().map(|member| member.agents).sum();
        let options = TextOptions { agents, ..options.clone() };
        let rss = [rss_before, self.rss()];
        Ok(text::report(&options, &outcome, self.members.len() as u32, false, rss))
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

    fn processes(&self) -> impl Iterator<Item = Process> {
        self.servers.iter().map(|server| Process::new(server.pid))
    }

    fn rss(&self) -> Option<u64> {
        self.processes().map(Process::rss_bytes).sum()
    }

    fn cpu(&self) -> Option<Duration> {
        self.processes().map(Process::cpu).sum()
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
