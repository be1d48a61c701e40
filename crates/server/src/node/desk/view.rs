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
    /// Whether somebody of each inbox is online, as its desk said last, wherever that is.
    attended: HashMap<InboxId, bool>,
    /// The inboxes of desks of this node.
    inboxes_here: HashMap<InboxId, AccountId>,
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
                inboxes_here: HashMap::new(),
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

    /// The desks of these accounts are on another node; returns their inboxes.
    pub(super) fn give_up(&self, is_gone: impl Fn(&AccountId) -> bool) -> Vec<InboxId> {
        let mut view = self.inner.lock();
        view.online.retain(|(account, _)| !is_gone(account));
        view.staff_changes += 1;
        let gone = view.inboxes_here.extract_if(|_, account| is_gone(account));
        gone.map(|(inbox, _)| inbox).collect()
    }

    /// A desk of this node says whether somebody of an inbox is online.
    pub(crate) fn note_attended_here(&self, account: AccountId, inbox: InboxId, attended: bool) {
        let mut view = self.inner.lock();
        view.inboxes_here.insert(inbox, account);
        view.attended.insert(inbox, attended);
    }

    /// The desk of an inbox, on another node, says whether somebody is online; returns whether that is news here.
    pub(crate) fn note_attended(&self, inbox: InboxId, attended: bool) -> bool {
        let mut view = self.inner.lock();
        // A former desk's word may come late.
        !view.inboxes_here.contains_key(&inbox)
            && view.attended.insert(inbox, attended).unwrap_or(false) != attended
    }

    /// Whether somebody of each inbox is online whose desk is here.
    pub(crate) fn attended_here(&self) -> Vec<(InboxId, bool)> {
        let view = self.inner.lock();
        let of = |inbox: &InboxId| view.attended.get(inbox).copied().unwrap_or(false);
        view.inboxes_here.keys().map(|inbox| (*inbox, of(inbox))).collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    const ACCOUNT: AccountId = AccountId::from_bytes([1; 12]);
    const INBOX: InboxId = InboxId::from_bytes([2; 12]);

    #[test]
    fn what_another_node_says_of_an_inbox_is_news_only_if_it_was_otherwise() {
        let view = DeskView::new(1);
        assert!(!view.note_attended(INBOX, false), "nobody is there until somebody is heard of");
        assert!(view.note_attended(INBOX, true) && view.attended(INBOX));
        assert!(!view.note_attended(INBOX, true));
        assert!(view.attended_here().is_empty(), "its desk is elsewhere");
    }

    #[test]
    fn the_desk_of_this_node_is_believed_until_it_goes() {
        let view = DeskView::new(1);
        view.note_attended_here(ACCOUNT, INBOX, true);
        assert_eq!(view.attended_here(), [(INBOX, true)]);
        assert!(!view.note_attended(INBOX, false) && view.attended(INBOX));
        assert_eq!(view.give_up(|account| *account == ACCOUNT), [INBOX]);
        assert!(view.attended(INBOX), "until the next desk says otherwise");
        assert!(view.attended_here().is_empty());
        assert!(view.note_attended(INBOX, false) && !view.attended(INBOX));
    }
}
