//! Which desks are open on this node, and what waits until one is.
//!
//! A desk is told what the databases have first, then what the loops have told meanwhile, which is at least as new: a
//! loop has a conversation in memory for as long as the databases may not have it as it is. So states that come
//! before a desk has been opened wait here, and what can be read of the databases only later is told only of
//! conversations of which no loop has told since.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use frontdesk_core::{
    id::{AccountId, ConversationId},
    partition_of,
};
use frontdesk_dispatcher::Summary;
use frontdesk_gateway::chat::place;

/// The desks of a node.
#[derive(Debug)]
pub(super) struct Opened {
    /// How many partitions there are.
    total: u16,
    /// Partitions whose accounts' desks are open.
    partitions: BTreeSet<u16>,
    /// Newest states for desks that are here and not open yet. As many as there are conversations in the
    /// memory of the loops, at most.
    early: HashMap<ConversationId, Summary>,
    /// Logs whose conversations could not all be read, and those of which a loop has told since.
    behind: BTreeMap<u16, HashSet<ConversationId>>,
}

impl Opened {
    pub(super) fn new(total: u16) -> Self {
        let (partitions, early, behind) = (BTreeSet::new(), HashMap::new(), BTreeMap::new());
        Self { total, partitions, early, behind }
    }

    /// Those of these partitions whose desks are still to be opened.
    pub(super) fn missing(&self, here: &BTreeSet<u16>) -> BTreeSet<u16> {
        here.difference(&self.partitions).copied().collect()
    }

    /// Only these partitions are here; which were open and are not any more.
    pub(super) fn keep(&mut self, here: &BTreeSet<u16>) -> Vec<u16> {
        let gone: Vec<u16> = self.partitions.difference(here).copied().collect();
        self.partitions.retain(|partition| here.contains(partition));
        let total = self.total;
        self.early.retain(|_, summary| {
            desk_of(summary, total).is_some_and(|partition| here.contains(&partition))
        });
        if self.partitions.is_empty() {
            self.behind.clear();
        }
        gone
    }

    /// What of the newest states, as loops tell them, a desk may be told now. What is for a desk that is here and
    /// not open yet waits.
    pub(super) fn admit(
        &mut self,
        states: Vec<Summary>,
        is_here: impl Fn(u16) -> bool,
    ) -> Vec<Summary> {
        let mut now = Vec::with_capacity(states.len());
        for state in states {
            let Some(partition) = desk_of(&state, self.total) else { continue };
            if self.partitions.contains(&partition) {
                self.note_told(state.conversation);
                now.push(state);
            } else if is_here(partition) {
                // A former owner's word may come behind that of the next one.
                let newest = self.early.get(&state.conversation).map(|known| known.offset);
                if newest.is_none_or(|newest| newest <= state.offset) {
                    self.early.insert(state.conversation, state);
                }
            }
        }
        now
    }

    /// The desks of these partitions have been told what the databases have, but for those of some logs; what
    /// they are told now.
    pub(super) fn open(
        &mut self,
        partitions: &BTreeSet<u16>,
        behind: &BTreeSet<u16>,
    ) -> Vec<Summary> {
        self.partitions.extend(partitions);
        for log in behind {
            self.behind.entry(*log).or_default();
        }
        let waited: Vec<Summary> = std::mem::take(&mut self.early).into_values().collect();
        // What is for none of them waits on.
        self.admit(waited, |_| true)
    }

    /// Logs whose conversations could not all be read.
    pub(super) fn behind(&self) -> BTreeSet<u16> {
        self.behind.keys().copied().collect()
    }

    /// All live conversations of a log that was behind could be read; what of them the desks are told.
    pub(super) fn caught_up(&mut self, log: u16, read: Vec<Summary>) -> Vec<Summary> {
        let told = self.behind.remove(&log).unwrap_or_default();
        let is_open = |summary: &Summary| {
            desk_of(summary, self.total).is_some_and(|of| self.partitions.contains(&of))
        };
        let is_news = |summary: &Summary| !told.contains(&summary.conversation);
        read.into_iter().filter(|summary| is_news(summary) && is_open(summary)).collect()
    }

    fn note_told(&mut self, conversation: ConversationId) {
        if !self.behind.is_empty()
            && let Some(told) = self.behind.get_mut(&partition_of(&conversation, self.total))
        {
            told.insert(conversation);
        }
    }
}

/// The partition whose owner has the desk of a conversation.
fn desk_of(summary: &Summary, total: u16) -> Option<u16> {
    let account: AccountId = summary.origin.account.parse().ok()?;
    Some(place::account_partition(account, total))
}

#[cfg(test)]
mod tests {
    use frontdesk_core::{fold::Conversation, store};
    use prost::Message as _;

    use super::*;

    const TOTAL: u16 = 64;
    const ACCOUNT: AccountId = AccountId::from_bytes([3; 12]);

    fn state(number: u8, offset: u64) -> Summary {
        let conversation = ConversationId::from_bytes([number; 12]);
        let origin = store::Origin { account: ACCOUNT.to_string(), ..store::Origin::default() };
        let state = store::ConversationState { origin: Some(origin), ..Default::default() };
        let state = Conversation::decode(&state.encode_to_vec()).expect("a state");
        Summary::of(conversation, &state, partition_of(&conversation, TOTAL), offset)
    }

    fn desk() -> BTreeSet<u16> {
        BTreeSet::from([place::account_partition(ACCOUNT, TOTAL)])
    }

    fn told(mut states: Vec<Summary>) -> Vec<(u8, u64)> {
        states.sort_by_key(|of| of.conversation);
        states.iter().map(|of| (of.conversation.as_bytes()[0], of.offset)).collect()
    }

    #[test]
    fn what_loops_tell_before_a_desk_is_open_is_told_right_behind_what_the_databases_have() {
        let mut opened = Opened::new(TOTAL);
        assert!(opened.admit(vec![state(1, 5), state(2, 5)], |_| true).is_empty());
        assert!(opened.admit(vec![state(1, 7), state(2, 4)], |_| true).is_empty());
        assert!(opened.admit(vec![state(3, 9)], |_| false).is_empty(), "of a desk elsewhere");
        assert_eq!(opened.missing(&desk()), desk());
        assert_eq!(told(opened.open(&desk(), &BTreeSet::new())), [(1, 7), (2, 5)]);
        assert!(opened.missing(&desk()).is_empty());
        assert_eq!(told(opened.admit(vec![state(1, 8)], |_| true)), [(1, 8)]);
    }

    #[test]
    fn what_is_read_late_does_not_overtake_what_a_loop_has_told_since() {
        let logs: BTreeSet<u16> = (1..5).map(|number| state(number, 0).log).collect();
        let mut opened = Opened::new(TOTAL);
        opened.admit(vec![state(1, 5)], |_| true);
        assert_eq!(told(opened.open(&desk(), &logs)), [(1, 5)]);
        opened.admit(vec![state(2, 6)], |_| true);
        assert_eq!(opened.behind(), logs);
        let mut late = Vec::new();
        for log in &logs {
            let read = (1..5).map(|number| state(number, 0)).filter(|of| of.log == *log);
            late.extend(opened.caught_up(*log, read.collect()));
        }
        assert_eq!(told(late), [(3, 0), (4, 0)]);
        assert!(opened.behind().is_empty());
    }

    #[test]
    fn what_waits_for_a_desk_that_goes_elsewhere_is_forgotten() {
        let mut opened = Opened::new(TOTAL);
        opened.admit(vec![state(1, 5)], |_| true);
        assert!(opened.keep(&BTreeSet::new()).is_empty());
        assert!(opened.open(&desk(), &BTreeSet::from([7])).is_empty());
        assert_eq!(opened.keep(&BTreeSet::new()), desk().into_iter().collect::<Vec<_>>());
        assert!(opened.behind().is_empty());
        assert_eq!(opened.missing(&desk()), desk());
    }
}
