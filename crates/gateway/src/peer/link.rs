//! The state of the links to other nodes: numbers what goes to each, and finds out when something got lost.
//!
//! What reaches over a link (connections that are led to the other node, viewers, who is connected where)
//! stands in the memory of both ends, and is right only if each got everything that the other one said. So a
//! link has sessions. An end that misses a batch, or has to forget the other one, begins a new session of its
//! own; every batch tells the sender's session and which of the receiver's it knows. An end that sees a new
//! session of the other one forgets as well. A batch to a former session is not acted upon: it builds on what
//! is forgotten. The answer to it says so, even if there was nothing else to say.
//!
//! A batch may overtake others: those before it went by another bus. It is held for a moment, and only what does not
//! come then is lost.

use std::{
    collections::{BTreeMap, HashMap},
    time::{Duration, Instant},
};

use bytes::Bytes;
use prost::Message as _;

use super::{Malformed, v1};

/// How long a batch is held that came before others: a bus that is slower takes some milliseconds, some hundred when it
/// has just been turned to.
const HELD: Duration = Duration::from_millis(300);
/// Batches of one link that are held at most.
const HELD_BATCHES_MAX: usize = 64;

/// What a batch that came means for its link.
#[derive(Debug, Default, PartialEq)]
pub struct Received {
    /// What it brings, if it may be acted upon.
    pub batch: Option<v1::Batch>,
    /// Whether what reached over the link is void, before the batch is acted upon: both ends tell each other
    /// anew.
    pub is_anew: bool,
    /// Whether the other end has to hear of this one's session, be it by an empty batch.
    pub is_answer_due: bool,
}

/// Links between this node and all others.
#[derive(Debug)]
pub struct Links {
    node: u8,
    life: u64,
    by_node: HashMap<u8, Link>,
}

#[derive(Debug)]
struct Link {
    /// How often this end began, in this life.
    session: u64,
    /// The number of the last batch to the other end.
    sent: u64,
    /// The other end, once anything was heard of it.
    other: Option<Other>,
    /// The life of the other end before this one: what it sent may still come.
    former_life: Option<u64>,
    early: Early,
}

/// Batches of one life of the other end that came before others, by number.
#[derive(Debug, Default)]
struct Early {
    life: u64,
    batches: BTreeMap<u64, v1::Batch>,
    /// When they are opened, whatever is missing.
    due: Option<Instant>,
}

impl Default for Link {
    fn default() -> Self {
        Self { session: 1, sent: 0, other: None, former_life: None, early: Early::default() }
    }
}

/// The last batch of the other end.
#[derive(Debug, Clone, Copy)]
struct Other {
    life: u64,
    session: u64,
    number: u64,
}

impl Links {
    /// Of a node in one of its lives; `life` is random.
    pub fn new(node: u8, life: u64) -> Self {
        Self { node, life, by_node: HashMap::new() }
    }

    /// Puts commands into the next batch for a node.
    pub fn seal(&mut self, to: u8, commands: Vec<v1::Command>) -> Bytes {
        let link = self.by_node.entry(to).or_default();
        link.sent += 1;
        let (to_life, to_session) = link.other.map_or((0, 0), |of| (of.life, of.session));
        let batch = v1::Batch {
            node: self.node.into(),
            life: self.life,
            number: link.sent,
            commands,
            session: link.session,
            to_life,
            to_session,
        };
        Bytes::from(batch.encode_to_vec())
    }

    /// Opens a batch, and those behind it that waited for it; none if it waits itself for others ([`Self::due`]).
    pub fn open(&mut self, bytes: Bytes, now: Instant) -> Result<(u8, Vec<Received>), Malformed> {
        let batch = v1::Batch::decode(bytes).map_err(|error| Malformed(error.to_string()))?;
        let node = u8::try_from(batch.node).map_err(|_| Malformed::of("node"))?;
        let link = self.by_node.entry(node).or_default();
        Ok((node, link.open(self.life, batch, now)))
    }

    /// When batches have waited long enough for others.
    pub fn due(&self) -> Option<Instant> {
        self.by_node.values().filter_map(|link| link.early.due).min()
    }

    /// Opens batches that have waited long enough: those before them are lost.
    pub fn overdue(&mut self, now: Instant) -> Vec<(u8, Vec<Received>)> {
        let is_due = |link: &Link| link.early.due.is_some_and(|due| due <= now);
        let due = self.by_node.iter_mut().filter(|(_, link)| is_due(link));
        due.map(|(node, link)| (*node, link.give_up_waiting(self.life))).collect()
    }

    /// This end forgets what reached over the link: whatever the other one sends before it has heard of that is
    /// not acted upon.
    pub fn begin_anew(&mut self, node: u8) {
        self.by_node.entry(node).or_default().session += 1;
    }

    /// Whether the last that was heard of a node is of this life.
    pub fn is_of_life(&self, node: u8, life: u64) -> bool {
        let other = self.by_node.get(&node).and_then(|link| link.other);
        other.is_some_and(|other| other.life == life)
    }
}

impl Link {
    fn open(&mut self, own_life: u64, batch: v1::Batch, now: Instant) -> Vec<Received> {
        if self.is_early(own_life, &batch) {
            self.early.hold(batch, now);
            let is_full = self.early.batches.len() > HELD_BATCHES_MAX;
            return if is_full { self.give_up_waiting(own_life) } else { Vec::new() };
        }
        let mut received = vec![self.take(own_life, batch)];
        while let Some(next) = self.other.and_then(|other| self.early.next(other)) {
            received.push(self.take(own_life, next));
        }
        received
    }

    /// Opens what waited, in order; what is missing is lost.
    fn give_up_waiting(&mut self, own_life: u64) -> Vec<Received> {
        let Early { batches, .. } = std::mem::take(&mut self.early);
        batches.into_values().map(|batch| self.take(own_life, batch)).collect()
    }

    /// What a batch means when no other one is waited for.
    ///
    /// | heard of before | its session | it is to the current session | number | acted upon | anew | answer |
    /// |---|---|---|---|---|---|---|
    /// | this life | | | not above the last | no | no | no |
    /// | a life after this one | | | | no | no | no |
    /// | this life | the same | yes | the next | yes | no | no |
    /// | this life | the same | no | the next | no | no | yes |
    /// | this life | another | yes | the next | yes | yes | no |
    /// | this life | another | no | the next | no | yes | yes |
    /// | a life before this one | | yes | 1 | yes | yes | no |
    /// | a life before this one | | no | | no | yes | yes |
    /// | nothing | 1 | yes | 1 | yes | no | no |
    /// | nothing | later | yes | 1 | yes | yes | no |
    /// | nothing | 1 | no | | no | no | yes |
    /// | nothing | later | no | | no | yes | yes |
    /// | otherwise: something got lost, and this end begins a new session | | | | no | yes | yes |
    ///
    /// A batch of an end that has not heard of this one builds on nothing, and counts as one to the current session.
    /// A first session that is heard of first is the beginning; a later one has forgotten something.
    fn take(&mut self, own_life: u64, batch: v1::Batch) -> Received {
        if self.is_late(&batch) {
            return Received::default();
        }
        let v1::Batch { life, number, session, .. } = batch;
        let is_current = self.is_current(own_life, &batch);
        let expected = self.expected(own_life, &batch);
        let is_known = match self.other {
            Some(of) if of.life == life => of.session == session,
            Some(_) => false,
            None => session == 1,
        };
        let before = self.other.replace(Other { life, session, number });
        if before.is_none_or(|before| before.life != life) {
            self.former_life = before.map(|before| before.life).or(self.former_life);
            if self.early.life != life {
                // Of a life that is over by now: what it waited for means nothing any more.
                self.early = Early::default();
            }
        }
        if expected.is_some_and(|expected| number != expected) {
            self.session += 1;
            return Received { batch: None, is_anew: true, is_answer_due: true };
        }
        Received {
            batch: is_current.then_some(batch),
            is_anew: !is_known,
            is_answer_due: !is_current,
        }
    }

    /// A second copy, or of a life that is over.
    fn is_late(&self, batch: &v1::Batch) -> bool {
        let is_double = |of: Other| of.life == batch.life && batch.number <= of.number;
        self.other.is_some_and(is_double) || self.former_life == Some(batch.life)
    }

    /// Others are to come before it.
    fn is_early(&self, own_life: u64, batch: &v1::Batch) -> bool {
        let expected = self.expected(own_life, batch);
        !self.is_late(batch) && expected.is_some_and(|expected| batch.number > expected)
    }

    /// Whether what it builds on is what this end knows.
    fn is_current(&self, own_life: u64, batch: &v1::Batch) -> bool {
        batch.to_life == 0 || (batch.to_life == own_life && batch.to_session == self.session)
    }

    /// The number that comes next of this life; nobody knows it of one that is heard of first, and by what was for
    /// a former session or life of this end.
    fn expected(&self, own_life: u64, batch: &v1::Batch) -> Option<u64> {
        match self.other {
            Some(of) if of.life == batch.life => Some(of.number + 1),
            _ => self.is_current(own_life, batch).then_some(1),
        }
    }
}

impl Early {
    fn hold(&mut self, batch: v1::Batch, now: Instant) {
        if self.life != batch.life {
            // Of the one before nothing counts any more.
            *self = Self { life: batch.life, ..Self::default() };
        }
        self.due.get_or_insert(now + HELD);
        self.batches.insert(batch.number, batch);
    }

    /// The batch right behind the last one, if it is here.
    fn next(&mut self, last: Other) -> Option<v1::Batch> {
        if self.life != last.life {
            return None;
        }
        let first = self.batches.first_entry()?;
        if *first.key() > last.number + 1 {
            return None;
        }
        let batch = first.remove();
        if self.batches.is_empty() {
            self.due = None;
        }
        Some(batch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two ends, and what is under way between them.
    struct Pair {
        ends: [Links; 2],
        /// To each end.
        on_the_way: [Vec<Bytes>; 2],
        /// What each end holds of what the other one said, and how often it began anew.
        held: [Vec<u32>; 2],
        began: [usize; 2],
        now: Instant,
    }

    impl Pair {
        fn new() -> Self {
            Self {
                ends: [Links::new(0, 7), Links::new(1, 8)],
                on_the_way: Default::default(),
                held: Default::default(),
                began: [0; 2],
                now: Instant::now(),
            }
        }

        fn send(&mut self, from: usize, what: &[u32]) {
            let other = 1 - from;
            let commands = what.iter().map(|&what| v1::Command { r#loop: what, command: None });
            let sealed = self.ends[from].seal(other as u8, commands.collect());
            self.on_the_way[other].push(sealed);
        }

        /// Everything that is under way arrives; ends that begin anew say again what they have to say.
        fn settle(&mut self, says: [&[u32]; 2]) {
            for _ in 0..20 {
                for to in 0..2 {
                    for bytes in std::mem::take(&mut self.on_the_way[to]) {
                        self.arrive(to, bytes, says);
                    }
                }
                self.wait(HELD, says);
            }
            assert!(self.on_the_way.iter().all(Vec::is_empty), "the ends come to rest");
        }

        /// The first batch that is under way to an end comes behind those that its sender sent in the same life.
        fn overtake(&mut self, end: usize) {
            let life = |bytes: &Bytes| v1::Batch::decode(bytes.clone()).expect("a batch").life;
            let way = &mut self.on_the_way[end];
            let Some(first) = way.first().map(life) else { return };
            let same = way.iter().take_while(|bytes| life(bytes) == first).count();
            way[..same].rotate_left(1);
        }

        fn arrive(&mut self, to: usize, bytes: Bytes, says: [&[u32]; 2]) {
            let (_, received) = self.ends[to].open(bytes, self.now).expect("a batch");
            self.act(to, received, says);
        }

        fn wait(&mut self, time: Duration, says: [&[u32]; 2]) {
            self.now += time;
            for end in 0..2 {
                for (_, received) in self.ends[end].overdue(self.now) {
                    self.act(end, received, says);
                }
            }
        }

        fn act(&mut self, to: usize, received: Vec<Received>, says: [&[u32]; 2]) {
            for received in received {
                if received.is_anew {
                    self.held[to].clear();
                    self.began[to] += 1;
                    self.send(to, says[to]);
                }
                if received.is_answer_due {
                    self.send(to, &[]);
                }
                let commands = received.batch.map(|batch| batch.commands).unwrap_or_default();
                self.held[to].extend(commands.iter().map(|command| command.r#loop));
            }
        }
    }

    const SAYS: [&[u32]; 2] = [&[10, 11], &[20, 21]];

    fn joined() -> Pair {
        let mut pair = Pair::new();
        pair.send(0, SAYS[0]);
        pair.send(1, SAYS[1]);
        pair.settle(SAYS);
        assert_eq!(pair.began, [0, 0], "a beginning is not a new one");
        assert_eq!(pair.held, [SAYS[1].to_vec(), SAYS[0].to_vec()]);
        pair
    }

    #[test]
    fn what_is_said_in_order_is_taken_once() {
        let mut pair = joined();
        pair.send(0, &[12]);
        let double = pair.on_the_way[1][0].clone();
        pair.on_the_way[1].push(double);
        pair.settle(SAYS);
        assert_eq!(pair.held[1], [10, 11, 12]);
        assert_eq!(pair.began, [0, 0]);
    }

    #[test]
    fn batches_that_change_places_are_taken_in_order_and_nothing_begins_anew() {
        let mut pair = joined();
        for number in 12..15 {
            pair.send(0, &[number]);
        }
        pair.on_the_way[1].reverse();
        for bytes in std::mem::take(&mut pair.on_the_way[1]) {
            assert_eq!(pair.held[1], [10, 11], "the first one is not here yet");
            pair.arrive(1, bytes, SAYS);
        }
        assert_eq!(pair.held[1], [10, 11, 12, 13, 14]);
        assert_eq!((pair.began, pair.ends[1].due()), ([0, 0], None));
    }

    #[test]
    fn a_first_batch_may_be_overtaken_as_well() {
        let mut pair = Pair::new();
        pair.send(0, &[10]);
        pair.send(0, &[11]);
        pair.on_the_way[1].reverse();
        pair.settle(SAYS);
        assert_eq!((&pair.held[1][..], pair.began), (&[10, 11][..], [0, 0]));
    }

    #[test]
    fn a_batch_waits_for_those_before_it_for_a_while_only() {
        let mut pair = joined();
        pair.send(0, &[12]);
        pair.on_the_way[1].clear();
        pair.send(0, &[13]);
        let early = pair.on_the_way[1].remove(0);
        pair.arrive(1, early, SAYS);
        pair.wait(HELD / 2, SAYS);
        assert_eq!(pair.began, [0, 0]);
        pair.wait(HELD / 2, SAYS);
        assert_eq!((pair.began, pair.ends[1].due()), ([0, 1], None));
    }

    #[test]
    fn no_more_than_some_batches_wait() {
        let mut pair = joined();
        pair.send(0, &[12]);
        pair.on_the_way[1].clear();
        for _ in 0..=HELD_BATCHES_MAX {
            assert_eq!(pair.began, [0, 0]);
            pair.send(0, &[13]);
            let early = pair.on_the_way[1].remove(0);
            pair.arrive(1, early, SAYS);
        }
        assert_eq!(pair.began, [0, 1]);
    }

    #[test]
    fn after_a_loss_both_ends_begin_anew_and_hold_what_the_other_says() {
        let mut pair = joined();
        pair.send(0, &[12]);
        pair.on_the_way[1].clear();
        pair.send(0, &[13]);
        pair.settle(SAYS);
        assert_eq!(pair.began, [1, 1]);
        assert_eq!(pair.held, [SAYS[1].to_vec(), SAYS[0].to_vec()]);
        pair.send(0, &[14]);
        pair.send(1, &[24]);
        pair.settle(SAYS);
        assert_eq!(pair.held, [vec![20, 21, 24], vec![10, 11, 14]]);
        assert_eq!(pair.began, [1, 1]);
    }

    #[test]
    fn ends_that_begin_anew_at_the_same_time_come_together() {
        let mut pair = joined();
        for (end, says) in SAYS.into_iter().enumerate() {
            pair.ends[end].begin_anew(1 - end as u8);
            pair.held[end].clear();
            pair.send(end, says);
        }
        pair.settle(SAYS);
        assert_eq!(pair.held, [SAYS[1].to_vec(), SAYS[0].to_vec()]);
    }

    #[test]
    fn a_node_that_was_called_gone_but_lives_hears_of_it() {
        let mut pair = joined();
        pair.ends[0].begin_anew(1);
        pair.held[0].clear();
        // It goes on as if nothing had been, before it is known to be there again.
        pair.send(1, &[24]);
        pair.send(0, SAYS[0]);
        pair.settle(SAYS);
        assert_eq!(pair.held, [SAYS[1].to_vec(), SAYS[0].to_vec()]);
        assert_eq!(pair.began[1], 1);
    }

    #[test]
    fn a_node_that_was_forgotten_before_it_heard_anything_hears_of_it() {
        let mut pair = Pair::new();
        pair.send(1, SAYS[1]);
        pair.settle(SAYS);
        pair.ends[0].begin_anew(1);
        pair.held[0].clear();
        pair.send(0, SAYS[0]);
        pair.settle(SAYS);
        assert_eq!(pair.held, [SAYS[1].to_vec(), SAYS[0].to_vec()]);
    }

    #[test]
    fn a_new_life_begins_anew_and_the_former_one_is_not_heard_any_more() {
        let mut pair = joined();
        pair.send(1, &[24]);
        let late = std::mem::take(&mut pair.on_the_way[0]);
        pair.ends[1] = Links::new(1, 9);
        pair.held[1].clear();
        pair.send(1, &[20, 21]);
        pair.settle(SAYS);
        assert!(pair.ends[0].is_of_life(1, 9));
        assert_eq!(pair.held, [SAYS[1].to_vec(), SAYS[0].to_vec()]);
        let began = pair.began;
        pair.on_the_way[0] = late;
        pair.settle(SAYS);
        assert_eq!(pair.began, began);
        assert_eq!(pair.held[0], SAYS[1]);
    }

    #[test]
    fn whatever_gets_lost_and_whoever_forgets_both_ends_come_together() {
        // A generator of its own keeps a case that failed repeatable.
        let mut state = 0x9e37_79b9_u32;
        let mut next = move |below: u32| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 16) % below
        };
        for _ in 0..2_000 {
            let mut pair = Pair::new();
            pair.send(0, SAYS[0]);
            pair.send(1, SAYS[1]);
            for _ in 0..next(40) {
                let end = next(2) as usize;
                match next(9) {
                    0 => {
                        pair.ends[end].begin_anew(1 - end as u8);
                        pair.held[end].clear();
                        pair.send(end, SAYS[end]);
                    }
                    1 | 2 => drop(pair.on_the_way[end].pop()),
                    3 => {
                        pair.ends[end] = Links::new(end as u8, u64::from(next(1_000_000)) + 100);
                        pair.held[end].clear();
                        pair.on_the_way[end].clear();
                        pair.send(end, SAYS[end]);
                    }
                    4 | 5 => pair.send(end, &[99]),
                    6 => {
                        pair.overtake(end);
                        pair.wait(Duration::from_millis(next(400).into()), SAYS);
                    }
                    _ => {
                        let bytes = std::mem::take(&mut pair.on_the_way[end]);
                        for bytes in bytes {
                            pair.arrive(end, bytes, SAYS);
                        }
                    }
                }
            }
            // Links that are quiet say nothing for a moment, which shows what got lost last.
            for _ in 0..2 {
                pair.send(0, &[]);
                pair.send(1, &[]);
                pair.settle(SAYS);
            }
            for end in 0..2 {
                let of_the_other = SAYS[1 - end];
                let heard = pair.held[end].iter().filter(|of| **of != 99);
                let heard: std::collections::BTreeSet<u32> = heard.copied().collect();
                assert!(of_the_other.iter().all(|of| heard.contains(of)), "{:?}", pair.held);
            }
        }
    }

    #[test]
    fn what_is_no_batch_is_refused() {
        let bytes = Bytes::from_static(b"\xff\xff");
        assert!(Links::new(1, 7).open(bytes, Instant::now()).is_err());
    }
}
