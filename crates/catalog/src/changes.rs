//! What somebody changed on another node, for those who hold on to what they read: open connections, queues.
//!
//! A change is written in the transaction it tells of ([`crate::store::Write::tell`]) and read by every node twice
//! a second ([`crate::mysql`]); who made it knows already and is not told.

use frontdesk_core::id::{AccountId, ApiKeyId, UserId};
use tokio::sync::broadcast;

/// Changes that wait for a slow listener; one that is further behind hears [`Change::Everything`]. More than a look
/// reads, so that a listener that keeps up hears each.
pub(crate) const WAITING_MAX: usize = 4_096;

/// Something that was changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Nobody knows what: anybody may have lost any right.
    Everything,
    /// What an account's people configure: inboxes, teams, roles, settings, members.
    Account(AccountId),
    /// What a user may do, or its password: in one account, whose members are others now too, or in all.
    User {
        /// None for every account.
        account: Option<AccountId>,
        /// Who.
        user: UserId,
    },
    /// A login session ended before its time.
    Login {
        /// Whose.
        user: UserId,
        /// Which.
        handle: String,
    },
    /// An API key works no longer.
    Key {
        /// Of which account.
        account: AccountId,
        /// Which.
        key: ApiKeyId,
    },
}

/// Gives the changes of other nodes to whoever listens.
#[derive(Debug, Clone)]
pub(crate) struct Teller(broadcast::Sender<Change>);

impl Teller {
    pub(crate) fn new() -> Self {
        Self(broadcast::Sender::new(WAITING_MAX))
    }

    pub(crate) fn tell(&self, change: Change) {
        // An error means that nobody listens.
        drop(self.0.send(change));
    }

    pub(crate) fn listen(&self) -> ChangesElsewhere {
        ChangesElsewhere(self.0.subscribe())
    }
}

/// The changes of other nodes from when one began to listen; none where one process has the catalog.
#[derive(Debug)]
pub struct ChangesElsewhere(broadcast::Receiver<Change>);

impl ChangesElsewhere {
    /// The next one; None once the catalog is closed.
    pub async fn next(&mut self) -> Option<Change> {
        match self.0.recv().await {
            Ok(change) => Some(change),
            Err(broadcast::error::RecvError::Lagged(_)) => Some(Change::Everything),
            Err(broadcast::error::RecvError::Closed) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_listener_hears_each_change_of_the_largest_look() {
        let teller = Teller::new();
        let mut changes = teller.listen();
        let change = |number: usize| Change::Login {
            user: UserId::from_bytes([1; 12]),
            handle: number.to_string(),
        };
        for number in 0..crate::mysql::LOOK_MAX as usize {
            teller.tell(change(number));
        }
        for number in 0..crate::mysql::LOOK_MAX as usize {
            assert_eq!(changes.next().await, Some(change(number)));
        }
    }

    #[tokio::test]
    async fn one_that_is_too_far_behind_hears_that_anything_may_have_changed() {
        let teller = Teller::new();
        let mut changes = teller.listen();
        let key = Change::Key {
            account: AccountId::from_bytes([1; 12]),
            key: ApiKeyId::from_bytes([2; 12]),
        };
        for _ in 0..=WAITING_MAX {
            teller.tell(key.clone());
        }
        assert_eq!(changes.next().await, Some(Change::Everything));
        assert_eq!(changes.next().await, Some(key));
    }
}
