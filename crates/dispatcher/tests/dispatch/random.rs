//! Any mixture of turns, housekeeping, eviction, a history that lags, stops and kills: at every moment
//! the dispatcher answers as the fold alone over everything that was committed.

use std::collections::{BTreeMap, HashSet};

use frontdesk_core::{
    chat,
    fold::{Conversation, Folded},
    id::ConversationId,
    store,
};
use frontdesk_dispatcher::DispatcherOptions;
use frontdesk_storage::{History as _, MessageLog as _};
use frontdesk_storage_embedded::Durability;
use proptest::{collection::vec, prelude::*};
use prost::Message as _;

use crate::{
    model::{
        Model, agent, assigned, change, client_msg_id, closed, conversation, cursor, erase,
        retract, send, visitor,
    },
    node::Node,
};

const CONVERSATIONS: u8 = 3;

#[derive(Debug, Clone)]
enum Deed {
    Send { by_agent: bool, id: u8, other: bool },
    Retract { by_agent: bool, back: u64 },
    Erase { from: u64, len: u64 },
    Cursor { by_agent: bool, back: u64 },
    Assign,
    Close,
}

#[derive(Debug, Clone)]
enum Step {
    Turn(Vec<(u8, Deed)>),
    /// Milliseconds pass; the loop does its housekeeping.
    Tend(i64),
    /// The history may take so many batches more.
    Permit(u64),
    /// The history takes everything.
    Settle,
    Evict,
    /// The projections take everything.
    Project,
    Stop,
    Kill,
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        6 => (any::<bool>(), 0..40_u8, prop::bool::weighted(0.1))
            .prop_map(|(by_agent, id, other)| Deed::Send { by_agent, id, other }),
        1 => (any::<bool>(), 0..12_u64).prop_map(|(by_agent, back)| Deed::Retract { by_agent, back }),
        1 => (1..30_u64, 0..4_u64).prop_map(|(from, len)| Deed::Erase { from, len }),
        2 => (any::<bool>(), 0..6_u64).prop_map(|(by_agent, back)| Deed::Cursor { by_agent, back }),
        1 => Just(Deed::Assign),
        1 => Just(Deed::Close),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => vec((0..CONVERSATIONS, deed()), 1..6).prop_map(Step::Turn),
        3 => (1..400_i64).prop_map(Step::Tend),
        3 => (1..4_u64).prop_map(Step::Permit),
        1 => Just(Step::Settle),
        1 => Just(Step::Evict),
        1 => Just(Step::Project),
        1 => Just(Step::Stop),
        2 => Just(Step::Kill),
    ]
}

struct World {
    node: Node,
    model: Model,
    unique: u32,
    /// Which conversation each record was for, by offset.
    records: BTreeMap<u64, ConversationId>,
    projected: u64,
}

impl World {
    fn new() -> Self {
        let options = DispatcherOptions { flush_interval_ms: 100, ..DispatcherOptions::default() };
        Self {
            node: Node::new(options, Durability::Async, Some(0)),
            model: Model::default(),
            unique: 0,
            records: BTreeMap::new(),
            projected: 0,
        }
    }

    fn proposal(&mut self, number: u8, deed: &Deed) -> store::Proposal {
        self.unique += 1;
        let last = self.model.last_seq(conversation(number));
        let who = |by_agent| if by_agent { agent() } else { visitor(number) };
        match *deed {
            Deed::Send { by_agent, id, other } => {
                let text = if other { "other" } else { "the usual text of this id" };
                send(number, who(by_agent), client_msg_id(id), self.unique, text)
            }
            Deed::Retract { by_agent, back } => {
                retract(number, who(by_agent), last.saturating_sub(back), self.unique)
            }
            Deed::Erase { from, len } => erase(number, from, from + len),
            Deed::Cursor { by_agent, back } => {
                cursor(number, who(by_agent), last.saturating_sub(back))
            }
            Deed::Assign => change(number, agent(), self.unique, assigned()),
            Deed::Close => change(number, agent(), self.unique, closed()),
        }
    }

    fn turn(&mut self, deeds: &[(u8, Deed)]) {
        let mut proposals = Vec::new();
        let mut expected: Vec<Folded> = Vec::new();
        let mut offset = self.node.dispatcher().folded();
        for (number, deed) in deeds {
            let proposal = self.proposal(*number, deed);
            let id = conversation(*number);
            offset += 1;
            self.records.insert(offset, id);
            expected.push(self.model.fold(id, proposal.clone()));
            proposals.push((id, proposal));
        }
        let results = self.node.turn(proposals);
        let folded: Vec<Folded> =
            results.into_iter().map(|committed| committed.result.unwrap()).collect();
        assert_eq!(folded, expected);
    }

    fn restart(&mut self) {
        let applied = self.node.history().applied(crate::node::LOG).unwrap();
        let newest = self.records.last_key_value().map_or(0, |(offset, _)| *offset);
        let recovered = self.node.start(self.projected, Some(0));
        assert_eq!(recovered.offset, newest, "no acked record is missing");
        assert_eq!(recovered.records, newest - applied, "nothing is folded twice");
        let stale: HashSet<ConversationId> =
            self.records.range(self.projected + 1..).map(|(_, id)| *id).collect();
        assert_eq!(recovered.touched.into_iter().collect::<HashSet<_>>(), stale);
    }

    fn take(&mut self, step: &Step) {
        match step {
            Step::Turn(deeds) => self.turn(deeds),
            Step::Tend(after_ms) => self.node.tend(*after_ms, self.projected),
            Step::Permit(more) => self.node.history().permit(*more),
            Step::Settle => {
                self.node.history().permit(100);
                self.node.settle();
            }
            Step::Evict => {
                let evict_after_ms = self.node.options.evict_after_ms;
                self.node.tend(evict_after_ms + 1_000, self.projected);
            }
            Step::Project => self.projected = self.node.dispatcher().folded(),
            Step::Stop => {
                self.node.stop();
                self.restart();
            }
            Step::Kill => {
                self.node.kill();
                self.restart();
            }
        }
    }

    fn check(&mut self) {
        for number in 0..CONVERSATIONS {
            self.check_conversation(conversation(number));
        }
    }

    fn check_conversation(&mut self, id: ConversationId) {
        let now_ms = self.node.now_ms;
        let kept = self.model.kept.entry(id).or_default();
        let all: Vec<chat::Entry> = kept.entries.values().cloned().collect();
        let last = all.len() as u64;
        let dispatcher = self.node.dispatcher.as_mut().unwrap();

        let state = dispatcher.state(id, now_ms).unwrap();
        assert_eq!(state.map(Conversation::encode), kept.state.as_ref().map(Conversation::encode));

        for after in [0, last / 3, last.saturating_sub(2), last] {
            let missed = dispatcher.since(id, after, 1_000, now_ms).unwrap().unwrap();
            assert_eq!(missed, all[after as usize..]);
        }
        if last > 2 {
            assert_eq!(dispatcher.since(id, 0, 2, now_ms).unwrap(), None, "more than asked for");
        }
        for before in [None, Some(1), Some(last / 2 + 1), Some(last + 1)] {
            for limit in [1, 4, 1_000] {
                let end = before.map_or(last, |before| before.saturating_sub(1).min(last)) as usize;
                let page = dispatcher.page(id, before, limit, now_ms).unwrap();
                assert_eq!(page, all[end.saturating_sub(limit)..end], "{before:?} {limit}");
            }
        }

        // A reader outside: the tail first, then the history, the tail's replacements on top.
        let tail = dispatcher.tail(id, now_ms).unwrap();
        assert_eq!(tail.last_seq, last);
        let history = self.node.history();
        let mut entries: BTreeMap<u64, _> =
            history.since(&id, 0, 1_000).unwrap().into_iter().collect();
        for (seq, entry) in tail.entries {
            entries.entry(seq).or_insert(entry);
        }
        entries.extend(tail.replaced);
        let entries: Vec<_> =
            entries.into_values().map(|bytes| chat::Entry::decode(bytes).unwrap()).collect();
        assert_eq!(entries, all);
        let mut events: BTreeMap<u64, _> =
            history.events(&id, 0, 1_000).unwrap().into_iter().collect();
        events.extend(tail.events);
        let events: Vec<_> =
            events.into_values().map(|bytes| chat::SessionEvent::decode(bytes).unwrap()).collect();
        assert_eq!(events, kept.events.values().cloned().collect::<Vec<_>>());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn the_dispatcher_is_the_fold_of_what_was_committed(steps in vec(step(), 1..40)) {
        let mut world = World::new();
        for step in &steps {
            world.take(step);
            world.check();
        }
        world.node.kill();
        world.restart();
        world.check();
        world.node.stop();
        prop_assert!(world.node.open_log().next_offset() == world.records.len() as u64 + 1);
    }
}
