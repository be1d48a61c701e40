//! Which nodes receive, as their subscriptions last said.
//!
//! An announcement is a line of text: version, token, since, partition, position, whether it goes on, node.
//! `since` is the offset of the subscription's first announcement, in which it is -1: of two subscriptions of a
//! node the one that began later counts.

use std::fmt;
use std::time::{Duration, Instant};

use frontdesk_storage::NodeId;
use hashbrown::HashMap;

const VERSION: &str = "1";
/// In a subscription's first announcement.
pub(super) const SINCE_NOW: i64 = -1;

/// What a subscription says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Announcement {
    pub(super) token: String,
    pub(super) since: i64,
    pub(super) partition: i32,
    /// The offset it takes next.
    pub(super) position: i64,
    pub(super) goes_on: bool,
    pub(super) node: NodeId,
}

impl fmt::Display for Announcement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { token, since, partition, position, goes_on, node } = self;
        let goes_on = u8::from(*goes_on);
        write!(f, "{VERSION} {token} {since} {partition} {position} {goes_on} {node}")
    }
}

impl Announcement {
    /// One that lies at an offset; none if it is of another version.
    pub(super) fn decode(text: &str, offset: i64) -> Option<Self> {
        let mut words = text.splitn(7, ' ');
        if words.next()? != VERSION {
            return None;
        }
        let token = words.next()?.to_owned();
        let since = words.next()?.parse().ok()?;
        Some(Self {
            token,
            since: if since == SINCE_NOW { offset } else { since },
            partition: words.next()?.parse().ok()?,
            position: words.next()?.parse().ok()?,
            goes_on: words.next()? == "1",
            node: NodeId::new(words.next()?),
        })
    }
}

/// A subscription as this node knows it, and what this node has sent to it.
#[derive(Debug)]
pub(super) struct Known {
    said: Announcement,
    heard: Instant,
    /// Behind the last batch of this node that is known to have been kept.
    sent: i64,
    under_way: usize,
}

impl Known {
    pub(super) fn partition(&self) -> i32 {
        self.said.partition
    }

    pub(super) fn token(&self) -> &str {
        &self.said.token
    }

    /// How many batches wait for it at most, as far as this node knows.
    pub(super) fn queued(&self) -> usize {
        let kept = usize::try_from(self.sent - self.said.position).unwrap_or_default();
        kept + self.under_way
    }

    /// One more is under way.
    pub(super) fn begin(&mut self) {
        self.under_way += 1;
    }
}

/// All subscriptions this node has heard of: one for each node.
#[derive(Debug, Default)]
pub(super) struct Registry {
    nodes: HashMap<NodeId, Known>,
}

impl Registry {
    /// Takes an announcement, unless it is that of a subscription whose place was taken.
    pub(super) fn hear(&mut self, said: Announcement, now: Instant) {
        match self.nodes.get_mut(&said.node) {
            Some(known) if known.said.since > said.since => {}
            Some(known) if known.said.since == said.since => {
                known.heard = now;
                // They may be heard twice: from the subscription itself, and from Kafka later.
                known.said.position = known.said.position.max(said.position);
                known.said.goes_on &= said.goes_on;
            }
            _ => {
                let node = said.node.clone();
                self.nodes.insert(node, Known { said, heard: now, sent: 0, under_way: 0 });
            }
        }
    }

    /// The subscription of a node, if it was heard of lately.
    pub(super) fn receiver(
        &mut self,
        node: &NodeId,
        now: Instant,
        lease: Duration,
    ) -> Option<&mut Known> {
        let known = self.nodes.get_mut(node)?;
        (known.said.goes_on && now < known.heard + lease).then_some(known)
    }

    /// A batch is no longer under way; it was kept at an offset, or not.
    pub(super) fn landed(&mut self, node: &NodeId, offset: Option<i64>) {
        let Some(known) = self.nodes.get_mut(node) else { return };
        known.under_way = known.under_way.saturating_sub(1);
        known.sent = known.sent.max(offset.map_or(0, |offset| offset + 1));
    }

    /// Whether another subscription of the node began after this one.
    pub(super) fn is_superseded(&self, node: &NodeId, since: i64) -> bool {
        self.nodes.get(node).is_some_and(|known| known.said.since > since)
    }
}

#[cfg(test)]
mod tests {
    use super::{Announcement, Duration, Instant, NodeId, Registry, SINCE_NOW};

    const LEASE: Duration = Duration::from_secs(6);

    fn said(since: i64, position: i64) -> Announcement {
        let (token, node) = (format!("token-{since}"), NodeId::new("a node"));
        Announcement { token, since, partition: 3, position, goes_on: true, node }
    }

    #[test]
    fn an_announcement_comes_back_as_it_was() {
        for announcement in [said(7, 20), Announcement { goes_on: false, ..said(8, 0) }] {
            let text = announcement.to_string();
            assert_eq!(Announcement::decode(&text, 99), Some(announcement));
        }
        let first = said(SINCE_NOW, 20).to_string();
        assert_eq!(Announcement::decode(&first, 99).expect("whole").since, 99);
        assert_eq!(Announcement::decode("2 another version", 1), None);
        assert_eq!(Announcement::decode("", 1), None);
    }

    #[test]
    fn the_subscription_that_began_later_counts_whatever_the_earlier_one_says() {
        let (mut registry, now) = (Registry::default(), Instant::now());
        let node = NodeId::new("a node");
        registry.hear(said(1, 0), now);
        registry.hear(said(2, 0), now);
        registry.hear(said(1, 5), now);
        registry.hear(Announcement { goes_on: false, ..said(1, 5) }, now);
        let known = registry.receiver(&node, now, LEASE).expect("the later one");
        assert_eq!(known.token(), "token-2");
        assert!(registry.is_superseded(&node, 1));
        assert!(!registry.is_superseded(&node, 2));
    }

    #[test]
    fn one_that_was_not_heard_of_for_a_lease_does_not_receive() {
        let (mut registry, now) = (Registry::default(), Instant::now());
        let node = NodeId::new("a node");
        assert!(registry.receiver(&node, now, LEASE).is_none());
        registry.hear(said(1, 0), now);
        assert!(registry.receiver(&node, now + LEASE / 2, LEASE).is_some());
        assert!(registry.receiver(&node, now + LEASE, LEASE).is_none());
        registry.hear(said(1, 0), now + LEASE);
        assert!(registry.receiver(&node, now + LEASE, LEASE).is_some());
    }

    #[test]
    fn what_waits_is_what_was_sent_behind_its_position() {
        let (mut registry, now) = (Registry::default(), Instant::now());
        let node = NodeId::new("a node");
        registry.hear(said(1, 100), now);
        let queued = |registry: &mut Registry| {
            registry.receiver(&node, now, LEASE).expect("it receives").queued()
        };
        assert_eq!(queued(&mut registry), 0);
        registry.receiver(&node, now, LEASE).expect("it receives").begin();
        assert_eq!(queued(&mut registry), 1);
        registry.landed(&node, Some(104));
        assert_eq!(queued(&mut registry), 5);
        registry.hear(said(1, 103), now);
        assert_eq!(queued(&mut registry), 2);
        // An older announcement that comes late.
        registry.hear(said(1, 101), now);
        assert_eq!(queued(&mut registry), 2);
    }
}
