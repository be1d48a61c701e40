//! Folds a change of the session: checks it against the state, makes it, writes down the event and
//! leaves a system entry where people should see it.
//!
//! Rights were checked by the router on a state that may be older than the one here, so what depends
//! on who owns the session is checked again: of two who take at once, the first in the log wins.

use super::{
    Folded, Refused, Verdict,
    conversation::Conversation,
    session::{self, called, is_bots, is_kind, is_open, is_owner, is_participant, is_pending},
    text::{self, Text},
};
use crate::{
    chat::{
        self, Actor, ActorKind, CloseReason, Participant, ParticipantKind, Session, SessionStatus,
        session_event::Change as Event,
    },
    id::MessageId,
    limits::{PARTICIPANTS_MAX, PENDING_MAX_MS},
    store::{self, change::Change},
};

/// Urgent.
const PRIORITY_MAX: u32 = 4;

/// The event as it is written down, and the text people see.
type Made = Result<(Event, Option<Text>), Refused>;

pub(super) fn fold(
    state: &mut Conversation,
    actor: &Actor,
    at_ms: i64,
    proposal: store::Change,
) -> Result<Folded, Refused> {
    let mut change = proposal.change.ok_or(Refused::Malformed("unknown change"))?;
    let at_ms = state.state.last_at_ms.max(at_ms);
    let Some(session) = &mut state.state.session else { return Err(Refused::Closed) };
    allow(actor, session, &change)?;
    let mut asks_anew = false;
    if let Change::Queued(queued) = &mut change
        && is_kind(actor, ActorKind::Visitor)
    {
        // To where it goes anyway, which may be elsewhere since the visitor asked.
        queued.team.clone_from(&session.team);
        asks_anew = !session.asked_for_person;
    }
    if is_made(session, &change) && !asks_anew {
        return Ok(Folded::nothing(Verdict::Unchanged));
    }
    if ![0, session.version].contains(&proposal.expected_version) {
        return Err(outdated(session, &change));
    }
    let entry_id = MessageId::from_slice(&proposal.entry_id).ok();
    if entry_id.is_none() && leaves_text(&change) {
        return Err(Refused::Malformed("entry_id"));
    }
    let cause = proposal.cause;
    let mut step = Step { session, actor, at_ms, cause, overrides: proposal.overrides_owner };
    let (event, text) = step.make(change)?;

    state.tick(at_ms);
    let mut folded = Folded::nothing(Verdict::Done);
    folded.events = vec![state.record(actor, cause, event)];
    if let (Some(text), Some(id)) = (text, entry_id) {
        let mut entry = text.into_entry(id, actor.clone());
        state.number(&mut entry);
        folded.entries.push(entry);
    }
    Ok(folded)
}

/// A visitor may close, rate once what is closed, and leave a bot for a person; everything else is the team's.
fn allow(actor: &Actor, session: &Session, change: &Change) -> Result<(), Refused> {
    let by_visitor = is_kind(actor, ActorKind::Visitor);
    let visitors = match change {
        Change::Rated(_) => true,
        Change::Closed(closed) => closed.reason == CloseReason::Visitor as i32,
        Change::Queued(_) => is_bots(session) || session.owner.is_none(),
        _ => false,
    };
    if by_visitor && !visitors {
        return Err(Refused::NotOwner);
    }
    let rates = by_visitor && matches!(change, Change::Rated(_));
    if rates && (is_open(session) || session.rating != 0) && !is_made(session, change) {
        return Err(Refused::NothingToRate);
    }
    let of_closed = matches!(
        change,
        Change::Reopened(_)
            | Change::Rated(_)
            | Change::IntentSet(_)
            | Change::PrioritySet(_)
            | Change::LabelsSet(_)
    );
    match change {
        _ if is_open(session) || of_closed => Ok(()),
        Change::Closed(_) => Err(Refused::AlreadyClosed),
        _ => Err(Refused::Closed),
    }
}

/// Whether the session is as asked for already, as it is after a repeated command.
fn is_made(session: &Session, change: &Change) -> bool {
    let owns = |owner: &Option<Participant>| {
        is_open(session) && owner.as_ref().is_some_and(|owner| is_owner(session, &owner.id))
    };
    let queued_for = |team: &str| session.owner.is_none() && session.team == team;
    match change {
        Change::Queued(queued) => queued_for(&queued.team),
        Change::Assigned(assigned) => owns(&assigned.owner),
        Change::Transferred(to) if to.to_owner.is_some() => owns(&to.to_owner),
        Change::Transferred(to) => queued_for(&to.to_team),
        Change::Closed(_) => false,
        Change::Reopened(reopened) => owns(&reopened.owner),
        Change::Rated(rated) => {
            rated.rating == session.rating && rated.comment == session.rating_comment
        }
        Change::IntentSet(set) => {
            let by_person = |source| source == chat::IntentSource::Person as i32;
            // What a person said of it stands. Who says the same as a program makes it a person's word.
            match (by_person(session.intent_source), by_person(set.source)) {
                (true, false) => true,
                (false, true) => false,
                _ => set.intent == session.intent && !moves(session, &set.to_team),
            }
        }
        Change::PrioritySet(set) => set.priority == session.priority,
        Change::Joined(joined) => joined.participant.as_ref().is_some_and(|participant| {
            is_owner(session, &participant.id) || is_participant(session, &participant.id)
        }),
        Change::Left(left) => !is_participant(session, &left.participant_id),
        Change::LabelsSet(set) => set.labels == session.labels,
        Change::IdleWarned(_) => session.warned_idle,
        Change::Pended(pended) => pended.until_ms == session.pending_until_ms,
        Change::Unattended(unattended) => {
            session.unattended && unattended.deadline_ms == session.unattended_until_ms
        }
    }
}

/// The answer to somebody who saw an older version: who took it counts more than its number.
fn outdated(session: &Session, change: &Change) -> Refused {
    match (&session.owner, change) {
        (Some(owner), Change::Assigned(_)) => Refused::Taken { by: called(owner).to_owned() },
        _ => Refused::Version { current: session.version },
    }
}

fn leaves_text(change: &Change) -> bool {
    !matches!(
        change,
        Change::Rated(_)
            | Change::IntentSet(_)
            | Change::PrioritySet(_)
            | Change::LabelsSet(_)
            | Change::Pended(_)
    )
}

/// Whether an intent takes the session to another queue: the one it stands in, or the one to which a bot
/// would hand it.
fn moves(session: &Session, to_team: &str) -> bool {
    let may_move = session.status == SessionStatus::Queued as i32 || is_bots(session);
    may_move && !to_team.is_empty() && session.team != to_team
}

/// One change being made. Every method checks first and touches the session only when it may.
struct Step<'a> {
    session: &'a mut Session,
    actor: &'a Actor,
    at_ms: i64,
    cause: i32,
    overrides: bool,
}

impl Step<'_> {
    fn make(&mut self, change: Change) -> Made {
        match change {
            Change::Queued(queued) => self.queue(queued),
            Change::Assigned(assigned) => self.assign(assigned),
            Change::Transferred(transferred) => self.transfer(transferred),
            Change::Closed(closed) => self.close(closed),
            Change::Reopened(reopened) => self.reopen(reopened),
            Change::Rated(rated) => self.rate(rated),
            Change::IntentSet(set) => self.set_intent(set),
            Change::PrioritySet(set) => self.set_priority(set),
            Change::Joined(joined) => self.join(joined),
            Change::Left(left) => Ok(self.leave(left)),
            Change::LabelsSet(set) => {
                self.session.labels.clone_from(&set.labels);
                Ok((Event::LabelsSet(set), None))
            }
            Change::IdleWarned(warned) => self.warn_idle(warned),
            Change::Pended(pended) => self.pend(pended),
            Change::Unattended(unattended) => self.leave_unattended(unattended),
        }
    }

    /// The owner may, the system and programs may, and somebody whose right the router found. What
    /// nobody owns is anybody's of the team.
    fn authority(&self) -> Result<(), Refused> {
        let free = self.overrides
            || self.session.owner.is_none()
            || is_owner(self.session, &self.actor.id)
            || (is_bots(self.session) && is_kind(self.actor, ActorKind::Visitor))
            || is_kind(self.actor, ActorKind::System)
            || is_kind(self.actor, ActorKind::Api);
        if free { Ok(()) } else { Err(Refused::NotOwner) }
    }

    /// Whoever is named as the owner. Who asked for a person gets no bot.
    fn owner(&self, named: Option<&Participant>) -> Result<Participant, Refused> {
        let owner = target(named)?;
        let is_bot = owner.kind == ParticipantKind::Bot as i32;
        if is_bot && self.session.asked_for_person { Err(Refused::NotOwner) } else { Ok(owner) }
    }

    fn queue(&mut self, mut queued: chat::Queued) -> Made {
        self.authority()?;
        let by_timeout = self.cause == chat::Cause::Timeout as i32;
        if by_timeout && self.session.owner.is_some() && self.session.waiting_since_ms == 0 {
            return Err(Refused::NobodyWaits);
        }
        // Before a bot has the session as well as after: it gets it no more.
        self.session.asked_for_person |= is_kind(self.actor, ActorKind::Visitor);
        let former = session::enqueue(self.session, queued.team.clone(), self.at_ms);
        queued.waiting_since_ms = self.session.waiting_since_ms;
        let text = former.is_some().then(|| Text::new(text::QUEUED));
        queued.from_owner = former.map(|former| former.id).unwrap_or_default();
        Ok((Event::Queued(queued), text))
    }

    fn assign(&mut self, mut assigned: chat::Assigned) -> Made {
        let owner = self.owner(assigned.owner.as_ref())?;
        if let Some(current) = &self.session.owner {
            // Routing names the owner it replaces, and so does who may take it over from a bot only; whoever takes
            // expects none.
            let named = !assigned.former_owner.is_empty();
            let replaces = named && assigned.former_owner == current.id;
            let anybodys = assigned.take_over && !named;
            if !anybodys && !replaces {
                return Err(Refused::Taken { by: called(current).to_owned() });
            }
            if !assigned.take_over {
                self.authority()?;
            }
        }
        let name = called(&owner).to_owned();
        let former = session::give(self.session, owner, self.at_ms);
        assigned.take_over &= former.is_some();
        assigned.former_owner = former.as_ref().map(|f| f.id.clone()).unwrap_or_default();
        let text = match former {
            Some(former) if assigned.take_over => {
                let text = Text::new(text::TAKEN_OVER).with("former", called(&former));
                session::admit(self.session, former);
                text
            }
            _ => Text::new(text::ASSIGNED),
        };
        Ok((Event::Assigned(assigned), Some(text.with("agent", name))))
    }

    fn transfer(&mut self, mut to: chat::Transferred) -> Made {
        self.authority()?;
        if to.to_owner.is_some() && !to.to_team.is_empty() {
            return Err(Refused::Target);
        }
        let (former, text) = match &to.to_owner {
            Some(owner) => {
                let owner = self.owner(Some(owner))?;
                let text = Text::new(text::TRANSFERRED_AGENT).with("agent", called(&owner));
                (session::give(self.session, owner, self.at_ms), text)
            }
            None => {
                let text = Text::new(text::TRANSFERRED_TEAM).with("team", to.to_team.as_str());
                (session::enqueue(self.session, to.to_team.clone(), self.at_ms), text)
            }
        };
        to.waiting_since_ms = self.session.waiting_since_ms;
        let by = former.as_ref().map_or(self.actor.name.as_str(), called);
        let text = text.with("former", by);
        to.from_owner = former.map(|former| former.id).unwrap_or_default();
        Ok((Event::Transferred(to), Some(text)))
    }

    fn close(&mut self, closed: chat::Closed) -> Made {
        let text = match CloseReason::try_from(closed.reason) {
            Ok(CloseReason::Visitor) if is_kind(self.actor, ActorKind::Visitor) => {
                Text::new(text::CLOSED).with("by", self.actor.name.as_str())
            }
            Ok(CloseReason::Agent) => {
                self.authority()?;
                Text::new(text::CLOSED).with("by", self.actor.name.as_str())
            }
            Ok(CloseReason::Idle) => {
                self.quiet()?;
                Text::new(text::CLOSED_IDLE)
            }
            _ => return Err(Refused::Value),
        };
        session::close(self.session, self.at_ms);
        Ok((Event::Closed(closed), Some(text)))
    }

    /// A session may end by itself only while it is the visitor's turn.
    fn quiet(&self) -> Result<(), Refused> {
        let assigned = self.session.status == SessionStatus::Assigned as i32;
        if assigned && self.session.waiting_since_ms == 0 {
            Ok(())
        } else {
            Err(Refused::VisitorWaits)
        }
    }

    fn reopen(&mut self, mut reopened: chat::Reopened) -> Made {
        if is_open(self.session) {
            return Err(match &self.session.owner {
                Some(owner) => Refused::Taken { by: called(owner).to_owned() },
                None => Refused::Open,
            });
        }
        let by_agent = is_kind(self.actor, ActorKind::Agent);
        let owner = match reopened.owner.take() {
            None if by_agent => session::as_participant(self.actor),
            owner => self.owner(owner.as_ref())?,
        };
        let text = Text::new(text::REOPENED).with("agent", called(&owner));
        reopened.owner = Some(owner.clone());
        session::give(self.session, owner, self.at_ms);
        self.session.closed_at_ms = 0;
        Ok((Event::Reopened(reopened), Some(text)))
    }

    fn rate(&mut self, rated: chat::Rated) -> Made {
        if !(1..=5).contains(&rated.rating) {
            return Err(Refused::Value);
        }
        if self.session.assigned_at_ms == 0 {
            return Err(Refused::NothingToRate);
        }
        self.session.rating = rated.rating;
        self.session.rating_comment.clone_from(&rated.comment);
        Ok((Event::Rated(rated), None))
    }

    /// A queued session changes queue with its intent and keeps its waiting time. The priority is part
    /// of the change, so that where a person's word stands nothing of the other comes through.
    fn set_intent(&mut self, mut set: chat::IntentSet) -> Made {
        if set.priority > PRIORITY_MAX {
            return Err(Refused::Value);
        }
        if moves(self.session, &set.to_team) {
            session::move_to(self.session, set.to_team.clone());
        } else {
            set.to_team.clear();
        }
        // The event tells what was applied. A priority once set is lowered by people alone.
        if set.priority > self.session.priority {
            self.session.priority = set.priority;
        } else {
            set.priority = 0;
        }
        self.session.intent.clone_from(&set.intent);
        self.session.intent_confidence = set.confidence;
        self.session.intent_source = set.source;
        self.session.intent_why.clone_from(&set.why);
        Ok((Event::IntentSet(set), None))
    }

    fn set_priority(&mut self, set: chat::PrioritySet) -> Made {
        if !(1..=PRIORITY_MAX).contains(&set.priority) {
            return Err(Refused::Value);
        }
        self.session.priority = set.priority;
        Ok((Event::PrioritySet(set), None))
    }

    fn join(&mut self, joined: chat::Joined) -> Made {
        let participant = target(joined.participant.as_ref())?;
        if self.session.participants.len() >= PARTICIPANTS_MAX {
            return Err(Refused::Full);
        }
        let text = Text::new(text::JOINED).with("name", called(&participant)).for_team();
        session::admit(self.session, participant);
        Ok((Event::Joined(joined), Some(text)))
    }

    fn leave(&mut self, left: chat::Left) -> (Event, Option<Text>) {
        let at = self.session.participants.iter().position(|p| p.id == left.participant_id);
        let text = at.map(|at| {
            let participant = self.session.participants.remove(at);
            Text::new(text::LEFT).with("name", called(&participant)).for_team()
        });
        (Event::Left(left), text)
    }

    fn warn_idle(&mut self, warned: chat::IdleWarned) -> Made {
        self.quiet()?;
        let left_ms = u64::try_from(warned.closes_at_ms.saturating_sub(self.at_ms)).unwrap_or(0);
        let minutes = left_ms.div_ceil(60_000).max(1);
        self.session.warned_idle = true;
        let text = Text::new(text::IDLE_WARNING).with("minutes", minutes.to_string());
        Ok((Event::IdleWarned(warned), Some(text)))
    }

    fn pend(&mut self, pended: chat::Pended) -> Made {
        self.authority()?;
        if pended.until_ms == 0 && is_pending(self.session) {
            self.session.status = SessionStatus::Assigned as i32;
        } else {
            if self.session.owner.is_none() {
                return Err(Refused::NotOwner);
            }
            let ahead_ms = pended.until_ms.saturating_sub(self.at_ms);
            if !(1..=PENDING_MAX_MS).contains(&ahead_ms) {
                return Err(Refused::Value);
            }
            self.session.status = SessionStatus::Pending as i32;
        }
        self.session.pending_until_ms = pended.until_ms;
        Ok((Event::Pended(pended), None))
    }

    fn leave_unattended(&mut self, unattended: chat::Unattended) -> Made {
        if self.session.status != SessionStatus::Queued as i32 {
            return Err(Refused::NotQueued);
        }
        // A later deadline is no news for the visitor.
        let text = (!self.session.unattended).then(|| Text::new(text::UNATTENDED));
        self.session.unattended = true;
        self.session.unattended_until_ms = unattended.deadline_ms;
        Ok((Event::Unattended(unattended), text))
    }
}

/// The named participant, of a known kind.
fn target(participant: Option<&Participant>) -> Result<Participant, Refused> {
    let mut participant = participant
        .filter(|participant| !participant.id.is_empty())
        .ok_or(Refused::Target)?
        .clone();
    if participant.kind == ParticipantKind::Unspecified as i32 {
        participant.kind = ParticipantKind::Agent as i32;
    }
    Ok(participant)
}
