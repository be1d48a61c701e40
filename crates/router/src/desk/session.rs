//! What one session needs next. Pure: the session as it is, who is there, the figures, and the time
//! give at most one change and the time to look again. The same rules hold after a restart, because
//! nearly everything they read is in the session itself.

use frontdesk_core::{
    chat::{self, Participant, ParticipantKind, Session, SessionStatus},
    id::{ConversationId, InboxId, TeamId, UserId},
    store::change::Change,
};

use super::{DeskSettings, Lane, Summary, watchdog::Then};

/// Priority 0 is normal.
const PRIORITY_NORMAL: u32 = 2;
const PRIORITY_URGENT: u32 = 4;

/// An open session with what routing remembers about it.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) summary: Summary,
    pub(super) inbox: Option<InboxId>,
    pub(super) team: Option<TeamId>,
    pub(super) owner: Owner,
    /// When to look at it again; in the index of deadlines under the same value.
    pub(super) deadline_ms: i64,
    pub(super) in_flight: Option<InFlight>,
    /// Not before this time after a refusal.
    pub(super) retry_at_ms: i64,
    /// Agents who had it and did not answer.
    pub(super) missed: Vec<UserId>,
    /// When the owner's time to answer began anew because there was nobody else.
    pub(super) checked_at_ms: i64,
    /// When the idle warning was seen.
    pub(super) warned_at_ms: i64,
}

/// Who answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner {
    Nobody,
    Agent(UserId),
    /// A bot, or an owner whose id is no user's.
    Other,
}

/// A proposal on its way through the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct InFlight {
    pub(super) version: u32,
    pub(super) until_ms: i64,
    pub(super) agent: Option<UserId>,
}

/// What the rules know beside the session.
#[derive(Debug, Clone)]
pub(super) struct Around {
    /// The owner counts as online or away.
    pub(super) owner_present: bool,
    /// Somebody who serves its queue is online within hours.
    pub(super) attended: bool,
    /// Who could answer instead of the owner.
    pub(super) instead: Instead,
    /// Until when it waits for its intent, or for the bot of this server.
    pub(super) first_look_until_ms: Option<i64>,
    /// The bot it goes to now.
    pub(super) bot: Option<Participant>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Instead {
    /// Nobody else is online.
    Nobody,
    /// Others are online, but routing may not give it to them now.
    Queue,
    Agent(UserId),
}

/// What to do with a session.
#[derive(Debug, PartialEq)]
pub(super) struct Next {
    pub(super) step: Step,
    /// When to look again if nothing changes; always later than now.
    pub(super) deadline_ms: i64,
}

#[derive(Debug, PartialEq)]
pub(super) enum Step {
    Nothing,
    Propose(Change),
    /// The owner did not answer: to this agent.
    NextAgent(UserId),
    /// The owner did not answer: back to the queue.
    NoAnswer(Change),
    /// The owner did not answer and there is nobody else: their time begins anew.
    Keep,
}

impl Held {
    pub(super) fn new(summary: Summary) -> Self {
        let session = &summary.session;
        let owner = match &session.owner {
            None => Owner::Nobody,
            Some(owner) if owner.kind() == ParticipantKind::Bot => Owner::Other,
            Some(owner) => owner.id.parse().map_or(Owner::Other, Owner::Agent),
        };
        let inbox = session.inbox.parse().ok();
        let team = session.team.parse().ok();
        Self {
            inbox,
            team,
            owner: if session.status() == SessionStatus::Queued { Owner::Nobody } else { owner },
            deadline_ms: 0,
            in_flight: None,
            retry_at_ms: 0,
            missed: Vec::new(),
            checked_at_ms: 0,
            warned_at_ms: 0,
            summary,
        }
    }

    pub(super) fn id(&self) -> ConversationId {
        self.summary.conversation
    }

    pub(super) fn session(&self) -> &Session {
        &self.summary.session
    }

    pub(super) fn queued(&self) -> bool {
        self.session().status() == SessionStatus::Queued
    }

    /// Whether nobody has had the session yet.
    pub(super) fn is_new(&self) -> bool {
        self.queued() && self.session().assigned_at_ms == 0
    }

    /// Whether a bot may have it: it is new, and its visitor has not asked for a person.
    pub(super) fn is_for_bots(&self) -> bool {
        self.is_new() && !self.session().asked_for_person
    }

    /// Whether this is an older state of the same or an earlier session.
    pub(super) fn newer_than(&self, other: &Session) -> bool {
        let own = self.session();
        (own.number, own.version) > (other.number, other.version)
    }

    pub(super) fn lane(&self) -> Lane {
        match (self.team, self.inbox) {
            (Some(team), _) => Lane::Team(team),
            (None, Some(inbox)) => Lane::Inbox(inbox),
            (None, None) => Lane::Common,
        }
    }

    pub(super) fn priority(&self) -> u32 {
        if self.session().priority == 0 { PRIORITY_NORMAL } else { self.session().priority }
    }

    /// Since when it counts as standing in the queue: a requeued visitor keeps the waiting time.
    pub(super) fn since_ms(&self) -> i64 {
        let session = self.session();
        [session.waiting_since_ms, session.queued_at_ms, session.opened_at_ms]
            .into_iter()
            .find(|at_ms| *at_ms > 0)
            .unwrap_or(0)
    }

    /// Until when only agents with the wished skills shall have it, if there are any; later than now.
    pub(super) fn wish_until_ms(&self, now_ms: i64, settings: &DeskSettings) -> Option<i64> {
        let until_ms = self.since_ms() + settings.queue_ms;
        (!self.summary.skills.is_empty() && now_ms < until_ms).then_some(until_ms)
    }

    /// Says what the session needs at `now_ms`.
    pub(super) fn next(&self, now_ms: i64, settings: &DeskSettings, around: &Around) -> Next {
        match self.session().status() {
            SessionStatus::Queued => self.next_queued(now_ms, settings, around),
            SessionStatus::Pending => self.next_pending(now_ms, settings, around),
            _ => self.next_assigned(now_ms, settings, around),
        }
    }

    fn next_queued(&self, now_ms: i64, settings: &DeskSettings, around: &Around) -> Next {
        let session = self.session();
        if let Some(bot) = &around.bot {
            let owner = Some(bot.clone());
            let assigned = chat::Assigned { owner, ..chat::Assigned::default() };
            return propose(Change::Assigned(assigned), now_ms + settings.retry_ms);
        }
        let alone = session.unattended || !around.attended;
        let period_ms = if alone { settings.unattended_ms } else { settings.queue_ms };
        let promised_ms = session.unattended_until_ms;
        let deadline_ms = if session.unattended && promised_ms > now_ms {
            promised_ms
        } else {
            next_multiple(self.since_ms(), period_ms, now_ms)
        };
        // Its intent may lead it to a queue where somebody is, and a bot is always there.
        if !around.attended && !session.unattended && around.first_look_until_ms.is_none() {
            return propose(Change::Unattended(chat::Unattended { deadline_ms }), deadline_ms);
        }
        let long = now_ms >= self.since_ms() + settings.unattended_ms;
        if session.unattended && long && session.priority < PRIORITY_URGENT {
            let urgent = chat::PrioritySet { priority: PRIORITY_URGENT };
            return propose(Change::PrioritySet(urgent), deadline_ms);
        }
        let looks = [around.first_look_until_ms, self.wish_until_ms(now_ms, settings)];
        let deadline_ms = looks.into_iter().flatten().fold(deadline_ms, i64::min);
        Next { step: Step::Nothing, deadline_ms }
    }

    /// Set aside until a time; the fold ends it when the visitor writes.
    fn next_pending(&self, now_ms: i64, settings: &DeskSettings, around: &Around) -> Next {
        let until_ms = self.session().pending_until_ms;
        if self.session().waiting_since_ms > 0 && !around.owner_present {
            return propose(self.requeue(now_ms), now_ms + settings.retry_ms);
        }
        if now_ms < until_ms {
            return Next { step: Step::Nothing, deadline_ms: until_ms };
        }
        propose(Change::Pended(chat::Pended { until_ms: 0 }), now_ms + settings.retry_ms)
    }

    fn next_assigned(&self, now_ms: i64, settings: &DeskSettings, around: &Around) -> Next {
        let session = self.session();
        if session.waiting_since_ms == 0 {
            return self.next_idle(now_ms, settings);
        }
        if !around.owner_present {
            return propose(self.requeue(now_ms), now_ms + settings.retry_ms);
        }
        if self.owner == Owner::Other {
            let since_ms = session.assigned_at_ms.max(session.waiting_since_ms);
            let due_ms = since_ms + settings.bot_answer_ms;
            return if now_ms < due_ms {
                Next { step: Step::Nothing, deadline_ms: due_ms }
            } else {
                propose(self.requeue(now_ms), now_ms + settings.retry_ms)
            };
        }
        let due_ms = self.answer_due_ms(settings);
        if now_ms < due_ms {
            return Next { step: Step::Nothing, deadline_ms: due_ms };
        }
        match around.instead {
            Instead::Nobody => {
                Next { step: Step::Keep, deadline_ms: now_ms + self.answer_limit_ms(settings) }
            }
            Instead::Queue => Next {
                step: Step::NoAnswer(self.requeue(now_ms)),
                deadline_ms: now_ms + settings.retry_ms,
            },
            Instead::Agent(agent) => {
                Next { step: Step::NextAgent(agent), deadline_ms: now_ms + settings.retry_ms }
            }
        }
    }

    /// Until when an agent who owns the session has to have answered. Each owner gets the whole time.
    pub(super) fn answer_due_ms(&self, settings: &DeskSettings) -> i64 {
        let session = self.session();
        let since_ms = session.assigned_at_ms.max(session.waiting_since_ms).max(self.checked_at_ms);
        since_ms + self.answer_limit_ms(settings)
    }

    /// A supervisor's note does not count as an answer.
    fn answer_limit_ms(&self, settings: &DeskSettings) -> i64 {
        let answered = self.session().last_agent_at_ms > self.session().assigned_at_ms;
        if answered { settings.follow_up_ms } else { settings.first_answer_ms }
    }

    /// The visitor has been answered and is silent: the session closes by itself, after a warning.
    fn next_idle(&self, now_ms: i64, settings: &DeskSettings) -> Next {
        let session = self.session();
        let active_ms = session
            .last_agent_at_ms
            .max(session.last_visitor_at_ms)
            .max(session.assigned_at_ms)
            .max(session.opened_at_ms);
        let closes_at_ms = active_ms + settings.idle_close_ms;
        if session.warned_idle {
            // The visitor keeps the announced time, even when the warning came late.
            let closes_at_ms = closes_at_ms.max(self.warned_at_ms + settings.idle_warn_ms);
            if now_ms < closes_at_ms {
                return Next { step: Step::Nothing, deadline_ms: closes_at_ms };
            }
            let closed = chat::Closed { reason: chat::CloseReason::Idle.into() };
            return propose(Change::Closed(closed), now_ms + settings.retry_ms);
        }
        let warn_at_ms = closes_at_ms - settings.idle_warn_ms;
        if now_ms < warn_at_ms {
            return Next { step: Step::Nothing, deadline_ms: warn_at_ms };
        }
        let closes_at_ms = closes_at_ms.max(now_ms + settings.idle_warn_ms);
        propose(Change::IdleWarned(chat::IdleWarned { closes_at_ms }), now_ms + settings.retry_ms)
    }

    /// What [`Self::next`] comes to at the deadline, if nothing changes until then.
    pub(super) fn then(&self, owner_present: bool) -> Then {
        let session = self.session();
        let waits = session.waiting_since_ms > 0;
        match session.status() {
            SessionStatus::Queued => {
                // Before that it is looked at because a wish for skills ends.
                let due = self.deadline_ms >= session.unattended_until_ms;
                let urgent = session.unattended && due && self.priority() < PRIORITY_URGENT;
                if urgent { Then::Urgent } else { Then::LookAgain }
            }
            _ if waits && (!owner_present || self.owner == Owner::Other) => Then::Requeue,
            SessionStatus::Pending => Then::Return,
            _ if waits => Then::NextAgent,
            _ if session.warned_idle => Then::CloseIdle,
            _ => Then::WarnIdle,
        }
    }

    /// Back to the queue with the waiting time kept.
    fn requeue(&self, now_ms: i64) -> Change {
        let session = self.session();
        let waiting = session.waiting_since_ms;
        Change::Queued(chat::Queued {
            team: session.team.clone(),
            waiting_since_ms: if waiting == 0 { now_ms } else { waiting },
            from_owner: self.owner_id(),
        })
    }

    pub(super) fn owner_id(&self) -> String {
        self.session().owner.as_ref().map(|owner| owner.id.clone()).unwrap_or_default()
    }

    /// The change that gives it to an agent: from the queue, or on from an owner who did not answer.
    pub(super) fn give_to(&self, agent: UserId, name: &str) -> Change {
        let owner = Some(Participant {
            kind: ParticipantKind::Agent.into(),
            id: agent.to_string(),
            name: name.to_owned(),
        });
        // Naming the owner it replaces tells the fold that this is no attempt to take it.
        let former_owner = if self.queued() { String::new() } else { self.owner_id() };
        Change::Assigned(chat::Assigned { owner, former_owner, take_over: false })
    }
}

fn propose(change: Change, deadline_ms: i64) -> Next {
    Next { step: Step::Propose(change), deadline_ms }
}

/// The first `base + n * period` after `now`.
fn next_multiple(base_ms: i64, period_ms: i64, now_ms: i64) -> i64 {
    let period_ms = period_ms.max(1);
    let passed = (now_ms - base_ms).max(0) / period_ms;
    base_ms + (passed + 1) * period_ms
}
