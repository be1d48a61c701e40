//! An agent comes back: what it missed in the conversations it holds is opened one after the other.
//!
//! The next is asked for when the last has left the out-queue, so that what many of them missed
//! comes as fast as it is read and never looks like a slow reader. The loops and the desk hear of the
//! connection after the last one, and the client's own frames are read after it: until then nothing of
//! a conversation can reach its owner, be it a push or an ack, ahead of what was missed of it (I3, I6).

use std::{collections::VecDeque, sync::Arc, time::Duration};

use frontdesk_core::limits;
use frontdesk_protocol::wire::{self, client_frame::Frame as In};

use super::{
    Chat, TIMER_OWNER,
    conn::{AgentConn, State},
    port::{Command, DeskInput},
};
use crate::edge::{ConnId, Io, TimerKey};

/// The longest a resume may take, in the loop's seconds.
const CATCH_UP_S: u32 = (limits::CATCH_UP_MS / 1_000) as u32;

/// How often it is looked whether a conversation has an owner again.
const OWNER_LOOK: Duration = Duration::from_millis(100);

/// What is left of a resume.
#[derive(Debug)]
pub(super) struct Resuming {
    /// Conversations still to be opened, in the order of the hello.
    held: VecDeque<wire::Held>,
    /// From where the desk gives the feed.
    feed: wire::FeedPosition,
    /// Another loop is asked, or the queue is to empty.
    waits: bool,
    /// UTC seconds.
    since_s: u32,
}

impl Resuming {
    pub(super) fn new(
        hello: &wire::Hello,
        feed: wire::FeedPosition,
        recovered: bool,
        since_s: u32,
    ) -> Self {
        let feed = hello.feed.filter(|_| recovered).unwrap_or(feed);
        let held = hello.held.iter().take(limits::HELD_MAX).cloned().collect();
        Self { held, feed, waits: false, since_s }
    }
}

impl Chat {
    fn resuming(&mut self, conn: ConnId) -> Option<&mut Resuming> {
        // The place may have been given to a later connection.
        match self.conn(conn).filter(|state| state.id == conn).map(|state| &mut state.state) {
            Some(State::Agent(agent)) => agent.resuming.as_deref_mut(),
            _ => None,
        }
    }

    /// Opens what is held until there is something to wait for, then announces the connection.
    pub(super) fn resume(&mut self, io: &mut Io<'_>, conn: ConnId) {
        while let Some(resuming) = self.resuming(conn) {
            if resuming.waits {
                return;
            }
            let Some(held) = resuming.held.front() else {
                self.announce(conn);
                return io.resume_reading(conn);
            };
            let id = held.conversation.parse().ok();
            resuming.waits = true;
            io.pause_reading(conn);
            if id.is_some_and(|id| self.loops.owner_of(&id).is_none()) {
                // Between two owners: nobody could say what was missed.
                io.set_timer(TimerKey::Conn(conn, TIMER_OWNER), OWNER_LOOK);
                return;
            }
            let Some(held) = self.resuming(conn).and_then(|resuming| resuming.held.pop_front())
            else {
                return;
            };
            let open = wire::Open { conversation: held.conversation, position: held.position };
            if self.agent_admitted(io, conn, 0, In::Open(open)) {
                self.resume_answered(io, conn);
            }
        }
    }

    /// The last conversation has been answered, here or by its loop.
    pub(super) fn resume_answered(&mut self, io: &mut Io<'_>, conn: ConnId) {
        if io.queued_bytes(conn) > 0 {
            io.tell_drained(conn);
        } else {
            self.resume_drained(conn);
        }
    }

    /// Looks again whether the next conversation has an owner.
    pub(super) fn resume_with_owner(&mut self, io: &mut Io<'_>, conn: ConnId) {
        self.resume_drained(conn);
        self.resume(io, conn);
    }

    /// Nothing is queued for the connection any more.
    pub(super) fn resume_drained(&mut self, conn: ConnId) {
        if let Some(resuming) = self.resuming(conn) {
            resuming.waits = false;
        }
    }

    /// Whether a resume has taken so long that its reader counts as slow: it is not read from
    /// meanwhile, so its silence says nothing. What it was given it holds when it comes back.
    pub(super) fn resumes_too_long(&mut self, conn: ConnId, now_s: u32) -> bool {
        self.resuming(conn)
            .is_some_and(|resuming| now_s.saturating_sub(resuming.since_s) > CATCH_UP_S)
    }

    /// Tells the loops and the desk that the connection is here.
    fn announce(&mut self, conn: ConnId) {
        let own = self.own(conn);
        let Some(State::Agent(agent)) = self.conn(conn).map(|state| &mut state.state) else {
            return;
        };
        let Some(resuming) = agent.resuming.take() else { return };
        let AgentConn { principal, user: Some(user), .. } = &**agent else { return };
        let (principal, user, feed) = (Arc::clone(principal), *user, resuming.feed);
        let account = principal.account;
        self.note_user(account, user, own, true);
        self.tell_all_others(|| Command::UserConn { account, user, conn: own, present: true });
        self.to_desk.push_back(DeskInput::AgentConnected { principal, user, conn: own, feed });
    }
}
