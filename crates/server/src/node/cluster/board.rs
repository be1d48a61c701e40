//! The notice board: each node says once a second that it is there and what it owns, and reads the same of
//! the others. From that every node knows who owns what, and who is gone.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::Context as _;
use frontdesk_gateway::chat::{loops::Loops, place, port::Command};
use frontdesk_storage_cluster::{KafkaBoard, Notice as Post};
use serde::{Deserialize, Serialize};
use tokio::{sync::mpsc, time::MissedTickBehavior};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{ClusterNode, links::Links, partitions, switch::Desks};
use crate::node::now_ms;

/// How often a node says that it is there.
const EVERY: Duration = Duration::from_secs(1);
/// How long a node counts as there after it said so last.
const GONE_AFTER: Duration = Duration::from_secs(5);
/// How long nothing has to be read for the board to have been away.
const AWAY_AFTER: Duration = Duration::from_secs(3);
/// How long a start listens whether another node has its number: longer than one is silent.
const LISTEN: Duration = Duration::from_millis(2_500);
/// Clocks that are further apart are reported: tokens allow 60 s.
pub(super) const SKEW_MAX_MS: i64 = 10_000;

/// What a node says.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Announcement {
    node: u8,
    life: u64,
    level: u32,
    loops: u16,
    /// Where its HTTP is.
    address: String,
    /// Partitions and the epochs they were taken with.
    owned: BTreeMap<u16, u64>,
    clock_ms: i64,
    /// What it means to say by it.
    sign: Sign,
}

/// What an announcement means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Sign {
    /// It looks whether its number is free; nobody else has to know.
    Asking,
    /// It is there.
    Here,
    /// It leaves.
    Leaving,
}

/// Another node, as last heard of.
struct Peer {
    said: Announcement,
    heard: Instant,
    skew_told: bool,
}

/// Everything a look at the board may change.
struct Board {
    me: Announcement,
    posts: KafkaBoard,
    peers: BTreeMap<u8, Peer>,
    /// When an announcement of this node itself was read last: while none is, the board is away, and
    /// nobody can be called gone.
    heard_self: Instant,
    loops: Arc<Loops>,
    desks: Arc<Desks>,
    links: Arc<Links>,
    nodes: Nodes,
    /// By how much this node's clock is ahead of the brokers', ms; for `/readyz`.
    skew_ms: Arc<AtomicI64>,
    /// The brokers' time when something was last read, and when that was.
    brokers: Option<(i64, Instant)>,
    /// The highest epoch with which each partition was said to be owned.
    epochs: BTreeMap<u16, u64>,
    /// The lowest level of all nodes that are there.
    level: u32,
}

/// Where other nodes' HTTP is.
pub(super) type Nodes = Arc<parking_lot::RwLock<BTreeMap<u8, String>>>;

/// The board, once it is known that no other node has this one's number.
pub(super) struct Free {
    posts: KafkaBoard,
    reader: mpsc::Receiver<Post>,
    /// What was read meanwhile.
    backlog: Vec<Post>,
    me: Announcement,
}

/// Asks whether another node has this one's number, before anything is taken from it.
pub(super) async fn ask(node: &ClusterNode, address: String, loops: u16) -> anyhow::Result<Free> {
    let options = node.kafka.clone();
    let (posts, mut reader) =
        super::blocking(move || KafkaBoard::open(&options)).await?.context("the notice board")?;
    let me = Announcement {
        node: node.number,
        life: node.life,
        level: node.level,
        loops,
        address,
        owned: BTreeMap::new(),
        clock_ms: now_ms(),
        sign: Sign::Asking,
    };
    posts.publish(&me.encoded());
    let until = tokio::time::Instant::now() + LISTEN;
    let (mut asked, mut backlog) = (false, Vec::new());
    while let Ok(Some(post)) = tokio::time::timeout_at(until, reader.recv()).await {
        asked |= me.is_of(&post);
        // One that was killed a moment ago said its last before this node asked.
        if asked {
            me.refuse_double(&post)?;
            me.refuse_distant(&post)?;
        }
        backlog.push(post);
    }
    anyhow::ensure!(asked, "Kafka did not take what this node had to say within {LISTEN:?}");
    Ok(Free { posts, reader, backlog, me })
}

/// Announces this node and follows the others until the process stops.
pub(super) fn start(
    node: &ClusterNode,
    free: Free,
    loops: Arc<Loops>,
    desks: Arc<Desks>,
    links: Arc<Links>,
    partitions: partitions::Handle,
    (tasks, stop): (&TaskTracker, &CancellationToken),
) {
    let Free { posts, reader, backlog, me } = free;
    let mut board = Board {
        me: Announcement { sign: Sign::Here, ..me },
        posts,
        peers: BTreeMap::new(),
        heard_self: Instant::now(),
        loops,
        desks,
        links,
        nodes: Arc::clone(&node.nodes),
        skew_ms: Arc::clone(&node.skew_ms),
        brokers: None,
        epochs: BTreeMap::new(),
        level: node.level,
    };
    // A former life of this node may have said something a moment ago.
    let me = board.me.clone();
    for post in backlog.iter().filter(|post| !me.is_a_life_of(post)) {
        board.take(post);
    }
    tasks.spawn(board.run(reader, partitions, stop.clone()));
}

impl Announcement {
    fn encoded(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("plain values serialize")
    }

    /// Whether this node said it.
    fn is_of(&self, post: &Post) -> bool {
        let said = serde_json::from_slice::<Self>(&post.payload);
        said.is_ok_and(|said| said.node == self.node && said.life == self.life)
    }

    /// Whether a node of this number said it, in whatever life.
    fn is_a_life_of(&self, post: &Post) -> bool {
        serde_json::from_slice::<Self>(&post.payload).is_ok_and(|said| said.node == self.node)
    }

    fn refuse_double(&self, post: &Post) -> anyhow::Result<()> {
        let Ok(said) = serde_json::from_slice::<Self>(&post.payload) else { return Ok(()) };
        let is_double = said.node == self.node && said.life != self.life;
        anyhow::ensure!(
            !is_double || said.sign == Sign::Leaving,
            "another node, at {}, runs under the number {}: give every node a cluster.node of its own",
            said.address,
            said.node
        );
        Ok(())
    }

    /// Nodes that are more than one level apart do not understand each other.
    fn refuse_distant(&self, post: &Post) -> anyhow::Result<()> {
        let Ok(said) = serde_json::from_slice::<Self>(&post.payload) else { return Ok(()) };
        anyhow::ensure!(
            said.sign != Sign::Here || said.level.abs_diff(self.level) <= 1,
            "node {}, at {}, has feature level {}, this one {}: they may be one apart; bring all nodes to the release between \
             them first",
            said.node,
            said.address,
            said.level,
            self.level
        );
        Ok(())
    }

    /// Another process uses this node's number, as this of it says.
    fn report_double(&self) {
        let (node, address) = (self.node, &self.address);
        match self.sign {
            Sign::Asking => tracing::warn!(node, address, "a process asks for this node's number"),
            Sign::Here => {
                tracing::error!(node, address, "another node runs under this node's number");
            }
            Sign::Leaving => {}
        }
    }
}

impl Board {
    async fn run(
        mut self,
        mut posts: mpsc::Receiver<Post>,
        partitions: partitions::Handle,
        stop: CancellationToken,
    ) {
        let mut owned = partitions.owned();
        let mut tick = tokio::time::interval(EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                _ = tick.tick() => {}
                changed = owned.changed() => if changed.is_err() { break },
                post = posts.recv() => match post {
                    Some(post) => {
                        self.take(&post);
                        continue;
                    }
                    None => {
                        tracing::error!("the notice board has ended");
                        break;
                    }
                },
            }
            let now_owned = owned.borrow_and_update().clone();
            self.own(now_owned);
            self.me.clock_ms = now_ms();
            self.publish();
            self.look_for_gone();
        }
        self.me.sign = Sign::Leaving;
        self.me.owned.clear();
        self.publish();
    }

    fn publish(&self) {
        self.posts.publish(&self.me.encoded());
    }

    /// This node's own partitions: its loops know them already.
    fn own(&mut self, owned: BTreeMap<u16, u64>) {
        if owned == self.me.owned {
            return;
        }
        let before = std::mem::replace(&mut self.me.owned, owned);
        let changed: Vec<u16> = (0..self.loops.owners().partitions())
            .filter(|partition| before.get(partition) != self.me.owned.get(partition))
            .collect();
        let owners = self.loops.owners();
        for partition in before.keys().filter(|of| !self.me.owned.contains_key(of)) {
            owners.set(*partition, None);
        }
        self.settle_owners();
        self.moved(&changed);
    }

    /// Whether something was said a moment ago. The brokers' time decides: this node's clock may be wrong.
    fn is_fresh(&self, post: &Post) -> bool {
        self.brokers.is_none_or(|(at_ms, read)| {
            let elapsed_ms = read.elapsed().as_millis() as i64;
            at_ms + elapsed_ms - post.written_ms < GONE_AFTER.as_millis() as i64
        })
    }

    /// This node reads what it wrote itself.
    fn heard_self(&mut self, said: &Announcement, post: &Post) {
        if self.heard_self.elapsed() > AWAY_AFTER {
            // The board was away, for the others too: what they have to say comes in a moment.
            for peer in self.peers.values_mut() {
                peer.heard = Instant::now();
            }
        }
        self.heard_self = Instant::now();
        let skew_ms = said.clock_ms - post.written_ms;
        let before_ms = self.skew_ms.swap(skew_ms, Ordering::Relaxed);
        if skew_ms.abs() > SKEW_MAX_MS && before_ms.abs() <= SKEW_MAX_MS {
            tracing::warn!(skew_ms, "this node's clock differs from that of the brokers");
        }
    }

    /// Somebody says something.
    fn take(&mut self, post: &Post) {
        if self.brokers.is_none_or(|(at_ms, _)| at_ms <= post.written_ms) {
            self.brokers = Some((post.written_ms, Instant::now()));
        }
        let said: Announcement = match serde_json::from_slice(&post.payload) {
            Ok(said) => said,
            Err(error) => {
                tracing::warn!(%error, "an announcement cannot be read");
                return;
            }
        };
        if said.node == self.me.node {
            if said.life == self.me.life {
                self.heard_self(&said, post);
            } else if self.is_fresh(post) {
                said.report_double();
            }
            return;
        }
        let node = said.node;
        match said.sign {
            Sign::Asking => return,
            Sign::Leaving => return self.gone(node),
            Sign::Here if !self.is_fresh(post) => return,
            Sign::Here => {}
        }
        let skew_ms = said.clock_ms - post.written_ms;
        let known = self.peers.get(&node);
        let skew_told = known.is_some_and(|known| known.skew_told);
        if skew_ms.abs() > SKEW_MAX_MS && !skew_told {
            tracing::warn!(node, skew_ms, "a node's clock differs from that of the brokers");
        }
        let (is_new, same_life, before) = match known {
            None => (true, true, BTreeMap::new()),
            Some(known) => (false, known.said.life == said.life, known.said.owned.clone()),
        };
        if is_new || !same_life {
            tracing::info!(node, address = said.address, "a node is there");
            self.links.join(node, said.life, said.loops);
            self.nodes.write().insert(node, said.address.clone());
        }
        let changed: Vec<u16> = (0..self.loops.owners().partitions())
            .filter(|p| before.get(p) != said.owned.get(p) || !same_life)
            .filter(|p| before.contains_key(p) || said.owned.contains_key(p))
            .collect();
        let skew_told = skew_told || skew_ms.abs() > SKEW_MAX_MS;
        self.peers.insert(node, Peer { said, heard: Instant::now(), skew_told });
        self.settle_level();
        if !changed.is_empty() {
            self.settle_owners();
            self.moved(&changed);
        }
    }

    fn look_for_gone(&mut self) {
        // Less than it takes to be called gone: as the board goes away, the others were heard of last a little
        // before this node was.
        if self.heard_self.elapsed() > AWAY_AFTER {
            return;
        }
        let silent = self.peers.iter().filter(|(_, peer)| peer.heard.elapsed() > GONE_AFTER);
        let gone: Vec<u8> = silent.map(|(node, _)| *node).collect();
        for node in gone {
            self.gone(node);
        }
    }

    fn gone(&mut self, node: u8) {
        let Some(peer) = self.peers.remove(&node) else { return };
        tracing::warn!(node, "a node is gone");
        self.links.part(node);
        self.nodes.write().remove(&node);
        self.settle_level();
        let changed: Vec<u16> = peer.said.owned.into_keys().collect();
        self.settle_owners();
        self.moved(&changed);
    }

    /// What all nodes can do.
    fn settle_level(&mut self) {
        let levels = self.peers.values().map(|peer| peer.said.level);
        let level = levels.fold(self.me.level, u32::min);
        if std::mem::replace(&mut self.level, level) != level {
            tracing::info!(level, "the nodes work together at another feature level");
        }
    }

    /// Of several that say they own a partition the one with the highest epoch does.
    fn settle_owners(&mut self) {
        let loops = Arc::clone(&self.loops);
        let owners = loops.owners();
        for partition in 0..owners.partitions() {
            let said = self.peers.values().map(|peer| &peer.said).chain([&self.me]);
            let claims = said.filter_map(|of| Some((*of.owned.get(&partition)?, of)));
            let highest = self.epochs.entry(partition).or_default();
            let owner = newest(claims, highest)
                .map(|of| place::loop_number(of.node, (partition % of.loops) as u8));
            // A loop takes a partition a moment before it is noted here.
            let is_taken = || owners.owner(partition).is_some_and(|of| self.loops.is_local(of));
            if owner.is_none() && is_taken() {
                continue;
            }
            owners.set(partition, owner);
        }
    }

    fn moved(&self, partitions: &[u16]) {
        for &partition in partitions {
            self.links.tell(|| Command::Moved { partition });
        }
        self.desks.owners_changed();
    }
}

/// Whose claim holds: the one with the highest epoch, as long as none was ever heard of that is higher. Whoever makes
/// an older one was overtaken and has not noticed, even if the owner since has left.
fn newest<T>(claims: impl Iterator<Item = (u64, T)>, highest: &mut u64) -> Option<T> {
    let (epoch, claimant) = claims.max_by_key(|(epoch, _)| *epoch)?;
    *highest = epoch.max(*highest);
    (epoch == *highest).then_some(claimant)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn announcement(node: u8, level: u32, sign: Sign) -> Announcement {
        Announcement {
            node,
            life: u64::from(node),
            level,
            loops: 1,
            address: format!("http://127.0.0.{node}:8080"),
            owned: BTreeMap::new(),
            clock_ms: 0,
            sign,
        }
    }

    #[test]
    fn a_node_is_refused_by_one_that_is_two_levels_apart() {
        let me = announcement(1, 4, Sign::Asking);
        let answer = |level, sign| {
            let payload = announcement(2, level, sign).encoded().into();
            me.refuse_distant(&Post { payload, written_ms: 0 }).map_err(|error| error.to_string())
        };
        for level in 3..=5 {
            assert_eq!(answer(level, Sign::Here), Ok(()));
        }
        assert_eq!(answer(2, Sign::Leaving), Ok(()), "it is on its way out");
        for level in [2, 6] {
            let refusal = answer(level, Sign::Here).expect_err("they do not understand each other");
            assert!(
                refusal.contains(&format!("has feature level {level}, this one 4")),
                "{refusal}"
            );
        }
    }

    #[test]
    fn a_claim_that_was_overtaken_does_not_come_back() {
        let mut highest = 0;
        let mut owner = |claims: &[(u64, char)]| newest(claims.iter().copied(), &mut highest);
        assert_eq!(owner(&[]), None);
        assert_eq!(owner(&[(2, 'a')]), Some('a'));
        assert_eq!(owner(&[(2, 'a'), (3, 'b')]), Some('b'));
        assert_eq!(owner(&[(2, 'a')]), None, "b has left, a stood still");
        assert_eq!(owner(&[(2, 'a'), (4, 'c')]), Some('c'));
        assert_eq!(owner(&[(5, 'a')]), Some('a'), "it has taken it again");
    }
}
