//! One run: three nodes, the engines, the clients and the plan of faults, from one seed.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeSet,
    rc::Rc,
    sync::Arc,
    time::Duration,
};

use parking_lot::Mutex;
use turmoil::{Builder, Sim};

use crate::{
    broker::{self, Broker},
    chance::Chance,
    checker, client,
    database::{self, Database},
    faults::{self, Step},
    group::{self, Group},
    journal::{Counts, Journal},
    model, node,
    wire::{self, GROUP, HISTORY, LOG, Part},
};

pub(crate) const NODES: [&str; 3] = ["node-1", "node-2", "node-3"];
/// Where all visitors are, and all agents.
pub(crate) const CLIENTS: [&str; 2] = ["visitors", "agents"];
pub(crate) const PARTITIONS: u16 = 3;
/// Conversations of each partition, and messages of each who takes part in one.
const CONVERSATIONS: usize = 2;
pub(crate) const MESSAGES: u64 = 14;

const TICK: Duration = Duration::from_millis(5);
/// How long after the last fault everything has come to rest, and how often that is looked at.
const REST_WITHIN_MS: u64 = 20_000;
const LOOK_EVERY_MS: u64 = 100;

/// Something that is wrong on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Defect {
    /// The history writes whatever it is given, whoever gives it.
    NoFence,
    /// The history does not find what was sent.
    NoDedupe,
    /// The log takes its records for the next ones, whatever lies before them.
    NoOvertake,
    /// The log says that records are durable when they are handed over.
    EarlyAck,
}

/// What came of a run, or of several.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) acked: u64,
    pub(crate) counts: Counts,
    pub(crate) moves: u64,
    pub(crate) fenced: u64,
    /// Of the log and of all timelines.
    pub(crate) digest: u64,
    pub(crate) violations: BTreeSet<String>,
}

impl Outcome {
    pub(crate) fn failed(words: String) -> Self {
        Self { violations: BTreeSet::from([words]), ..Self::default() }
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.acked += other.acked;
        self.counts.add(other.counts);
        self.moves += other.moves;
        self.fenced += other.fenced;
        self.digest ^= other.digest;
        self.violations.extend(other.violations);
    }

    /// Whether everything came about that runs are made for.
    pub(crate) fn is_eventful(&self) -> bool {
        self.fenced > 0 && self.counts.all().into_iter().all(|count| count > 0)
    }
}

/// What hosts of a run share: engines outlive their hosts, and the journal sees everything.
pub(crate) struct World {
    pub(crate) seed: u64,
    pub(crate) defect: Option<Defect>,
    pub(crate) broker: Arc<Mutex<Broker>>,
    pub(crate) database: Arc<Mutex<Database>>,
    pub(crate) group: Arc<Mutex<Group>>,
    pub(crate) journal: RefCell<Journal>,
    numbers: Cell<u64>,
}

impl World {
    pub(crate) fn run(seed: u64, defect: Option<Defect>) -> Outcome {
        wire::clear();
        let world = Rc::new(Self {
            seed,
            defect,
            broker: Arc::default(),
            database: Arc::new(Mutex::new(Database::new(defect))),
            group: Arc::new(Mutex::new(Group::new(Chance::new(seed, 1)))),
            journal: RefCell::default(),
            numbers: Cell::new(0),
        });
        let mut chance = Chance::new(seed, 2);
        let mut sim = Builder::new()
            .rng_seed(seed)
            .tick_duration(TICK)
            .simulation_duration(Duration::from_hours(1))
            .min_message_latency(Duration::from_millis(1))
            .max_message_latency(Duration::from_millis(chance.within(5, 50)))
            .tcp_capacity(4_096)
            .udp_capacity(4_096)
            .enable_random_order()
            .build();
        world.add_hosts(&mut sim);
        let mut plan = faults::plan(&mut chance).into_iter().peekable();
        loop {
            let at = sim.elapsed().as_millis() as u64;
            while let Some((_, step)) = plan.next_if(|(due, _)| *due <= at) {
                world.begin(&mut sim, step);
            }
            if let Err(error) = sim.step() {
                return Outcome::failed(format!("a host failed: {error}"));
            }
            if !world.journal.borrow().violations.is_empty() {
                break;
            }
            if plan.peek().is_some() || at < faults::END_MS || !at.is_multiple_of(LOOK_EVERY_MS) {
                continue;
            }
            let is_late = at > faults::END_MS + REST_WITHIN_MS;
            if world.is_said() || is_late {
                let mut differences = checker::differences(&world);
                if !world.is_said() {
                    differences.push("somebody has no answer".to_owned());
                }
                if differences.is_empty() {
                    break;
                }
                if is_late {
                    world.journal.borrow_mut().violations.extend(differences);
                    break;
                }
            }
        }
        world.outcome()
    }

    fn add_hosts(self: &Rc<Self>, sim: &mut Sim<'_>) {
        let group = Arc::clone(&self.group);
        sim.host(GROUP, move || group::serve(Arc::clone(&group)));
        let broker = Arc::clone(&self.broker);
        sim.host(LOG, move || broker::serve(Arc::clone(&broker)));
        let database = Arc::clone(&self.database);
        sim.host(HISTORY, move || database::serve(Arc::clone(&database)));
        for (number, name) in NODES.into_iter().enumerate() {
            let world = Rc::clone(self);
            sim.host(name, move || node::serve(Rc::clone(&world), number));
        }
        for (name, is_agent) in CLIENTS.into_iter().zip([false, true]) {
            let world = Rc::clone(self);
            sim.host(name, move || {
                let world = Rc::clone(&world);
                async move {
                    let parts = parts().into_iter().filter(|part| part.is_agent == is_agent);
                    let talk =
                        |part| tokio::task::spawn_local(client::talk(Rc::clone(&world), part));
                    let all: Vec<_> = parts.map(talk).collect();
                    for client in all {
                        client.await??;
                    }
                    Ok(())
                }
            });
        }
    }

    fn begin(&self, sim: &mut Sim<'_>, step: Step) {
        match step {
            Step::Cut(a, b) => sim.partition(a, b),
            Step::CutOneWay(a, b) => sim.partition_oneway(a, b),
            Step::Repair(a, b) => sim.repair(a, b),
            Step::Hold(a, b) => sim.hold(a, b),
            Step::Release(a, b) => sim.release(a, b),
            Step::Crash(host) => sim.crash(host),
            Step::Start(host) => sim.bounce(host),
            Step::Rebalance => self.group.lock().rebalance(),
        }
    }

    /// A number that nobody had before.
    pub(crate) fn next_number(&self) -> u64 {
        self.numbers.set(self.numbers.get() + 1);
        self.numbers.get()
    }

    /// Whether everybody has said everything and has an answer.
    fn is_said(&self) -> bool {
        self.journal.borrow().done.len() == parts().len()
    }

    fn outcome(&self) -> Outcome {
        let journal = self.journal.borrow();
        Outcome {
            acked: journal.acks.len() as u64,
            counts: journal.counts,
            moves: self.group.lock().moves,
            fenced: self.database.lock().fenced,
            digest: checker::digest(self),
            violations: journal.violations.clone(),
        }
    }
}

/// Everybody who takes part in a conversation; each partition has as many of these.
pub(crate) fn parts() -> Vec<Part> {
    let of = |partition: u16| {
        (1..=u8::MAX)
            .filter(move |number| {
                let part = Part { conversation: *number, is_agent: false };
                part.partition() == partition
            })
            .take(CONVERSATIONS)
    };
    let conversations = (0..PARTITIONS).flat_map(of);
    conversations
        .flat_map(|conversation| [false, true].map(|is_agent| Part { conversation, is_agent }))
        .collect()
}

/// The part of whoever sent an entry.
pub(crate) fn part_of(conversation: u8, sender: &str) -> Part {
    Part { conversation, is_agent: sender == model::agent().id }
}
