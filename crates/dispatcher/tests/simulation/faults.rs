//! What goes wrong in a run, and when: a plan made from the seed before the run begins.

use std::collections::BTreeMap;

use crate::{
    chance::Chance,
    wire::{GROUP, HISTORY, LOG},
    world::{CLIENTS, NODES},
};

type Host = &'static str;

/// How long faults begin, and when the last of them has ended.
const BEGIN_UNTIL_MS: u64 = 2_600;
pub(crate) const END_MS: u64 = 3_400;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// Nothing goes through, in both directions or in one.
    Cut(Host, Host),
    CutOneWay(Host, Host),
    Repair(Host, Host),
    /// Everything is kept, and comes when it is let go.
    Hold(Host, Host),
    Release(Host, Host),
    Crash(Host),
    Start(Host),
    Rebalance,
}

/// Steps in the order of their times, in milliseconds. After the last of them everything is whole.
pub(crate) fn plan(chance: &mut Chance) -> Vec<(u64, Step)> {
    let mut steps = Vec::new();
    // Until when something is wrong with a pair or with a host.
    let mut pairs: BTreeMap<(Host, Host), u64> = BTreeMap::new();
    let mut hosts: BTreeMap<Host, u64> = BTreeMap::new();
    let faults = chance.within(3, 10);
    let mut begins: Vec<u64> = (0..faults).map(|_| chance.within(200, BEGIN_UNTIL_MS)).collect();
    begins.sort_unstable();
    for at in begins {
        let until = (at + chance.within(60, 1_300)).min(END_MS);
        match chance.below(10) {
            0 => steps.push((at, Step::Rebalance)),
            1 | 2 => {
                let host = chance.pick(&[NODES[0], NODES[1], NODES[2], LOG, HISTORY, GROUP]);
                let free = hosts.entry(host).or_default();
                if *free <= at {
                    *free = until;
                    steps.extend([(at, Step::Crash(host)), (until, Step::Start(host))]);
                }
            }
            3 => {
                let node = chance.pick(&NODES);
                for other in NODES.into_iter().chain(CLIENTS).chain([LOG, HISTORY, GROUP]) {
                    if other != node {
                        link_fault(chance, &mut pairs, &mut steps, (node, other), at, until, 0);
                    }
                }
            }
            kind => {
                let node = chance.pick(&NODES);
                let other = chance
                    .pick(&[GROUP, GROUP, LOG, LOG, HISTORY, HISTORY, CLIENTS[0], CLIENTS[1]]);
                let pair = if chance.one_in(2) { (node, other) } else { (other, node) };
                link_fault(chance, &mut pairs, &mut steps, pair, at, until, kind);
            }
        }
    }
    steps.sort_by_key(|(at, _)| *at);
    steps
}

/// A fault of one link, unless it has one; a node that is held up towards the log often loses the group as well.
fn link_fault(
    chance: &mut Chance,
    pairs: &mut BTreeMap<(Host, Host), u64>,
    steps: &mut Vec<(u64, Step)>,
    (a, b): (Host, Host),
    at: u64,
    until: u64,
    kind: u64,
) {
    let free = pairs.entry((a.min(b), a.max(b))).or_default();
    if *free > at {
        return;
    }
    *free = until + 1;
    let (begin, end) = match kind {
        0 | 4 | 5 => (Step::Cut(a, b), Step::Repair(a, b)),
        6 => (Step::CutOneWay(a, b), Step::Repair(a, b)),
        _ => (Step::Hold(a, b), Step::Release(a, b)),
    };
    steps.extend([(at, begin), (until, end)]);
    let node = if NODES.contains(&a) { a } else { b };
    let engine = if node == a { b } else { a };
    if engine == LOG && chance.one_in(2) {
        link_fault(chance, pairs, steps, (node, GROUP), at, until, 4);
    }
}
