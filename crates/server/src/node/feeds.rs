//! Feeds: what changed in each agent's list, so that a reconnect asks for the difference only.
//!
//! A feed keeps for each conversation the number of its newest change, nothing of what it was: the
//! row is made when it is sent, from the state as it is then. Feeds live as long as the process; one
//! of an earlier life is not recovered, and the client reloads its list.

use std::collections::{BTreeMap, HashMap};

use frontdesk_core::{
    id::{ConversationId, UserId},
    limits,
};
use frontdesk_protocol::wire::FeedPosition;

/// One user's feed.
#[derive(Debug, Default)]
struct Feed {
    number: u64,
    /// Changes up to here may be forgotten.
    floor: u64,
    by_number: BTreeMap<u64, ConversationId>,
    newest: HashMap<ConversationId, u64>,
}

impl Feed {
    fn note(&mut self, conversation: ConversationId) -> u64 {
        self.number += 1;
        if let Some(former) = self.newest.insert(conversation, self.number) {
            self.by_number.remove(&former);
        }
        self.by_number.insert(self.number, conversation);
        while self.by_number.len() > limits::FEED_CHANGES_MAX {
            if let Some((number, conversation)) = self.by_number.pop_first() {
                self.floor = number;
                self.newest.remove(&conversation);
            }
        }
        self.number
    }
}

/// The feeds of all users of this node.
#[derive(Debug)]
pub(crate) struct Feeds {
    epoch: u64,
    users: HashMap<UserId, Feed>,
}

impl Feeds {
    /// Feeds of a new life, named by a random epoch.
    pub(crate) fn new(epoch: u64) -> Self {
        Self { epoch, users: HashMap::new() }
    }

    /// Notes that a conversation changed for a user; returns the change's number.
    pub(crate) fn note(&mut self, user: UserId, conversation: ConversationId) -> u64 {
        self.users.entry(user).or_default().note(conversation)
    }

    /// Where a user's feed stands, and whether all changes since `held` are known.
    pub(crate) fn position(
        &self,
        user: UserId,
        held: Option<&FeedPosition>,
    ) -> (FeedPosition, bool) {
        let (number, floor) =
            self.users.get(&user).map_or((0, 0), |feed| (feed.number, feed.floor));
        let recovered = held.is_some_and(|held| {
            held.epoch == self.epoch && held.number >= floor && held.number <= number
        });
        (FeedPosition { epoch: self.epoch, number }, recovered)
    }

    /// The changes after a number, ascending.
    pub(crate) fn since(&self, user: UserId, number: u64) -> Vec<(u64, ConversationId)> {
        self.users.get(&user).map_or_else(Vec::new, |feed| {
            feed.by_number.range(number + 1..).map(|(number, id)| (*number, *id)).collect()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conversation(n: u8) -> ConversationId {
        ConversationId::from_bytes([n; 12])
    }

    fn user() -> UserId {
        UserId::from_bytes([9; 12])
    }

    #[test]
    fn a_reconnect_gets_each_changed_conversation_once() {
        let mut feeds = Feeds::new(7);
        feeds.note(user(), conversation(1));
        let (held, _) = feeds.position(user(), None);
        feeds.note(user(), conversation(2));
        feeds.note(user(), conversation(1));
        feeds.note(user(), conversation(2));
        assert!(feeds.position(user(), Some(&held)).1);
        let missed = feeds.since(user(), held.number);
        assert_eq!(missed, [(3, conversation(1)), (4, conversation(2))]);
    }

    #[test]
    fn another_life_or_a_position_too_old_is_not_recovered() {
        let mut feeds = Feeds::new(7);
        let other = FeedPosition { epoch: 8, number: 0 };
        assert!(!feeds.position(user(), Some(&other)).1);
        let start = FeedPosition { epoch: 7, number: 0 };
        for n in 0..=limits::FEED_CHANGES_MAX {
            let bytes = u32::try_from(n).expect("small").to_be_bytes();
            let mut id = [0; 12];
            id[..4].copy_from_slice(&bytes);
            feeds.note(user(), ConversationId::from_bytes(id));
        }
        assert!(!feeds.position(user(), Some(&start)).1);
        let ahead = FeedPosition { epoch: 7, number: 1 << 40 };
        assert!(!feeds.position(user(), Some(&ahead)).1);
    }
}
