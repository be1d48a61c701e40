//! Questions to and small steps of a session, shared by sends and changes.

use super::conversation::Conversation;
use crate::{
    chat::{
        self, Actor, ActorKind, Opened, Participant, ParticipantKind, Queued, Session,
        SessionStatus, session_event::Change,
    },
    limits::PARTICIPANTS_MAX,
};

pub(super) fn is_open(session: &Session) -> bool {
    session.status != SessionStatus::Closed as i32
}

pub(super) fn is_pending(session: &Session) -> bool {
    session.status == SessionStatus::Pending as i32
}

pub(super) fn is_owner(session: &Session, id: &str) -> bool {
    session.owner.as_ref().is_some_and(|owner| owner.id == id)
}

/// Whether a bot answers.
pub fn is_bots(session: &Session) -> bool {
    session.owner.as_ref().is_some_and(|owner| owner.kind == ParticipantKind::Bot as i32)
}

pub(super) fn is_participant(session: &Session, id: &str) -> bool {
    session.participants.iter().any(|participant| participant.id == id)
}

pub(super) fn is_kind(actor: &Actor, kind: ActorKind) -> bool {
    actor.kind == kind as i32
}

/// What people call a participant.
pub(super) fn called(participant: &Participant) -> &str {
    if participant.name.is_empty() { &participant.id } else { &participant.name }
}

/// The owner an acting agent or bot becomes.
pub(super) fn as_participant(actor: &Actor) -> Participant {
    let kind =
        if is_kind(actor, ActorKind::Bot) { ParticipantKind::Bot } else { ParticipantKind::Agent };
    Participant { kind: kind as i32, id: actor.id.clone(), name: actor.name.clone() }
}

/// Gives the session to an owner, from wherever it was, and returns the former one.
pub(super) fn give(session: &mut Session, owner: Participant, at_ms: i64) -> Option<Participant> {
    session.participants.retain(|participant| participant.id != owner.id);
    session.status = SessionStatus::Assigned as i32;
    session.assigned_at_ms = at_ms;
    end_waits_for_others(session);
    session.owner.replace(owner)
}

/// Puts the session into a queue and returns the owner it was taken from. Whoever stands in a queue
/// waits, and keeps the waiting time brought along.
pub(super) fn enqueue(session: &mut Session, team: String, at_ms: i64) -> Option<Participant> {
    session.status = SessionStatus::Queued as i32;
    session.team = team;
    if session.waiting_since_ms == 0 {
        session.waiting_since_ms = at_ms;
    }
    let former = session.owner.take();
    if former.is_some() {
        session.queued_at_ms = at_ms;
        end_waits_for_others(session);
    }
    former
}

/// Moves a queued session to another queue, where it waits on. Whether somebody is there is another question
/// than in the former queue.
pub(super) fn move_to(session: &mut Session, team: String) {
    session.team = team;
    end_waits_for_others(session);
}

/// A new owner or a queue ends what only the former state waited for.
fn end_waits_for_others(session: &mut Session) {
    session.pending_until_ms = 0;
    session.unattended = false;
    session.unattended_until_ms = 0;
    session.warned_idle = false;
}

/// Adds somebody beside the owner; the one there longest makes room.
pub(super) fn admit(session: &mut Session, participant: Participant) {
    if is_participant(session, &participant.id) {
        return;
    }
    if session.participants.len() >= PARTICIPANTS_MAX {
        session.participants.remove(0);
    }
    session.participants.push(participant);
}

pub(super) fn close(session: &mut Session, at_ms: i64) {
    session.status = SessionStatus::Closed as i32;
    session.closed_at_ms = at_ms;
    session.waiting_since_ms = 0;
    end_waits_for_others(session);
}

/// Opens the next session in the queue of `team`.
pub(super) fn open(
    state: &mut Conversation,
    actor: &Actor,
    id: String,
    team: String,
    events: &mut Vec<chat::SessionEvent>,
) {
    let at_ms = state.state.last_at_ms;
    let inbox = state.state.origin.as_ref().map(|origin| origin.inbox.clone()).unwrap_or_default();
    let before = state.state.session.take();
    let number = before.as_ref().map_or(0, |session| session.number) + 1;
    // Versions go on rising over sessions: a change meant for the closed one never fits the new one.
    let version = before.as_ref().map_or(0, |session| session.version);
    // Who knows the visitor is a person.
    let is_person = |owner: &Participant| owner.kind != ParticipantKind::Bot as i32;
    if let Some(owner) = before.and_then(|session| session.owner).filter(is_person) {
        state.state.last_owner = Some(owner);
    }
    state.state.session = Some(Session {
        id,
        number,
        version,
        status: SessionStatus::Queued as i32,
        team: team.clone(),
        inbox,
        opened_at_ms: at_ms,
        waiting_since_ms: at_ms,
        queued_at_ms: at_ms,
        ..Session::default()
    });
    let cause = chat::Cause::Rule as i32;
    events.push(state.record(actor, cause, Change::Opened(Opened {})));
    let queued = Queued { team, waiting_since_ms: at_ms, from_owner: String::new() };
    events.push(state.record(actor, cause, Change::Queued(queued)));
}
