//! What somebody changed on another node, for those who hold on to what they read: open connections, queues.
//!
//! A change is written in the transaction it tells of ([`crate::store::Write::tell`]) and read by every node twice
//! a second ([`crate::mysql`]); who made it knows already and is not told.

use frontdesk_core::id::{AccountId, ApiKeyId, UserId};
use tokio::sync::broadcast;

/// Changes that wait for a slow listener; one that is further behind hears [`Change::Everything`].
const WAITING_MAX: usize = 256;

/// Something that was changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Nobody knows what.
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
