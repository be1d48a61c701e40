//! The queue: its order, the places visitors are told, and how long a place takes.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, VecDeque},
};

use frontdesk_core::id::{ConversationId, InboxId, TeamId};

/// Which queue a session stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lane {
    /// A team's, over all inboxes.
    Team(TeamId),
    /// The common queue of an inbox.
    Inbox(InboxId),
    /// Of sessions whose inbox has no id: cannot be reached through the product.
    Common,
}

/// Departures a pace is measured from.
const DEPARTURES_MAX: usize = 16;

type Key = (Reverse<u32>, i64, ConversationId);

/// Everybody who stands in a queue: urgent before normal, then who has waited longest.
#[derive(Debug, Default)]
pub(super) struct Queue {
    order: BTreeSet<Key>,
    keys: BTreeMap<ConversationId, (Key, Lane)>,
    departures: BTreeMap<Lane, VecDeque<i64>>,
    told: BTreeMap<ConversationId, (u32, bool)>,
}

/// A visitor's new place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The conversation.
    pub conversation: ConversationId,
    /// 1 is next; 0 when it left the queue.
    pub place: u32,
    /// Estimate from the pace of the last departures; 0 while unknown.
    pub wait_ms: u32,
    /// Whether somebody who serves the queue is online.
    pub attended: bool,
}

impl Queue {
    pub(super) fn enter(&mut self, id: ConversationId, lane: Lane, priority: u32, since_ms: i64) {
        let key = (Reverse(priority), since_ms, id);
        self.order.insert(key);
        self.keys.insert(id, (key, lane));
    }

    /// Takes a session out; the others move up.
    pub(super) fn leave(&mut self, id: ConversationId) {
        if let Some((key, _)) = self.keys.remove(&id) {
            self.order.remove(&key);
        }
    }

    /// Remembers that a session left the lane for good, for the pace.
    pub(super) fn departed(&mut self, lane: Lane, now_ms: i64) {
        let departures = self.departures.entry(lane).or_default();
        if departures.len() == DEPARTURES_MAX {
            departures.pop_front();
        }
        departures.push_back(now_ms);
    }

    pub(super) fn contains(&self, id: ConversationId) -> bool {
        self.keys.contains_key(&id)
    }

    pub(super) fn lane(&self, id: ConversationId) -> Option<Lane> {
        self.keys.get(&id).map(|(_, lane)| *lane)
    }

    pub(super) fn in_order(&self) -> impl Iterator<Item = ConversationId> + '_ {
        self.order.iter().map(|(_, _, id)| *id)
    }

    /// Every session's place in its lane.
    pub(super) fn places(&self) -> BTreeMap<ConversationId, u32> {
        let mut counts: BTreeMap<Lane, u32> = BTreeMap::new();
        let mut places = BTreeMap::new();
        for id in self.in_order() {
            if let Some(lane) = self.lane(id) {
                let count = counts.entry(lane).or_default();
                *count += 1;
                places.insert(id, *count);
            }
        }
        places
    }

    /// Returns what changed since the visitors were told last, and counts it as told.
    pub(super) fn tell(
        &mut self,
        now_ms: i64,
        window_ms: i64,
        mut attended: impl FnMut(ConversationId) -> bool,
    ) -> Vec<Place> {
        let places = self.places();
        let mut news = Vec::new();
        for (id, place) in &places {
            let attended = attended(*id);
            if self.told.insert(*id, (*place, attended)) != Some((*place, attended)) {
                let wait_ms = self
                    .lane(*id)
                    .map_or(0, |lane| self.estimate_ms(lane, *place, now_ms, window_ms));
                news.push(Place { conversation: *id, place: *place, wait_ms, attended });
            }
        }
        self.told.retain(|id, (_, attended)| {
            let stays = places.contains_key(id);
            if !stays {
                let attended = *attended;
                news.push(Place { conversation: *id, place: 0, wait_ms: 0, attended });
            }
            stays
        });
        news
    }

    /// What the visitor was told last, for one who comes back; `None` outside the queue.
    pub(super) fn told(&self, id: ConversationId, now_ms: i64, window_ms: i64) -> Option<Place> {
        let (place, attended) = *self.told.get(&id)?;
        let wait_ms = self.estimate_ms(self.lane(id)?, place, now_ms, window_ms);
        Some(Place { conversation: id, place, wait_ms, attended })
    }

    /// The pace of the lane's last departures times the place. A pause longer than the pace counts,
    /// so that the estimate grows while nobody leaves.
    fn estimate_ms(&self, lane: Lane, place: u32, now_ms: i64, window_ms: i64) -> u32 {
        let recent: Vec<i64> = self
            .departures
            .get(&lane)
            .into_iter()
            .flatten()
            .copied()
            .filter(|at_ms| *at_ms >= now_ms - window_ms)
            .collect();
        let (Some(first), Some(last)) = (recent.first(), recent.last()) else { return 0 };
        if recent.len() < 2 {
            return 0;
        }
        let steps = recent.len() as i64;
        let pace_ms = ((last - first) / (steps - 1)).max((now_ms - first) / steps);
        u32::try_from(pace_ms.saturating_mul(i64::from(place))).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conversation(number: u8) -> ConversationId {
        ConversationId::from_bytes([number; 12])
    }

    const LANE: Lane = Lane::Common;
    const WINDOW_MS: i64 = 60_000;

    #[test]
    fn urgent_comes_first_then_who_waits_longest() {
        let mut queue = Queue::default();
        queue.enter(conversation(1), LANE, 2, 300);
        queue.enter(conversation(2), LANE, 2, 100);
        queue.enter(conversation(3), LANE, 4, 900);
        queue.enter(conversation(4), Lane::Team(TeamId::from_bytes([9; 12])), 2, 50);
        let order: Vec<_> = queue.in_order().collect();
        assert_eq!(order, [3, 4, 2, 1].map(conversation));
        // The team's own queue has its own first place.
        let places = queue.places();
        assert_eq!([1, 2, 3, 4].map(|number| places[&conversation(number)]), [3, 2, 1, 1]);
    }

    #[test]
    fn only_changed_places_are_told_and_leaving_is_place_zero() {
        let mut queue = Queue::default();
        queue.enter(conversation(1), LANE, 2, 1);
        queue.enter(conversation(2), LANE, 2, 2);
        assert_eq!(queue.tell(10, WINDOW_MS, |_| true).len(), 2);
        assert_eq!(queue.tell(11, WINDOW_MS, |_| true), []);
        queue.leave(conversation(1));
        let news = queue.tell(12, WINDOW_MS, |_| true);
        let places: Vec<_> = news.iter().map(|news| (news.conversation, news.place)).collect();
        assert_eq!(places, [(conversation(2), 1), (conversation(1), 0)]);
    }

    #[test]
    fn waits_are_estimated_from_the_last_departures() {
        let mut queue = Queue::default();
        assert_eq!(queue.estimate_ms(LANE, 1, 0, WINDOW_MS), 0);
        for at_ms in [1_000, 3_000, 5_000] {
            queue.departed(LANE, at_ms);
        }
        assert_eq!(queue.estimate_ms(LANE, 3, 5_000, WINDOW_MS), 6_000);
        // Nobody left for a while.
        assert_eq!(queue.estimate_ms(LANE, 1, 31_000, WINDOW_MS), 10_000);
        // Too long ago.
        assert_eq!(queue.estimate_ms(LANE, 1, 500_000, WINDOW_MS), 0);
    }
}
