//! Feeds: what changed in each agent's list, so that a reconnect asks for the difference only.
//!
//! A feed keeps for each conversation the number of its newest change, nothing of what it was: the
//! row is made when it is sent, from the state as it is then. It goes on while the user is away, as
//! long as a resume is possible. Feeds live as long as the process; one of an earlier life is not
//! recovered, and the client reloads its list.

use std::collections::{BTreeMap, HashMap};

use frontdesk_core::{
    id::{AccountId, ConversationId, UserId},
    limits,
};
use frontdesk_protocol::wire::FeedPosition;

/// Longest time between the gate's answer to a user and the desk's welcome, ms.
const AWAITED_MS: i64 = 60_000;

/// Whose feed: people of several accounts have one in each.
pub(crate) type Reader = (AccountId, UserId);

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
    users: HashMap<Reader, Feed>,
    /// Users who were told a position and whom the desk has not seen yet, and since when.
    awaited: HashMap<Reader, i64>,
}

impl Feeds {
    /// Feeds of a new life, named by a random epoch.
    pub(crate) fn new(epoch: u64) -> Self {
        Self { epoch, users: HashMap::new(), awaited: HashMap::new() }
    }

    /// Notes that a conversation changed for a user; returns the change's number.
    pub(crate) fn note(&mut self, reader: Reader, conversation: ConversationId) -> u64 {
        self.users.entry(reader).or_default().note(conversation)
    }

    /// A position goes to a user whom the desk does not know yet: until it does, everything of the
    /// account counts as changed.
    pub(crate) fn expect(&mut self, reader: Reader, now_ms: i64) {
        self.awaited.insert(reader, now_ms);
    }

    /// The desk knows the user now.
    pub(crate) fn arrived(&mut self, reader: Reader) {
        self.awaited.remove(&reader);
    }

    /// Notes a change for those on their way to the desk whom it does not know yet.
    pub(crate) fn note_awaited(
        &mut self,
        account: AccountId,
        conversation: ConversationId,
        known: impl Fn(UserId) -> bool,
    ) {
        let unknown = |reader: &&Reader| reader.0 == account && !known(reader.1);
        for reader in self.awaited.keys().filter(unknown) {
            self.users.entry(*reader).or_default().note(conversation);
        }
    }

    /// Forgets those who never arrived.
    pub(crate) fn sweep(&mut self, now_ms: i64) {
        self.awaited.retain(|_, since_ms| now_ms - *since_ms < AWAITED_MS);
    }

    /// Nothing is noted for this user any more: whatever position is held, the list is reloaded.
    pub(crate) fn lapse(&mut self, reader: Reader) {
        if let Some(feed) = self.users.get_mut(&reader) {
            let number = feed.number + 1;
            *feed = Feed { number, floor: number, ..Feed::default() };
        }
    }

    /// Where a user's feed stands, and whether all changes since `held` are known.
    pub(crate) fn position(
        &self,
        reader: Reader,
        held: Option<&FeedPosition>,
    ) -> (FeedPosition, bool) {
        let (number, floor) =
            self.users.get(&reader).map_or((0, 0), |feed| (feed.number, feed.floor));
        let recovered = held.is_some_and(|held| {
            held.epoch == self.epoch && held.number >= floor && held.number <= number
        });
        (FeedPosition { epoch: self.epoch, number }, recovered)
    }

    /// The changes after a number, ascending.
    pub(crate) fn since(&self, reader: Reader, number: u64) -> Vec<(u64, ConversationId)> {
        self.users.get(&reader).map_or_else(Vec::new, |feed| {
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

    fn user() -> Reader {
        (AccountId::from_bytes([8; 12]), UserId::from_bytes([9; 12]))
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
    fn a_feed_that_nobody_kept_is_not_recovered() {
        let mut feeds = Feeds::new(7);
        feeds.note(user(), conversation(1));
        let (held, _) = feeds.position(user(), None);
        feeds.lapse(user());
        let (now, recovered) = feeds.position(user(), Some(&held));
        assert!(!recovered);
        assert!(feeds.since(user(), held.number).is_empty());
        assert!(feeds.position(user(), Some(&now)).1, "from here on it is kept again");
        feeds.note(user(), conversation(2));
        assert_eq!(feeds.since(user(), now.number).len(), 1);
    }

    #[test]
    fn what_changes_between_the_gate_and_the_desk_is_missed_by_nobody() {
        let mut feeds = Feeds::new(7);
        let other = (AccountId::from_bytes([1; 12]), user().1);
        let (told, _) = feeds.position(user(), None);
        feeds.expect(user(), 1_000);
        feeds.expect(other, 1_000);
        feeds.note_awaited(user().0, conversation(3), |_| false);
        assert_eq!(feeds.since(user(), told.number), [(1, conversation(3))]);
        assert!(feeds.since(other, 0).is_empty(), "each account has its own");
        feeds.note_awaited(user().0, conversation(6), |_| true);
        assert_eq!(feeds.since(user(), told.number).len(), 1, "the desk notes for those it knows");
        feeds.arrived(user());
        feeds.note_awaited(user().0, conversation(4), |_| false);
        assert_eq!(feeds.since(user(), told.number).len(), 1);
        feeds.sweep(1_000 + AWAITED_MS);
        feeds.note_awaited(other.0, conversation(5), |_| false);
        assert!(feeds.since(other, 0).is_empty());
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
