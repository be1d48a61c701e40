//! What the gate and HTTP read of the desk without asking it.

use std::collections::{HashMap, HashSet};

use frontdesk_core::id::{AccountId, InboxId, UserId};
use frontdesk_protocol::wire;
use parking_lot::Mutex;

use crate::node::{
    feeds::{Feeds, Reader},
    now_ms,
};

/// What the gate and HTTP read without asking the desk.
#[derive(Debug)]
pub(crate) struct DeskView {
    pub(super) inner: Mutex<View>,
}

#[derive(Debug)]
pub(super) struct View {
    pub(super) presence: HashMap<UserId, wire::Presence>,
    pub(super) attended: HashMap<InboxId, bool>,
    /// Who is online of each account, as routing sees it.
    pub(super) online: HashSet<(AccountId, UserId)>,
    /// Grows when somebody comes or goes, or something is configured.
    pub(super) staff_changes: u64,
    pub(super) feeds: Feeds,
}

impl DeskView {
    pub(crate) fn new(feed_epoch: u64) -> Self {
        Self {
            inner: Mutex::new(View {
                presence: HashMap::new(),
                attended: HashMap::new(),
                online: HashSet::new(),
                staff_changes: 0,
                feeds: Feeds::new(feed_epoch),
            }),
        }
    }

    /// Whether somebody of the inbox is online.
    pub(crate) fn attended(&self, inbox: InboxId) -> bool {
        self.inner.lock().attended.get(&inbox).copied().unwrap_or(false)
    }

    /// The desks of these accounts are on another node.
    pub(super) fn give_up(&self, is_gone: impl Fn(&AccountId) -> bool) {
        let mut view = self.inner.lock();
        view.online.retain(|(account, _)| !is_gone(account));
        view.staff_changes += 1;
    }

    /// The desk of the inbox, on another node, says whether somebody is online.
    pub(crate) fn note_attended(&self, inbox: InboxId, attended: bool) {
        self.inner.lock().attended.insert(inbox, attended);
    }

    /// Whether somebody of the account is online, connected and not away.
    pub(crate) fn is_online(&self, account: AccountId, user: UserId) -> bool {
        self.inner.lock().online.contains(&(account, user))
    }

    /// Another number than before says that who serves an inbox may have changed.
    pub(crate) fn staff_changes(&self) -> u64 {
        self.inner.lock().staff_changes
    }

    /// Something about people, teams or inboxes is configured otherwise.
    pub(crate) fn staff_changed(&self) {
        self.inner.lock().staff_changes += 1;
    }

    /// What the user chose while this process ran.
    pub(crate) fn presence(&self, user: UserId) -> Option<wire::Presence> {
        self.inner.lock().presence.get(&user).copied()
    }

    /// Where the user's feed stands; from now on the desk expects the user.
    pub(crate) fn feed_position(
        &self,
        reader: Reader,
        held: Option<&wire::FeedPosition>,
    ) -> (wire::FeedPosition, bool) {
        let feeds = &mut self.inner.lock().feeds;
        feeds.expect(reader, now_ms());
        feeds.position(reader, held)
    }
}
