//! The proof that nobody is left waiting: a report of every open session, and what breaks the rule.

use frontdesk_core::id::{ConversationId, InboxId, TeamId, UserId};

use super::{Desk, session::Owner};

/// Who or what holds an open session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holder {
    /// An agent or bot, by id and display name.
    Owner {
        /// The id, as the session has it.
        id: String,
        /// The display name.
        name: String,
        /// Whether the owner counts as online or away.
        present: bool,
    },
    /// A place in a queue.
    Queue {
        /// The team's queue, or the inbox's common one.
        team: Option<TeamId>,
        /// The inbox.
        inbox: Option<InboxId>,
        /// 1 is next.
        place: u32,
        /// Nobody was online when it came.
        unattended: bool,
    },
}

/// One open session in the report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// The conversation.
    pub conversation: ConversationId,
    /// The session.
    pub session: String,
    /// Who has it.
    pub holder: Holder,
    /// Since when the visitor waits; 0 while not.
    pub waiting_since_ms: i64,
    /// When the desk acts or looks again.
    pub deadline_ms: i64,
    /// What it does then, if nothing changes.
    pub then: Then,
    /// A proposal is on its way.
    pub in_flight: bool,
}

/// What the desk does with a session at its deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// Looks whether somebody could take it; an agent who becomes free gets it at once.
    LookAgain,
    /// Raises the priority of a session that came while nobody was online.
    Urgent,
    /// Brings back what was set aside.
    Return,
    /// Puts it back into the queue: its owner is away.
    Requeue,
    /// Gives it to the next agent: its owner did not answer.
    NextAgent,
    /// Tells the visitor that it will close.
    WarnIdle,
    /// Closes it: the visitor is silent.
    CloseIdle,
}

impl Then {
    /// The stable word.
    pub const fn code(self) -> &'static str {
        match self {
            Self::LookAgain => "look_again",
            Self::Urgent => "urgent",
            Self::Return => "return",
            Self::Requeue => "requeue",
            Self::NextAgent => "next_agent",
            Self::WarnIdle => "warn_idle",
            Self::CloseIdle => "close_idle",
        }
    }
}

/// A session that could be forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Violation {
    /// It has neither an owner nor a place.
    NoHolder(ConversationId),
    /// It has an owner and a place.
    TwoHolders(ConversationId),
    /// It has no deadline.
    NoDeadline(ConversationId),
    /// Its deadline passed unnoticed.
    Overdue(ConversationId),
    /// The visitor waits for somebody who is not there, and nothing is on its way.
    OwnerAway(ConversationId, UserId),
}

impl Violation {
    /// The conversation that breaks the rule.
    pub const fn conversation(&self) -> ConversationId {
        match self {
            Self::NoHolder(id)
            | Self::TwoHolders(id)
            | Self::NoDeadline(id)
            | Self::Overdue(id)
            | Self::OwnerAway(id, _) => *id,
        }
    }
}

impl Desk {
    /// Returns every open session, longest waiting first, those who do not wait last.
    pub fn waiting(&self, now_ms: i64) -> Vec<Waiting> {
        let places = self.queue.places();
        let mut report: Vec<Waiting> = self
            .sessions
            .values()
            .map(|held| {
                let session = held.session();
                let present = self.around(now_ms, held).owner_present;
                let holder = match places.get(&held.id()) {
                    Some(place) => Holder::Queue {
                        team: held.team,
                        inbox: held.inbox,
                        place: *place,
                        unattended: session.unattended,
                    },
                    None => Holder::Owner {
                        id: held.owner_id(),
                        name: session.owner.as_ref().map(|o| o.name.clone()).unwrap_or_default(),
                        present,
                    },
                };
                Waiting {
                    conversation: held.id(),
                    session: session.id.clone(),
                    holder,
                    waiting_since_ms: session.waiting_since_ms,
                    deadline_ms: held.deadline_ms,
                    then: held.then(present),
                    in_flight: held.in_flight.is_some(),
                }
            })
            .collect();
        report.sort_by_key(|line| (line.waiting_since_ms == 0, line.waiting_since_ms));
        report
    }

    /// Returns what must not be: empty after every [`Desk::apply`] whose time was kept.
    pub fn violations(&self, now_ms: i64) -> Vec<Violation> {
        let mut found = Vec::new();
        let late_ms = now_ms - self.settings.watchdog_slack_ms;
        for held in self.sessions.values() {
            let id = held.id();
            let in_queue = self.queue.contains(id);
            match (held.owner, in_queue) {
                (Owner::Nobody, false) => found.push(Violation::NoHolder(id)),
                (Owner::Agent(_) | Owner::Other, true) => found.push(Violation::TwoHolders(id)),
                _ => {}
            }
            if !self.deadlines.contains(&(held.deadline_ms, id)) {
                found.push(Violation::NoDeadline(id));
            } else if held.deadline_ms < late_ms {
                found.push(Violation::Overdue(id));
            }
            if let Owner::Agent(agent) = held.owner
                && held.session().waiting_since_ms > 0
                && held.in_flight.is_none()
                && now_ms >= held.retry_at_ms + self.settings.watchdog_slack_ms
                && !self.around(late_ms, held).owner_present
                && !self.around(now_ms, held).owner_present
            {
                found.push(Violation::OwnerAway(id, agent));
            }
        }
        found
    }
}
