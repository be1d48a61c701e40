//! What concerns all visitors of an inbox at once: other rules, and whether somebody is there.
//!
//! An inbox may have thousands of idle widgets open. Telling them costs a walk over the loop's
//! connections, so it goes on in slices, one a tick, and never holds up a turn.

use std::sync::Arc;

use frontdesk_core::id::InboxId;
use frontdesk_protocol::{
    Encoded, close,
    wire::{self, server_frame::Frame as Out},
};

use super::{Chat, conn::State, port::InboxFacts};
use crate::edge::{ConnId, Io};

/// Connections looked at in one slice: a tenth of a second of a loop takes ten times as many frames.
const SLICE: usize = 2_000;

/// Something that is being told to the visitors of an inbox.
#[derive(Debug)]
pub(super) struct Announcement {
    inbox: InboxId,
    frame: Encoded,
    /// The place among the connections where the next slice begins.
    next: usize,
}

impl Chat {
    /// Somebody of an inbox came online, or the last one went. What was being told before is old.
    pub(super) fn attended(&mut self, io: &mut Io<'_>, inbox: InboxId, attended: bool) {
        self.announcements.retain(|announcement| announcement.inbox != inbox);
        let frame = Encoded::push(Out::Attended(wire::Attended { attended }));
        self.announcements.push(Announcement { inbox, frame, next: 0 });
        self.go_on_telling(io);
    }

    /// Tells the next slice of connections. One that comes while this goes on knows from its welcome.
    pub(super) fn go_on_telling(&mut self, io: &mut Io<'_>) {
        let mut announcements = std::mem::take(&mut self.announcements);
        for announcement in &mut announcements {
            let slice = self.conns.iter().skip(announcement.next).take(SLICE).flatten();
            let told: Vec<ConnId> = slice
                .filter(|conn| is_visitor_of(&conn.state, announcement.inbox))
                .map(|conn| conn.id)
                .collect();
            announcement.next += SLICE;
            for conn in told {
                self.send(io, conn, &announcement.frame);
            }
        }
        announcements.retain(|announcement| announcement.next < self.conns.len());
        self.announcements = announcements;
    }

    /// Connections go on under the inbox's new rules; those of visitors the site has not named end
    /// where it has to.
    pub(super) fn inbox_changed(&mut self, io: &mut Io<'_>, facts: Arc<InboxFacts>) {
        if self.inboxes.get(&facts.inbox).is_some_and(|known| known.revision >= facts.revision) {
            return;
        }
        let mut unnamed = Vec::new();
        for conn in self.conns.iter_mut().flatten() {
            let State::Visitor(visitor) = &mut conn.state else { continue };
            if visitor.inbox.inbox != facts.inbox {
                continue;
            }
            visitor.inbox = Arc::clone(&facts);
            if facts.identity_required && !visitor.identified {
                unnamed.push(conn.id);
            }
        }
        self.inboxes.insert(facts.inbox, facts);
        for conn in unnamed {
            // A new ticket says why there is none.
            Self::close(io, conn, close::TICKET.code);
        }
    }

    /// The rules for a connection that comes: those the gate read, unless the loop has heard of newer
    /// ones meanwhile.
    pub(super) fn newest(&self, facts: Arc<InboxFacts>) -> Arc<InboxFacts> {
        let known = self.inboxes.get(&facts.inbox);
        known.filter(|known| known.revision > facts.revision).cloned().unwrap_or(facts)
    }

    /// Whether a visitor's connection is told that somebody types.
    pub(super) fn hears_typing(&self, conn: ConnId) -> bool {
        let state = self.conns.get(conn.index()).and_then(Option::as_ref);
        matches!(state.map(|conn| &conn.state), Some(State::Visitor(visitor)) if visitor.inbox.typing)
    }
}

fn is_visitor_of(state: &State, inbox: InboxId) -> bool {
    matches!(state, State::Visitor(visitor) if visitor.inbox.inbox == inbox)
}
