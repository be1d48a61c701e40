//! How long a session took, from its events alone: what reports, service levels and webhooks compute
//! without reading a message. A pure fold over [`chat::SessionEvent`]s in their order.

use crate::chat::{self, session_event::Change};

/// The times of one session.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SessionTimes {
    /// When it began.
    pub opened_at_ms: i64,
    /// When a person first answered; 0 for nobody yet.
    pub first_answer_at_ms: i64,
    /// When it was last closed; 0 while it is open.
    pub closed_at_ms: i64,
    /// How long the visitor waited for an owner's first answer, all such waits for people together. A wait
    /// that goes on is not in it; one that a close ended is.
    pub waiting_ms: i64,
    /// How long the session stood in queues, but for the stay that goes on.
    pub queued_ms: i64,
    /// How long a person owned it and it was not set aside, but for the stretch that goes on.
    pub handling_ms: i64,
    /// How long a bot owned it, but for the stretch that goes on.
    pub bot_ms: i64,
    waiting_since_ms: i64,
    queued_since_ms: i64,
    handled_since_ms: i64,
    bots_since_ms: i64,
}

impl SessionTimes {
    /// From opening to the first answer.
    pub fn first_answer_ms(&self) -> Option<i64> {
        (self.first_answer_at_ms > 0).then(|| self.first_answer_at_ms - self.opened_at_ms)
    }

    /// Since when the visitor waits for the first answer of an owner; 0 for not at all.
    pub fn waiting_since_ms(&self) -> i64 {
        self.waiting_since_ms
    }

    /// Takes the next event of this session.
    pub fn apply(&mut self, event: &chat::SessionEvent) {
        let at_ms = event.at_ms;
        match &event.change {
            Some(Change::Opened(_)) => self.opened_at_ms = at_ms,
            Some(Change::Queued(queued)) => self.enter_queue(at_ms, queued.waiting_since_ms),
            Some(Change::Transferred(to)) if to.to_owner.is_none() => {
                self.enter_queue(at_ms, to.waiting_since_ms);
            }
            Some(Change::Transferred(to)) => {
                self.waiting_since_ms = to.waiting_since_ms;
                self.enter_hands(at_ms);
            }
            Some(Change::Assigned(assigned)) if is_bot(assigned.owner.as_ref()) => {
                self.stop(at_ms);
                self.bots_since_ms = at_ms;
            }
            Some(Change::Assigned(_)) => self.enter_hands(at_ms),
            Some(Change::Reopened(_)) => {
                self.closed_at_ms = 0;
                self.enter_hands(at_ms);
            }
            Some(Change::Pended(pended)) if pended.until_ms == 0 => self.enter_hands(at_ms),
            Some(Change::Pended(_)) => self.stop(at_ms),
            // A bot's speed is no person's.
            Some(Change::FirstAnswered(_)) if by_bot(event) => {
                self.waiting_since_ms = 0;
            }
            Some(Change::FirstAnswered(answered)) => {
                self.waiting_ms += answered.waited_ms;
                self.waiting_since_ms = 0;
                if self.first_answer_at_ms == 0 {
                    self.first_answer_at_ms = at_ms;
                }
            }
            Some(Change::Closed(_)) => {
                self.stop(at_ms);
                if self.waiting_since_ms > 0 {
                    self.waiting_ms += at_ms - self.waiting_since_ms;
                    self.waiting_since_ms = 0;
                }
                self.closed_at_ms = at_ms;
            }
            Some(
                Change::Rated(_)
                | Change::IntentSet(_)
                | Change::PrioritySet(_)
                | Change::Joined(_)
                | Change::Left(_)
                | Change::LabelsSet(_)
                | Change::IdleWarned(_)
                | Change::Unattended(_),
            )
            | None => {}
        }
    }

    fn enter_queue(&mut self, at_ms: i64, waiting_since_ms: i64) {
        // From queue to queue the stay goes on.
        if self.queued_since_ms == 0 {
            self.stop(at_ms);
            self.queued_since_ms = at_ms;
        }
        self.waiting_since_ms = waiting_since_ms;
    }

    fn enter_hands(&mut self, at_ms: i64) {
        if self.handled_since_ms == 0 {
            self.stop(at_ms);
            self.handled_since_ms = at_ms;
        }
    }

    /// Ends the stretch in a queue or in somebody's hands.
    fn stop(&mut self, at_ms: i64) {
        for (since_ms, total_ms) in [
            (&mut self.queued_since_ms, &mut self.queued_ms),
            (&mut self.handled_since_ms, &mut self.handling_ms),
            (&mut self.bots_since_ms, &mut self.bot_ms),
        ] {
            if *since_ms > 0 {
                *total_ms += at_ms - *since_ms;
                *since_ms = 0;
            }
        }
    }
}

fn is_bot(owner: Option<&chat::Participant>) -> bool {
    owner.is_some_and(|owner| owner.kind == chat::ParticipantKind::Bot as i32)
}

fn by_bot(event: &chat::SessionEvent) -> bool {
    event.actor.as_ref().is_some_and(|actor| actor.kind == chat::ActorKind::Bot as i32)
}

/// The times of every session in a conversation's events, oldest first. Events stand in the order of
/// their numbers.
pub fn session_times<'a>(
    events: impl IntoIterator<Item = &'a chat::SessionEvent>,
) -> Vec<(String, SessionTimes)> {
    let mut sessions: Vec<(String, SessionTimes)> = Vec::new();
    for event in events {
        if sessions.last().is_none_or(|(id, _)| *id != event.session) {
            sessions.push((event.session.clone(), SessionTimes::default()));
        }
        if let Some((_, times)) = sessions.last_mut() {
            times.apply(event);
        }
    }
    sessions
}
