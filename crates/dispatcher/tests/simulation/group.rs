//! The group of owners: says which node owns which partition, as a Kafka consumer group does (ADR 034).
//!
//! A member that is silent for too long is taken for dead and its partitions are given to others at once, whatever
//! it believes: a member that hears nothing keeps what it has. From one that is there a partition is taken once
//! it says that it let go, or after a while.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use parking_lot::Mutex;
use turmoil::net::UdpSocket;

use crate::{
    chance::Chance,
    wire::{BYTES, Message, PORT, now_ms, open, post},
    world::PARTITIONS,
};

const SESSION_TIMEOUT_MS: i64 = 300;
const HANDOVER_TIMEOUT_MS: i64 = 1_000;

#[derive(Debug)]
pub(crate) struct Group {
    members: BTreeMap<usize, Member>,
    held: BTreeMap<u16, Held>,
    /// Which of the members that are there a partition goes to.
    wishes: BTreeMap<u16, u64>,
    version: u64,
    chance: Chance,
    pub(crate) moves: u64,
}

#[derive(Debug)]
struct Member {
    life: u64,
    heard_ms: i64,
    seen: u64,
    holds: BTreeSet<u16>,
}

/// Who has a partition, and since when and which version he is asked to let go.
#[derive(Debug, Clone, Copy)]
struct Held {
    node: usize,
    life: u64,
    revoked: Option<(i64, u64)>,
}

impl Group {
    pub(crate) fn new(mut chance: Chance) -> Self {
        let wishes = (0..PARTITIONS).map(|partition| (partition, chance.next())).collect();
        let (members, held) = (BTreeMap::new(), BTreeMap::new());
        Self { members, held, wishes, version: 0, chance, moves: 0 }
    }

    /// Gives every partition to somebody, perhaps to another one.
    pub(crate) fn rebalance(&mut self) {
        for wish in self.wishes.values_mut() {
            *wish = self.chance.next();
        }
    }

    fn is_there(&self, held: &Held) -> bool {
        let member = self.members.get(&held.node);
        member.is_some_and(|of| of.life == held.life && is_fresh(of))
    }

    fn decide(&mut self) {
        let there: Vec<(usize, u64)> = self
            .members
            .iter()
            .filter(|(_, member)| is_fresh(member))
            .map(|(node, member)| (*node, member.life))
            .collect();
        if there.is_empty() {
            return;
        }
        for partition in 0..PARTITIONS {
            let (node, life) = there[(self.wishes[&partition] % there.len() as u64) as usize];
            let given = Held { node, life, revoked: None };
            let Some(held) = self.held.get(&partition).copied() else {
                self.give(partition, given);
                continue;
            };
            if !self.is_there(&held) {
                self.give(partition, given);
            } else if let Some((since_ms, version)) = held.revoked {
                let member = &self.members[&held.node];
                let has_let_go = member.seen >= version && !member.holds.contains(&partition);
                if has_let_go || now_ms() - since_ms > HANDOVER_TIMEOUT_MS {
                    self.give(partition, given);
                }
            } else if held.node != node {
                self.version += 1;
                let revoked = Some((now_ms(), self.version));
                self.held.insert(partition, Held { revoked, ..held });
            }
        }
    }

    fn give(&mut self, partition: u16, held: Held) {
        self.version += 1;
        self.moves += 1;
        self.held.insert(partition, held);
    }

    fn beat(&mut self, node: usize, member: Member) -> Message {
        let life = member.life;
        self.members.insert(node, member);
        self.decide();
        let is_its = |held: &Held| (held.node, held.life) == (node, life) && held.revoked.is_none();
        let its = self.held.iter().filter(|(_, held)| is_its(held));
        Message::Assigned {
            version: self.version,
            partitions: its.map(|(partition, _)| *partition).collect(),
        }
    }
}

fn is_fresh(member: &Member) -> bool {
    now_ms() - member.heard_ms <= SESSION_TIMEOUT_MS
}

pub(crate) async fn serve(group: Arc<Mutex<Group>>) -> turmoil::Result {
    let socket = UdpSocket::bind(("0.0.0.0", PORT)).await?;
    let mut bytes = [0; BYTES];
    loop {
        let (_, from) = socket.recv_from(&mut bytes).await?;
        let Message::Beat { node, life, seen, holds } = open(bytes) else {
            panic!("the group was told something else");
        };
        let member = Member { life, heard_ms: now_ms(), seen, holds };
        let answer = group.lock().beat(node, member);
        socket.send_to(&post(answer), from).await?;
    }
}
